/** Recorded transactions of test/vectors, and the registration that fits those of cash. */
import { readFileSync } from 'node:fs';
import { fromHex, type Hex, parseHex } from '@drawbridge/protocol/bytes32';
import type { CordaConstraint, CordaName } from '../corda-facts.ts';
import { type CordaRegistration, type CordaTrustRoot, cordaTrustRoot } from '../corda-trust-root.ts';
import { TYPE } from '../corda-types.ts';
import { NETWORK, type RecordedTransaction } from './corda-transactions.ts';

const VECTORS = new URL('../../../test/vectors/', import.meta.url);

/** `name`: folder and file, without the ending. */
export const recording = (name: string): RecordedTransaction =>
  JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), 'utf8')) as RecordedTransaction;

/** From a real network. */
export const NETWORK_RECORDINGS = ['corda/payment', 'corda/issue', 'corda/htl-lock'] as const;
/** Built, hashed, serialised and signed by Corda's classes, without a network. */
export const CLASS_RECORDINGS = [
  'corda-classes/k1-batch',
  'corda-classes/r1-platform-140',
  'corda-classes/ed25519-platform-1000',
  'corda-classes/k1-notary-platform-127',
  'corda-classes/r1-notary-platform-128',
] as const;

export const NOTARY_NAME: CordaName = { organisation: 'Notary', locality: 'London', country: 'GB' };
export const CASH_CONTRACT = 'net.corda.finance.contracts.asset.Cash';
export const MOVE = 'net.corda.finance.contracts.asset.Cash$Commands$Move';
export const ISSUE = 'net.corda.finance.contracts.asset.Cash$Commands$Issue';

/** Of the development key that signed the finance jar. */
export const CASH_CONSTRAINT: CordaConstraint = {
  kind: 'signature',
  key: parseHex(
    '0x3059301306072a8648ce3d020106082a8648ce3d03010703420004038d226dcd0fa574316da478aa75225e6ce18f65cbd96e60bf3c8251b196541756e5dcf7ccab21b712601ed0278501f2f33d0b5fdaa4c09e62639464e4910871',
  ),
};

export function keysOf({ sigs }: RecordedTransaction): Readonly<{ notary: Hex; party: Hex }> {
  const keyBy = (notary: boolean): Hex =>
    parseHex(`0x${sigs.find(({ isNotary }) => isNotary === notary)?.by_spki ?? ''}`);
  return { notary: keyBy(true), party: keyBy(false) };
}

export const registrationOf = (
  { notary, party }: Readonly<{ notary: Hex; party: Hex }>,
  constraint: CordaConstraint = CASH_CONSTRAINT,
): CordaRegistration => ({
  network: NETWORK,
  notary: { name: NOTARY_NAME, key: notary, validating: false },
  vaultParty: { key: party },
  contracts: [{ contract: CASH_CONTRACT, states: [TYPE.cash], constraints: [constraint] }],
  commands: [MOVE, ISSUE],
  types: [],
});

export function rootOf(registration: CordaRegistration): CordaTrustRoot {
  const result = cordaTrustRoot(registration);
  if (!result.ok) throw new Error(result.detail);
  return result.root;
}

export const bytesOf = (hex: string): Uint8Array => fromHex(hex);
