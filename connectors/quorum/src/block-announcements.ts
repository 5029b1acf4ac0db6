/**
 * A node's announcements of new blocks: `eth_subscribe` to `newHeads` (Ethereum JSON-RPC, pub/sub) over one WebSocket that is kept
 * up. They say when to look, never what there is: what they carry is not read, so that a node that lies here costs looks and
 * nothing else. Without them everybody looks at a pace of their own, slower while they come.
 */
import type { Logger } from 'pino';
import WebSocket, { type RawData } from 'ws';

export type BlockAnnouncementsOptions = Readonly<{
  /** `ws://` or `wss://`. */
  url: string;
  /** From the attempt to the node's word that it will announce. */
  answerMs: number;
  /** Pause before the connection is made anew, ms: doubled from the first to the longest. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** Silence after which the node is asked for a sign of life; as long again, and the connection is given up. */
  silenceMs: number;
  /** Listeners are told at most once in this time, however many blocks there are. */
  gapMs: number;
  /** A longer message ends the connection. */
  maxMessageBytes: number;
}>;
export type BlockAnnouncementsDependencies = Readonly<{
  log: Pick<Logger, 'info' | 'warn'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

/** What those need who wait for blocks. */
export interface BlockNews {
  /** Announcements come at present. */
  readonly up: boolean;
  /** Called for each new block, and when announcements begin to come; the answer ends it. The listener returns at once. */
  onBlock(listener: () => void): () => void;
}

/** Of a node that announces nothing. */
export const NO_BLOCK_NEWS: BlockNews = { up: false, onBlock: () => () => undefined };

const SUBSCRIBE = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] });

export class BlockAnnouncements implements BlockNews {
  readonly #options: BlockAnnouncementsOptions;
  readonly #deps: BlockAnnouncementsDependencies;
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | undefined;
  /** Of the attempt: the answer, the sign of life, or the pause before the next. */
  #timer: NodeJS.Timeout | undefined;
  #gap: NodeJS.Timeout | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #subscription: string | undefined;
  #asked = false;
  #failures = 0;
  #stopped = false;

  constructor(options: BlockAnnouncementsOptions, dependencies: BlockAnnouncementsDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  get up(): boolean {
    return this.#subscription !== undefined;
  }

  onBlock(listener: () => void): () => void {
    // A function of its own, so that one listener added twice is two.
    const call = (): void => listener();
    this.#listeners.add(call);
    return () => {
      this.#listeners.delete(call);
    };
  }

  /** Returns at once; the connection is made, and made again, in the background. */
  start(): void {
    const { url, answerMs, maxMessageBytes } = this.#options;
    const socket = new WebSocket(url, {
      handshakeTimeout: answerMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#end(socket, 'NO_ANSWER'), answerMs);
    socket.on('open', () => socket.send(SUBSCRIBE));
    socket.on('message', (data) => this.#take(socket, data));
    socket.on('pong', () => this.#alive(socket));
    socket.on('error', (error: Error & { code?: string }) => this.#end(socket, error.code ?? error.name));
    socket.on('close', () => this.#end(socket, 'CLOSED'));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#gap);
    this.#subscription = undefined;
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  #take(socket: WebSocket, data: RawData): void {
    if (socket !== this.#socket) return;
    const message = read(data);
    if (message?.id === 1) {
      this.#answered(socket, message);
    } else if (message?.method === 'eth_subscription' && message.subscription === this.#subscription && this.up) {
      this.#alive(socket);
      this.#tell();
    }
  }

  #answered(socket: WebSocket, { result }: Message): void {
    if (this.up) return;
    if (typeof result !== 'string') {
      this.#end(socket, 'SUBSCRIPTION_REFUSED');
      return;
    }
    this.#subscription = result;
    this.#failures = 0;
    this.#deps.log.info('the node announces its blocks');
    this.#alive(socket);
    // What came before was not announced.
    this.#tell();
  }

  #alive(socket: WebSocket): void {
    if (socket !== this.#socket || !this.up) return;
    this.#asked = false;
    this.#watch(socket);
  }

  #watch(socket: WebSocket): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#asked) {
        this.#end(socket, 'SILENT');
        return;
      }
      this.#asked = true;
      socket.ping();
      this.#watch(socket);
    }, this.#options.silenceMs);
  }

  #end(socket: WebSocket, code: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    // Words of a socket may name hosts; codes do not.
    if (this.#failures === 0) this.#deps.log.warn({ code }, 'the node announces no blocks; they are looked for');
    this.#subscription = undefined;
    socket.terminate();
    const { firstPauseMs, longestPauseMs } = this.#options;
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(this.#failures, 16), longestPauseMs);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  #tell(): void {
    const leftMs = this.#toldMs + this.#options.gapMs - this.#deps.now();
    if (leftMs <= 0) this.#tellNow();
    else this.#gap ??= setTimeout(() => this.#tellNow(), leftMs);
  }

  #tellNow(): void {
    clearTimeout(this.#gap);
    this.#gap = undefined;
    if (this.#stopped) return;
    this.#toldMs = this.#deps.now();
    for (const listener of [...this.#listeners]) listener();
  }
}

type Message = Readonly<{ id?: unknown; result?: unknown; method?: unknown; subscription?: unknown }>;

/** Nothing for what is no JSON object. */
function read(data: RawData): Message | undefined {
  try {
    const message: unknown = JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '');
    if (typeof message !== 'object' || message === null) return undefined;
    const { id, result, method, params } = message as Record<string, unknown>;
    const subscription =
      typeof params === 'object' && params !== null && 'subscription' in params ? params.subscription : undefined;
    return { id, result, method, subscription };
  } catch {
    // Whatever it is, it announces nothing.
    return undefined;
  }
}
