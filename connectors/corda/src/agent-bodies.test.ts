import { expect, test } from '@jest/globals';
import { encode } from 'cborg';
import { decodeEvent, decodeHealth, decodeReply, encodeCommand } from './agent-bodies.ts';
import { decodeAgentBody } from './agent-cbor.ts';

const word = (byte: number) => new Uint8Array(32).fill(byte);

test('a command is a list of version, verb and arguments', () => {
  expect(Buffer.from(encodeCommand('find', [1, 2n ** 62n, null, true])).toString('hex')).toBe(
    '83016466696e6484011b4000000000000000f6f5',
  );
});

test('replies', () => {
  expect(decodeReply(encode([1, true, [null, 3]]))).toEqual({ ok: true, result: [null, 3] });
  expect(decodeReply(encode([1, false, 'REFUSED', 'EPOCH']))).toEqual({ ok: false, code: 'REFUSED', detail: 'EPOCH' });
  expect(decodeReply(encode([1, false, 'FLOW_FAILED', '']))).toEqual({ ok: false, code: 'FLOW_FAILED', detail: '' });
});

test.each([
  ['another version', [2, true, []]],
  ['a word for yes', [1, 'true', []]],
  ['a result that is no list', [1, true, 7]],
  ['more than a result', [1, true, [], 1]],
  ['a code in words', [1, false, 'no such party', '']],
  ['a detail in words', [1, false, 'REFUSED', 'Bank A has no EUR 5']],
  ['an endless code', [1, false, 'A'.repeat(41), '']],
  ['no detail', [1, false, 'REFUSED']],
])('a reply with %s is none', (_what, body) => {
  expect(decodeReply(encode(body))).toBeUndefined();
});

test.each([
  ['a map', encode([1, true, [{ a: 1 }]])],
  ['a fraction', encode([1, true, [1.5]])],
  ['a negative number', encode([1, true, [-1]])],
  ['a number above 2^63 - 1', encode([1, true, [2n ** 63n]])],
  ['bytes after the end', Buffer.concat([encode([1, true, []]), Buffer.from([0])])],
  ['a whole number written as a fraction', Buffer.from('8301f581f93c00', 'hex')],
  ['a longer form of a number', Buffer.from('831801f580', 'hex')],
  ['a list of no stated length', Buffer.from('9f01f580ff', 'hex')],
  ['a tag', Buffer.from('8301f581c100', 'hex')],
  ['nothing', new Uint8Array(0)],
  ['a list in a list without end', Buffer.concat([Buffer.alloc(100_000, 0x81), Buffer.from([1])])],
])('%s is no body', (_what, bytes) => {
  expect(decodeAgentBody(bytes)).toBeUndefined();
});

test('events', () => {
  const event = decodeEvent(encode([1, word(1), word(2), 5, new Uint8Array(3)]));
  expect(event).toMatchObject({ vault: `0x${'01'.repeat(32)}`, transaction: `0x${'02'.repeat(32)}`, recordedAtMs: 5 });
  expect(decodeEvent(encode([1, word(1), new Uint8Array(31), 5, new Uint8Array(3)]))).toBeUndefined();
  expect(decodeEvent(encode([1, word(1), word(2), 5, 'text']))).toBeUndefined();
  expect(decodeEvent(encode([1, word(1), word(2), 5]))).toBeUndefined();
});

test('health', () => {
  const fields = [new Uint8Array(16), 7, 1, true, 2, 0, 12, ''];
  expect(decodeHealth(encode([1, ...fields]))).toEqual({
    instance: '00'.repeat(16),
    sequence: 7,
    sinceMs: 1,
    nodeUp: true,
    cursorMs: 2,
    inFlight: 0,
    platformVersion: 12,
    lastError: '',
  });
  expect(decodeHealth(encode([1, new Uint8Array(15), ...fields.slice(1)]))).toBeUndefined();
  expect(decodeHealth(encode([1, ...fields.slice(0, 7), 'it is down']))).toBeUndefined();
});
