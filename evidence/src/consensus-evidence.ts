/**
 * Rules `qbft`, `ibft`, `ibft2` and `clique`: one log of one vault stands in a block of the tracked chain. The seals of the
 * block were checked when the chain took its header, so here its hash decides; that header's receipts root proves the
 * receipt, and the log is read out of it. Of what a courier says nothing counts that no hash binds.
 *
 * The checks run in a fixed order and the first that fails is named. Deny by default. Cost: O(bytes), no signature.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import {
  type ConsensusEvidence,
  type ConsensusRule,
  consensusSubjectDigest,
  decodeConsensusEvidence,
} from '@drawbridge/protocol/consensus-evidence';
import { decodeVaultLog, VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import type { EvmAddress, NetworkId } from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { decodeReceipt, logContent, type ReceiptLog } from './ethereum-receipt.ts';
import { proveReceipt } from './ethereum-receipt-proof.ts';
import { blockOf } from './sealed-header.ts';
import { type ConsensusFinality, hashAt, type TrackedChain } from './tracked-chain.ts';

/** What one item is checked against. It never comes out of the evidence. */
export type ConsensusTrustRoot = Readonly<{
  network: NetworkId;
  /** The contracts whose events count. */
  vaults: readonly EvmAddress[];
  /** As the ledger tracks it now. */
  chain: TrackedChain;
  finality: ConsensusFinality;
}>;

/** In the order in which they run. */
export const EVIDENCE_CHECKS = [
  'trustRoot',
  'form',
  'network',
  'rule',
  'header',
  'block',
  'proof',
  'receipt',
  'status',
  'log',
  'address',
  'topics',
  'event',
] as const;
export type EvidenceCheck = (typeof EVIDENCE_CHECKS)[number];

export type EvidenceRefusalCode =
  | 'TRUST_ROOT_UNUSABLE'
  | 'FORM_INVALID'
  | 'NETWORK_MISMATCH'
  | 'RULE_MISMATCH'
  | 'HEADER_INVALID'
  /** Above the head: may be tracked later. */
  | 'BLOCK_NOT_TRACKED'
  /** Below what is remembered: only a new checkpoint could help. */
  | 'BLOCK_TOO_OLD'
  /** Another block is tracked at this height. Says nothing of whether the one offered is sealed. */
  | 'BLOCK_CONFLICTS'
  | 'PROOF_INVALID'
  | 'RECEIPT_INVALID'
  | 'TRANSACTION_FAILED'
  | 'LOG_MISSING'
  | 'ADDRESS_MISMATCH'
  | 'TOPICS_UNKNOWN'
  | 'EVENT_INVALID';

export type EvidenceRefusal = Readonly<{
  ok: false;
  /** The first check that failed. */
  check: EvidenceCheck;
  code: EvidenceRefusalCode;
  /** In words, without confidential content. */
  detail: string;
}>;

export type EvidenceProof = Readonly<{
  ok: true;
  rule: ConsensusRule;
  vault: EvmAddress;
  event: VaultEvent;
  /** Of the place of the log, the same whichever copy of the header proved it. */
  digest: Bytes32;
  blockNumber: number;
  blockHash: Bytes32;
}>;

const TOPICS: ReadonlySet<string> = new Set(Object.values(VAULT_TOPICS));

const refuse = (check: EvidenceCheck, code: EvidenceRefusalCode, detail: string): EvidenceRefusal => ({
  ok: false,
  check,
  code,
  detail,
});

