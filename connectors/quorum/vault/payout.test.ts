import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { id as hashText, hexlify, toBeHex, ZeroHash } from 'ethers';
import {
  type Bed,
  type Chain,
  deploy,
  escrowBed,
  eventOf,
  execute,
  guardianSignatures,
  issueBed,
  KIND,
  lock,
  pass,
  people,
  read,
  refusal,
  refusedInstruction,
  send,
  sign,
  signed,
  startChain,
  UNIT,
  vaultConfig,
  word,
} from './testbed.ts';

jest.setTimeout(60_000);

let chain: Chain;
let payee: string;
let payeeAddress: string;
beforeAll(async () => {
  chain = await startChain();
  payeeAddress = people(chain)[3].address;
  payee = word(payeeAddress);
});
afterAll(() => chain.stop());

describe('release', () => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await escrowBed(chain);
    await lock(bed, people(chain)[1], 1_000n * UNIT);
  });

  it('pays the beneficiary in full and says so', async () => {
    const before = await read<bigint>(bed.token, 'balanceOf', payeeAddress);
    const [made, signature] = signed(bed, {
      kind: KIND.release,
      amount: 12n,
      beneficiary: payee,
      subject: hashText('subject'),
    });
    const receipt = await send(bed.vault, 'execute', [made, signature]);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Executed',
      seq: 2n,
      id: made.id,
      subject: made.subject,
      kind: 1n,
      beneficiary: payee,
      amount: 12n,
      epoch: 1n,
      trail: hexlify(made.trail),
    });
    expect(await read(bed.token, 'balanceOf', payeeAddress)).toBe(before + 12n * UNIT);
    expect(await read(bed.token, 'balanceOf', bed.address)).toBe(988n * UNIT);
  });

  it('refuses an amount of nothing, or of 2^63 and more', async () => {
    const release = { kind: KIND.release, beneficiary: payee };
    expect(await refusedInstruction(bed, { ...release, amount: 0n })).toBe('InvalidAmount(0)');
    expect(await refusedInstruction(bed, { ...release, amount: 2n ** 63n })).toBe(`InvalidAmount(${2n ** 63n})`);
  });

  it('refuses a beneficiary that is no address, nobody or the vault itself', async () => {
    for (const beneficiary of [ZeroHash, word(bed.address), `0x01${payee.slice(4)}`, toBeHex(2n ** 160n, 32)]) {
      expect(await refusedInstruction(bed, { kind: KIND.release, amount: 1n, beneficiary })).toBe(
        `InvalidBeneficiary(${beneficiary})`,
      );
    }
  });

  it('refuses while paused, and pays the same instruction afterwards', async () => {
    const made = signed(bed, { kind: KIND.release, amount: 1n, beneficiary: payee });
    await execute(bed, { kind: KIND.pause });
    expect(await refusal(bed.vault, 'execute', made)).toBe('VaultPaused');
    await execute(bed, { kind: KIND.unpause });
    await send(bed.vault, 'execute', made);
  });

  it('refuses more than is there', async () => {
    const release = { kind: KIND.release, beneficiary: payee };
    expect(await refusedInstruction(bed, { ...release, amount: 1_001n })).toBe('Error(balance)');
    await execute(bed, { ...release, amount: 1_000n });
  });
});

