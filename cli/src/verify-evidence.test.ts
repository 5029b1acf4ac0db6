import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signingObserver } from '@drawbridge/evidence/testing/ed25519-keys';
import { LOCK_LOG, observerRoot, signedLock, wordOf } from '@drawbridge/evidence/testing/observed-lock';
import { toHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { encodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyEvidenceCommand } from './verify-evidence.ts';

const signers = [1, 2, 3].map(signingObserver);
const root = observerRoot(signers);
const sound = signedLock(signers, root);
const bytes = encodeObserverEvidence(sound);

const GENESIS = {
  version: 1,
  serviceId: root.serviceId,
  bootstrap: { keys: [], threshold: 1 },
  assets: [{ code: 'EUR', scale: 2 }],
  participants: [
    { id: 'BANKA', role: 'bank', name: 'Bank A', certificates: [] },
    ...root.observers.map(({ id, publicKey }) => ({
      id,
      role: 'observer',
      certificates: [],
      attestationKey: publicKey,
    })),
  ],
  networks: [
    {
      id: 'alpha',
      kind: 'evm',
      chainId: 4_001,
      genesisHash: root.genesisHash,
      finality: { rule: 'observers', observers: root.observers.map(({ id }) => id), threshold: 2, depthBlocks: 3 },
      connectors: [],
    },
  ],
  vaults: [{ network: 'alpha', asset: 'EUR', mode: 'escrow', address: root.vault.toUpperCase().replace('0X', '0x') }],
  exposureCaps: [],
};

let dir: string;
let printed: string;
const output = {
  out: (text: string) => {
    printed += `${text}\n`;
  },
  err: () => undefined,
};
const at = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  printed = '';
  await writeFile(at('genesis.json'), JSON.stringify(GENESIS));
});
afterEach(() => rm(dir, { recursive: true }));

async function verify(content: string | Uint8Array, options: { genesis?: string; json?: boolean } = {}) {
  await writeFile(at('evidence'), content);
  return verifyEvidenceCommand(at('evidence'), { genesis: at('genesis.json'), ...options }, output);
}
const jsonFile = (evidence: ObserverEvidence, more: object = {}): string =>
  JSON.stringify({ evidence: toHex(encodeObserverEvidence(evidence)), ...more });

describe('sound evidence', () => {
  test.each<[string, string | Uint8Array]>([
    ['as JSON', jsonFile(sound)],
    ['as bytes', bytes],
  ])('%s: exit 0, and what it proves', async (_, content) => {
    expect(await verify(content)).toBe(0);
    expect(printed).toMatch(/^evidence +PROVEN$/m);
    expect(printed).toMatch(/^network +alpha, chain 4001, genesis 0x9e/m);
    expect(printed).toMatch(/^block +1234, 0xb1/m);
    expect(printed).toMatch(/^depth +5 blocks, 3 needed$/m);
    expect(printed).toMatch(/^vault +0x5a[0-9a-f]+, EUR$/m);
    expect(printed).toMatch(/^event +1, locked$/m);
    expect(printed).toMatch(/^amount +EUR 123\.45$/m);
    expect(printed).toMatch(/^vouched by +observer-1, observer-2$/m);
    expect(printed).toMatch(/^finality +not final by proof: 2 of 3 observers$/m);
  });

  test('as JSON for programs', async () => {
    expect(await verify(bytes, { json: true })).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      proven: true,
      network: 'alpha',
      blockNumber: 1_234,
      asset: 'EUR',
      scale: 2,
      event: { type: 'locked', seq: 1, amountMinor: '12345' },
      vouchedBy: ['observer-1', 'observer-2'],
      finalByProof: false,
      observers: 3,
      threshold: 2,
    });
  });

  test('beside a Corda network and its vault is taken', async () => {
    const corda = { id: 'corda-a', kind: 'corda', genesisHash: root.genesisHash, finality: { rule: 'corda-notary' } };
    const networks = [corda, ...GENESIS.networks];
    const vaults = [{ network: 'corda-a', asset: 'EUR', vaultId: root.genesisHash }, ...GENESIS.vaults];
    await writeFile(at('genesis.json'), JSON.stringify({ ...GENESIS, networks, vaults }));
    expect(await verify(bytes)).toBe(0);
  });

  test('with the genesis in its own file is taken, and says what that is worth', async () => {
    await writeFile(at('carried'), jsonFile(sound, { genesis: GENESIS }));
    expect(await verifyEvidenceCommand(at('carried'), {}, output)).toBe(0);
    expect(printed).toMatch(/they prove nothing unless you know this service id/);
  });
});

