import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { SECTOR_BYTES } from './inode.ts';
import { ProcessGate } from './process-gate.ts';
import { quiescence } from './quiescence.ts';
import { Random } from './random.ts';
import { SimDisk } from './sim-disk.ts';
import { VirtualClock } from './virtual-clock.ts';

const bytes = (sectors: number, value: number): Buffer => Buffer.alloc(sectors * SECTOR_BYTES, value);

function disk(seed = 'disk') {
  const clock = new VirtualClock();
  const simulated = new SimDisk({ writeUs: 100, syncUs: 100 }, clock, new Random(seed));
  /** Lets time pass until the call has ended. */
  const done = async <T>(call: Promise<T>): Promise<T> => {
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    call.then(end, end);
    await quiescence();
    while (!ended) {
      clock.take()?.run();
      await quiescence();
    }
    return call;
  };
  /** A file of zeros that is durable, name and all. */
  const prepared = async (gate: ProcessGate, sectors: number) => {
    const session = simulated.session(gate);
    const file = await done(session.open('/d/file', 'create'));
    await done(file.write(bytes(sectors, 0), 0));
    await done(file.sync());
    await done(session.syncDirectory('/d'));
    return session;
  };
  const contents = async (): Promise<Buffer> => {
    const file = await simulated.session(new ProcessGate()).open('/d/file', 'read');
    return file.read(0, file.size);
  };
  return { clock, simulated, done, prepared, contents };
}

const written = (content: Buffer): number[] =>
  Array.from({ length: content.length / SECTOR_BYTES }, (_, at) => content[at * SECTOR_BYTES] ?? 0);

describe('simulated disk', () => {
  test('what a durable write or a sync has ended with survives the loss of power', async () => {
    const { simulated, done, prepared, contents } = disk();
    const session = await prepared(new ProcessGate(), 4);
    const file = await done(session.open('/d/file', 'durable'));
    await done(file.write(bytes(2, 7), SECTOR_BYTES));
    simulated.losePower();
    expect(written(await contents())).toEqual([0, 7, 7, 0]);
  });

  test('of a write that was not synced, any sectors may be there; all that is seen before is whole', async () => {
    const results = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { simulated, done, prepared, contents } = disk(`power ${seed}`);
      const session = await prepared(new ProcessGate(), 3);
      const file = await done(session.open('/d/file', 'read'));
      await done(file.write(bytes(3, 9), 0));
      expect(written(await contents())).toEqual([9, 9, 9]);
      simulated.losePower();
      results.add(written(await contents()).join());
    }
    expect([...results].sort()).toContain('0,0,0');
    expect(results.size).toBeGreaterThan(4);
  });

  test('a process that is killed leaves what it wrote; a write under way may be there in part, from the front', async () => {
    const results = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { simulated, done, prepared, contents } = disk(`kill ${seed}`);
      const gate = new ProcessGate();
      const session = await prepared(gate, 3);
      const file = await done(session.open('/d/file', 'durable'));
      let answered = false;
      void file.write(bytes(3, 9), 0).then(() => {
        answered = true;
      });
      await quiescence();
      gate.end();
      simulated.kill();
      results.add(written(await contents()).join());
      expect(answered).toBe(false);
    }
    expect([...results].sort()).toEqual(['0,0,0', '9,0,0', '9,9,0', '9,9,9']);
  });

  test('names that no sync of their folder covered may be gone', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const { simulated, done, prepared } = disk(`names ${seed}`);
      const session = await prepared(new ProcessGate(), 1);
      await done(session.rename('/d/file', '/d/other'));
      simulated.losePower();
      outcomes.add((await simulated.session(new ProcessGate()).list('/d')).join());
    }
    expect([...outcomes].sort()).toEqual(['file', 'other']);
  });

  test('a lying disk answers before the bytes are there, and loses them with the power', async () => {
    const { simulated, done, prepared, contents } = disk();
    const session = await prepared(new ProcessGate(), 1);
    simulated.lateByUs = 1_000_000;
    const file = await done(session.open('/d/file', 'durable'));
    await done(file.write(bytes(1, 7), 0));
    expect(written(await contents())).toEqual([7]);
    simulated.losePower();
    expect(written(await contents())).toEqual([0]);
    simulated.wipe();
    expect(simulated.isEmpty).toBe(true);
  });

  test('a write that will fail counts from its beginning until the process has ended', async () => {
    const { simulated, done, prepared } = disk();
    const session = await prepared(new ProcessGate(), 2);
    const file = await done(session.open('/d/file', 'durable'));
    simulated.slowness = 1_000;
    simulated.failures = 1;
    const written = file.write(bytes(1, 1), 0);
    expect([simulated.failures, simulated.failing]).toEqual([0, true]);
    await expect(done(written)).rejects.toMatchObject({ code: 'EIO' });
    expect(simulated.failing).toBe(true);
    simulated.kill();
    expect(simulated.failing).toBe(false);
  });

  test('full, failing, rolled back and rotten', async () => {
    const { simulated, done, prepared, contents } = disk();
    const session = await prepared(new ProcessGate(), 2);
    const image = simulated.image();
    const file = await done(session.open('/d/file', 'durable'));
    simulated.full = true;
    await expect(done(session.open('/d/new', 'create'))).rejects.toMatchObject({
      message: expect.stringContaining('ENOSPC'),
    });
    await expect(done(file.write(bytes(1, 1), 2 * SECTOR_BYTES))).rejects.toMatchObject({ code: 'ENOSPC' });
    await done(file.write(bytes(1, 1), 0));
    simulated.full = false;
    simulated.failures = 1;
    await expect(done(file.write(bytes(1, 2), 0))).rejects.toMatchObject({ code: 'EIO' });
    simulated.rollBack(image);
    expect(written(await contents())).toEqual([0, 0]);
    expect(simulated.rot()).toMatch(/^\/d\/file at \d+$/);
    expect((await contents()).some((byte) => byte !== 0)).toBe(true);
  });
});
