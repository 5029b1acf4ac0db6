/**
 * Bytes of a history block: JSON of rows, each distinct text once in a table. JSON because every payment passes here and
 * the engine's own codec costs a quarter of CBOR in JavaScript; rows and table because names and ids repeat.
 * Only this node reads what it wrote, and only after AES-GCM has vouched for it, so shapes are not checked again.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, LockId, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { TransferTerms } from '../settlement/command.ts';
import type {
  ParticipantEvent,
  StatementLine,
  Transfer,
  TransferReason,
  TransferState,
  UnmatchedState,
} from '../settlement/record.ts';
import type { BlockRecords } from './block.ts';

const VERSION = 2;

/** Index of a text in the table; −1 where there is none. */
type Text = number;
/** Minor units: a number while it is exact, else decimal text. */
type Minor = number | string;

type TransferRow = readonly [
  terms: readonly [
    id: Text,
    asset: Text,
    amount: Minor,
    debtor: Text,
    creditor: Text,
    source: readonly [Text, Text] | 0,
    destination: readonly [Text, Text] | 0,
    fundByMs: number,
    deliverByMs: number,
    onVoid: Text,
    remittance: Text,
  ],
  state: Text,
  reason: Text,
  createdMs: number,
  updatedMs: number,
  reference: Text,
  lockId: Text,
  instructions: readonly Text[],
];
/** A line or an event of a transfer that stands in the block as it was then: its place, in place of what it says. */
type Ref = number;
type ShortLineRow = readonly [
  transfer: Ref,
  account: Text,
  line: number,
  delta: Minor,
  balance: Minor,
  kind: Text,
  counterparty: Text,
  network: Text,
];
type ShortEventRow = readonly [transfer: Ref, participant: Text, number: number];
type LineRow = readonly [
  account: Text,
  asset: Text,
  line: number,
  delta: Minor,
  balance: Minor,
  kind: Text,
  counterparty: Text,
  network: Text,
  bank: Text,
  id: Text,
  stampMs: number,
];
type EventRow = readonly [
  participant: Text,
  number: number,
  stampMs: number,
  kind: 0 | 1,
  first: Text,
  second: Text,
  third: Text,
  fourth: Text,
];
type Document = Readonly<{
  v: typeof VERSION;
  texts: readonly string[];
  transfers: readonly TransferRow[];
  lines: readonly (LineRow | ShortLineRow)[];
  events: readonly (EventRow | ShortEventRow)[];
}>;

const NONE = -1;
const toMinor = (amount: bigint): Minor => {
  const number = Number(amount);
  return Number.isSafeInteger(number) ? number : amount.toString();
};

class TextTable {
  readonly texts: string[] = [];
  readonly #index = new Map<string, number>();

