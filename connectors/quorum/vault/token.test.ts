import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Contract, MaxUint256, ZeroAddress } from 'ethers';
import { type Chain, deploy, people, read, refusal, send, startChain } from './testbed.ts';

jest.setTimeout(60_000);
let chain: Chain;
let token: Contract;
/** A token whose "vault" is account 1, so that its doors can be tried one by one. */
beforeAll(async () => {
  chain = await startChain();
  const [deployer, vault, bob] = people(chain);
  token = await deploy(deployer, 'DrawbridgeToken', ['Euro on Beta', 'EURB', 4, vault.address]);
  await send(token, 'mint', [bob.address, 10n], vault);
});
afterAll(() => chain.stop());

it('moves balances and allowances as ERC-20 says, and never more than there is', async () => {
  const [spender, , bob, carol] = people(chain);
  await send(token, 'approve', [spender.address, 6n], bob);
  await send(token, 'transferFrom', [bob.address, carol.address, 4n], spender);
  await send(token, 'transfer', [carol.address, 1n], bob);
  expect(await read(token, 'allowance', bob.address, spender.address)).toBe(2n);
  expect(await read(token, 'balanceOf', bob.address)).toBe(5n);
  expect(await read(token, 'balanceOf', carol.address)).toBe(5n);
  expect(await read(token, 'totalSupply')).toBe(10n);
  const move = [bob.address, carol.address, 3n];
  expect(await refusal(token, 'transferFrom', move, spender)).toBe('InsufficientAllowance(2,3)');
  expect(await refusal(token, 'transfer', [carol.address, 6n], bob)).toBe('InsufficientBalance(5,6)');
  await send(token, 'approve', [spender.address, MaxUint256], bob);
  await send(token, 'transferFrom', move, spender);
  expect(await read(token, 'allowance', bob.address, spender.address)).toBe(MaxUint256);
});

it('is minted, burned and handed on by its vault only, burned only as far as its holder allowed', async () => {
  const [deployer, vault, bob, , courier] = people(chain);
  for (const signer of [deployer, bob]) {
    const refused = `NotTokenVault(${signer.address})`;
    expect(await refusal(token, 'mint', [bob.address, 1n], signer)).toBe(refused);
    expect(await refusal(token, 'burnFrom', [bob.address, 1n], signer)).toBe(refused);
    expect(await refusal(token, 'setVault', [bob.address], signer)).toBe(refused);
  }
  await send(token, 'mint', [courier.address, 8n], vault);
  const supply = await read<bigint>(token, 'totalSupply');
  expect(await refusal(token, 'burnFrom', [courier.address, 1n], vault)).toBe('InsufficientAllowance(0,1)');
  await send(token, 'approve', [vault.address, 9n], courier);
  expect(await refusal(token, 'burnFrom', [courier.address, 9n], vault)).toBe('InsufficientBalance(8,9)');
  await send(token, 'burnFrom', [courier.address, 5n], vault);
  expect(await read(token, 'totalSupply')).toBe(supply - 5n);
  expect(await read(token, 'balanceOf', courier.address)).toBe(3n);
});

it('knows nobody at the zero address', async () => {
  const [deployer, vault, bob] = people(chain);
  expect(await refusal(token, 'mint', [ZeroAddress, 1n], vault)).toBe('ZeroAddress');
  expect(await refusal(token, 'setVault', [ZeroAddress], vault)).toBe('ZeroAddress');
  expect(await refusal(token, 'transfer', [ZeroAddress, 1n], bob)).toBe('ZeroAddress');
  await expect(deploy(deployer, 'DrawbridgeToken', ['x', 'x', 4, ZeroAddress])).rejects.toMatchObject({
    code: 'CALL_EXCEPTION',
  });
});