/** Checks one item against one network's trust root. Pure. */
export function verifyConsensusEvidence(
  evidence: ConsensusEvidence,
  root: ConsensusTrustRoot,
): EvidenceProof | EvidenceRefusal {
  const { chain, finality } = root;
  if (chain.rule !== finality.rule) return refuse('trustRoot', 'TRUST_ROOT_UNUSABLE', 'the chain has another rule');
  if (evidence.version !== 1 || evidence.kind !== 'event')
    return refuse('form', 'FORM_INVALID', 'version or kind is unknown');
  if (evidence.network !== root.network) {
    return refuse('network', 'NETWORK_MISMATCH', 'evidence is of another network');
  }
  if (evidence.rule !== finality.rule) {
    return refuse('rule', 'RULE_MISMATCH', `evidence is for rule ${evidence.rule}, the network has ${finality.rule}`);
  }
  const block = blockOf(evidence.header, finality);
  if (!block.ok) return refuse('header', 'HEADER_INVALID', block.detail);
  const untracked = untrackedBlock(block, chain);
  if (untracked !== undefined) return untracked;
  const log = provenLog(evidence, block.receiptsRoot);
  if ('ok' in log) return log;
  const found = eventOf(log, root.vaults);
  if ('ok' in found) return found;
  const { rule, network, transactionIndex, logIndexInReceipt } = evidence;
  const digest = consensusSubjectDigest({ rule, network, blockHash: block.hash, transactionIndex, logIndexInReceipt });
  return { ok: true, rule, ...found, digest, blockNumber: block.number, blockHash: block.hash };
}

/** The same for bytes as they came: whatever is not one canonical item fails the check `form`. */
export function verifyConsensusEvidenceBytes(
  input: Uint8Array,
  root: ConsensusTrustRoot,
): EvidenceProof | EvidenceRefusal {
  let evidence: ConsensusEvidence;
  try {
    evidence = decodeConsensusEvidence(input);
  } catch (error) {
    return refuse('form', 'FORM_INVALID', protocolFault(error));
  }
  return verifyConsensusEvidence(evidence, root);
}

/** The words of a refusal by `protocol`. Anything else is a bug and goes on. */
function protocolFault(error: unknown): string {
  if (isProtocolError(error)) return error.message;
  throw error;
}

type Block = Readonly<{ number: number; hash: Bytes32 }>;

/** Why the block is not the tracked one at its height, or `undefined`. */
function untrackedBlock({ number, hash }: Block, chain: TrackedChain): EvidenceRefusal | undefined {
  const head = chain.head.number;
  if (number > head) return refuse('block', 'BLOCK_NOT_TRACKED', `block ${number} is above the tracked head ${head}`);
  const tracked = hashAt(chain, number);
  if (tracked === undefined) return refuse('block', 'BLOCK_TOO_OLD', `block ${number} is too far below head ${head}`);
  return tracked === hash
    ? undefined
    : refuse('block', 'BLOCK_CONFLICTS', `another block is tracked at height ${number}`);
}

function provenLog(evidence: ConsensusEvidence, receiptsRoot: Bytes32): ReceiptLog | EvidenceRefusal {
  const { proof, transactionIndex, logIndexInReceipt } = evidence;
  const proven = proveReceipt(proof, receiptsRoot, transactionIndex);
  if (!proven.ok) return refuse('proof', 'PROOF_INVALID', proven.detail);
  const decoded = decodeReceipt(proven.receipt);
  if (!decoded.ok) return refuse('receipt', 'RECEIPT_INVALID', decoded.detail);
  const { succeeded, logs } = decoded.receipt;
  if (!succeeded) return refuse('status', 'TRANSACTION_FAILED', 'the transaction failed');
  const log = logs[logIndexInReceipt];
  return log ?? refuse('log', 'LOG_MISSING', `the receipt has no log ${logIndexInReceipt}`);
}

function eventOf(
  log: ReceiptLog,
  vaults: readonly EvmAddress[],
): Readonly<{ vault: EvmAddress; event: VaultEvent }> | EvidenceRefusal {
  const content = logContent(log);
  const vault = vaults.find((known) => known === content.address);
  if (vault === undefined) return refuse('address', 'ADDRESS_MISMATCH', 'the log is of no vault');
  if (!TOPICS.has(content.topics[0] ?? '')) {
    return refuse('topics', 'TOPICS_UNKNOWN', 'the log is no event of a vault');
  }
  try {
    return { vault, event: decodeVaultLog(content) };
  } catch (error) {
    return refuse('event', 'EVENT_INVALID', protocolFault(error));
  }
}
