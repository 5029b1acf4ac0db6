/**
 * Server-sent events (WHATWG HTML, "Server-sent events"): one stream reads a participant's history page by page and
 * waits at its end. It pulls the next page only when the socket took the last one, so that a slow reader costs one page
 * of memory; one that does not read in time is closed and resumes by `Last-Event-ID`. Events are told as this node applies
 * them; numbers are the same on all nodes, so that a stream can be resumed on any. At each heartbeat the node makes sure that
 * it is still part of the service: one that is cut off closes its streams rather than be silent.
 */
import type { ServerResponse } from 'node:http';
import type { EventResource } from '@drawbridge/protocol/api/event';
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { CoreService } from '../core-service.ts';
import type { ApiLimits } from './limits.ts';
import type { ApiLog } from './log.ts';
import { eventResource } from './resources.ts';

type StreamCore = Pick<CoreService, 'history' | 'onEvents' | 'barrier' | 'committed'>;

const HEARTBEAT = ': heartbeat\n\n';

type StreamRequest = Readonly<{
  /** Who reads: bounds count per reader. */
  reader: ParticipantId;
  /** Whose events. */
  participant: ParticipantId;
  after: number;
  response: ServerResponse;
  /** Asked again at every page and heartbeat; false closes the stream. */
  stillAllowed: () => boolean;
}>;

/** All open streams of a node, and their bounds. */
export class EventStreams {
  readonly #core: StreamCore;
  readonly #limits: ApiLimits;
  readonly #log: ApiLog;
  readonly #open = new Set<EventStream>();
  readonly #perReader = new Map<ParticipantId, number>();

  constructor(limits: ApiLimits, dependencies: { core: StreamCore; log: ApiLog }) {
    this.#limits = limits;
    this.#core = dependencies.core;
    this.#log = dependencies.log;
  }

  /** Whether one more stream of this reader is within the bounds. */
  hasRoomFor(reader: ParticipantId): boolean {
    return (
      this.#open.size < this.#limits.streams && (this.#perReader.get(reader) ?? 0) < this.#limits.streamsPerParticipant
    );
  }

  /** Takes over the response until either side closes it. */
  open(request: StreamRequest): void {
    const stream = new EventStream(this.#limits, { core: this.#core, request });
    const { reader } = request;
    this.#open.add(stream);
    this.#perReader.set(reader, (this.#perReader.get(reader) ?? 0) + 1);
    stream
      .run()
      .catch((error: unknown) => {
        const { name, code } = error as { name?: string; code?: string };
        this.#log.error({ name, code }, 'event stream failed');
      })
      .finally(() => {
        stream.close();
        this.#open.delete(stream);
        const left = (this.#perReader.get(reader) ?? 1) - 1;
        if (left === 0) this.#perReader.delete(reader);
        else this.#perReader.set(reader, left);
      });
  }

  closeAll(): void {
    for (const stream of this.#open) stream.close();
  }
}

class EventStream {
  readonly #limits: ApiLimits;
  readonly #core: StreamCore;
  readonly #request: StreamRequest;
  #closed = false;
  /** Set while the stream waits for news or for its socket. */
  #wake: (() => void) | undefined;
  #news = true;
  /** Whether a heartbeat waits for the other nodes. */
  #beating = false;

  constructor(limits: ApiLimits, { core, request }: { core: StreamCore; request: StreamRequest }) {
    this.#limits = limits;
    this.#core = core;
    this.#request = request;
  }

  async run(): Promise<void> {
    const { response, participant, after } = this.#request;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      [TRANSACTION_ID_HEADER]: this.#core.committed(),
    });
    response.flushHeaders();
    // The socket and not the response, which never closes where it stands behind another one on its socket.
    const { socket } = response.req;
    const onClose = (): void => this.close();
    socket.once('close', onClose);
    if (socket.destroyed) this.close();
    const stop = this.#core.onEvents(participant, () => {
      this.#news = true;
      this.#wake?.();
    });
    const heartbeat = setInterval(() => void this.#beat(), this.#limits.streamHeartbeatMs);
    try {
      await this.#pump(after);
    } finally {
      clearInterval(heartbeat);
      socket.off('close', onClose);
      stop();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    this.#request.response.end();
  }

  async #pump(after: number): Promise<void> {
    const { participant, stillAllowed } = this.#request;
    let cursor = after;
    while (!this.#closed) {
      if (!stillAllowed()) return;
      this.#news = false;
      const { items } = this.#core.history.events(participant, cursor, this.#limits.streamPageEvents);
      const last = items.at(-1);
      if (last === undefined) {
        if (!this.#news) await this.#sleep();
        continue;
      }
      cursor = last.number;
      if (!(await this.#send(items.map((event) => formatEvent(eventResource(event))).join('')))) return;
    }
  }

  /** Until news, close, or `forMs`. */
  #sleep(forMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = forMs === undefined ? undefined : setTimeout(() => this.#wake?.(), forMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** False when the reader did not take it in time. */
  async #send(text: string): Promise<boolean> {
    const { response } = this.#request;
    if (response.write(text)) return true;
    const deadlineMs = performance.now() + this.#limits.streamDrainTimeoutMs;
    const onDrain = (): void => this.#wake?.();
    response.on('drain', onDrain);
    while (!this.#closed && response.writableNeedDrain) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        response.destroy();
        break;
      }
      await this.#sleep(leftMs);
    }
    response.off('drain', onDrain);
    return !this.#closed && !response.destroyed;
  }

  async #beat(): Promise<void> {
    const { response, stillAllowed } = this.#request;
    if (!stillAllowed()) return this.close();
    if (this.#beating) return;
    this.#beating = true;
    try {
      await this.#core.barrier();
      if (!this.#closed && !response.writableNeedDrain) response.write(HEARTBEAT);
    } catch {
      // Whatever keeps the node from the others, the reader is better served by one of them.
      this.close();
    } finally {
      this.#beating = false;
    }
  }
}

/** The wire form of one event. JSON has no raw line breaks, so one `data:` line holds it. */
export const formatEvent = (event: EventResource): string =>
  `id: ${event.number}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
