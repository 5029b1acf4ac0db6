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

  test('hold the state as it was when they were asked for, whatever happens between the slices', () => {
    const world = worldOf(12);
    const before = encodeSnapshot(world.state);
    const parts: Uint8Array[] = [];
    let slices = 0;
    for (const slice of snapshotSlices(world.state)) {
      parts.push(...slice);
      slices += 1;
      if (slices % 8 !== 1) continue;
      world.submit(world.terms({ amountMinor: 1n }));
      world.submit(world.fromAlpha());
    }
    expect(Buffer.compare(Buffer.concat(parts), before)).toBe(0);
    expect(slices).toBeGreaterThan(255);
    expect(Buffer.compare(encodeSnapshot(world.state), before)).not.toBe(0);
    expect(decodeSnapshot(encodeSnapshot(world.state)).spent.size).toBe(world.state.spent.size);
  });
});
