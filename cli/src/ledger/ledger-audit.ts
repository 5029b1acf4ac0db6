/**
 * Follows a ledger record by record: numbers, leaves, the tree, who may sign, what is signed. Knows nothing of files. Memory does
 * not grow with the ledger, but for a leaf, a kind and a view for each entry since the last signature.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { ChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { readGovernanceEntry } from '@drawbridge/protocol/ledger/governance-entry';
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { type LedgerRecord, leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import {
  decodeGenesisRecord,
  decodeServiceEntry,
  digestOfGenesis,
  type ServiceEntry,
} from '@drawbridge/protocol/ledger/service-entry';
import { decodeSignatureEntry, type SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { Refusal } from '../refusal.ts';
import { readServiceCertificate, type ServiceCertificate } from './certificates.ts';
import { countEntries, type EntryCounts } from './entry-counts.ts';
import { refuseLedger } from './ledger-refusal.ts';
import { sha256 } from './sha256.ts';
import { SigningNodes } from './signing-nodes.ts';

/** Most entries that may await a signature: a service signs at least every 1,000. */
const MAX_UNSIGNED = 262_144;

/** A signature that holds, and where it stands. */
export type LastSignature = Readonly<{ seqno: number; view: number; size: number; root: Uint8Array; nodeId: NodeId }>;

/** What a record was found to be. Its leaf is in the tree, whether or not a signature covers it yet. */
export type Audited = Readonly<{ leaf: Uint8Array; signature?: SignatureEntry; service?: ServiceEntry }>;

export type LedgerFacts = Readonly<{
  serviceId: Bytes32 | undefined;
  /** Newest entry; 0 for none. */
  lastSeqno: number;
  lastView: number;
  signature: LastSignature | undefined;
  /** What the signature covers. */
  signed: FactsOfPart;
  /** What comes behind it: whoever has the files could have written it. */
  unsigned: FactsOfPart;
}>;

/** `nodes`: how many came in there for the first time. */
export type FactsOfPart = EntryCounts & Readonly<{ nodes: number }>;

/** An entry that no signature covers yet. */
type Unsigned = Readonly<{ leaf: Uint8Array; kind: LedgerKind; view: number }>;

export class LedgerAudit {
  readonly #service: ServiceCertificate;
  readonly #nodes: SigningNodes;
  /** As far as the last signature goes. */
  readonly #signed: MerkleFrontier = MerkleFrontier.start(sha256);
  #counts: EntryCounts = countEntries([]);
  /** What comes behind it. */
  #unsigned: Unsigned[] = [];
  #serviceId: Bytes32 | undefined;
  #lastSeqno = 0;
  #lastView = 0;
  #lastKind: LedgerKind | undefined;
  #signature: LastSignature | undefined;

  constructor(service: ServiceCertificate) {
    this.#service = service;
    this.#nodes = new SigningNodes(service);
  }

