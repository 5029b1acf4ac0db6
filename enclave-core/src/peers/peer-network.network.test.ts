import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { measurePeers } from './testing/measure-peers.ts';
import { RawServer } from './testing/raw-peer.ts';
import { selfSigned, TestService } from './testing/test-pki.ts';

const ASK_TO_JOIN = fileURLToPath(new URL('./testing/ask-to-join.ts', import.meta.url));

test('two processes exchange messages of both sizes', async () => {
  const figures = await measurePeers([
    { bodyBytes: 200, inFlight: 16, count: 2_000 },
    { bodyBytes: 65_536, inFlight: 4, count: 200 },
  ]);
  expect(figures.map(({ count }) => count)).toEqual([2_000, 200]);
  for (const { roundTripsPerSecond } of figures) expect(roundTripsPerSecond).toBeGreaterThan(0);
});

test('the environment cannot turn off the check of who answers', async () => {
  const service = await TestService.create();
  const impostor = new RawServer(await selfSigned(), service.certificate);
  const { key, certificate } = await selfSigned();
  const target = {
    address: await impostor.listen(),
    identity: { key, certificate },
    serviceCertificate: service.certificate,
  };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=drawbridge-source', '--import', 'tsx', ASK_TO_JOIN, JSON.stringify(target)],
    { env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
  );
  expect([stdout, impostor.received]).toEqual(['UNREACHABLE', []]);
  await impostor.close();
});
