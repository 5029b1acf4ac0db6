import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SigningKey, Wallet, ZeroAddress, ZeroHash } from 'ethers';
import {
  type Bed,
  blockTime,
  type Chain,
  escrowBed,
  eventOf,
  execute,
  GUARDIANS,
  guardianSignatures,
  highS,
  instruction,
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
  word,
} from './testbed.ts';

const DELAY = 86_400;
const NEXT = new Wallet(`0x${'42'.repeat(32)}`);

jest.setTimeout(60_000);
let chain: Chain;
let bed: Bed;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  bed = await escrowBed(chain);
});

const propose = async (authority: string = NEXT.address): Promise<[string, string[]]> => [
  authority,
  await guardianSignatures(bed, 'GuardianReplaceAuthority', { authority }),
];

describe('the guardians’ signatures', () => {
  const pauseBy = (signatures: string[]): Promise<string> => refusal(bed.vault, 'guardianPause', [signatures]);

  it('are enough from any three of five, in any order, and from all of them', async () => {
    const [a, b, c, d, e] = GUARDIANS as [Wallet, Wallet, Wallet, Wallet, Wallet];
    for (const signers of [
      [a, b, c],
      [e, a, d],
      [e, d, c, b, a],
    ]) {
      await send(bed.vault, 'guardianPause', [await guardianSignatures(bed, 'GuardianPause', {}, { signers })]);
    }
    expect(await read(bed.vault, 'guardianNonce')).toBe(3n);
    expect([...(await read<string[]>(bed.vault, 'guardians'))]).toEqual([a, b, c, d, e].map(({ address }) => address));
  });

  it('are refused below the threshold, doubled, or with a stranger among them', async () => {
    const [a, b] = GUARDIANS as [Wallet, Wallet];
    const stranger = GUARDIANS[5] as Wallet;
    const by = (...signers: Wallet[]): Promise<string[]> => guardianSignatures(bed, 'GuardianPause', {}, { signers });
    expect(await pauseBy([])).toBe('GuardianThresholdNotMet(0,3)');
    expect(await pauseBy(await by(a, b))).toBe('GuardianThresholdNotMet(2,3)');
    expect(await pauseBy(await by(a, b, a))).toBe(`DuplicateGuardian(${a.address})`);
    expect(await pauseBy(await by(a, b, stranger))).toBe(`NotGuardian(${stranger.address})`);
    const [first, second, third] = (await by(...GUARDIANS.slice(0, 3))) as [string, string, string];
    expect(await pauseBy([highS(first), second, third])).toBe('SignatureHighS');
    expect(await pauseBy([first, second, '0x'])).toBe('SignatureMalformed');
  });

  it('are refused under another nonce, action, value or vault', async () => {
    const used = await guardianSignatures(bed, 'GuardianPause');
    await send(bed.vault, 'guardianPause', [used]);
    const foreign: [string, unknown[]][] = [
      ['guardianPause', [used]],
      ['guardianPause', [await guardianSignatures(bed, 'GuardianPause', {}, { nonce: 2n })]],
      ['guardianPause', [await guardianSignatures(bed, 'GuardianUnpause')]],
      ['guardianUnpause', [await guardianSignatures(bed, 'GuardianPause')]],
      ['guardianCancel', [await guardianSignatures(bed, 'GuardianPause')]],
      ['guardianPause', [await guardianSignatures(bed, 'GuardianPause', {}, { salt: ZeroHash })]],
      ['guardianReplaceAuthority', [people(chain)[1].address, (await propose())[1]]],
      ['guardianApproveSuccessor', [NEXT.address, (await propose())[1]]],
    ];
    for (const [name, args] of foreign) {
      expect([name, await refusal(bed.vault, name, args)]).toEqual([name, expect.stringMatching(/^NotGuardian/)]);
    }
  });

  it('count whoever submits them', async () => {
    await send(bed.vault, 'guardianPause', [await guardianSignatures(bed, 'GuardianPause')], people(chain)[4]);
    expect(await read(bed.vault, 'paused')).toBe(true);
  });
});

