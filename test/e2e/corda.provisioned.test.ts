/**
 * What lanes to and from a real Corda network must withstand. Each story ends with equal sums on Corda, on Quorum and in the
 * core, and with every pound that Aurora Bank had either its own still or guarded by the vault.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyEvidenceCommand } from '@drawbridge/cli/verify-evidence';
import { messagesIn } from '@drawbridge/connector-corda/testing/live-line';
import { cordaTestbedMissing } from '@drawbridge/connector-corda/testing/testbed-missing';
import { OPENING_MINOR } from '@drawbridge/demo/cast';
import { gatherCordaEvidence } from '@drawbridge/demo/gather-corda-evidence';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { JUNK_A_QUEUE, junk } from './broker-junk.ts';
import { amountForms, type Needle, type Place, search, textForms, uuidForms, wordForms } from './canary-forms.ts';
import { filesOf, mayShowRegistered, redisPlaces, windowsOf } from './canary-places.ts';
import { eventually, startWorld, type World } from './world.ts';

const START_MS = 900_000;
const STORY_MS = 300_000;
/** A flow on a busy machine takes seconds; a void waits for the deadline before it. */
const PATIENCE_MS = 180_000;

const OUT = { from: 'aurora', to: 'boreal', asset: 'GBP', source: 'corda', destination: 'quorum-a' } as const;
const IN = { from: 'boreal', to: 'aurora', asset: 'GBP', source: 'quorum-a', destination: 'corda' } as const;
const PATIENT = { fundBySeconds: 240, deliverBySeconds: 280 } as const;

/** `validating`: the notary runs the contracts itself. */
const NOTARY = process.env.DRAWBRIDGE_CORDA_NOTARY ?? '';
if (NOTARY !== '' && NOTARY !== 'validating') throw new Error('DRAWBRIDGE_CORDA_NOTARY is validating, or nothing');
const missing = await cordaTestbedMissing();
const story = missing === undefined ? it : it.skip;
const title = missing === undefined ? '' : ` [skipped: ${missing}]`;

let world: World;
let corda: NonNullable<LocalSystem['corda']>;
type Bed = (typeof corda)['testbed'];
let agent: (typeof corda)['agent'];

beforeAll(async () => {
  if (missing !== undefined) return;
  world = await startWorld({ corda: { validating: NOTARY === 'validating' } });
  if (!world.system.corda) throw new Error('Corda was asked for');
  corda = world.system.corda;
  agent = corda.agent;
  const { finality } = await corda.testbed.tool.registration('vaultParty');
  expect(finality.notary.validating).toBe(NOTARY === 'validating');
  // Pounds on Quorum, for the stories that bring them back.
  const { id } = await world.fund({ ...OUT, ...PATIENT, amountMinor: 500_000n });
  await settled('aurora', id);
}, START_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
}, 120_000);
afterEach(async () => {
  if (missing !== undefined) return;
  await world.expectConserved();
  await eventually('every pound is free or guarded', async () => {
    const [free, guarded] = await Promise.all([corda.testbed.cashOf('GBP'), corda.vaultTotal('GBP')]);
    if (free + guarded !== OPENING_MINOR) throw new Error(`${free} + ${guarded}`);
    return true;
  });
}, STORY_MS);

const settled = (bank: string, id: TransferResource['id']): Promise<TransferResource> =>
  eventually(
    `${bank}'s transfer is settled`,
    async () => {
      const transfer = await world.desk(bank).transfer(id);
      if (transfer.state !== 'SETTLED') throw new Error(`it is ${transfer.state}`);
      return transfer;
    },
    PATIENCE_MS,
  );

/** The payment has left the vault on Corda. */
const paidOut = (before: bigint): Promise<true> =>
  eventually(
    'the payment on Corda',
    async () => ((await corda.vaultTotal('GBP')) < before ? true : undefined),
    PATIENCE_MS,
  );

/**
 * A payment into Corda whose flow has begun and waits for the notary, which stands still until `work` lets it go on. Well under a minute:
 * after that a node of Corda ends itself.
 */
async function whileThePaymentWaits(
  amountMinor: bigint,
  work: (goOn: () => void) => Promise<void>,
  first: () => void = () => undefined,
): Promise<TransferResource['id']> {
  const { corda: network } = corda.testbed;
  const goOn = (): void => network.signalNode(network.notary.index, 'SIGCONT');
  network.signalNode(network.notary.index, 'SIGSTOP');
  try {
    first();
    const { id } = await world.fund({ ...IN, ...PATIENT, amountMinor });
    await eventually('FLOW_PENDING in the log', async () => said('FLOW_PENDING'), PATIENCE_MS);
    await work(goOn);
    return id;
  } finally {
    goOn();
  }
}

/** Another one, whose log begins here. */
async function freshAgent(settings: object = {}): Promise<void> {
  await agent.stop();
  agent = await corda.startAgent('agent', settings);
}

