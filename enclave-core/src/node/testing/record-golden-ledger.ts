/**
 * Records a golden ledger: what this release makes of a long, partly hostile history, for every later release to replay to
 * the same bytes. Until the first release it is recorded anew whenever a format changes. From then on never: a release that
 * changes what `apply` does adds a folder of its own.
 *
 *     node scripts/run-source.mjs enclave-core/src/node/testing/record-golden-ledger.ts test/vectors/golden-ledger/1
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { commandOf, steps } from '../../settlement/testing/random-steps.ts';
import { BANK_A, signedAmendment, World } from '../../settlement/testing/world.ts';
import { NodeDriver } from './node-driver.ts';
import { pay } from './payments.ts';
import { TestService } from './test-service.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder to write');
const SEED = 20_261_121;
const STEPS = 700;
const ENTRIES_PER_SNAPSHOT = 150;

const dir = await mkdtemp(join(tmpdir(), 'drawbridge-golden-'));
const service = new TestService();
const world = new World();
const driver = await NodeDriver.start(dir, {
  service,
  nowMs: () => world.nowMs,
  snapshots: { snapshotEveryEntries: ENTRIES_PER_SNAPSHOT },
});
world.deposit(BANK_A, 5_000n);
await driver.deposit(BANK_A, 5_000n, 'the first money');
const [history = []] = fc.sample(steps(STEPS), { seed: SEED, numRuns: 1 });
for (const step of history) {
  world.later(step.waitMs);
  const command = commandOf(world, step);
  world.run(command);
  await driver.run(command);
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
const genesis = Buffer.from((await service.genesis()).content).toString('base64');
await writeFile(join(folder, 'keys.json'), `${JSON.stringify({ nodeId: service.first.nodeId, secrets, genesis })}\n`);
await rm(dir, { recursive: true });
process.stdout.write(
  `wrote ${folder}; expected.json and the sums are written by its test under RECORD_GOLDEN=VERSION\n`,
);
