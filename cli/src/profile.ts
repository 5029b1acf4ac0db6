/** How to reach the core: options of the command, or a profile file, which is `drawbridge.json` where there is one. */
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CliError } from './cli-error.ts';
import { fieldsOf, readInput, readJsonFile, readKeyFile } from './input-file.ts';

const DEFAULT_PROFILE = 'drawbridge.json';

export type ConnectionFlags = Readonly<{
  profile?: string;
  /** Of one node or several. */
  url?: readonly string[];
  cert?: string;
  key?: string;
  serviceCert?: string;
}>;

/** PEM contents, as the client takes them. */
export type Access = Readonly<{
  url: readonly string[];
  certificate: string;
  key: string;
  serviceCertificate: string;
}>;

/** Each flag that names a file, with its name in a profile; files there count from the profile's folder. */
const FILES = [
  { flag: 'cert', option: '--cert', field: 'certFile' },
  { flag: 'key', option: '--key', field: 'keyFile' },
  { flag: 'serviceCert', option: '--service-cert', field: 'serviceCertFile' },
] as const;
const URL_FIELD = 'url';

/** Flags win over the profile. @throws CliError that says what is missing. */
export async function readAccess(flags: ConnectionFlags): Promise<Access> {
  const profile = await readProfile(flags.profile);
  const missing = (option: string, field: string): CliError =>
    new CliError('USAGE', `say ${option}, or ${field} in ${flags.profile ?? DEFAULT_PROFILE}`);
  const given = ({ flag, option, field }: (typeof FILES)[number]): string => {
    const value = flags[flag] ?? profile.files.get(field);
    if (value !== undefined) return value;
    throw missing(option, field);
  };
  const url = flags.url ?? profile.url;
  if (url === undefined || url.length === 0) throw missing('--url', URL_FIELD);
  const plain = url.find((one) => !one.startsWith('https://'));
  if (plain !== undefined) throw new CliError('USAGE', `the core is reached by https, not ${plain}`);
  const [cert, key, serviceCert] = FILES.map(given) as [string, string, string];
  const [certificate, keyText, serviceCertificate] = await Promise.all([
    readInput(cert).then(String),
    readKeyFile(key),
    readInput(serviceCert).then(String),
  ]);
  return { url, certificate, key: keyText, serviceCertificate };
}

type Profile = Readonly<{ url?: readonly string[]; files: ReadonlyMap<string, string> }>;

async function readProfile(path: string | undefined): Promise<Profile> {
  const file = path ?? ((await exists(DEFAULT_PROFILE)) ? DEFAULT_PROFILE : undefined);
  const files = new Map<string, string>();
  if (file === undefined) return { files };
  let url: readonly string[] | undefined;
  for (const [field, value] of fieldsOf(await readJsonFile(file), file)) {
    if (field === URL_FIELD) url = urlsOf(value, file);
    else if (!FILES.some((known) => known.field === field)) {
      throw new CliError('PROFILE', `${file} has the unknown field ${field}`);
    } else if (typeof value !== 'string') throw new CliError('PROFILE', `${field} in ${file} must be text`);
    else files.set(field, resolve(dirname(file), value));
  }
  return { files, ...(url && { url }) };
}

/** One node, or a list of them. */
function urlsOf(value: unknown, file: string): string[] {
  const urls: unknown[] = [value].flat();
  const texts = urls.filter((url) => typeof url === 'string');
  if (texts.length === urls.length) return texts;
  throw new CliError('PROFILE', `url in ${file} must be text or a list of texts`);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
