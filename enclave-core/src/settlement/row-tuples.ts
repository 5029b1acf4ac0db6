/** Rows of the state's tables as lists, for snapshots. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import type { InstructionKind } from '@drawbridge/protocol/instruction';
import { paymentStatesTuple, readPaymentStates } from './book-tuples.ts';
import type { TransferKey } from './keys.ts';
import type { Limits } from './limits.ts';
import type { UnmatchedLockReason } from './record.ts';
import { readVaultKey } from './row-keys.ts';
import type { LiveTransfer, PartyRow, ReferenceRow, VaultRow } from './state.ts';
import {
  readAssetCode,
  readNetworkId,
  readParticipantId,
  readTransfer,
  readTransferId,
  readTransferState,
  transferTuple,
} from './terms-tuple.ts';
import {
  bytesOf,
  type Cbor,
  orAbsent,
  orNull,
  readAmount,
  readBytes32,
  readChoice,
  readFlag,
  readList,
  readSum,
  readText,
  readTuple,
  readWhole,
} from './tuples.ts';
import type { Account, OpenInstruction, ServiceSecrets, UnmatchedLock } from './view.ts';

/** Authority keys of one service. */
const MAX_AUTHORITIES = 65_536;

export function secretsTuple(secrets: ServiceSecrets): Cbor {
  const authorities = Object.entries(secrets.authorities).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    bytesOf(secrets.idKey),
    bytesOf(secrets.referenceKey),
    bytesOf(secrets.trailKey),
    bytesOf(secrets.relayKey),
    secrets.sealingKey,
    secrets.serviceKey,
    authorities.map(([vault, key]) => [vault, bytesOf(key)]),
  ];
}

export function readSecrets(value: unknown): ServiceSecrets {
  const [idKey, referenceKey, trailKey, relayKey, sealingKey, serviceKey, authorities] = readTuple(value, 7);
  const keys = readList(authorities, MAX_AUTHORITIES).map((row): [string, Bytes32] => {
    const [vault, key] = readTuple(row, 2);
    return [readText(vault), readBytes32(key)];
  });
  return {
    idKey: readBytes32(idKey),
    referenceKey: readBytes32(referenceKey),
    trailKey: readBytes32(trailKey),
    relayKey: readBytes32(relayKey),
    sealingKey: readText(sealingKey),
    serviceKey: readText(serviceKey),
    authorities: Object.fromEntries(keys),
  };
}

export const limitsTuple = (limits: Limits): Cbor => [
  limits.liveTransfersPerBank,
  limits.unmatchedLocksPerVault,
  limits.pastReferencesPerBank,
  limits.deadlinesPerEntry,
  limits.retriesPerStep,
  limits.deadlineHorizonMs,
  limits.headerLeadS,
];

export function readLimits(value: unknown): Limits {
  const [live, unmatched, past, deadlines, retries, horizon, lead] = readTuple(value, 7);
  return {
    liveTransfersPerBank: readWhole(live),
    unmatchedLocksPerVault: readWhole(unmatched),
    pastReferencesPerBank: readWhole(past),
    deadlinesPerEntry: readWhole(deadlines),
    retriesPerStep: readWhole(retries),
    deadlineHorizonMs: readWhole(horizon),
    headerLeadS: readWhole(lead),
  };
}

export const accountTuple = (account: Account): Cbor => [
  account.participant,
  account.asset,
  account.postedMinor.toString(),
  account.pendingMinor.toString(),
  account.lines,
];

export function readAccount(value: unknown): Account {
  const [participant, asset, posted, pending, lines] = readTuple(value, 5);
  return {
    participant: readParticipantId(participant),
    asset: readAssetCode(asset),
    postedMinor: readSum(posted),
    pendingMinor: readSum(pending),
    lines: readWhole(lines),
  };
}

export const vaultTuple = (key: VaultKey, row: VaultRow): Cbor => [
  key,
  row.vaultMinor.toString(),
  row.transitMinor.toString(),
  row.suspenseMinor.toString(),
  row.nextEventSeq,
  row.cursorBlock,
  row.halted,
  row.paused,
  row.unmatchedKept,
  row.unmatchedEver,
  row.overflowMinor.toString(),
  row.retriesLeft,
  row.retryAfter,
];

export function readVaultRow(value: unknown): [VaultKey, VaultRow] {
  const tuple = readTuple(value, 13);
  const row: VaultRow = {
    vaultMinor: readSum(tuple[1]),
    transitMinor: readSum(tuple[2]),
    suspenseMinor: readSum(tuple[3]),
    nextEventSeq: readWhole(tuple[4]),
    cursorBlock: readWhole(tuple[5]),
    halted: readFlag(tuple[6]),
    paused: readFlag(tuple[7]),
    unmatchedKept: readWhole(tuple[8]),
    unmatchedEver: readWhole(tuple[9]),
    overflowMinor: readSum(tuple[10]),
    retriesLeft: readWhole(tuple[11]),
    retryAfter: readWhole(tuple[12]),
  };
  return [readVaultKey(tuple[0]), row];
}

