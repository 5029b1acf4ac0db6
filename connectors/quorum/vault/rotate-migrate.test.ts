import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Contract, id as hashText, SigningKey, Wallet, ZeroAddress, ZeroHash } from 'ethers';
import {
  AUTHORITY_ADDRESS,
  type Bed,
  type Chain,
  deploy,
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
  vaultConfig,
  word,
} from './testbed.ts';

const NEXT = new Wallet(`0x${'42'.repeat(32)}`);
const dirty = (address: string): string => `0x01${word(address).slice(4)}`;

jest.setTimeout(60_000);
let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain.stop());

describe('rotate', () => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await escrowBed(chain);
  });

  it('hands over to another key in a new epoch, once per epoch', async () => {
    const rival = signed(bed, { kind: KIND.rotate, subject: word(people(chain)[2].address) });
    const [made, signature] = signed(bed, { kind: KIND.rotate, subject: word(NEXT.address) });
    const receipt = await send(bed.vault, 'execute', [made, signature]);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Rotated',
      seq: 1n,
      id: made.id,
      authority: NEXT.address,
      epoch: 2n,
      byGuardian: false,
    });
    expect(await refusal(bed.vault, 'execute', rival)).toBe('WrongEpoch(2,1)');
    expect(await refusedInstruction(bed, { kind: KIND.pause, epoch: 2 })).toBe(`WrongSigner(${AUTHORITY_ADDRESS})`);
  });

  it('lets open instructions be signed again under the new epoch, with the same id, at most once each', async () => {
    const [, alice] = people(chain);
    await lock(bed, alice, 10n * UNIT);
    const done = await execute(bed, { kind: KIND.release, amount: 1n, beneficiary: word(alice.address) });
    const open = instruction({ kind: KIND.release, amount: 2n, beneficiary: word(alice.address) });
    await execute(bed, { kind: KIND.rotate, subject: word(NEXT.address) });
    const key = new SigningKey(NEXT.privateKey);
    const renewed = { ...open, epoch: 2 };
    await send(bed.vault, 'execute', [renewed, sign(bed.salt, renewed, key)]);
    const again = { ...done, epoch: 2 };
    expect(await refusal(bed.vault, 'execute', [again, sign(bed.salt, again, key)])).toBe(`AlreadySpent(${done.id})`);
  });

  it('refuses nobody, a padded word that is no address, and the same key', async () => {
    for (const subject of [ZeroHash, dirty(NEXT.address)]) {
      expect(await refusedInstruction(bed, { kind: KIND.rotate, subject })).toBe(`InvalidSubject(${subject})`);
    }
    expect(await refusedInstruction(bed, { kind: KIND.rotate, subject: word(AUTHORITY_ADDRESS) })).toBe(
      `InvalidAuthority(${AUTHORITY_ADDRESS})`,
    );
  });
});

