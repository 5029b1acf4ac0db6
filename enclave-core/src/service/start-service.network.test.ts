import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { genesisImage, openImage } from '../node/state-image.ts';
import type { NodeLog } from '../node-log.ts';
import { readGenesis } from './genesis-snapshot.ts';
import { openNode } from './node-folder.ts';
import { type RunningService, startService } from './start-service.ts';
import { makeLocalService } from './testing/local-service.ts';

const log: NodeLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const DEADLINE_MS = 60_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-start-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it(
  'of two first starts at once one runs, and the genesis on the disk is the one that its ledger began with',
  async () => {
    const { dir, genesisFile } = await makeLocalService(join(root, 'core'), root);
    const start = (nowMs: number): Promise<RunningService> =>
      startService(
        { dir, genesisFile, listen: { host: '127.0.0.1', port: 0 } },
        { log, nowMs: () => nowMs, onFailed: () => undefined },
      );
    const starts = await Promise.allSettled([start(1_900_000_000_000), start(1_900_000_500_000)]);
    const running = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const refused = starts.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const service of running) await service.stop();
    expect(refused).toMatchObject([{ code: 'LOG_LOCKED' }]);
    const { localKeys, ledgerKeys } = await openNode(dir);
    const genesis = await readGenesis(dir, localKeys);
    if (!genesis || !ledgerKeys) throw new Error('the service began');
    const { state } = await openImage(ledgerKeys, 1, genesisImage(genesis.content));
    expect(state.settlement.stampMs).toBe(running[0]?.node.view.stampMs);
  },
  DEADLINE_MS,
);
