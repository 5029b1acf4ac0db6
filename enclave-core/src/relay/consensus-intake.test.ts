import { generateKeyPairSync } from 'node:crypto';
import { LOCK_LOG_INDEX, LOCK_RECEIPT, receiptsAround, VAULT } from '@drawbridge/evidence/testing/proven-lock';
import { encodeReceipt, receiptTrie } from '@drawbridge/evidence/testing/receipt-trie';
import { type SealedBlock, SealedChain } from '@drawbridge/evidence/testing/sealed-chain';
import type { Genesis } from '@drawbridge/governance/genesis';
import { withFinality } from '@drawbridge/governance/registration';
import {
  type ConsensusRule,
  encodeConsensusEvidence,
  encodeHeaderBatch,
} from '@drawbridge/protocol/consensus-evidence';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Committed, EvidenceResult } from '../core-service.ts';
import type { Command } from '../settlement/command.ts';
import { Draft } from '../settlement/draft.ts';
import { initialState } from '../settlement/genesis-state.ts';
import type { SettlementState } from '../settlement/state.ts';
import { ALPHA, GENESIS, SECRETS, START_MS } from '../settlement/testing/world.ts';
import { CoreRelay } from './core-relay.ts';
import { sealBody } from './sealed-body.ts';

const sealing = generateKeyPairSync('rsa', { modulusLength: 2048 });
const sealingKey = sealing.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A core of one network that is believed by the headers of `chain`, and its relay. */
class Bench {
  readonly state: SettlementState;
  readonly relay: CoreRelay;
  readonly proposed: Command[] = [];
  /** Done once before the next proposal is applied: another courier that is faster. */
  overtake: (() => void) | undefined;
  #jobs = 0;

  constructor(chain: SealedChain) {
    const finality = { ...chain.finality, trustingPeriodS: 1_000_000_000 };
    const genesis: Genesis = {
      ...GENESIS,
      networks: GENESIS.networks.map((network) =>
        network.id === ALPHA ? (withFinality(network, finality) ?? network) : network,
      ),
      vaults: GENESIS.vaults.map((vault) => (vault.network === ALPHA ? { ...vault, address: VAULT } : vault)),
    };
    this.state = initialState(genesis, { ...SECRETS, sealingKey }, START_MS);
    this.relay = new CoreRelay(
      { view: this.state, submit: async (commands) => this.submit(commands) },
      async () => Number.POSITIVE_INFINITY,
    );
  }

  submit(commands: readonly Command[]): Committed[] {
    const overtake = this.overtake;
    this.overtake = undefined;
    overtake?.();
    this.proposed.push(...commands);
    const draft = new Draft(this.state);
    const { outcomes } = draft.apply({ version: 1, stampMs: START_MS, clockProtected: false, commands });
    draft.commit();
    return outcomes.map((outcome) => ({ outcome, transactionId: '2.1' }));
  }

  async offer(...bodies: Uint8Array[]): Promise<EvidenceResult[]> {
    const items = bodies.map((bytes) => {
      const jobId = `job-${++this.#jobs}`;
      const context = { purpose: 'evidence', network: ALPHA, jobId } as const;
      return { jobId, sealed: Buffer.from(sealBody(sealing.publicKey, context, bytes)).toString('base64') };
    });
    return this.relay.acceptEvidence(ALPHA, items);
  }

  get head(): number | undefined {
    return this.relay.cursor(ALPHA)?.head?.number;
  }
}

const batch = (rule: ConsensusRule, blocks: readonly SealedBlock[]): Uint8Array =>
  encodeHeaderBatch({ version: 1, rule, kind: 'headers', network: ALPHA, headers: blocks.map(({ rlp }) => rlp) });
const said = (results: readonly EvidenceResult[]): string[] =>
  results.map(({ result, code }) => (code === undefined ? result : `${result} ${code}`));

