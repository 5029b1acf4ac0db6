/** The relay: sealed instructions out, sealed evidence in. Nothing here is readable to whoever carries it. */

import { addressOf } from '@drawbridge/governance/registration';
import { AfterForm, AssetCodeForm, NetworkIdForm, StateRefForm } from '@drawbridge/protocol/api/forms';
import {
  type CursorResource,
  CursorSchema,
  type EvidenceRequest,
  EvidenceRequestSchema,
  type EvidenceResponse,
  EvidenceResponseSchema,
  MAX_OUTBOX_ITEMS,
  MAX_OUTBOX_WAIT_MS,
  MAX_STATES_PER_PAGE,
  type OutboxPage,
  OutboxPageSchema,
  type SealingKeyResource,
  SealingKeySchema,
  type StatesPage,
  StatesPageSchema,
} from '@drawbridge/protocol/api/relay';
import { TRANSACTION_ID_HEADER, type Wire, wire } from '@drawbridge/protocol/api/wire';
import { ENVELOPE_SUITE } from '@drawbridge/protocol/envelope';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { Type } from '@sinclair/typebox';
import { reaches, roleMay } from '../access.ts';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { sendProblem } from '../problems.ts';
import { RequestWaits } from '../request-waits.ts';

type OutboxQuery = Readonly<{ network: NetworkId; after?: number; limit?: number; waitMs?: number }>;
const OutboxQuerySchema: Wire<OutboxQuery> = wire<OutboxQuery>()(
  Type.Object(
    {
      network: NetworkIdForm,
      after: Type.Optional(AfterForm),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_OUTBOX_ITEMS,
          description: `the most items to answer: 1 to ${MAX_OUTBOX_ITEMS}`,
        }),
      ),
      waitMs: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: MAX_OUTBOX_WAIT_MS,
          description: `how long to wait for instructions where there are none, in ms: 0, the default, to ${MAX_OUTBOX_WAIT_MS}`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
);
type NetworkQuery = Readonly<{ network: NetworkId }>;
const NetworkQuerySchema: Wire<NetworkQuery> = wire<NetworkQuery>()(
  Type.Object({ network: NetworkIdForm }, { additionalProperties: false }),
);
const DEFAULT_OUTBOX_ITEMS = 64;

export function relayRoutes(app: ApiServer, context: ApiContext): void {
  readOutbox(app, context);
  acceptEvidence(app, context);
  readCursor(app, context);
  readStates(app, context);
  readSealingKey(app, context);
}

function readOutbox(app: ApiServer, { core, limits, callerNow }: ApiContext): void {
  const waits = new RequestWaits({ all: limits.outboxWaits, perParticipant: limits.outboxWaitsPerParticipant });
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
    core.relay.endOutboxWaits();
  });
  app.get<{ Querystring: OutboxQuery }>(
    '/v1/relay/outbox',
    {
      config: { operation: 'relay.outbox', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['relay'],
        summary: 'Open instructions of a network, signed and sealed to its connectors',
        querystring: OutboxQuerySchema,
        response: { 200: OutboxPageSchema },
      },
    },
    async (request, reply): Answer<OutboxPage> => {
      const { network, after = 0, limit = DEFAULT_OUTBOX_ITEMS, waitMs = 0 } = request.query;
      if (!core.view.network(network)) return sendProblem(reply, 'NOT_FOUND');
      const { id } = callerOf(request);
      if (waitMs === 0 || closing || !waits.hasRoomFor(id)) return core.relay.outbox(network, after, limit);
      const page = await waits.during(id, () => core.relay.outbox(network, after, limit, waitMs));
      // Whoever asked may be no hub any more.
      const now = callerNow(request.raw);
      return now?.id === id && roleMay(now.role, 'relay.outbox') ? page : { items: [], next: after };
    },
  );
}

function acceptEvidence(app: ApiServer, { core, limits }: ApiContext): void {
  app.post<{ Body: EvidenceRequest }>(
    '/v1/relay/evidence',
    {
      bodyLimit: limits.evidenceBodyBytes,
      config: {
        operation: 'relay.evidence',
        problems: ['NOT_FOUND', 'NOT_LEADER', 'OVERLOADED', 'STOPPING', 'UNCERTAIN'],
      },
      schema: {
        tags: ['relay'],
        summary: 'Hand in sealed evidence; answered item by item after commit. The same item again does no harm',
        body: EvidenceRequestSchema,
        response: { 200: EvidenceResponseSchema },
      },
    },
    async (request, reply): Answer<EvidenceResponse> => {
      const { network, items } = request.body;
      if (!core.view.network(network)) return sendProblem(reply, 'NOT_FOUND');
      const results = await core.relay.acceptEvidence(network, items);
      reply.header(TRANSACTION_ID_HEADER, core.committed());
      return { results };
    },
  );
}

function readCursor(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Querystring: NetworkQuery }>(
    '/v1/relay/cursor',
    {
      config: { operation: 'relay.cursor', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['relay'],
        summary: 'Where followers of a network go on: per vault the next event counter and the block to watch from',
        querystring: NetworkQuerySchema,
        response: { 200: CursorSchema },
      },
    },
    async (request, reply): Answer<CursorResource> => {
      const network = core.view.network(request.query.network);
      if (!network || !reaches(callerOf(request), 'relay.cursor', network.connectors)) {
        return sendProblem(reply, 'NOT_FOUND');
      }
      return core.relay.cursor(network.id) ?? sendProblem(reply, 'NOT_FOUND');
    },
  );
}

type StatesQuery = Readonly<{ network: NetworkId; asset: AssetCode; after?: StateRef; limit?: number }>;
const StatesQuerySchema: Wire<StatesQuery> = wire<StatesQuery>()(
  Type.Object(
    {
      network: NetworkIdForm,
      asset: AssetCodeForm,
      after: Type.Optional(StateRefForm),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_STATES_PER_PAGE,
          description: `the most states to answer: 1 to ${MAX_STATES_PER_PAGE}`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
);

function readStates(app: ApiServer, { core }: ApiContext): void {
  app.get<{ Querystring: StatesQuery }>(
    '/v1/relay/states',
    {
      config: { operation: 'relay.states', problems: ['NOT_FOUND'] },
      schema: {
        tags: ['relay'],
        summary:
          'States of a Corda vault that the core believes to be unspent: what its connector compares its node with',
        querystring: StatesQuerySchema,
        response: { 200: StatesPageSchema },
      },
    },
    async (request, reply): Answer<StatesPage> => {
      const { network: id, asset, after, limit = MAX_STATES_PER_PAGE } = request.query;
      const network = core.view.network(id);
      if (!network || !reaches(callerOf(request), 'relay.states', network.connectors)) {
        return sendProblem(reply, 'NOT_FOUND');
      }
      const vault = core.view.vaultLedger(id, asset)?.vault;
      const booked = vault && core.relay.states(id, asset, after, limit);
      if (!booked) return sendProblem(reply, 'NOT_FOUND');
      return { network: id, asset, vault: addressOf(vault), ...booked };
    },
  );
}

function readSealingKey(app: ApiServer, { core }: ApiContext): void {
  app.get(
    '/v1/relay/sealing-key',
    {
      config: { operation: 'relay.sealingKey' },
      schema: {
        tags: ['relay'],
        summary: 'The public key that evidence is sealed to',
        response: { 200: SealingKeySchema },
      },
    },
    async (): Answer<SealingKeyResource> => ({ suite: ENVELOPE_SUITE, publicKey: core.relay.sealingPublicKey() }),
  );
}
