/**
 * Evidence of rule `observers`: every observer is asked at once, and the first `threshold` that saw what this node saw
 * make the evidence. Who answers otherwise is left out and counted; the core decides on what it gets, not we.
 */
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import type { EvidenceBuild, EvidenceBuilder, FollowedEvent } from '@drawbridge/connector-sdk/vault-event-source';
import { attestationOf } from '@drawbridge/protocol/observer-api';
import { type Attestation, type EvmLog, encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import type { Observer, WitnessContext } from './observer-client.ts';

export type ObserverEvidenceOptions = Readonly<{
  context: WitnessContext;
  threshold: number;
}>;
export type ObserverEvidenceDependencies = Readonly<{
  observers: readonly Observer[];
  metrics: Pick<ConnectorMetrics, 'attestation'>;
}>;

export class ObserverEvidenceBuilder implements EvidenceBuilder<EvmLog> {
  /** Observers look the log up when they hear of it first. */
  readonly gainsByAskingAhead = true;
  readonly #options: ObserverEvidenceOptions;
  readonly #deps: ObserverEvidenceDependencies;

  constructor(options: ObserverEvidenceOptions, dependencies: ObserverEvidenceDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  async build(event: FollowedEvent<EvmLog>, signal: AbortSignal): Promise<EvidenceBuild> {
    const { context, threshold } = this.#options;
    const { attestations, shallow } = await this.#gather(event.raw, signal);
    if (attestations.length < threshold) {
      return { type: 'pending', code: shallow > 0 ? 'OBSERVERS_SHALLOW' : 'OBSERVERS_DISAGREE' };
    }
    const bytes = encodeObserverEvidence({
      version: 1,
      rule: 'observers',
      network: context.network,
      genesisHash: context.genesisHash,
      log: event.raw,
      attestations: [...attestations].sort((a, b) => (a.observer < b.observer ? -1 : 1)),
    });
    return { type: 'built', bytes };
  }

  /** Ends with the answer that makes the threshold, or with the last one; slower observers are let go. */
  async #gather(log: EvmLog, signal: AbortSignal): Promise<{ attestations: Attestation[]; shallow: number }> {
    const { observers, metrics } = this.#deps;
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    const attestations: Attestation[] = [];
    let shallow = 0;
    const asked = observers.map(async (observer) => {
      const witness = await observer.attest(log, either);
      if (enough.signal.aborted) return;
      metrics.attestation(observer.id, witness.type === 'refused' ? witness.code : witness.type);
      if (witness.type === 'shallow') shallow += 1;
      if (witness.type !== 'attested') return;
      attestations.push(attestationOf(witness.answer));
      if (attestations.length >= this.#options.threshold) enough.abort();
    });
    const reached = new Promise<void>((resolve) => enough.signal.addEventListener('abort', () => resolve()));
    await Promise.race([reached, Promise.all(asked)]);
    return { attestations: [...attestations], shallow };
  }
}
