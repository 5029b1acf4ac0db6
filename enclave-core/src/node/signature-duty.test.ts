import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppliedEntry } from './replicated-machine.ts';
import { SignatureDuty, type SignatureDutyOptions } from './signature-duty.ts';
import { ManualTimers } from './testing/manual-timers.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const children = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
const root = createHash('sha256').update(Buffer.concat(children)).digest();
const entry = (index: number): AppliedEntry => ({ index, term: 2, kind: 'settlement', bytes: 1 });

describe('duty to sign', () => {
  let timers: ManualTimers;
  let leads: boolean;
  let size: number;
  let view: number;
  let proposed: { entry: SignatureEntry; taken: () => void; lost: (error: unknown) => void }[];
  beforeEach(() => {
    timers = new ManualTimers();
    leads = true;
    size = 2;
    view = 2;
    proposed = [];
  });
  const make = (options: SignatureDutyOptions = {}): SignatureDuty =>
    new SignatureDuty(options, {
      nodeId: 'n' as NodeId,
      sign: async (message) => sign('sha256', message, privateKey),
      leads: () => leads,
      tree: () => ({ size, root, children }),
      view: () => view,
      propose: (signature) =>
        new Promise<void>((resolve, reject) => proposed.push({ entry: signature, taken: resolve, lost: reject })),
      timers,
      monotonicMs: () => timers.nowMs,
    });
  /** A signature is made on another thread. */
  const apply = async (duty: SignatureDuty, ...indexes: number[]): Promise<void> => {
    size = Math.max(...indexes) + 1;
    duty.applied(indexes.map(entry));
    await nextTurn();
  };
  const advance = async (ms: number): Promise<void> => {
    timers.advance(ms);
    await nextTurn();
  };
  const signed = async (duty: SignatureDuty): Promise<void> => {
    const signature = proposed.at(-1);
    if (!signature) throw new Error('nothing was signed');
    duty.applied([{ ...entry(signature.entry.size + 1), kind: 'signature', signature: signature.entry }]);
    signature.taken();
    await nextTurn();
  };

  it('signs at once while the ledger is quiet, over the root as a digest', async () => {
    await apply(make(), 5);
    expect(proposed.map(({ entry: { size: signed } }) => signed)).toEqual([6]);
    const [first] = proposed;
    expect(verify('sha256', Buffer.concat(children), publicKey, first?.entry.signature ?? Buffer.alloc(0))).toBe(true);
    expect(Buffer.from(first?.entry.root ?? []).equals(root)).toBe(true);
  });

  it('under load waits 50 ms, or 1,000 entries', async () => {
    const duty = make();
    await apply(duty, 5);
    await apply(duty, 6);
    await signed(duty);
    expect(proposed).toHaveLength(1);
    await advance(49);
    expect(proposed).toHaveLength(1);
    await advance(1);
    expect(proposed.map(({ entry: { size: signed } }) => signed)).toEqual([6, 7]);
    await signed(duty);
    await apply(duty, ...Array.from({ length: 999 }, (_, i) => 10 + i));
    expect(proposed).toHaveLength(2);
    await apply(duty, 2_000);
    expect(proposed).toHaveLength(3);
  });

  it('signs at once for who waits', async () => {
    const duty = make();
    await apply(duty, 5);
    await signed(duty);
    await apply(duty, 6);
    expect(proposed).toHaveLength(1);
    duty.hurry();
    await nextTurn();
    expect(proposed).toHaveLength(2);
  });

  it('signs nothing twice, and no signature', async () => {
    const duty = make();
    await apply(duty, 5);
    await signed(duty);
    await advance(1_000);
    duty.hurry();
    await nextTurn();
    expect(proposed).toHaveLength(1);
  });

  it('leaves it to whoever leads, and takes over what is unsigned when it begins to lead', async () => {
    leads = false;
    const duty = make();
    await apply(duty, 5);
    expect(proposed).toHaveLength(0);
    leads = true;
    duty.began();
    await nextTurn();
    expect(proposed).toHaveLength(1);
  });

  it('does not sign again what another leader has signed', async () => {
    leads = false;
    const duty = make();
    await apply(duty, 5);
    const signature = { size: 6, view: 2, root, nodeId: 'm' as NodeId, signature: Buffer.alloc(1) };
    duty.applied([{ ...entry(6), kind: 'signature', signature }]);
    leads = true;
    duty.began();
    await nextTurn();
    expect(proposed).toHaveLength(0);
  });

  it('proposes nothing of a view that went by while it signed, and signs again', async () => {
    const duty = make();
    size = 6;
    duty.applied([entry(5)]);
    view = 3;
    await nextTurn();
    expect(proposed).toHaveLength(0);
    await advance(50);
    expect(proposed.map(({ entry: signature }) => [signature.size, signature.view])).toEqual([[6, 3]]);
  });

  it('proposes nothing when it was stopped while it signed', async () => {
    const duty = make();
    size = 6;
    duty.applied([entry(5)]);
    duty.stop();
    await nextTurn();
    await advance(1_000);
    expect(proposed).toHaveLength(0);
  });

  it('signs again what was lost, not at once', async () => {
    const duty = make();
    await apply(duty, 5);
    proposed[0]?.lost(new Error('not taken'));
    await nextTurn();
    expect(proposed).toHaveLength(1);
    await advance(200);
    expect(proposed).toHaveLength(2);
  });

  it('stops', async () => {
    const duty = make();
    duty.stop();
    await apply(duty, 5);
    await advance(1_000);
    expect(proposed).toHaveLength(0);
  });
});
