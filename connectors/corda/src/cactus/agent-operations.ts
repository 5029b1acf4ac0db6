/** What Cactus's operations ask of the agent: docs/corda-agent-protocol.md, "Operations for Cactus". */
import { randomBytes } from 'node:crypto';
import { CactusError, type CactusErrorCode } from '@drawbridge/connector-cactus/cactus-error';
import type { AgentReply } from '../agent-bodies.ts';
import { isCount, isList } from '../agent-bodies.ts';
import type { AgentValue } from '../agent-cbor.ts';
import type { AgentCaller } from '../agent-client.ts';
import type { InvokeBody, InvokeOutcome } from './operation-schemas.ts';

export type AgentOperationsOptions = Readonly<{
  /** From a question to its answer. */
  queryTimeoutMs: number;
  /** How long a flow is waited for when the request does not say, and at most. */
  flowTimeoutMs: number;
  longestFlowTimeoutMs: number;
  /** Between this clock and the agent's. */
  clockToleranceMs: number;
  /** States of one `vault-query`. */
  maxStates: number;
  signal: AbortSignal;
}>;
export type AgentOperationsDependencies = Readonly<{
  agent: AgentCaller;
  /** Unix ms. */
  wallClock: () => number;
}>;
/** A state of a watched class, in the order of recording. */
export type RecordedState = Readonly<{ ref: string; recordedAtMs: number; json: string }>;

/** What the way there and back takes besides the flow. */
const ROUND_TRIP_MS = 5_000;
const REQUEST_ID_BYTES = 16;

/** Everything here throws CactusError for what is not an answer. */
export class AgentOperations {
  readonly #options: AgentOperationsOptions;
  readonly #deps: AgentOperationsDependencies;

