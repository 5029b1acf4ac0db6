/**
 * Questions to an agent with their answers read: what the ledger and the follower need of it. An answer of another form, or none,
 * is "the ledger cannot be asked": whoever asks tries again.
 */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { VaultAddress } from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { type StateRef, toStateRef } from '@drawbridge/protocol/state-ref';
import { isCount, isList, isWord } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';
import type { AgentCaller } from './agent-client.ts';
import { readVault, type VaultOnLedger } from './vault-on-ledger.ts';

/** Most refs in one `status`. */
export const MAX_STATUS_REFS = 200;
const STATUSES = ['unknown', 'unconsumed', 'consumed'] as const;
const KINDS = ['vault', 'permit', 'coin', 'lock'] as const;

/** One node's records, not proof. */
export type StateStatus = (typeof STATUSES)[number];
/** `ref` of a coin is its guard's; the cash is the output before. */
export type KeptState = Readonly<{ ref: StateRef; kind: (typeof KINDS)[number] }>;
/** `refused`: no evidence of this transaction, as it stands; `code` is the agent's. */
export type ProofAnswer =
  | Readonly<{ type: 'proof'; vault: Bytes32; evidence: Uint8Array }>
  | Readonly<{ type: 'refused'; code: string }>;

/** Codes of `proof` that say something of the transaction, not of the way to it. */
const UNPROVABLE: ReadonlySet<string> = new Set(['TRANSACTION_UNKNOWN', 'NOT_OF_A_VAULT', 'PROOF_TOO_LARGE']);

export type AgentQueriesOptions = Readonly<{ timeoutMs: number; signal: AbortSignal }>;

/** Everything here throws `LedgerUnavailableError` where the agent gives no answer that can be used. */
export class AgentQueries {
  readonly #options: AgentQueriesOptions;
  readonly #agent: AgentCaller;

  constructor(options: AgentQueriesOptions, agent: AgentCaller) {
    this.#options = options;
    this.#agent = agent;
  }

  async vault(vault: VaultAddress): Promise<VaultOnLedger> {
    const result = await this.#ask('vault', [fromHex(vault)]);
    return reading(() => readVault(result));
  }

  /** The transaction that did what the instruction says. */
  async find(vault: VaultAddress, instruction: Bytes32): Promise<Bytes32 | undefined> {
    return transactionIn(await this.#ask('find', [fromHex(vault), fromHex(instruction)]));
  }

  /** In the order of `refs`, of which there may be any number. */
  async status(refs: readonly StateRef[]): Promise<readonly StateStatus[]> {
    const found: StateStatus[] = [];
    for (let at = 0; at < refs.length; at += MAX_STATUS_REFS) {
      const asked = refs.slice(at, at + MAX_STATUS_REFS);
      const [statuses] = await this.#ask('status', [asked.map(fromHex)]);
      if (!isList(statuses) || statuses.length !== asked.length) throw unreadable();
      for (const status of statuses) found.push(STATUSES[isCount(status) ? status : -1] ?? fail());
    }
    return found;
  }

  /** The transaction that consumed the state. */
  async spender(ref: StateRef): Promise<Bytes32 | undefined> {
    return transactionIn(await this.#ask('spender', [fromHex(ref)]));
  }

  /** Unconsumed states of the vault. @throws LedgerUnavailableError also for more than `maxPages` */
  async states(vault: VaultAddress, maxPages: number): Promise<readonly KeptState[]> {
    const kept: KeptState[] = [];
    for (let page = 0; page < maxPages; page += 1) {
      const [rows, more] = await this.#ask('states', [fromHex(vault), page]);
      if (!isList(rows) || typeof more !== 'boolean') throw unreadable();
      kept.push(...rows.map(keptState));
      if (!more) return kept;
    }
    throw new LedgerUnavailableError('the vault has more states than this connector reads');
  }

  async proof(transaction: Bytes32): Promise<ProofAnswer> {
    const answer = await this.#agent.call('proof', [fromHex(transaction)], this.#options);
    if (!answer.ok) {
      if (UNPROVABLE.has(answer.code)) return { type: 'refused', code: answer.code };
      throw unanswered(answer.code);
    }
    const [vault, evidence] = answer.result;
    if (!isWord(vault) || !(evidence instanceof Uint8Array) || evidence.length === 0) throw unreadable();
    return { type: 'proof', vault: toBytes32(vault), evidence };
  }

  async #ask(verb: string, args: readonly AgentValue[]): Promise<readonly AgentValue[]> {
    const answer = await this.#agent.call(verb, args, this.#options);
    if (!answer.ok) throw unanswered(answer.code);
    return answer.result;
  }
}

const unanswered = (code: string) => new LedgerUnavailableError(`the agent gave no answer: ${code}`);
const unreadable = () => new LedgerUnavailableError('the answer of the agent has an unknown form');
const fail = (): never => {
  throw unreadable();
};

function transactionIn([transaction]: readonly AgentValue[]): Bytes32 | undefined {
  if (transaction === null) return undefined;
  return isWord(transaction) ? toBytes32(transaction) : fail();
}

function keptState(row: AgentValue): KeptState {
  const [ref, number] = isList(row) ? row : [];
  const kind = isCount(number) ? KINDS[number - 1] : undefined;
  if (!(ref instanceof Uint8Array) || kind === undefined) throw unreadable();
  return reading(() => ({ ref: toStateRef(ref), kind }));
}

/** Ids of a wrong length are one more form that nobody knows. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isProtocolError(error) ? unreadable() : error;
  }
}
