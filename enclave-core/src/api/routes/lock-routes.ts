/** Locks that fit no transfer: look, refund, cancel the refund, claim. */
import { AssetCodeForm, Bytes32Form, LimitForm, NetworkIdForm } from '@drawbridge/protocol/api/forms';
import { type LockPage, LockPageSchema, type LockResource, LockSchema } from '@drawbridge/protocol/api/lock';
import type { ProblemCode } from '@drawbridge/protocol/api/problem';
import { DEFAULT_PAGE_ITEMS, TRANSACTION_ID_HEADER, type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { AssetCode, LockId, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import type { RefusalCode } from '../../settlement/command.ts';
import type { UnmatchedState } from '../../settlement/record.ts';
import type { UnmatchedLock } from '../../settlement/view.ts';
import { reaches, seesLockContent } from '../access.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem, sendRefusal } from '../problems.ts';
import { RECEIPT_WORDS, type ReceiptQuery, ReceiptQuerySchema, receiptOfLock, wantsReceipt } from '../receipts.ts';
import { lockResource } from '../resources.ts';

type LockQuery = Readonly<{ after?: string; limit?: number }>;
const LockQuerySchema: Wire<LockQuery> = wire<LockQuery>()(
  Type.Object(
    {
      after: Type.Optional(Type.String({ maxLength: 160, description: 'the `next` of a page of this list' })),
      limit: Type.Optional(LimitForm),
    },
    { additionalProperties: false },
  ),
);
type LockParams = Readonly<{ network: NetworkId; asset: AssetCode; lockId: LockId }>;
const LockParamsSchema: Wire<LockParams> = wire<LockParams>()(
  Type.Object({ network: NetworkIdForm, asset: AssetCodeForm, lockId: Bytes32Form }),
);

export function lockRoutes(app: ApiServer, context: ApiContext): void {
  listLocks(app, context);
  actOnLock(app, context, {
    verb: 'refund',
    command: 'refundLock',
    operation: 'lock.refund',
    summary: 'Refund an unmatched lock to its on-chain depositor (the bank that its reference names, or an operator)',
    refusal: 'LOCK_NOT_REFUNDABLE',
    done: ['REFUNDING', 'REFUNDED'],
  });
  actOnLock(app, context, {
    verb: 'cancel-refund',
    command: 'cancelLockRefund',
    operation: 'lock.cancelRefund',
    summary: 'Void the refund of an unmatched lock that its network refuses; proven void, the lock is unmatched again',
    refusal: 'LOCK_NOT_CANCELLABLE',
    done: ['VOIDING'],
  });
  actOnLock(app, context, {
    verb: 'claim',
    command: 'claimLock',
    operation: 'lock.claim',
    summary: 'Credit a lock that only came late to the bank that its reference names',
    refusal: 'LOCK_NOT_CLAIMABLE',
    done: ['CLAIMED'],
  });
}

/** The bank whose transfer the reference names, if any. */
const ownersOf = (lock: UnmatchedLock): readonly ParticipantId[] => (lock.transfer ? [lock.transfer.bank] : []);
/** A total order that does not change while locks come and go. */
const placeOf = ({ network, asset, lockId }: UnmatchedLock): string => `${network}~${asset}~${lockId}`;

function listLocks(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Querystring: LockQuery }>(
    '/v1/locks',
    {
      config: { operation: 'lock.read' },
      schema: {
        tags: ['locks'],
        summary: 'Unmatched locks: of your transfers (banks), of your banks (auditors), all but bare (operators)',
        querystring: LockQuerySchema,
        response: { 200: LockPageSchema },
      },
    },
    async (request): Answer<LockPage> => {
      const caller = callerOf(request);
      const { after = '', limit = DEFAULT_PAGE_ITEMS } = request.query;
      const found: { place: string; lock: UnmatchedLock }[] = [];
      for (const lock of core.view.unmatchedLocks()) {
        const place = placeOf(lock);
        if (place > after && reaches(caller, 'lock.read', ownersOf(lock))) found.push({ place, lock });
      }
      found.sort((a, b) => (a.place < b.place ? -1 : 1));
      const page = found.slice(0, limit);
      const next = found.length > limit ? page.at(-1)?.place : undefined;
      const content = seesLockContent(caller);
      return { locks: page.map(({ lock }) => lockResource(lock, content)), ...(next !== undefined && { next }) };
    },
  );
}

type LockAction = Readonly<{
  verb: 'refund' | 'cancel-refund' | 'claim';
  command: 'refundLock' | 'cancelLockRefund' | 'claimLock';
  operation: 'lock.refund' | 'lock.cancelRefund' | 'lock.claim';
  summary: string;
  /** The refusal that says that it was asked before, in one of the states `done`. */
  refusal: Extract<RefusalCode, ProblemCode>;
  done: readonly UnmatchedState[];
}>;

function actOnLock(app: ApiServer, context: ApiContext, action: LockAction): void {
  const { core, limits } = context;
  app.post<{ Params: LockParams; Querystring: ReceiptQuery }>(
    `/v1/locks/:network/:asset/:lockId(^[^:]+)::${action.verb}`,
    {
      bodyLimit: limits.bodyBytes,
      config: {
        operation: action.operation,
        readsFirst: true,
        problems: [
          'NOT_FOUND',
          action.refusal,
          'LANE_HALTED',
          'NOT_LEADER',
          'OVERLOADED',
          'STOPPING',
          'UNCERTAIN',
          'RECEIPT_PENDING',
        ],
      },
      schema: {
        tags: ['locks'],
        summary: action.summary,
        description: `${RECEIPT_WORDS} Operators, who have no events, get that of the entry without a claim.`,
        params: LockParamsSchema,
        querystring: ReceiptQuerySchema,
        response: { 200: LockSchema },
      },
    },
    async (request, reply): Answer<LockResource> => {
      const caller = callerOf(request);
      const { network, asset, lockId } = request.params;
      const before = core.view.unmatchedLock(network, asset, lockId);
      if (!before || !reaches(caller, action.operation, ownersOf(before))) return sendProblem(reply, 'NOT_FOUND');
      const [committed] = await core.submit([{ type: action.command, by: caller.id, network, asset, lockId }]);
      if (!committed) throw new Error('core answered fewer outcomes than commands');
      const { outcome, transactionId } = committed;
      reply.header(TRANSACTION_ID_HEADER, transactionId);
      const lock = core.view.unmatchedLock(network, asset, lockId);
      const asked = !outcome.ok && outcome.code === action.refusal && action.done.includes((lock ?? before).state);
      if (!outcome.ok && !asked) return sendRefusal(reply, outcome);
      // A lock that is settled may have left the state: then the last that was known of it, in the state asked for.
      const [reached = before.state] = action.done;
      const resource = lockResource(lock ?? { ...before, state: reached }, seesLockContent(caller));
      if (!wantsReceipt(request.query)) return resource;
      const receipt = await receiptOfLock(context, caller, before, committed);
      return receipt ? { ...resource, receipt } : sendProblem(reply, 'RECEIPT_PENDING');
    },
  );
}