  put(text: string | undefined): Text {
    if (text === undefined) return NONE;
    const known = this.#index.get(text);
    if (known !== undefined) return known;
    this.#index.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

function transferRow(table: TextTable, transfer: Transfer): TransferRow {
  const { terms } = transfer;
  return [
    [
      table.put(terms.id),
      table.put(terms.asset),
      toMinor(terms.amountMinor),
      table.put(terms.debtor),
      table.put(terms.creditor),
      terms.source ? [table.put(terms.source.network), table.put(terms.source.depositor)] : 0,
      terms.destination ? [table.put(terms.destination.network), table.put(terms.destination.beneficiary)] : 0,
      terms.fundByMs ?? NONE,
      terms.deliverByMs ?? NONE,
      table.put(terms.onVoid),
      table.put(terms.remittance),
    ],
    table.put(transfer.state),
    table.put(transfer.reason),
    transfer.createdMs,
    transfer.updatedMs,
    table.put(transfer.reference),
    table.put(transfer.lockId),
    transfer.instructions.map((id) => table.put(id)),
  ];
}

/**
 * Finds the transfer that a line or an event is about among those of the block. They come in the order in which commands were
 * applied, so it is the last one found or the next; any other is written in full.
 */
class Cursor {
  readonly #transfers: readonly Transfer[];
  #at = 0;

  constructor(transfers: readonly Transfer[]) {
    this.#transfers = transfers;
  }

  /** Its place, or −1. */
  find(bank: string, id: string, stampMs: number): Ref {
    for (let at = this.#at; at <= this.#at + 1; at += 1) {
      const transfer = this.#transfers[at];
      if (transfer?.terms.id !== id || transfer.terms.debtor !== bank || transfer.updatedMs !== stampMs) continue;
      this.#at = at;
      return at;
    }
    return NONE;
  }

  at(place: Ref): Transfer | undefined {
    return this.#transfers[place];
  }
}

function lineRow(table: TextTable, line: StatementLine, transfers: Cursor): LineRow | ShortLineRow {
  const { transfer } = line;
  const place = transfer ? transfers.find(transfer.bank, transfer.id, line.stampMs) : NONE;
  if (place !== NONE && transfers.at(place)?.terms.asset === line.asset) {
    return [
      place,
      table.put(line.account),
      line.line,
      toMinor(line.deltaMinor),
      toMinor(line.balanceMinor),
      table.put(line.kind),
      table.put(line.counterparty),
      table.put(line.network),
    ];
  }
  return [
    table.put(line.account),
    table.put(line.asset),
    line.line,
    toMinor(line.deltaMinor),
    toMinor(line.balanceMinor),
    table.put(line.kind),
    table.put(line.counterparty),
    table.put(line.network),
    table.put(transfer?.bank),
    table.put(transfer?.id),
    line.stampMs,
  ];
}

function eventRow(table: TextTable, event: ParticipantEvent, transfers: Cursor): EventRow | ShortEventRow {
  const { body } = event;
  if (body.type === 'transfer') {
    const place = transfers.find(body.bank, body.id, event.stampMs);
    const transfer = transfers.at(place);
    if (transfer?.state === body.state && transfer.reason === body.reason) {
      return [place, table.put(event.participant), event.number];
    }
  }
  const [kind, ...parts] =
    body.type === 'transfer'
      ? ([0, body.bank, body.id, body.state, body.reason] as const)
      : ([1, body.network, body.asset, body.lockId, body.state] as const);
  const [first, second, third, fourth] = parts;
  return [
    table.put(event.participant),
    event.number,
    event.stampMs,
    kind,
    table.put(first),
    table.put(second),
    table.put(third),
    table.put(fourth),
  ];
}

export function encodeBlock({ transfers, lines, events }: BlockRecords): Uint8Array {
  const table = new TextTable();
  const [ofLines, ofEvents] = [new Cursor(transfers), new Cursor(transfers)];
  const document: Document = {
    v: VERSION,
    transfers: transfers.map((transfer) => transferRow(table, transfer)),
    lines: lines.map((line) => lineRow(table, line, ofLines)),
    events: events.map((event) => eventRow(table, event, ofEvents)),
    texts: table.texts,
  };
  return Buffer.from(JSON.stringify(document));
}

/** Reads texts back under the brand that their place in the row gives them. */
type Reader = Readonly<{
  need: <T extends string>(index: Text) => T;
  maybe: <T extends string>(index: Text) => T | undefined;
  transfer: (place: Ref) => Transfer;
}>;

const SHORT_LINE = 8;
const SHORT_EVENT = 3;
const isShortLine = (row: LineRow | ShortLineRow): row is ShortLineRow => row.length === SHORT_LINE;
const isShortEvent = (row: EventRow | ShortEventRow): row is ShortEventRow => row.length === SHORT_EVENT;

function fullLine(row: LineRow | ShortLineRow, reader: Reader): StatementLine {
  if (!isShortLine(row)) return readLine(row, reader);
  const [place, account, line, delta, balance, kind, counterpartyIndex, networkIndex] = row;
  const { terms, updatedMs } = reader.transfer(place);
  const counterparty = reader.maybe<ParticipantId>(counterpartyIndex);
  const network = reader.maybe<NetworkId>(networkIndex);
  return {
    account: reader.need<ParticipantId>(account),
    asset: terms.asset,
    line,
    deltaMinor: BigInt(delta),
    balanceMinor: BigInt(balance),
    kind: reader.need<StatementLine['kind']>(kind),
    ...(counterparty !== undefined && { counterparty }),
    ...(network !== undefined && { network }),
    transfer: { bank: terms.debtor, id: terms.id },
    stampMs: updatedMs,
  };
}

function fullEvent(row: EventRow | ShortEventRow, reader: Reader): ParticipantEvent {
  if (!isShortEvent(row)) return readEvent(row, reader);
  const [place, participant, number] = row;
  const { terms, updatedMs, state, reason } = reader.transfer(place);
  return {
    participant: reader.need<ParticipantId>(participant),
    number,
    stampMs: updatedMs,
    body: { type: 'transfer', bank: terms.debtor, id: terms.id, state, ...(reason !== undefined && { reason }) },
  };
}

function readTerms(row: TransferRow[0], { need, maybe }: Reader): TransferTerms {
  const [id, asset, amount, debtor, creditor, source, destination, fundByMs, deliverByMs, onVoid, remittance] = row;
  const text = maybe(remittance);
  return {
    id: need<TransferId>(id),
    asset: need<AssetCode>(asset),
    amountMinor: BigInt(amount),
    debtor: need<ParticipantId>(debtor),
    creditor: need<ParticipantId>(creditor),
    ...(source && { source: { network: need<NetworkId>(source[0]), depositor: need<Bytes32>(source[1]) } }),
    ...(destination && {
      destination: { network: need<NetworkId>(destination[0]), beneficiary: need<Bytes32>(destination[1]) },
    }),
    ...(fundByMs !== NONE && { fundByMs }),
    ...(deliverByMs !== NONE && { deliverByMs }),
    onVoid: need<TransferTerms['onVoid']>(onVoid),
    ...(text !== undefined && { remittance: text }),
  };
}

function readTransfer(row: TransferRow, reader: Reader): Transfer {
  const [terms, state, reasonIndex, createdMs, updatedMs, referenceIndex, lockIndex, instructions] = row;
  const { need, maybe } = reader;
  const reason = maybe<TransferReason>(reasonIndex);
  const reference = maybe<Bytes32>(referenceIndex);
  const lockId = maybe<LockId>(lockIndex);
  return {
    terms: readTerms(terms, reader),
    state: need<TransferState>(state),
    ...(reason !== undefined && { reason }),
    createdMs,
    updatedMs,
    ...(reference !== undefined && { reference }),
    ...(lockId !== undefined && { lockId }),
    instructions: instructions.map((id) => need<Bytes32>(id)),
  };
}

function readLine(row: LineRow, { need, maybe }: Reader): StatementLine {
  const [account, asset, line, delta, balance, kind, counterpartyIndex, networkIndex, bankIndex, id, stampMs] = row;
  const counterparty = maybe<ParticipantId>(counterpartyIndex);
  const network = maybe<NetworkId>(networkIndex);
  const bank = maybe<ParticipantId>(bankIndex);
  return {
    account: need<ParticipantId>(account),
    asset: need<AssetCode>(asset),
    line,
    deltaMinor: BigInt(delta),
    balanceMinor: BigInt(balance),
    kind: need<StatementLine['kind']>(kind),
    ...(counterparty !== undefined && { counterparty }),
    ...(network !== undefined && { network }),
    ...(bank !== undefined && { transfer: { bank, id: need(id) } }),
    stampMs,
  };
}

function readEvent(row: EventRow, { need, maybe }: Reader): ParticipantEvent {
  const [participant, number, stampMs, kind, first, second, third, fourth] = row;
  const head = { participant: need<ParticipantId>(participant), number, stampMs };
  if (kind === 1) {
    const state = need<UnmatchedState>(fourth);
    const lockId = need<LockId>(third);
    return {
      ...head,
      body: { type: 'lock', network: need<NetworkId>(first), asset: need<AssetCode>(second), lockId, state },
    };
  }
  const reason = maybe<TransferReason>(fourth);
  return {
    ...head,
    body: {
      type: 'transfer',
      bank: need<ParticipantId>(first),
      id: need(second),
      state: need<TransferState>(third),
      ...(reason !== undefined && { reason }),
    },
  };
}

/** @throws Error for bytes of another version; only a bug or a downgrade gets here. */
export function decodeBlock(bytes: Uint8Array): BlockRecords {
  const document = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  ) as Document;
  if (document.v !== VERSION) throw new Error(`history block of version ${String(document.v)}, expected ${VERSION}`);
  const { texts } = document;
  const maybe = <T extends string>(index: Text): T | undefined => texts[index] as T | undefined;
  const need = <T extends string>(index: Text): T => {
    const text = texts[index];
    if (text === undefined) throw new Error('history block refers to a text that it lacks');
    return text as T;
  };
  const transfers: Transfer[] = [];
  const transfer = (place: Ref): Transfer => {
    const found = transfers[place];
    if (found === undefined) throw new Error('history block refers to a transfer that it lacks');
    return found;
  };
  const reader: Reader = { need, maybe, transfer };
  for (const row of document.transfers) transfers.push(readTransfer(row, reader));
  return {
    transfers,
    lines: document.lines.map((row) => fullLine(row, reader)),
    events: document.events.map((row) => fullEvent(row, reader)),
  };
}
