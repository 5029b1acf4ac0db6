import type { BlockFacts } from '@drawbridge/evidence/tracked-chain';
import type { Genesis } from '@drawbridge/governance/genesis';
import { type ConsensusFinality, withFinality } from '@drawbridge/governance/registration';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Command, Outcome } from '../command.ts';
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts';
import { ALPHA, BETA, GENESIS, START_MS, signedAmendment, vaultAddress, World, word } from '../testing/world.ts';

const START_S = START_MS / 1_000;
const validators = ['1', '2', '3', '4'].map((name) => vaultAddress(`validator ${name}`)).toSorted();
const FINALITY: ConsensusFinality = {
  rule: 'qbft',
  checkpoint: { blockNumber: 10, blockHash: word('block 10'), timestampS: START_S, validators },
  epochLength: 100,
  headerFields: [{ fromBlock: 0, count: 15 }],
  trustingPeriodS: 3_600,
  maxGapBlocks: 4,
};
const genesis: Genesis = {
  ...GENESIS,
  networks: GENESIS.networks.map((network) =>
    network.id === ALPHA ? (withFinality(network, FINALITY) ?? network) : network,
  ),
};
const hashOf = (number: number): Bytes32 => word(`block ${number}`);
const block = (number: number, change: Partial<BlockFacts> = {}): BlockFacts => ({
  number,
  hash: hashOf(number),
  parentHash: hashOf(number - 1),
  timestampS: START_S + number,
  proposer: validators[number % 4] as EvmAddress,
  ...change,
});
type Headers = Extract<Command, { type: 'headers' }>;
const headers = (from: number, to: number, change: Partial<Headers> = {}): Headers => ({
  type: 'headers',
  network: ALPHA,
  base: hashOf(from - 1),
  blocks: Array.from({ length: to - from + 1 }, (_, i) => block(from + i)),
  evidenceDigest: word('headers'),
  trustVersion: 1,
  ...change,
});
const conflict = (number: number, otherHash: Bytes32 = word('other')): Command => ({
  type: 'headerConflict',
  network: ALPHA,
  number,
  trackedHash: hashOf(number),
  otherHash,
  evidenceDigest: word('conflict'),
  trustVersion: 1,
});
const code = (outcome: Outcome): string => (outcome.ok ? 'ok' : outcome.code);

let world: World;
beforeEach(() => {
  world = new World({}, genesis);
});
const head = (): number | undefined => world.state.trackedChain(ALPHA)?.head.number;

describe('headers', () => {
  it('move the head, and only blocks that are remembered can be spoken of', () => {
    expect(code(world.run(headers(11, 16)))).toBe('ok');
    const chain = world.state.trackedChain(ALPHA);
    expect(chain?.head).toEqual({ number: 16, hash: hashOf(16), timestampS: START_S + 16 });
    expect(chain?.hashes).toEqual([12, 13, 14, 15, 16].map(hashOf));
    expect(world.state.trackedChain(BETA)).toBeUndefined();
  });

  it.each<readonly [string, Command, string]>([
    ['of no network', headers(11, 12, { network: 'nowhere' as never }), 'NETWORK_UNKNOWN'],
    ['of a network that observers speak for', headers(11, 12, { network: BETA }), 'RULE_MISMATCH'],
    ['by other trust roots', headers(11, 12, { trustVersion: 2 }), 'TRUST_VERSION_STALE'],
    ['on another head', headers(12, 13), 'HEADERS_STALE'],
    ['without a header', headers(11, 10), 'HEADERS_INVALID'],
    [
      'that break off',
      headers(11, 12, { blocks: [block(11), block(12, { parentHash: word('x') })] }),
      'HEADERS_INVALID',
    ],
    ['of a far future', headers(11, 11, { blocks: [block(11, { timestampS: START_S + 901 })] }), 'HEADER_AHEAD'],
  ])('%s change nothing', (_, command, expected) => {
    const before = encodeSnapshot(world.state);
    expect(code(world.run(command))).toBe(expected);
    expect(Buffer.compare(encodeSnapshot(world.state), before)).toBe(0);
  });

  it('come again without effect', () => {
    world.run(headers(11, 14));
    expect(code(world.run(headers(11, 14)))).toBe('HEADERS_SEEN');
    expect(code(world.run(headers(11, 13)))).toBe('HEADERS_SEEN');
    expect(head()).toBe(14);
  });

  it('prove nothing once the head is older than the trusting period, until there is a new checkpoint', () => {
    world.run(headers(11, 11));
    world.nowMs = (START_S + 11 + 3_600) * 1_000;
    expect(code(world.run(headers(12, 12)))).toBe('ok');
    world.nowMs += 2_000;
    expect(code(world.run(headers(13, 13)))).toBe('HEAD_EXPIRED');
    const late = { ...event(12), trustVersion: 1 };
    expect(code(world.run(late))).toBe('HEAD_EXPIRED');
    const timestampS = world.nowMs / 1_000;
    const checkpoint = { ...FINALITY.checkpoint, blockNumber: 20, blockHash: hashOf(20), timestampS };
    world.run(
      signedAmendment(1, [{ name: 'set_finality', args: { id: ALPHA, finality: { ...FINALITY, checkpoint } } }]),
    );
    expect(head()).toBe(20);
    const next = headers(21, 21, { trustVersion: 2, blocks: [block(21, { timestampS: timestampS + 1 })] });
    expect(code(world.run(next))).toBe('ok');
  });

  it('survive a snapshot to the byte, votes and sets included', () => {
    const candidate = vaultAddress('fifth');
    const votes = [11, 12, 13, 14].map((number) => block(number, { vote: { candidate, add: true } }));
    world.run(headers(11, 14, { blocks: votes }));
    const chain = world.state.trackedChain(ALPHA);
    expect(chain?.sets.at(-1)?.validators).toContain(candidate);
    const bytes = encodeSnapshot(world.state);
    expect(decodeSnapshot(bytes).trackedChain(ALPHA)).toEqual(chain);
    expect(Buffer.compare(encodeSnapshot(decodeSnapshot(bytes)), bytes)).toBe(0);
  });
});

