import { randomBytes } from 'node:crypto';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { encodeSnapshot } from '../settlement/snapshot.ts';
import { transferMark } from '../settlement/spent-ids.ts';
import type { SettlementState } from '../settlement/state.ts';
import { BANK_A, transferId, World, word } from '../settlement/testing/world.ts';
import { sha256 } from '../sha256.ts';
import { imageOf, openImage, type ReplicatedState, sealImage } from './state-image.ts';
import { TestService } from './testing/test-service.ts';

const keys = new LedgerKeys(new Map([[1, randomBytes(32)]]));
const genesisDigest = word('genesis');
const first = new TestService().genesis();

async function replicated(settlement: SettlementState): Promise<ReplicatedState> {
  const { state } = openImage(new TestService().keys(), 1, (await first).content);
  const frontier = MerkleFrontier.start(sha256);
  for (let n = 1; n < 8; n++) frontier.append(sha256(Buffer.from([n])));
  const views = [
    { view: 1, seqno: 1 },
    { view: 3, seqno: 5 },
  ];
  return { genesisDigest, index: 7, settlement, membership: state.membership, views, frontier };
}

/** A state of a little over 2 MiB: three pieces. */
function largeState() {
  const { state } = new World();
  for (let n = 0; n < 140_000; n++) state.spent.add(transferMark(BANK_A, transferId(n)));
  return state;
}

describe('state image', () => {
  it('opens to the same state, in one piece and in several', async () => {
    for (const settlement of [new World().state, largeState()]) {
      const state = await replicated(settlement);
      const image = await imageOf(state);
      const opened = openImage(keys, 7, await sealImage(keys, image, 9));
      expect(opened.evidenceSeqno).toBe(9);
      expect(opened.digest.equals(image.digest)).toBe(true);
      expect(opened.state.genesisDigest).toBe(genesisDigest);
      expect(opened.state.views).toEqual(state.views);
      expect(opened.state.membership).toEqual(state.membership);
      expect(opened.state.frontier.root()).toEqual(state.frontier.root());
      expect(Buffer.compare(encodeSnapshot(opened.state.settlement), encodeSnapshot(settlement))).toBe(0);
    }
  });

  it('does not open as of another index, nor with a piece gone, moved or doubled', async () => {
    const content = Buffer.from(await sealImage(keys, await imageOf(await replicated(largeState())), 9));
    const head = content.subarray(0, 8);
    const piece = 2 ** 20 + 61;
    const body = content.subarray(8);
    const [a, b, c] = [body.subarray(0, piece), body.subarray(piece, 2 * piece), body.subarray(2 * piece)];
    const broken = expect.objectContaining({ code: 'SEAL_BROKEN' });
    expect(() => openImage(keys, 8, content)).toThrow(broken);
    for (const parts of [[a, c], [b, a, c], [a, a, c], [a, b], [a, b, c, c], []]) {
      expect(() => openImage(keys, 7, Buffer.concat([head, ...parts]))).toThrow(broken);
    }
  });

  it('is of the state when it was asked for, not of what came while it was made', async () => {
    const world = new World();
    const before = encodeSnapshot(world.state);
    const making = imageOf(await replicated(world.state));
    world.submit(world.terms({ amountMinor: 1n }));
    const opened = openImage(keys, 7, await sealImage(keys, await making, 9));
    expect(Buffer.compare(encodeSnapshot(opened.state.settlement), before)).toBe(0);
  });
});