describe('payments in odd tokens', () => {
  const release = (bed: Bed): [unknown, string] => signed(bed, { kind: KIND.release, amount: 5n, beneficiary: payee });
  const bedOver = async (token: string): Promise<Bed> => {
    const bed = await escrowBed(chain, { token });
    await send(bed.token, 'mint', [bed.address, 100n * UNIT]);
    return bed;
  };

  it('refuses while the beneficiary is blocked, spends nothing, and can be voided or paid later', async () => {
    const bed = await bedOver('BlockingToken');
    const made = release(bed);
    await send(bed.token, 'setBlocked', [payeeAddress, true]);
    expect(await refusal(bed.vault, 'execute', made)).toBe('Error(recipient blocked)');
    await send(bed.token, 'setSilent', [true]);
    expect(await refusal(bed.vault, 'execute', made)).toBe('TokenRefused');
    expect(await read(bed.vault, 'eventCount')).toBe(0n);
    expect(await read(bed.vault, 'releaseHeadroom')).toBe(1_000_000n);
    const other = release(bed);
    await send(bed.token, 'setBlocked', [payeeAddress, false]);
    await send(bed.vault, 'execute', made);
    await execute(bed, { kind: KIND.void, subject: (other[0] as { id: string }).id });
  });

  it('pays in a token that returns nothing', async () => {
    const bed = await bedOver('test/SilentToken');
    await send(bed.vault, 'execute', release(bed));
    expect(await read(bed.token, 'balanceOf', payeeAddress)).toBe(5n * UNIT);
  });

  it('refuses a token that answers false, and one that lies', async () => {
    const refusing = await bedOver('test/FalseToken');
    await send(refusing.token, 'refuse', [true]);
    expect(await refusal(refusing.vault, 'execute', release(refusing))).toBe('TokenRefused');
    const lying = await bedOver('test/LyingToken');
    expect(await refusal(lying.vault, 'execute', release(lying))).toBe('TransferNotExact(500,0)');
  });

  it('lets a fee fall on the recipient, never on the vault', async () => {
    const bed = await bedOver('test/FeeToken');
    await send(bed.token, 'setFee', [100, false]);
    await send(bed.vault, 'execute', release(bed));
    expect(await read(bed.token, 'balanceOf', payeeAddress)).toBe(495n);
    await send(bed.token, 'setFee', [100, true]);
    expect(await refusal(bed.vault, 'execute', release(bed))).toBe('TransferNotExact(500,505)');
  });

  it('cannot be entered again by any door while it pays', async () => {
    const bed = await bedOver('test/ReentrantToken');
    const address = people(chain)[0].address;
    const inner = signed(bed, { kind: KIND.release, amount: 1n, beneficiary: payee });
    const doors: [string, readonly unknown[]][] = [
      ['lock', [ZeroHash, UNIT]],
      ['execute', inner],
      ['void', signed(bed, { kind: KIND.void, subject: hashText('x') })],
      ['guardianPause', [await guardianSignatures(bed, 'GuardianPause')]],
      ['guardianUnpause', [await guardianSignatures(bed, 'GuardianUnpause')]],
      [
        'guardianReplaceAuthority',
        [address, await guardianSignatures(bed, 'GuardianReplaceAuthority', { authority: address })],
      ],
      ['completeGuardianReplacement', []],
      ['guardianCancel', [await guardianSignatures(bed, 'GuardianCancel')]],
      [
        'guardianApproveSuccessor',
        [address, await guardianSignatures(bed, 'GuardianApproveSuccessor', { successor: address })],
      ],
    ];
    for (const [name, args] of doors) {
      await send(bed.token, 'arm', [bed.address, bed.vault.interface.encodeFunctionData(name, args)]);
      expect([name, await refusal(bed.vault, 'execute', release(bed))]).toEqual([name, 'ReentrantCall']);
    }
    const again = release(bed);
    await send(bed.token, 'arm', [bed.address, bed.vault.interface.encodeFunctionData('execute', again)]);
    expect(await refusal(bed.vault, 'execute', again)).toBe('ReentrantCall');
  });
});

describe('issue', () => {
  it('mints to the beneficiary, within the cap', async () => {
    const bed = await issueBed(chain, { releaseCap: 1_500n });
    const receipt = await send(bed.vault, 'execute', signed(bed, { kind: KIND.issue, amount: 7n, beneficiary: payee }));
    expect(eventOf(bed, receipt)).toMatchObject({ name: 'Executed', seq: 2n, kind: 2n, amount: 7n });
    expect(await read(bed.token, 'balanceOf', payeeAddress)).toBe(7n * UNIT);
    expect(await read(bed.token, 'totalSupply')).toBe(1_007n * UNIT);
    expect(await refusedInstruction(bed, { kind: KIND.issue, amount: 494n, beneficiary: payee })).toBe(
      'ReleaseCapExceeded(493,494)',
    );
  });

  it('refuses while paused', async () => {
    const bed = await issueBed(chain);
    await execute(bed, { kind: KIND.pause });
    expect(await refusedInstruction(bed, { kind: KIND.issue, amount: 1n, beneficiary: payee })).toBe('VaultPaused');
  });

  it('measures what was minted', async () => {
    const [deployer] = people(chain);
    const vault = await deploy(deployer, 'DrawbridgeVault');
    const token = await deploy(deployer, 'test/CrookedMintToken', [vault.target]);
    await send(vault, 'initialize', [vaultConfig(String(token.target), { mode: 2 })]);
    const bed: Bed = { chain, vault, address: String(vault.target), token, salt: await read(vault, 'domainSalt') };
    const issue = { kind: KIND.issue, amount: 2n, beneficiary: payee };
    await execute(bed, issue);
    await send(token, 'setOff', [0n, 1n]);
    expect(await refusedInstruction(bed, issue)).toBe('TransferNotExact(200,199)');
    await send(token, 'setOff', [1n, 0n]);
    expect(await refusedInstruction(bed, issue)).toBe('TransferNotExact(200,199)');
  });

  it('is the only way to mint or burn: the token refuses everyone else', async () => {
    const [deployer, alice] = people(chain);
    const bed = await issueBed(chain);
    for (const signer of [deployer, alice]) {
      const refused = `NotTokenVault(${signer.address})`;
      expect(await refusal(bed.token, 'mint', [alice.address, 1n], signer)).toBe(refused);
      expect(await refusal(bed.token, 'burnFrom', [alice.address, 1n], signer)).toBe(refused);
      expect(await refusal(bed.token, 'setVault', [alice.address], signer)).toBe(refused);
    }
  });
});

