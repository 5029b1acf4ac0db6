/**
 * What an observer has vouched for: one block hash for each network and number, for ever. A statement about another
 * block at the same number would be the proof that it lied, so it asks here before it signs, and waits until its word
 * is on disk.
 *
 * The file is append-only text, a line for each block: `network genesisHash number blockHash check`, `check` being the
 * first 8 hex digits of the SHA-256 of what stands before it. Lines are flushed in groups (fdatasync).
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';

export type SignedBlock = Readonly<{
  network: NetworkId;
  genesisHash: Bytes32;
  blockNumber: number;
  blockHash: Bytes32;
}>;

/** Which hashes this observer may vouch for. */
export interface BlockGuard {
  /**
   * Binds the number to the hash, durably, unless it is bound to another.
   * @throws SignedBlocksError when it cannot be recorded: then nothing may be signed.
   */
  claim(block: SignedBlock): Promise<'held' | 'equivocation'>;
}

export class SignedBlocksError extends Error {
  override readonly name = 'SignedBlocksError';
  readonly code: 'SIGNED_BLOCKS_CORRUPT' | 'SIGNED_BLOCKS_FULL' | 'SIGNED_BLOCKS_FAILED' | 'SIGNED_BLOCKS_CLOSED';

  constructor(code: SignedBlocksError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const LINE = /^([a-z][a-z0-9-]{0,47}) (0x[0-9a-f]{64}) (0|[1-9][0-9]{0,15}) (0x[0-9a-f]{64})$/;
const CHECK_LENGTH = 8;
/** Read at a time when the file is opened. */
const READ_BYTES = 1_048_576;

const checkOf = (content: string): string => createHash('sha256').update(content).digest('hex').slice(0, CHECK_LENGTH);
const chainOf = ({ network, genesisHash }: SignedBlock): string => `${network} ${genesisHash}`;

/** A hash, and whether its line is on disk yet. */
type Bound = { readonly hash: string; durable: boolean };
/** By chain, then by block number. */
type Held = Map<string, Map<number, Bound>>;
type Recorded = Readonly<{ held: Held; size: number; endBytes: number }>;

export class SignedBlocks implements BlockGuard {
  readonly #file: FileHandle;
  readonly #limit: number;
  readonly #held: Held;
  #size: number;
  #endBytes: number;
  #pending: Readonly<{ line: string; bound: Bound }>[] = [];
  #flush: Promise<void> | undefined;
  #failure: SignedBlocksError | undefined;

  private constructor(file: FileHandle, limit: number, recorded: Recorded) {
    this.#file = file;
    this.#limit = limit;
    this.#held = recorded.held;
    this.#size = recorded.size;
    this.#endBytes = recorded.endBytes;
  }

  /**
   * Reads the file, or makes it. An unfinished last line was never answered for, and is cut.
   * @throws SignedBlocksError `SIGNED_BLOCKS_CORRUPT` with file and line for anything else that is not as it was written.
   */
  static async open(path: string, limit: number): Promise<SignedBlocks> {
    const file = await open(path, 'a+', 0o600);
    try {
      const held: Held = new Map();
      let lines = 0;
      const end = await readLines(file, (line) => {
        lines += 1;
        remember(held, line, `${path}, line ${lines}`);
      });
      await file.truncate(end);
      await file.sync();
      await syncFolder(dirname(path));
      return new SignedBlocks(file, limit, { held, size: lines, endBytes: end });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async claim(block: SignedBlock): Promise<'held' | 'equivocation'> {
    if (this.#failure) throw this.#failure;
    const chain = chainOf(block);
    const blocks = this.#held.get(chain) ?? new Map<number, Bound>();
    const known = blocks.get(block.blockNumber);
    if (known !== undefined && known.hash !== block.blockHash) return 'equivocation';
    if (known?.durable) return 'held';
    if (known === undefined) {
      if (this.#size >= this.#limit) {
        throw new SignedBlocksError(
          'SIGNED_BLOCKS_FULL',
          `${this.#limit} blocks are recorded; raise limits.signedBlocks`,
        );
      }
      const content = `${chain} ${block.blockNumber} ${block.blockHash}`;
      const bound: Bound = { hash: block.blockHash, durable: false };
      this.#held.set(chain, blocks.set(block.blockNumber, bound));
      this.#size++;
      this.#pending.push({ line: `${content} ${checkOf(content)}\n`, bound });
    }
    while (blocks.get(block.blockNumber)?.durable !== true) {
      if (this.#failure) throw this.#failure;
      this.#flush ??= this.#writePending().finally(() => {
        this.#flush = undefined;
      });
      await this.#flush;
    }
    return 'held';
  }

  async close(): Promise<void> {
    await this.#flush;
    this.#failure ??= new SignedBlocksError('SIGNED_BLOCKS_CLOSED', 'the record of signed blocks is closed');
    await this.#file.close();
  }

  /** One write and one flush for all that wait. After a failure nothing is known of the file's end: no more claims. */
  async #writePending(): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    try {
      const bytes = Buffer.from(batch.map(({ line }) => line).join(''), 'latin1');
      if ((await this.#file.stat()).size !== this.#endBytes) throw new Error('another process writes the same file');
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
      this.#endBytes += bytes.length;
      for (const { bound } of batch) bound.durable = true;
    } catch (cause) {
      this.#failure = new SignedBlocksError(
        'SIGNED_BLOCKS_FAILED',
        'the record of signed blocks cannot be written; nothing is signed until the observer is started again',
        { cause },
      );
    }
  }
}

/** Calls back with each whole line; answers where the last one ends, in bytes. */
async function readLines(file: FileHandle, onLine: (line: string) => void): Promise<number> {
  const chunk = Buffer.alloc(READ_BYTES);
  let end = 0;
  let rest = '';
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, READ_BYTES, at);
    if (bytesRead === 0) return end;
    at += bytesRead;
    const lines = (rest + chunk.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > READ_BYTES) throw new SignedBlocksError('SIGNED_BLOCKS_CORRUPT', 'the record holds no lines');
    for (const line of lines) onLine(line);
    end = at - rest.length;
  }
}

function remember(held: Held, line: string, where: string): void {
  const content = line.slice(0, -CHECK_LENGTH - 1);
  const [, network, genesisHash, number, hash] = LINE.exec(content) ?? [];
  const sound = line === `${content} ${checkOf(content)}` && hash !== undefined;
  const chain = `${network} ${genesisHash}`;
  const blocks = held.get(chain) ?? new Map<number, Bound>();
  if (!sound || blocks.has(Number(number))) {
    throw new SignedBlocksError(
      'SIGNED_BLOCKS_CORRUPT',
      `${where} is not as it was written. Restore the file from a backup; without it, retire this observer's key`,
    );
  }
  held.set(chain, blocks.set(Number(number), { hash, durable: true }));
}

/** So that a file just made survives a crash. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
