/**
 * What docs/operators/corda.md tells an operator, on a real Corda network and a core that does not know of it: registered by a
 * signed amendment, first transfers, and the lane closed again. By the commands of the document, and with a notary that validates and RPC over TLS.
 */

import { cordaTestbedMissing } from '@drawbridge/connector-corda/testing/testbed-missing';
import { CORDA_NETWORK, EXPOSURE_CAP_MINOR } from '@drawbridge/demo/cast';
import { connectorId } from '@drawbridge/demo/genesis-file';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { amend, drawbridge, exposureCap, settled } from './operator-desk.ts';
import { eventually, lei, startWorld, type World } from './world.ts';

const START_MS = 900_000;
const STORY_MS = 300_000;
const PATIENCE_MS = 180_000;

const DEPOSIT = { from: 'aurora', to: 'aurora', asset: 'GBP', source: CORDA_NETWORK } as const;

const missing = await cordaTestbedMissing();
const story = missing === undefined ? it : it.skip;

let world: World;
let corda: NonNullable<LocalSystem['corda']>;

beforeAll(async () => {
  if (missing !== undefined) return;
  world = await startWorld({ corda: { registered: false, validating: true, rpcTls: true } });
  if (!world.system.corda) throw new Error('Corda was asked for');
  corda = world.system.corda;
  expect(corda.registration.network).toMatchObject({ finality: { notary: { validating: true } } });
  expect(corda.testbed.corda.rpcTls).toBeDefined();
}, START_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
}, 120_000);

function asAurora(): string[] {
  const { coreUrl, serviceCertFile, identity } = world.system;
  const { certFile, keyFile } = identity('aurora');
  return ['--url', coreUrl, '--service-cert', serviceCertFile, '--cert', certFile, '--key', keyFile, '--json'];
}

/** The network, its connector and its vault, as the tool describes them. */
function registration(): object[] {
  const { system } = world;
  const id = connectorId(CORDA_NETWORK);
  const [vault] = corda.registration.vaults;
  const connector = {
    ...{ id, role: 'connector', name: 'Connector of Corda', sealingKey: system.sealingKeys[CORDA_NETWORK] },
    certificates: [system.identity(id).fingerprint],
  };
  return [
    { name: 'set_participant', args: connector },
    { name: 'set_network', args: { id: CORDA_NETWORK, ...corda.registration.network, connectors: [id] } },
    {
      name: 'add_vault',
      args: { network: CORDA_NETWORK, authority: system.authorities[`${CORDA_NETWORK}/GBP`], ...vault },
    },
    exposureCap(EXPOSURE_CAP_MINOR),
  ];
}

const ends = (id: TransferResource['id']): Promise<TransferResource> => settled(world, 'aurora', id);

const capOf = async (): Promise<string | undefined> => {
  const known = (await world.desk('aurora').networks()).find(({ id }) => id === CORDA_NETWORK);
  return known?.vaults.find(({ asset }) => asset === 'GBP')?.exposureCapMinor;
};
const inSuspense = async (id: TransferResource['id']): Promise<LockResource | undefined> =>
  (await world.desk('aurora').locks()).locks.find(({ transfer }) => transfer?.id === id);
const refundOf = async ({ lockId }: LockResource): Promise<true | undefined> => {
  const { locks } = await world.desk('aurora').locks();
  const now = locks.find((lock) => lock.lockId === lockId);
  return now === undefined || now.state === 'REFUNDED' ? true : undefined;
};

describe(`an operator${missing === undefined ? '' : ` [skipped: ${missing}]`}`, () => {
  story(
    'registers a network and its vault by an amendment, and a first transfer goes each way',
    async () => {
      const knows = async (): Promise<boolean> =>
        (await world.desk('aurora').networks()).some(({ id }) => id === CORDA_NETWORK);
      expect(await knows()).toBe(false);
      await amend(world, 1, registration());
      await eventually('the core knows the network', async () => ((await knows()) ? true : undefined));

      const there = await drawbridge(
        ...['transfer', 'submit', '--asset', 'GBP', '--amount-minor', '12500', '--to', lei('aurora')],
        ...['--source', CORDA_NETWORK, '--depositor', corda.wallet('aurora'), '--fund-by', '+4m'],
        ...asAurora(),
      );
      const { id, lock } = JSON.parse(there) as TransferResource;
      if (!lock) throw new Error(`expected a lock call: ${there}`);
      await corda.lock('aurora', 'GBP', lock.reference, 12_500n);
      await ends(id);
      const known = JSON.parse(await drawbridge('transfer', 'get', id, ...asAurora())) as TransferResource;
      expect(known).toMatchObject({ id, state: 'SETTLED' });

      const back = await drawbridge(
        ...['transfer', 'submit', '--asset', 'GBP', '--amount-minor', '2500', '--to', lei('aurora')],
        ...['--destination', CORDA_NETWORK, '--beneficiary', corda.wallet('aurora'), '--deliver-by', '+4m'],
        ...asAurora(),
      );
      await ends((JSON.parse(back) as TransferResource).id);
      expect(await corda.vaultTotal('GBP')).toBe(10_000n);
      await world.expectConserved();
    },
    STORY_MS,
  );

  story(
    'ends the lane: what is there goes out, and then nothing goes either way',
    async () => {
      // Less than any deposit.
      await amend(world, 2, [exposureCap(1n)]);
      await eventually('the cap is taken', async () => ((await capOf()) === '1' ? true : undefined));
      const refused = await world.fund({ ...DEPOSIT, amountMinor: 100n, fundBySeconds: 120 });
      const lock = await eventually('the lock is in suspense', async () => inSuspense(refused.id), PATIENCE_MS);
      expect(lock).toMatchObject({ why: 'cap', state: 'UNMATCHED' });
      await world.desk('aurora').refundLock(lock);
      await eventually('it is refunded', async () => refundOf(lock), PATIENCE_MS);
      const out = { from: 'aurora', to: 'aurora', asset: 'GBP', destination: CORDA_NETWORK, deliverBySeconds: 240 };
      const { id } = await world.submit({ ...out, amountMinor: 10_000n });
      await ends(id);
      expect(await corda.vaultTotal('GBP')).toBe(0n);
      await world.expectConserved();
      await amend(world, 3, [exposureCap(0n)]);
      await eventually('the lane is closed', async () => {
        const refusal = await world.submit({ ...DEPOSIT, amountMinor: 100n }).then(
          () => undefined,
          (error: Error & { code?: string }) => error.code,
        );
        return refusal === 'LANE_CLOSED' ? true : undefined;
      });
    },
    STORY_MS,
  );
});
