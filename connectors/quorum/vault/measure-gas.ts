/** Prints the gas of each call, one line each: `node scripts/run-source.mjs connectors/quorum/vault/measure-gas.ts`. */
import { id as hashText, type TransactionReceipt, Wallet } from 'ethers';
import {
  type Bed,
  deploy,
  escrowBed,
  eventOf,
  guardianSignatures,
  issueBed,
  KIND,
  people,
  send,
  signed,
  startChain,
  UNIT,
  vaultConfig,
  word,
} from './testbed.ts';

const chain = await startChain();
const print = (name: string, receipt: TransactionReceipt | null): TransactionReceipt => {
  if (!receipt) throw new Error(`${name} has no receipt`);
  process.stdout.write(`${name.padEnd(44)} ${receipt.gasUsed}\n`);
  return receipt;
};

async function paths(bed: Bed, mode: 'escrow' | 'issue'): Promise<void> {
  const [, alice, , carol, courier] = people(chain);
  const pay = mode === 'escrow' ? KIND.release : KIND.issue;
  const name = mode === 'escrow' ? 'release' : 'issue';
  const lock = (): Promise<TransactionReceipt> => send(bed.vault, 'lock', [hashText('reference'), 50n * UNIT], alice);
  const run = (change: Parameters<typeof signed>[1]): Promise<TransactionReceipt> =>
    send(bed.vault, change.kind === KIND.void ? 'void' : 'execute', signed(bed, change), courier);
  const payment = { kind: pay, amount: 5n, beneficiary: word(carol.address) };
  print(`${mode}: lock, the depositor's first`, await lock());
  const locked = print(`${mode}: lock, later ones`, await lock());
  print(`${mode}: ${name}, to a new holder`, await run(payment));
  print(`${mode}: ${name}, to a holder`, await run(payment));
  const subject = String(eventOf(bed, locked).lockId);
  print(`${mode}: refund`, await run({ kind: KIND.refund, subject, amount: 50n, beneficiary: word(alice.address) }));
  print(`${mode}: void`, await run({ kind: KIND.void, subject: hashText('target') }));
  print(`${mode}: pause`, await run({ kind: KIND.pause }));
  print(`${mode}: unpause`, await run({ kind: KIND.unpause }));
  const signatures = await guardianSignatures(bed, 'GuardianPause');
  print(`${mode}: guardianPause, 3 of 5`, await send(bed.vault, 'guardianPause', [signatures], courier));
  print(`${mode}: rotate`, await run({ kind: KIND.rotate, subject: word(Wallet.createRandom().address) }));
}

try {
  const vault = await deploy(people(chain)[0], 'DrawbridgeVault');
  const [hash = ''] = (await chain.provider.getBlock('latest'))?.transactions ?? [];
  print('deployment', await chain.provider.getTransactionReceipt(hash));
  const token = await deploy(people(chain)[0], 'TestToken', ['Euro', 'EURT', 4]);
  print('initialize, 5 guardians', await send(vault, 'initialize', [vaultConfig(String(token.target))]));
  await paths(await escrowBed(chain), 'escrow');
  await paths(await issueBed(chain), 'issue');
} finally {
  await chain.stop();
}
