/** Whatever entries come in whatever order: ids rise, refusals change nothing, bytes come back as they were. */

import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { expect, test } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import { decodeMembership, encodeMembership } from './membership-codec.ts';
import { presentNodes } from './membership-state.ts';
import { describeNode, Ledger, nodeId, rekeyFor, rulesFor } from './testing/nodes.ts';

const KEYS = 6;
const key = fc.nat(KEYS - 1);
const raftId = fc.integer({ min: 1, max: 12 });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

type Step = Readonly<{ entry: ServiceEntry; listed: readonly number[]; version: number; rekeyDue: number }>;
const entry: fc.Arbitrary<ServiceEntry> = fc.oneof(
  fc.record({ n: key, versions: fc.subarray([1, 2]), replaces: fc.option(raftId, { nil: undefined }) }).map(
    ({ n, versions, replaces }): ServiceEntry => ({
      type: 'admitNode',
      node: describeNode(n, { versions }),
      ...(replaces !== undefined && { replaces }),
    }),
  ),
  fc.record({ raftId, n: key }).map(
    ({ raftId: id, n }): ServiceEntry => ({
      type: 'updateNode',
      raftId: id,
      node: describeNode(n, { apiAddress: 'elsewhere:1' }),
    }),
  ),
  raftId.map((id): ServiceEntry => ({ type: 'nodeLeft', raftId: id })),
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.uniqueArray(key)).map(([epoch, nodes]) => rekeyFor(epoch, nodes)),
  fc.constant<ServiceEntry>({ type: 'snapshotMark' }),
  fc.tuple(fc.integer({ min: 1, max: 40 }), digest).map(
    ([seqno, bytes]): ServiceEntry => ({
      type: 'snapshotEvidence',
      seqno,
      digest: bytes,
    }),
  ),
);
const step: fc.Arbitrary<Step> = fc.record({
  entry,
  listed: fc.uniqueArray(key, { minLength: 1 }),
  version: fc.integer({ min: 1, max: 2 }),
  rekeyDue: fc.nat(4),
});

function run(steps: readonly Step[], check: (ledger: Ledger, before: Ledger['state'], ok: boolean) => void): Ledger {
  const ledger = new Ledger();
  for (const { entry: next, listed, version, rekeyDue } of steps) {
    ledger.rules = rulesFor(listed, { protocolVersion: version, rekeyDue });
    const before = ledger.state;
    const copy = structuredClone(before);
    const { ok } = ledger.apply(next);
    expect(before).toEqual(copy);
    check(ledger, before, ok);
  }
  return ledger;
}

test('ids and epochs rise, only listed keys come in, and a refusal changes nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      run(steps, ({ state, rules }, before, ok) => {
        if (!ok) expect(state).toBe(before);
        expect([...state.nodes.keys()]).toEqual([...state.nodes.keys()].sort((a, b) => a - b));
        expect(state.nextRaftId).toBeGreaterThan(Math.max(...state.nodes.keys()));
        expect([0, 1]).toContain(state.nextRaftId - before.nextRaftId);
        expect([0, 1]).toContain(state.epoch - before.epoch);
        expect(state.revision - before.revision).toBe(state.nodes === before.nodes ? 0 : 1);
        for (const [id, row] of state.nodes) {
          if (!before.nodes.has(id)) expect(rules.nodes.has(row.nodeId)).toBe(true);
          expect(row.replaces.every((other) => state.nodes.get(other)?.left === false)).toBe(true);
        }
        // What a receipt names is never forgotten.
        const known = new Set([...state.nodes.values()].map((row) => row.nodeId));
        for (const { nodeId: id } of before.nodes.values()) expect(known.has(id)).toBe(true);
        if (state.epoch > before.epoch) {
          expect(presentNodes(state).every((row) => rules.nodes.has(row.nodeId))).toBe(true);
        }
      });
    }),
    { numRuns: 80 },
  );
});

test('bytes come back as they were, equal states have equal ones, and damaged ones are refused', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (steps, at, flip) => {
      const { state } = run(steps, () => undefined);
      const bytes = encodeMembership(state);
      const read = decodeMembership(bytes);
      expect(read).toEqual(state);
      expect(encodeMembership(read)).toEqual(bytes);
      expect(encodeMembership(run(steps, () => undefined).state)).toEqual(bytes);
      const damaged = Uint8Array.from(bytes);
      const place = at % bytes.length;
      damaged[place] = (damaged[place] ?? 0) ^ flip;
      try {
        expect(encodeMembership(decodeMembership(damaged))).toEqual(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 80 },
  );
});

test('rows out of order, of unknown version or with a flag that is none are refused', () => {
  const ledger = new Ledger();
  ledger.rules = rulesFor([0, 1]);
  ledger.admit(1);
  const row = (id: number, left: unknown = false): unknown => [
    [id, Buffer.from(nodeId(id), 'hex'), 'c', 'e', 'p', 'a', 'virtual', [1], new Uint8Array(16)],
    [],
    left,
  ];
  const membership = (version: number, rows: readonly unknown[]): Uint8Array =>
    encode([version, rows, 9, 1, 1, 0, null, null]);
  expect(decodeMembership(membership(1, [row(1), row(2)])).nodes.size).toBe(2);
  for (const bytes of [
    membership(2, []),
    membership(1, [row(2), row(1)]),
    membership(1, [row(1), row(1)]),
    membership(1, [row(1, 1)]),
  ]) {
    expect(() => decodeMembership(bytes)).toThrow(ProtocolError);
  }
});
