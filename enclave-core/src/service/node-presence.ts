/**
 * Keeps the service and a node informed of each other while it runs: the ledger of where the node is and what it can, and the
 * node, when it hears of no leader, of who the others are now. Goes on until it has worked; failures only wait.
 */

import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
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
    /** As this node hears; nothing where it hears of none. */
    leader: () => NodeId | undefined;
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
  /** What the ledger here says of this node as it should. */
  #said = '';
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
    const { platform } = self;
    const saying = JSON.stringify({ ...self, platform: platform.kind });
    if (desk && this.#said !== saying) {
      const decision = decideAdmission(joinRequest(node, self), node.identity.nodeId, {
        rules: desk.registry,
        membership: desk.membership,
        serviceKey: desk.view.secrets.serviceKey,
        serviceCertificate: node.place.serviceCertificate,
        platform: platform.kind,
        life: self.life,
        mayBeginLife: desk.isAlone,
        nowMs: this.#uses.nowMs(),
      });
      if (decision.type === 'known') {
        this.#said = saying;
        if (!this.#stopped) await this.#uses.endorsed(decision.row.certificate);
      } else if (decision.type === 'propose' && desk.leads) {
        await desk.propose(decision.entry);
        return;
      }
    }
    if (this.#said !== saying || this.#uses.leader() === undefined) await this.#ask(self);
  }

  /** Whoever leads takes note; where nobody is known to, all may say who the others are, and some are behind themselves. */
  async #ask(self: SelfDescription): Promise<void> {
    const { node } = this.#options;
    const { serviceCertificate } = node.place;
    const asked = this.#addresses().map(async (address) => {
      const options = { ...self, serviceCertificate, addresses: [address], patienceMs: 0 };
      const answer = await askToJoin(node, { ...options, attemptTimeoutMs: ASK_TIMEOUT_MS }, this.#uses);
      if (answer.type === 'known' && !this.#stopped) this.#uses.told(answer.told);
    });
    const answers = await Promise.allSettled(asked);
    if (answers.some((answer) => answer.status === 'fulfilled')) return;
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    // A refusal says more than silence.
    if (failures.length > 0) throw failures.find((failure) => codeOf(failure) === 'JOIN_REFUSED') ?? failures[0];
  }

  #addresses(): readonly string[] {
    const leader = this.#uses.leader();
    const peers = [...(this.#uses.directory()?.peers() ?? [])].filter(
      ({ nodeId, address }) => nodeId !== this.#options.node.identity.nodeId && address !== '',
    );
    const leading = peers.find(({ nodeId }) => nodeId === leader);
    if (leading) return [leading.address];
    return [...new Set([...peers.map(({ address }) => address), ...this.#options.seeds])].slice(0, MAX_SEEDS);
  }
}
