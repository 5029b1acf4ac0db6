/** Terms and versions of transfers as lists: in log entries, snapshots and the history. */
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { parseAssetCode, parseNetworkId, parseParticipantId, parseTransferId } from '@drawbridge/protocol/ids';
import type { TransferTerms } from './command.ts';
import type { Transfer, TransferReason, TransferState } from './record.ts';
import {
  amountOf,
  bytesOf,
  type Cbor,
  orAbsent,
  orNull,
  readAmount,
  readBytes32,
  readChoice,
  readFlag,
  readList,
  readText,
  readTuple,
  readWhole,
  wholeOf,
} from './tuples.ts';

export const readNetworkId = (value: unknown): NetworkId => parseNetworkId(readText(value));
export const readAssetCode = (value: unknown): AssetCode => parseAssetCode(readText(value));
export const readParticipantId = (value: unknown): ParticipantId => parseParticipantId(readText(value));
export const readTransferId = (value: unknown): TransferId => parseTransferId(readText(value));

export function termsTuple(terms: TransferTerms): Cbor {
  const { source, destination } = terms;
  return [
    terms.id,
    terms.asset,
    amountOf(terms.amountMinor),
    terms.debtor,
    terms.creditor,
    source ? [source.network, bytesOf(source.depositor)] : null,
    destination ? [destination.network, bytesOf(destination.beneficiary)] : null,
    orNull(terms.fundByMs, wholeOf),
    orNull(terms.deliverByMs, wholeOf),
    terms.onVoid === 'refund',
    terms.remittance ?? null,
  ];
}

export function readTerms(value: unknown): TransferTerms {
  const [id, asset, amount, debtor, creditor, source, destination, fundBy, deliverBy, refund, remittance] = readTuple(
    value,
    11,
  );
  const terms = {
    id: readTransferId(id),
    asset: readAssetCode(asset),
    amountMinor: readAmount(amount),
    debtor: readParticipantId(debtor),
    creditor: readParticipantId(creditor),
    onVoid: readFlag(refund) ? ('refund' as const) : ('return' as const),
  };
  const plain = source === null && destination === null && fundBy === null && deliverBy === null;
  if (plain && remittance === null) return terms;
  const from = orAbsent(source, (edge) => readTuple(edge, 2));
  const to = orAbsent(destination, (edge) => readTuple(edge, 2));
  return {
    ...terms,
    ...(from && { source: { network: readNetworkId(from[0]), depositor: readBytes32(from[1]) } }),
    ...(to && { destination: { network: readNetworkId(to[0]), beneficiary: readBytes32(to[1]) } }),
    ...(fundBy !== null && { fundByMs: readWhole(fundBy) }),
    ...(deliverBy !== null && { deliverByMs: readWhole(deliverBy) }),
    ...(remittance !== null && { remittance: readText(remittance) }),
  };
}

const STATES: readonly TransferState[] = [
  'PROPOSED',
  'AWAITING_FUNDS',
  'FUNDED',
  'RELAYING',
  'VOIDING',
  'REFUNDING',
  'SETTLED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'RETURNED',
  'REFUNDED',
];
const REASONS: readonly TransferReason[] = ['AM04', 'AB03', 'AB05', 'CUST', 'NOFUNDS', 'VOIDED'];
/** Instructions of one transfer: its delivery, its refund, and a void of each. */
const MAX_INSTRUCTIONS = 8;

export const readTransferState = (value: unknown): TransferState => readChoice(value, STATES);

export function transferTuple(transfer: Transfer): Cbor {
  return [
    termsTuple(transfer.terms),
    transfer.state,
    transfer.reason ?? null,
    transfer.createdMs,
    transfer.updatedMs,
    orNull(transfer.reference, bytesOf),
    orNull(transfer.lockId, bytesOf),
    transfer.instructions.map(bytesOf),
  ];
}

export function readTransfer(value: unknown): Transfer {
  const [terms, state, reason, createdMs, updatedMs, reference, lockId, instructions] = readTuple(value, 8);
  return {
    terms: readTerms(terms),
    state: readTransferState(state),
    createdMs: readWhole(createdMs),
    updatedMs: readWhole(updatedMs),
    instructions: readList(instructions, MAX_INSTRUCTIONS).map(readBytes32),
    ...(reason !== null && { reason: readChoice(reason, REASONS) }),
    ...(reference !== null && { reference: readBytes32(reference) }),
    ...(lockId !== null && { lockId: readBytes32(lockId) }),
  };
}
