/** How to reach the core: options of the command, or a profile file, which is `drawbridge.json` where there is one. */
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { fieldsOf, readInput, readJsonFile, readKeyFile } from './input-file.ts';

const DEFAULT_PROFILE = 'drawbridge.json';

export type ConnectionFlags = Readonly<{
  profile?: string;
  url?: string;
  cert?: string;
  key?: string;
  serviceCert?: string;
}>;

/** PEM contents, as the client takes them. */
export type Access = Readonly<{ url: string; certificate: string; key: string; serviceCertificate: string }>;

/** Each flag with its name in a profile; files there count from the profile's folder. */
const PARTS = [
  { flag: 'url', option: '--url', field: 'url', file: false },
  { flag: 'cert', option: '--cert', field: 'certFile', file: true },
  { flag: 'key', option: '--key', field: 'keyFile', file: true },
  { flag: 'serviceCert', option: '--service-cert', field: 'serviceCertFile', file: true },
] as const;

/** Flags win over the profile. @throws CliError that says what is missing. */
export async function readAccess(flags: ConnectionFlags): Promise<Access> {
  const profile = await readProfile(flags.profile);
  const given = (part: (typeof PARTS)[number]): string => {
    const value = flags[part.flag] ?? profile.get(part.field);
    if (value !== undefined) return value;
    throw new CliError('USAGE', `say ${part.option}, or ${part.field} in ${flags.profile ?? DEFAULT_PROFILE}`);
  };
  const [url, cert, key, serviceCert] = PARTS.map(given) as [string, string, string, string];
  if (!url.startsWith('https://')) throw new CliError('USAGE', `the core is reached by https, not ${url}`);
  const [certificate, keyText, serviceCertificate] = await Promise.all([
    readInput(cert).then(String),
    readKeyFile(key),
    readInput(serviceCert).then(String),
  ]);
  return { url, certificate, key: keyText, serviceCertificate };
}

async function readProfile(path: string | undefined): Promise<ReadonlyMap<string, string>> {
  const file = path ?? ((await exists(DEFAULT_PROFILE)) ? DEFAULT_PROFILE : undefined);
  if (file === undefined) return new Map();
  const values = new Map<string, string>();
  for (const [field, value] of fieldsOf(await readJsonFile(file), file)) {
    const part = PARTS.find((known) => known.field === field);
    if (part === undefined) throw new CliError('PROFILE', `${file} has the unknown field ${field}`);
    if (typeof value !== 'string') throw new CliError('PROFILE', `${field} in ${file} must be text`);
    values.set(field, part.file ? resolve(dirname(file), value) : value);
  }
  return values;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
