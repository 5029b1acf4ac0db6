/**
 * What this process is about to send, written and flushed before it is sent. After a crash the very same transactions
 * go out again, instead of second ones beside those that may be in a pool. It is a convenience, not the truth: the
 * ledger's ids decide what has effect, so a journal that is lost costs fees at most.
 *
 * One line per record, each encrypted (AES-256-GCM) under a key derived from the fee key, because a transaction names
 * a payee and an amount. What does not decrypt (torn by a crash, another chain, another key) is left out and counted.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { lockFile } from './process-lock.ts';

/** `key` is the instruction's id, or names a filled gap. A later `sent` of one key and nonce replaces the earlier. */
export type IntentRecord =
  | Readonly<{ op: 'sent'; key: string; raw: Hex; nonce: number }>
  | Readonly<{ op: 'closed'; key: string; nonce: number }>;
/** All raw transactions of one key and nonce, oldest first: any of them may be the one that is mined. */
export type OpenIntent = Readonly<{ key: string; nonce: number; raws: readonly Hex[] }>;

export type IntentJournalOptions = Readonly<{
  file: string;
  /** The fee key; the journal's key is derived from it. */
  secret: string;
  /** Chain and account: lines of another binding do not decrypt. */
  binding: string;
  /** Records after which the file is written anew with what is open. */
  compactAfter: number;
}>;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class IntentJournal {
  readonly #options: IntentJournalOptions;
  readonly #key: Buffer;
  readonly #unlock: () => Promise<void>;
  readonly #open = new Map<string, OpenIntent>();
  #file: FileHandle | undefined;
  #records = 0;
  #unreadable = 0;
  #last: Promise<void> = Promise.resolve();

  private constructor(options: IntentJournalOptions, unlock: () => Promise<void>) {
    this.#options = options;
    this.#unlock = unlock;
    this.#key = Buffer.from(hkdfSync('sha256', options.secret, '', 'drawbridge/intent-journal/1', 32));
  }

  /** @throws ProcessLockError when another process has this journal open. */
  static async open(options: IntentJournalOptions): Promise<IntentJournal> {
    const unlock = await lockFile(`${options.file}.lock`);
    const journal = new IntentJournal(options, unlock);
    try {
      await journal.#load();
      await journal.#compact();
    } catch (error) {
      await unlock();
      throw error;
    }
    return journal;
  }

  /** Lines that were left out when the journal was opened; one is normal after a crash. */
  get unreadable(): number {
    return this.#unreadable;
  }

  openIntents(): OpenIntent[] {
    return [...this.#open.values()];
  }

  /**
   * Calls are served in order. Resolves when departures are on the disk; that something was closed may be forgotten by
   * a crash, and is found out again.
   */
  append(records: readonly IntentRecord[]): Promise<void> {
    const work = this.#last.then(() => this.#write(records));
    this.#last = work.catch(() => undefined);
    return work;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
    await this.#unlock();
  }

  async #write(records: readonly IntentRecord[]): Promise<void> {
    if (!this.#file) throw new TypeError('the journal is closed');
    for (const record of records) this.#fold(record);
    this.#records += records.length;
    if (this.#records >= this.#options.compactAfter) return this.#compact();
    await this.#file.appendFile(records.map((record) => this.#encrypt(record)).join(''));
    if (records.some(({ op }) => op === 'sent')) await this.#file.datasync();
  }

  #fold(record: IntentRecord): void {
    const id = `${record.key} ${record.nonce}`;
    if (record.op === 'closed') {
      this.#open.delete(id);
      return;
    }
    const { key, nonce, raw } = record;
    const raws = this.#open.get(id)?.raws ?? [];
    this.#open.set(id, { key, nonce, raws: [...raws.filter((known) => known !== raw), raw] });
  }

  async #load(): Promise<void> {
    const text = await readFile(this.#options.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const record = this.#decrypt(line);
      if (record) this.#fold(record);
      else this.#unreadable += 1;
    }
  }

  /** Writes what is open into a new file and puts it in place of the old. */
  async #compact(): Promise<void> {
    const { file } = this.#options;
    const records = this.openIntents().flatMap(({ key, nonce, raws }) =>
      raws.map((raw): IntentRecord => ({ op: 'sent', key, nonce, raw })),
    );
    const next = await open(`${file}.next`, 'w', 0o600);
    await next.appendFile(records.map((record) => this.#encrypt(record)).join(''));
    await next.sync();
    await rename(`${file}.next`, file);
    const folder = await open(dirname(file), 'r');
    await folder.sync();
    await folder.close();
    await this.#file?.close();
    this.#file = next;
    this.#records = records.length;
  }

  #encrypt(record: IntentRecord): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(this.#options.binding));
    const body = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
    return `${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64')}\n`;
  }

  #decrypt(line: string): IntentRecord | undefined {
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(this.#options.binding));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as IntentRecord;
    } catch {
      // Not ours, or not whole: see above.
      return undefined;
    }
  }
}
