/** Entries for tests: the same for the same seed, with signatures over the true root. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { frameEntry } from '@drawbridge/protocol/ledger/entry-frame';
import { ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import { leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { encodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { sha256 } from '../../sha256.ts';
import type { LedgerEntry } from '../ledger.ts';

export const SERVICE_ID = toBytes32(new Uint8Array(32).fill(0x5e));
const NODE_ID = parseNodeId('ab'.repeat(32));

export type EntrySourceOptions = Readonly<{
  seed?: number;
  /** Every so manieth entry signs what was there `lag` entries before it. */
  signEvery?: number;
  lag?: number;
  /** Length of the data of the others. */
  dataBytes?: (seqno: number) => number;
}>;

export class EntrySource {
  readonly #options: EntrySourceOptions;
  readonly #frontiers: MerkleFrontier[] = [MerkleFrontier.start(sha256)];
  readonly entries: LedgerEntry[] = [];

  constructor(options: EntrySourceOptions = {}) {
    this.#options = options;
  }

  /** Entry by seqno. */
  at(seqno: number): LedgerEntry {
    while (this.entries.length < seqno) this.#make(this.entries.length + 1);
    const entry = this.entries[seqno - 1];
    if (!entry) throw new RangeError(`there is no entry ${seqno}`);
    return entry;
  }

  range(from: number, to: number): LedgerEntry[] {
    return Array.from({ length: to - from + 1 }, (_, at) => this.at(from + at));
  }

  /** The tree of so many leaves. */
  tree(size: number): MerkleFrontier {
    if (size > 1) this.at(size - 1);
    const frontier = this.#frontiers[size - 1];
    if (!frontier) throw new RangeError(`there is no tree of ${size}`);
    return frontier.clone();
  }

  #make(seqno: number): void {
    const { seed = 1, signEvery = 7, lag = 1, dataBytes = () => 60 } = this.#options;
    const signs = seqno > 1 && seqno % signEvery === 0;
    const kind = seqno === 1 ? 'genesis' : signs ? 'signature' : seqno % 11 === 3 ? 'empty' : 'settlement';
    const digest = (what: string): Buffer => createHash('sha256').update(`${seed} ${seqno} ${what}`).digest();
    const entry: LedgerEntry = {
      kind,
      view: 1 + Math.floor(seqno / 50),
      seqno,
      epoch: 1,
      commitEvidenceDigest: digest('evidence'),
      claimsDigest: seqno % 2 === 0 ? digest('claims') : ZERO_DIGEST,
      data: this.#data(kind, seqno, Math.max(1, seqno - lag + 1), digest('data'), dataBytes(seqno)),
    };
    const frontier = this.tree(seqno);
    frontier.append(leafOf(entry, sha256));
    this.#frontiers.push(frontier);
    this.entries.push(entry);
  }

  #data(kind: string, seqno: number, size: number, digest: Buffer, length: number): Uint8Array {
    if (kind === 'empty') return new Uint8Array();
    if (kind === 'signature') {
      const root = this.tree(size).root();
      const view = 1 + Math.floor(seqno / 50);
      return frameEntry('signature', encodeSignatureEntry({ size, view, root, nodeId: NODE_ID, signature: digest }));
    }
    const payload = Buffer.alloc(Math.max(1, length));
    for (let at = 0; at < payload.length; at += digest.length) digest.copy(payload, at);
    return kind === 'genesis' ? payload : frameEntry('settlement', payload);
  }
}