export const liveTransferTuple = (_: TransferKey, { transfer, order, lastEvents }: LiveTransfer): Cbor => [
  order,
  transferTuple(transfer),
  lastEvents.debtor,
  lastEvents.creditor,
];

export function readLiveTransfer(value: unknown): LiveTransfer {
  const [order, transfer, debtor, creditor] = readTuple(value, 4);
  return {
    order: readWhole(order),
    transfer: readTransfer(transfer),
    lastEvents: { debtor: readWhole(debtor), creditor: readWhole(creditor) },
  };
}

export const referenceTuple = (reference: Bytes32, { bank, id, past }: ReferenceRow): Cbor => [
  bytesOf(reference),
  bank,
  id,
  past ? [past.vault, bytesOf(past.depositor), past.amountMinor, past.state, past.funded] : null,
];

export function readReference(value: unknown): [Bytes32, ReferenceRow] {
  const [reference, bank, id, past] = readTuple(value, 4);
  const name = { bank: readParticipantId(bank), id: readTransferId(id) };
  if (past === null) return [readBytes32(reference), name];
  const [vault, depositor, amount, state, funded] = readTuple(past, 5);
  const ended = {
    vault: readVaultKey(vault),
    depositor: readBytes32(depositor),
    amountMinor: readAmount(amount),
    state: readTransferState(state),
    funded: readFlag(funded),
  };
  return [readBytes32(reference), { ...name, past: ended }];
}

type Name = Readonly<{ bank: ParticipantId; id: TransferId }>;

const nameTuple = (name: Name | undefined): Cbor => orNull(name, ({ bank, id }) => [bank, id]);
const readName = (value: unknown): Name | undefined =>
  orAbsent(value, (name) => {
    const [bank, id] = readTuple(name, 2);
    return { bank: readParticipantId(bank), id: readTransferId(id) };
  });

const WHYS: readonly UnmatchedLockReason[] = ['reference', 'depositor', 'amount', 'late', 'repeated', 'cap'];

export const unmatchedTuple = (lock: UnmatchedLock): Cbor => [
  lock.network,
  lock.asset,
  bytesOf(lock.lockId),
  bytesOf(lock.depositor),
  lock.amountMinor,
  nameTuple(lock.transfer),
  lock.why,
  lock.state,
  lock.refundsVoided,
  lock.lastEvent ?? null,
];

export function readUnmatched(value: unknown): UnmatchedLock {
  const [network, asset, lockId, depositor, amount, name, why, state, refundsVoided, lastEvent] = readTuple(value, 10);
  const transfer = readName(name);
  return {
    network: readNetworkId(network),
    asset: readAssetCode(asset),
    lockId: readBytes32(lockId),
    depositor: readBytes32(depositor),
    amountMinor: readAmount(amount),
    ...(transfer && { transfer }),
    why: readChoice(why, WHYS),
    state: readChoice(state, ['UNMATCHED', 'REFUNDING', 'VOIDING']),
    refundsVoided: readWhole(refundsVoided),
    ...(lastEvent !== null && { lastEvent: readWhole(lastEvent) }),
  };
}

const KINDS: readonly InstructionKind[] = ['release', 'issue', 'refund', 'void'];

export const instructionTuple = (instruction: OpenInstruction): Cbor => [
  bytesOf(instruction.id),
  instruction.kind,
  instruction.network,
  instruction.asset,
  bytesOf(instruction.subject),
  instruction.amountMinor,
  bytesOf(instruction.beneficiary),
  instruction.notAfterSeconds,
  instruction.epoch,
  instruction.outboxSeq,
  nameTuple(instruction.transfer),
  // A twelfth item on ledgers of states alone: elsewhere the bytes stay what they were.
  ...(instruction.states === undefined ? [] : [paymentStatesTuple(instruction.states)]),
];

export function readInstruction(value: unknown): OpenInstruction {
  const hasStates = Array.isArray(value) && value.length === 12;
  const tuple = readTuple(value, hasStates ? 12 : 11);
  const [id, kind, network, asset, subject, amount, beneficiary, notAfter, epoch, outboxSeq, name, states] = tuple;
  const transfer = readName(name);
  return {
    id: readBytes32(id),
    kind: readChoice(kind, KINDS),
    network: readNetworkId(network),
    asset: readAssetCode(asset),
    subject: readBytes32(subject),
    amountMinor: readAmount(amount),
    beneficiary: readBytes32(beneficiary),
    notAfterSeconds: readWhole(notAfter),
    epoch: readWhole(epoch),
    outboxSeq: readWhole(outboxSeq),
    ...(transfer && { transfer }),
    ...(hasStates && { states: readPaymentStates(states) }),
  };
}

export const partyTuple = (id: ParticipantId, row: PartyRow): Cbor => [
  id,
  row.events,
  row.live,
  row.pastFrom,
  row.pastTo,
];

export function readParty(value: unknown): [ParticipantId, PartyRow] {
  const [id, events, live, pastFrom, pastTo] = readTuple(value, 5);
  const row: PartyRow = {
    events: readWhole(events),
    live: readWhole(live),
    pastFrom: readWhole(pastFrom),
    pastTo: readWhole(pastTo),
  };
  return [readParticipantId(id), row];
}
