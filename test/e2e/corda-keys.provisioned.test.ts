/**
 * Sections 7 and 8 of docs/operators/corda.md, by their commands, on a real Corda network: guardians act, keys and passwords
 * change, a new version of the flows comes in, and at last the guardians give the vault to another authority.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawnWord } from '@drawbridge/connector-corda/testing/corda-testbed';
import { cordaTestbedMissing } from '@drawbridge/connector-corda/testing/testbed-missing';
import { CORDA_NETWORK } from '@drawbridge/demo/cast';
import { clientFor } from '@drawbridge/demo/clients';
import { connectorId } from '@drawbridge/demo/genesis-file';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import type { Program } from '@drawbridge/demo/program';
import { rabbitMqDefinitions } from '@drawbridge/devnets/rabbitmq/settings';
import { createTlsIdentity } from '@drawbridge/devnets/tls-identity';
import type { VaultResource } from '@drawbridge/protocol/api/registry';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Wallet } from 'ethers';
import { amend, IN, OUT, settled, worksBothWays } from './operator-desk.ts';
import { type GuardAction, VaultGuardians } from './vault-guardians.ts';
import { eventually, startWorld, type World } from './world.ts';

const START_MS = 900_000;
const STORY_MS = 900_000;
const PATIENCE_MS = 240_000;
/** A proposal is due this long after the end of its own time window, which is two minutes. */
const DELAY_SECONDS = 1;
const CONNECTOR = connectorId(CORDA_NETWORK);

const missing = await cordaTestbedMissing();
const story = missing === undefined ? it : it.skip;
const title = missing === undefined ? '' : ` [skipped: ${missing}]`;

let world: World;
let corda: NonNullable<LocalSystem['corda']>;
let agent: (typeof corda)['agent'];
let connector: Program;
/** Of the connector's certificate, once it is another. */
let fingerprint = '';
const guardians = new VaultGuardians();
/** Of amendments. */
let number = 0;
/** What the agent's configuration says beside what it said at first; each change stays. */
const agentSettings: Record<string, unknown> = {};

beforeAll(async () => {
  if (missing !== undefined) return;
  world = await startWorld({ corda: { guardianship: guardians.guardianship(DELAY_SECONDS) } });
  const [program] = world.system.connectors(CORDA_NETWORK);
  if (!world.system.corda || !program) throw new Error('Corda was asked for');
  corda = world.system.corda;
  agent = corda.agent;
  connector = program;
  const { id } = await world.fund({ ...OUT, amountMinor: 500_000n });
  await settled(world, 'aurora', id);
}, START_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
}, 120_000);

const keysFile = (name: string): string => join(world.system.dir, 'keys', name);

async function amended(actions: readonly object[]): Promise<void> {
  number += 1;
  await amend(world, number, actions);
}

const participant = (certificates: readonly string[], sealingKey: string | undefined): object => ({
  name: 'set_participant',
  args: { id: CONNECTOR, role: 'connector', name: 'Connector of Corda', certificates, sealingKey },
});

/** Stops the connector, changes its configuration, and starts it. */
async function reconfigured(change: (config: Record<string, object | string>) => object): Promise<void> {
  const file = join(world.system.dir, 'config', `${CONNECTOR}-1.json`);
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, object | string>;
  await connector.stop();
  await writeFile(file, JSON.stringify({ ...config, ...change(config) }), { mode: 0o600 });
  await connector.start();
}

async function agentAgain(settings: object): Promise<void> {
  await agent.stop();
  Object.assign(agentSettings, settings);
  agent = await corda.startAgent('agent', agentSettings);
}

async function sealingPair(
  name: string,
): Promise<Readonly<{ privateFile: string; publicFile: string; publicKey: string }>> {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 3_072,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const [privateFile, publicFile] = [keysFile(`${name}.key`), keysFile(`${name}.pub.pem`)];
  await writeFile(privateFile, pair.privateKey, { mode: 0o600 });
  await writeFile(publicFile, pair.publicKey);
  return { privateFile, publicFile, publicKey: pair.publicKey };
}

