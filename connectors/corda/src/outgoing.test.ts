import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Outgoing, type Publisher } from './outgoing.ts';

type Confirm = (refusal: unknown, ok: object) => void;

/** A channel that keeps what was published until the test says what became of it. */
class ChannelDouble extends EventEmitter implements Publisher {
  readonly sent: { id: string; confirm: Confirm }[] = [];
  closed = false;

  publish(
    _exchange: string,
    _key: string,
    _body: Buffer,
    options: { messageId?: string } = {},
    confirm: Confirm = () => undefined,
  ): boolean {
    if (this.closed) throw new Error('Channel closed');
    this.sent.push({ id: options.messageId ?? '', confirm });
    return true;
  }
  get ids(): string[] {
    return this.sent.map(({ id }) => id);
  }
}

const options = { maxUnconfirmed: 2, confirmMs: 1_000, firstPauseMs: 10, longestPauseMs: 40 };
const parcel = (messageId: string) => ({ exchange: 'x', routingKey: 'k', messageId, body: new Uint8Array(1) });
const { signal } = new AbortController();

let outgoing: Outgoing;
let channel: ChannelDouble;
let attempts: string[];

beforeEach(() => {
  jest.useFakeTimers();
  attempts = [];
  outgoing = new Outgoing(options, { metrics: { published: (attempt) => attempts.push(attempt) } });
  channel = new ChannelDouble();
});
afterEach(() => {
  jest.useRealTimers();
});

test('what was published before there is a channel goes out with it, and is done when it is confirmed', async () => {
  const done = outgoing.publish(parcel('a'), signal);
  outgoing.attach(channel);
  expect(channel.ids).toEqual(['a']);
  channel.sent[0]?.confirm(null, {});
  await done;
  expect(attempts).toEqual(['first']);
});

test('a refusal, a return and silence are each followed by another attempt under the same id', async () => {
  outgoing.attach(channel);
  const done = outgoing.publish(parcel('a'), signal);
  channel.sent[0]?.confirm(new Error('nack'), {});
  jest.advanceTimersByTime(10);
  expect(channel.ids).toEqual(['a', 'a']);
  channel.emit('return', { properties: { messageId: 'a' } });
  channel.sent[1]?.confirm(null, {});
  jest.advanceTimersByTime(20);
  expect(channel.ids).toHaveLength(3);
  jest.advanceTimersByTime(1_000);
  expect(channel.ids).toEqual(['a', 'a', 'a', 'a']);
  channel.sent[3]?.confirm(null, {});
  await done;
  expect(attempts).toEqual(['first', 'again', 'again', 'again']);
  jest.advanceTimersByTime(10_000);
  expect(channel.ids).toHaveLength(4);
});

test('what was not confirmed when the connection ended goes out by the next one', async () => {
  outgoing.attach(channel);
  const done = outgoing.publish(parcel('a'), signal);
  expect(outgoing.detach(channel)).toBe(true);
  expect(outgoing.detach(channel)).toBe(false);
  jest.advanceTimersByTime(10_000);
  const next = new ChannelDouble();
  outgoing.attach(next);
  expect([channel.ids, next.ids]).toEqual([['a'], ['a']]);
  next.sent[0]?.confirm(null, {});
  await done;
});

test('a channel that ended unnoticed is an attempt that failed', async () => {
  channel.closed = true;
  outgoing.attach(channel);
  const done = outgoing.publish(parcel('a'), signal);
  channel.closed = false;
  jest.advanceTimersByTime(10);
  expect(channel.ids).toEqual(['a']);
  channel.sent[0]?.confirm(null, {});
  await done;
});

test('to a broker that reads nothing nothing is written, again or at first', async () => {
  outgoing.attach(channel);
  const before = outgoing.publish(parcel('a'), signal);
  outgoing.setBlocked(true);
  const meanwhile = outgoing.publish(parcel('b'), signal);
  jest.advanceTimersByTime(10_000);
  expect(channel.ids).toEqual(['a']);
  outgoing.setBlocked(false);
  expect(channel.ids).toEqual(['a', 'b']);
  for (const { confirm } of channel.sent) confirm(null, {});
  await Promise.all([before, meanwhile]);
});

test('too many messages are refused at once', async () => {
  const { signal: mine } = new AbortController();
  const held = ['a', 'b'].map((id) => outgoing.publish(parcel(id), mine).catch((error: unknown) => error));
  await expect(outgoing.publish(parcel('c'), mine)).rejects.toMatchObject({ code: 'BROKER_BUSY' });
  outgoing.stop();
  for (const error of await Promise.all(held)) expect(error).toMatchObject({ code: 'BROKER_ABORTED' });
});

test('what is given up is not sent again', async () => {
  outgoing.attach(channel);
  const giveUp = new AbortController();
  const given = outgoing.publish(parcel('a'), giveUp.signal);
  giveUp.abort();
  await expect(given).rejects.toMatchObject({ code: 'BROKER_ABORTED' });
  await expect(outgoing.publish(parcel('b'), giveUp.signal)).rejects.toMatchObject({ code: 'BROKER_ABORTED' });
  jest.advanceTimersByTime(10_000);
  expect(channel.ids).toEqual(['a']);
});
