import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AbiCoder, id as hashText, keccak256 } from 'ethers';
import {
  type Bed,
  type Chain,
  deploy,
  escrowBed,
  eventOf,
  execute,
  issueBed,
  KIND,
  lock,
  pass,
  people,
  read,
  refusal,
  send,
  startChain,
  UNIT,
  vaultConfig,
  word,
} from './testbed.ts';

const REFERENCE = hashText('transfer 1');
const lockIdOf = (vault: string, depositor: string, reference: string, nonce: bigint): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ['address', 'address', 'bytes32', 'uint256'],
      [vault, depositor, reference, nonce],
    ),
  );

jest.setTimeout(60_000);

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain.stop());

describe('lock in an escrow vault', () => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await escrowBed(chain);
  });

  it('takes the tokens, records the lock and says so', async () => {
    const [, alice] = people(chain);
    const receipt = await send(bed.vault, 'lock', [REFERENCE, 5n * UNIT], alice);
    const lockId = lockIdOf(bed.address, alice.address, REFERENCE, 0n);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Locked',
      seq: 1n,
      lockId,
      lockReference: REFERENCE,
      depositor: alice.address,
      amount: 5n,
    });
    expect([...(await read<unknown[]>(bed.vault, 'lockOf', lockId))]).toEqual([alice.address, 5n, false]);
    expect(await read(bed.token, 'balanceOf', bed.address)).toBe(5n * UNIT);
  });

  it('takes one reference from anyone and any number of times, each lock with an id of its own', async () => {
    const [, alice, bob] = people(chain);
    const ids = [
      await lock(bed, alice, UNIT, REFERENCE),
      await lock(bed, alice, UNIT, REFERENCE),
      await lock(bed, bob, UNIT, REFERENCE),
    ];
    expect(ids).toEqual([
      lockIdOf(bed.address, alice.address, REFERENCE, 0n),
      lockIdOf(bed.address, alice.address, REFERENCE, 1n),
      lockIdOf(bed.address, bob.address, REFERENCE, 0n),
    ]);
    expect(await read(bed.vault, 'lockNonce', alice.address)).toBe(2n);
    expect(await read(bed.vault, 'eventCount')).toBe(3n);
  });

  it('refuses parts of a minor unit and nothing', async () => {
    const [, alice] = people(chain);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT + 1n], alice)).toBe('NotWholeMinorUnits(101,100)');
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT - 1n], alice)).toBe('NotWholeMinorUnits(99,100)');
    expect(await refusal(bed.vault, 'lock', [REFERENCE, 0n], alice)).toBe('InvalidAmount(0)');
  });

  it('takes 2^63 - 1 minor units and refuses one more', async () => {
    const [, , bob] = people(chain);
    const limit = 2n ** 63n;
    const bed = await escrowBed(chain, { config: { releaseCap: 2n ** 64n - 1n } });
    await send(bed.token, 'mint', [bob.address, limit * UNIT]);
    await send(bed.token, 'approve', [bed.address, limit * UNIT], bob);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, limit * UNIT], bob)).toBe(`InvalidAmount(${limit})`);
    const lockId = await lock(bed, bob, (limit - 1n) * UNIT);
    expect((await read<{ amount: bigint }>(bed.vault, 'lockOf', lockId)).amount).toBe(limit - 1n);
  });

  it('refuses while paused and goes on afterwards', async () => {
    const [, alice] = people(chain);
    await execute(bed, { kind: KIND.pause });
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT], alice)).toBe('VaultPaused');
    await execute(bed, { kind: KIND.unpause });
    await lock(bed, alice, UNIT);
  });

  it('passes on the token’s own refusal', async () => {
    const [, , , carol] = people(chain);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT], carol)).toBe('Error(allowance)');
  });
});

describe('lock takes exactly the release cap, refundable in one piece, and refuses one more', () => {
  const CAP = 1_000n;
  const config = { releaseCap: CAP };
  const above = (amount: bigint): string => `LockAboveReleaseCap(${CAP},${amount})`;

  async function expectUpToCap(bed: Bed): Promise<void> {
    const [, alice] = people(chain);
    const [balance, total] = [await balanceOf(bed, alice.address), await read(bed.token, 'totalSupply')];
    expect(await refusal(bed.vault, 'lock', [REFERENCE, (CAP + 1n) * UNIT], alice)).toBe(above(CAP + 1n));
    await expect(send(bed.vault, 'lock', [REFERENCE, (CAP + 1n) * UNIT], alice)).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
    });
    expect(await read(bed.vault, 'lockNonce', alice.address)).toBe(0n);
    expect([await balanceOf(bed, alice.address), await read(bed.token, 'totalSupply')]).toEqual([balance, total]);
    const subject = await lock(bed, alice, CAP * UNIT);
    expect(await balanceOf(bed, alice.address)).toBe(balance - CAP * UNIT);
    await execute(bed, { kind: KIND.refund, subject, amount: CAP, beneficiary: word(alice.address) });
    expect(await balanceOf(bed, alice.address)).toBe(balance);
  }
  const balanceOf = (bed: Bed, address: string): Promise<bigint> => read<bigint>(bed.token, 'balanceOf', address);

  it('in an escrow vault', async () => {
    await expectUpToCap(await escrowBed(chain, { config }));
  });

  it('in an issue vault', async () => {
    const bed = await issueBed(chain, config);
    const windows = 2 * Number(await read<bigint>(bed.vault, 'capWindowSeconds'));
    await pass(chain, windows);
    await execute(bed, { kind: KIND.issue, amount: CAP, beneficiary: word(people(chain)[1].address) });
    await pass(chain, windows);
    await expectUpToCap(bed);
  });

  it('whatever was spent of the cap in the present window', async () => {
    const [, alice] = people(chain);
    const bed = await issueBed(chain, config);
    expect(await read(bed.vault, 'releaseHeadroom')).toBe(0n);
    const lockId = await lock(bed, alice, CAP * UNIT);
    expect((await read<{ amount: bigint }>(bed.vault, 'lockOf', lockId)).amount).toBe(CAP);
  });

  it('by what arrives of a token with fees', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain, { token: 'test/FeeToken', config });
    await send(bed.token, 'setFee', [5_000, false]);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, 2n * (CAP + 1n) * UNIT], alice)).toBe(above(CAP + 1n));
    const lockId = await lock(bed, alice, 2n * CAP * UNIT);
    expect((await read<{ amount: bigint }>(bed.vault, 'lockOf', lockId)).amount).toBe(CAP);
  });
});

