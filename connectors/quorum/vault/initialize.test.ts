import { deployTokens, deployVault, VAULT_MODE, type VaultConfig } from '@drawbridge/connector-quorum/deploy-vault';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Contract, id as hashText, ZeroAddress, ZeroHash } from 'ethers';
import {
  AUTHORITY_ADDRESS,
  type Chain,
  deploy,
  EUR,
  escrowBed,
  GUARDIANS,
  instruction,
  KIND,
  people,
  read,
  refusal,
  send,
  sign,
  startChain,
  UNIT,
  vaultConfig,
} from './testbed.ts';

const guardians = GUARDIANS.map((guardian) => guardian.address);
const YEAR = 365 * 86_400;

jest.setTimeout(60_000);

let chain: Chain;
let vault: Contract;
let token: string;
beforeAll(async () => {
  chain = await startChain();
  vault = await deploy(people(chain)[0], 'DrawbridgeVault');
  token = String((await deploy(people(chain)[0], 'TestToken', ['Euro', 'EURT', 4])).target);
});
afterAll(() => chain.stop());

describe('initialize', () => {
  const invalid: readonly [string, Record<string, unknown>, string][] = [
    ['no service', { serviceId: ZeroHash }, 'serviceId'],
    ['no network', { networkIdHash: ZeroHash }, 'networkIdHash'],
    ['no genesis', { genesisHash: ZeroHash }, 'genesisHash'],
    ['no authority', { authority: ZeroAddress }, 'authority'],
    ['no token', { token: ZeroAddress }, 'token'],
    ['a token without code', { token: GUARDIANS[0]?.address }, 'token'],
    ['mode 0', { mode: 0 }, 'mode'],
    ['mode 3', { mode: 3 }, 'mode'],
    ['no asset', { asset: ZeroHash }, 'asset'],
    ['no unit', { unit: 0 }, 'unit'],
    ['a unit that overflows with amounts', { unit: 2n ** 194n }, 'unit'],
    ['no cap', { releaseCap: 0 }, 'releaseCap'],
    ['no window', { capWindowSeconds: 0 }, 'capWindowSeconds'],
    ['a window above a year', { capWindowSeconds: YEAR + 1 }, 'capWindowSeconds'],
    ['no delay', { guardianDelaySeconds: 0 }, 'guardianDelaySeconds'],
    ['a delay above a year', { guardianDelaySeconds: YEAR + 1 }, 'guardianDelaySeconds'],
    ['no guardian', { guardians: [] }, 'guardians'],
    ['a zero guardian', { guardians: [ZeroAddress], guardianThreshold: 1 }, 'guardians'],
    ['a guardian twice', { guardians: [guardians[0], guardians[1], guardians[0]] }, 'guardians'],
    ['17 guardians', { guardians: Array.from({ length: 17 }, (_, n) => `0x${'11'.repeat(19)}${n + 16}`) }, 'guardians'],
    ['threshold 0', { guardianThreshold: 0 }, 'guardianThreshold'],
    ['threshold above the guardians', { guardianThreshold: 6 }, 'guardianThreshold'],
  ];
  it.each(invalid)('refuses %s', async (_, change, field) => {
    expect(await refusal(vault, 'initialize', [vaultConfig(token, change)])).toBe(`InvalidConfig(${field})`);
  });

  it('refuses an issue vault over a token that no vault mints', async () => {
    const orphan = await deploy(people(chain)[0], 'test/CrookedMintToken', [ZeroAddress]);
    const config = vaultConfig(String(orphan.target), { mode: 2 });
    expect(await refusal(vault, 'initialize', [config])).toBe('InvalidConfig(token)');
  });

  it('refuses a stranger, and everything before it and a second time after it', async () => {
    const [, alice] = people(chain);
    const fresh = await deploy(people(chain)[0], 'DrawbridgeVault');
    const made = instruction({ kind: KIND.release, amount: 1n });
    const orders: [string, unknown[]][] = [
      ['lock', [ZeroHash, 100n]],
      ['execute', [made, sign(ZeroHash, made)]],
      ['void', [{ ...made, kind: KIND.void }, sign(ZeroHash, made)]],
      ['guardianPause', [[]]],
      ['guardianUnpause', [[]]],
      ['guardianReplaceAuthority', [alice.address, []]],
      ['completeGuardianReplacement', []],
      ['guardianCancel', [[]]],
      ['guardianApproveSuccessor', [alice.address, []]],
      ['releaseHeadroom', []],
    ];
    for (const [name, args] of orders)
      expect([name, await refusal(fresh, name, args)]).toEqual([name, 'NotInitialized']);
    expect(await refusal(fresh, 'initialize', [vaultConfig(token)], alice)).toBe('NotDeployer');
    await send(fresh, 'initialize', [vaultConfig(token)]);
    expect(await refusal(fresh, 'initialize', [vaultConfig(token)])).toBe('AlreadyInitialized');
    expect(await refusal(fresh, 'initialize', [vaultConfig(token)], alice)).toBe('NotDeployer');
  });

  it('records what it was given', async () => {
    const bed = await escrowBed(chain);
    const expected: Record<string, unknown> = {
      ...vaultConfig(String(bed.token.target)),
      mode: 1n,
      capWindowSeconds: 3600n,
      guardianThreshold: 3n,
      guardianDelaySeconds: 86_400n,
      deployer: people(chain)[0].address,
      epoch: 1n,
      eventCount: 0n,
      paused: false,
      closed: false,
      guardianNonce: 0n,
      releaseHeadroom: 1_000_000n,
    };
    for (const [name, value] of Object.entries(expected)) {
      const found: unknown = await read(bed.vault, name);
      expect([name, Array.isArray(value) ? [...(found as string[])] : found]).toEqual([name, value]);
    }
  });

  it('takes no ether, by call or by plain transfer', async () => {
    const [, alice] = people(chain);
    for (const data of ['0x', '0x12345678']) {
      await expect(alice.call({ to: vault.target, value: 1n, data })).rejects.toMatchObject({ code: 'CALL_EXCEPTION' });
    }
    const data = vault.interface.encodeFunctionData('lock', [ZeroHash, 1n]);
    await expect(alice.call({ to: vault.target, value: 1n, data })).rejects.toMatchObject({ code: 'CALL_EXCEPTION' });
  });
});

