import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type SigningKey, Wallet } from 'ethers';
import {
  AUTHORITY,
  type Bed,
  type Chain,
  escrowBed,
  guardianSignatures,
  type Instruction,
  instruction,
  issueBed,
  KIND,
  parseEvent,
  pass,
  people,
  read,
  send,
  sign,
  startChain,
  UNIT,
  word,
} from './testbed.ts';

const STEPS = 150;
const CAP = 400n;
const WINDOW = 600;

jest.setTimeout(120_000);
let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain.stop());

/** Park and Miller's generator: the same seed, the same run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Everything that the run may do, right and wrong; a refusal must change nothing. */
class RandomRun {
  accepted = 0;
  private readonly bed: Bed;
  private readonly draw: (below: number) => number;
  private readonly seen: Instruction[] = [];
  private readonly locks: { lockId: string; depositor: string; amount: bigint }[] = [];
  private key: SigningKey = AUTHORITY;
  private epoch = 1;

  private readonly payKind: 1 | 2;

  constructor(bed: Bed, payKind: 1 | 2, seed: number) {
    this.bed = bed;
    this.payKind = payKind;
    this.draw = generator(seed);
  }

  async step(): Promise<void> {
    const choice = this.draw(12);
    if (choice < 4) await this.lock();
    else if (choice < 6) await this.submit(this.payment());
    else if (choice < 7) await this.submit(this.refund());
    else if (choice < 9) await this.submit(this.another({ kind: KIND.void, subject: this.known().id }));
    else if (choice < 10) await this.submit({ ...this.known(), epoch: this.epoch });
    else if (choice < 11) await this.govern();
    else await pass(this.bed.chain, this.draw(WINDOW));
  }

  private async lock(): Promise<void> {
    const depositor = people(this.bed.chain)[this.draw(2) === 0 ? 1 : 2];
    const amount = BigInt(this.draw(90));
    const done = await this.attempt(
      'lock',
      [word(depositor.address), amount * UNIT + BigInt(this.draw(8) === 0 ? 1 : 0)],
      depositor,
    );
    if (done) this.locks.push({ lockId: String(done.lockId), depositor: depositor.address, amount });
  }

  private payment(): Instruction {
    const { address } = people(this.bed.chain)[3];
    const kind = this.draw(8) === 0 ? 3 - this.payKind : this.payKind;
    return this.another({ kind, amount: BigInt(this.draw(60)), beneficiary: word(address) });
  }

  private refund(): Instruction {
    const lock = this.locks[this.draw(this.locks.length + 1)];
    return this.another({
      kind: KIND.refund,
      subject: lock?.lockId ?? word(people(this.bed.chain)[0].address),
      amount: (lock?.amount ?? 1n) + BigInt(this.draw(6) === 0 ? 1 : 0),
      beneficiary: word(lock?.depositor ?? people(this.bed.chain)[1].address),
    });
  }

  private async govern(): Promise<void> {
    const choice = this.draw(5);
    if (choice === 0) await this.submit(this.another({ kind: KIND.pause }));
    else if (choice === 1) await this.attempt('guardianPause', [await guardianSignatures(this.bed, 'GuardianPause')]);
    else if (choice === 2) await this.rotate();
    else {
      await this.attempt('guardianUnpause', [await guardianSignatures(this.bed, 'GuardianUnpause')]);
      await this.submit(this.another({ kind: KIND.unpause }));
    }
  }

  private async rotate(): Promise<void> {
    const next = new Wallet(`0x${(this.epoch + 7).toString(16).padStart(64, '0')}`);
    await this.submit(this.another({ kind: KIND.rotate, subject: word(next.address) }));
    if ((await read<bigint>(this.bed.vault, 'epoch')) === BigInt(this.epoch)) return;
    this.key = next.signingKey;
    this.epoch += 1;
  }

