/** What clients of CCF see of a node. The forms are those of CCF 7; `notes` beside a test say where ours is better. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { NODES, testWord } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
});
const before = () => api.core.nodeStatus;
let status: ReturnType<typeof before>;
beforeEach(() => {
  api.core.reset();
  api.log.length = 0;
  status ??= api.core.nodeStatus;
  api.core.nodeStatus = status;
});
afterAll(() => api.app.close());

const ask = (url: string, method: 'GET' | 'HEAD' | 'POST' = 'GET'): Promise<LightMyRequestResponse> =>
  api.as(undefined, { method, url });
const follows = (role: 'follower' | 'candidate' | 'learner' = 'follower'): void => {
  api.core.nodeStatus = { ...status, role };
};
const errorOf = (answer: LightMyRequestResponse): [number, string] => [
  answer.statusCode,
  (answer.json() as { error: { code: string } }).error.code,
];

describe('transactions', () => {
  test.each([
    ['2.10', 'Committed'],
    ['2.11', 'Pending'],
    ['2.12', 'Unknown'],
    ['1.10', 'Invalid'],
    ['3.99', 'Unknown'],
  ])('%s is %s', async (id, expected) => {
    const answer = await ask(`/node/tx?transaction_id=${id}`);
    expect([answer.statusCode, answer.json()]).toEqual([200, { transaction_id: id, status: expected }]);
    expect(answer.headers).not.toHaveProperty('x-ms-ccf-transaction-id');
  });

  test.each(['', '?transaction_id=', '?transaction_id=2', '?transaction_id=0.1', '?transaction_id=2.0'])(
    'malformed %j: 400, for receipts too',
    async (query) => {
      for (const path of ['/node/tx', '/node/receipt']) {
        const answer = await ask(`${path}${query}`);
        expect(errorOf(answer)).toEqual([400, 'InvalidQueryParameterValue']);
        expect(answer.json().error.message).toContain('transaction_id');
        expect(answer.headers['content-type']).toContain('application/json');
      }
    },
  );

  test('the newest committed one', async () => {
    expect((await ask('/node/commit')).json()).toEqual({ transaction_id: '2.10' });
  });
});

describe('receipts', () => {
  test('of a committed transaction at once, without a claim', async () => {
    const answer = await ask('/node/receipt?transaction_id=2.10');
    expect([answer.statusCode, answer.json().transaction_id]).toEqual([200, '2.10']);
    expect(Object.keys(answer.json().leaf_components).sort()).toEqual([
      'claims_digest',
      'commit_evidence',
      'write_set_digest',
    ]);
    expect(answer.json()).not.toHaveProperty('claims_proof');
  });

  test('of one that another node committed: this one learns of it first', async () => {
    api.core.onBarrier = () => void api.core.submit([]);
    expect((await ask('/node/receipt?transaction_id=2.11')).statusCode).toBe(200);
  });

  test.each([
    ['2.11', 'TransactionPendingOrUnknown'],
    ['2.99', 'TransactionPendingOrUnknown'],
    ['1.3', 'TransactionInvalid'],
  ])('of %s: 404 %s', async (id, code) => {
    expect(errorOf(await ask(`/node/receipt?transaction_id=${id}`))).toEqual([404, code]);
  });

  test.each(['NOT_LEADER', 'absent'] as const)('that cannot be had now (%s): 503', async (fail) => {
    api.core.receipts.fail = fail;
    const answer = await ask('/node/receipt?transaction_id=2.10');
    expect([...errorOf(answer), answer.headers['retry-after']]).toEqual([503, 'NodeCannotHandleRequest', '1']);
  });

  test('a bug is logged without its message', async () => {
    api.core.receipts.transaction = () => Promise.reject(new TypeError('a secret'));
    const answer = await ask('/node/receipt?transaction_id=2.10');
    Reflect.deleteProperty(api.core.receipts, 'transaction');
    expect(errorOf(answer)).toEqual([500, 'InternalError']);
    expect(JSON.stringify([answer.body, api.log])).not.toContain('a secret');
    expect(api.log).toHaveLength(1);
  });
});

describe('the network', () => {
  test('CCF reads its fields, we ours, in one document', async () => {
    const body = (await ask('/node/network')).json();
    expect(body).toMatchObject({
      service_status: 'Open',
      current_view: 2,
      primary_id: NODES[0],
      recovery_count: 0,
      service_data: null,
      current_service_create_txid: '1.1',
      serviceId: testWord('service'),
    });
    expect(body.service_certificate).toBe(body.serviceCertificate);
    follows('candidate');
    expect((await ask('/node/network')).json().primary_id).toBeNull();
  });

  test('its nodes, and a choice of them', async () => {
    const nodes = async (query: string): Promise<string[]> =>
      ((await ask(`/node/network/nodes${query}`)).json() as { nodes: { node_id: string }[] }).nodes.map(
        ({ node_id }) => node_id,
      );
    expect(await nodes('')).toEqual(NODES);
    expect(await nodes('?status=Learner')).toEqual([NODES[2]]);
    expect(await nodes('?host=node1.example')).toEqual([NODES[1]]);
    expect(await nodes('?host=node1.example&port=8000')).toEqual([]);
    expect(errorOf(await ask('/node/network/nodes?status=Gone'))).toEqual([400, 'InvalidQueryParameterValue']);
  });

  test('one of them, this one, the one that leads', async () => {
    expect((await ask(`/node/network/nodes/${NODES[1]}`)).json()).toEqual({
      node_id: NODES[1],
      status: 'Trusted',
      primary: false,
      rpc_interfaces: { primary_rpc_interface: { published_address: 'node1.example:8001' } },
      node_data: null,
      raft_id: 2,
      platform: 'virtual',
      peer_address: 'node1.example:9001',
    });
    follows();
    expect((await ask('/node/network/nodes/self')).json()).toMatchObject({ node_id: NODES[0], primary: false });
    expect((await ask('/node/network/nodes/primary')).json()).toMatchObject({ node_id: NODES[1], primary: true });
    follows('candidate');
    expect(errorOf(await ask('/node/network/nodes/primary'))).toEqual([503, 'PrimaryNotFound']);
    expect(errorOf(await ask(`/node/network/nodes/${'0'.repeat(64)}`))).toEqual([404, 'ResourceNotFound']);
    expect(errorOf(await ask('/node/network/nodes/1'))).toEqual([400, 'InvalidResourceName']);
  });
});

describe.each(['GET', 'HEAD'] as const)('%s, for load balancers', (method) => {
  const seen = async (url: string): Promise<[number, unknown]> => {
    const { statusCode, headers } = await ask(url, method);
    return [statusCode, headers.location];
  };

  test('the leader is at home, a follower says where', async () => {
    expect(await seen('/node/primary')).toEqual([200, undefined]);
    expect(await seen('/node/backup')).toEqual([308, 'https://node1.example:8001/node/backup']);
    follows();
    expect(await seen('/node/primary')).toEqual([308, 'https://node1.example:8001/node/primary']);
    expect(await seen('/node/backup')).toEqual([200, undefined]);
    follows('candidate');
    expect(await seen('/node/primary')).toEqual([503, undefined]);
  });
});

describe('the node', () => {
  test('its state, with the fields of CCF', async () => {
    const { nodeId } = status;
    expect((await ask('/node/state')).json()).toEqual({
      ...status,
      node_id: nodeId,
      state: 'PartOfNetwork',
      last_signed_seqno: 9,
      startup_seqno: 1,
      stop_notice: false,
    });
    follows('learner');
    expect((await ask('/node/state')).json().state).toBe('Pending');
    api.core.nodeStatus = { ...status, serviceStatus: 'stopping' };
    expect((await ask('/node/state')).json()).toMatchObject({ state: 'PartOfNetwork', stop_notice: true });
    api.core.nodeStatus = { ...status, serviceStatus: 'failed' };
    expect((await ask('/node/state')).json().state).toBe('Initialized');
  });

  test('whether it is ready', async () => {
    const codes = async (): Promise<number[]> =>
      Promise.all(
        ['/node/ready', '/node/ready/app', '/node/ready/gov'].map(async (path) => (await ask(path)).statusCode),
      );
    expect(await codes()).toEqual([200, 204, 503]);
    follows();
    expect(await codes()).toEqual([200, 204, 503]);
    for (const role of ['candidate', 'learner'] as const) {
      follows(role);
      expect(await codes()).toEqual([503, 503, 503]);
    }
    api.core.nodeStatus = { ...status, serviceStatus: 'stopping' };
    expect(await codes()).toEqual([503, 503, 503]);
  });

  test('version, consensus, and no earlier identity', async () => {
    expect((await ask('/node/version')).json()).toMatchObject({ unsafe: false, quickjs_version: '' });
    expect((await ask('/node/consensus')).json().details).toMatchObject({
      configs: [{ idx: 10, nodes: { [NODES[1]]: { address: 'node1.example:9001' } } }],
      membership_state: 'Active',
      leadership_state: 'Leader',
      primary_id: NODES[0],
      current_view: 2,
    });
    expect(errorOf(await ask('/node/service/previous_identity'))).toEqual([404, 'ResourceNotFound']);
  });

  test('a verb that a path does not take: 405 in the form of the path', async () => {
    const answer = await ask('/node/tx', 'POST');
    expect([...errorOf(answer), answer.headers.allow]).toEqual([405, 'UnsupportedHttpVerb', 'GET']);
    expect((await ask('/node/state', 'POST')).json().code).toBe('METHOD_NOT_ALLOWED');
  });

  test('unknown paths are nowhere', async () => {
    expect((await ask('/node/self_signed_certificate')).statusCode).toBe(404);
  });
});
