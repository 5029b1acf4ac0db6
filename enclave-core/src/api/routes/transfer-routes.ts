/** Transfers: submit one or many, read, list, cancel. */

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
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import { seesFunding } from '../access.ts';
import { submitBatch, withProofs } from '../batch.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendDocument, sendProblem, sendRefusal } from '../problems.ts';
import { RECEIPT_WORDS, type ReceiptQuery, ReceiptQuerySchema, receiptOfTransfer, wantsReceipt } from '../receipts.ts';
import { transferResource } from '../resources.ts';
import { answerSubmission, findTransfer } from '../submission.ts';
import {
  BANK_WORDS,
  type BankQuery,
  BankQuerySchema,
  type IdParams,
  IdParamsSchema,
  lookUpTransfer,
  sendNoTransfer,
} from '../transfer-lookup.ts';
import { termsOf } from '../transfer-terms.ts';

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

function submitOne(app: ApiServer, context: ApiContext): void {
  const { core, limits } = context;
  app.post<{ Body: TransferRequest; Querystring: ReceiptQuery }>(
    '/v1/transfers',
    {
      bodyLimit: limits.bodyBytes,
      config: { operation: 'transfer.create', problems: [...SUBMIT_PROBLEMS, 'RECEIPT_PENDING'] },
      schema: {
        tags: ['transfers'],
        summary: 'Submit a transfer; you are the debtor. The same id with the same content gets the same answer',
        description: RECEIPT_WORDS,
        querystring: ReceiptQuerySchema,
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
      if (!wantsReceipt(request.query)) return answer.transfer;
      const at = answer.status === 201 ? committed.transactionId : undefined;
      const receipt = await receiptOfTransfer(context, { bank: terms.debtor, id: terms.id, at });
      return receipt ? { ...answer.transfer, receipt } : sendProblem(reply, 'RECEIPT_PENDING');
    },
  );
}

function submitMany(app: ApiServer, context: ApiContext): void {
  app.post<{ Body: BatchRequest; Querystring: ReceiptQuery }>(
    '/v1/transfers::batch',
    {
      bodyLimit: context.limits.batchBodyBytes,
      config: { operation: 'transfer.create', problems: SUBMIT_PROBLEMS },
      schema: {
        tags: ['transfers'],
        summary: 'Submit up to 1,000 transfers at once; each is answered as if it came alone, in the order given',
        description:
          'With `?receipt=true` each accepted item carries the `proof` of your own event, which together with the receipt at ' +
          'its place in `receipts` is whole. One without `proof` has none yet: it took effect, ask for its receipt later.',
        querystring: ReceiptQuerySchema,
        body: BatchRequestSchema,
        response: { 200: BatchResponseSchema },
      },
    },
    async (request, reply): Answer<BatchResponse> => {
      const { core } = context;
      const { id: bank } = callerOf(request);
      const { results, transactionId } = await submitBatch(core, bank, request.body.transfers);
      if (transactionId !== undefined) reply.header(TRANSACTION_ID_HEADER, transactionId);
      return wantsReceipt(request.query) ? withProofs(context, bank, results) : { results };
    },
  );
}

function readOne(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Params: IdParams; Querystring: BankQuery }>(
    '/v1/transfers/:id',
    {
      config: { operation: 'transfer.read', problems: ['NOT_FOUND', 'TRANSFER_ID_AMBIGUOUS'] },
      schema: {
        tags: ['transfers'],
        summary: 'One transfer, for its debtor, its creditor and their auditors',
        description: BANK_WORDS,
        params: IdParamsSchema,
        querystring: BankQuerySchema,
        response: { 200: TransferSchema },
      },
    },
    async (request, reply): Answer<TransferResource> => {
      const caller = callerOf(request);
      const { bank } = request.query;
      const found = lookUpTransfer(core, caller, 'transfer.read', { id: request.params.id, bank });
      if (typeof found === 'string') return sendNoTransfer(reply, found);
      return transferResource(found, seesFunding(caller, found.terms.debtor), core.view);
    },
  );
}

/** States in which a cancellation was asked for already: asking again gets the same answer. */
const CANCELLING: ReadonlySet<string> = new Set(['CANCELLED', 'VOIDING']);

function cancelOne(app: ApiServer, context: ApiContext): void {
  const { core, limits } = context;
  app.post<{ Params: IdParams; Querystring: ReceiptQuery }>(
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
          'RECEIPT_PENDING',
        ],
      },
      schema: {
        tags: ['transfers'],
        summary: 'Cancel your own transfer, or ask for a void where its instruction is already out',
        description: RECEIPT_WORDS,
        params: IdParamsSchema,
        querystring: ReceiptQuerySchema,
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
      const resource = transferResource(transfer, true, core.view);
      if (!wantsReceipt(request.query)) return resource;
      const at = outcome.ok ? transactionId : undefined;
      const receipt = await receiptOfTransfer(context, { bank: caller.id, id, at });
      return receipt ? { ...resource, receipt } : sendProblem(reply, 'RECEIPT_PENDING');
    },
  );
}