/** The same archive with other bytes: a comment at the end of its directory (PKWARE APPNOTE, 4.3.16). */
function withComment(jar: Buffer, comment: string): Buffer {
  const whole = Buffer.concat([jar, Buffer.from(comment)]);
  whole.writeUInt16LE(comment.length, jar.length - 2);
  return whole;
}

const vaultAtCore = async (): Promise<VaultResource> => {
  const network = (await world.desk('aurora').networks()).find(({ id }) => id === CORDA_NETWORK);
  const found = network?.vaults.find(({ asset }) => asset === 'GBP');
  if (!found) throw new Error('the core has no such vault');
  return found;
};
const atCore = (what: string, holds: (vault: VaultResource) => boolean): Promise<true> =>
  eventually(what, async () => (holds(await vaultAtCore()) ? true : undefined), PATIENCE_MS);
const vaultId = (): Bytes32 => parseBytes32(corda.vaults[0]?.address ?? '');
const control = async () => (await corda.testbed.tool.describe('vaultParty', vaultId())).control;
const guard = (action: GuardAction, authority?: string): Promise<void> => guardians.act(corda, action, authority);

describe(`guardians of a vault on Corda${title}`, () => {
  story(
    'pause it, and nothing goes in or out until they lift it',
    async () => {
      await guard('pause');
      await atCore('the core sees the pause', ({ paused }) => paused);
      await expect(corda.testbed.lock(vaultId(), drawnWord(), 1n)).rejects.toMatchObject({ code: 'PAUSED' });
      await expect(world.submit({ ...OUT, amountMinor: 100n })).rejects.toMatchObject({
        code: 'LANE_CLOSED',
      });
      await guard('unpause');
      await atCore('the core sees that it is lifted', ({ paused }) => !paused);
      await worksBothWays(world, 2_001n);
    },
    STORY_MS,
  );

  story(
    'propose another authority and withdraw it',
    async () => {
      await guard('propose', Wallet.createRandom().address);
      await expect(guard('complete')).rejects.toMatchObject({ code: 'TOO_EARLY' });
      await guard('cancel');
      await expect(guard('complete')).rejects.toMatchObject({ code: 'PROPOSAL' });
      await worksBothWays(world, 2_002n);
    },
    STORY_MS,
  );
});

