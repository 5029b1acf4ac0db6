/**
 * Section 8 of docs/operators/corda.md where a key signed the contracts jar, on a real Corda network whose notary validates: the
 * vault is bound to the key, and goes on by the next version of the jar, in which a class has another fingerprint.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type JavaPrograms, javaPrograms } from '@drawbridge/connector-corda/testing/java-programs';
import { writeNextSources } from '@drawbridge/connector-corda/testing/next-sources';
import { type SignedContracts, signedContracts } from '@drawbridge/connector-corda/testing/signed-contracts';
import { cordaTestbedMissing } from '@drawbridge/connector-corda/testing/testbed-missing';
import type { NetworkRegistration } from '@drawbridge/connector-corda/testing/vault-tool';
import { CORDA_NETWORK } from '@drawbridge/demo/cast';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { evidenceQueue } from '@drawbridge/protocol/instruction-job';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { amend, IN, OUT, settled, worksBothWays } from './operator-desk.ts';
import { eventually, startWorld, type World } from './world.ts';

const START_MS = 900_000;
const STORY_MS = 900_000;
const PATIENCE_MS = 240_000;

const run = promisify(execFile);

const missing = await cordaTestbedMissing();
const story = missing === undefined ? it : it.skip;

let dir: string;
let next: JavaPrograms;
let jars: SignedContracts;
let world: World;
let corda: NonNullable<LocalSystem['corda']>;

beforeAll(async () => {
  if (missing !== undefined) return;
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-signed-'));
  const built = await javaPrograms();
  await writeNextSources(join(dir, 'next-sources'));
  next = await javaPrograms({ sourcesDir: join(dir, 'next-sources') });
  jars = await signedContracts(dir, built, next);
  const cordapps = built.cordapps.map((jar) => (jar === built.contractsJar ? jars.first : jar));
  world = await startWorld({ corda: { validating: true, programs: { ...built, cordapps, contractsJar: jars.first } } });
  if (!world.system.corda) throw new Error('Corda was asked for');
  corda = world.system.corda;
  const { id } = await world.fund({ ...OUT, amountMinor: 500_000n });
  await settled(world, 'aurora', id);
}, START_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
}, 120_000);

async function constraint(): Promise<object> {
  const [vault] = corda.vaults;
  if (!vault) throw new Error('there is a vault');
  return (await corda.testbed.tool.describe('vaultParty', parseBytes32(vault.address))).constraint;
}

/** By the next version of the tool, which knows its classes. */
async function registration(): Promise<NetworkRegistration> {
  const nodes = join(world.system.dir, CORDA_NETWORK, 'tool', 'nodes.json');
  const { stdout } = await run(next.java, ['-jar', next.toolJar, nodes, 'vaultParty', 'registration']);
  return JSON.parse(stdout) as NetworkRegistration;
}

/** Why evidence stands among the failed jobs. */
async function refusals(): Promise<string[]> {
  const connection = new Redis(world.system.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue(evidenceQueue(parseNetworkId(CORDA_NETWORK)), { connection });
  try {
    return (await queue.getFailed()).map(({ failedReason }) => failedReason);
  } finally {
    await queue.close();
    await connection.quit();
  }
}

async function replaceJars(): Promise<void> {
  const { corda: network, tool } = corda.testbed;
  for (const { index } of network.nodes) await network.stopNode(index);
  for (const { dir: node } of network.nodes) await copyFile(jars.next, join(node, 'cordapps', basename(jars.next)));
  await Promise.all(network.nodes.map(({ index }) => network.startNode(index)));
  for (const name of ['vaultParty', 'depositor']) {
    await eventually('the tool has a connection again', () => tool.about(name), PATIENCE_MS);
  }
}

describe(`a contracts jar that a key signed${missing === undefined ? '' : ` [skipped: ${missing}]`}`, () => {
  story(
    'binds the vault to the key, and its next version goes on with the same vault once its classes are registered',
    async () => {
      const bound = await constraint();
      expect(bound).toMatchObject({ kind: 'signature' });
      await worksBothWays(world, 2_101n);
      const { finality: before } = await corda.testbed.tool.registration('vaultParty');
      expect(await refusals()).toEqual([]);
      await replaceJars();
      // What is proven by classes that the core does not know is refused, kept, and taken once it knows them.
      const early = await world.fund({ ...IN, amountMinor: 2_103n });
      const refused = await eventually('the core refuses its evidence', async () => (await refusals())[0], PATIENCE_MS);
      expect(refused).toMatch(/^refused by the core: /);
      expect((await world.desk('boreal').transfer(early.id)).state).toBe('RELAYING');
      const { finality } = await registration();
      expect(finality.fingerprints.PermitState).not.toBe(before.fingerprints.PermitState);
      await amend(world, 1, [{ name: 'set_finality', args: { id: CORDA_NETWORK, finality } }]);
      await settled(world, 'boreal', early.id);
      await worksBothWays(world, 2_102n);
      expect(await constraint()).toEqual(bound);
    },
    STORY_MS,
  );
});
