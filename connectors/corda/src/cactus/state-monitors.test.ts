import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { describe, expect, test } from '@jest/globals';
import type { RecordedState } from './agent-operations.ts';
import { StateMonitors } from './state-monitors.ts';

const STATE = 'com.bank.Note';
const START_MS = 1_000_000;
const body = { clientAppId: 'app', stateFullClassName: STATE };
const PAGE = 2;

/** The node's records, in pages of two. */
class Ledger {
  readonly states: RecordedState[] = [];
  readonly asked: Readonly<{ sinceMs: number; page: number }>[] = [];
  nowMs = START_MS;
  refusal: CactusError | undefined;

  record(ref: string, recordedAtMs: number): void {
    this.states.push({ ref, recordedAtMs, json: JSON.stringify({ ref }) });
    this.states.sort((one, other) => one.recordedAtMs - other.recordedAtMs);
  }

  async clock(): Promise<number> {
    if (this.refusal) throw this.refusal;
    return this.nowMs;
  }

  async recorded(_stateClass: string, sinceMs: number, page: number) {
    if (this.refusal) throw this.refusal;
    this.asked.push({ sinceMs, page });
    const since = this.states.filter(({ recordedAtMs }) => recordedAtMs >= sinceMs);
    const states = since.slice(page * PAGE, (page + 1) * PAGE);
    return { states, more: states.length === PAGE };
  }
}

function bed(options: Readonly<{ maxMonitors?: number; maxHeld?: number }> = {}) {
  const ledger = new Ledger();
  const clock = { nowMs: 0 };
  const limits = { maxMonitors: 2, maxHeld: 100, idleMs: 1_000, ...options };
  const monitors = new StateMonitors(limits, { agent: ledger, now: () => clock.nowMs });
  const refs = async () => {
    const { tx = [] } = await monitors.transactions(body);
    return tx.map(({ index, data }) => [index, (JSON.parse(data) as { ref: string }).ref]);
  };
  return { ledger, clock, monitors, refs };
}

test('what was recorded since the start is told until it is cleared', async () => {
  const { ledger, monitors, refs } = bed();
  ledger.record('before', START_MS - 1);
  expect(await monitors.start(body)).toEqual({ success: true, msg: 'OK' });
  for (let each = 0; each < 5; each += 1) ledger.record(`r${each}`, START_MS + each);
  const all = [0, 1, 2, 3, 4].map((each) => [String(each), `r${each}`]);
  expect(await refs()).toEqual(all);
  expect(await refs()).toEqual(all);
  expect(monitors.clear({ ...body, txIndexes: ['0', '2', '9'] })).toEqual({ success: true, msg: 'OK' });
  expect(await refs()).toEqual([all[1], all[3], all[4]]);
  expect(await monitors.transactions(body)).toMatchObject({ success: true, stateFullClassName: STATE });
});

test('a state that becomes visible late is told, and none twice', async () => {
  const { ledger, monitors, refs } = bed();
  await monitors.start(body);
  ledger.record('b', START_MS + 100_000);
  expect(await refs()).toEqual([['0', 'b']]);
  ledger.record('a', START_MS + 50_000);
  expect(await refs()).toEqual([
    ['0', 'b'],
    ['1', 'a'],
  ]);
  expect(ledger.asked.at(-1)?.sinceMs).toBe(START_MS + 40_000);
});

test('what does not fit waits at the node, not lost', async () => {
  const { ledger, monitors, refs } = bed({ maxHeld: 3 });
  await monitors.start(body);
  for (let each = 0; each < 5; each += 1) ledger.record(`r${each}`, START_MS + each);
  expect((await refs()).map(([, ref]) => ref)).toEqual(['r0', 'r1', 'r2']);
  monitors.clear({ ...body, txIndexes: ['0', '1'] });
  expect((await refs()).map(([, ref]) => ref)).toEqual(['r2', 'r3', 'r4']);
});

test('questions at the same time tell nothing twice', async () => {
  const { ledger, monitors, refs } = bed();
  await monitors.start(body);
  ledger.record('a', START_MS);
  await Promise.all([refs(), refs(), refs()]);
  expect(await refs()).toEqual([['0', 'a']]);
});

describe('without a monitor', () => {
  test('there is nothing to tell or clear, and stopping is no fault', async () => {
    const { monitors } = bed();
    const refused = { success: false, msg: expect.stringContaining('no monitor') };
    expect(await monitors.transactions(body)).toEqual(refused);
    expect(monitors.clear({ ...body, txIndexes: [] })).toEqual(refused);
    expect(monitors.stop(body)).toEqual({ success: true, msg: 'OK' });
  });

  test('after a stop a new one begins anew', async () => {
    const { ledger, monitors, refs } = bed();
    await monitors.start(body);
    ledger.record('a', START_MS);
    await refs();
    monitors.stop(body);
    ledger.nowMs = START_MS + 1;
    await monitors.start(body);
    expect(await refs()).toEqual([]);
  });
});

test('a class that may not be read is told as upstream tells it; an agent that is away is an error', async () => {
  const { ledger, monitors } = bed();
  ledger.refusal = new CactusError('METHOD_NOT_ALLOWED', 'not this one');
  expect(await monitors.start(body)).toEqual({ success: false, msg: 'not this one' });
  ledger.refusal = new CactusError('LEDGER_UNAVAILABLE', 'away');
  await expect(monitors.start(body)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('a failure of one question does not end the monitor', async () => {
  const { ledger, monitors, refs } = bed();
  await monitors.start(body);
  ledger.record('a', START_MS);
  ledger.refusal = new CactusError('LEDGER_UNAVAILABLE', 'away');
  await expect(monitors.transactions(body)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  ledger.refusal = undefined;
  expect(await refs()).toEqual([['0', 'a']]);
});

test('there are no more monitors than allowed, and idle ones make room', async () => {
  const { clock, monitors, refs } = bed({ maxMonitors: 2 });
  await monitors.start(body);
  await monitors.start({ ...body, clientAppId: 'other' });
  expect(await monitors.start({ ...body, clientAppId: 'third' })).toMatchObject({ success: false });
  expect(await monitors.start(body)).toMatchObject({ success: true });
  clock.nowMs = 1_001;
  await refs();
  expect(await monitors.start({ ...body, clientAppId: 'third' })).toMatchObject({ success: true });
  expect(await monitors.transactions({ ...body, clientAppId: 'other' })).toMatchObject({ success: false });
  expect(await monitors.transactions(body)).toMatchObject({ success: true });
});
