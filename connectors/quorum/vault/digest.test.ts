import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Contract, id as hashText, keccak256, recoverAddress } from 'ethers';
import {
  type Chain,
  deploy,
  digestOf,
  escrowBed,
  type Instruction,
  instruction,
  KIND,
  loadArtifact,
  people,
  read,
  refusal,
  START_SECONDS,
  send,
  startChain,
  vaultConfig,
} from './testbed.ts';

type Vector = {
  name: string;
  authority: string;
  serviceId: string;
  networkId: string;
  genesisHash: string;
  vault: string;
  networkIdHash: string;
  vaultHash: string;
  instruction: Record<keyof Instruction, string>;
  salt: string;
  domainSeparator: string;
  digest: string;
  signature: string;
};
const FILE = new URL('../../../test/vectors/instruction.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as { vectors: Vector[] };

jest.setTimeout(60_000);

describe('the golden vectors of test/vectors/instruction.json, in Solidity', () => {
  let chain: Chain;
  let vault: Contract;
  beforeAll(async () => {
    chain = await startChain();
    vault = await deploy(people(chain)[0], 'DrawbridgeVault');
  });
  afterAll(() => chain.stop());

  it('cover every kind, the greatest amount, an empty and an 80-byte trail', () => {
    expect(new Set(vectors.map((vector) => Number(vector.instruction.kind)))).toEqual(new Set(Object.values(KIND)));
    expect(vectors.some((vector) => vector.instruction.amount === '18446744073709551615')).toBe(true);
    const trails = vectors.map((vector) => vector.instruction.trail.length / 2 - 1);
    expect(trails).toEqual(expect.arrayContaining([0, 80]));
  });

  it('are what their generator writes', () => {
    const root = fileURLToPath(new URL('../../../', import.meta.url));
    const program = ['scripts/run-source.mjs', 'test/vectors/generate-instruction.ts', '--check'];
    const { status, stderr } = spawnSync(process.execPath, program, { cwd: root, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each(vectors)('$name: salt, digest and signature', async (vector) => {
    expect(hashText(vector.networkId)).toBe(vector.networkIdHash);
    expect(keccak256(vector.vault)).toBe(vector.vaultHash);
    const words = [vector.serviceId, vector.networkIdHash, vector.genesisHash, vector.vault];
    expect(await read(vault, 'saltFor', ...words)).toBe(vector.salt);
    expect(await read(vault, 'digestFor', vector.salt, vector.instruction)).toBe(vector.digest);
    expect(recoverAddress(vector.digest, vector.signature).toLowerCase()).toBe(vector.authority);
  });

  it('are accepted by a vault at the vector’s address, signature and all', async () => {
    const [deployer] = people(chain);
    const token = await deploy(deployer, 'TestToken', ['Euro', 'EURT', 4]);
    const vector = vectors.find(({ name }) => name === 'release');
    if (!vector) throw new Error('no release vector');
    await chain.provider.send('anvil_setCode', [vector.vault, await chain.provider.getCode(vault.target)]);
    const placed = new Contract(vector.vault, loadArtifact('DrawbridgeVault').abi, deployer);
    const { serviceId, networkIdHash, genesisHash, authority } = vector;
    const config = vaultConfig(await token.getAddress(), { serviceId, networkIdHash, genesisHash, authority });
    await send(placed, 'initialize', [config]);
    await send(token, 'mint', [vector.vault, 10n ** 12n]);
    expect(await read(placed, 'domainSalt')).toBe(vector.salt);
    expect(await read(placed, 'domainSeparator')).toBe(vector.domainSeparator);
    expect(await read(placed, 'digest', vector.instruction)).toBe(vector.digest);
    expect(START_SECONDS).toBeLessThan(Number(vector.instruction.notAfter));
    await send(placed, 'execute', [vector.instruction, vector.signature]);
    expect(await read(placed, 'isSpent', vector.instruction.id)).toBe(1n);
    const elsewhere = vectors.find(({ name }) => name === 'release-other-domain');
    expect(elsewhere?.instruction).toEqual(vector.instruction);
    expect(await refusal(vault, 'execute', [vector.instruction, vector.signature])).toBe('NotInitialized');
  });

  it('digest of an initialized vault is the digest in its own domain', async () => {
    const bed = await escrowBed(chain);
    const made = instruction({ kind: KIND.release, amount: 7n });
    const expected = digestOf(bed.salt, made);
    expect(await read(bed.vault, 'digest', made)).toBe(expected);
    expect(await read(bed.vault, 'digestFor', bed.salt, made)).toBe(expected);
    const config = vaultConfig('');
    const words = [config.serviceId, config.networkIdHash, config.genesisHash, bed.address];
    expect(await read(bed.vault, 'saltFor', ...words)).toBe(bed.salt);
  });
});
