import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deployTokens } from '@drawbridge/connector-quorum/deploy-vault';
import { vaultArtifact } from '@drawbridge/connector-quorum/vault-artifact';
import { type AnvilChain, startAnvil } from '@drawbridge/devnets/anvil';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Contract, JsonRpcProvider, Wallet } from 'ethers';

const DEPLOY = fileURLToPath(new URL('./deploy.ts', import.meta.url));
const SERVICE = `0x${'5e'.repeat(32)}`;
const AUTHORITY = `0x${'ab'.repeat(20)}`;

let dir: string;
let chain: AnvilChain;
let provider: JsonRpcProvider;
let config: Record<string, unknown>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-deploy-'));
  chain = await startAnvil({ chainId: 4_321, mining: 'each-transaction' });
  provider = new JsonRpcProvider(chain.rpcUrl, 4_321, { staticNetwork: true, pollingInterval: 20 });
  const key = chain.accounts[0]?.privateKey ?? '';
  await writeFile(join(dir, 'deployer.key'), `${key}\n`, { mode: 0o600 });
  const [token] = await deployTokens(new Wallet(key, provider), [{ name: 'Euro', symbol: 'EUR', decimals: 6 }]);
  config = {
    rpcUrl: chain.rpcUrl,
    deployerKeyFile: 'deployer.key',
    network: 'quorum-a',
    serviceId: SERVICE,
    authority: AUTHORITY,
    asset: 'EUR',
    scale: 2,
    mode: 'escrow',
    token,
    releaseCapMinor: '100000000',
    capWindowSeconds: 3_600,
    guardians: [1, 2, 3].map((n) => chain.accounts[n]?.address),
    guardianThreshold: 2,
    guardianDelaySeconds: 86_400,
  };
}, 60_000);
afterAll(async () => {
  provider.destroy();
  await chain.stop();
  await rm(dir, { recursive: true });
});

async function deploy(changes: object): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(dir, 'vault.json');
  await writeFile(file, JSON.stringify({ ...config, ...changes }));
  const { command, args } = sourceProgram(DEPLOY, ['--config', file]);
  return new Promise((resolve) => {
    execFile(command, args, (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }));
  });
}

describe('deploying a vault from a file', () => {
  it('prints what the genesis file must say of it', async () => {
    const { code, stdout, stderr } = await deploy({});
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const said = JSON.parse(stdout) as { vault: { address: string } };
    expect(said).toEqual({
      network: { id: 'quorum-a', kind: 'evm', chainId: 4_321, genesisHash: chain.genesisHash },
      vault: {
        network: 'quorum-a',
        asset: 'EUR',
        mode: 'escrow',
        address: expect.stringMatching(/^0x[0-9a-f]{40}$/),
        authority: AUTHORITY,
        fromBlock: expect.any(Number),
      },
      token: String(config.token).toLowerCase(),
      unit: '10000',
    });
    const vault = new Contract(said.vault.address, vaultArtifact.abi, provider);
    const authority: string = await vault.getFunction('authority').staticCall();
    expect(authority.toLowerCase()).toBe(AUTHORITY);
  }, 60_000);

  it('deploys the token of an issue vault with it', async () => {
    const { code, stdout } = await deploy({ mode: 'issue', token: { name: 'd', symbol: 'dEUR', decimals: 2 } });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ vault: { mode: 'issue' }, unit: '1' });
  }, 60_000);

  it.each([
    [{ mode: 'issue', token: { name: 'd', symbol: 'd', decimals: 1 } }, 'fewer than scale', 64],
    [{ token: { name: 'd', symbol: 'd', decimals: 2 } }, 'needs the address of its token', 64],
    [{ colour: 'red', authority: '0x1' }, '/colour', 64],
    [{ rpcUrl: 'http://127.0.0.1:1' }, 'no EVM node answers', 64],
    [{ guardianThreshold: 9 }, 'the chain refuses', 1],
    [{ deployerKeyFile: 'nobody.key' }, 'cannot be read', 64],
  ])(
    'says what is wrong: %j',
    async (changes, words, code) => {
      const answer = await deploy(changes);
      expect(answer).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) });
      expect(answer.stderr).not.toContain('    at ');
    },
    60_000,
  );

  it('takes no key that others can read', async () => {
    await chmod(join(dir, 'deployer.key'), 0o644);
    expect(await deploy({})).toMatchObject({ code: 64, stderr: expect.stringContaining('chmod 600') });
  }, 60_000);
});
