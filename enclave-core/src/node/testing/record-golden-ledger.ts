/**
 * Records a golden ledger: what this release makes of a long, partly hostile history, for every later release to replay to
 * the same bytes. Until the first release it is recorded anew whenever a format changes. From then on never: a release that
 * changes what `apply` does adds a folder of its own.
 *
 *     node scripts/run-source.mjs enclave-core/src/node/testing/record-golden-ledger.ts test/vectors/golden-ledger/1
 *     node scripts/run-source.mjs enclave-core/src/node/testing/record-golden-ledger.ts test/vectors/golden-ledger/1-corda corda
 *
 * In the second, two of the vaults are on Corda.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { onCorda } from '../../settlement/testing/corda-world.ts';
import { commandOf, isAmendment, steps } from '../../settlement/testing/random-steps.ts';
import { BANK_A, BANK_B, BANK_C, GENESIS, signedAmendment, World } from '../../settlement/testing/world.ts';
import { NodeDriver } from './node-driver.ts';
import { pay } from './payments.ts';
import { TestService } from './test-service.ts';

const [folder, kind] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder to write');
/**
 * On Corda a history of strangers' events soon has the core wait for one that never comes. In this one, without amendments, it takes
 * 30 locks, 6 payments, a void and 2 pauses.
 */
const HISTORY =
  kind === 'corda'
    ? {
        genesis: onCorda(GENESIS),
        seed: 13,
        steps: 400,
        deposits: Array.from({ length: 24 }, () => 60n),
        amends: false,
      }
    : { genesis: GENESIS, seed: 20_261_121, steps: 700, deposits: [5_000n], amends: true };
const { genesis } = HISTORY;
const ENTRIES_PER_SNAPSHOT = 150;

const dir = await mkdtemp(join(tmpdir(), 'drawbridge-golden-'));
const service = new TestService(undefined, undefined, genesis);
const world = new World({}, genesis);
const driver = await NodeDriver.start(dir, {
  service,
  nowMs: () => world.nowMs,
  snapshots: { snapshotEveryEntries: ENTRIES_PER_SNAPSHOT },
});
let played = 0;
/** What the world has done, how its vaults on Corda came to be included. */
const follow = async (): Promise<void> => {
  for (; played < world.entries.length; played += 1) {
    for (const command of world.entries[played]?.commands ?? []) await driver.run(command);
  }
};
for (const [n, amountMinor] of HISTORY.deposits.entries()) {
  world.deposit([BANK_A, BANK_B, BANK_C][n % 3] ?? BANK_A, amountMinor);
}
await follow();
const [history = []] = fc.sample(steps(HISTORY.steps), { seed: HISTORY.seed, numRuns: 1 });
for (const step of history.filter(({ what }) => HISTORY.amends || !isAmendment(what))) {
  world.later(step.waitMs).run(commandOf(world, step));
  await follow();
}
await driver.run(signedAmendment(driver.node.view.nextAmendment(), [{ name: 'rekey_ledger', args: {} }]));
await pause(1_000);
for (let n = 0; n < 20; n++) await driver.run(pay(`after the new secret ${n}`, 1n));
await pause(500);
await driver.node.receipts.transaction(driver.node.committed());
const secrets = [...driver.keys.secrets()].map(([epoch, secret]) => [epoch, Buffer.from(secret).toString('hex')]);
await driver.stop();

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await cp(join(dir, 'ledger'), folder, { recursive: true, filter: (path) => !/\.(mmr|dat)$/.test(path) });
const first = Buffer.from((await service.genesis()).content).toString('base64');
await writeFile(
  join(folder, 'keys.json'),
  `${JSON.stringify({ nodeId: service.first.nodeId, secrets, genesis: first })}\n`,
);
await rm(dir, { recursive: true });
process.stdout.write(
  `wrote ${folder}; expected.json and the sums are written by its test under RECORD_GOLDEN=FOLDER\n`,
);
