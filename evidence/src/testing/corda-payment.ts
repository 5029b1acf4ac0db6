/**
 * A sound payment of cash whose notary and vault have keys of ours: the recorded one with those keys put into its bytes. Forgeries
 * begin here, and are truly signed but for what they forge.
 */
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { CordaEvidence, CordaSignature } from '@drawbridge/protocol/corda-evidence';
import { concatBytes } from '@noble/hashes/utils.js';
import { type AmqpValue, readAmqp } from '../corda-amqp.ts';
import { GROUP } from '../corda-components.ts';
import { ED25519 } from '../corda-keys.ts';
import { sameBytes } from '../corda-merkle.ts';
import type { CordaRegistration, CordaTrustRoot } from '../corda-trust-root.ts';
import { changed, writeComponent } from './corda-amqp-writer.ts';
import { type CordaSigner, cordaSigner, hexOf } from './corda-keys.ts';
import { recording, registrationOf, rootOf } from './corda-recordings.ts';
import { componentsOf, type Draft, disclose, NETWORK, notarySignature, partySignature } from './corda-transactions.ts';

export const NOTARY: CordaSigner = cordaSigner(ED25519, 1);
export const VAULT: CordaSigner = cordaSigner(ED25519, 2);
/** Registered nowhere. */
export const STRANGER: CordaSigner = cordaSigner(ED25519, 3);

const RECORDED = recording('corda/payment');
const RECORDED_NOTARY = fromHex(
  '302a300506032b65700321007d91aecb2b4f6c0cffc1e64290404c7d1a758a5cbd415381dd77dcfd9c58cdf1',
);

/** A copy in which `to` stands wherever `from`, of the same length, stood. */
export function replaced(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let at = 0; at + from.length <= copy.length; at++) {
    if (sameBytes(copy.subarray(at, at + from.length), from)) copy.set(to, at);
  }
  return copy;
}

export type Components = Map<number, readonly Uint8Array[]>;

export function soundComponents(): Components {
  const withOurNotary = (bytes: Uint8Array): Uint8Array => replaced(bytes, RECORDED_NOTARY, NOTARY.spki);
  return new Map([...componentsOf(RECORDED)].map(([group, items]) => [group, items.map(withOurNotary)]));
}

const HEADER_BYTES = 8;
export const envelopeOf = (component: Uint8Array): AmqpValue => readAmqp(component.subarray(HEADER_BYTES));
/** A component with parts of its envelope changed, from the leaves up. */
export const edited = (component: Uint8Array, change: (part: AmqpValue) => AmqpValue): Uint8Array =>
  writeComponent(changed(envelopeOf(component), change));

export type PaymentOptions = Readonly<{
  /** Changes components before they are hashed and signed. */
  components?: (components: Components) => void;
  draft?: Partial<Draft>;
  /** Instead of the two that are asked for. */
  signatures?: (id: Uint8Array) => readonly CordaSignature[];
}>;

export const bothSign = (id: Uint8Array): readonly CordaSignature[] => [
  partySignature(VAULT, id),
  notarySignature(NOTARY, id),
];

/** Evidence of a payment, signed over whatever it became. */
export function payment(options: PaymentOptions = {}): CordaEvidence {
  const components = soundComponents();
  options.components?.(components);
  const { groupHashes, groups, id } = disclose({ components, ...options.draft });
  const signatures = (options.signatures ?? bothSign)(id);
  return { version: 1, rule: 'corda-notary', kind: 'transaction', network: NETWORK, groupHashes, groups, signatures };
}

export const REGISTRATION: CordaRegistration = registrationOf({ notary: hexOf(NOTARY), party: hexOf(VAULT) });
export const ROOT: CordaTrustRoot = rootOf(REGISTRATION);

/** Replaces one component. */
export function withComponent(
  components: Components,
  [group, index]: readonly [number, number],
  change: (component: Uint8Array) => Uint8Array,
): void {
  const items = components.get(group) ?? [];
  components.set(
    group,
    items.map((item, at) => (at === index ? change(item) : item)),
  );
}

/** A forged first output. */
export const withOutput = (change: (component: Uint8Array) => Uint8Array): CordaEvidence =>
  payment({ components: (components) => withComponent(components, [GROUP.outputs, 0], change) });
export const withEditedOutput = (change: (part: AmqpValue) => AmqpValue): CordaEvidence =>
  withOutput((component) => edited(component, change));

/** `text` for every string or symbol that is `from`. */
export const renaming =
  (from: string, to: string) =>
  (part: AmqpValue): AmqpValue =>
    (part.kind === 'string' || part.kind === 'symbol') && part.value === from ? { kind: part.kind, value: to } : part;

export const described = (descriptor: string, ...items: readonly AmqpValue[]): AmqpValue => ({
  kind: 'described',
  descriptor: { kind: 'symbol', value: descriptor },
  value: { kind: 'list', items },
});

export const appended = (bytes: Uint8Array, ...more: readonly number[]): Uint8Array =>
  concatBytes(bytes, Uint8Array.from(more));
