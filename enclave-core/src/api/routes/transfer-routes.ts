/** Transfers: submit one or many, read, list, cancel. */

import type { Participant } from '@drawbridge/governance/registration';
import { ParticipantIdForm, TransferIdForm } from '@drawbridge/protocol/api/forms';
import type { FieldError } from '@drawbridge/protocol/api/problem';
import {
  type BatchRequest,
  BatchRequestSchema,
  type BatchResponse,
  BatchResponseSchema,
  type TransferRequest,
  TransferRequestSchema,
  type TransferResource,
  TransferSchema,
} from '@drawbridge/protocol/api/transfer';
import { TRANSACTION_ID_HEADER, type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import type { Transfer } from '../../settlement/record.ts';
import { defaultSubjects, reaches, seesFunding } from '../access.ts';
import { submitBatch } from '../batch.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendDocument, sendProblem, sendRefusal } from '../problems.ts';
import { transferResource } from '../resources.ts';
import { answerSubmission, findTransfer } from '../submission.ts';
import { termsOf } from '../transfer-terms.ts';

type IdParams = Readonly<{ id: TransferId }>;
const IdParamsSchema: Wire<IdParams> = wire<IdParams>()(Type.Object({ id: TransferIdForm }));
type BankQuery = Readonly<{ bank?: ParticipantId }>;
const BankQuerySchema: Wire<BankQuery> = wire<BankQuery>()(
  Type.Object({ bank: Type.Optional(ParticipantIdForm) }, { additionalProperties: false }),
);

const SUBMIT_PROBLEMS = [
  'ASSET_UNKNOWN',
  'PARTICIPANT_UNKNOWN',
  'NETWORK_UNKNOWN',
  'VAULT_UNKNOWN',
  'AMOUNT_INVALID',
  'TERMS_INVALID',
  'DEADLINE_INVALID',
  'TRANSFER_ID_CONFLICT',
  'LANE_CLOSED',
  'LANE_HALTED',
  'LIMIT_REACHED',
  'NOT_LEADER',
  'OVERLOADED',
  'STOPPING',
  'UNCERTAIN',
] as const;

export function transferRoutes(app: ApiServer, context: ApiContext): void {
  submitOne(app, context);
  submitMany(app, context);
  readOne(app, context);
  cancelOne(app, context);
}

function submitOne(app: ApiServer, { core, limits }: ApiContext): void {
  app.post<{ Body: TransferRequest }>(
    '/v1/transfers',
    {
      bodyLimit: limits.bodyBytes,
      config: { operation: 'transfer.create', problems: SUBMIT_PROBLEMS },
      schema: {
        tags: ['transfers'],
        summary: 'Submit a transfer; you are the debtor. The same id with the same content gets the same answer',
        body: TransferRequestSchema,
        response: { 201: TransferSchema, 200: TransferSchema },
      },
    },
    async (request, reply): Answer<TransferResource> => {
      const terms = termsOf(request.body, callerOf(request).id);
      if (Array.isArray(terms)) return sendProblem(reply, 'REQUEST_INVALID', terms);
      const [committed] = await core.submit([{ type: 'submitTransfer', terms }]);
      if (!committed) throw new Error('core answered fewer outcomes than commands');
      reply.header(TRANSACTION_ID_HEADER, committed.transactionId);
      const answer = answerSubmission(core, terms, committed);
      if ('problem' in answer) return sendDocument(reply, answer.problem);
      reply.code(answer.status);
      return answer.transfer;
    },
  );
}

function submitMany(app: ApiServer, context: ApiContext): void {
  app.post<{ Body: BatchRequest }>(
    '/v1/transfers::batch',
    {
      bodyLimit: context.limits.batchBodyBytes,
      config: { operation: 'transfer.create', problems: SUBMIT_PROBLEMS },
      schema: {
        tags: ['transfers'],
        summary: 'Submit up to 1,000 transfers at once; each is answered as if it came alone, in the order given',
        body: BatchRequestSchema,
        response: { 200: BatchResponseSchema },
      },
    },
    async (request, reply): Answer<BatchResponse> => {
      const { results, transactionId } = await submitBatch(context.core, callerOf(request).id, request.body.transfers);
      if (transactionId !== undefined) reply.header(TRANSACTION_ID_HEADER, transactionId);
      return { results };
    },
  );
}

const BANK_REQUIRED: readonly FieldError[] = [
  { path: '/bank', message: 'is required here and must be the participant id of the debtor' },
];

/** Where to look for an id when the request names no bank: ids are scoped to the debtor's bank. */
function* candidates({ core }: ApiContext, caller: Participant, id: TransferId): Iterable<Transfer> {
  for (const bank of defaultSubjects(caller, 'transfer.read')) {
    const transfer = findTransfer(core, bank, id);
    if (transfer) yield transfer;
  }
}

function readOne(app: ApiServer, context: ApiContext): void {
  const { core } = context;
  app.get<{ Params: IdParams; Querystring: BankQuery }>(
    '/v1/transfers/:id',
    {
      config: { operation: 'transfer.read', problems: ['NOT_FOUND', 'TRANSFER_ID_AMBIGUOUS'] },
      schema: {
        tags: ['transfers'],
        summary: 'One transfer, for its debtor, its creditor and their auditors',
        description:
          'Ids are scoped to the debtor bank. Without `bank` a bank reads its own transfer and an auditor that of the ' +
          'banks that it supervises; to read one that another bank sends you, name that bank: events do.',
        params: IdParamsSchema,
        querystring: BankQuerySchema,
        response: { 200: TransferSchema },
      },
    },
    async (request, reply): Answer<TransferResource> => {
      const caller = callerOf(request);
      const { bank } = request.query;
      const { id } = request.params;
      const named = bank === undefined ? undefined : findTransfer(core, bank, id);
      const found = bank === undefined ? [...candidates(context, caller, id)] : named ? [named] : [];
      const [transfer, another] = found;
      if (!transfer) return sendProblem(reply, 'NOT_FOUND');
      const { debtor, creditor } = transfer.terms;
      if (!reaches(caller, 'transfer.read', [debtor, creditor])) return sendProblem(reply, 'NOT_FOUND');
      if (another) return sendProblem(reply, 'TRANSFER_ID_AMBIGUOUS', BANK_REQUIRED);
      return transferResource(transfer, seesFunding(caller, debtor), core.view);
    },
  );
}

/** States in which a cancellation was asked for already: asking again gets the same answer. */
const CANCELLING: ReadonlySet<string> = new Set(['CANCELLED', 'VOIDING']);

function cancelOne(app: ApiServer, { core, limits }: ApiContext): void {
  app.post<{ Params: IdParams }>(
    '/v1/transfers/:id(^[^:]+)::cancel',
    {
      bodyLimit: limits.bodyBytes,
      config: {
        operation: 'transfer.cancel',
        problems: [
          'NOT_FOUND',
          'TRANSFER_NOT_CANCELLABLE',
          'LANE_HALTED',
          'NOT_LEADER',
          'OVERLOADED',
          'STOPPING',
          'UNCERTAIN',
        ],
      },
      schema: {
        tags: ['transfers'],
        summary: 'Cancel your own transfer, or ask for a void where its instruction is already out',
        params: IdParamsSchema,
        response: { 200: TransferSchema },
      },
    },
    async (request, reply): Answer<TransferResource> => {
      const caller = callerOf(request);
      const { id } = request.params;
      // Ids are scoped to the caller, so that what belongs to others cannot even be named here.
      const [committed] = await core.submit([{ type: 'cancelTransfer', bank: caller.id, id }]);
      if (!committed) throw new Error('core answered fewer outcomes than commands');
      const { outcome, transactionId } = committed;
      const transfer = findTransfer(core, caller.id, id);
      if (!transfer) return sendProblem(reply, 'NOT_FOUND');
      reply.header(TRANSACTION_ID_HEADER, transactionId);
      const asked = !outcome.ok && outcome.code === 'TRANSFER_NOT_CANCELLABLE' && CANCELLING.has(transfer.state);
      if (!outcome.ok && !asked) return sendRefusal(reply, outcome);
      return transferResource(transfer, true, core.view);
    },
  );
}