describe(`a payment between Corda and Quorum survives${title}`, () => {
  story(
    'an agent that is killed before the payment is final',
    async () => {
      await freshAgent({ flowTimeoutSeconds: 1 });
      const id = await whileThePaymentWaits(1_001n, async (goOn) => {
        await agent.kill9();
        goOn();
      });
      agent = await corda.startAgent();
      await settled('boreal', id);
    },
    STORY_MS,
  );

  story(
    'an agent that is killed after finality, before it said so',
    async () => {
      await freshAgent({ flowTimeoutSeconds: 1 });
      const before = await corda.vaultTotal('GBP');
      const id = await whileThePaymentWaits(1_002n, async (goOn) => {
        // It stands still from before the payment is final until its end, so that it can have said nothing.
        agent.signal('SIGSTOP');
        goOn();
        await paidOut(before);
        await agent.kill9();
      });
      agent = await corda.startAgent();
      await settled('boreal', id);
    },
    STORY_MS,
  );

  story(
    'the node killed in the middle of a flow, with a lock on its way too',
    async () => {
      await freshAgent({ flowTimeoutSeconds: 1 });
      const { corda: network, vaultParty } = corda.testbed;
      const there = await world.submit({ ...OUT, ...PATIENT, amountMinor: 1_003n });
      if (!there.lock) throw new Error(`expected a lock call, the transfer is ${there.state}`);
      const { reference } = there.lock;
      let locking: Promise<unknown> = Promise.resolve();
      const id = await whileThePaymentWaits(
        1_004n,
        async (goOn) => {
          await network.killNode(vaultParty.index);
          goOn();
          await network.startNode(vaultParty.index);
        },
        // It waits for the notary too, for the seconds that the payment takes to come so far.
        () => {
          locking = corda.lock('aurora', 'GBP', reference, 1_003n);
          locking.catch(() => undefined);
        },
      );
      await locking;
      await settled('boreal', id);
      await settled('aurora', there.id);
      await freshAgent();
    },
    STORY_MS,
  );

  story(
    'RabbitMQ restarted, and killed, with messages in flight',
    async () => {
      await agent.stop();
      const { id } = await world.fund({ ...IN, ...PATIENT, amountMinor: 1_005n });
      await aCommandWaits();
      await corda.testbed.broker.restart();
      await aCommandWaits();
      await corda.testbed.broker.kill9();
      await corda.testbed.broker.restart();
      agent = await corda.startAgent();
      await settled('boreal', id);
    },
    STORY_MS,
  );

  story(
    'a flow that succeeds after its timeout was reported',
    async () => {
      await freshAgent({ flowTimeoutSeconds: 1 });
      await settled('boreal', await whileThePaymentWaits(1_006n, async (goOn) => goOn()));
      await freshAgent();
    },
    STORY_MS,
  );

  story(
    'a notary that is away for longer than the deadline: it comes back, never twice',
    async () => {
      const { index } = corda.testbed.corda.notary;
      await freshAgent({ flowTimeoutSeconds: 1 });
      await corda.testbed.corda.stopNode(index);
      let transfer: TransferResource;
      try {
        transfer = await world.fund({ ...IN, fundBySeconds: 60, deliverBySeconds: 75, amountMinor: 1_007n });
        await eventually('FLOW_PENDING in the log', async () => said('FLOW_PENDING'), PATIENCE_MS);
        // No void can be final without the notary either.
        await world.until('boreal', transfer.id, 'VOIDING');
      } finally {
        await corda.testbed.corda.startNode(index);
      }
      await world.until('boreal', transfer.id, 'RETURNED', 'SETTLED');
      await freshAgent();
    },
    STORY_MS,
  );

  story(
    "the payee's node down: it is paid, and learns of it when it is back",
    async () => {
      const { index } = corda.testbed.depositor;
      await corda.testbed.corda.stopNode(index);
      const { id } = await world.fund({ ...IN, ...PATIENT, amountMinor: 1_008n });
      await settled('boreal', id);
      await corda.testbed.corda.startNode(index);
    },
    STORY_MS,
  );

  story(
    'two agents on one node',
    async () => {
      const second = await corda.startAgent('agent-2');
      // It has a cursor of its own, and so tells of all that there is: to the broker, from the node.
      await eventually('events of the second agent', async () => saidBy(second, 'event-handed-over'), PATIENCE_MS);
      const there = await world.fund({ ...OUT, ...PATIENT, amountMinor: 1_009n });
      const back = await world.fund({ ...IN, ...PATIENT, amountMinor: 1_010n });
      await settled('aurora', there.id);
      await settled('boreal', back.id);
      expect([agent.running(), second.running()]).toEqual([true, true]);
      await second.stop();
    },
    STORY_MS,
  );

  story(
    'malformed and oversized messages in every queue',
    async () => {
      const before = await messagesIn(corda.testbed, 'dead-letters');
      await junk(corda.testbed);
      await eventually('what agent and connector reject among the dead letters', async () =>
        (await messagesIn(corda.testbed, 'dead-letters')) >= before + 2 * JUNK_A_QUEUE ? true : undefined,
      );
      const there = await world.fund({ ...OUT, ...PATIENT, amountMinor: 1_011n });
      const back = await world.fund({ ...IN, ...PATIENT, amountMinor: 1_012n });
      await settled('aurora', there.id);
      await settled('boreal', back.id);
    },
    STORY_MS,
  );
});

