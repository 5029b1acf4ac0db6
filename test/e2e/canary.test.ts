/**
 * Nothing confidential lies where a courier, an operator or a thief of disks could read it. Payments with names and
 * amounts that nothing else has are run in every way that a payment can end, and some evidence fails; then all that the run
 * left is searched for them, and for what receipts show. What is left out of the search, and why: `canary-places.ts`.
 */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLocks } from '@drawbridge/demo/books';
import { BANKS } from '@drawbridge/demo/cast';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  amountForms,
  type Find,
  type Needle,
  type Place,
  search,
  textForms,
  uuidForms,
  wordForms,
} from './canary-forms.ts';
import { filesOf, mayShowRegistered, redisPlaces, windowsOf } from './canary-places.ts';
import { Courier, lockedWith } from './courier.ts';
import { withAmount } from './lying-observer.ts';
import { eventually, type Payment, startWorld, type World } from './world.ts';

const STORY_MS = 240_000;
const UNHURRIED = { fundBySeconds: 200, deliverBySeconds: 220 } as const;
/** Amounts take 25 to 27 bits; the banks have 100,000,000 minor units each. */
const PAYMENTS = {
  deposit: { ...UNHURRIED, from: 'aurora', to: 'boreal', amountMinor: 64_738_291n, source: 'quorum-a' },
  core: { from: 'boreal', to: 'corvid', amountMinor: 19_283_746n },
  across: {
    ...UNHURRIED,
    from: 'aurora',
    to: 'corvid',
    amountMinor: 27_364_519n,
    source: 'quorum-a',
    destination: 'quorum-b',
  },
  refused: {
    from: 'boreal',
    to: 'aurora',
    amountMinor: 31_415_927n,
    destination: 'quorum-a',
    refuses: true,
    deliverBySeconds: 15,
  },
  late: { from: 'aurora', to: 'boreal', amountMinor: 54_637_281n, source: 'quorum-a', fundBySeconds: 3 },
  beyondMeans: { from: 'corvid', to: 'aurora', amountMinor: 83_746_512n },
} satisfies Record<string, Omit<Payment, 'asset' | 'remittance'>>;
const STRAY_LOCK_MINOR = 42_424_243n;
/** Of another payment under an id that is spent. */
const OTHER_TERMS_MINOR = 77_665_544n;
/** What the deposit's lock is said to be by evidence that nobody signed. */
const FORGED_MINOR = 91_827_365n;
const remittanceOf = (name: string): string => `Canary ${name} Kanarienvogel & Co.`;

let world: World;
let redisMidway: Place[];
/** Of every payment: nowhere. */
const needles: Needle[] = [];
/** Who the banks are: in the ledger's chunk files, whose genesis registers them by name, LEI and BIC, and nowhere else. */
const registered: Needle[] = BANKS.flatMap(({ name, lei, bic }) => [name, lei, bic]).flatMap(textForms);
const NODES = ['core', 'core-2', 'core-3'];
const FOLDERS = NODES.flatMap((node) => ['log', 'ledger', 'history'].map((folder) => `${node}/${folder}`));
const SEALED_FILES = NODES.flatMap((node) => [`${node}/node.bundle`, `${node}/genesis.snapshot`]);

/** What is where it may not be. */
const shown = (places: readonly Place[]): Find[] => [
  ...search(places, needles),
  ...search(
    places.filter(({ name }) => !mayShowRegistered(name)),
    registered,
  ),
];

beforeAll(async () => {
  world = await startWorld({ coreNodes: NODES.length });
}, STORY_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
}, 60_000);

const payment = (name: keyof typeof PAYMENTS): Payment => {
  needles.push(...amountForms(PAYMENTS[name].amountMinor), ...textForms(remittanceOf(name)));
  return { ...PAYMENTS[name], asset: 'EUR', remittance: remittanceOf(name) };
};
/** Its id, and what would link queues and disks to the chain. */
function watch({ id, lock }: TransferResource): void {
  needles.push(...uuidForms(id));
  if (lock) needles.push(...wordForms(lock.reference));
}
async function run(name: keyof typeof PAYMENTS): Promise<TransferResource> {
  const transfer = await (name === 'deposit' || name === 'across' ? world.fund : world.submit)(payment(name));
  watch(transfer);
  return transfer;
}
async function ends(name: keyof typeof PAYMENTS, { id, debtor }: TransferResource, state: TransferResource['state']) {
  const ended = await world.until(PAYMENTS[name].from, id, state);
  for (const word of [...ended.instructions, ...(ended.lockId ? [ended.lockId] : [])]) needles.push(...wordForms(word));
  // What a receipt shows is for whom the bank gives it to.
  const { from, to } = PAYMENTS[name];
  for (const bank of [from, to]) {
    const { claims_proof } = await eventually('a receipt', () => world.desk(bank).transferReceipt(id, debtor));
    if (!claims_proof) throw new Error('expected a claim');
    needles.push(...textForms(claims_proof.claim), ...wordForms(`0x${claims_proof.salt}`));
  }
}

/** Evidence that the core refuses, from the core's own door and by the hub, which gives it up. */
async function forgeEvidence({ lock }: TransferResource): Promise<void> {
  if (!lock) throw new Error('expected a lock call');
  const courier = await Courier.of(world.system);
  try {
    const chain = world.system.chain('quorum-a');
    const truth = await courier.proven(chain, 'EUR', lockedWith(lock.reference));
    needles.push(...amountForms(FORGED_MINOR));
    const forged = encodeObserverEvidence({ ...truth, log: withAmount(truth.log, FORGED_MINOR) });
    for (const [bytes, code] of [
      [forged, 'SIGNATURE_INVALID'],
      [forged.subarray(7), 'EVIDENCE_INVALID'],
    ] as const) {
      const posted = await courier.post('quorum-a', [await courier.seal('quorum-a', bytes)]);
      expect(posted).toMatchObject([{ result: 'refused', code }]);
      await courier.givenUp('quorum-a', await courier.seal('quorum-a', bytes));
    }
  } finally {
    await courier.close();
  }
}