describe(`payments go on after a change of${title}`, () => {
  story(
    "the connector's certificate",
    async () => {
      const { dir, identity, sealingKeys } = world.system;
      const was = identity(CONNECTOR).fingerprint;
      const next = await createTlsIdentity(join(dir, 'keys'), `${CONNECTOR}-next`);
      fingerprint = next.fingerprint;
      await amended([participant([was, next.fingerprint], sealingKeys[CORDA_NETWORK])]);
      await reconfigured(({ tls }) => ({
        tls: { ...(tls as object), keyFile: next.keyFile, certFile: next.certFile },
      }));
      await worksBothWays(world, 2_003n);
      await amended([participant([next.fingerprint], sealingKeys[CORDA_NETWORK])]);
      const old = await clientFor(world.system, CONNECTOR);
      await eventually('the old certificate is nobody', () =>
        old.networks().then(
          () => undefined,
          () => true as const,
        ),
      );
      await worksBothWays(world, 2_004n);
    },
    STORY_MS,
  );

  story(
    "the connector's sealing key, with a payment on its way",
    async () => {
      const next = await sealingPair('corda.sealing.next');
      await agent.stop();
      const back = await world.fund({ ...IN, amountMinor: 2_005n });
      await world.until('boreal', back.id, 'RELAYING');
      await amended([participant([fingerprint], next.publicKey)]);
      await reconfigured(() => ({ sealingKeyFile: next.privateFile }));
      await agentAgain({ connectorKeyFile: next.publicFile });
      await settled(world, 'boreal', back.id);
      await worksBothWays(world, 2_006n);
    },
    STORY_MS,
  );

  story(
    "the agent's sealing key, with a payment on its way",
    async () => {
      const next = await sealingPair('agent.sealing.next');
      await agent.stop();
      const back = await world.fund({ ...IN, amountMinor: 2_007n });
      await world.until('boreal', back.id, 'RELAYING');
      await reconfigured(() => ({ agent: { sealingKeyFile: next.publicFile } }));
      await agentAgain({ sealingKeyFile: next.privateFile });
      await settled(world, 'boreal', back.id);
      await worksBothWays(world, 2_008n);
    },
    STORY_MS,
  );

  story(
    "the passwords of the broker's users, and of the agent's at the node",
    async () => {
      const { broker, corda: network, vaultParty, connectorUser } = corda.testbed;
      const passwords = new Map([
        ['agent', 'another'],
        [connectorUser.user, 'and another'],
      ]);
      const users = broker.users.map((user) => ({ ...user, password: passwords.get(user.name) ?? user.password }));
      await writeFile(
        join(world.system.dir, 'corda', 'rabbitmq', 'definitions.json'),
        JSON.stringify(rabbitMqDefinitions(users)),
      );
      await writeFile(keysFile('agent.mq.secret'), 'another', { mode: 0o600 });
      await writeFile(keysFile('connector.mq.secret'), 'and another', { mode: 0o600 });
      await writeFile(keysFile('agent.node.secret'), network.renewPassword('agent'), { mode: 0o600 });
      await broker.restart();
      await network.stopNode(vaultParty.index);
      await network.startNode(vaultParty.index);
      const said = await readFile(join(world.system.dir, 'corda', 'agent', 'agent.json'), 'utf8');
      const { broker: line, node } = JSON.parse(said) as Record<'broker' | 'node', object>;
      await agentAgain({
        broker: { ...line, passwordFile: keysFile('agent.mq.secret') },
        node: { ...node, passwordFile: keysFile('agent.node.secret') },
      });
      await reconfigured((config) => ({
        broker: { ...(config.broker as object), passwordFile: keysFile('connector.mq.secret') },
      }));
      await worksBothWays(world, 2_009n);
    },
    STORY_MS,
  );

  story(
    'the flows, in a jar with another hash, at one node and then at the other',
    async () => {
      const { corda: network, vaultParty, depositor, tool } = corda.testbed;
      for (const [name, { index, dir }] of Object.entries({ vaultParty, depositor })) {
        const jar = join(dir, 'cordapps', 'drawbridge-corda-workflows.jar');
        await network.stopNode(index);
        await writeFile(join(dir, 'cordapps', 'new.part'), withComment(await readFile(jar), 'the next version'));
        await rm(jar);
        await rename(join(dir, 'cordapps', 'new.part'), join(dir, 'cordapps', 'drawbridge-corda-workflows-2.jar'));
        await network.startNode(index);
        await eventually('the tool has a connection again', () => tool.about(name), PATIENCE_MS);
        await worksBothWays(world, 2_010n);
      }
    },
    STORY_MS,
  );
});

describe(`another authority${title}`, () => {
  story(
    'takes a vault over by the guardians after their delay, and the core stops',
    async () => {
      const taken = await world.fund({ ...OUT, amountMinor: 2_011n });
      await settled(world, 'aurora', taken.id);
      await guard('propose', Wallet.createRandom().address);
      const { proposalNotBefore } = await control();
      await eventually(
        'the delay is over',
        async () => (Date.now() > proposalNotBefore * 1_000 ? true : undefined),
        PATIENCE_MS,
      );
      await guard('complete');
      expect(await control()).toMatchObject({ epoch: 2 });
      await atCore('the core has stopped the lane', ({ halted }) => halted);
      await expect(world.submit({ ...OUT, amountMinor: 100n })).rejects.toMatchObject({
        code: 'LANE_CLOSED',
      });
      await world.expectConserved();
    },
    STORY_MS,
  );
});
