/** Server-sent events as an endless list: resumed by number after every break, so that none is missed or seen twice. */
import type { EventResource } from '@drawbridge/protocol/api/event';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { type Connection, problemOf } from './connection.ts';
import { ConnectionError, ProblemError } from './problem-error.ts';

/** Pause after a break, ms, doubled up to the limit while nothing comes. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export type FollowOptions = Readonly<{ participant?: string; after?: number; signal: AbortSignal }>;

/** @throws ProblemError where the core refuses for good (4xx). Ends when `signal` is given. */
export async function* followEvents(connection: Connection, options: FollowOptions): AsyncIterable<EventResource> {
  const { signal } = options;
  let after = options.after ?? 0;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const event of readOnce(connection, { ...options, after })) {
        if (event.number <= after) continue;
        after = event.number;
        pauseMs = FIRST_PAUSE_MS;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ProblemError && error.status < 500 && error.status !== 429) throw error;
    }
    await wait(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function* readOnce(connection: Connection, options: FollowOptions): AsyncIterable<EventResource> {
  const { participant, after, signal } = options;
  const response = await connection.stream({
    url: '/v1/events',
    params: { participant, after },
    headers: { accept: 'text/event-stream' },
    signal,
  });
  const body = response.data as NodeJS.ReadableStream & AsyncIterable<Uint8Array>;
  if (response.status !== 200) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    throw problemOf({ ...response, data: parseJson(text) });
  }
  const decoder = new TextDecoder();
  const events = ReadableStream.from(body)
    .pipeThrough(
      new TransformStream<Uint8Array, string>({
        transform: (chunk, out) => out.enqueue(decoder.decode(chunk, { stream: true })),
      }),
    )
    .pipeThrough(new EventSourceParserStream());
  for await (const message of events) yield JSON.parse(message.data) as EventResource;
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