describe('refused evidence: exit 1, and the first check that fails', () => {
  test.each<[string, string, Uint8Array]>([
    ['a cut end', 'form', bytes.subarray(0, -1)],
    ['another network', 'network', encodeObserverEvidence({ ...sound, network: parseNetworkId('beta') })],
    ['another genesis', 'genesis', encodeObserverEvidence({ ...sound, genesisHash: wordOf(1) })],
    [
      'a contract that is no vault',
      'address',
      encodeObserverEvidence({ ...sound, log: { ...LOCK_LOG, address: parseEvmAddress(`0x${'66'.repeat(20)}`) } }),
    ],
    ['one observer only', 'threshold', encodeObserverEvidence({ ...sound, attestations: sound.attestations.slice(1) })],
    ['another amount', 'signatures', encodeObserverEvidence({ ...sound, log: { ...LOCK_LOG, logIndex: 7 } })],
  ])('%s', async (_, check, content) => {
    expect(await verify(content)).toBe(1);
    expect(printed).toMatch(/^evidence +REFUSED$/m);
    expect(printed).toMatch(new RegExp(`^check +${check} \\(\\d+ of \\d+\\)$`, 'm'));
    printed = '';
    expect(await verify(content, { json: true })).toBe(1);
    expect(JSON.parse(printed)).toMatchObject({ proven: false, check });
  });

  test('where the registration itself proves nothing', async () => {
    await writeFile(at('genesis.json'), JSON.stringify({ ...GENESIS, participants: [] }));
    expect(await verify(bytes)).toBe(1);
    expect(printed).toMatch(/^check +trustRoot/m);
  });
});

describe('what cannot be judged is an error in words', () => {
  test.each<[string, string, RegExp]>([
    ['no evidence', '{"genesis":{}}', /has no evidence/],
    ['evidence that is no hex', '{"evidence":"0xzz"}', /evidence must be 0x/],
    ['JSON that is cut', '{"evidence":', /does not hold JSON/],
  ])('%s', async (_, content, message) => {
    await expect(verify(content)).rejects.toMatchObject({ name: 'CliError', message: expect.stringMatching(message) });
  });

  test('no genesis', async () => {
    await writeFile(at('evidence'), bytes);
    await expect(verifyEvidenceCommand(at('evidence'), {}, output)).rejects.toMatchObject({
      code: 'USAGE',
      exitCode: 2,
    });
  });

  test('no file', async () => {
    await expect(verifyEvidenceCommand(at('none'), {}, output)).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
  });

  test.each<[string, object]>([
    ['another version', { ...GENESIS, version: 2 }],
    ['a short service id', { ...GENESIS, serviceId: '0x11' }],
    ['no list of networks', { ...GENESIS, networks: {} }],
    ['an unknown rule', { ...GENESIS, networks: [{ ...GENESIS.networks[0], finality: { rule: 'trust-me' } }] }],
    [
      'a threshold as text',
      {
        ...GENESIS,
        networks: [{ ...GENESIS.networks[0], finality: { ...GENESIS.networks[0]?.finality, threshold: '2' } }],
      },
    ],
  ])('a genesis with %s', async (_, genesis) => {
    await writeFile(at('genesis.json'), JSON.stringify(genesis));
    await expect(verify(bytes)).rejects.toMatchObject({
      message: expect.stringContaining('the genesis file is wrong'),
    });
  });
});
