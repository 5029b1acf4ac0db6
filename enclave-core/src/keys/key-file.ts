/**
 * The key file: 32 secret bytes from which every key of this node's disk derives. Whoever reads it reads the ledger, so
 * it is made once, never overwritten, and refused unless its owner alone can read it. Later a TEE seals it instead.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export const SECRET_BYTES = 32;
const HEADER = 'drawbridge key file 1';

export type KeyFileErrorCode =
  | 'KEY_FILE_EXISTS'
  | 'KEY_FILE_MISSING'
  | 'KEY_FILE_MODE'
  | 'KEY_FILE_OWNER'
  | 'KEY_FILE_FORMAT';

/** The key file cannot be used; the message says what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly code: KeyFileErrorCode;

  constructor(code: KeyFileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

/**
 * Draws a secret and writes it, durable before it is returned.
 * @throws KeyFileError `KEY_FILE_EXISTS`: an existing key is never replaced.
 */
export async function createKeyFile(path: string): Promise<Uint8Array> {
  const secret = randomBytes(SECRET_BYTES);
  let file: FileHandle;
  try {
    file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause;
    throw exists(path, cause);
  }
  try {
    await file.writeFile(`${HEADER}\n${secret.toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
  return secret;
}

/**
 * For what is slow to make and useless where a key file stands already.
 * @throws KeyFileError `KEY_FILE_EXISTS`
 */
export async function refuseKeyFile(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  throw exists(path);
}

const exists = (path: string, cause?: unknown): KeyFileError =>
  new KeyFileError('KEY_FILE_EXISTS', `${path} exists; a key file is never overwritten`, { cause });

/** Makes a new or renamed name in `path` durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** @throws KeyFileError unless it is a regular file of this user with mode 0600 or stricter, in the form written above. */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw new KeyFileError('KEY_FILE_MISSING', `${path} does not exist`, { cause });
    if (codeOf(cause) === 'ELOOP') throw new KeyFileError('KEY_FILE_FORMAT', `${path} must not be a link`, { cause });
    throw cause;
  }
  try {
    const { mode, uid, size } = await file.stat();
    if ((mode & 0o170000) !== 0o100000) throw new KeyFileError('KEY_FILE_FORMAT', `${path} must be a regular file`);
    if (uid !== process.getuid?.()) {
      throw new KeyFileError('KEY_FILE_OWNER', `${path} belongs to user ${uid}; it must belong to who runs the core`);
    }
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError('KEY_FILE_MODE', `${path} has mode ${shown}; others can read it: chmod 600 it`);
    }
    const expected = HEADER.length + 1 + SECRET_BYTES * 2 + 1;
    const text = size === expected ? await file.readFile('latin1') : '';
    const [header, hex = '', rest] = text.split('\n');
    if (header !== HEADER || !/^[0-9a-f]{64}$/.test(hex) || rest !== '') {
      throw new KeyFileError('KEY_FILE_FORMAT', `${path} is not a key file of Drawbridge`);
    }
    return Buffer.from(hex, 'hex');
  } finally {
    await file.close();
  }
}