const event = (blockNumber: number, blockHash: Bytes32 = hashOf(blockNumber)): Command => {
  const terms = world.fromAlpha({});
  world.submit(terms);
  return world.event(ALPHA, world.lock(terms), { blockNumber, blockHash });
};

describe('an event of a tracked network', () => {
  it('counts in a remembered block and in no other', () => {
    world.run(headers(11, 16));
    const due = event(14);
    expect(code(world.run({ ...due, blockNumber: 17, blockHash: hashOf(17) } as Command))).toBe('BLOCK_NOT_TRACKED');
    expect(code(world.run({ ...due, blockHash: word('other') } as Command))).toBe('BLOCK_UNKNOWN');
    expect(code(world.run({ ...due, blockNumber: 11, blockHash: hashOf(11) } as Command))).toBe('BLOCK_UNKNOWN');
    expect(code(world.run(due))).toBe('ok');
  });
});

describe('two sealed blocks at one height', () => {
  it('halt the network and its lanes, once, until governance names a checkpoint', () => {
    world.run(headers(11, 14));
    expect(code(world.run(conflict(13)))).toBe('ok');
    expect(world.state.network(ALPHA)?.state).toBe('halted');
    expect(world.records.at(-1)?.alarms).toContainEqual(
      expect.objectContaining({ type: 'LANE_HALTED', network: ALPHA, code: 'CHAIN_FORKED' }),
    );
    expect([code(world.run(conflict(13))), code(world.run(headers(15, 15)))]).toEqual(['LANE_CLOSED', 'LANE_CLOSED']);
    const checkpoint = { ...FINALITY.checkpoint, blockNumber: 12, blockHash: hashOf(12) };
    world.run(
      signedAmendment(1, [
        { name: 'set_finality', args: { id: ALPHA, finality: { ...FINALITY, checkpoint } } },
        { name: 'set_network_state', args: { id: ALPHA, state: 'active' } },
      ]),
    );
    expect(code(world.run(headers(13, 13, { trustVersion: 2 })))).toBe('ok');
  });

  it('are two, and one of them is tracked', () => {
    world.run(headers(11, 14));
    for (const command of [
      conflict(13, hashOf(13)),
      conflict(15),
      { ...conflict(13), trackedHash: word('x') } as Command,
    ])
      expect(code(world.run(command))).toBe('HEADERS_STALE');
    expect(world.state.network(ALPHA)?.state).toBe('active');
  });
});

describe('an amendment', () => {
  it('to observers ends the tracking, and one to consensus begins it', () => {
    const observers = GENESIS.networks.find(({ id }) => id === ALPHA)?.finality;
    if (!observers) throw new Error('alpha has observers');
    world.run(signedAmendment(1, [{ name: 'set_finality', args: { id: ALPHA, finality: observers } }]));
    expect(head()).toBeUndefined();
    world.run(signedAmendment(2, [{ name: 'set_finality', args: { id: ALPHA, finality: FINALITY } }]));
    expect(head()).toBe(10);
  });

  it('that leaves the roots alone leaves the chain where it is', () => {
    world.run(headers(11, 14));
    world.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'paused' } }]));
    expect(head()).toBe(14);
  });
});
