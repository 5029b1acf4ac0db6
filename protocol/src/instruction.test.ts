import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { recoverAddress, TypedDataEncoder } from 'ethers';
import { fromHex, parseBytes32, parseHex, ZERO_BYTES32 } from './bytes32.ts';
import { parseAssetCode, parseEvmAddress, parseNetworkId } from './ids.ts';
import {
  addressWord,
  assetHash,
  domainSalt,
  domainSeparator,
  INSTRUCTION_KINDS,
  type Instruction,
  instructionDigest,
  kindOf,
  networkIdHash,
  structHash,
} from './instruction.ts';

type Vector = {
  name: string;
  authority: string;
  serviceId: string;
  networkId: string;
  genesisHash: string;
  vault: string;
  networkIdHash: string;
  instruction: Record<string, string>;
  salt: string;
  domainSeparator: string;
  structHash: string;
  digest: string;
  signature: string;
};
const { vectors, instructionType, kinds } = JSON.parse(
  readFileSync(new URL('../../test/vectors/instruction.json', import.meta.url), 'utf8'),
) as { vectors: Vector[]; instructionType: string; kinds: Record<string, string> };

const EIP712_TYPES = {
  Instruction: instructionType
    .slice('Instruction('.length, -1)
    .split(',')
    .map((field) => {
      const [type = '', name = ''] = field.split(' ');
      return { type, name };
    }),
};

function parseInstruction(fields: Record<string, string>): Instruction {
  const word = (name: string) => parseBytes32(fields[name] ?? '', name);
  const kind = kindOf(Number(fields.kind));
  if (kind === undefined) throw new Error(`unknown kind ${fields.kind}`);
  return {
    id: word('id'),
    kind,
    subject: word('subject'),
    asset: word('asset'),
    amountMinor: BigInt(fields.amount ?? ''),
    beneficiary: word('beneficiary'),
    inputs: word('inputs'),
    notAfterSeconds: Number(fields.notAfter),
    epoch: Number(fields.epoch),
    trail: parseHex(fields.trail ?? ''),
  };
}

const EXAMPLE: Instruction = {
  id: parseBytes32(`0x${'11'.repeat(32)}`),
  kind: 'release',
  subject: ZERO_BYTES32,
  asset: assetHash(parseAssetCode('EUR')),
  amountMinor: 1n,
  beneficiary: ZERO_BYTES32,
  inputs: ZERO_BYTES32,
  notAfterSeconds: 0,
  epoch: 1,
  trail: '0x',
};

test('the golden vectors are there', () => expect(vectors.length).toBeGreaterThanOrEqual(10));

describe.each(vectors)('golden vector $name', (vector) => {
  const instruction = parseInstruction(vector.instruction);
  const networkId = parseNetworkId(vector.networkId);
  const salt = domainSalt({
    serviceId: parseBytes32(vector.serviceId),
    networkId,
    genesisHash: parseBytes32(vector.genesisHash),
    vaultAddress: fromHex(parseEvmAddress(vector.vault)),
  });

  test('has our digest, step by step', () => {
    expect(networkIdHash(networkId)).toBe(vector.networkIdHash);
    expect(salt).toBe(vector.salt);
    expect(domainSeparator(salt)).toBe(vector.domainSeparator);
    expect(structHash(instruction)).toBe(vector.structHash);
    expect(instructionDigest(salt, instruction)).toBe(vector.digest);
  });

  test('has the digest that ethers computes', () => {
    const domain = { name: 'Drawbridge', version: '1', salt };
    expect(TypedDataEncoder.hash(domain, EIP712_TYPES, vector.instruction)).toBe(instructionDigest(salt, instruction));
  });

  test('is signed by its authority', () => {
    expect(recoverAddress(vector.digest, vector.signature).toLowerCase()).toBe(vector.authority);
  });
});

test('kinds have the numbers of the vectors', () => {
  for (const [kind, number] of Object.entries(kinds)) {
    expect(`${INSTRUCTION_KINDS[kind as keyof typeof INSTRUCTION_KINDS]}`).toBe(number);
    expect(kindOf(Number(number))).toBe(kind);
  }
  for (const number of [0, 9, -1, 1.5, Number.NaN]) expect(kindOf(number)).toBeUndefined();
});

test.each([
  { amountMinor: -1n },
  { amountMinor: 2n ** 64n },
  { notAfterSeconds: -1 },
  { notAfterSeconds: 1.5 },
  { notAfterSeconds: 2 ** 53 },
  { epoch: -1 },
  { epoch: 2 ** 32 },
])('a number that does not fit its field has no digest: %p', (change) => {
  expect(() => structHash({ ...EXAMPLE, ...change })).toThrow(expect.objectContaining({ code: 'INSTRUCTION_INVALID' }));
});

test('every field and every part of the domain changes the digest', () => {
  const other = parseBytes32(`0x${'22'.repeat(32)}`);
  const domain = {
    serviceId: parseBytes32(`0x${'01'.repeat(32)}`),
    networkId: parseNetworkId('alpha'),
    genesisHash: parseBytes32(`0x${'02'.repeat(32)}`),
    vaultAddress: new Uint8Array(20),
  };
  const salt = domainSalt(domain);
  const digests = [
    instructionDigest(salt, EXAMPLE),
    ...Object.entries({ id: other, subject: other, asset: other, beneficiary: other, inputs: other }).map((change) =>
      instructionDigest(salt, { ...EXAMPLE, ...Object.fromEntries([change]) }),
    ),
    instructionDigest(salt, { ...EXAMPLE, kind: 'issue' }),
    instructionDigest(salt, { ...EXAMPLE, amountMinor: 2n }),
    instructionDigest(salt, { ...EXAMPLE, notAfterSeconds: 1 }),
    instructionDigest(salt, { ...EXAMPLE, epoch: 2 }),
    instructionDigest(salt, { ...EXAMPLE, trail: '0x00' }),
    instructionDigest(domainSalt({ ...domain, serviceId: other }), EXAMPLE),
    instructionDigest(domainSalt({ ...domain, genesisHash: other }), EXAMPLE),
    instructionDigest(domainSalt({ ...domain, networkId: parseNetworkId('beta') }), EXAMPLE),
    instructionDigest(domainSalt({ ...domain, vaultAddress: new Uint8Array(20).fill(1) }), EXAMPLE),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test('an address as a word is left-padded', () => {
  expect(addressWord(parseEvmAddress(`0x${'ab'.repeat(20)}`))).toBe(`0x${'00'.repeat(12)}${'ab'.repeat(20)}`);
});
