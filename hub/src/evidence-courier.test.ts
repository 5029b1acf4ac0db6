import { parseNetworkId } from '@drawbridge/protocol/ids';
import { describe, expect, it } from '@jest/globals';
import type { Job } from 'bullmq';
import type { EvidenceAnswer } from './core-relay.ts';
import { EvidenceCourier } from './evidence-courier.ts';

const network = parseNetworkId('quorum-a');

function courier(answerTo: (jobId: string) => EvidenceAnswer | Error | Promise<EvidenceAnswer>, gatherMs = 1) {
  const requests: string[][] = [];
  const made = new EvidenceCourier(
    { network, batch: 3, gatherMs, earlyRetryMs: 500 },
    {
      core: {
        outbox: async () => ({ items: [], next: 0 }),
        async postEvidence(_network, items) {
          requests.push(items.map((item) => item.jobId));
          return Promise.all(
            items.map(async ({ jobId }) => {
              const answer = await answerTo(jobId);
              if (answer instanceof Error) throw answer;
              return answer;
            }),
          );
        },
      },
      metrics: { answered: () => undefined },
      now: () => 1_000,
    },
  );
  return { made, requests };
}

/** The fields of a BullMQ job that the courier uses. */
function job(id: string, delays: number[] = [], data: unknown = { v: 1, sealed: 'c2VhbGVk' }): Job {
  const fields = { id, data, timestamp: 900, moveToDelayed: async (at: number) => void delays.push(at) };
  return fields as object as Job;
}

describe('EvidenceCourier', () => {
  it('carries several items in one request and ends each by its own answer', async () => {
    const { made, requests } = courier((jobId) => ({ jobId, result: jobId === 'b' ? 'duplicate' : 'accepted' }));
    const ends = await Promise.all(['a', 'b', 'c'].map((id) => made.carry(job(id))));
    expect(requests).toEqual([['a', 'b', 'c']]);
    expect(ends).toEqual([{ result: 'accepted' }, { result: 'duplicate' }, { result: 'accepted' }]);
  });

  it('lets an item that comes alone wait for nobody, and gathers while the core is asked', async () => {
    const NEVER_MS = 3_600_000;
    let answer: (given: EvidenceAnswer) => void = () => undefined;
    const first = new Promise<EvidenceAnswer>((resolve) => {
      answer = resolve;
    });
    const { made, requests } = courier((jobId) => (jobId === 'a' ? first : { jobId, result: 'accepted' }), NEVER_MS);
    const alone = made.carry(job('a'));
    while (requests.length === 0) await new Promise(setImmediate);
    const gathered = ['b', 'c', 'd'].map((id) => made.carry(job(id)));
    await Promise.all(gathered);
    expect(requests).toEqual([['a'], ['b', 'c', 'd']]);
    answer({ jobId: 'a', result: 'accepted' });
    expect(await alone).toEqual({ result: 'accepted' });
    expect(await made.carry(job('e'))).toEqual({ result: 'accepted' });
  });

  it('offers an early item again later, without using up an attempt', async () => {
    const delays: number[] = [];
    const { made } = courier((jobId) => ({ jobId, result: 'early' }));
    await expect(made.carry(job('a', delays))).rejects.toMatchObject({ name: 'DelayedError' });
    expect(delays).toEqual([1_500]);
  });

  it('fails a refused item for good, with the code in words', async () => {
    const { made } = courier((jobId) => ({ jobId, result: 'refused', code: 'SIGNATURE', detail: 'secret party' }));
    const failure = await made.carry(job('a')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'UnrecoverableError', message: 'refused by the core: SIGNATURE' });
  });

  it('does not let one malformed item hold up the others', async () => {
    const refusal = Object.assign(new Error('no'), { code: 'REQUEST_INVALID', status: 400 });
    const { made, requests } = courier((jobId) => (jobId === 'bad' ? refusal : { jobId, result: 'accepted' }));
    const ends = await Promise.allSettled(['a', 'bad', 'c'].map((id) => made.carry(job(id))));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(requests).toHaveLength(4);
  });

  it('keeps the text of a transport error out of Redis', async () => {
    const leak = Object.assign(new Error('POST body: amount 123'), { code: 'ECONNREFUSED' });
    const { made } = courier(() => leak);
    await expect(made.carry(job('a'))).rejects.toThrow('the core could not be asked: ECONNREFUSED');
  });

  it('refuses a job that is not sealed', async () => {
    const { made, requests } = courier((jobId) => ({ jobId, result: 'accepted' }));
    await expect(made.carry(job('a', [], { amount: '1' }))).rejects.toMatchObject({ name: 'UnrecoverableError' });
    expect(requests).toEqual([]);
  });
});
