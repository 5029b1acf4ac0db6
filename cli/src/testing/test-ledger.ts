/**
 * Makes small ledgers as nodes do: real records, tree, signatures, chunks. What a forger would do is possible, too: every field of
 * a record and of a signature can be given, and the rest is made to fit.
 */
import { createHmac, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '@drawbridge/protocol/bytes32';
import { chunkName, encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import { type ClaimEvent, type ClaimTerms, claimText } from '@drawbridge/protocol/ledger/claim-text';
import { ClaimsTree } from '@drawbridge/protocol/ledger/claims';
import { type FramedKind, frameEntry } from '@drawbridge/protocol/ledger/entry-frame';
import { ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import { encodeRecord, type LedgerRecord, leafOf, writeSetDigest } from '@drawbridge/protocol/ledger/ledger-record';
import { auditPath, MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { proofSteps, type Receipt } from '@drawbridge/protocol/ledger/receipt';
import {
  digestOfGenesis,
  encodeGenesisRecord,
  encodeServiceEntry,
  type GenesisRecord,
  type ServiceEntry,
} from '@drawbridge/protocol/ledger/service-entry';
import { encodeSignatureEntry, type SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { commitEvidenceText, formatTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { sha256 } from '../ledger/sha256.ts';
import type { TestNode, TestService } from './test-service.ts';

export type TestClaim = Readonly<{ event: ClaimEvent; terms?: ClaimTerms }>;
export type TestChunk = Readonly<{ name: string; bytes: Uint8Array }>;

type Kept = Readonly<{ record: LedgerRecord; evidence: string; claims: ClaimsTree | undefined }>;
type Signed = Readonly<{ seqno: number; entry: SignatureEntry; node: TestNode }>;
type OpenChunk = { first: number; parts: Uint8Array[] };

const SECRET = 'test ledger secret';
const DUMMY = Uint8Array.from({ length: 64 }, (_, index) => index);

export class TestLedger {
  readonly #service: TestService;
  readonly #tree = MerkleFrontier.start(sha256);
  /** Nodes of the tree by position. */
  readonly #nodes: Uint8Array[] = [ZERO_DIGEST];
  readonly #kept: Kept[] = [];
  readonly #signatures: Signed[] = [];
  readonly #closed: TestChunk[] = [];
  #open: OpenChunk | undefined;
  view = 1;
  #serviceId: TestService['serviceId'];

  constructor(service: TestService) {
    this.#service = service;
    this.#serviceId = service.serviceId;
  }

  /** A copy that may go another way. */
  fork(): TestLedger {
    const other = new TestLedger(this.#service);
    for (const { record, evidence, claims } of this.#kept) other.#keep(record, evidence, claims);
    other.view = this.view;
    other.#signatures.push(...this.#signatures);
    other.#closed.push(...this.#closed);
    other.#open = this.#open && { first: this.#open.first, parts: [...this.#open.parts] };
    return other;
  }

  get lastSeqno(): number {
    return this.#tree.size - 1;
  }

  /** Leaves 0 … lastSeqno. */
  get size(): number {
    return this.#tree.size;
  }

  root(): Uint8Array {
    return this.#tree.root();
  }

  record(seqno: number): LedgerRecord {
    return this.#at(seqno).record;
  }

  begin(node: TestNode, changes: Partial<GenesisRecord> = {}): this {
    const genesis = changes.genesis ?? '{"version":1}';
    const record: GenesisRecord = {
      genesisDigest: toHex(digestOfGenesis(genesis, sha256)) as GenesisRecord['genesisDigest'],
      genesis,
      serviceId: this.#serviceId,
      stateDigest: this.#serviceId,
      serviceCertificate: this.#service.certificate,
      node: node.row,
      ...changes,
    };
    return this.append('genesis', encodeGenesisRecord(record));
  }

  /** The next record. `changes` is what a forger does. */
  append(
    kind: LedgerRecord['kind'],
    data: Uint8Array,
    { claims = [], ...changes }: Partial<LedgerRecord> & { claims?: readonly TestClaim[] } = {},
  ): this {
    const id = { view: changes.view ?? this.view, seqno: changes.seqno ?? this.size };
    const evidence = commitEvidenceText(
      formatTransactionId(id),
      macOf(`evidence ${formatTransactionId(id)}`).toString('hex'),
    );
    const texts = claims.map(({ event, terms }) => claimText(event, terms));
    const salts = Buffer.concat(texts.map((_, index) => macOf(`salt ${formatTransactionId(id)} ${index}`)));
    const tree = texts.length > 0 ? new ClaimsTree(texts, salts, sha256) : undefined;
    const record: LedgerRecord = {
      kind,
      ...id,
      epoch: 1,
      commitEvidenceDigest: sha256(Buffer.from(evidence)),
      claimsDigest: tree?.root ?? ZERO_DIGEST,
      data,
      ...changes,
    };
    this.#open ??= { first: this.size, parts: [this.header()] };
    this.#open.parts.push(encodeRecord(record));
    this.#keep(record, evidence, tree);
    return this;
  }

  framed(kind: FramedKind, payload: Uint8Array, changes: Partial<LedgerRecord> = {}): this {
    return this.append(kind, frameEntry(kind, payload), changes);
  }

  /** An entry with sealed content. */
  settle(claims: readonly TestClaim[] = [], changes: Partial<LedgerRecord> = {}): this {
    return this.append('settlement', frameEntry('settlement', DUMMY), { claims, ...changes });
  }

  service(entry: ServiceEntry): this {
    return this.framed('service', encodeServiceEntry(entry));
  }

  admit({ row }: TestNode): this {
    const { raftId: _, ...node } = row;
    return this.service({ type: 'admitNode', node });
  }

  /** A signature over all before it. */
  sign(node: TestNode, changes: Partial<SignatureEntry> = {}): this {
    const entry: SignatureEntry = {
      size: this.size,
      view: this.view,
      root: this.#tree.root(),
      nodeId: node.nodeId,
      signature: sign('sha256', Buffer.concat(this.#tree.rootChildren() ?? []), node.key),
      ...changes,
    };
    this.#signatures.push({ seqno: this.size, entry, node });
    return this.framed('signature', encodeSignatureEntry(entry));
  }

  close(last: number = this.lastSeqno): this {
    if (!this.#open) throw new Error('no chunk is open');
    this.#closed.push({ name: chunkName(this.#open.first, last), bytes: Buffer.concat(this.#open.parts) });
    this.#open = undefined;
    return this;
  }

  header(): Uint8Array {
    return encodeChunkHeader({ serviceId: this.#serviceId, first: this.size, peaks: this.#tree.peaks() });
  }

  chunks(): readonly TestChunk[] {
    const open = this.#open && { name: chunkName(this.#open.first), bytes: Buffer.concat(this.#open.parts) };
    return open ? [...this.#closed, open] : this.#closed;
  }

  /** As a node gives it: by the first signature that covers the entry, or of the signature itself. */
  receipt(seqno: number, claim?: number): Receipt {
    const { record, evidence, claims } = this.#at(seqno);
    const own = this.#signatures.find((signed) => signed.seqno === seqno);
    const by = own ?? this.#signatures.find(({ entry }) => entry.size > seqno);
    if (!by) throw new Error(`no signature covers ${seqno}`);
    const common = {
      cert: by.node.certificate,
      node_id: by.node.nodeId,
      signature: Buffer.from(by.entry.signature).toString('base64'),
      transaction_id: formatTransactionId(record),
      platform: by.node.row.platform,
      rollbackProtected: false,
    };
    if (own) return { ...common, proof: [], leaf: Buffer.from(by.entry.root).toString('hex') };
    const path = auditPath(seqno, by.entry.size, (position) => this.#nodes[position] ?? ZERO_DIGEST, sha256);
    return {
      ...common,
      proof: proofSteps(path),
      leaf_components: {
        write_set_digest: Buffer.from(writeSetDigest(record, sha256)).toString('hex'),
        commit_evidence: evidence,
        claims_digest: Buffer.from(record.claimsDigest).toString('hex'),
      },
      ...(claim !== undefined && claims && { claims_proof: claims.prove(claim) }),
    };
  }

  async write(folder: string): Promise<string> {
    return writeChunks(folder, this.chunks());
  }

  #at(seqno: number): Kept {
    const kept = this.#kept[seqno - 1];
    if (!kept) throw new Error(`there is no record ${seqno}`);
    return kept;
  }

  #keep(record: LedgerRecord, evidence: string, claims: ClaimsTree | undefined): void {
    this.#kept.push({ record, evidence, claims });
    this.#nodes.push(...this.#tree.append(leafOf(record, sha256)));
  }
}

const macOf = (text: string): Buffer => createHmac('sha256', SECRET).update(text).digest();

/** @returns the folder */
export async function writeChunks(folder: string, chunks: readonly TestChunk[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of chunks) await writeFile(join(folder, name), bytes);
  return folder;
}
