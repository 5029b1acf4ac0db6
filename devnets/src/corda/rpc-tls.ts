/** RPC over TLS for the nodes of a development network: a key made for it, and what clients trust, in the form that Corda reads (JKS). */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Java8 } from './java8.ts';

const run = promisify(execFile);

const KEYTOOL_TIMEOUT_MS = 60_000;
const PASSWORD_BYTES = 16;
const VALID_DAYS = '30';
const ALIAS = 'rpc';

export type RpcTls = Readonly<{
  keyStoreFile: string;
  trustStoreFile: string;
  /** Of both files. */
  password: string;
}>;

/** Made anew in `dir`, by the `keytool` of that Java. One key for all nodes. */
export async function makeRpcTls(dir: string, java: Java8): Promise<RpcTls> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = randomBytes(PASSWORD_BYTES).toString('hex');
  const file = (name: string): string => join(dir, name);
  await writeFile(file('password'), password, { mode: 0o600 });
  const keytool = async (verb: string, ...rest: string[]): Promise<void> => {
    const store = ['-alias', ALIAS, '-storetype', 'JKS', '-storepass:file', file('password')];
    await run(join(java.home, 'bin', 'keytool'), [verb, ...store, ...rest], { timeout: KEYTOOL_TIMEOUT_MS });
  };
  const key = [
    '-keyalg',
    'RSA',
    '-keysize',
    '3072',
    '-validity',
    VALID_DAYS,
    '-dname',
    'CN=RPC of a development network',
  ];
  await keytool('-genkeypair', '-keystore', file('key.jks'), '-keypass:file', file('password'), ...key);
  await keytool('-exportcert', '-keystore', file('key.jks'), '-file', file('certificate.der'));
  await keytool('-importcert', '-keystore', file('trust.jks'), '-file', file('certificate.der'), '-noprompt');
  return { keyStoreFile: file('key.jks'), trustStoreFile: file('trust.jks'), password };
}
