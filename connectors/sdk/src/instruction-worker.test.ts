import { parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, expect, test } from '@jest/globals';
import { DelayedError, Job, UnrecoverableError } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { RelayOutcome } from './instruction-relay.ts';
import { InstructionWorker } from './instruction-worker.ts';

type Lines = Record<string, unknown>[];
let lines: Lines;
let outcome: () => Promise<RelayOutcome>;
let delays: number[];
let counted: string[];

/** A job as BullMQ hands it over, with nothing behind it. */
function job(overrides: { attemptsStarted?: number } = {}): Job {
  const fields = { id: 'job-1', data: {}, opts: {}, attemptsMade: 0, attemptsStarted: 1, ...overrides };
  return Object.assign(Object.create(Job.prototype) as Job, fields, {
    moveToDelayed: async (timestamp: number) => {
      delays.push(timestamp);
    },
  });
}

function worker(): InstructionWorker {
  const connection = new Redis({ lazyConnect: true });
  return new InstructionWorker(
    {
      network: parseNetworkId('alpha'),
      concurrency: 1,
      retry: { attempts: 5, firstPauseMs: 10, longestPauseMs: 100 },
      handOverMs: 2_000,
      maxHandOvers: 3,
      lockMs: 1_000,
    },
    {
      relay: { attempt: () => outcome() },
      connection,
      metrics: {
        completed: (result) => counted.push(`completed ${result}`),
        refused: (code) => counted.push(`refused ${code}`),
        attempt: (result) => counted.push(result),
      },
      log: pino({}, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
      now: () => 50_000,
      random: () => 0,
    },
  );
}

beforeEach(() => {
  lines = [];
  delays = [];
  counted = [];
});

test('done: the job completes with one word', async () => {
  outcome = async () => ({ type: 'done', result: 'executed' });
  expect(await worker().process(job())).toEqual({ result: 'executed' });
  expect(counted).toEqual(['completed', 'completed executed']);
});

test('later: an attempt is used up, with words', async () => {
  outcome = async () => ({ type: 'later', code: 'FEE_CAP', words: 'gas is dear' });
  const failing = worker().process(job());
  await expect(failing).rejects.toMatchObject({ message: 'FEE_CAP: gas is dear', code: 'FEE_CAP' });
  await expect(failing).rejects.not.toBeInstanceOf(UnrecoverableError);
});

test('never: it goes to the failed set at once', async () => {
  outcome = async () => ({ type: 'never', code: 'INSTRUCTION_SIGNATURE', words: 'not the authority' });
  await expect(worker().process(job())).rejects.toBeInstanceOf(UnrecoverableError);
  expect(counted).toContain('refused INSTRUCTION_SIGNATURE');
});

test('handed over: it waits its turn and no attempt is used up', async () => {
  outcome = async () => ({ type: 'handed-over' });
  await expect(worker().process(job(), 'token')).rejects.toBeInstanceOf(DelayedError);
  expect(delays).toEqual([52_000]);
});

test('handed over too often: the network stands still, and somebody should know', async () => {
  outcome = async () => ({ type: 'handed-over' });
  await expect(worker().process(job({ attemptsStarted: 4 }))).rejects.toMatchObject({ code: 'LEDGER_NOT_FINAL' });
});

test('a bug reaches neither Redis nor the log with its message', async () => {
  outcome = async () => {
    throw new RangeError('amount 12345 of bank X');
  };
  const failing = worker().process(job());
  await expect(failing).rejects.toMatchObject({ code: 'CONNECTOR_FAULT' });
  await failing.catch((error: Error) => expect(`${error.message}${error.stack}`).not.toContain('12345'));
  expect(JSON.stringify(lines)).not.toContain('12345');
  expect(lines[0]).toMatchObject({ name: 'RangeError', jobId: 'job-1' });
});

test('the attempts of a job are ours, whatever it says', async () => {
  outcome = async () => ({ type: 'done', result: 'executed' });
  const jobs = [{}, { attempts: 1 }, { attempts: 3 }, { attempts: 1e9 }].map((opts) => Object.assign(job(), { opts }));
  for (const told of jobs) await worker().process(told);
  expect(jobs.map(({ opts }) => (opts as { attempts?: number }).attempts)).toEqual([5, 5, 5, 5]);
});

test('a job whose counters are impossible is not handed over for ever', async () => {
  outcome = async () => ({ type: 'handed-over' });
  await expect(worker().process(job({ attemptsStarted: -1e9 }))).rejects.toMatchObject({ code: 'LEDGER_NOT_FINAL' });
  expect(delays).toEqual([]);
});
