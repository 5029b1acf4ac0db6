/** Server-sent events as an endless list: resumed by number after every break, at another node where there is one, so that none is missed or seen twice. */
import type { EventResource } from '@drawbridge/protocol/api/event';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { type Connection, problemOf, type Streamed } from './connection.ts';
import { ConnectionError, EventGapError, ProblemError } from './problem-error.ts';

/** Pause after a break, ms, doubled up to the limit while nothing comes. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Longest silence, ms, before the stream is opened anew: the core sends a comment every 10 s. */
const QUIET_MS = 35_000;

export type FollowOptions = Readonly<{
  participant?: string;
  after?: number;
  signal: AbortSignal;
  /** Longest silence before the stream is opened anew, ms; default 35,000. */
  quietMs?: number;
}>;

/**
 * Ends when `signal` is given. @throws ProblemError where the core refuses for good (4xx), EventGapError where a number
 * is missing: the stream is contiguous, so that whoever leaves one out shows.
 */
export async function* followEvents(connection: Connection, options: FollowOptions): AsyncIterable<EventResource> {
  const { signal } = options;
  let after = options.after ?? 0;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const event of readOnce(connection, { ...options, after })) {
        if (event.number <= after) continue;
        if (event.number !== after + 1) throw new EventGapError(after + 1, event.number);
        after = event.number;
        pauseMs = FIRST_PAUSE_MS;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof EventGapError) throw error;
      if (error instanceof ProblemError && error.status < 500 && error.status !== 429) throw error;
    }
    await wait(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function* readOnce(connection: Connection, options: FollowOptions): AsyncIterable<EventResource> {
  const { participant, after, signal, quietMs = QUIET_MS } = options;
  const quiet = new AbortController();
  const watch = setTimeout(() => quiet.abort(), quietMs);
  try {
    const { response, node } = await connection.stream({
      url: '/v1/events',
      params: { participant, after },
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, quiet.signal]),
    });
    try {
      yield* eventsOf(response, () => watch.refresh());
    } finally {
      // Whatever ended it, even in good order: a node that stops or is cut off closes its streams, and others go on.
      connection.leave(node);
    }
  } finally {
    clearTimeout(watch);
  }
}

async function* eventsOf(response: Streamed['response'], onChunk: () => void): AsyncIterable<EventResource> {
  const body = response.data as NodeJS.ReadableStream & AsyncIterable<Uint8Array>;
  if (response.status !== 200) throw problemOf({ ...response, data: await readProblem(body) });
  const decoder = new TextDecoder();
  const events = ReadableStream.from(body)
    .pipeThrough(
      new TransformStream<Uint8Array, string>({
        transform: (chunk, out) => {
          onChunk();
          out.enqueue(decoder.decode(chunk, { stream: true }));
        },
      }),
    )
    .pipeThrough(new EventSourceParserStream());
  for await (const message of events) yield JSON.parse(message.data) as EventResource;
}

/** Largest problem document that is read, in bytes. */
const MAX_PROBLEM_BYTES = 65_536;

async function readProblem(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_PROBLEM_BYTES) throw new ConnectionError('ANSWER_TOO_LARGE');
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString('utf8'));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConnectionError('ANSWER_NOT_JSON', { cause });
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
