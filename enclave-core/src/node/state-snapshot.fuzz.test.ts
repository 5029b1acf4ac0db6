import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { KeyRing } from '../keys/key-ring.ts';
import { encodeSnapshot } from '../settlement/snapshot.ts';
import { transferMark } from '../settlement/spent-ids.ts';
import { BANK_A, transferId, World, word } from '../settlement/testing/world.ts';
import { openSnapshot, sealSnapshot } from './state-snapshot.ts';

const keys = new KeyRing({ secret: randomBytes(32) });
const genesisDigest = word('genesis');

/** A state of a little over 2 MiB: three pieces. */
function largeState() {
  const { state } = new World();
  for (let n = 0; n < 140_000; n++) state.spent.add(transferMark(BANK_A, transferId(n)));
  return state;
}

describe('sealed snapshot', () => {
  it('opens to the same state, in one piece and in several', async () => {
    for (const state of [new World().state, largeState()]) {
      const opened = openSnapshot(keys, 7, await sealSnapshot(keys, { genesisDigest, index: 7, state }));
      expect(opened.genesisDigest).toBe(genesisDigest);
      expect(Buffer.compare(encodeSnapshot(opened.state), encodeSnapshot(state))).toBe(0);
    }
  });

  it('does not open as of another index, nor with a piece gone, moved or doubled', async () => {
    const content = Buffer.from(await sealSnapshot(keys, { genesisDigest, index: 7, state: largeState() }));
    const piece = 2 ** 20 + 57;
    const [a, b, c] = [content.subarray(0, piece), content.subarray(piece, 2 * piece), content.subarray(2 * piece)];
    const broken = expect.objectContaining({ code: 'SEAL_BROKEN' });
    expect(() => openSnapshot(keys, 8, content)).toThrow(broken);
    for (const parts of [[a, c], [b, a, c], [a, a, c], [a, b], [a, b, c, c], []]) {
      expect(() => openSnapshot(keys, 7, Buffer.concat(parts))).toThrow(broken);
    }
  });

  it('is of the state when it was asked for, not of what came while it was made', async () => {
    const world = new World();
    const before = encodeSnapshot(world.state);
    const making = sealSnapshot(keys, { genesisDigest, index: 7, state: world.state }, async () => {
      world.submit(world.terms({ amountMinor: 1n }));
    });
    const opened = openSnapshot(keys, 7, await making);
    expect(Buffer.compare(encodeSnapshot(opened.state), before)).toBe(0);
  });
});
