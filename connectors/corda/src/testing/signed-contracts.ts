/** The contracts jar as whoever releases it to many nodes has it: signed by a key. By the JDK that builds it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { JavaPrograms } from './java-programs.ts';

const run = promisify(execFile);

const ALIAS = 'release';
const PASSWORD_BYTES = 16;

/** Two versions of one jar, signed by one key: the same classes, and one file more in the second. */
export type SignedContracts = Readonly<{ first: string; next: string }>;

/** Keys and jars go into `dir`. */
export async function signedContracts(dir: string, { java, contractsJar }: JavaPrograms): Promise<SignedContracts> {
  const jdk = (program: string, ...args: string[]) => run(join(dirname(java), program), args);
  const file = (...path: string[]): string => join(dir, ...path);
  const name = basename(contractsJar);
  await mkdir(file('content'), { recursive: true, mode: 0o700 });
  await writeFile(file('password'), randomBytes(PASSWORD_BYTES).toString('hex'), { mode: 0o600 });
  const store = ['-keystore', file('release.p12'), '-storetype', 'PKCS12', '-storepass:file', file('password')];
  const key = ['-alias', ALIAS, '-keyalg', 'RSA', '-keysize', '3072', '-dname', 'CN=Release of a test'];
  await jdk('keytool', '-genkeypair', ...store, ...key);
  for (const version of ['first', 'next']) {
    await mkdir(file(version), { recursive: true });
    await copyFile(contractsJar, file(version, name));
  }
  await writeFile(file('content', 'NEXT'), 'the next version\n');
  await jdk('jar', '--update', '--file', file('next', name), '-C', file('content'), 'NEXT');
  for (const version of ['first', 'next']) await jdk('jarsigner', ...store, file(version, name), ALIAS);
  return { first: file('first', name), next: file('next', name) };
}