it(
  'payments end in every way, evidence is forged, one is looked at while its destination refuses it, and the core is started again',
  async () => {
    const known = await readLocks(world.system);
    const deposit = await run('deposit');
    const across = await run('across');
    const late = await run('late');
    const stray = `0x${randomBytes(32).toString('hex')}`;
    needles.push(...amountForms(STRAY_LOCK_MINOR), ...wordForms(stray));
    for (const bank of BANKS) needles.push(...wordForms(world.system.chain('quorum-a').wallet(bank.short)));
    await world.system.chain('quorum-a').lock('corvid', 'EUR', stray, STRAY_LOCK_MINOR);
    await ends('deposit', deposit, 'SETTLED');
    await forgeEvidence(deposit);
    await ends('core', await run('core'), 'SETTLED');
    await ends('beyondMeans', await run('beyondMeans'), 'REJECTED');
    const refused = await run('refused');
    const [connector] = world.system.connectors('quorum-a');
    await eventually('an attempt that fails', async () => {
      const metrics = await (await fetch(`${connector?.url}/metrics`)).text();
      return metrics.includes('outcome="failed"') ? true : undefined;
    });
    redisMidway = await redisPlaces(world.system.redis.url);
    await ends('across', across, 'SETTLED');
    await world.system.core.stop();
    await world.system.core.start();
    await ends('refused', refused, 'RETURNED');
    await ends('late', late, 'EXPIRED');
    await eventually('the stray lock', async () =>
      (await readLocks(world.system)).length > known.length ? true : undefined,
    );
    needles.push(...amountForms(OTHER_TERMS_MINOR));
    const wrong = [
      () => world.submit({ ...payment('deposit'), amountMinor: OTHER_TERMS_MINOR }, deposit.id),
      () => world.submit({ ...payment('core'), remittance: `${remittanceOf('core')}\n` }),
    ];
    for (const request of wrong) await expect(request()).rejects.toMatchObject({ name: 'ProblemError' });
    await world.expectConserved();
  },
  STORY_MS,
);

it('the search finds what is planted, in each form and each kind of place', async () => {
  const { system } = world;
  const forms = [
    ...new Map([...needles, ...registered].map((needle) => [`${needle.secret} ${needle.form}`, needle])).values(),
  ];
  const files = [...NODES, ...FOLDERS].map((folder) => `${folder}/planted`);
  const redis = new Redis(system.redis.url);
  const key = `planted-${randomBytes(4).toString('hex')}`;
  const planted = Buffer.concat(forms.flatMap(({ bytes }) => [Buffer.from('{'), bytes, Buffer.from('}')]));
  for (const file of files) await writeFile(join(system.dir, file), planted);
  await redis.set(`${key}-string`, planted);
  await redis.hset(`${key}-hash`, 'field', planted);
  await redis.rpush(`${key}-list`, planted);
  await redis.sadd(`${key}-set`, planted);
  await redis.zadd(`${key}-zset`, 1, planted);
  await redis.xadd(`${key}-stream`, '*', 'field', planted);
  const kinds = ['string', 'hash', 'list', 'set', 'zset', 'stream'].map((kind) => `redis ${key}-${kind}`);
  try {
    const places = [...(await filesOf(system)), ...(await redisPlaces(system.redis.url))];
    for (const place of [...files, ...kinds]) {
      const finds = new Set(
        search(
          places.filter(({ name }) => name === place),
          forms,
        ).map(({ secret, form }) => `${secret} ${form}`),
      );
      expect({ place, missed: forms.filter(({ secret, form }) => !finds.has(`${secret} ${form}`)) }).toEqual({
        place,
        missed: [],
      });
    }
  } finally {
    for (const file of files) await rm(join(system.dir, file));
    await redis.del(...kinds.map((name) => name.slice('redis '.length)));
    redis.disconnect();
  }
}, 60_000);

it('nothing of them is in Redis, in metrics, in logs or on disk while the system runs', async () => {
  const redis = await redisPlaces(world.system.redis.url);
  expect(redis.length).toBeGreaterThan(10);
  expect(shown([...redisMidway, ...redis])).toEqual([]);
  expect(shown(await windowsOf(world.system))).toEqual([]);
  expect(shown(await filesOf(world.system))).toEqual([]);
}, 60_000);

it('nor when it has ended', async () => {
  await world.stop();
  const files = await filesOf(world.system);
  const names = files.map(({ name }) => name);
  const others = ['connector-quorum-a-1/', 'observer-1/', ...NODES.map((node) => `logs/${node}.log`)];
  for (const place of [...FOLDERS, ...SEALED_FILES, ...others]) {
    expect({ place, isThere: names.some((name) => name.startsWith(place)) }).toEqual({ place, isThere: true });
  }
  expect(shown(files)).toEqual([]);
}, 60_000);

it('what is registered can be read in the ledger of every node, as governance must be, and is the same for all', async () => {
  const chunks = (await filesOf(world.system)).filter(({ name }) => mayShowRegistered(name));
  expect(chunks.map(({ name }) => name).sort()).toEqual(NODES.map((node) => `${node}/ledger/ledger_1`).sort());
  for (const chunk of chunks) {
    const found = new Set(search([chunk], registered).map(({ secret }) => secret));
    expect([...found].sort()).toEqual(BANKS.flatMap(({ name, lei, bic }) => [name, lei, bic]).sort());
  }
}, 60_000);
