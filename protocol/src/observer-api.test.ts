import { describe, expect, test } from '@jest/globals';
import {
  ATTEST_PROBLEMS,
  type AttestAnswer,
  type AttestRequest,
  attestationOf,
  parseAttestAnswer,
  parseAttestRequest,
} from './observer-api.ts';

const WORD = `0x${'11'.repeat(32)}`;
const REQUEST: AttestRequest = parseAttestRequest({
  network: 'alpha',
  blockNumber: 7,
  blockHash: WORD,
  transactionHash: WORD,
  logIndex: 0,
});
const ANSWER: AttestAnswer = parseAttestAnswer({
  observer: 'observer-1',
  depthBlocks: 3,
  signature: `0x${'22'.repeat(64)}`,
  log: {
    blockNumber: 7,
    blockHash: WORD,
    transactionHash: WORD,
    logIndex: 0,
    address: `0x${'33'.repeat(20)}`,
    topics: [WORD],
    data: '0x00',
  },
});
const REFUSED = expect.objectContaining({ code: expect.stringMatching(/^(ATTEST|HEX|ID)_INVALID$/) });

test('a request and an answer come back from JSON', () => {
  expect(parseAttestRequest(JSON.parse(JSON.stringify(REQUEST)))).toEqual(REQUEST);
  expect(parseAttestAnswer(JSON.parse(JSON.stringify(ANSWER)))).toEqual(ANSWER);
  expect(attestationOf(ANSWER)).toEqual({ observer: 'observer-1', depthBlocks: 3, signature: ANSWER.signature });
});

describe('a request of wrong form is refused', () => {
  const { logIndex: _, ...withoutLogIndex } = REQUEST;
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', [REQUEST]],
    ['a field missing', withoutLogIndex],
    ['a field too many', { ...REQUEST, depth: 1 }],
    ['another field instead', { ...withoutLogIndex, __proto__: null, index: 1 }],
    ['a number as text', { ...REQUEST, blockNumber: '7' }],
    ['a negative number', { ...REQUEST, blockNumber: -1 }],
    ['a fraction', { ...REQUEST, logIndex: 0.5 }],
    ['a short hash', { ...REQUEST, blockHash: '0x11' }],
    ['a network of wrong form', { ...REQUEST, network: 'A' }],
  ])('%s', (_, value) => expect(() => parseAttestRequest(value)).toThrow(REFUSED));
});

describe('an answer of wrong form is refused', () => {
  const withLog = (change: object) => ({ ...ANSWER, log: { ...ANSWER.log, ...change } });
  test.each<[string, unknown]>([
    ['no log', { ...ANSWER, log: null }],
    ['a short signature', { ...ANSWER, signature: '0x22' }],
    ['a depth as text', { ...ANSWER, depthBlocks: '3' }],
    ['five topics', withLog({ topics: Array(5).fill(WORD) })],
    ['topics that are text', withLog({ topics: WORD })],
    ['data of odd length', withLog({ data: '0x0' })],
    ['data beyond all evidence', withLog({ data: `0x${'00'.repeat(20_000)}` })],
    ['an address of 32 bytes', withLog({ address: WORD })],
  ])('%s', (_, value) => expect(() => parseAttestAnswer(value)).toThrow(REFUSED));
});

test('what a problem answers is an error status', () => {
  for (const { status } of Object.values(ATTEST_PROBLEMS)) expect(status).toBeGreaterThanOrEqual(400);
});