describe('the guardians’ pause', () => {
  it('stops locks and releases at once, and the authority cannot lift it', async () => {
    const [, alice] = people(chain);
    await lock(bed, alice, 10n * UNIT);
    const receipt = await send(bed.vault, 'guardianPause', [await guardianSignatures(bed, 'GuardianPause')]);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'PauseChanged',
      seq: 2n,
      id: ZeroHash,
      paused: true,
      byGuardian: true,
    });
    const release = { kind: KIND.release, amount: 1n, beneficiary: word(alice.address) };
    expect(await refusedInstruction(bed, release)).toBe('VaultPaused');
    expect(await refusal(bed.vault, 'lock', [ZeroHash, UNIT], alice)).toBe('VaultPaused');
    const unpaused = await send(bed.vault, 'execute', signed(bed, { kind: KIND.unpause }));
    expect(eventOf(bed, unpaused)).toMatchObject({ name: 'PauseChanged', paused: true, byGuardian: false });
    expect(await refusedInstruction(bed, release)).toBe('VaultPaused');
    await send(bed.vault, 'guardianUnpause', [await guardianSignatures(bed, 'GuardianUnpause')]);
    await execute(bed, release);
  });

  it('leaves the authority’s own pause when it is lifted', async () => {
    await execute(bed, { kind: KIND.pause });
    await send(bed.vault, 'guardianPause', [await guardianSignatures(bed, 'GuardianPause')]);
    expect([...(await read<boolean[]>(bed.vault, 'pausedBy'))]).toEqual([true, true]);
    const receipt = await send(bed.vault, 'guardianUnpause', [await guardianSignatures(bed, 'GuardianUnpause')]);
    expect(eventOf(bed, receipt)).toMatchObject({ name: 'PauseChanged', id: ZeroHash, paused: true, byGuardian: true });
    await execute(bed, { kind: KIND.unpause });
    expect(await read(bed.vault, 'paused')).toBe(false);
  });
});

describe('the guardians’ replacement of the authority', () => {
  it('waits for its delay, then anyone completes it in a new epoch', async () => {
    const proposed = await send(bed.vault, 'guardianReplaceAuthority', await propose());
    const notBefore = BigInt((await blockTime(chain.provider)) + DELAY);
    expect(eventOf(bed, proposed)).toEqual({ name: 'GuardianProposed', seq: 1n, authority: NEXT.address, notBefore });
    expect(await refusal(bed.vault, 'completeGuardianReplacement', [])).toMatch(`ProposalTooEarly(${notBefore},`);
    await chain.provider.send('evm_setNextBlockTimestamp', [Number(notBefore) - 1]);
    await chain.provider.send('evm_mine', []);
    expect(await refusal(bed.vault, 'completeGuardianReplacement', [])).toMatch(/^ProposalTooEarly/);
    await chain.provider.send('evm_setNextBlockTimestamp', [Number(notBefore)]);
    const receipt = await send(bed.vault, 'completeGuardianReplacement', [], people(chain)[4]);
    expect(await blockTime(chain.provider)).toBe(Number(notBefore));
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Rotated',
      seq: 2n,
      id: ZeroHash,
      authority: NEXT.address,
      epoch: 2n,
      byGuardian: true,
    });
    expect(await refusal(bed.vault, 'completeGuardianReplacement', [])).toBe('NoProposal');
    expect(await refusedInstruction(bed, { kind: KIND.pause })).toBe('WrongEpoch(2,1)');
    expect(await refusedInstruction(bed, { kind: KIND.pause, epoch: 2 })).toMatch(/^WrongSigner/);
    const made = instruction({ kind: KIND.pause, epoch: 2 });
    await send(bed.vault, 'execute', [made, sign(bed.salt, made, new SigningKey(NEXT.privateKey))]);
  });

  it('stands through a rotation by the authority', async () => {
    await send(bed.vault, 'guardianReplaceAuthority', await propose());
    await execute(bed, { kind: KIND.rotate, subject: word(people(chain)[1].address) });
    expect(await read(bed.vault, 'proposedAuthority')).toBe(NEXT.address);
    await pass(chain, DELAY);
    await send(bed.vault, 'completeGuardianReplacement', []);
    expect(await read(bed.vault, 'authority')).toBe(NEXT.address);
    expect(await read(bed.vault, 'epoch')).toBe(3n);
  });

  it('can be dropped by the guardians, and only they', async () => {
    expect(await refusal(bed.vault, 'guardianCancel', [await guardianSignatures(bed, 'GuardianCancel')])).toBe(
      'NoProposal',
    );
    await send(bed.vault, 'guardianReplaceAuthority', await propose());
    expect(await refusal(bed.vault, 'guardianReplaceAuthority', await propose())).toBe(
      `ProposalPending(${NEXT.address})`,
    );
    const receipt = await send(bed.vault, 'guardianCancel', [await guardianSignatures(bed, 'GuardianCancel')]);
    expect(eventOf(bed, receipt)).toEqual({ name: 'GuardianCancelled', seq: 2n });
    await pass(chain, DELAY);
    expect(await refusal(bed.vault, 'completeGuardianReplacement', [])).toBe('NoProposal');
    expect(await read(bed.vault, 'proposalNotBefore')).toBe(0n);
    await send(bed.vault, 'guardianReplaceAuthority', await propose());
  });

  it('refuses nobody and the authority itself as the next one', async () => {
    const current = await read<string>(bed.vault, 'authority');
    for (const authority of [ZeroAddress, current]) {
      expect(await refusal(bed.vault, 'guardianReplaceAuthority', await propose(authority))).toBe(
        `InvalidAuthority(${authority})`,
      );
    }
  });
});
