/** The list of a bank's transfers, live and ended, by state. */
import { LimitForm, ParticipantIdForm } from '@drawbridge/protocol/api/forms';
import {
  type TransferPage,
  TransferPageSchema,
  TransferStateForm,
  type TransferStateName,
} from '@drawbridge/protocol/api/transfer';
import { DEFAULT_PAGE_ITEMS, type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import { seesFunding } from '../access.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem } from '../problems.ts';
import { transferResource } from '../resources.ts';
import { PARTICIPANT_REQUIRED, subjectOf } from '../subject.ts';
import { listTransfers, parseCursor } from '../transfer-pages.ts';

type ListQuery = Readonly<{
  participant?: ParticipantId;
  state?: TransferStateName;
  after?: string;
  limit?: number;
}>;
const ListQuerySchema: Wire<ListQuery> = wire<ListQuery>()(
  Type.Object(
    {
      participant: Type.Optional(ParticipantIdForm),
      state: Type.Optional(TransferStateForm),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'the `next` of a page of this list' })),
      limit: Type.Optional(LimitForm),
    },
    { additionalProperties: false },
  ),
);
const AFTER_INVALID = [{ path: '/after', message: 'must be the `next` of a page of this list' }];

export function transferListRoute(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Querystring: ListQuery }>(
    '/v1/transfers',
    {
      config: { operation: 'transfer.read', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['transfers'],
        summary: 'Transfers that a bank sends or receives: live ones oldest first, then ended ones state by state',
        description:
          'One that ends while you read may come twice, once live and once ended; none is left out. Auditors name the ' +
          'bank in `participant`.',
        querystring: ListQuerySchema,
        response: { 200: TransferPageSchema },
      },
    },
    async (request, reply): Answer<TransferPage> => {
      const caller = callerOf(request);
      const { participant: named, state, after, limit = DEFAULT_PAGE_ITEMS } = request.query;
      const subject = subjectOf(caller, 'transfer.read', named);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const cursor = after === undefined ? undefined : parseCursor(after);
      if (after !== undefined && !cursor) return sendProblem(reply, 'REQUEST_INVALID', AFTER_INVALID);
      const page = listTransfers(core, { participant: subject.participant, state, after: cursor, limit });
      if (!page) return sendProblem(reply, 'REQUEST_INVALID', AFTER_INVALID);
      const transfers = page.items.map((item) =>
        transferResource(item, seesFunding(caller, item.terms.debtor), core.view),
      );
      return { transfers, ...(page.next !== undefined && { next: page.next }) };
    },
  );
}