  facts(): LedgerFacts {
    const signedNodes = this.#nodes.countBelow(this.#signature?.size ?? 0);
    return {
      serviceId: this.#serviceId,
      lastSeqno: this.#lastSeqno,
      lastView: this.#lastView,
      signature: this.#signature,
      signed: { ...this.#counts, nodes: signedNodes },
      unsigned: { ...countEntries(this.#unsigned), nodes: this.#nodes.count - signedNodes },
    };
  }

  get nodes(): SigningNodes {
    return this.#nodes;
  }

  /** A chunk begins. */
  beginChunk({ serviceId, first, peaks }: ChunkHeader): Refusal | undefined {
    if (first !== this.#lastSeqno + 1) {
      return refuseLedger(
        'header',
        'HEADER_SEQNO',
        `its header says that it begins at ${first}, not at ${this.#lastSeqno + 1}`,
      );
    }
    this.#serviceId ??= serviceId;
    if (serviceId !== this.#serviceId) {
      return refuseLedger(
        'header',
        'HEADER_SERVICE',
        `it is a chunk of service ${serviceId}, the ledger is of ${this.#serviceId}`,
      );
    }
    const tree = this.#signed.clone();
    for (const { leaf } of this.#unsigned) tree.append(leaf);
    const own = tree.peaks();
    const same = own.every((peak, index) => Buffer.compare(peak, peaks[index] ?? Buffer.of()) === 0);
    return same
      ? undefined
      : refuseLedger('tree', 'PEAKS_MISMATCH', 'the peaks in its header are not those of the records before');
  }

  /** A chunk that says that it is closed has ended. */
  closeChunk(last: number): Refusal | undefined {
    if (this.#lastSeqno !== last) {
      return refuseLedger(
        'closure',
        'CHUNK_SHORT',
        `its name says that it goes to ${last}, it goes to ${this.#lastSeqno}`,
      );
    }
    return this.#lastKind === 'signature'
      ? undefined
      : refuseLedger('closure', 'CHUNK_UNSIGNED', 'a closed chunk ends on a signature, and this one does not');
  }

  take(record: LedgerRecord): Audited | Refusal {
    const { kind, view, seqno } = record;
    if (seqno !== this.#lastSeqno + 1) {
      return refuseLedger('sequence', 'SEQNO_GAP', `record ${this.#lastSeqno + 1} comes here, this is ${seqno}`);
    }
    if (view < this.#lastView) {
      return refuseLedger('sequence', 'VIEW_BACK', `its view is ${view}, the one before has ${this.#lastView}`);
    }
    const content = this.#read(record);
    if ('ok' in content) return content;
    const refusal = content.signature && this.#takeSignature(content.signature, record);
    if (refusal) return refusal;
    const leaf = leafOf(record, sha256);
    this.#unsigned.push({ leaf, kind, view });
    if (this.#unsigned.length > MAX_UNSIGNED) {
      return refuseLedger('signature', 'SIGNATURE_MISSING', `no signature covers the ${MAX_UNSIGNED} entries before`);
    }
    this.#lastSeqno = seqno;
    this.#lastView = view;
    this.#lastKind = kind;
    return { leaf, ...content };
  }

  #read(record: LedgerRecord): Omit<Audited, 'leaf'> | Refusal {
    const { kind, seqno, data } = record;
    try {
      if (kind === 'genesis') return this.#readGenesis(data) ?? {};
      if (kind === 'signature') return { signature: decodeSignatureEntry(readEntryFrame(data).payload) };
      if (kind === 'governance') readGovernanceEntry(readEntryFrame(data).payload);
      if (kind !== 'service') return {};
      const service = decodeServiceEntry(readEntryFrame(data).payload);
      if (service.type === 'admitNode') this.#nodes.admit(service.node, seqno);
      if (service.type === 'updateNode') this.#nodes.update(service.node);
      if (service.type === 'snapshotEvidence' && service.seqno >= seqno) {
        return refuseLedger('entry', 'ENTRY_INVALID', 'evidence of a snapshot is of one that comes later');
      }
      return { service };
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return refuseLedger('entry', 'ENTRY_INVALID', error.message);
    }
  }

  #readGenesis(data: Uint8Array): Refusal | undefined {
    const genesis = decodeGenesisRecord(data);
    const wrong = (code: string, detail: string): Refusal => refuseLedger('entry', code, detail);
    if (genesis.serviceId !== this.#serviceId) {
      return wrong('GENESIS_SERVICE', `genesis is of service ${genesis.serviceId}, its chunk of ${this.#serviceId}`);
    }
    const digest = Buffer.from(digestOfGenesis(genesis.genesis, sha256)).toString('hex');
    if (genesis.genesisDigest !== `0x${digest}`) return wrong('GENESIS_DIGEST', 'the digest of genesis is another');
    if (!this.#isPinned(genesis.serviceCertificate)) {
      return wrong('SERVICE_OTHER', 'genesis names another certificate of the service than the one that is pinned');
    }
    this.#nodes.admit(genesis.node, 1);
    return undefined;
  }

  #isPinned(pem: string): boolean {
    try {
      return readServiceCertificate(pem, 'genesis').fingerprint === this.#service.fingerprint;
    } catch {
      // Whatever else stands there is not the pinned certificate.
      return false;
    }
  }

  #takeSignature(entry: SignatureEntry, { view, seqno }: LedgerRecord): Refusal | undefined {
    const { size, root, nodeId } = entry;
    const wrong = (code: string, detail: string): Refusal => refuseLedger('signature', code, detail);
    if (size > seqno) return wrong('SIGNATURE_SIZE', `it signs ${size} leaves, but only ${seqno} come before it`);
    if (size < 2 || size < this.#signed.size) {
      return wrong('SIGNATURE_SIZE', `it signs ${size} leaves, the signature before ${this.#signed.size}`);
    }
    if (entry.view !== view) return wrong('SIGNATURE_VIEW', `it says view ${entry.view}, its entry has ${view}`);
    const added = size - this.#signed.size;
    const covered = this.#unsigned.slice(0, added);
    for (const { leaf } of covered) this.#signed.append(leaf);
    const children = this.#signed.rootChildren();
    if (children === null) return wrong('SIGNATURE_SIZE', 'it signs no entry');
    if (Buffer.compare(root, this.#signed.root()) !== 0) {
      return wrong('ROOT_MISMATCH', `its root is not that of the ${size} leaves before`);
    }
    const refusal = this.#nodes.judge(entry, Buffer.concat(children));
    if (refusal) return refusal;
    this.#counts = countEntries(covered, this.#counts);
    this.#unsigned = this.#unsigned.slice(added);
    this.#signature = { seqno, view, size, root: Uint8Array.from(root), nodeId };
    return undefined;
  }
}