  constructor(options: AgentOperationsOptions, dependencies: AgentOperationsDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  async listFlows(filter: string): Promise<unknown> {
    return json((await this.#ask('cactus-flows', [filter]))[0]);
  }

  async networkMap(): Promise<unknown> {
    return json((await this.#ask('cactus-network', []))[0]);
  }

  async diagnoseNode(): Promise<unknown> {
    return json((await this.#ask('cactus-node', []))[0]);
  }

  /** The agent starts a flow once for one command, however often the broker delivers it, and not after the deadline in it. */
  async invoke({ flowFullClassName, flowInvocationType, params, timeoutMs }: InvokeBody): Promise<InvokeOutcome> {
    const { flowTimeoutMs, longestFlowTimeoutMs, clockToleranceMs } = this.#options;
    const waitMs = Math.min(timeoutMs ?? flowTimeoutMs, longestFlowTimeoutMs);
    const deadlineMs = this.#deps.wallClock() + waitMs + clockToleranceMs;
    const request = JSON.stringify({ flowFullClassName, flowInvocationType, params });
    const args = [randomBytes(REQUEST_ID_BYTES), deadlineMs, waitMs, request];
    const answer = await this.#call('cactus-invoke', args, waitMs + ROUND_TRIP_MS);
    if (!answer.ok) throw OUTCOME_UNKNOWN.has(answer.code) ? late(answer.code) : refusal(answer);
    return json(answer.result[0]) as InvokeOutcome;
  }

  /** All unconsumed ones, in the form of Corda's page. */
  async vaultQuery(stateClass: string): Promise<Readonly<Record<string, unknown>>> {
    const states: unknown[] = [];
    const statesMetadata: unknown[] = [];
    for (let page = 0, more = true; more; page += 1) {
      const [text, hasMore] = await this.#ask('cactus-states', [stateClass, page]);
      const found = json(text) as Readonly<Record<string, unknown>>;
      if (!Array.isArray(found.states) || !Array.isArray(found.statesMetadata)) throw unreadable();
      states.push(...found.states);
      statesMetadata.push(...found.statesMetadata);
      more = hasMore === true;
      if (states.length > this.#options.maxStates || (more && states.length === 0))
        throw new CactusError('ANSWER_TOO_LARGE', `more than ${this.#options.maxStates} states`);
    }
    return { states, statesMetadata, totalStatesAvailable: states.length, stateTypes: 'UNCONSUMED', otherResults: [] };
  }

  /** The node's clock, Unix ms; refused for a class that may not be read. */
  async clock(stateClass: string): Promise<number> {
    const [nowMs] = await this.#ask('cactus-clock', [stateClass]);
    if (!isCount(nowMs)) throw unreadable();
    return nowMs;
  }

  /** @param page from 0 */
  async recorded(
    stateClass: string,
    sinceMs: number,
    page: number,
  ): Promise<Readonly<{ states: readonly RecordedState[]; more: boolean }>> {
    const [rows, more] = await this.#ask('cactus-recorded', [stateClass, sinceMs, page]);
    if (!isList(rows)) throw unreadable();
    return { states: rows.map(recordedState), more: more === true };
  }

  async #ask(verb: string, args: readonly AgentValue[]): Promise<readonly AgentValue[]> {
    const answer = await this.#call(verb, args, this.#options.queryTimeoutMs);
    if (answer.ok) return answer.result;
    throw refusal(answer);
  }

  #call(verb: string, args: readonly AgentValue[], timeoutMs: number): Promise<AgentReply> {
    return this.#deps.agent.call(verb, args, { timeoutMs, signal: this.#options.signal });
  }
}

function recordedState(row: AgentValue): RecordedState {
  const [ref, recordedAtMs, text] = isList(row) ? row : [];
  if (!(ref instanceof Uint8Array) || !isCount(recordedAtMs) || typeof text !== 'string') throw unreadable();
  return { ref: Buffer.from(ref).toString('hex'), recordedAtMs, json: text };
}

function json(value: AgentValue | undefined): unknown {
  if (typeof value !== 'string') throw unreadable();
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw unreadable(cause);
  }
}

const unreadable = (cause?: unknown): CactusError =>
  new CactusError('LEDGER_UNAVAILABLE', 'the agent gave an answer of another form', { cause });

/** Of these the flow may have run, or run still. */
const OUTCOME_UNKNOWN: ReadonlySet<string> = new Set(['FLOW_PENDING', 'NODE_UNAVAILABLE', 'NO_ANSWER', 'ABORTED']);

const late = (code: string): CactusError =>
  new CactusError('RECEIPT_TIMEOUT', 'no outcome in time: the flow may go on, or have ended', {
    details: { reason: code },
  });

/** Agent's and line's codes; whatever is missing is the ledger's refusal. */
const MEANING: Readonly<Record<string, readonly [CactusErrorCode, string]>> = {
  OPERATION_NOT_ALLOWED: ['METHOD_NOT_ALLOWED', 'the agent’s configuration does not allow this'],
  OBJECT_INVALID: ['ARGUMENTS_INVALID', 'an argument cannot be built'],
  COMMAND_INVALID: ['ARGUMENTS_INVALID', 'the agent does not understand the request'],
  COMMAND_TOO_LARGE: ['REQUEST_TOO_LARGE', 'the request is larger than a command to the agent'],
  RESULT_TOO_LARGE: ['ANSWER_TOO_LARGE', 'the answer is larger than the agent may send'],
  BUSY: ['BUSY', 'the agent has too much to do'],
  TOO_MANY_CALLS: ['BUSY', 'too many commands wait for the agent'],
  COMMAND_EXPIRED: ['LEDGER_UNAVAILABLE', 'the request reached the agent too late: nothing was done'],
  NODE_UNAVAILABLE: ['LEDGER_UNAVAILABLE', 'the node does not answer'],
  AGENT_SILENT: ['LEDGER_UNAVAILABLE', 'the agent is silent'],
  NO_ANSWER: ['LEDGER_UNAVAILABLE', 'the agent did not answer'],
  ABORTED: ['LEDGER_UNAVAILABLE', 'the connector ends'],
  AGENT_FAILED: ['INTERNAL', 'the agent failed'],
};

function refusal({ code, detail }: Readonly<{ code: string; detail: string }>): CactusError {
  const [known, message] = MEANING[code] ?? (['NODE_REFUSED', 'the flow or the ledger refused'] as const);
  return new CactusError(known, message, { details: { reason: code, ...(detail !== '' && { rule: detail }) } });
}