/** What Corda's nodes and their operators' tool keep is the bank's own. */
const ofTheBank = ({ name }: Place): boolean => name.startsWith('corda/corda/') || name.startsWith('corda/tool/');
const placesNow = async (): Promise<Place[]> => [
  ...(await filesOf(world.system)).filter((place) => !ofTheBank(place)),
  ...(await redisPlaces(world.system.redis.url)),
];

/** X.500 names of both banks as Corda writes them and as people do, and the names in them, which certificates hold by themselves. */
function namesOf({ vaultParty, depositor }: Bed): Readonly<Record<'x500' | 'organisations', readonly Needle[]>> {
  const names = [vaultParty, depositor].map(({ legalName }) => legalName.split(',').map((part) => part.trim()));
  return {
    x500: names.flatMap((parts) => [...textForms(parts.join(',')), ...textForms(parts.join(', '))]),
    organisations: names.flatMap((parts) => textForms(parts.find((part) => part.startsWith('O='))?.slice(2) ?? '')),
  };
}

describe(`what lies at rest${title}`, () => {
  story(
    "shows nothing of a payment: not RabbitMQ's files with a command in them, not the agent's, not what the connector leaves",
    async () => {
      const needles: Needle[] = [];
      const watched = async (payment: Parameters<World['fund']>[0]): Promise<TransferResource> => {
        const remittance = `Canary ${payment.from} Kanarienvogel & Co.`;
        const transfer = await world.fund({ ...payment, ...PATIENT, remittance });
        needles.push(...amountForms(payment.amountMinor), ...textForms(remittance), ...uuidForms(transfer.id));
        if (transfer.lock) needles.push(...wordForms(transfer.lock.reference));
        return transfer;
      };
      const there = await watched({ ...OUT, amountMinor: 27_364_519n });
      await settled('aurora', there.id);
      await agent.stop();
      const back = await watched({ ...IN, amountMinor: 17_283_746n });
      await aCommandWaits();
      const midway = await placesNow();
      expect(midway.filter(({ name }) => name.startsWith('corda/rabbitmq/')).length).toBeGreaterThan(0);
      await corda.testbed.broker.kill9();
      await corda.testbed.broker.restart();
      agent = await corda.startAgent();
      const { instructions } = await settled('boreal', back.id);
      for (const word of instructions) needles.push(...wordForms(word));
      const names = namesOf(corda.testbed);
      needles.push(...wordForms(corda.wallet('aurora')), ...names.x500);
      const places = [...midway, ...(await placesNow()), ...(await windowsOf(world.system))];
      expect(search(places, needles)).toEqual([]);
      // Participants are registered by a name, which a bank's organisation may be.
      const unregistered = places.filter(({ name }) => !mayShowRegistered(name));
      expect(search(unregistered, names.organisations)).toEqual([]);
      // That it is looked for there: what is planted is found.
      const planted = ['corda/rabbitmq/planted', 'corda/agent/planted'];
      const all = Buffer.concat([...needles, ...names.organisations].map(({ bytes }) => bytes));
      for (const place of planted) await writeFile(join(world.system.dir, place), all);
      const found = search(await placesNow(), needles).map(({ place }) => place);
      for (const place of planted) await rm(join(world.system.dir, place));
      expect(found).toEqual(expect.arrayContaining(planted));
    },
    STORY_MS,
  );
});

describe(`what a third party can check${title}`, () => {
  story(
    'is every transaction of the vault, from its creation on, by the genesis alone',
    async () => {
      const files = await gatherCordaEvidence(world.system);
      const dir = await mkdtemp(join(tmpdir(), 'drawbridge-corda-proof-'));
      const events: string[] = [];
      try {
        for (const { seq, evidence } of files) {
          const file = join(dir, `${seq}.json`);
          await writeFile(file, JSON.stringify({ evidence }));
          const genesis = world.system.genesisFile;
          const out = (text: string): void => {
            const { event } = JSON.parse(text) as { event?: { type: string } };
            events.push(event?.type ?? 'none');
          };
          expect(await verifyEvidenceCommand(file, { genesis, json: true }, { out, err: () => undefined })).toBe(0);
        }
      } finally {
        await rm(dir, { recursive: true });
      }
      expect(events[0]).toBe('created');
      expect(events.filter((type) => type === 'created')).toHaveLength(1);
      expect(events).toEqual(expect.arrayContaining(['locked', 'executed']));
    },
    STORY_MS,
  );
});

type Agent = Pick<typeof agent, 'recentOutput'>;
const saidBy = (one: Agent, word: string): true | undefined => (one.recentOutput().includes(word) ? true : undefined);
const said = (code: string): true | undefined => saidBy(agent, code);

/** The connector has handed one over, and no agent took it. */
const aCommandWaits = (): Promise<true> =>
  eventually('a command at the broker', async () =>
    (await messagesIn(corda.testbed, 'commands')) > 0 ? true : undefined,
  );
