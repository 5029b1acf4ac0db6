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

/** Two versions of one jar, signed by one key. */
export type SignedContracts = Readonly<{ first: string; next: string }>;

/** Key and jars go into `dir`. */
export async function signedContracts(dir: string, first: JavaPrograms, next: JavaPrograms): Promise<SignedContracts> {
  const jdk = (program: string, ...args: string[]) => run(join(dirname(first.java), program), args);
  const password = join(dir, 'password');
  await writeFile(password, randomBytes(PASSWORD_BYTES).toString('hex'), { mode: 0o600 });
  const store = ['-keystore', join(dir, 'release.p12'), '-storetype', 'PKCS12', '-storepass:file', password];
  const key = ['-alias', ALIAS, '-keyalg', 'RSA', '-keysize', '3072', '-dname', 'CN=Release of a test'];
  await jdk('keytool', '-genkeypair', ...store, ...key);
  const signed = async (version: string, { contractsJar }: JavaPrograms): Promise<string> => {
    const jar = join(dir, version, basename(contractsJar));
    await mkdir(join(dir, version), { recursive: true });
    await copyFile(contractsJar, jar);
    await jdk('jarsigner', ...store, jar, ALIAS);
    return jar;
  };
  return { first: await signed('first', first), next: await signed('next', next) };
}