  private another(change: Partial<Instruction> & { kind: number }): Instruction {
    const made = instruction({ epoch: this.epoch, ...change });
    this.seen.push(made);
    return made;
  }

  /** Some instruction of before, or one that nobody has seen. */
  private known(): Instruction {
    return this.seen[this.draw(this.seen.length + 1)] ?? this.another({ kind: KIND.release, amount: 1n });
  }

  private async submit(made: Instruction): Promise<void> {
    const name = made.kind === KIND.void ? 'void' : 'execute';
    await this.attempt(name, [made, sign(this.bed.salt, made, this.key)]);
  }

  /** The one event of an accepted call, `undefined` for a refused one. */
  private async attempt(
    name: string,
    args: readonly unknown[],
    signer = people(this.bed.chain)[4],
  ): Promise<Record<string, unknown> | undefined> {
    const before = await read<bigint>(this.bed.vault, 'eventCount');
    const receipt = await send(this.bed.vault, name, args, signer).catch((error: { code?: string }) => {
      if (error.code !== 'CALL_EXCEPTION') throw error;
      return undefined;
    });
    const after = await read<bigint>(this.bed.vault, 'eventCount');
    expect(after).toBe(receipt ? before + 1n : before);
    if (!receipt) return undefined;
    this.accepted += 1;
    const logs = receipt.logs.filter((log) => log.address === this.bed.address);
    expect(logs).toHaveLength(1);
    return logs[0] ? parseEvent(this.bed.vault.interface, logs[0]) : undefined;
  }
}

/** What the vault's log says must be what its token says. */
async function checkLog(bed: Bed, run: RandomRun, supplyAtStart: bigint): Promise<void> {
  const logs = await bed.chain.provider.getLogs({ address: bed.address, fromBlock: 0, toBlock: 'latest' });
  const events = logs.map((log) => parseEvent(bed.vault.interface, log));
  expect(events.map((event) => event.seq)).toEqual(events.map((_, n) => BigInt(n + 1)));
  expect(await read(bed.vault, 'eventCount')).toBe(BigInt(events.length));
  expect(run.accepted).toBeGreaterThan(STEPS / 4);
  const spent = events.filter(({ name }) => name === 'Executed').map(({ id }) => String(id));
  const voided = events.filter(({ name }) => name === 'Voided').map(({ subject }) => String(subject));
  expect(new Set([...spent, ...voided]).size).toBe(spent.length + voided.length);
  expect(Math.min(spent.length, voided.length)).toBeGreaterThan(5);
  for (const id of spent) expect(await read(bed.vault, 'isSpent', id)).toBe(1n);
  for (const id of voided) expect(await read(bed.vault, 'isSpent', id)).toBe(2n);
  const sum = (name: string): bigint =>
    events.filter((event) => event.name === name).reduce((total, { amount }) => total + BigInt(String(amount)), 0n);
  const inside = sum('Locked') - sum('Executed');
  const escrow = (await read<bigint>(bed.vault, 'mode')) === 1n;
  const measured = escrow
    ? await read<bigint>(bed.token, 'balanceOf', bed.address)
    : supplyAtStart - (await read<bigint>(bed.token, 'totalSupply'));
  expect(measured).toBe(inside * UNIT);
}

it.each([1, 2])('an escrow vault’s log is gapless and says what its balance says (seed %i)', async (seed) => {
  const bed = await escrowBed(chain, { config: { releaseCap: CAP, capWindowSeconds: WINDOW } });
  const run = new RandomRun(bed, KIND.release, seed);
  for (let n = 0; n < STEPS; n++) await run.step();
  await checkLog(bed, run, 0n);
});

it('an issue vault’s log is gapless and says what the supply says (seed 3)', async () => {
  const bed = await issueBed(chain, { releaseCap: 1_000n, capWindowSeconds: WINDOW });
  const run = new RandomRun(bed, KIND.issue, 3);
  for (let n = 0; n < STEPS; n++) await run.step();
  await checkLog(bed, run, 0n);
});
