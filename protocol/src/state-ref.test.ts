import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type Bytes32, fromHex, type Hex } from './bytes32.ts';
import {
  accountWord,
  cordaLockId,
  cordaVaultId,
  inputsHash,
  parseStateRef,
  stateAfter,
  stateRef,
  toStateRef,
} from './state-ref.ts';

type Ref = Readonly<{ txHash: Bytes32; index: number }>;
type Lock = Readonly<{
  vaultId: Bytes32;
  depositorKey: Hex;
  depositor: Bytes32;
  reference: Bytes32;
  inputsHash: Bytes32;
  lockId: Bytes32;
}>;
type Vectors = Readonly<{
  inputs: readonly Readonly<{ refs: readonly Ref[]; inputsHash: Bytes32 }>[];
  vaults: readonly Readonly<{ seed: Ref; vaultId: Bytes32 }>[];
  locks: readonly Lock[];
}>;

const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/corda-vault-names.json', import.meta.url), 'utf8'),
) as Vectors;
const refOf = ({ txHash, index }: Ref) => stateRef(txHash, index);

describe('names of a Corda vault are those of the golden vectors', () => {
  test.each(vectors.inputs)(
    'inputs $inputsHash, in whatever order they are named',
    ({ refs, inputsHash: expected }) => {
      const named = refs.map(refOf);
      expect(inputsHash(named)).toBe(expected);
      expect(inputsHash(named.toReversed())).toBe(expected);
    },
  );
  test.each(vectors.vaults)('vault $vaultId', ({ seed, vaultId }) => {
    expect(cordaVaultId(refOf(seed))).toBe(vaultId);
  });
  test.each(vectors.locks)(
    'lock $lockId',
    ({ depositorKey, depositor, inputsHash: inputs, lockId, vaultId, reference }) => {
      expect(accountWord(depositorKey)).toBe(depositor);
      expect(cordaLockId({ vaultId, depositor, reference, inputs })).toBe(lockId);
    },
  );
  test('there is something of each', () => {
    expect(Math.min(vectors.inputs.length, vectors.vaults.length, vectors.locks.length)).toBeGreaterThan(0);
  });
});

describe('a state reference', () => {
  const transaction = `0x${'ab'.repeat(32)}` as Bytes32;
  test('is the transaction and the index, and comes back from text and bytes', () => {
    const ref = stateRef(transaction, 258);
    expect(ref).toBe(`${transaction}00000102`);
    expect(parseStateRef(ref.toUpperCase().replace('0X', '0x'))).toBe(ref);
    expect(toStateRef(fromHex(ref))).toBe(ref);
    expect(stateAfter(ref, 1)).toBe(stateRef(transaction, 259));
  });
  test('has an index that an output can have', () => {
    expect(() => stateRef(transaction, -1)).toThrow('index');
    expect(() => stateRef(transaction, 2 ** 31)).toThrow('index');
    expect(() => parseStateRef(`${transaction}80000000`)).toThrow('index');
    expect(() => parseStateRef(`${transaction}000000`)).toThrow('36 bytes');
    expect(() => parseStateRef('nothing')).toThrow('hex');
  });
});