describe('deployVault and deployTokens', () => {
  const config = (tokenOf: VaultConfig['token'], mode: 1 | 2): VaultConfig => ({
    serviceId: hashText('service'),
    networkIdHash: hashText('alpha'),
    genesisHash: hashText('genesis'),
    authority: AUTHORITY_ADDRESS,
    token: tokenOf,
    mode,
    asset: EUR,
    unit: UNIT,
    releaseCap: 1000n,
    capWindowSeconds: 60,
    guardians: guardians.slice(0, 3),
    guardianThreshold: 2,
    guardianDelaySeconds: 60,
  });

  it('give a working escrow vault over a test token with its holdings', async () => {
    const [deployer, alice] = people(chain);
    const specs = [
      { name: 'Euro', symbol: 'EURT', decimals: 4, holdings: { [alice.address]: 500n } },
      { name: 'Dollar', symbol: 'USDT', decimals: 4, blocking: true },
    ];
    const [euro, dollar] = await deployTokens(deployer, specs);
    if (!euro || !dollar) throw new Error('two tokens expected');
    const made = await deployVault(deployer, config(euro, VAULT_MODE.escrow));
    expect(made.token).toBe(euro);
    const at = vault.attach(made.address) as Contract;
    expect(await read(at, 'domainSalt')).toBe(made.domainSalt);
    expect(await read(at, 'token')).toBe(euro);
    expect((await chain.provider.getCode(made.address, made.blockNumber)).length).toBeGreaterThan(2);
    expect(await chain.provider.getCode(made.address, made.blockNumber - 1)).toBe('0x');
    const tokenAt = (await deploy(deployer, 'BlockingToken', ['x', 'x', 2])).attach(dollar) as Contract;
    await send(tokenAt, 'setBlocked', [alice.address, true]);
    expect(await refusal(tokenAt, 'transfer', [alice.address, 0n])).toBe('Error(recipient blocked)');
  });

  it('give an issue vault the token that it mints, and refuse one of another vault', async () => {
    const [deployer] = people(chain);
    const made = await deployVault(deployer, config({ name: 'E', symbol: 'E', decimals: 4 }, VAULT_MODE.issue));
    await expect(deployVault(deployer, config(made.token, VAULT_MODE.issue))).rejects.toMatchObject({
      code: 'VAULT_TOKEN_FOREIGN',
    });
    const wrong = config({ name: 'E', symbol: 'E', decimals: 4 }, VAULT_MODE.escrow);
    await expect(deployVault(deployer, wrong)).rejects.toMatchObject({ code: 'VAULT_CONFIG' });
  });
});