describe('migrate', () => {
  const approve = async (bed: Bed, successor: string): Promise<void> => {
    const signatures = await guardianSignatures(bed, 'GuardianApproveSuccessor', { successor });
    await send(bed.vault, 'guardianApproveSuccessor', [successor, signatures]);
  };
  const successorOf = async (bed: Bed, change: Readonly<Record<string, unknown>> = {}): Promise<Contract> => {
    const successor = await deploy(people(chain)[0], 'DrawbridgeVault');
    const mode = await read<bigint>(bed.vault, 'mode');
    await send(successor, 'initialize', [vaultConfig(String(bed.token.target), { mode, ...change })]);
    return successor;
  };
  const migration = (to: Contract | string): { kind: number; subject: string } => ({
    kind: KIND.migrate,
    subject: word(typeof to === 'string' ? to : String(to.target)),
  });

  it('moves the whole escrow, past the cap and donations too, and closes the vault for ever', async () => {
    const [, alice, bob] = people(chain);
    const bed = await escrowBed(chain, { config: { releaseCap: 70n } });
    const lockId = await lock(bed, alice, 70n * UNIT);
    await lock(bed, bob, 70n * UNIT);
    await send(bed.token, 'mint', [bed.address, 7n]);
    const successor = await successorOf(bed);
    await approve(bed, String(successor.target));
    const [made, signature] = signed(bed, migration(successor));
    const receipt = await send(bed.vault, 'execute', [made, signature]);
    expect(eventOf(bed, receipt)).toEqual({
      name: 'Migrated',
      seq: 3n,
      id: made.id,
      successor: successor.target,
      tokenAmount: 140n * UNIT + 7n,
    });
    expect(await read(bed.token, 'balanceOf', successor.target)).toBe(140n * UNIT + 7n);
    expect(await read(bed.token, 'balanceOf', bed.address)).toBe(0n);
    expect(await read(bed.vault, 'closed')).toBe(true);
    const refund = { kind: KIND.refund, subject: lockId, amount: 70n, beneficiary: word(alice.address) };
    for (const change of [
      refund,
      migration(successor),
      { kind: KIND.void, subject: made.id },
      { kind: KIND.unpause },
    ]) {
      expect(await refusedInstruction(bed, change)).toBe('VaultClosed');
    }
    expect(await refusal(bed.vault, 'lock', [ZeroHash, UNIT], bob)).toBe('VaultClosed');
    expect(await refusal(bed.vault, 'completeGuardianReplacement', [])).toBe('VaultClosed');
    const pause = [await guardianSignatures(bed, 'GuardianPause')];
    expect(await refusal(bed.vault, 'guardianPause', pause)).toBe('VaultClosed');
  });

  it('works while paused, and with nothing to move', async () => {
    const bed = await escrowBed(chain);
    const successor = await successorOf(bed);
    await approve(bed, String(successor.target));
    await execute(bed, { kind: KIND.pause });
    await execute(bed, migration(successor));
    expect(await read(bed.vault, 'closed')).toBe(true);
  });

  it('hands an issued token over: the successor mints and burns, the old vault no more', async () => {
    const [, alice] = people(chain);
    const bed = await issueBed(chain);
    const successor = await successorOf(bed);
    await approve(bed, String(successor.target));
    const receipt = await send(bed.vault, 'execute', signed(bed, migration(successor)));
    expect(eventOf(bed, receipt)).toMatchObject({ name: 'Migrated', tokenAmount: 0n });
    expect(await read(bed.token, 'vault')).toBe(successor.target);
    expect(await read(bed.token, 'totalSupply')).toBe(1_000n * UNIT);
    const next: Bed = {
      ...bed,
      vault: successor,
      address: String(successor.target),
      salt: await read(successor, 'domainSalt'),
    };
    await execute(next, { kind: KIND.issue, amount: 5n, beneficiary: word(alice.address) });
    await send(bed.token, 'approve', [successor.target, 5n * UNIT], alice);
    await lock(next, alice, 5n * UNIT);
  });

  it('needs the guardians’ leave for this very successor: the authority alone cannot pass the cap', async () => {
    const bed = await escrowBed(chain);
    const [successor, other] = [await successorOf(bed), await successorOf(bed)];
    const refused = `MigrationNotApproved(${successor.target})`;
    expect(await refusedInstruction(bed, migration(successor))).toBe(refused);
    await approve(bed, String(other.target));
    expect(await refusedInstruction(bed, migration(successor))).toBe(refused);
    await approve(bed, String(successor.target));
    await approve(bed, ZeroAddress);
    expect(await refusedInstruction(bed, migration(successor))).toBe(refused);
    expect(await read(bed.vault, 'eventCount')).toBe(0n);
  });

  it('refuses a successor that is no vault like this one', async () => {
    const bed = await escrowBed(chain);
    const otherToken = await deploy(people(chain)[0], 'TestToken', ['Other', 'OTH', 4]);
    const closed = await successorOf(bed);
    const closing: Bed = {
      ...bed,
      vault: closed,
      address: String(closed.target),
      salt: await read(closed, 'domainSalt'),
    };
    const last = await successorOf(bed);
    await approve(closing, String(last.target));
    await execute(closing, migration(last));
    const wrong = [
      bed.vault,
      closed,
      await successorOf(bed, { asset: hashText('USD') }),
      await successorOf(bed, { unit: 1n }),
      await successorOf({ ...bed, token: otherToken }),
      await deploy(people(chain)[0], 'DrawbridgeVault'),
    ].map((contract) => String(contract.target));
    for (const successor of [...wrong, people(chain)[1].address]) {
      await approve(bed, successor);
      expect(await refusedInstruction(bed, migration(successor))).toBe(`InvalidSuccessor(${successor})`);
    }
    for (const subject of [ZeroHash, dirty(String(last.target))]) {
      expect(await refusedInstruction(bed, { kind: KIND.migrate, subject })).toBe(`InvalidSubject(${subject})`);
    }
    const issuing = await issueBed(chain);
    const escrow = await successorOf(issuing, { mode: 1 });
    await approve(issuing, String(escrow.target));
    expect(await refusedInstruction(issuing, migration(escrow))).toBe(`InvalidSuccessor(${escrow.target})`);
  });
});