describe('the release cap', () => {
  const CAP = 100n;
  const WINDOW = 1_000;
  const HALF = WINDOW / 2;
  let bed: Bed;
  const release = (amount: bigint): { kind: number; amount: bigint; beneficiary: string } => ({
    kind: KIND.release,
    amount,
    beneficiary: payee,
  });
  beforeEach(async () => {
    bed = await escrowBed(chain, { config: { releaseCap: CAP, capWindowSeconds: WINDOW } });
    for (let n = 0; n < 10; n++) await lock(bed, people(chain)[1], CAP * UNIT);
    await toNextBucket();
  });

  /** Mines a block at the first second of the next half window. */
  async function toNextBucket(): Promise<void> {
    const { timestamp = 0 } = (await chain.provider.getBlock('latest')) ?? {};
    await pass(chain, HALF - (timestamp % HALF));
  }

  it('holds to the unit', async () => {
    await execute(bed, release(60n));
    expect(await read(bed.vault, 'releaseHeadroom')).toBe(40n);
    expect(await refusedInstruction(bed, release(41n))).toBe('ReleaseCapExceeded(40,41)');
    await execute(bed, release(40n));
    expect(await refusedInstruction(bed, release(1n))).toBe('ReleaseCapExceeded(0,1)');
  });

  it('counts for a window at least and for one and a half at most', async () => {
    await execute(bed, release(70n));
    await toNextBucket();
    await execute(bed, release(30n));
    expect(await refusedInstruction(bed, release(1n))).toBe('ReleaseCapExceeded(0,1)');
    await toNextBucket();
    expect(await refusedInstruction(bed, release(1n))).toBe('ReleaseCapExceeded(0,1)');
    await toNextBucket();
    expect(await refusedInstruction(bed, release(71n))).toBe('ReleaseCapExceeded(70,71)');
    await execute(bed, release(70n));
    await toNextBucket();
    expect(await read(bed.vault, 'releaseHeadroom')).toBe(30n);
    await pass(chain, 10 * WINDOW);
    await execute(bed, release(100n));
  });

  it('forgets nothing when two half windows pass without a payment', async () => {
    await execute(bed, release(100n));
    await toNextBucket();
    await toNextBucket();
    expect(await refusedInstruction(bed, release(1n))).toBe('ReleaseCapExceeded(0,1)');
    await toNextBucket();
    await execute(bed, release(100n));
  });

  it('is never exceeded in any window, wherever it begins', async () => {
    const paid: { at: number; amount: bigint }[] = [];
    let state = 7;
    for (let n = 0; n < 60; n++) {
      state = (state * 48_271) % 2_147_483_647;
      await pass(chain, 1 + (state % 180));
      const room = await read<bigint>(bed.vault, 'releaseHeadroom');
      const amount = room < BigInt(1 + (state % 37)) ? room : BigInt(1 + (state % 37));
      if (amount === 0n) continue;
      const receipt = await send(bed.vault, 'execute', signed(bed, release(amount)));
      paid.push({ at: (await chain.provider.getBlock(receipt.blockNumber))?.timestamp ?? 0, amount });
      for (const { at: from } of paid) {
        const inside = paid.filter(({ at }) => at >= from && at <= from + WINDOW);
        expect(inside.reduce((sum, payment) => sum + payment.amount, 0n)).toBeLessThanOrEqual(CAP);
      }
      const balance = await read<bigint>(bed.token, 'balanceOf', bed.address);
      if (balance < CAP * UNIT) await lock(bed, people(chain)[1], CAP * UNIT);
    }
    expect(paid.length).toBeGreaterThan(20);
  });

  it('counts refunds too', async () => {
    const [, alice] = people(chain);
    const subject = await lock(bed, alice, 80n * UNIT);
    await execute(bed, release(50n));
    const refund = { kind: KIND.refund, subject, amount: 80n, beneficiary: word(alice.address) };
    expect(await refusedInstruction(bed, refund)).toBe('ReleaseCapExceeded(50,80)');
    await pass(chain, 2 * WINDOW);
    const made = await execute(bed, refund);
    expect(await refusal(bed.vault, 'execute', [made, sign(bed.salt, made)])).toMatch(/^AlreadySpent/);
    expect(await read(bed.vault, 'releaseHeadroom')).toBe(20n);
  });
});
