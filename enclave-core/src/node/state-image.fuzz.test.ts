import { randomBytes } from 'node:crypto';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { encodeSnapshot } from '../settlement/snapshot.ts';
import { transferMark } from '../settlement/spent-ids.ts';
import type { SettlementState } from '../settlement/state.ts';
import { BANK_A, transferId, World, word } from '../settlement/testing/world.ts';
import { sha256 } from '../sha256.ts';
import {
  digestOf,
  evidenceSeqnoOf,
  genesisImage,
  headOfImage,
  type OpenedImage,
  openImage,
  type ReplicatedState,
  sealGenesis,
  sealImage,
} from './state-image.ts';
import { TestService } from './testing/test-service.ts';

const keys = new LedgerKeys(new Map([[1, randomBytes(32)]]));
const genesisDigest = word('genesis');
const first = new TestService().genesis();

async function replicated(settlement: SettlementState): Promise<ReplicatedState> {
  const { state } = await openImage(new TestService().keys(), 1, genesisImage((await first).content));
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

async function sealed(state: ReplicatedState): Promise<Readonly<{ digest: Buffer; pieces: Buffer[] }>> {
  const pieces: Buffer[] = [];
  const digest = await sealImage(keys, state, async (piece) => void pieces.push(Buffer.from(piece)));
  return { digest, pieces };
}

const opened = (pieces: readonly Uint8Array[], index = 7): Promise<OpenedImage> =>
  openImage(keys, index, { head: headOfImage(9), bytes: Buffer.concat(pieces).length, pieces: () => pieces });

const broken = expect.objectContaining({ code: 'SEAL_BROKEN' });

describe('state image', () => {
  it('opens to the same state, in one piece and in several', async () => {
    for (const settlement of [new World().state, largeState()]) {
      const state = await replicated(settlement);
      const { digest, pieces } = await sealed(state);
      expect(digest.equals(await digestOf(state))).toBe(true);
      const image = await opened(pieces);
      expect(image.evidenceSeqno).toBe(9);
      expect(image.digest.equals(digest)).toBe(true);
      expect(image.state.genesisDigest).toBe(genesisDigest);
      expect(image.state.views).toEqual(state.views);
      expect(image.state.membership).toEqual(state.membership);
      expect(image.state.frontier.root()).toEqual(state.frontier.root());
      expect(Buffer.compare(encodeSnapshot(image.state.settlement), encodeSnapshot(settlement))).toBe(0);
    }
  });

  it('does not open as of another index, nor with a piece gone, moved, doubled, or of another snapshot', async () => {
    const state = await replicated(largeState());
    const { pieces } = await sealed(state);
    expect(pieces).toHaveLength(3);
    const [a, b, c] = pieces as [Buffer, Buffer, Buffer];
    const [x, y, z] = (await sealed({ ...state, index: 8 })).pieces as [Buffer, Buffer, Buffer];
    await expect(opened(pieces, 8)).rejects.toEqual(broken);
    for (const parts of [
      [],
      [a],
      [c],
      [a, b],
      [a, c],
      [b, c],
      [b, a, c],
      [a, c, b],
      [a, a, c],
      [a, b, c, c],
      [a, b, c, a],
      [a, b, c, b],
      [x, b, c],
      [a, y, c],
      [a, b, z],
    ]) {
      await expect(opened(parts)).rejects.toEqual(broken);
    }
    await expect(opened(pieces)).resolves.toBeDefined();
  });

  it('does not open with more than it had when it was looked at', async () => {
    const { pieces } = await sealed(await replicated(largeState()));
    const content = { head: headOfImage(9), bytes: 2 ** 20, pieces: () => pieces };
    await expect(openImage(keys, 7, content)).rejects.toEqual(broken);
  });

  it('has a head that names the entry that vouches for it', () => {
    expect(evidenceSeqnoOf(headOfImage(2 ** 40 + 1))).toBe(2 ** 40 + 1);
    for (const length of [0, 7, 9]) expect(() => evidenceSeqnoOf(Buffer.alloc(length))).toThrow(broken);
  });

  it('of genesis is one buffer, in one piece and in several', async () => {
    for (const settlement of [new World().state, largeState()]) {
      const { content, digest } = await sealGenesis(keys, await replicated(settlement));
      const image = await openImage(keys, 7, genesisImage(content));
      expect(image.evidenceSeqno).toBe(0);
      expect(image.digest.equals(digest)).toBe(true);
      expect(() => genesisImage(content.subarray(0, 7))).toThrow(broken);
    }
  });

  it('is of the state when it was asked for, not of what came while it was made', async () => {
    const settlement = largeState();
    const state = await replicated(settlement);
    const before = encodeSnapshot(settlement);
    const pieces: Buffer[] = [];
    let added = 140_000;
    await sealImage(keys, state, async (piece) => {
      pieces.push(Buffer.from(piece));
      for (const until = added + 30_000; added < until; added++)
        settlement.spent.add(transferMark(BANK_A, transferId(added)));
    });
    const image = await opened(pieces);
    expect(Buffer.compare(encodeSnapshot(image.state.settlement), before)).toBe(0);
    expect(settlement.spent.size).toBe(image.state.settlement.spent.size + 90_000);
  });

  it('that cannot be written ends, and holds nothing of the state, whether the ids were begun or not', async () => {
    const settlement = largeState();
    const state = await replicated(settlement);
    const manyViews = Array.from({ length: 70_000 }, (_, at) => ({ view: at + 1, seqno: at + 1 }));
    for (const views of [state.views, manyViews]) {
      const failing = sealImage(keys, { ...state, views }, () => Promise.reject(new Error('full')));
      expect(settlement.spent.captures).toBe(1);
      await expect(failing).rejects.toThrow('full');
      expect(settlement.spent.captures).toBe(0);
    }
  });
});
