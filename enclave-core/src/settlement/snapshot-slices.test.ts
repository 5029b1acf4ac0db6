import { describe, expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import { decodeSnapshot, encodeSnapshot, snapshotSlices } from './snapshot.ts';
import { BANK_A, World } from './testing/world.ts';

function worldOf(transfers: number): World {
  const world = new World();
  world.deposit(BANK_A, 1_000_000n);
  for (let i = 0; i < transfers; i++) world.submit(world.fromAlpha());
  for (let i = 0; i < transfers; i++) world.submit(world.terms({ amountMinor: 1n }));
  return world;
}

describe('snapshots in slices', () => {
  test('are one canonical CBOR value', () => {
    for (const size of [0, 5]) {
      const bytes = encodeSnapshot(worldOf(size).state);
      expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0);
    }
  });

  test('hold the state as it was before the first pause, whatever happens between the slices', () => {
    const world = worldOf(12);
    const before = encodeSnapshot(world.state);
    const slices = snapshotSlices(world.state);
    let pauses = 0;
    for (;;) {
      const slice = slices.next();
      if (slice.done) {
        expect(Buffer.compare(slice.value, before)).toBe(0);
        break;
      }
      pauses += 1;
      if (pauses % 8 !== 1) continue;
      world.submit(world.terms({ amountMinor: 1n }));
      world.submit(world.fromAlpha());
    }
    expect(pauses).toBeGreaterThan(255);
    expect(Buffer.compare(encodeSnapshot(world.state), before)).not.toBe(0);
    expect(decodeSnapshot(encodeSnapshot(world.state)).spent.size).toBe(world.state.spent.size);
  });
});
