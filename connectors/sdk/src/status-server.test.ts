import { parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ConnectorMetrics } from './connector-metrics.ts';
import { type StatusServer, startStatusServer } from './status-server.ts';

let status: StatusServer;
let ok: boolean;
const metrics = new ConnectorMetrics(parseNetworkId('alpha'));

beforeEach(async () => {
  ok = true;
  const health = async () => ({ ok, height: 7 });
  status = await startStatusServer({ host: '127.0.0.1', port: 0 }, { registry: metrics.registry, health });
});
afterEach(() => status.close());

test('health is 200 or 503, with what it found', async () => {
  const well = await fetch(`${status.url}/health`);
  expect([well.status, await well.json()]).toEqual([200, { ok: true, height: 7 }]);
  ok = false;
  expect((await fetch(`${status.url}/health`)).status).toBe(503);
});

test('metrics name what happened', async () => {
  metrics.completed('executed');
  metrics.stage('mined', 12);
  const text = await (await fetch(`${status.url}/metrics`)).text();
  expect(text).toContain('drawbridge_connector_executed_total{network="alpha",result="executed"} 1');
  expect(text).toContain('drawbridge_connector_stage_seconds_count{network="alpha",stage="mined"} 1');
});

test('anything else is 404, and only reading is served', async () => {
  expect((await fetch(`${status.url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${status.url}/metrics`, { method: 'POST' })).status).toBe(404);
});
