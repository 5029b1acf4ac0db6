/** Who of the agents was heard of lately. Health is hearsay: it decides whether to wait for an agent, and what operators see. */
import type { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { type AgentHealth, decodeHealth } from './agent-bodies.ts';
import type { BrokerLink, Delivery } from './broker-link.ts';
import type { BrokerMetrics } from './broker-metrics.ts';
import { openedBy } from './opened-body.ts';

export type HealthWatchOptions = Readonly<{
  network: NetworkId;
  /** Of every agent: then agent, broker or line is down. */
  silenceMs: number;
  /** Agents remembered; the one that was silent for longest makes room. */
  maxAgents: number;
}>;
export type HealthWatchDependencies = Readonly<{
  link: Pick<BrokerLink, 'consume'>;
  opener: BodyOpener;
  metrics: Pick<BrokerMetrics, 'agents'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

type Heard = Readonly<{ health: AgentHealth; atMs: number }>;

export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #deps: HealthWatchDependencies;
  readonly #startedMs: number;
  /** By instance; whoever was heard of last stands last. */
  readonly #heard = new Map<string, Heard>();

  /** Registers for health: to be made before the link starts. */
  constructor(options: HealthWatchOptions, dependencies: HealthWatchDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#startedMs = dependencies.now();
    dependencies.link.consume('health', (delivery) => this.#take(delivery));
  }

  /** Agents that were heard of within the bound of silence. */
  agents(): readonly AgentHealth[] {
    const sinceMs = this.#deps.now() - this.#options.silenceMs;
    const lately = [...this.#heard.values()].filter(({ atMs }) => atMs > sinceMs).map(({ health }) => health);
    const up = lately.filter(({ nodeUp }) => nodeUp).length;
    this.#deps.metrics.agents(up, lately.length - up);
    return lately;
  }

  /** Nothing of any agent, for so long that one that lives would have been heard of. */
  isSilent(): boolean {
    return this.#deps.now() - this.#startedMs > this.#options.silenceMs && this.agents().length === 0;
  }

  #take({ messageId, body, acknowledge, reject }: Delivery): void {
    const health = openedBy(this.#deps.opener, 'agent-health', this.#options.network, messageId, body, decodeHealth);
    if (typeof health === 'string') {
      reject(health);
      return;
    }
    acknowledge();
    const { instance, sequence } = health;
    // A message that comes again, or late, says nothing about now.
    if (sequence <= (this.#heard.get(instance)?.health.sequence ?? -1)) return;
    this.#heard.delete(instance);
    this.#heard.set(instance, { health, atMs: this.#deps.now() });
    const [longestSilent] = this.#heard.keys();
    if (this.#heard.size > this.#options.maxAgents && longestSilent !== undefined) this.#heard.delete(longestSilent);
  }
}
