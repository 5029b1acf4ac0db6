/** One command of each form, and what must hold when the bytes of an entry are damaged. */
import type { Hex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { firstControl, type StateEvent } from '@drawbridge/protocol/state-event';
import { sortedRefs, stateRef } from '@drawbridge/protocol/state-ref';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { decodeEntry, encodeEntry } from '../codec.ts';
import type { Command, Entry } from '../command.ts';
import { CodecError } from '../tuples.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  BETA,
  EUR,
  type EventBody,
  OPERATOR,
  signedAmendment,
  transferId,
  word,
} from './world.ts';

export const entry = (...commands: Command[]): Entry => ({
  version: 1,
  stampMs: 1_800_000_000_000,
  clockProtected: true,
  commands,
});
export const terms = {
  id: transferId(1),
  asset: EUR,
  amountMinor: 2n ** 63n - 1n,
  debtor: BANK_A,
  creditor: BANK_B,
  onVoid: 'return',
} as const;
export const event = (body: EventBody): Command => ({
  type: 'vaultEvent',
  network: ALPHA,
  asset: EUR,
  event: { ...body, seq: 7 } as Extract<Command, { type: 'vaultEvent' }>['event'],
  blockNumber: 12,
  blockHash: word('block'),
  evidenceDigest: word('evidence'),
  trustVersion: 3,
});
type WithoutTransaction<E> = E extends StateEvent ? Omit<E, 'transactionId' | 'consumed'> : never;
const stateEvent = (body: WithoutTransaction<StateEvent>): Command => ({
  type: 'stateEvent',
  network: ALPHA,
  asset: EUR,
  event: {
    ...body,
    transactionId: word('transaction'),
    consumed: sortedRefs([stateRef(word('before'), 0), stateRef(word('before'), 1)]),
  } as StateEvent,
  evidenceDigest: word('evidence'),
  trustVersion: 3,
});
const candidate = `0x${'c4'.repeat(20)}` as EvmAddress;
const control = firstControl(candidate);
const vaultState = stateRef(word('vault state'), 0);
const id = word('id');
const subject = word('subject');
const trail: Hex = '0xabcd';

const block = {
  number: 8,
  hash: word('block 8'),
  parentHash: word('block 7'),
  timestampS: 1_800_000_000,
  proposer: addressOf('proposer').replace(`0x${'0'.repeat(24)}`, '0x') as EvmAddress,
};
const carried = { network: ALPHA, evidenceDigest: word('evidence'), trustVersion: 3 };

export const COMMANDS: readonly Command[] = [
  { type: 'headers', ...carried, base: word('block 7'), blocks: [block, { ...block, vote: { candidate, add: true } }] },
  { type: 'headerConflict', ...carried, number: 8, trackedHash: word('block 8'), otherHash: word('other block 8') },
  { type: 'submitTransfer', terms },
  {
    type: 'submitTransfer',
    terms: {
      ...terms,
      source: { network: ALPHA, depositor: addressOf('a') },
      destination: { network: BETA, beneficiary: addressOf('b') },
      fundByMs: 1,
      deliverByMs: 2,
      onVoid: 'refund',
      remittance: 'Rechnung № 7 — müde',
    },
  },
  { type: 'cancelTransfer', bank: BANK_A, id: transferId(2) },
  event({ type: 'locked', lockId: id, reference: subject, depositor: addressOf('a'), amountMinor: 5n }),
  event({
    type: 'executed',
    id,
    subject,
    kind: 'release',
    beneficiary: addressOf('b'),
    amountMinor: 6n,
    epoch: 1,
    trail,
  }),
  event({ type: 'voided', id, subject, epoch: 1, trail: '0x' }),
  event({ type: 'rotated', id, authority: addressOf('c'), epoch: 2, byGuardian: true }),
  event({ type: 'pauseChanged', id, paused: true, byGuardian: false }),
  event({ type: 'migrated', id, successor: addressOf('d') }),
  event({ type: 'guardianProposed' }),
  event({ type: 'guardianCancelled' }),
  { type: 'refundLock', by: OPERATOR, network: ALPHA, asset: EUR, lockId: id },
  { type: 'claimLock', by: BANK_A, network: BETA, asset: EUR, lockId: id },
  { type: 'cancelLockRefund', by: BANK_A, network: BETA, asset: EUR, lockId: id },
  { type: 'clock' },
  signedAmendment(1, [
    { name: 'reopen_lane', args: { network: ALPHA, asset: EUR } },
    { name: 'set_exposure_cap', args: { network: ALPHA, asset: EUR, amountMinor: 10n } },
    { name: 'close_amendments', args: {} },
  ]),
  signedAmendment(2, [
    { name: 'add_node', args: { nodeId: parseNodeId(word('node').slice(2)) } },
    { name: 'remove_node', args: { nodeId: parseNodeId(word('node').slice(2)) } },
    { name: 'rekey_ledger', args: {} },
    { name: 'set_protocol_version', args: { version: 2 } },
  ]),
];

/** Those of vaults on ledgers of states, which came later. */
export const STATE_COMMANDS: readonly Command[] = [
  stateEvent({
    type: 'locked',
    lockId: id,
    reference: subject,
    depositor: word('a'),
    amountMinor: 5n,
    vaultState,
  }),
  stateEvent({
    type: 'executed',
    id,
    subject,
    kind: 'release',
    beneficiary: word('b'),
    amountMinor: 6n,
    epoch: 1,
    trail,
    vaultState,
    changeMinor: 3n,
  }),
  stateEvent({ type: 'voided', id, subject, epoch: 1, trail: '0x', vaultState, coinsMinor: [1n, 2n ** 63n] }),
  stateEvent({ type: 'rotated', id, authority: addressOf('c'), epoch: 2, byGuardian: true, control }),
  stateEvent({ type: 'pauseChanged', id, paused: true, byGuardian: false, control }),
  stateEvent({ type: 'guardianProposed', control: { ...control, proposedAuthority: candidate } }),
  stateEvent({ type: 'guardianCancelled', control }),
  stateEvent({ type: 'foreign' }),
];
/** How such a vault came to be, which came later still. */
export const CREATION_COMMANDS: readonly Command[] = [stateEvent({ type: 'created' })];
export const ALL_COMMANDS: readonly Command[] = [...COMMANDS, ...STATE_COMMANDS, ...CREATION_COMMANDS];

/** One byte is changed: what is still read is written as it is read. */
export function expectDamageRefused(numRuns: number): void {
  const bytes = encodeEntry(entry(...ALL_COMMANDS));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      try {
        const read = decodeEntry(damaged);
        expect(decodeEntry(encodeEntry(read))).toEqual(read);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }),
    { numRuns },
  );
}
