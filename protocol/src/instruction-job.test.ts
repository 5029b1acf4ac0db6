import { expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import { fromHex } from './bytes32.ts';
import { parseNetworkId } from './ids.ts';
import { MAX_TRAIL_BYTES } from './instruction.ts';
import {
  decodeInstructionJob,
  encodeInstructionJob,
  evidenceQueue,
  instructionQueue,
  MAX_JOB_BYTES,
  MAX_JOB_STATES,
} from './instruction-job.ts';
import { EXAMPLE, expectJobsComeBack, expectOneEncoding, REFUSED, STATES_EXAMPLE } from './testing/instruction-jobs.ts';

/** The example's bytes with one part of the tree replaced. */
function withPart(path: readonly number[], value: unknown, example = EXAMPLE): Uint8Array {
  const tree = decode(encodeInstructionJob(example)) as unknown[];
  const parent = path.slice(0, -1).reduce<unknown[]>((node, i) => node[i] as unknown[], tree);
  parent[path.at(-1) ?? 0] = value;
  return encode(tree);
}
const withStates = (change: (refs: Uint8Array[]) => unknown): Uint8Array =>
  withPart([8], change((STATES_EXAMPLE.states ?? []).map(fromHex)), STATES_EXAMPLE);
const deep = Array.from({ length: 1_500 }).reduce<unknown>((inner) => [inner], 1);

test.each([
  ['another version', withPart([0], 2)],
  ['a network that is not text', withPart([1], 1)],
  ['a network of wrong form', withPart([1], 'Alpha')],
  ['an asset of wrong form', withPart([2], 'eur')],
  ['a short vault', withPart([3], new Uint8Array(19))],
  ['a long service id', withPart([4], new Uint8Array(33))],
  ['a genesis hash as text', withPart([5], 'x')],
  ['an instruction of other length', withPart([6], [])],
  ['an unknown kind', withPart([6, 1], 9)],
  ['a kind as text', withPart([6, 1], '1')],
  ['a kind in a list', withPart([6, 1], [1])],
  ['a kind as a map that poses as a number', withPart([6, 1], { valueOf: '1', toString: '1' })],
  ['a kind nested without end', withPart([6, 1], deep)],
  ['a kind that is true', withPart([6, 1], true)],
  ['a negative amount', withPart([6, 4], -1)],
  ['an amount beyond 64 bits as bytes', withPart([6, 4], new Uint8Array(9))],
  ['a fraction', withPart([6, 4], 1.5)],
  ['an expiry beyond 2^53', withPart([6, 7], 2n ** 60n)],
  ['an epoch beyond 32 bits', withPart([6, 8], 2 ** 32)],
  ['a trail too long', withPart([6, 9], new Uint8Array(MAX_TRAIL_BYTES + 1))],
  ['a signature of 64 bytes', withPart([7], new Uint8Array(64))],
  ['trailing bytes', Uint8Array.of(...encodeInstructionJob(EXAMPLE), 0)],
  ['states of the other order', withStates((refs) => refs.toReversed())],
  ['a state twice', withStates((refs) => [refs[0], ...refs])],
  ['a state less than was signed', withStates((refs) => refs.slice(1))],
  ['no states', withStates(() => [])],
  ['too many states', withStates((refs) => Array.from({ length: MAX_JOB_STATES + 1 }, () => refs[0]))],
  ['a state of 35 bytes', withStates((refs) => [refs[0]?.subarray(1)])],
  ['states for an address of 20 bytes', withPart([3], new Uint8Array(20), STATES_EXAMPLE)],
  ['states in the form without', withPart([0], 1, STATES_EXAMPLE)],
  ['a cut end', encodeInstructionJob(EXAMPLE).subarray(0, -1)],
  ['a number in more bytes than it needs', Uint8Array.of(0x88, 0x18, 1, ...encodeInstructionJob(EXAMPLE).subarray(2))],
  ['too many bytes', new Uint8Array(MAX_JOB_BYTES + 1)],
])('refuses %s', (_, bytes) => expect(() => decodeInstructionJob(bytes)).toThrow(REFUSED));

test('a job comes back from its bytes, for some', () => expectJobsComeBack(10));
test('whatever decodes is in its one encoding, for some changes', () => expectOneEncoding(50));

test('queues are named by network', () => {
  const alpha = parseNetworkId('alpha');
  expect([instructionQueue(alpha), evidenceQueue(alpha)]).toEqual(['instructions.alpha', 'evidence.alpha']);
});
