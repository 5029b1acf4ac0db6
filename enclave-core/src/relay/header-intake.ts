/**
 * Batches of headers: verified against the committed chain, a few at a time so that nothing else waits for long, and
 * proposed as what they say. A batch that another courier overtook is looked at again on the new head.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConsensusRefusal } from '@drawbridge/evidence/consensus-refusal';
import type { SealRecovery } from '@drawbridge/evidence/sealed-header';
import {
  type BlockFacts,
  dropKnown,
  type TrackedChain,
  verifyConflict,
  verifyHeaders,
} from '@drawbridge/evidence/tracked-chain';
import { type ConsensusFinality, isConsensus, type Network } from '@drawbridge/governance/registration';
import { type HeaderBatch, headerBatchDigest } from '@drawbridge/protocol/consensus-evidence';
import type { CoreService } from '../core-service.ts';
import type { Command, Outcome } from '../settlement/command.ts';
import { type Refused, refused } from './evidence-verdict.ts';

/** Headers verified in one turn of the event loop, where a rule lets a batch be cut. */
const HEADERS_PER_TURN = 16;
/** How often a batch is looked at again after the head moved under it. */
const TRIES = 3;

type Verified = Readonly<{ ok: true; blocks: readonly BlockFacts[] }>;
type Ground = Readonly<{ network: Network; finality: ConsensusFinality; chain: TrackedChain }>;

export class HeaderIntake {
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #recover: SealRecovery;

  constructor(core: Pick<CoreService, 'submit' | 'view'>, recover: SealRecovery) {
    this.#core = core;
    this.#recover = recover;
  }

  /** Answers after commit. @throws SubmitError */
  async accept(batch: HeaderBatch): Promise<Outcome | Refused> {
    let outcome: Outcome | Refused = refused('HEADERS_STALE', 'the head moved while the headers were verified');
    for (let tries = 0; tries < TRIES; tries += 1) {
      const ground = this.#ground(batch);
      if ('ok' in ground) return ground;
      const command = await this.#commandFor(batch, ground);
      if ('ok' in command) return command;
      const [committed] = await this.#core.submit([command]);
      if (!committed) throw new Error('submit answered nothing');
      outcome = committed.outcome;
      if (outcome.ok || outcome.code !== 'HEADERS_STALE') return outcome;
    }
    return outcome;
  }

  #ground({ network: id, rule }: HeaderBatch): Ground | Refused {
    const { view } = this.#core;
    const network = view.network(id);
    if (!network) return refused('NETWORK_UNKNOWN', 'no such network is registered');
    const { finality } = network;
    const chain = view.trackedChain(id);
    if (!isConsensus(finality) || chain === undefined || finality.rule !== rule) {
      return refused('RULE_MISMATCH', `network is believed by rule ${finality.rule}`);
    }
    return { network, finality, chain };
  }

  async #commandFor(batch: HeaderBatch, ground: Ground): Promise<Command | Refused> {
    const { network, finality, chain } = ground;
    const rest = dropKnown(chain, finality, batch.headers);
    if (!rest.ok) return refused(rest.code, rest.detail);
    if (rest.headers.length === 0) return refused('HEADERS_SEEN', 'the headers were taken');
    const common = {
      network: network.id,
      evidenceDigest: headerBatchDigest(batch),
      trustVersion: network.trustVersion,
    };
    if (rest.conflicting) {
      const conflict = verifyConflict(chain, finality, rest.headers, this.#recover);
      if (!conflict.ok) return refused(conflict.code, conflict.detail);
      const { number, trackedHash, otherHash } = conflict;
      return { type: 'headerConflict', ...common, number, trackedHash, otherHash };
    }
    const verified = await this.#verify(ground, rest.headers);
    if (!verified.ok) return refused(verified.code, verified.detail);
    return { type: 'headers', ...common, base: chain.head.hash, blocks: verified.blocks };
  }

  /** Clique believes a block for what comes after it, so its batches are verified whole: one signature a header. */
  async #verify({ finality, chain }: Ground, headers: readonly Uint8Array[]): Promise<Verified | ConsensusRefusal> {
    const step = finality.rule === 'clique' ? headers.length : HEADERS_PER_TURN;
    const blocks: BlockFacts[] = [];
    let head = chain;
    for (let at = 0; at < headers.length; at += step) {
      const proof = verifyHeaders(head, finality, headers.slice(at, at + step), this.#recover);
      if (!proof.ok) return proof;
      blocks.push(...proof.blocks);
      head = proof.chain;
      await nextTurn();
    }
    return { ok: true, blocks };
  }
}
