/** A participant's stream of events, as JSON pages and as server-sent events (`id:` = number, `event:` = type). */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '../ids.ts';
import { EXAMPLE_CREATED, EXAMPLE_DEBTOR, EXAMPLE_TRANSFER } from './examples.ts';
import {
  AssetCodeForm,
  Bytes32Form,
  CountForm,
  NetworkIdForm,
  ParticipantIdForm,
  TimeForm,
  type TimeText,
  TransferIdForm,
  wordForm,
} from './forms.ts';
import { UnmatchedStateForm, type UnmatchedStateName } from './lock.ts';
import { TransferStateForm, type TransferStateName } from './transfer.ts';
import { type Wire, wire } from './wire.ts';

export type TransferEvent = Readonly<{
  /** The debtor: read the transfer at `/v1/transfers/{id}?bank={bank}`. */
  bank: ParticipantId;
  id: TransferId;
  state: TransferStateName;
  reason?: string;
}>;
export type LockEvent = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  lockId: Bytes32;
  state: UnmatchedStateName;
}>;

export type EventResource = Readonly<{
  /** Contiguous per participant, from 1, so that omission shows. */
  number: number;
  at: TimeText;
  /** Names the one of `transfer` and `lock` that is present. */
  type: 'transfer' | 'lock';
  transfer?: TransferEvent;
  lock?: LockEvent;
}>;
export type EventPage = Readonly<{
  participant: ParticipantId;
  events: readonly EventResource[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: number;
  /** Number of the newest event of the stream. */
  last: number;
}>;

const TransferEventSchema: Wire<TransferEvent> = wire<TransferEvent>()(
  Type.Object({
    bank: ParticipantIdForm,
    id: TransferIdForm,
    state: TransferStateForm,
    reason: Type.Optional(Type.String()),
  }),
);
const LockEventSchema: Wire<LockEvent> = wire<LockEvent>()(
  Type.Object({ network: NetworkIdForm, asset: AssetCodeForm, lockId: Bytes32Form, state: UnmatchedStateForm }),
);
const EventSchema: Wire<EventResource> = wire<EventResource>()(
  Type.Object(
    {
      number: CountForm,
      at: TimeForm,
      type: wordForm<'transfer' | 'lock'>(['transfer', 'lock']),
      transfer: Type.Optional(TransferEventSchema),
      lock: Type.Optional(LockEventSchema),
    },
    {
      title: 'Event',
      examples: [
        {
          number: 17,
          at: EXAMPLE_CREATED,
          type: 'transfer',
          transfer: { bank: EXAMPLE_DEBTOR, id: EXAMPLE_TRANSFER, state: 'SETTLED' },
        } satisfies EventResource,
      ],
    },
  ),
);
export const EventPageSchema: Wire<EventPage> = wire<EventPage>()(
  Type.Object({
    participant: ParticipantIdForm,
    events: Type.Array(EventSchema),
    next: Type.Optional(CountForm),
    last: CountForm,
  }),
);
