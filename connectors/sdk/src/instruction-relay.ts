/**
 * One attempt at one job of `instructions.<network>`, from ciphertext to finality. Knows neither queues nor ledgers.
 *
 *     open → check → look up ─ spent and final ─→ done
 *                       ├──── expired ─────────→ done, no fee spent
 *                       └──── open → verify signature → execute → await finality → done, or handed over
 *
 * Where `execute` looks first by itself (`looksFirst`), the look up is in there, and made here only of what the check refuses.
 */

import { decodeInstructionJob, type InstructionJob } from '@drawbridge/protocol/instruction-job';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import type { ConnectorMetrics } from './connector-metrics.ts';
import { checkJob, checkSignature, type ServedNetwork, signedJob } from './instruction-check.ts';
import { type LedgerConnector, LedgerUnavailableError, type SpentAs } from './ledger-connector.ts';
import { type BodyOpener, SealedBodyError } from './sealed-body.ts';

/** `expired`: too late by the ledger's time. `stopping`: this process ends before the ledger said anything. */
export type RelayOutcome =
  | Readonly<{ type: 'done'; result: SpentAs | 'expired' }>
  /** Sent, not final yet: look again later. Costs no attempt. */
  | Readonly<{ type: 'handed-over' }>
  /** `words` go to the failed set: nothing of the content. */
  | Readonly<{ type: 'later' | 'never'; code: string; words: string }>;

export type InstructionRelayOptions = Readonly<{
  served: ServedNetwork;
  /** How long an attempt waits for depth before it hands over. */
  finalityTimeoutMs: number;
}>;
export type InstructionRelayDependencies = Readonly<{
  opener: BodyOpener;
  ledger: LedgerConnector;
  metrics: Pick<ConnectorMetrics, 'stage'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

export class InstructionRelay {
  readonly #options: InstructionRelayOptions;
  readonly #deps: InstructionRelayDependencies;

  constructor(options: InstructionRelayOptions, dependencies: InstructionRelayDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  /** Never throws for what a job or a ledger can do; throws only for bugs. */
  async attempt(jobId: string, data: unknown, signal: AbortSignal): Promise<RelayOutcome> {
    const started = this.#deps.now();
    const opened = this.#open(jobId, data);
    this.#deps.metrics.stage('open', this.#deps.now() - started);
    if ('type' in opened) return opened;
    try {
      return await this.#relay(opened, signal);
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error;
      // We end, and with us the way to the ledger: that is not the instruction's fault.
      if (signal.aborted) return { type: 'handed-over' };
      return { type: 'later', code: error.code, words: 'the ledger node did not answer' };
    }
  }

  #open(jobId: string, data: unknown): InstructionJob | RelayOutcome {
    const { network } = this.#options.served;
    const sealed = sealedBody(data);
    if (sealed === undefined) return { type: 'never', code: 'JOB_INVALID', words: 'not a sealed instruction job' };
    try {
      const job = decodeInstructionJob(this.#deps.opener.open(sealed, { purpose: 'instruction', network, jobId }));
      const refusal = checkJob(job, this.#options.served);
      return refusal ? { type: 'never', code: refusal.code, words: refusal.words } : job;
    } catch (error) {
      if (!(error instanceof SealedBodyError) && !(error instanceof ProtocolError)) throw error;
      return { type: 'never', code: error.code, words: error.message };
    }
  }

  async #relay(job: InstructionJob, signal: AbortSignal): Promise<RelayOutcome> {
    const { ledger, metrics, now } = this.#deps;
    const started = now();
    const looking = ledger.looksFirst ? undefined : ledger.lookUp(job);
    const verifying = this.#verify(job);
    // Of what is spent nobody needs to know who signed it.
    verifying.catch(() => undefined);
    const standing = await looking;
    if (standing?.state === 'spent') {
      metrics.stage('lookup', now() - started);
      return standing.final ? { type: 'done', result: standing.as } : this.#untilFinal(job, signal);
    }
    const refusal = await verifying;
    metrics.stage('lookup', now() - started);
    if (refusal) return standing ? refusal : this.#behindRefusal(job, refusal, signal);
    if (standing?.state === 'expired') return { type: 'done', result: 'expired' };
    const execution = await ledger.execute(job, { signal, onStage: (stage, ms) => metrics.stage(stage, ms) });
    switch (execution.type) {
      case 'submitted':
        return this.#untilFinal(job, signal);
      case 'final':
        return { type: 'done', result: execution.as };
      case 'expired':
        return { type: 'done', result: 'expired' };
      case 'later':
      case 'never':
        return execution;
    }
  }

  /** What is not executed was not looked up: it may have taken effect long ago, under an authority that is gone. */
  async #behindRefusal(job: InstructionJob, refusal: RelayOutcome, signal: AbortSignal): Promise<RelayOutcome> {
    const standing = await this.#deps.ledger.lookUp(job);
    if (standing.state !== 'spent') return refusal;
    return standing.final ? { type: 'done', result: standing.as } : this.#untilFinal(job, signal);
  }

  /** A refusal is believed of a vault as it is now. */
  async #verify(job: InstructionJob): Promise<RelayOutcome | undefined> {
    const { ledger } = this.#deps;
    const configured = this.#options.served.vaults.find(({ address }) => address === job.vault)?.authority;
    const describing = ledger.describeVault(job.vault);
    describing.catch(() => undefined);
    // While the ledger is asked.
    const signed = signedJob(job);
    const refusal =
      checkSignature(job, signed, await describing, configured) &&
      checkSignature(job, signed, await ledger.describeVault(job.vault, 'fresh'), configured);
    return refusal && { type: refusal.never ? 'never' : 'later', code: refusal.code, words: refusal.words };
  }

  async #untilFinal(job: InstructionJob, signal: AbortSignal): Promise<RelayOutcome> {
    const { ledger, metrics, now } = this.#deps;
    const started = now();
    const timeoutMs = this.#options.finalityTimeoutMs;
    const spentAs = await ledger.awaitFinality(job, { timeoutMs, signal });
    if (spentAs === undefined) return { type: 'handed-over' };
    metrics.stage('final', now() - started);
    return { type: 'done', result: spentAs };
  }
}

function sealedBody(data: unknown): Uint8Array | undefined {
  if (typeof data !== 'object' || data === null || !('v' in data) || data.v !== 1) return undefined;
  return 'sealed' in data && typeof data.sealed === 'string' ? Buffer.from(data.sealed, 'base64') : undefined;
}
