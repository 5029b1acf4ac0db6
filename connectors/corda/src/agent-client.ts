/**
 * Commands to the agents of one network, and their replies. Everything that can become of a call is a value; that includes that nobody
 * answered. A reply counts only while its command is waited for: what comes later, or twice, or for another connector's command
 * (every connector gets every reply), is dropped unopened. Nothing that comes in can do more harm than a reply that is not true,
 * and no reply is believed where value is at stake.
 */
import { randomBytes } from 'node:crypto';
import type { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { type AgentReply, decodeReply, encodeCommand } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';
import type { BrokerLink, Delivery } from './broker-link.ts';
import type { BrokerMetrics } from './broker-metrics.ts';
import type { BrokerNames } from './broker-topology.ts';
import { openedBy } from './opened-body.ts';
import { BrokerError } from './outgoing.ts';

/**
 * Besides the agent's own codes (docs/corda-agent-protocol.md, "Errors"), what this side says. Of all but `COMMAND_TOO_LARGE`,
 * `TOO_MANY_CALLS` and `AGENT_SILENT` the outcome is unknown: the command may be done.
 */
export type CallFailure =
  /** No reply in time. */
  | 'NO_ANSWER'
  /** Nothing was heard of any agent for long; the command was not sent. */
  | 'AGENT_SILENT'
  /** Not sent: as many commands as allowed wait for replies, or for the broker. */
  | 'TOO_MANY_CALLS'
  /** Not sent: past the bound of a command. */
  | 'COMMAND_TOO_LARGE'
  /** The caller's signal, or the end of this process. */
  | 'ABORTED';

export type AgentAnswer = AgentReply;
export type CallOptions = Readonly<{
  /** From the call to its reply, all queues included. */
  timeoutMs: number;
  signal: AbortSignal;
}>;

/** What others need of an agent; tests have doubles of it. */
export interface AgentCaller {
  call(verb: string, args: readonly AgentValue[], options: CallOptions): Promise<AgentAnswer>;
}

export type AgentClientOptions = Readonly<{
  network: NetworkId;
  names: BrokerNames;
  /** Commands that wait for replies. */
  maxCalls: number;
  maxCommandBytes: number;
}>;
export type AgentClientDependencies = Readonly<{
  link: Pick<BrokerLink, 'publish' | 'consume'>;
  /** To the agents' key. */
  sealer: BodySealer;
  /** By this connector's key. */
  opener: BodyOpener;
  /** Whether no agent was heard of for long. */
  isSilent: () => boolean;
  metrics: Pick<BrokerMetrics, 'called' | 'strayReply'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

const ID_BYTES = 16;

export class AgentClient implements AgentCaller {
  readonly #options: AgentClientOptions;
  readonly #deps: AgentClientDependencies;
  readonly #waiting = new Map<string, (answer: AgentAnswer) => void>();

  /** Registers for replies: to be made before the link starts. */
  constructor(options: AgentClientOptions, dependencies: AgentClientDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    dependencies.link.consume('replies', (delivery) => this.#take(delivery));
  }

  async call(verb: string, args: readonly AgentValue[], options: CallOptions): Promise<AgentAnswer> {
    const { now, metrics } = this.#deps;
    const started = now();
    const answer = await this.#call(encodeCommand(verb, args), options);
    metrics.called(verb, answer.ok ? 'ok' : answer.code, now() - started);
    return answer;
  }

  async #call(command: Uint8Array, { timeoutMs, signal }: CallOptions): Promise<AgentAnswer> {
    const { maxCalls, maxCommandBytes, network, names } = this.#options;
    if (command.length > maxCommandBytes) return failed('COMMAND_TOO_LARGE');
    if (this.#waiting.size >= maxCalls) return failed('TOO_MANY_CALLS');
    if (signal.aborted) return failed('ABORTED');
    if (this.#deps.isSilent()) return failed('AGENT_SILENT');
    const messageId = randomBytes(ID_BYTES).toString('hex');
    const body = this.#deps.sealer.seal(command, { purpose: 'agent-command', network, jobId: messageId });
    const ended = new AbortController();
    let resolve: (answer: AgentAnswer) => void = () => undefined;
    const answered = new Promise<AgentAnswer>((settle) => {
      resolve = settle;
    });
    const onAbort = (): void => resolve(failed('ABORTED'));
    const timer = setTimeout(() => resolve(failed('NO_ANSWER')), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.set(messageId, resolve);
    this.#deps.link
      .publish({ exchange: names.toAgent, routingKey: 'command', messageId, body }, ended.signal)
      .catch((error: unknown) => resolve(unpublished(error)));
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(messageId);
      ended.abort();
    }
  }

  #take(delivery: Delivery): void {
    const { correlationId, body, acknowledge, reject } = delivery;
    const resolve = correlationId === undefined ? undefined : this.#waiting.get(correlationId);
    if (correlationId === undefined) {
      reject('CORRELATION_ID');
    } else if (resolve === undefined) {
      this.#deps.metrics.strayReply();
      acknowledge();
    } else {
      const { opener } = this.#deps;
      const answer = openedBy(opener, 'agent-reply', this.#options.network, correlationId, body, decodeReply);
      if (typeof answer === 'string') {
        reject(answer);
        return;
      }
      acknowledge();
      resolve(answer);
    }
  }
}

const failed = (code: CallFailure): AgentAnswer => ({ ok: false, code, detail: '' });

function unpublished(error: unknown): AgentAnswer {
  const busy = error instanceof BrokerError && error.code === 'BROKER_BUSY';
  return failed(busy ? 'TOO_MANY_CALLS' : 'ABORTED');
}
