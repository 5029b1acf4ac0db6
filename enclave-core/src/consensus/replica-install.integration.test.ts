import { afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { LogBatch, LogStore, SnapshotPoint } from './ports.ts';
import { loadRaftModule } from './raft-engine.ts';
import { type Member, type Overrides, ReplicaGroup, text } from './testing/replica-group.ts';

/** Generous, because the machine may be busy; nothing waits for time to pass. */
jest.setTimeout(60_000);

let module: WebAssembly.Module;
let group: ReplicaGroup;
beforeAll(async () => {
  module = await loadRaftModule();
});
afterEach(() => group?.stopAll());

/** Ticks that a member has for an install. */
const INSTALL_TICKS = 60;
const overrides: Overrides = {
  snapshotEvery: 40,
  options: { cachedEntries: 5, snapshotInstallTicks: INSTALL_TICKS, snapshotRetryTicks: 10 },
};

async function write(leader: Member, from: number, to: number): Promise<string[]> {
  const lines = Array.from({ length: to - from }, (_, at) => `line ${from + at}`);
  for (let at = 0; at < lines.length; at += 10) {
    await group.settled(Promise.all(lines.slice(at, at + 10).map((line) => leader.replica.propose(text(line)))));
  }
  return lines;
}

/** A group whose third member was away until it needs a snapshot, which it is then given but does not finish installing. */
async function installing(): Promise<{ leader: Member; behind: Member; lines: string[]; finish: () => void }> {
  group = new ReplicaGroup(module, [1, 2, 3]);
  await group.startAll(overrides);
  const leader = await group.leader();
  const behind = group.member(leader.id === 3 ? 2 : 3);
  group.isolate(behind.id);
  const lines = await write(leader, 0, 100);
  await group.until(() => leader.replica.status().firstIndex > 50);
  let began = false;
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  behind.machine.beforeInstall = (signal) => {
    began = true;
    return new Promise((resolve, reject) => {
      void held.then(resolve);
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });
  };
  group.heal();
  await group.until(() => began);
  return { leader, behind, lines, finish };
}

test('while a snapshot is installed the group goes on: no election, no second snapshot before its time, no growth', async () => {
  const { leader, behind, lines, finish } = await installing();
  const { term } = leader.replica.status();
  const sent = group.snapshotsTo.length;
  const memory = behind.replica.status().engineMemoryBytes;
  await expect(group.settled(behind.replica.readIndex())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  for (let round = 0; round < 4; round++) {
    lines.push(...(await write(leader, lines.length, lines.length + 20)));
    for (let ticks = 0; ticks < INSTALL_TICKS / 2; ticks++) await group.tick();
  }
  expect(leader.replica.status()).toMatchObject({ role: 'leader', term });
  expect(behind.replica.status()).toMatchObject({ role: 'follower', term, leader: leader.id });
  expect(behind.replica.appliedIndex).toBeLessThan(50);
  expect(group.snapshotsTo.length - sent).toBeLessThanOrEqual(4);
  expect(behind.replica.status().engineMemoryBytes - memory).toBeLessThan(2 ** 20);
  finish();
  await group.caughtUp(behind.id, lines);
  expect(behind.machine.lines).toEqual(lines);
  expect(behind.machine.installedFrom.length).toBeGreaterThan(0);
  expect(behind.machine.restored).toBe(1);
  // It has it all on disk, too.
  await group.crash(behind.id);
  expect((await group.start(behind.id, overrides)).machine.installedFrom).toEqual([]);
  await group.caughtUp(behind.id, lines);
});

test('term and vote are durable before a received snapshot is, and a commit index before the snapshot that it covers', async () => {
  group = new ReplicaGroup(module, [1, 2, 3]);
  const written = new Map<number, string[]>();
  const noting = (id: number): Overrides => {
    const notes: string[] = [];
    written.set(id, notes);
    const wrapStore = (store: LogStore): LogStore =>
      Object.assign(Object.create(store) as LogStore, {
        load: () => store.load(),
        dropBefore: store.dropBefore.bind(store),
        async append(batch: LogBatch) {
          await store.append(batch);
          if (batch.hardState) notes.push(`term ${batch.hardState.term} commit ${batch.hardState.commit}`);
        },
        async beginSnapshot(point: SnapshotPoint) {
          const writer = await store.beginSnapshot(point);
          const keep = async (head: Uint8Array): Promise<void> => {
            notes.push(`snapshot ${point.index}`);
            await writer.keep(head);
          };
          return { ...writer, keep };
        },
      });
    return { ...overrides, wrapStore };
  };
  for (const id of [1, 2, 3]) await group.start(id, noting(id));
  const first = await group.leader();
  const away = group.member(first.id === 3 ? 2 : 3);
  group.isolate(away.id);
  // Another term begins while it is away.
  const other = [1, 2, 3].find((id) => id !== first.id && id !== away.id) ?? 0;
  await group.settled(first.replica.transferLeadership(other));
  const leader = group.member(other);
  const lines = await write(leader, 0, 100);
  await group.until(() => leader.replica.status().firstIndex > 50);
  group.heal();
  await group.caughtUp(away.id, lines);
  const { term } = leader.replica.status();
  const commitBefore = (notes: readonly string[], at: number): number =>
    Math.max(0, ...notes.slice(0, at).map((note) => Number(/commit (\d+)/.exec(note)?.[1] ?? 0)));
  for (const [id, notes] of written) {
    for (const [at, note] of notes.entries()) {
      const index = Number(/^snapshot (\d+)/.exec(note)?.[1] ?? 0);
      if (index <= 1) continue;
      if (id === away.id) expect(notes.slice(0, at).some((line) => line.startsWith(`term ${term} `))).toBe(true);
      else expect(commitBefore(notes, at)).toBeGreaterThanOrEqual(index);
    }
    expect(notes.filter((note) => note.startsWith('snapshot')).length).toBeGreaterThan(1);
  }
});

test('what cannot be sent is said once of each cause, and tried again after longer and longer pauses', async () => {
  group = new ReplicaGroup(module, [1, 2, 3]);
  const said: string[] = [];
  const log = (_level: string, text: string): unknown => said.push(text);
  await group.startAll({ ...overrides, dependencies: { log } });
  const leader = await group.leader();
  const behind = group.member(leader.id === 3 ? 2 : 3);
  group.isolate(behind.id);
  const lines = await write(leader, 0, 100);
  await group.until(() => leader.replica.status().firstIndex > 50);
  let ticks = 0;
  const triedAt: number[] = [];
  group.refuseSnapshot = () => {
    triedAt.push(ticks);
    return Object.assign(new Error(`try ${triedAt.length}`), { code: triedAt.length < 6 ? 'TOO_LARGE' : 'REFUSED' });
  };
  group.heal();
  for (; triedAt.length < 7; ticks++) await group.tick();
  const pauses = triedAt.slice(1).map((at, i) => at - (triedAt[i] ?? 0));
  // Raft takes some ticks more to come to it.
  for (const [i, factor] of [1, 2, 4, 8, 8, 8].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(10 * factor);
  expect(Math.max(...pauses)).toBeLessThan(100);
  const refusals = said.filter((text) => text.includes('could not be sent'));
  expect(refusals.map((text) => /member \d+: .*/.exec(text)?.[0])).toEqual([
    `member ${behind.id}: TOO_LARGE`,
    `member ${behind.id}: REFUSED`,
  ]);
  group.refuseSnapshot = undefined;
  await group.caughtUp(behind.id, lines);
});

test('a member is sent the head alone, and keeps what its state machine made from it', async () => {
  group = new ReplicaGroup(module, [1, 2, 3]);
  await group.startAll(overrides);
  const leader = await group.leader();
  const behind = group.member(leader.id === 3 ? 2 : 3);
  group.isolate(behind.id);
  await write(leader, 0, 100);
  await group.until(() => leader.replica.status().firstIndex > 50);
  const point = { index: leader.machine.lastIndex, term: leader.machine.lastTerm, confState: leader.replica.members };
  const writer = await leader.replica.beginSnapshot(point);
  await writer.add(text('[of the leader]'));
  await group.settled(leader.replica.keepSnapshot(writer, text('head')));
  const heads: string[] = [];
  behind.machine.install = async (_from, head, into) => {
    heads.push(Buffer.from(head).toString());
    behind.machine.lastIndex = into.point.index;
    await into.add(text('[made]'));
  };
  group.heal();
  await group.until(() => heads.length > 0 && behind.replica.appliedIndex === leader.replica.appliedIndex);
  expect(heads).toEqual(['head']);
  const kept = [...behind.disk.files].filter(([name]) => name.endsWith('.dbsnap')).map(([, bytes]) => bytes);
  expect(kept.some((bytes) => bytes.includes('[made]') && bytes.includes('head'))).toBe(true);
  expect(kept.some((bytes) => bytes.includes('[of the leader]'))).toBe(false);
});

test('what an install wrote before it failed is given back', async () => {
  const { behind } = await installing();
  const temporary = (): string[] => [...behind.disk.files.keys()].filter((name) => name.endsWith('.dbsnap.tmp'));
  expect(temporary()).toHaveLength(1);
  await group.crash(behind.id);
  await group.until(() => temporary().length === 0);
});

test('as soon as one is installed the leader goes on with what came meanwhile', async () => {
  const { leader, behind, lines, finish } = await installing();
  lines.push(...(await write(leader, lines.length, lines.length + 100)));
  await group.until(() => leader.replica.status().firstIndex > 150);
  finish();
  for (let ticks = 0; ticks < INSTALL_TICKS / 4; ticks++) await group.tick();
  expect(behind.machine.lines).toEqual(lines);
});

test('a member that ends while it installs begins anew, and is sent a snapshot again when it is back', async () => {
  const { leader, behind, lines } = await installing();
  await group.crash(behind.id);
  leader.replica.reportUnreachable(behind.id);
  const again = await group.start(behind.id, overrides);
  expect(again.machine.lines).toEqual([]);
  for (let ticks = 0; ticks < INSTALL_TICKS / 4; ticks++) await group.tick();
  expect(again.machine.lines).toEqual(lines);
  expect(behind.fatal).toEqual([]);
});

test('a snapshot that the state machine refuses ends the replica, and is not kept', async () => {
  const { behind } = await installing();
  const { id } = behind;
  await group.crash(id);
  const again = await group.start(id, overrides);
  again.machine.beforeInstall = () => Promise.reject(new RangeError('not what the evidence says'));
  await group.until(() => again.fatal.length > 0);
  expect(again.fatal).toMatchObject([{ message: 'not what the evidence says' }]);
  expect([...again.disk.files.keys()].filter((name) => name.endsWith('.dbsnap'))).toEqual([
    `log-${id}/snapshot-0000000000000001.dbsnap`,
  ]);
});
