import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../consensus/file-log-store.ts';
import { systemEntropy } from '../consensus/node-host.ts';
import type { LogStore, StoredLog } from '../consensus/ports.ts';
import { saveSnapshot } from '../consensus/save-snapshot.ts';
import { loadedLog } from './node-storage.ts';

const confState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

describe('log that was loaded already', () => {
  let directory: string;
  let log: FileLogStore;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'drawbridge-loaded-'));
    log = await FileLogStore.open({ ...FILE_LOG_STORE_DEFAULTS, directory }, { entropy: systemEntropy });
    await saveSnapshot(log, { index: 7, term: 1, confState, head: Buffer.alloc(8), bytes: 0, pieces: () => [] });
  });
  afterEach(async () => {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('is given out once', async () => {
    const stored = await log.load();
    const replicas = loadedLog(log, stored);
    expect(await replicas.load()).toBe(stored);
    await expect(replicas.load()).rejects.toThrow('loaded already');
  });

  it('is not held any longer by who goes on writing to it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const begin = async (): Promise<Readonly<{ replicas: LogStore; stored: WeakRef<StoredLog> }>> => {
      const stored = await log.load();
      const replicas = loadedLog(log, stored);
      await replicas.load();
      return { replicas, stored: new WeakRef(stored) };
    };
    const { replicas, stored } = await begin();
    for (let turn = 0; turn < 20 && stored.deref(); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(stored.deref()).toBeUndefined();
    await replicas.append({
      entries: [],
      hardState: { term: 1, vote: 1, commit: 7 },
      installed: { index: 7, term: 1 },
    });
  });
});
