import { parseNetworkId } from '@drawbridge/protocol/ids';
import { describe, expect, it } from '@jest/globals';
import type { Job } from 'bullmq';
import type { EvidenceAnswer } from './core-relay.ts';
import { EvidenceCourier } from './evidence-courier.ts';

const network = parseNetworkId('quorum-a');

function courier(answerTo: (jobId: string) => EvidenceAnswer | Error) {
  const requests: string[][] = [];
  let told = 0;
  const made = new EvidenceCourier(
    { network, batch: 3, gatherMs: 1, earlyRetryMs: 500 },
    {
      core: {
        outbox: async () => ({ items: [], next: 0 }),
        async postEvidence(_network, items) {
          requests.push(items.map((item) => item.jobId));
          return items.map(({ jobId }) => {
            const answer = answerTo(jobId);
            if (answer instanceof Error) throw answer;
            return answer;
          });
        },
      },
      metrics: { answered: () => undefined },
      now: () => 1_000,
      onAccepted: () => {
        told += 1;
      },
    },
  );
  return { made, requests, told: () => told };
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

  it('tells at once of what the core took, and of nothing else', async () => {
    const took = courier((jobId) => ({ jobId, result: jobId === 'b' ? 'accepted' : 'duplicate' }));
    await Promise.all(['a', 'b', 'c'].map((id) => took.made.carry(job(id))));
    expect(took.told()).toBe(1);
    const known = courier((jobId) => ({ jobId, result: 'duplicate' }));
    await known.made.carry(job('a'));
    expect(known.told()).toBe(0);
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
