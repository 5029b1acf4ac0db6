/** What an observer counts. Labels are codes and network ids; never a hash, an address or an amount. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { AttestProblemCode } from '@drawbridge/protocol/observer-api';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { NetworkHealth } from './network-watch.ts';

export type ObserverMetrics = Readonly<{
  registry: Registry;
  /** One answered request to attest. */
  answered: (network: NetworkId, outcome: 'attested' | AttestProblemCode, seconds: number) => void;
}>;

export function observerMetrics(sources: {
  signedBlocks: () => number;
  health: () => ReadonlyMap<NetworkId, NetworkHealth>;
}): ObserverMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: 'drawbridge_observer_answers_total',
    help: 'Requests to attest by network and outcome. Any EQUIVOCATION is an alarm: the chain or the node changed the past.',
    labelNames: ['network', 'outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'drawbridge_observer_answer_seconds',
    help: 'Time to the answer of a request to attest.',
    labelNames: ['network'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  new Gauge({
    name: 'drawbridge_observer_signed_blocks',
    help: 'Blocks that this observer is bound to.',
    registers: [registry],
    collect() {
      this.set(sources.signedBlocks());
    },
  });
  new Gauge({
    name: 'drawbridge_observer_network_up',
    help: '1 when the node of the network answers and is on the configured chain.',
    labelNames: ['network'],
    registers: [registry],
    collect() {
      for (const [network, health] of sources.health()) this.set({ network }, health === 'ok' ? 1 : 0);
    },
  });
  return {
    registry,
    answered: (network, outcome, seconds) => {
      answers.inc({ network, outcome });
      duration.observe({ network }, seconds);
    },
  };
}
