/** The core's relay API as a follower needs it, over mutual TLS with the service certificate pinned. */
import { CursorSchema, SealingKeySchema, type StatesPage, StatesPageSchema } from '@drawbridge/protocol/api/relay';
import type { Wire } from '@drawbridge/protocol/api/wire';
import { ENVELOPE_SUITE } from '@drawbridge/protocol/envelope';
import { type AssetCode, type NetworkId, parseAssetCode } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { Value } from '@sinclair/typebox/value';
import type { AxiosInstance } from 'axios';
import type { BookSource, StatesBook } from './states-book.ts';
import type { CursorSource, FollowerCursor } from './vault-event-source.ts';

export type CoreErrorCode = 'CORE_UNREACHABLE' | 'CORE_REFUSED' | 'CORE_ANSWER_INVALID';

/** The core gave no cursor. `CORE_REFUSED` has the status and the problem's code in its message. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Statuses by which a node says that another may serve: it has no leader, it stops. */
const ELSEWHERE: ReadonlySet<number> = new Set([502, 503, 504]);

/** Asks one node of the core as long as it answers, then the next. */
/** Pages of one book: over a million states. */
const MAX_PAGES = 1_024;

export class CoreCursorSource implements CursorSource, BookSource {
  readonly #nodes: readonly AxiosInstance[];
  /** Place in `#nodes` of the one that is asked. */
  #node = 0;

  /** @throws TypeError without a node */
  constructor(nodes: AxiosInstance | readonly AxiosInstance[]) {
    this.#nodes = [nodes].flat();
    if (this.#nodes.length === 0) throw new TypeError('a core has at least one node');
  }

  async cursor(network: NetworkId): Promise<FollowerCursor> {
    const answer = await this.#get(`/v1/relay/cursor?network=${encodeURIComponent(network)}`, CursorSchema);
    if (answer.network !== network) throw new CoreError('CORE_ANSWER_INVALID', 'the cursor is of another network');
    return {
      network,
      ...(answer.head === undefined ? {} : { head: answer.head }),
      vaults: answer.vaults.map(({ asset, address, nextEventSeq, fromBlock }) => ({
        asset: parseAssetCode(asset),
        // Hex is the only form that has two spellings.
        address: /^0x[0-9a-fA-F]+$/.test(address) ? address.toLowerCase() : address,
        nextEventSeq,
        fromBlock,
      })),
    };
  }

  /** Pages are read one after another: what the core books meanwhile may show, or not. */
  async book(network: NetworkId, asset: AssetCode): Promise<StatesBook> {
    const states: StatesPage['states'][number][] = [];
    let after: StateRef | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const query = new URLSearchParams({ network, asset, ...(after !== undefined && { after }) });
      const page: StatesPage = await this.#get(`/v1/relay/states?${query}`, StatesPageSchema);
      if (page.network !== network || page.asset !== asset) {
        throw new CoreError('CORE_ANSWER_INVALID', 'the states are of another vault');
      }
      states.push(...page.states);
      const { vault, proven, vaultState, permits, next } = page;
      if (next === undefined) return { vault, proven, vaultState, permits, states };
      if (after !== undefined && next <= after) break;
      after = next;
    }
    throw new CoreError('CORE_ANSWER_INVALID', 'the pages of states have no end');
  }

  async sealingKey(): Promise<string> {
    const { suite, publicKey } = await this.#get('/v1/relay/sealing-key', SealingKeySchema);
    if (suite !== ENVELOPE_SUITE)
      throw new CoreError('CORE_ANSWER_INVALID', 'the core seals by a suite not known here');
    return publicKey;
  }

  /** @throws CoreError of the last node, where none serves */
  async #get<T>(path: string, schema: Wire<T>): Promise<T> {
    for (let left = this.#nodes.length - 1; ; left -= 1) {
      const node = this.#node;
      const answer = await this.#ask(node, path);
      if ('status' in answer && !ELSEWHERE.has(answer.status)) return bodyOf(answer, schema);
      if (this.#node === node) this.#node = (node + 1) % this.#nodes.length;
      if (left > 0) continue;
      if ('status' in answer) return bodyOf(answer, schema);
      throw new CoreError('CORE_UNREACHABLE', 'the core did not answer', { cause: answer.cause });
    }
  }

  async #ask(node: number, path: string): Promise<Answer | { cause: unknown }> {
    try {
      const http = this.#nodes[node];
      if (http === undefined) throw new RangeError(`there is no node ${node}`);
      const { status, data } = await http.get<unknown>(path);
      return { status, data };
    } catch (cause) {
      return { cause };
    }
  }
}

type Answer = Readonly<{ status: number; data: unknown }>;

/** @throws CoreError */
function bodyOf<T>({ status, data }: Answer, schema: Wire<T>): T {
  if (status !== 200) throw new CoreError('CORE_REFUSED', `the core answered ${status} ${problemCode(data)}`);
  if (!Value.Check(schema, data)) throw new CoreError('CORE_ANSWER_INVALID', 'the answer has an unknown form');
  return data as T;
}

function problemCode(data: unknown): string {
  const code = typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : 'without a code';
}
