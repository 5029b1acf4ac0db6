/**
 * Keeps the service and a node informed of each other while it runs: the ledger of where the node is and what it can, and the
 * node, when it hears of no leader, of who the others are now. Goes on until it has worked; failures only wait.
 */

import type { AdmissionDesk } from '../node/core-node.ts';
import type { Timers } from '../node/timers.ts';
import type { NodeLog } from '../node-log.ts';
import { codeOf } from '../peers/peer-error.ts';
import type { PeerDirectory } from '../peers/peer-types.ts';
import { decideAdmission } from './admission.ts';
import { type AskDependencies, askToJoin, joinRequest, MAX_SEEDS, type SelfDescription } from './join-service.ts';
import type { OpenedNode, Place } from './node-folder.ts';
import type { ToldPeers } from './seeded-directory.ts';

const LOOK_EVERY_MS = 1_000;
/** A stop waits for what is asked, so that is not for long. */
const ASK_TIMEOUT_MS = 3_000;

export type PresenceOptions = Readonly<{
  node: OpenedNode & Readonly<{ place: Place }>;
  /** As it is now: a port may be known only later. */
  self: () => SelfDescription;
  /** host:port of further nodes to ask, besides those it knows. */
  seeds: readonly string[];
  /** Default 1 s. */
  lookEveryMs?: number;
}>;

export type PresenceDependencies = AskDependencies &
  Readonly<{
    /** Nothing while the node is starting. */
    desk: () => AdmissionDesk | undefined;
    /** Whether the node knows who leads. */
    hasLeader: () => boolean;
    directory: () => PeerDirectory | undefined;
    told: (peers: ToldPeers) => void;
    /** The service endorsed the node anew. */
    endorsed: (certificate: string) => Promise<void>;
    timers: Timers;
    log: NodeLog;
  }>;

export class NodePresence {
  readonly #options: PresenceOptions;
  readonly #uses: PresenceDependencies;
  #isSaid = false;
  /** Said once, not every second. */
  #lastCode = '';
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: PresenceOptions, dependencies: PresenceDependencies) {
    this.#options = options;
    this.#uses = dependencies;
  }

  start(): void {
    this.#cancel = this.#uses.timers.after(this.#options.lookEveryMs ?? LOOK_EVERY_MS, () => {
      this.#running = this.#look()
        .catch((error: unknown) => this.#note(error))
        .finally(() => {
          if (!this.#stopped) this.start();
        });
    });
  }

  /** Begins nothing more. What is under way may need the node to end before it does. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** After `stop`, and after the node's own end. */
  ended(): Promise<void> {
    return this.#running;
  }

  #note(error: unknown): void {
    const code = codeOf(error);
    if (code === this.#lastCode) return;
    this.#lastCode = code;
    const detail = error instanceof Error ? error.message : String(error);
    this.#uses.log.warn({ code, detail }, 'no node that leads has taken note of this one yet');
  }

  async #look(): Promise<void> {
    const { node } = this.#options;
    const self = this.#options.self();
    const desk = this.#uses.desk();
    if (desk && !this.#isSaid) {
      const { platform } = self;
      const decision = decideAdmission(joinRequest(node, self), node.identity.nodeId, {
        rules: desk.registry,
        membership: desk.membership,
        serviceKey: desk.view.secrets.serviceKey,
        serviceCertificate: node.place.serviceCertificate,
        platform: platform.kind,
        nowMs: this.#uses.nowMs(),
      });
      if (decision.type === 'known') {
        this.#isSaid = true;
        if (!this.#stopped) await this.#uses.endorsed(decision.row.certificate);
      } else if (decision.type === 'propose' && desk.leads) {
        await desk.propose(decision.entry);
        return;
      }
    }
    if (!this.#isSaid || !this.#uses.hasLeader()) await this.#ask(self);
  }

  async #ask(self: SelfDescription): Promise<void> {
    const { node } = this.#options;
    const known = new Set<string>();
    for (const { nodeId, address } of this.#uses.directory()?.peers() ?? []) {
      if (nodeId !== node.identity.nodeId && address !== '') known.add(address);
    }
    for (const seed of this.#options.seeds) known.add(seed);
    const addresses = [...known].slice(0, MAX_SEEDS);
    if (addresses.length === 0 || this.#stopped) return;
    const { serviceCertificate } = node.place;
    const options = { ...self, serviceCertificate, addresses, patienceMs: 0, attemptTimeoutMs: ASK_TIMEOUT_MS };
    const answer = await askToJoin(node, options, this.#uses);
    if (answer.type === 'known' && !this.#stopped) this.#uses.told(answer.told);
  }
}
