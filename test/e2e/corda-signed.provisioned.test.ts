/**
 * Section 8 of docs/operators/corda.md where a key signed the contracts jar, on a real Corda network whose notary validates: the
 * vault is bound to the key, and goes on by the next version of the jar.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { javaPrograms } from '@drawbridge/connector-corda/testing/java-programs';
import { type SignedContracts, signedContracts } from '@drawbridge/connector-corda/testing/signed-contracts';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cordaMissing } from './corda-missing.ts';
import { OUT, settled, worksBothWays } from './operator-desk.ts';
import { eventually, startWorld, type World } from './world.ts';

const START_MS = 900_000;
const STORY_MS = 900_000;
const PATIENCE_MS = 240_000;

const missing = await cordaMissing();
const story = missing === undefined ? it : it.skip;

let dir: string;
let jars: SignedContracts;
let world: World;
let corda: NonNullable<LocalSystem['corda']>;

beforeAll(async () => {
  if (missing !== undefined) return;
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-signed-'));
  const built = await javaPrograms();
  jars = await signedContracts(dir, built);
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

describe(`a contracts jar that a key signed${missing === undefined ? '' : ` [skipped: ${missing}]`}`, () => {
  story(
    'binds the vault to the key, and its next version goes on with the same vault',
    async () => {
      const bound = await constraint();
      expect(bound).toMatchObject({ kind: 'signature' });
      await worksBothWays(world, 2_101n);
      const { corda: network, tool } = corda.testbed;
      for (const { index } of network.nodes) await network.stopNode(index);
      for (const { dir: node } of network.nodes) await copyFile(jars.next, join(node, 'cordapps', basename(jars.next)));
      await Promise.all(network.nodes.map(({ index }) => network.startNode(index)));
      for (const name of ['vaultParty', 'depositor']) {
        await eventually('the tool has a connection again', () => tool.about(name), PATIENCE_MS);
      }
      await worksBothWays(world, 2_102n);
      expect(await constraint()).toEqual(bound);
    },
    STORY_MS,
  );
});
