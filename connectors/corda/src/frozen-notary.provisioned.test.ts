/**
 * A notary whose process stood still for longer than its own message broker waits for it. Corda 4.10 then ends the process
 * ("Connection to the broker was lost. Node is shutting down."): whoever supervises it starts it again, and what waited is done.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drawbridge/devnets/until';
import { type Bytes32, fromHex } from '@drawbridge/protocol/bytes32';
import { afterAll, expect, jest } from '@jest/globals';
import { type CordaTestbed, drawnWord, startCordaTestbed } from './testing/corda-testbed.ts';
import { type LiveLine, openLiveLine } from './testing/live-line.ts';
import { SigningKeyPair, signedOrder } from './testing/vault-authority.ts';
import { testWithCordaTestbed } from './testing/with-corda-testbed.ts';

jest.setTimeout(1_200_000);

/** The broker asks for a sign of life every minute. */
const FROZEN_MS = 75_000;
const PATIENCE_MS = 240_000;
const ASSET = 'EUR';

const withBed = await testWithCordaTestbed();
let dir: string | undefined;
let bed: CordaTestbed | undefined;
let line: LiveLine | undefined;

afterAll(async () => {
  await line?.stop();
  await bed?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

withBed('a notary that stood still ends by itself, and started again it signs what waited, once', async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-frozen-notary-'));
  bed = await startCordaTestbed({ dir });
  const { tool, corda, network } = bed;
  const [authority, guardian] = [new SigningKeyPair(), new SigningKeyPair()];
  const terms = { asset: ASSET, authority: authority.address, serviceId: drawnWord(), guardians: [guardian.address] };
  const vault = await bed.createVault({ ...terms, mode: 'issue', currency: 'EURQ', permits: 1 });
  line = await openLiveLine(bed);
  const { call } = line;
  await bed.startAgent({ vaults: [vault.vaultId], settings: { healthSeconds: 1, flowTimeoutSeconds: 5 } });
  await line.nodeUp();
  const { word } = await tool.about('depositor');
  const { id, args } = signedOrder(
    { network, asset: ASSET, vault },
    { kind: 'issue', refs: vault.permits, amountMinor: 40n, beneficiary: word },
    authority,
  );
  const found = async (): Promise<boolean> => {
    const answer = await call('find', [fromHex(vault.vaultId), fromHex(id)]);
    return answer.ok && answer.result[0] !== null;
  };

  const { index } = corda.notary;
  const frozenAtMs = Date.now();
  corda.signalNode(index, 'SIGSTOP');
  expect(await call('execute', args)).toMatchObject({ ok: false, code: 'FLOW_PENDING' });
  await until('over a minute has passed', 2 * FROZEN_MS, async () => Date.now() - frozenAtMs > FROZEN_MS);
  corda.signalNode(index, 'SIGCONT');
  expect((await corda.failed).index).toBe(index);
  expect(await found()).toBe(false);

  await corda.startNode(index);
  // As a connector does: what waited may have met the end of its time window meanwhile, and is given again.
  await until('it is done', PATIENCE_MS, async () => (await call('execute', args)).ok);
  expect(await found()).toBe(true);
  const held = async (): Promise<string | undefined> => {
    const { tokens } = await tool.balance('depositor');
    return tokens.find(({ vaultId }: { vaultId: Bytes32 }) => vaultId === vault.vaultId)?.amountMinor;
  };
  await until('the payee has it', PATIENCE_MS, async () => (await held()) === '40');
  expect((await call('execute', args)).ok).toBe(true);
  expect(await held()).toBe('40');
});