describe('lock by odd tokens', () => {
  it('credits what arrives of a token with fees, and refuses what is no whole unit then', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain, { token: 'test/FeeToken' });
    await send(bed.token, 'setFee', [100, false]);
    const lockId = await lock(bed, alice, 100n * UNIT);
    expect((await read<{ amount: bigint }>(bed.vault, 'lockOf', lockId)).amount).toBe(99n);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, 10n * UNIT], alice)).toBe('NotWholeMinorUnits(990,100)');
  });

  it('takes a token that returns nothing', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain, { token: 'test/SilentToken' });
    const lockId = await lock(bed, alice, 3n * UNIT);
    expect((await read<{ amount: bigint }>(bed.vault, 'lockOf', lockId)).amount).toBe(3n);
  });

  it('refuses a token that answers false, or less than a word', async () => {
    const [, alice] = people(chain);
    const refusing = await escrowBed(chain, { token: 'test/FalseToken' });
    await send(refusing.token, 'refuse', [true]);
    expect(await refusal(refusing.vault, 'lock', [REFERENCE, UNIT], alice)).toBe('TokenRefused');
    const short = await escrowBed(chain, { token: 'test/ShortAnswerToken' });
    expect(await refusal(short.vault, 'lock', [REFERENCE, UNIT], alice)).toBe('TokenRefused');
  });

  it('refuses a token whose code is gone', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain);
    await chain.provider.send('anvil_setCode', [bed.token.target, '0x']);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT], alice)).toBe(`TokenWithoutCode(${bed.token.target})`);
  });

  it('credits nothing for a token that says it moved and did not', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain, { token: 'test/LyingToken' });
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT], alice)).toBe('InvalidAmount(0)');
  });

  it('refuses to be entered again while a token moves', async () => {
    const [, alice] = people(chain);
    const bed = await escrowBed(chain, { token: 'test/ReentrantToken' });
    const again = bed.vault.interface.encodeFunctionData('lock', [REFERENCE, UNIT]);
    await send(bed.token, 'arm', [bed.address, again]);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT], alice)).toBe('ReentrantCall');
  });
});

describe('lock in an issue vault', () => {
  it('burns from the depositor, who allowed it', async () => {
    const [, alice, bob] = people(chain);
    const bed = await issueBed(chain);
    const receipt = await send(bed.vault, 'lock', [REFERENCE, 400n * UNIT], alice);
    expect(eventOf(bed, receipt)).toMatchObject({ name: 'Locked', seq: 2n, amount: 400n, depositor: alice.address });
    expect(await read(bed.token, 'totalSupply')).toBe(600n * UNIT);
    expect(await read(bed.token, 'balanceOf', alice.address)).toBe(600n * UNIT);
    expect(await read(bed.token, 'balanceOf', bed.address)).toBe(0n);
    await send(bed.token, 'transfer', [bob.address, 100n * UNIT], alice);
    await expect(send(bed.vault, 'lock', [REFERENCE, UNIT], bob)).rejects.toMatchObject({ code: 'CALL_EXCEPTION' });
    await send(bed.token, 'approve', [bed.address, UNIT], bob);
    await lock(bed, bob, UNIT);
    expect(await read(bed.token, 'allowance', bob.address, bed.address)).toBe(0n);
  });

  it('refuses parts of a minor unit and nothing', async () => {
    const [, alice] = people(chain);
    const bed = await issueBed(chain);
    expect(await refusal(bed.vault, 'lock', [REFERENCE, UNIT / 2n], alice)).toBe('NotWholeMinorUnits(50,100)');
    expect(await refusal(bed.vault, 'lock', [REFERENCE, 0n], alice)).toBe('InvalidAmount(0)');
  });

  it('measures what was burned', async () => {
    const [deployer, alice] = people(chain);
    const vault = await deploy(deployer, 'DrawbridgeVault');
    const token = await deploy(deployer, 'test/CrookedMintToken', [vault.target]);
    await send(vault, 'initialize', [vaultConfig(String(token.target), { mode: 2 })]);
    await send(token, 'mint', [alice.address, 1_000n]);
    await send(vault, 'lock', [REFERENCE, 200n], alice);
    await send(token, 'setOff', [0n, UNIT]);
    expect(await refusal(vault, 'lock', [REFERENCE, 200n], alice)).toBe('TransferNotExact(200,100)');
    await send(token, 'setOff', [UNIT, 0n]);
    expect(await refusal(vault, 'lock', [REFERENCE, 200n], alice)).toBe('TransferNotExact(200,100)');
  });
});
