/**
 * What can be made again from the chunks, kept to find things fast. `tree.mmr`: the nodes of the Merkle tree, 32 bytes each, by
 * position. `index.dat`: 16 bytes per seqno, big-endian: u64 view ‖ u8 kind ‖ 7 bytes offset of the record in its chunk.
 * Slot 0 of the index, which no entry has, is the *mark*: u64 seqno up to which chunks and tree were synced ‖ 8 bytes check.
 * It tells a write that a crash cut short from rot of what was durable, so it is synced itself with every flush.
 */
import { Buffer } from 'node:buffer';
import { DIGEST_BYTES, ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import { type LedgerKind, ledgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { mmrPosition, mmrSize } from '@drawbridge/protocol/ledger/merkle-tree';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import { sha256 } from '../sha256.ts';
import { isMissing } from './ledger-errors.ts';

export const TREE_NAME = 'tree.mmr';
export const INDEX_NAME = 'index.dat';
export const SLOT_BYTES = 16;
const WORD = 2 ** 32;
const CHECK_BYTES = 8;
const OFFSET_BYTES = 6;
const MAX_KIND_NUMBER: number = Math.max(...Object.values(ledgerKind));

export type Slot = Readonly<{ view: number; kindNumber: number; offset: number }>;

export function encodeSlot(
  out: Buffer,
  at: number,
  slot: Readonly<{ view: number; kind: LedgerKind; offset: number }>,
): void {
  writeU64(out, at, slot.view);
  out[at + 8] = ledgerKind[slot.kind];
  out[at + 9] = 0;
  out.writeUIntBE(slot.offset, at + 10, OFFSET_BYTES);
}

/** Null for what is no slot: never written, or damaged so that it shows. */
export function decodeSlot(bytes: Buffer, at: number): Slot | null {
  if (bytes.length < at + SLOT_BYTES) return null;
  const view = readU64(bytes, at);
  const offset = bytes.readUIntBE(at + 10, OFFSET_BYTES);
  const kindNumber = bytes[at + 8] ?? 0;
  return view === 0 || offset === 0 || kindNumber > MAX_KIND_NUMBER ? null : { view, kindNumber, offset };
}

function writeU64(out: Buffer, at: number, value: number): void {
  out.writeUInt32BE(Math.floor(value / WORD), at);
  out.writeUInt32BE(value % WORD, at + 4);
}

const readU64 = (bytes: Buffer, at: number): number => bytes.readUInt32BE(at) * WORD + bytes.readUInt32BE(at + 4);

function encodeMark(seqno: number): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  writeU64(slot, 0, seqno);
  slot.set(sha256(slot.subarray(0, 8)).subarray(0, CHECK_BYTES), 8);
  return slot;
}

function decodeMark(slot: Buffer): number | null {
  if (slot.length < SLOT_BYTES) return null;
  const seqno = readU64(slot, 0);
  return Number.isSafeInteger(seqno) && encodeMark(seqno).equals(slot) ? seqno : null;
}

async function openOrCreate(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'update');
  } catch (error) {
    if (!isMissing(error)) throw error;
    return disk.open(path, 'create');
  }
}

export class DerivedFiles {
  readonly treePath: string;
  readonly indexPath: string;
  readonly #tree: DiskFile;
  readonly #index: DiskFile;
  /** Nodes that `tree.mmr` has, whole ones. */
  #nodes: number;
  /** Slots that `index.dat` has. */
  #slots: number;

  private constructor(directory: string, tree: DiskFile, index: DiskFile) {
    this.treePath = `${directory}/${TREE_NAME}`;
    this.indexPath = `${directory}/${INDEX_NAME}`;
    this.#tree = tree;
    this.#index = index;
    this.#nodes = Math.floor(tree.size / DIGEST_BYTES);
    this.#slots = Math.floor(index.size / SLOT_BYTES);
  }

  static async open(disk: Disk, directory: string): Promise<DerivedFiles> {
    const tree = await openOrCreate(disk, `${directory}/${TREE_NAME}`);
    try {
      return new DerivedFiles(directory, tree, await openOrCreate(disk, `${directory}/${INDEX_NAME}`));
    } catch (error) {
      await tree.close();
      throw error;
    }
  }

  /** Nodes from a position on, as many as there are up to `count`, one after the other. */
  readNodes(position: number, count: number): Promise<Buffer> {
    return this.#tree.read(position * DIGEST_BYTES, count * DIGEST_BYTES);
  }

  /**
   * Leaves from one seqno through another, as one read, so not for more than some thousands at a time. Undefined for a leaf that
   * the file lacks or that was never written: no entry's leaf is zero.
   */
  async readLeaves(from: number, to: number): Promise<(seqno: number) => Buffer | undefined> {
    const start = mmrPosition(from);
    const bytes = await this.readNodes(start, mmrSize(to + 1) - start);
    return (seqno) => {
      const at = (mmrPosition(seqno) - start) * DIGEST_BYTES;
      const leaf = bytes.subarray(at, at + DIGEST_BYTES);
      return leaf.length === DIGEST_BYTES && !leaf.equals(ZERO_DIGEST) ? leaf : undefined;
    };
  }

  async writeNodes(position: number, nodes: Uint8Array): Promise<void> {
    await this.#tree.write(nodes, position * DIGEST_BYTES);
    this.#nodes = Math.max(this.#nodes, position + nodes.length / DIGEST_BYTES);
  }

  /** Slots from a seqno on, as many as there are up to `count`. */
  readSlots(seqno: number, count: number): Promise<Buffer> {
    return this.#index.read(seqno * SLOT_BYTES, count * SLOT_BYTES);
  }

  async writeSlots(seqno: number, slots: Uint8Array): Promise<void> {
    await this.#index.write(slots, seqno * SLOT_BYTES);
    this.#slots = Math.max(this.#slots, seqno + slots.length / SLOT_BYTES);
  }

  /** Null where there is none, as when the file was deleted: then nothing is known of what was durable. */
  async readMark(): Promise<number | null> {
    return decodeMark(await this.#index.read(0, SLOT_BYTES));
  }

  /** To be called only when chunks and tree are durable up to `seqno`; durable itself when it resolves. */
  async writeMark(seqno: number): Promise<void> {
    await this.writeSlots(0, encodeMark(seqno));
    await this.#index.sync();
  }

  /** Forgets what belongs to entries from `seqno` on. */
  async cut(seqno: number): Promise<void> {
    const nodes = mmrSize(seqno);
    if (this.#nodes > nodes) {
      await this.#tree.truncate(nodes * DIGEST_BYTES);
      this.#nodes = nodes;
    }
    if (this.#slots > seqno) {
      await this.#index.truncate(seqno * SLOT_BYTES);
      this.#slots = seqno;
    }
  }

  /** Of the tree; the index is synced with its mark. */
  sync(): Promise<void> {
    return this.#tree.sync();
  }

  async close(): Promise<void> {
    await this.#tree.close();
    await this.#index.close();
  }
}
