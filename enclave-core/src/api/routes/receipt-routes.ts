/** Receipts of what a bank was told: one event, a page of events, a transfer. For the bank and its auditors. */
import { AfterForm, ParticipantIdForm } from '@drawbridge/protocol/api/forms';
import {
  type EventReceiptPage,
  EventReceiptPageSchema,
  MAX_EVENT_RECEIPTS,
  ReceiptSchema,
} from '@drawbridge/protocol/api/receipt';
import { type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { Type } from '@sinclair/typebox';
import { receiptSubject } from '../access.ts';
import { mapBounded } from '../bounded-map.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem } from '../problems.ts';
import { inTime, ReceiptSheet } from '../receipts.ts';
import { PARTICIPANT_REQUIRED, subjectOf } from '../subject.ts';
import {
  BANK_WORDS,
  type BankQuery,
  BankQuerySchema,
  type IdParams,
  IdParamsSchema,
  lookUpTransfer,
  sendNoTransfer,
} from '../transfer-lookup.ts';

type NumberParams = Readonly<{ number: string }>;
const NumberParamsSchema: Wire<NumberParams> = wire<NumberParams>()(
  Type.Object({
    number: Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: 'the number of an event, from 1' }),
  }),
);
type SubjectQuery = Readonly<{ participant?: ParticipantId }>;
const SubjectQuerySchema: Wire<SubjectQuery> = wire<SubjectQuery>()(
  Type.Object({ participant: Type.Optional(ParticipantIdForm) }, { additionalProperties: false }),
);
type PageQuery = Readonly<{ participant?: ParticipantId; after?: number; limit?: number }>;
const PageQuerySchema: Wire<PageQuery> = wire<PageQuery>()(
  Type.Object(
    {
      participant: Type.Optional(ParticipantIdForm),
      after: Type.Optional(AfterForm),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_EVENT_RECEIPTS,
          description: `the most events to answer: 1 to ${MAX_EVENT_RECEIPTS}`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
);

export function receiptRoutes(app: ApiServer, context: ApiContext): void {
  receiptOfOneEvent(app, context);
  receiptsOfEvents(app, context);
  receiptOfOneTransfer(app, context);
}

function receiptOfOneEvent(app: ApiServer, { core, log }: ApiContext): void {
  app.get<{ Params: NumberParams; Querystring: SubjectQuery }>(
    '/v1/events/:number/receipt',
    {
      config: { operation: 'receipt.read', problems: ['NOT_FOUND', 'RECEIPT_PENDING'] },
      schema: {
        tags: ['receipts'],
        summary: 'Proof, for anyone, that an event of a bank is in the ledger. Auditors name the bank in `participant`',
        params: NumberParamsSchema,
        querystring: SubjectQuerySchema,
        response: { 200: ReceiptSchema },
      },
    },
    async (request, reply): Answer<Receipt> => {
      const subject = subjectOf(callerOf(request), 'receipt.read', request.query.participant);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const number = Number(request.params.number);
      if (number > core.view.eventCount(subject.participant)) return sendProblem(reply, 'NOT_FOUND');
      return (
        (await inTime(log, core.receipts.event(subject.participant, number))) ?? sendProblem(reply, 'RECEIPT_PENDING')
      );
    },
  );
}

function receiptsOfEvents(app: ApiServer, { core, limits, log }: ApiContext): void {
  app.get<{ Querystring: PageQuery }>(
    '/v1/events/receipts',
    {
      config: { operation: 'receipt.read', problems: ['NOT_FOUND', 'RECEIPT_PENDING'] },
      schema: {
        tags: ['receipts'],
        summary: 'Proofs of all events of a bank, page by page; with the ledger they show that none was left out',
        description:
          'What events of one entry share stands once in `receipts`; `receipt` of an event is a place in it. The ' +
          'receipt at that place, with the `claims_proof` of the event, is what the route of one event answers.',
        querystring: PageQuerySchema,
        response: { 200: EventReceiptPageSchema },
      },
    },
    async (request, reply): Answer<EventReceiptPage> => {
      const { participant: named, after = 0, limit = MAX_EVENT_RECEIPTS } = request.query;
      const subject = subjectOf(callerOf(request), 'receipt.read', named);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const { participant } = subject;
      const last = core.view.eventCount(participant);
      const numbers = Array.from({ length: Math.max(0, Math.min(limit, last - after)) }, (_, n) => after + 1 + n);
      const found = await mapBounded(numbers, limits.receiptsAtOnce, (number) =>
        inTime(log, core.receipts.event(participant, number)),
      );
      const sheet = new ReceiptSheet();
      const claims = found.flatMap((receipt) => (receipt && sheet.add(receipt)) ?? []);
      if (claims.length < numbers.length) return sendProblem(reply, 'RECEIPT_PENDING');
      const next = after + numbers.length;
      return {
        participant,
        events: claims.map((claim, place) => ({ number: after + 1 + place, ...claim })),
        receipts: sheet.receipts,
        ...(next < last && { next }),
        last,
      };
    },
  );
}

function receiptOfOneTransfer(app: ApiServer, { core, log }: ApiContext): void {
  app.get<{ Params: IdParams; Querystring: BankQuery }>(
    '/v1/transfers/:id/receipt',
    {
      config: {
        operation: 'receipt.read',
        problems: ['NOT_FOUND', 'TRANSFER_ID_AMBIGUOUS', 'RECEIPT_PENDING'],
      },
      schema: {
        tags: ['receipts'],
        summary: 'Proof, for anyone, of what you were last told of a transfer',
        description: `${BANK_WORDS} An auditor gets the proof of the debtor where it supervises that, else of the creditor.`,
        params: IdParamsSchema,
        querystring: BankQuerySchema,
        response: { 200: ReceiptSchema },
      },
    },
    async (request, reply): Answer<Receipt> => {
      const caller = callerOf(request);
      const { id } = request.params;
      const found = lookUpTransfer(core, caller, 'receipt.read', { id, bank: request.query.bank });
      if (typeof found === 'string') return sendNoTransfer(reply, found);
      const { debtor, creditor } = found.terms;
      const participant = receiptSubject(caller, debtor, creditor);
      if (participant === undefined) return sendProblem(reply, 'NOT_FOUND');
      return (
        (await inTime(log, core.receipts.transfer(participant, debtor, id))) ?? sendProblem(reply, 'RECEIPT_PENDING')
      );
    },
  );
}
