import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { id as hashText, hexlify, ZeroHash } from 'ethers';
import {
  type Bed,
  type Chain,
  escrowBed,
  eventOf,
  execute,
  guardianSignatures,
  instruction,
  issueBed,
  KIND,
  lock,
  people,
  read,
  refusal,
  refusedInstruction,
  send,
  sign,
  signed,
  startChain,
  UNIT,
  word,
} from './testbed.ts';

jest.setTimeout(60_000);

let chain: Chain;
let bed: Bed;
let payee: string;
beforeAll(async () => {
  chain = await startChain();
  payee = word(people(chain)[3].address);
});
afterAll(() => chain.stop());
beforeEach(async () => {
  bed = await escrowBed(chain);
  await lock(bed, people(chain)[1], 100n * UNIT);
});

describe('void', () => {
  it('makes its target impossible for ever, spends both ids and says so', async () => {
    const target = instruction({ kind: KIND.release, amount: 5n, beneficiary: payee });
    const [made, signature] = signed(bed, { kind: KIND.void, subject: target.id });
    const receipt = await send(bed.vault, 'void', [made, signature]);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Voided',
      seq: 2n,
      id: made.id,
      subject: target.id,
      epoch: 1n,
      trail: hexlify(made.trail),
    });
    expect(await read(bed.vault, 'isSpent', target.id)).toBe(2n);
    expect(await read(bed.vault, 'isSpent', made.id)).toBe(1n);
    expect(await refusal(bed.vault, 'execute', [target, sign(bed.salt, target)])).toBe(`AlreadySpent(${target.id})`);
    expect(await refusal(bed.vault, 'void', [made, signature])).toBe(`AlreadySpent(${made.id})`);
  });

  it('is refused once its target executed, or was voided by another', async () => {
    const executed = await execute(bed, { kind: KIND.release, amount: 5n, beneficiary: payee });
    expect(await refusedInstruction(bed, { kind: KIND.void, subject: executed.id })).toBe(
      `AlreadySpent(${executed.id})`,
    );
    expect(await read(bed.vault, 'isSpent', executed.id)).toBe(1n);
    const target = hashText('an instruction that never came');
    const voided = await execute(bed, { kind: KIND.void, subject: target });
    expect(await refusedInstruction(bed, { kind: KIND.void, subject: target })).toBe(`AlreadySpent(${target})`);
    expect(await refusedInstruction(bed, { kind: KIND.void, subject: voided.id })).toBe(`AlreadySpent(${voided.id})`);
    expect(await read(bed.vault, 'isSpent', target)).toBe(2n);
  });

  it('needs a target that is not itself', async () => {
    expect(await refusedInstruction(bed, { kind: KIND.void, subject: ZeroHash })).toBe(`InvalidSubject(${ZeroHash})`);
    const id = hashText('myself');
    expect(await refusedInstruction(bed, { kind: KIND.void, id, subject: id })).toBe(`InvalidSubject(${id})`);
  });

  it('stops any kind: a voided rotate or void does nothing any more', async () => {
    const rotate = instruction({ kind: KIND.rotate, subject: payee });
    const second = instruction({ kind: KIND.void, subject: hashText('y') });
    await execute(bed, { kind: KIND.void, subject: rotate.id });
    await execute(bed, { kind: KIND.void, subject: second.id });
    expect(await refusal(bed.vault, 'execute', [rotate, sign(bed.salt, rotate)])).toMatch(/^AlreadySpent/);
    expect(await refusal(bed.vault, 'void', [second, sign(bed.salt, second)])).toMatch(/^AlreadySpent/);
  });
});

describe('refund', () => {
  it('pays the lock back to its own depositor, once', async () => {
    const [, , bob] = people(chain);
    const before = await read<bigint>(bed.token, 'balanceOf', bob.address);
    const subject = await lock(bed, bob, 30n * UNIT);
    const refund = { kind: KIND.refund, subject, amount: 30n, beneficiary: word(bob.address) };
    const receipt = await send(bed.vault, 'execute', signed(bed, refund));
    expect(eventOf(bed, receipt)).toMatchObject({ name: 'Executed', seq: 3n, kind: 3n, subject, amount: 30n });
    expect(await read(bed.token, 'balanceOf', bob.address)).toBe(before);
    expect([...(await read<unknown[]>(bed.vault, 'lockOf', subject))]).toEqual([bob.address, 30n, true]);
    expect(await refusedInstruction(bed, refund)).toBe(`LockAlreadyRefunded(${subject})`);
  });

  it('is refused for another amount, another beneficiary and an unknown lock', async () => {
    const [, alice, bob] = people(chain);
    const subject = await lock(bed, bob, 30n * UNIT);
    const refund = { kind: KIND.refund, subject, amount: 30n, beneficiary: word(bob.address) };
    const mismatch = `RefundMismatch(30,${bob.address})`;
    for (const amount of [0n, 29n, 31n]) expect(await refusedInstruction(bed, { ...refund, amount })).toBe(mismatch);
    const dirty = `0x01${word(bob.address).slice(4)}`;
    for (const beneficiary of [word(alice.address), dirty, ZeroHash]) {
      expect(await refusedInstruction(bed, { ...refund, beneficiary })).toBe(mismatch);
    }
    const unknown = hashText('no lock');
    expect(await refusedInstruction(bed, { ...refund, subject: unknown })).toBe(`UnknownLock(${unknown})`);
    await execute(bed, refund);
  });

  it('mints again what an issue vault burned', async () => {
    const [, alice] = people(chain);
    const issuing = await issueBed(chain);
    const subject = await lock(issuing, alice, 400n * UNIT);
    await execute(issuing, { kind: KIND.refund, subject, amount: 400n, beneficiary: word(alice.address) });
    expect(await read(issuing.token, 'balanceOf', alice.address)).toBe(1_000n * UNIT);
    expect(await read(issuing.token, 'totalSupply')).toBe(1_000n * UNIT);
  });
});

describe('a pause', () => {
  it('never stops void, refund or rotate', async () => {
    const [, , bob] = people(chain);
    const subject = await lock(bed, bob, 30n * UNIT);
    await execute(bed, { kind: KIND.pause });
    await send(bed.vault, 'guardianPause', [await guardianSignatures(bed, 'GuardianPause')]);
    await execute(bed, { kind: KIND.void, subject: hashText('z') });
    await execute(bed, { kind: KIND.refund, subject, amount: 30n, beneficiary: word(bob.address) });
    await execute(bed, { kind: KIND.rotate, subject: payee });
    expect(await read(bed.vault, 'paused')).toBe(true);
  });

  it('says what stands after it, and repeats without harm', async () => {
    const expectPause = async (kind: number, paused: boolean): Promise<void> => {
      const [made, signature] = signed(bed, { kind });
      const event = eventOf(bed, await send(bed.vault, 'execute', [made, signature]));
      expect(event).toMatchObject({ name: 'PauseChanged', id: made.id, paused, byGuardian: false });
      expect(await read(bed.vault, 'paused')).toBe(paused);
    };
    await expectPause(KIND.pause, true);
    await expectPause(KIND.pause, true);
    await expectPause(KIND.unpause, false);
    await expectPause(KIND.unpause, false);
  });
});
