/** Accounts, balances, statements: a bank's own; an auditor's banks. */
import {
  type AccountList,
  AccountListSchema,
  type AccountResource,
  AccountSchema,
  type StatementPage,
  StatementPageSchema,
} from '@drawbridge/protocol/api/account';
import { AfterForm, AssetCodeForm, LimitForm, ParticipantIdForm } from '@drawbridge/protocol/api/forms';
import { DEFAULT_PAGE_ITEMS, type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { AssetCode, ParticipantId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import type { Account } from '../../settlement/view.ts';
import { defaultSubjects, reaches } from '../access.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem } from '../problems.ts';
import { accountResource, statementLineResource } from '../resources.ts';
import { PARTICIPANT_REQUIRED, subjectOf } from '../subject.ts';

type SubjectQuery = Readonly<{ participant?: ParticipantId }>;
const SubjectQuerySchema: Wire<SubjectQuery> = wire<SubjectQuery>()(
  Type.Object({ participant: Type.Optional(ParticipantIdForm) }, { additionalProperties: false }),
);
type AssetParams = Readonly<{ asset: AssetCode }>;
const AssetParamsSchema: Wire<AssetParams> = wire<AssetParams>()(Type.Object({ asset: AssetCodeForm }));
type StatementQuery = Readonly<{ participant?: ParticipantId; after?: number; limit?: number }>;
const StatementQuerySchema: Wire<StatementQuery> = wire<StatementQuery>()(
  Type.Object(
    {
      participant: Type.Optional(ParticipantIdForm),
      after: Type.Optional(AfterForm),
      limit: Type.Optional(LimitForm),
    },
    { additionalProperties: false },
  ),
);

export function accountRoutes(app: ApiServer, context: ApiContext): void {
  listAccounts(app, context);
  readAccount(app, context);
  readStatement(app, context);
}

function listAccounts(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Querystring: SubjectQuery }>(
    '/v1/accounts',
    {
      config: { operation: 'account.read', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['accounts'],
        summary: 'Accounts with balances. Auditors without `participant`: of all banks that they supervise',
        querystring: SubjectQuerySchema,
        response: { 200: AccountListSchema },
      },
    },
    async (request, reply): Answer<AccountList> => {
      const caller = callerOf(request);
      const { participant } = request.query;
      if (participant !== undefined && !reaches(caller, 'account.read', [participant])) {
        return sendProblem(reply, 'NOT_FOUND');
      }
      const subjects = participant === undefined ? defaultSubjects(caller, 'account.read') : [participant];
      return { accounts: subjects.flatMap((id) => Array.from(core.view.accountsOf(id), accountResource)) };
    },
  );
}

/** The account; one that nothing has touched yet is at zero; `undefined` for an asset that is not registered. */
function accountOf({ core }: ApiContext, participant: ParticipantId, asset: AssetCode): Account | undefined {
  const account = core.view.account(participant, asset);
  if (account || !core.view.asset(asset)) return account;
  return { participant, asset, postedMinor: 0n, pendingMinor: 0n, lines: 0 };
}

function readAccount(app: ApiServer, context: ApiContext): void {
  app.get<{ Params: AssetParams; Querystring: SubjectQuery }>(
    '/v1/accounts/:asset',
    {
      config: { operation: 'account.read', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['accounts'],
        summary: 'One account: posted, pending and available balance in minor units',
        params: AssetParamsSchema,
        querystring: SubjectQuerySchema,
        response: { 200: AccountSchema },
      },
    },
    async (request, reply): Answer<AccountResource> => {
      const subject = subjectOf(callerOf(request), 'account.read', request.query.participant);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const account = accountOf(context, subject.participant, request.params.asset);
      return account ? accountResource(account) : sendProblem(reply, 'NOT_FOUND');
    },
  );
}

function readStatement(app: ApiServer, context: ApiContext): void {
  app.get<{ Params: AssetParams; Querystring: StatementQuery }>(
    '/v1/accounts/:asset/statement',
    {
      config: { operation: 'account.read', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['accounts'],
        summary: 'Statement lines of one account, oldest first',
        params: AssetParamsSchema,
        querystring: StatementQuerySchema,
        response: { 200: StatementPageSchema },
      },
    },
    async (request, reply): Answer<StatementPage> => {
      const { participant: named, after = 0, limit = DEFAULT_PAGE_ITEMS } = request.query;
      const subject = subjectOf(callerOf(request), 'account.read', named);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const { participant } = subject;
      const { asset } = request.params;
      if (!accountOf(context, participant, asset)) return sendProblem(reply, 'NOT_FOUND');
      const { items, next } = context.core.history.statement(participant, asset, after, limit);
      return { participant, asset, lines: items.map(statementLineResource), ...(next !== undefined && { next }) };
    },
  );
}
