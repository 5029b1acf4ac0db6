/** The stream of a participant's events: as server-sent events where the caller accepts them, otherwise as pages. */
import { type EventPage, EventPageSchema } from '@drawbridge/protocol/api/event';
import { AfterForm, LimitForm, ParticipantIdForm } from '@drawbridge/protocol/api/forms';
import { DEFAULT_PAGE_ITEMS, type Wire, wire } from '@drawbridge/protocol/api/wire';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { Type } from '@sinclair/typebox';
import { reaches } from '../access.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem } from '../problems.ts';
import { eventResource } from '../resources.ts';
import { PARTICIPANT_REQUIRED, subjectOf } from '../subject.ts';

type EventQuery = Readonly<{ participant?: ParticipantId; after?: number; limit?: number }>;
const EventQuerySchema: Wire<EventQuery> = wire<EventQuery>()(
  Type.Object(
    {
      participant: Type.Optional(ParticipantIdForm),
      after: Type.Optional(AfterForm),
      limit: Type.Optional(LimitForm),
    },
    { additionalProperties: false },
  ),
);
type EventHeaders = Readonly<{ accept?: string; 'last-event-id'?: string }>;
const EventHeadersSchema: Wire<EventHeaders> = wire<EventHeaders>()(
  Type.Object({
    accept: Type.Optional(Type.String({ description: 'text/event-stream for a stream' })),
    'last-event-id': Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        description: 'the number of the last event already seen; goes before `after`',
      }),
    ),
  }),
);

export function eventRoutes(app: ApiServer, context: ApiContext): void {
  const { core, streams, callerNow } = context;
  app.get<{ Querystring: EventQuery; Headers: EventHeaders }>(
    '/v1/events',
    {
      config: { operation: 'event.read', problems: ['NOT_FOUND', 'STREAM_LIMIT'] },
      schema: {
        tags: ['events'],
        summary: 'Events of a bank, numbered from 1 without gaps; a stream with `Accept: text/event-stream`',
        description:
          'In a stream `id:` is the number of the event and `event:` its type. Comments keep a quiet stream open. A ' +
          'reader that is too slow is closed and resumes with `Last-Event-ID`. Auditors name the bank in `participant`.',
        querystring: EventQuerySchema,
        headers: EventHeadersSchema,
        response: {
          200: {
            description: 'a page, or the stream',
            content: {
              'application/json': { schema: EventPageSchema },
              'text/event-stream': {
                schema: Type.String({ description: 'server-sent events; each `data:` is one Event in JSON' }),
              },
            },
          },
        },
      },
    },
    async (request, reply): Answer<EventPage> => {
      const caller = callerOf(request);
      const { participant: named, after: afterQuery = 0, limit = DEFAULT_PAGE_ITEMS } = request.query;
      const subject = subjectOf(caller, 'event.read', named);
      if (subject === 'REQUIRED') return sendProblem(reply, 'REQUEST_INVALID', PARTICIPANT_REQUIRED);
      if (subject === 'NOT_FOUND') return sendProblem(reply, 'NOT_FOUND');
      const { participant } = subject;
      const { accept = '', 'last-event-id': lastId } = request.headers;
      const after = lastId === undefined ? afterQuery : Number(lastId);
      if (!accept.includes('text/event-stream')) {
        const { items, next } = core.history.events(participant, after, limit);
        const last = core.view.eventCount(participant);
        return { participant, events: items.map(eventResource), ...(next !== undefined && { next }), last };
      }
      if (!streams.hasRoomFor(caller.id)) return sendProblem(reply, 'STREAM_LIMIT');
      reply.hijack();
      const stillAllowed = (): boolean => {
        const now = callerNow(request.raw);
        return now?.id === caller.id && reaches(now, 'event.read', [participant]);
      };
      streams.open({ reader: caller.id, participant, after, response: reply.raw, stillAllowed });
      return reply;
    },
  );
}
