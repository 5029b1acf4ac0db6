/**
 * Nothing confidential lies where a courier, an operator or a thief of disks could read it. Payments with names and
 * amounts that nothing else has are run in every way that a payment can end; then all that the run left is searched for
 * them. What is left out of the search, and why: `canary-places.ts`.
 */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLocks } from '@drawbridge/demo/books';
import { BANKS } from '@drawbridge/demo/cast';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { amountForms, type Needle, type Place, search, textForms, uuidForms, wordForms } from './canary-forms.ts';
import { filesOf, redisPlaces, windowsOf } from './canary-places.ts';
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
const remittanceOf = (name: string): string => `Canary ${name} Kanarienvogel & Co.`;

let world: World;
let redisMidway: Place[];
const needles: Needle[] = [...BANKS.flatMap(({ name, lei, bic }) => [name, lei, bic]).flatMap(textForms)];

beforeAll(async () => {
  world = await startWorld();
}, STORY_MS);
afterAll(async () => {
  await world?.stop();
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
async function ends(name: keyof typeof PAYMENTS, { id }: TransferResource, state: TransferResource['state']) {
  const ended = await world.until(PAYMENTS[name].from, id, state);
  for (const word of [...ended.instructions, ...(ended.lockId ? [ended.lockId] : [])]) needles.push(...wordForms(word));
}

it(
  'payments end in every way, one is looked at while its destination refuses it, and the core is started again',
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
  const forms = [...new Map(needles.map((needle) => [`${needle.secret} ${needle.form}`, needle])).values()];
  const file = join(system.dir, 'core/planted');
  const redis = new Redis(system.redis.url);
  const key = `planted-${randomBytes(4).toString('hex')}`;
  const planted = Buffer.concat(forms.flatMap(({ bytes }) => [Buffer.from('{'), bytes, Buffer.from('}')]));
  await writeFile(file, planted);
  await redis.set(`${key}-string`, planted);
  await redis.hset(`${key}-hash`, 'field', planted);
  await redis.rpush(`${key}-list`, planted);
  await redis.sadd(`${key}-set`, planted);
  await redis.zadd(`${key}-zset`, 1, planted);
  await redis.xadd(`${key}-stream`, '*', 'field', planted);
  const kinds = ['string', 'hash', 'list', 'set', 'zset', 'stream'].map((kind) => `redis ${key}-${kind}`);
  try {
    const places = [...(await filesOf(system)), ...(await redisPlaces(system.redis.url))];
    for (const place of ['core/planted', ...kinds]) {
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
    await rm(file);
    await redis.del(...kinds.map((name) => name.slice('redis '.length)));
    redis.disconnect();
  }
}, 60_000);

it('nothing of them is in Redis, in metrics, in logs or on disk while the system runs', async () => {
  const redis = await redisPlaces(world.system.redis.url);
  expect(redis.length).toBeGreaterThan(10);
  expect(search([...redisMidway, ...redis], needles)).toEqual([]);
  expect(search(await windowsOf(world.system), needles)).toEqual([]);
  expect(search(await filesOf(world.system), needles)).toEqual([]);
}, 60_000);

it('nor when it has ended', async () => {
  await world.stop();
  const files = await filesOf(world.system);
  const names = files.map(({ name }) => name);
  for (const folder of ['core/ledger/', 'core/history/', 'connector-quorum-a-1/', 'observer-1/', 'logs/core.log']) {
    expect(names.filter((name) => name.startsWith(folder))).not.toEqual([]);
  }
  expect(search(files, needles)).toEqual([]);
}, 60_000);
