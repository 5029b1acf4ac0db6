/**
 * A sound item of evidence and its trust root, for tests and benchmarks: three observers, two needed, a lock of
 * EUR 123.45. Parts can be replaced before it is signed, so that a forgery can carry the true signatures of all.
 */
import { type Bytes32, type Hex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { type EvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import {
  type Attestation,
  type EvmLog,
  type ObserverEvidence,
  observerStatement,
} from '@drawbridge/protocol/observer-evidence';
import type { ObserverTrustRoot } from '../trust-root.ts';

/** An observer with its key: signs with Ed25519. */
export type SigningObserver = Readonly<{ publicKey: Hex; sign: (message: Uint8Array) => Hex }>;

export const wordOf = (byte: number): Bytes32 => toBytes32(new Uint8Array(32).fill(byte));
export const OBSERVER_IDS: ObserverTrustRoot['observers'][number]['id'][] = [
  'observer-1',
  'observer-2',
  'observer-3',
].map(parseParticipantId);

const number = (value: bigint): string => value.toString(16).padStart(64, '0');

/** Event 1 of the vault: EUR 123.45 locked. */
export const LOCK_LOG: EvmLog = {
  blockNumber: 1_234,
  blockHash: wordOf(0xb1),
  transactionHash: wordOf(0x7a),
  logIndex: 2,
  address: `0x${'5a'.repeat(20)}` as EvmAddress,
  topics: [
    VAULT_TOPICS.locked,
    toBytes32(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0))),
    wordOf(2),
    wordOf(3),
  ],
  data: `0x${number(0xabcdefn)}${number(12_345n)}`,
};

export function observerRoot(observers: readonly SigningObserver[]): ObserverTrustRoot {
  return {
    serviceId: wordOf(0x5e),
    network: parseNetworkId('alpha'),
    genesisHash: wordOf(0x9e),
    vault: LOCK_LOG.address,
    observers: observers.map(({ publicKey }, i) => ({
      id: OBSERVER_IDS[i] ?? parseParticipantId(`o-${i}`),
      publicKey,
    })),
    threshold: 2,
    depthBlocks: 3,
  };
}

export type Statement = Parameters<typeof observerStatement>[0];

/** One attestation by `signer` in the name of `observer`. */
export function attest(signer: SigningObserver, observer: Attestation['observer'], statement: Statement): Attestation {
  return { observer, depthBlocks: statement.depthBlocks, signature: signer.sign(observerStatement(statement)) };
}

/** What the first two observers truly sign, with `change` made before they do. */
export function signedLock(
  signers: readonly SigningObserver[],
  root: ObserverTrustRoot,
  change: Partial<Statement> = {},
): ObserverEvidence {
  const { serviceId, network, genesisHash } = root;
  const statement: Statement = { serviceId, network, genesisHash, log: LOCK_LOG, depthBlocks: 5, ...change };
  return {
    version: 1,
    rule: 'observers',
    network: statement.network,
    genesisHash: statement.genesisHash,
    log: statement.log,
    attestations: signers
      .slice(0, 2)
      .map((signer, i) => attest(signer, root.observers[i]?.id ?? parseParticipantId('nobody'), statement)),
  };
}
