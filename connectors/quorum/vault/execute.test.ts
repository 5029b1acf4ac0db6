import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { id as hashText, ZeroHash } from 'ethers';
import {
  type Bed,
  blockTime,
  type Chain,
  escrowBed,
  execute,
  GUARDIANS,
  highS,
  type Instruction,
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
let release: Partial<Instruction> & { kind: number };
beforeAll(async () => {
  chain = await startChain();
  bed = await escrowBed(chain);
  payee = word(people(chain)[3].address);
  release = { kind: KIND.release, amount: 1n, beneficiary: payee };
  await lock(bed, people(chain)[1], 1_000n * UNIT);
});
afterAll(() => chain.stop());

const voidOf = (subject: string, change: Partial<Instruction> = {}): Partial<Instruction> & { kind: number } => ({
  kind: KIND.void,
  subject,
  ...change,
});

describe('the signature of an instruction', () => {
  it('counts whoever submits it', async () => {
    const [deployer, , , , courier] = people(chain);
    await send(bed.vault, 'execute', signed(bed, release), courier);
    await send(bed.vault, 'execute', signed(bed, release), deployer);
  });

  it('is refused when another key made it', async () => {
    const made = instruction(release);
    const [stranger] = GUARDIANS;
    if (!stranger) throw new Error('no key');
    const forged = sign(bed.salt, made, stranger.signingKey);
    expect(await refusal(bed.vault, 'execute', [made, forged])).toBe(`WrongSigner(${stranger.address})`);
  });

  it('is refused in another vault, network, chain or service: the salt differs', async () => {
    const made = instruction(release);
    for (const change of ['serviceId', 'networkIdHash', 'genesisHash']) {
      const other = await escrowBed(chain, { config: { [change]: hashText('another') } });
      expect(await refusal(bed.vault, 'execute', [made, sign(other.salt, made)])).toMatch(/^WrongSigner/);
    }
    const twin = await escrowBed(chain);
    expect(await refusal(bed.vault, 'execute', [made, sign(twin.salt, made)])).toMatch(/^WrongSigner/);
  });

  const fields: readonly (keyof Instruction)[] = ['id', 'subject', 'amount', 'beneficiary', 'trail'];
  it.each(fields)('covers %s', async (field) => {
    const made = instruction({ ...release, notAfter: 2n ** 40n });
    const altered = {
      ...made,
      [field]: { id: payee, subject: payee, amount: 2n, beneficiary: word(bed.token.target as string), trail: '0x' }[
        field as 'id'
      ],
    };
    expect(await refusal(bed.vault, 'execute', [altered, sign(bed.salt, made)])).toMatch(/^WrongSigner/);
  });

  it('covers kind and notAfter', async () => {
    const made = instruction({ ...release, notAfter: 2n ** 40n });
    const signature = sign(bed.salt, made);
    expect(await refusal(bed.vault, 'execute', [{ ...made, kind: KIND.pause }, signature])).toMatch(/^WrongSigner/);
    expect(await refusal(bed.vault, 'execute', [{ ...made, notAfter: 0n }, signature])).toMatch(/^WrongSigner/);
  });

  it('has one form only: high s, other v, other lengths and nonsense are refused', async () => {
    const [made, signature] = signed(bed, release);
    const body = signature.slice(0, -2);
    const attempt = (altered: string): Promise<string> => refusal(bed.vault, 'execute', [made, altered]);
    expect(await attempt(highS(signature))).toBe('SignatureHighS');
    expect(await attempt(`${body}00`)).toBe('SignatureMalformed');
    expect(await attempt(`${body}01`)).toBe('SignatureMalformed');
    expect(await attempt(`${body}1d`)).toBe('SignatureMalformed');
    expect(await attempt('0x')).toBe('SignatureMalformed');
    expect(await attempt(body)).toBe('SignatureMalformed');
    expect(await attempt(`${signature}00`)).toBe('SignatureMalformed');
    expect(await attempt(`0x${'00'.repeat(64)}1b`)).toBe('SignatureMalformed');
  });
});

describe('what every instruction must be', () => {
  it('is of a kind that the function and the mode take', async () => {
    const issuing = await issueBed(chain);
    expect(await refusedInstruction(bed, { ...release, kind: KIND.issue })).toBe('KindNotAllowed(2)');
    expect(await refusedInstruction(issuing, release)).toBe('KindNotAllowed(1)');
    for (const kind of [0, 9, 255]) {
      expect(await refusedInstruction(bed, { ...release, kind })).toBe(`KindNotAllowed(${kind})`);
    }
    expect(await refusal(bed.vault, 'execute', signed(bed, voidOf(payee)))).toBe('KindNotAllowed(4)');
    for (const kind of [1, 2, 3, 5, 6, 7, 8]) {
      expect(await refusal(bed.vault, 'void', signed(bed, { kind, subject: payee }))).toBe(`KindNotAllowed(${kind})`);
    }
  });

  it('is of this asset', async () => {
    const asset = hashText('USD');
    expect(await refusedInstruction(bed, { ...release, asset })).toBe(`WrongAsset(${asset})`);
    expect(await refusedInstruction(bed, voidOf(payee, { asset }))).toBe(`WrongAsset(${asset})`);
  });

  it('is of the present epoch', async () => {
    for (const epoch of [0, 2]) {
      expect(await refusedInstruction(bed, { ...release, epoch })).toBe(`WrongEpoch(1,${epoch})`);
      expect(await refusedInstruction(bed, voidOf(payee, { epoch }))).toBe(`WrongEpoch(1,${epoch})`);
    }
  });

  it('is not past its last second, which still counts', async () => {
    const now = await blockTime(chain.provider);
    const tooLate = BigInt(now - 1);
    expect(await refusedInstruction(bed, { ...release, notAfter: tooLate })).toMatch(
      new RegExp(`^InstructionExpired\\(${tooLate},`),
    );
    await chain.provider.send('evm_setNextBlockTimestamp', [now + 100]);
    await execute(bed, { ...release, notAfter: BigInt(now + 100) });
    expect(await blockTime(chain.provider)).toBe(now + 100);
    const [late, signature] = signed(bed, { ...release, notAfter: BigInt(now + 199) });
    await chain.provider.send('evm_setNextBlockTimestamp', [now + 200]);
    const sent = bed.vault.getFunction('execute').send(late, signature, { gasLimit: 500_000 });
    await expect(sent.then((response) => response.wait())).rejects.toMatchObject({ code: 'CALL_EXCEPTION' });
    expect(await read(bed.vault, 'isSpent', late.id)).toBe(0n);
  });

  it('has no expiry when it is a void, refund or rotate', async () => {
    const notAfter = 2n ** 40n;
    expect(await refusedInstruction(bed, voidOf(payee, { notAfter }))).toBe('ExpiryNotAllowed(4)');
    expect(await refusedInstruction(bed, { kind: KIND.refund, notAfter })).toBe('ExpiryNotAllowed(3)');
    expect(await refusedInstruction(bed, { kind: KIND.rotate, notAfter, subject: payee })).toBe('ExpiryNotAllowed(5)');
  });

  it('has no inputs, an id, and a trail of at most 256 bytes', async () => {
    expect(await refusedInstruction(bed, { ...release, inputs: payee })).toBe('InputsNotEmpty');
    expect(await refusedInstruction(bed, { ...release, id: ZeroHash })).toBe('ZeroId');
    expect(await refusedInstruction(bed, voidOf(payee, { id: ZeroHash }))).toBe('ZeroId');
    expect(await refusedInstruction(bed, { ...release, trail: `0x${'00'.repeat(257)}` })).toBe('TrailTooLong(257)');
    await execute(bed, { ...release, trail: `0x${'00'.repeat(256)}` });
  });

  it('has effect once, whatever its kind', async () => {
    const kinds: (Partial<Instruction> & { kind: number })[] = [
      release,
      { kind: KIND.pause },
      { kind: KIND.unpause },
      voidOf(hashText('never seen')),
    ];
    for (const change of kinds) {
      const made = await execute(bed, change);
      expect(await read(bed.vault, 'isSpent', made.id)).toBe(1n);
      const name = change.kind === KIND.void ? 'void' : 'execute';
      expect(await refusal(bed.vault, name, [made, sign(bed.salt, made)])).toBe(`AlreadySpent(${made.id})`);
      expect(await refusedInstruction(bed, { ...release, id: made.id })).toBe(`AlreadySpent(${made.id})`);
    }
  });

  it('is checked in the order that the contract documents', async () => {
    const signature = `0x${'00'.repeat(65)}`;
    let made = instruction({
      kind: KIND.void,
      asset: ZeroHash,
      epoch: 9,
      notAfter: 1n,
      inputs: payee,
      id: ZeroHash,
      trail: `0x${'00'.repeat(257)}`,
    });
    const spent = await execute(bed, release);
    const steps: [string, Partial<Instruction>][] = [
      ['KindNotAllowed', { kind: KIND.refund }],
      ['WrongAsset', { asset: spent.asset }],
      ['WrongEpoch', { epoch: 1 }],
      ['ExpiryNotAllowed', { kind: KIND.release }],
      ['InstructionExpired', { notAfter: 0n }],
      ['InputsNotEmpty', { inputs: ZeroHash }],
      ['ZeroId', { id: spent.id }],
      ['TrailTooLong', { trail: '0x' }],
      ['AlreadySpent', { id: hashText('fresh') }],
      ['SignatureMalformed', {}],
    ];
    for (const [refused, mended] of steps) {
      expect((await refusal(bed.vault, 'execute', [made, signature])).split('(')[0]).toBe(refused);
      made = { ...made, ...mended };
    }
  });
});
