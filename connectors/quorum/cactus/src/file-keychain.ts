/** A Cactus keychain of files: a folder of mode 0700, a file of mode 0600 per entry, written whole or not at all. */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@drawbridge/connector-sdk/connector-files';
import type { IPluginKeychain } from '@hyperledger/cactus-core-api';

export type FileKeychainOptions = Readonly<{ keychainId: string; instanceId: string; dir: string }>;

/** Names that are files of their own name; others go by their digest. */
const PLAIN_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;
const OTHERS = 0o077;

export class FileKeychain implements IPluginKeychain {
  readonly #options: FileKeychainOptions;

  constructor(options: FileKeychainOptions) {
    this.#options = options;
  }

  getKeychainId(): string {
    return this.#options.keychainId;
  }

  getInstanceId(): string {
    return this.#options.instanceId;
  }

  /** Of this keychain alone: a registry holds one plugin per package name. */
  getPackageName(): string {
    return `@drawbridge/connector-quorum-cactus/file-keychain/${this.#options.keychainId}`;
  }

  /** @throws ConfigError CONFIG_KEY_EXPOSED when others may look into the folder */
  async onPluginInit(): Promise<void> {
    const { dir } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (((await stat(dir)).mode & OTHERS) !== 0) throw exposed(dir, '700');
  }

  async has(key: string): Promise<boolean> {
    try {
      await access(this.#file(key));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** @throws ConfigError CONFIG_KEY_EXPOSED when others may read the file; the system's error where there is none */
  async get(key: string): Promise<string> {
    const file = this.#file(key);
    if (((await stat(file)).mode & OTHERS) !== 0) throw exposed(file, '600');
    return readFile(file, 'utf8');
  }

  async set(key: string, value: string): Promise<void> {
    const file = this.#file(key);
    const temporary = join(this.#options.dir, `.${randomUUID()}`);
    try {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(value);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  /** Never outside the folder: a name with anything unusual in it becomes a digest, behind a sign that no plain name has. */
  #file(key: string): string {
    const name = PLAIN_NAME.test(key) ? key : `%${createHash('sha256').update(key).digest('hex')}`;
    return join(this.#options.dir, name);
  }
}

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

const exposed = (path: string, mode: string): ConfigError =>
  new ConfigError('CONFIG_KEY_EXPOSED', `${path} can be read by others; chmod ${mode} it`);