describe.each(['qbft', 'ibft', 'ibft2'] as const)('headers of %s', (rule) => {
  const chain = new SealedChain({ rule, validators: 4 });
  let bench: Bench;
  beforeAll(() => {
    chain.grow(20);
  });
  beforeEach(() => {
    bench = new Bench(chain);
  });
  const blocks = (from: number, to: number): readonly SealedBlock[] => chain.blocks.slice(from - 1, to);

  it('move the head, however they are cut and whatever order they come in', async () => {
    const cut = [batch(rule, blocks(19, 20)), batch(rule, blocks(1, 17)), batch(rule, blocks(15, 18))];
    expect(said(await bench.offer(...cut))).toEqual(['accepted', 'accepted', 'accepted']);
    expect(bench.head).toBe(20);
    expect(said(await bench.offer(...cut))).toEqual(Array(3).fill('duplicate HEADERS_SEEN'));
  });

  it('with a gap wait for what is missing', async () => {
    expect(said(await bench.offer(batch(rule, blocks(2, 5))))).toEqual(['early HEADER_GAP']);
    expect([bench.head, bench.proposed.length]).toEqual([0, 0]);
  });

  it('are looked at again when another courier was faster', async () => {
    bench.overtake = () => {
      bench.submit([
        {
          type: 'headers',
          network: ALPHA,
          base: chain.finality.checkpoint.blockHash,
          blocks: [factsOf(chain, 1)],
          evidenceDigest: chain.finality.checkpoint.blockHash,
          trustVersion: 1,
        },
      ]);
    };
    expect(said(await bench.offer(batch(rule, blocks(1, 3))))).toEqual(['accepted']);
    expect(bench.head).toBe(3);
  });

  it('that are sealed by too few are refused, and nothing is proposed', async () => {
    const forged = chain.next({ seals: (seals) => seals.slice(1) });
    await bench.offer(batch(rule, chain.blocks));
    const before = bench.proposed.length;
    expect(said(await bench.offer(batch(rule, [forged])))).toEqual(['refused QUORUM_UNMET']);
    expect([bench.head, bench.proposed.length]).toEqual([20, before]);
  });

  it('of two sealed blocks at one height halt the network', async () => {
    await bench.offer(batch(rule, blocks(1, 20)));
    const other = new SealedChain({ rule, validators: 4 }).grow(3);
    const fork = other.add({ vanity: new Uint8Array(32).fill(7) });
    expect(said(await bench.offer(batch(rule, [fork])))).toEqual(['accepted']);
    expect(bench.state.network(ALPHA)?.state).toBe('halted');
    expect(said(await bench.offer(batch(rule, [chain.next()])))).toEqual(['early LANE_CLOSED']);
  });

  it('of another network or rule are refused', async () => {
    const foreign = encodeHeaderBatch({
      version: 1,
      rule,
      kind: 'headers',
      network: 'beta' as typeof ALPHA,
      headers: [blocks(1, 1)[0]?.rlp ?? new Uint8Array()],
    });
    expect(said(await bench.offer(foreign, batch('clique', blocks(1, 1))))).toEqual([
      'refused NETWORK_MISMATCH',
      'refused RULE_MISMATCH',
    ]);
  });
});

describe('an event', () => {
  const INDEX = 3;
  let chain: SealedChain;
  let bench: Bench;
  let event: Uint8Array;
  beforeEach(async () => {
    const trie = await receiptTrie(receiptsAround(encodeReceipt(LOCK_RECEIPT), 5, INDEX));
    chain = new SealedChain({ rule: 'qbft', validators: 4 }).grow(2);
    const block = chain.add({ receiptsRoot: trie.root });
    chain.grow(2);
    bench = new Bench(chain);
    event = encodeConsensusEvidence({
      version: 1,
      rule: 'qbft',
      kind: 'event',
      network: ALPHA,
      header: block.rlp,
      transactionIndex: INDEX,
      proof: await trie.proofOf(INDEX),
      logIndexInReceipt: LOCK_LOG_INDEX,
    });
  });

  it('is believed in the same request as the headers that it stands on', async () => {
    expect(said(await bench.offer(event, batch('qbft', chain.blocks)))).toEqual(['accepted', 'accepted']);
    expect(said(await bench.offer(event))).toEqual(['duplicate EVENT_SEEN']);
    expect([...bench.state.unmatchedLocks()]).toHaveLength(1);
  });

  it('is early as long as its block is not tracked', async () => {
    expect(said(await bench.offer(event))).toEqual(['early BLOCK_NOT_TRACKED']);
    expect(bench.proposed).toEqual([]);
  });

  it('of a block that nobody sealed is refused', async () => {
    const other = new SealedChain({ rule: 'qbft', validators: 4 }).grow(2);
    const trie = await receiptTrie(receiptsAround(encodeReceipt(LOCK_RECEIPT), 5, INDEX));
    const unsealed = other.next({ receiptsRoot: trie.root, vanity: new Uint8Array(32).fill(9) });
    await bench.offer(batch('qbft', chain.blocks));
    const forged = encodeConsensusEvidence({
      version: 1,
      rule: 'qbft',
      kind: 'event',
      network: ALPHA,
      header: unsealed.rlp,
      transactionIndex: INDEX,
      proof: await trie.proofOf(INDEX),
      logIndexInReceipt: LOCK_LOG_INDEX,
    });
    expect(said(await bench.offer(forged))).toEqual(['refused BLOCK_CONFLICTS']);
  });
});

function factsOf(chain: SealedChain, number: number) {
  const block = chain.blocks[number - 1];
  if (!block) throw new RangeError(`there is no block ${number}`);
  const { hash, timestampS, proposer } = block;
  const parentHash = chain.blocks[number - 2]?.hash ?? chain.finality.checkpoint.blockHash;
  return { number, hash, parentHash, timestampS, proposer: proposer.address };
}
