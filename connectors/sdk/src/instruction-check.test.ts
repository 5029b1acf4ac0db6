import { readFileSync } from 'node:fs';
import { fromHex, parseBytes32, parseHex, toHex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseAssetCode, parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { assetHash, domainSalt, type Instruction, instructionDigest, kindOf } from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { checkJob, checkSignature, recoverSigner, signedJob } from './instruction-check.ts';
import type { VaultDescription } from './ledger-connector.ts';

type Vector = {
  name: string;
  authority: string;
  serviceId: string;
  networkId: string;
  genesisHash: string;
  vault: string;
  instruction: Record<string, string>;
  digest: string;
  signature: string;
};
const file = new URL('../../../test/vectors/instruction.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

test.each(vectors)('recovers the authority of golden vector $name', ({ digest, signature, authority }) => {
  expect(recoverSigner(parseBytes32(digest), parseHex(signature))).toBe(authority);
});

const key = Uint8Array.from(Array.from({ length: 32 }, (_, i) => i + 1));
const authority = parseEvmAddress(toHex(keccak_256(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12)));
const network = parseNetworkId('alpha');
const asset = parseAssetCode('EUR');
const vault = parseEvmAddress(`0x${'ab'.repeat(20)}`);
const word = (byte: string) => parseBytes32(`0x${byte.repeat(32)}`);
const [serviceId, genesisHash] = [word('11'), word('22')];
const instruction: Instruction = {
  id: word('33'),
  kind: kindOf(1) ?? 'release',
  subject: word('00'),
  asset: assetHash(asset),
  amountMinor: 100n,
  beneficiary: word('44'),
  inputs: word('00'),
  notAfterSeconds: 0,
  epoch: 1,
  trail: '0x',
};
const salt = domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vault) });

function sign(signed: Instruction, by: Uint8Array = key) {
  const bytes = secp256k1.sign(fromHex(instructionDigest(salt, signed)), by, { prehash: false, format: 'recovered' });
  return toHex(Uint8Array.from([...bytes.subarray(1), 27 + (bytes[0] ?? 0)]));
}
const job: InstructionJob = {
  network,
  asset,
  vault,
  serviceId,
  genesisHash,
  instruction,
  signature: sign(instruction),
};
const served = { network, genesisHash, vaults: [{ asset, address: vault }] };
const shown = { authority, epoch: 1, domainSalt: salt };
const refusalOf = (given: InstructionJob, by: VaultDescription, configured?: EvmAddress) =>
  checkSignature(given, signedJob(given), by, configured);

test('a job of the authority passes', () => {
  expect(checkJob(job, served)).toBeUndefined();
  expect(refusalOf(job, shown)).toBeUndefined();
  expect(refusalOf(job, shown, authority)).toBeUndefined();
});

describe('the job alone', () => {
  test.each([
    ['INSTRUCTION_NETWORK', { network: parseNetworkId('beta') }],
    ['INSTRUCTION_NETWORK', { genesisHash: word('23') }],
    ['INSTRUCTION_VAULT', { vault: parseEvmAddress(`0x${'ac'.repeat(20)}`) }],
    ['INSTRUCTION_ASSET', { asset: parseAssetCode('USD') }],
    ['INSTRUCTION_ASSET', { instruction: { ...instruction, asset: assetHash(parseAssetCode('USD')) } }],
  ])('%s refuses %o', (code, change) => {
    expect(checkJob({ ...job, ...change }, served)).toMatchObject({ code, never: true });
  });
});

describe('the signature', () => {
  test('of another key, or over another content, is refused', () => {
    const other = Uint8Array.from(key).reverse();
    const changed = { ...instruction, amountMinor: 101n };
    for (const forged of [
      { ...job, signature: sign(instruction, other) },
      { ...job, instruction: changed },
      { ...job, signature: parseHex(`0x${'00'.repeat(64)}1b`) },
    ]) {
      expect(refusalOf(forged, shown)).toMatchObject({ code: 'INSTRUCTION_SIGNATURE', never: true });
    }
  });

  test('with high s is refused, as the vault would', () => {
    const bytes = fromHex(job.signature);
    const s = BigInt(toHex(bytes.subarray(32, 64)));
    const n = secp256k1.Point.Fn.ORDER;
    const high = fromHex(`0x${(n - s).toString(16).padStart(64, '0')}`);
    const flipped = toHex(Uint8Array.from([...bytes.subarray(0, 32), ...high, 55 - (bytes[64] ?? 0)]));
    expect(refusalOf({ ...job, signature: flipped }, shown)).toMatchObject({ code: 'INSTRUCTION_SIGNATURE' });
  });

  test.each([0, 1, 26, 29])('with v = %i is refused', (v) => {
    const bytes = fromHex(job.signature);
    bytes[64] = v;
    expect(recoverSigner(instructionDigest(salt, instruction), toHex(bytes))).toBeUndefined();
  });

  test('for another service is refused', () => {
    expect(refusalOf({ ...job, serviceId: word('12') }, shown)).toMatchObject({ code: 'INSTRUCTION_DOMAIN' });
  });

  test('of an earlier epoch is superseded; of a later one it is early, and not lost', () => {
    expect(refusalOf(job, { ...shown, epoch: 2 })).toMatchObject({ code: 'INSTRUCTION_SUPERSEDED', never: true });
    expect(refusalOf(job, { ...shown, epoch: 0 })).toMatchObject({ code: 'INSTRUCTION_EARLY', never: false });
  });

  test('does not count when the ledger shows another authority than configured', () => {
    const configured = parseEvmAddress(`0x${'cd'.repeat(20)}`);
    expect(refusalOf(job, shown, configured)).toMatchObject({ code: 'VAULT_AUTHORITY', never: true });
  });
});
