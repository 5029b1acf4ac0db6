/**
 * Rule `observers`: m of n witnesses signed that one log of one vault stands at a set depth. It proves what they said,
 * not that the network is final; whoever shows the result says so.
 *
 * The checks run in a fixed order and the first that fails is named. Deny by default: an item with anything wrong in it is
 * refused whole, even if what is left would reach the threshold, because an honest courier drops bad attestations.
 * Cost: at most one signature check per registered observer, and none before every cheaper check has passed.
 */
import { type Bytes32, type Hex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { decodeVaultLog, VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import {
  decodeObserverEvidence,
  evidenceSubjectDigest,
  type ObserverEvidence,
  observerStatement,
} from '@drawbridge/protocol/observer-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { type ObserverTrustRoot, trustRootFault } from './trust-root.ts';

/** Ed25519 (RFC 8032). Must answer false, not throw, for a key or signature that is malformed. */
export type SignatureVerifier = (publicKey: Hex, message: Uint8Array, signature: Hex) => boolean;

/** In the order in which they run. */
export type ObserverCheck =
  | 'trustRoot'
  | 'form'
  | 'network'
  | 'genesis'
  | 'address'
  | 'topics'
  | 'event'
  | 'position'
  | 'attestationCount'
  | 'knownObservers'
  | 'distinctObservers'
  | 'depth'
  | 'threshold'
  | 'signatures';

export type ObserverRefusalCode =
  | 'TRUST_ROOT_UNUSABLE'
  | 'FORM_INVALID'
  | 'NETWORK_MISMATCH'
  | 'GENESIS_MISMATCH'
  | 'ADDRESS_MISMATCH'
  | 'TOPICS_UNKNOWN'
  | 'EVENT_INVALID'
  | 'POSITION_INVALID'
  | 'ATTESTATIONS_TOO_MANY'
  | 'OBSERVER_UNKNOWN'
  | 'OBSERVER_DUPLICATE'
  | 'DEPTH_INSUFFICIENT'
  | 'THRESHOLD_UNMET'
  | 'SIGNATURE_INVALID';

export type ObserverRefusal = Readonly<{
  ok: false;
  /** The first check that failed. */
  check: ObserverCheck;
  code: ObserverRefusalCode;
  /** In words, without confidential content. */
  detail: string;
}>;

export type ObserverProof = Readonly<{
  ok: true;
  event: VaultEvent;
  /** Of the event and its place, the same whoever vouches. */
  digest: Bytes32;
  blockNumber: number;
  blockHash: Bytes32;
  /** The least that any of `vouchedBy` saw. */
  depthBlocks: number;
  /** In the order of the evidence; at least the threshold. */
  vouchedBy: readonly ParticipantId[];
}>;

type Subject = Readonly<{ evidence: ObserverEvidence; root: ObserverTrustRoot; verify: SignatureVerifier }>;
type Check = Readonly<{
  name: ObserverCheck;
  code: ObserverRefusalCode;
  /** What is wrong, or `undefined`. */
  fault: (subject: Subject) => string | undefined;
}>;

const TOPICS: ReadonlySet<string> = new Set(Object.values(VAULT_TOPICS));

const CHECKS: readonly Check[] = [
  { name: 'trustRoot', code: 'TRUST_ROOT_UNUSABLE', fault: ({ root }) => trustRootFault(root) },
  {
    name: 'form',
    code: 'FORM_INVALID',
    fault: ({ evidence: { version, rule } }) =>
      version === 1 && rule === 'observers' ? undefined : 'version or rule is unknown',
  },
  {
    name: 'network',
    code: 'NETWORK_MISMATCH',
    fault: ({ evidence, root }) => (evidence.network === root.network ? undefined : 'evidence is of another network'),
  },
  {
    name: 'genesis',
    code: 'GENESIS_MISMATCH',
    fault: ({ evidence, root }) =>
      evidence.genesisHash === root.genesisHash ? undefined : 'evidence is of a chain with another genesis block',
  },
  {
    name: 'address',
    code: 'ADDRESS_MISMATCH',
    fault: ({ evidence, root }) => (evidence.log.address === root.vault ? undefined : 'the log is not of the vault'),
  },
  {
    name: 'topics',
    code: 'TOPICS_UNKNOWN',
    fault: ({ evidence: { log } }) => (TOPICS.has(log.topics[0] ?? '') ? undefined : 'the log is no event of a vault'),
  },
  { name: 'event', code: 'EVENT_INVALID', fault: ({ evidence }) => decodingFault(evidence) },
  {
    name: 'position',
    code: 'POSITION_INVALID',
    fault: ({ evidence: { log } }) =>
      log.blockNumber < 1 || log.blockHash === ZERO_BYTES32 || log.transactionHash === ZERO_BYTES32
        ? 'the log stands in no block'
        : undefined,
  },
  {
    name: 'attestationCount',
    code: 'ATTESTATIONS_TOO_MANY',
    fault: ({ evidence: { attestations }, root: { observers } }) =>
      attestations.length > observers.length
        ? `${attestations.length} attestations for ${observers.length} observers`
        : undefined,
  },
  { name: 'knownObservers', code: 'OBSERVER_UNKNOWN', fault: strangerAmong },
  {
    name: 'distinctObservers',
    code: 'OBSERVER_DUPLICATE',
    fault: ({ evidence: { attestations } }) =>
      new Set(attestations.map(({ observer }) => observer)).size === attestations.length
        ? undefined
        : 'an observer vouches twice',
  },
  { name: 'depth', code: 'DEPTH_INSUFFICIENT', fault: shallowness },
  {
    name: 'threshold',
    code: 'THRESHOLD_UNMET',
    fault: ({ evidence: { attestations }, root: { threshold } }) =>
      attestations.length < threshold ? `${attestations.length} of ${threshold} needed observers vouch` : undefined,
  },
  { name: 'signatures', code: 'SIGNATURE_INVALID', fault: badSignature },
];

/** Names of the checks in their order. */
export const OBSERVER_CHECKS: readonly ObserverCheck[] = CHECKS.map(({ name }) => name);

/** Checks one item against one vault's trust root. Pure; throws only what a broken `verify` throws. */
export function verifyObserverEvidence(
  evidence: ObserverEvidence,
  root: ObserverTrustRoot,
  verify: SignatureVerifier,
): ObserverProof | ObserverRefusal {
  const subject: Subject = { evidence, root, verify };
  for (const { name, code, fault } of CHECKS) {
    const detail = fault(subject);
    if (detail !== undefined) return { ok: false, check: name, code, detail };
  }
  return {
    ok: true,
    event: decodeVaultLog(evidence.log),
    digest: evidenceSubjectDigest(evidence),
    blockNumber: evidence.log.blockNumber,
    blockHash: evidence.log.blockHash,
    depthBlocks: Math.min(...evidence.attestations.map(({ depthBlocks }) => depthBlocks)),
    vouchedBy: evidence.attestations.map(({ observer }) => observer),
  };
}

/** The same for bytes as they came: whatever is not one canonical item fails the check `form`. */
export function verifyObserverEvidenceBytes(
  input: Uint8Array,
  root: ObserverTrustRoot,
  verify: SignatureVerifier,
): ObserverProof | ObserverRefusal {
  let evidence: ObserverEvidence;
  try {
    evidence = decodeObserverEvidence(input);
  } catch (error) {
    return { ok: false, check: 'form', code: 'FORM_INVALID', detail: protocolFault(error) };
  }
  return verifyObserverEvidence(evidence, root, verify);
}

/** The words of a refusal by `protocol`. Anything else is a bug and goes on. */
function protocolFault(error: unknown): string {
  if (isProtocolError(error)) return error.message;
  throw error;
}

function decodingFault(evidence: ObserverEvidence): string | undefined {
  try {
    decodeVaultLog(evidence.log);
    return undefined;
  } catch (error) {
    return protocolFault(error);
  }
}

function strangerAmong({ evidence, root }: Subject): string | undefined {
  const known = new Set(root.observers.map(({ id }) => id));
  const stranger = evidence.attestations.find(({ observer }) => !known.has(observer));
  return stranger && `${stranger.observer} is not an observer of this network`;
}

function shallowness({ evidence, root }: Subject): string | undefined {
  const shallow = evidence.attestations.find(({ depthBlocks }) => depthBlocks < root.depthBlocks);
  return shallow && `${shallow.observer} saw ${shallow.depthBlocks} of ${root.depthBlocks} blocks`;
}

function badSignature({ evidence, root, verify }: Subject): string | undefined {
  const keys = new Map(root.observers.map(({ id, publicKey }) => [id, publicKey]));
  const { network, genesisHash, log } = evidence;
  const statements = new Map<number, Uint8Array>();
  const statementAt = (depthBlocks: number): Uint8Array => {
    const made = statements.get(depthBlocks);
    if (made !== undefined) return made;
    const statement = observerStatement({ serviceId: root.serviceId, network, genesisHash, log, depthBlocks });
    statements.set(depthBlocks, statement);
    return statement;
  };
  const bad = evidence.attestations.find(({ observer, depthBlocks, signature }) => {
    const key = keys.get(observer);
    return key === undefined || !verify(key, statementAt(depthBlocks), signature);
  });
  return bad && `the signature of ${bad.observer} is not over this statement`;
}
