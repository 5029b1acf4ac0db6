import { describe, expect, test } from '@jest/globals';
import { AppendPipeline } from './append-pipeline.ts';
import type { LogBatch, LogStore } from './ports.ts';
import type { Entry, HardState, RaftSnapshot } from './raft-types.ts';
import { range } from './testing/temporary-log.ts';

type Write = { batch: LogBatch; finish: () => void; fail: (error: Error) => void };

/** A pipeline whose writes end when the test says so. */
function pipeline(maxWriteBytes = 1e6, onDone: () => void = () => undefined) {
  const writes: Write[] = [];
  const events: string[] = [];
  const append = (batch: LogBatch): Promise<void> =>
    new Promise((resolve, reject) => {
      events.push(`write ${batch.entries.map(({ index, term }) => `${index}@${term}`).join()}`);
      writes.push({ batch, finish: resolve, fail: reject });
    });
  const host = {
    store: { append } as LogStore,
    install: async ({ index }: RaftSnapshot) => void events.push(`install ${index}`),
    done: (count: number) => {
      events.push(`done ${count}`);
      onDone();
    },
    failed: (error: unknown) => events.push(`failed ${(error as Error).message}`),
  };
  return { appends: new AppendPipeline(maxWriteBytes, null, host), writes, events };
}

const hard = (term: number, commit: number): HardState => ({ term, vote: 0, commit });
const entries = (list: readonly Entry[], hardState: HardState | null = null) => ({
  entries: list,
  hardState,
  snapshot: null,
  mustSync: true,
});
const commitOnly = (hardState: HardState) => ({ entries: [], hardState, snapshot: null, mustSync: false });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('append pipeline', () => {
  test('gathers while a write runs, and acknowledges only what is durable, in order', async () => {
    const { appends, writes, events } = pipeline();
    appends.push(entries(range(1, 1)));
    appends.start();
    for (const index of [2, 3, 4]) {
      appends.push(entries(range(index, index)));
      appends.start();
    }
    await turn();
    expect(events).toEqual(['write 1@1']);
    writes[0]?.finish();
    await turn();
    expect(events).toEqual(['write 1@1', 'done 1', 'write 2@1,3@1,4@1']);
    writes[1]?.finish();
    await appends.idle();
    expect(events.at(-1)).toBe('done 3');
  });

  test('later entries replace earlier ones of the same write; a write is bounded', async () => {
    const { appends, writes, events } = pipeline(40);
    appends.push(entries(range(5, 9), hard(1, 3)));
    appends.push(entries(range(7, 8, 2), hard(2, 3)));
    appends.start();
    writes[0]?.finish();
    await turn();
    expect(events).toEqual(['write 5@1,6@1,7@1,8@1,9@1', 'done 1', 'write 7@2,8@2']);
    const merged = pipeline();
    merged.appends.push(entries(range(5, 9), hard(1, 3)));
    merged.appends.push(entries(range(7, 8, 2), hard(2, 4)));
    merged.appends.start();
    expect(merged.events).toEqual(['write 5@1,6@1,7@2,8@2']);
    expect(merged.writes[0]?.batch.hardState).toEqual(hard(2, 4));
  });

  test('a commit index alone is acknowledged at once and goes with the next write, or when nothing follows', async () => {
    const { appends, writes, events } = pipeline();
    appends.push(commitOnly(hard(1, 7)));
    appends.start();
    await turn();
    expect(events).toEqual(['done 1']);
    appends.push(entries(range(8, 8)));
    appends.start();
    expect(writes[0]?.batch.hardState).toEqual(hard(1, 7));
    writes[0]?.finish();
    await appends.idle();
    appends.flush();
    expect(writes).toHaveLength(1);
    appends.push(commitOnly(hard(1, 8)));
    appends.start();
    await turn();
    appends.flush();
    expect(writes[1]?.batch).toEqual({ entries: [], hardState: hard(1, 8), installed: null });
    writes[1]?.finish();
    await appends.idle();
    expect(events.filter((event) => event.startsWith('done'))).toEqual(['done 1', 'done 1', 'done 1']);
  });

  test('a snapshot is installed after what came before it, and noted with what comes with it', async () => {
    const { appends, writes, events } = pipeline();
    const confState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const snapshot = { index: 90, term: 4, confState, data: new Uint8Array() };
    appends.push(entries(range(5, 5)));
    appends.push({ entries: [], hardState: hard(4, 90), snapshot, mustSync: true });
    appends.push(entries(range(91, 91, 4)));
    appends.start();
    await turn();
    expect(events).toEqual(['write 5@1']);
    writes[0]?.finish();
    await turn();
    // Term and vote are durable before the snapshot is, without a commit index that only it can bear out.
    expect(events).toEqual(['write 5@1', 'done 1', 'write ']);
    expect(writes[1]?.batch).toEqual({ entries: [], hardState: hard(4, 0), installed: null });
    writes[1]?.finish();
    await turn();
    expect(events.slice(3)).toEqual(['install 90', 'write 91@4']);
    expect(writes[2]?.batch).toMatchObject({ hardState: hard(4, 90), installed: { index: 90, term: 4 } });
    writes[2]?.finish();
    await appends.idle();
    expect(events.at(-1)).toBe('done 2');
  });

  test('says when a commit index is durable, and writes it by itself when nothing else is to be written', async () => {
    const { appends, writes, events } = pipeline();
    appends.push(entries(range(1, 2), hard(1, 0)));
    appends.start();
    writes[0]?.finish();
    await appends.idle();
    await appends.commitDurable(0);
    appends.push(commitOnly(hard(1, 2)));
    appends.start();
    await appends.idle();
    const durable = appends.commitDurable(2).then(() => events.push('durable'));
    await turn();
    expect(events.at(-1)).toBe('write ');
    expect(writes[1]?.batch.hardState).toEqual(hard(1, 2));
    writes[1]?.finish();
    await durable;
    await appends.idle();
    appends.push(entries(range(3, 3)));
    appends.start();
    const lost = appends.commitDurable(3);
    writes[2]?.fail(new Error('disk'));
    await expect(lost).rejects.toThrow('disk');
    await expect(appends.commitDurable(3)).rejects.toThrow('disk');
  });

  test('a failed write is told once, acknowledges nothing, and nothing is written after it', async () => {
    const { appends, writes, events } = pipeline();
    appends.push(entries(range(1, 1)));
    appends.start();
    appends.push(entries(range(2, 2)));
    writes[0]?.fail(new Error('disk'));
    await appends.idle();
    appends.push(entries(range(3, 3)));
    appends.start();
    appends.flush();
    await turn();
    expect(events).toEqual(['write 1@1', 'failed disk']);
  });

  test('writes one thing at a time, also where the answer to what needs no write brings more at once', async () => {
    let more: (() => void) | undefined;
    const { appends, writes } = pipeline(1e6, () => more?.());
    appends.push(commitOnly(hard(1, 1)));
    more = () => {
      more = undefined;
      appends.push(entries(range(1, 1)));
      appends.start();
      appends.push(entries(range(2, 2)));
      appends.start();
    };
    appends.start();
    await turn();
    expect(writes).toHaveLength(1);
    writes[0]?.finish();
    await turn();
    writes[1]?.finish();
    await appends.idle();
    expect(writes.flatMap(({ batch }) => batch.entries.map(({ index }) => index))).toEqual([1, 2]);
  });
});
