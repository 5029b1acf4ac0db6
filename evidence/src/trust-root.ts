/** What rule `observers` is checked against. It comes from what governance registered, never from the evidence. */
import { type Bytes32, type Hex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { EvmAddress, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import { MAX_ATTESTATIONS } from '@drawbridge/protocol/observer-evidence';

/** `publicKey`: Ed25519, 32 bytes. */
export type TrustedObserver = Readonly<{ id: ParticipantId; publicKey: Hex }>;

export type ObserverTrustRoot = Readonly<{
  /** The core that the statements were made for. */
  serviceId: Bytes32;
  network: NetworkId;
  genesisHash: Bytes32;
  /** The one contract whose events count. */
  vault: EvmAddress;
  observers: readonly TrustedObserver[];
  /** Distinct observers that must vouch: 1 to the number of observers. */
  threshold: number;
  /** Least depth that each of them saw: blocks from the event's to the head, both counted. */
  depthBlocks: number;
}>;

const ZERO_KEY = ZERO_BYTES32;
const ZERO_ADDRESS = `0x${'00'.repeat(20)}`;

/** Why a root proves nothing, in words; `undefined` for one that can be used. Deny by default: gaps are refused. */
export function trustRootFault(root: ObserverTrustRoot): string | undefined {
  const { observers, threshold, depthBlocks } = root;
  if (root.serviceId === ZERO_BYTES32) return 'the service id is zero';
  if (root.genesisHash === ZERO_BYTES32) return 'the genesis hash is zero';
  if (root.vault === ZERO_ADDRESS) return 'the vault address is zero';
  if (observers.length === 0) return 'no observer is registered';
  if (observers.length > MAX_ATTESTATIONS) return `more than ${MAX_ATTESTATIONS} observers are registered`;
  if (observers.some(({ publicKey }) => publicKey.length !== 66 || publicKey === ZERO_KEY)) {
    return 'an observer has no usable key';
  }
  if (new Set(observers.map(({ id }) => id)).size !== observers.length) return 'an observer is registered twice';
  if (new Set(observers.map(({ publicKey }) => publicKey)).size !== observers.length) {
    return 'two observers have one key';
  }
  if (!Number.isSafeInteger(threshold) || threshold < 1) return 'the threshold is not at least 1';
  if (threshold > observers.length) return 'the threshold is above the number of observers';
  if (!Number.isSafeInteger(depthBlocks) || depthBlocks < 1) return 'the depth is not at least 1';
  return undefined;
}

/** The parts of a registration that make a trust root; `governance`'s `Network`, `Vault` and `Participant` fit. */
export type ObserverRegistration = Readonly<{
  serviceId: Bytes32;
  network: Readonly<{
    id: NetworkId;
    genesisHash: Bytes32;
    finality: Readonly<{
      rule: string;
      observers: readonly ParticipantId[];
      threshold: number;
      depthBlocks: number;
    }>;
  }>;
  vault: Readonly<{ network: NetworkId; address: EvmAddress }>;
  participants: Iterable<Readonly<{ id: ParticipantId; role: string; attestationKey?: Hex }>>;
}>;

export type TrustRootResult = Readonly<{ ok: true; root: ObserverTrustRoot }> | Readonly<{ ok: false; detail: string }>;

/**
 * The trust root that a registration gives one vault. Refuses another rule, a vault of another network, and any observer
 * that is not a registered participant of that role with a key; the root itself is checked too.
 */
export function trustRootFrom(registration: ObserverRegistration): TrustRootResult {
  const { network, vault } = registration;
  const { finality } = network;
  if (finality.rule !== 'observers') return { ok: false, detail: `network ${network.id} has rule ${finality.rule}` };
  if (vault.network !== network.id) return { ok: false, detail: 'the vault is on another network' };
  const named = new Set(finality.observers);
  const keys = new Map<ParticipantId, Hex>();
  for (const { id, role, attestationKey } of registration.participants) {
    if (!named.has(id)) continue;
    if (role !== 'observer') return { ok: false, detail: `participant ${id} is not an observer` };
    if (attestationKey !== undefined) keys.set(id, attestationKey);
  }
  const observers: TrustedObserver[] = [];
  for (const id of finality.observers) {
    const publicKey = keys.get(id);
    if (publicKey === undefined) return { ok: false, detail: `observer ${id} has no attestation key` };
    observers.push({ id, publicKey });
  }
  const root: ObserverTrustRoot = {
    serviceId: registration.serviceId,
    network: network.id,
    genesisHash: network.genesisHash,
    vault: vault.address,
    observers,
    threshold: finality.threshold,
    depthBlocks: finality.depthBlocks,
  };
  const detail = trustRootFault(root);
  return detail === undefined ? { ok: true, root } : { ok: false, detail };
}
