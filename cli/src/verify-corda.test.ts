/** Recorded transactions of vaults, judged by the command from a genesis alone. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keysOf, recording } from '@drawbridge/evidence/testing/corda-recordings';
import { NETWORK, recordedEvidence } from '@drawbridge/evidence/testing/corda-transactions';
import { COMMANDED, ESCROW, ISSUE, registeredNetwork } from '@drawbridge/evidence/testing/corda-vault';
import { toHex } from '@drawbridge/protocol/bytes32';
import { encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyEvidenceCommand } from './verify-evidence.ts';

const recorded = (name: string) => recording(`corda-classes/vault/${name}`);
const bytesOf = (name: string): Uint8Array => encodeCordaEvidence(recordedEvidence(recorded(name)));
const network = registeredNetwork(keysOf(recorded('lock')).notary, ESCROW.root.genesisHash);

const vaultOf = ({ registered }: typeof ESCROW, asset: string): object => ({
  ...registered,
  network: NETWORK,
  asset,
  permitCapMinor: registered.permitCapMinor.toString(),
});
const genesisOf = (...vaults: readonly object[]): object => ({
  version: 1,
  serviceId: ESCROW.root.serviceId,
  assets: [{ code: 'GBP', scale: 2 }],
  participants: [],
  networks: [{ ...network, kind: 'corda', finality: { rule: 'corda-notary', ...network.finality }, connectors: [] }],
  vaults,
});

let dir: string;
let printed: string;
const output = {
  out: (text: string) => {
    printed += text;
  },
  err: () => undefined,
};
const at = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  printed = '';
});
afterEach(() => rm(dir, { recursive: true }));

async function verify(name: string, genesis: object, earlier?: readonly string[], bytes = bytesOf(name)) {
  await writeFile(at('genesis.json'), JSON.stringify(genesis));
  await writeFile(at(`${name}.json`), JSON.stringify({ evidence: toHex(bytes) }));
  for (const each of earlier ?? []) await writeFile(at(`${each}.cbor`), bytesOf(each));
  const paths = earlier && { earlier: earlier.map((each) => at(`${each}.cbor`)) };
  const code = await verifyEvidenceCommand(
    at(`${name}.json`),
    { genesis: at('genesis.json'), json: true, ...paths },
    output,
  );
  return { code, verdict: JSON.parse(printed) as Record<string, unknown> };
}
const escrow = genesisOf(vaultOf(ESCROW, 'GBP'));

describe('a notarised transaction', () => {
  test.each([
    ['create', ESCROW, { type: 'created' }],
    ['lock', ESCROW, { type: 'locked', amountMinor: '700' }],
    ['release', ESCROW, { type: 'executed', kind: 'release', amountMinor: '300' }],
    ['refund', ESCROW, { type: 'executed', kind: 'refund' }],
    ['void', ESCROW, { type: 'voided' }],
    ['create-issue', ISSUE, { type: 'created' }],
    ['issue', ISSUE, { type: 'executed', kind: 'issue', amountMinor: '500' }],
    ['burn', ISSUE, { type: 'locked', amountMinor: '350' }],
    ['pause', COMMANDED, { type: 'pauseChanged', paused: true, byGuardian: false }],
  ])('%s is proven by the genesis', async (name, vault, event) => {
    const { code, verdict } = await verify(name, genesisOf(vaultOf(vault, 'GBP')));
    expect(verdict).toMatchObject({ proven: true, network: NETWORK, asset: 'GBP', finalByProof: true, event });
    expect(code).toBe(0);
  });

  test('is of the vault among several that it is of', async () => {
    const all = genesisOf(vaultOf(COMMANDED, 'GBP'), vaultOf(ISSUE, 'GBP'), vaultOf(ESCROW, 'GBP'));
    expect((await verify('lock', all)).verdict).toMatchObject({ proven: true, vault: ESCROW.root.vaultId });
  });

  test('under a later state of the vault needs what changed it, in any order', async () => {
    const genesis = genesisOf(vaultOf(COMMANDED, 'GBP'));
    await expect(verify('guard-pause', genesis)).rejects.toMatchObject({ code: 'EARLIER', exitCode: 2 });
    const earlier = ['rotate', 'pause', 'lock', 'unpause'];
    const { code, verdict } = await verify('guard-pause', genesis, earlier);
    expect([code, verdict]).toEqual([0, expect.objectContaining({ proven: true })]);
    printed = '';
    // A folder may hold whatever else: this one has the genesis, and the evidence that is judged.
    const folder = { genesis: at('genesis.json'), earlier: [dir] };
    expect(await verifyEvidenceCommand(at('guard-pause.json'), folder, output)).toBe(0);
    expect(printed).toMatch(
      /PROVEN[\s\S]*pauseChanged[\s\S]*guardians[\s\S]*Notary, London, GB[\s\S]*runs no contracts/,
    );
  });

  test('says whether the creation that it stands on was shown', async () => {
    expect((await verify('lock', escrow)).verdict).toMatchObject({ creationShown: false });
    printed = '';
    expect((await verify('create', escrow)).verdict).toMatchObject({ creationShown: true });
    printed = '';
    expect((await verify('lock', escrow, ['create', 'release'])).verdict).toMatchObject({ creationShown: true });
    printed = '';
    expect((await verify('lock', escrow, ['create-issue', 'release'])).verdict).toMatchObject({ creationShown: false });
  });

  test('in words', async () => {
    await verify('lock', escrow);
    printed = '';
    expect(await verifyEvidenceCommand(at('lock.json'), { genesis: at('genesis.json') }, output)).toBe(0);
    expect(printed).toMatch(/PROVEN[\s\S]*locked[\s\S]*GBP 7\.00[\s\S]*under[\s\S]*not shown[\s\S]*final by proof/);
  });
});

describe('refused is', () => {
  const changed = (change: object): object => genesisOf({ ...vaultOf(ESCROW, 'GBP'), ...change });
  const STRANGER = `0x${'ab'.repeat(20)}`;

  test.each<readonly [string, string, object, string]>([
    ['a release that another authority should have signed', 'release', { authority: STRANGER }, 'INSTRUCTION_MISMATCH'],
    [
      'a creation by other guardians',
      'create',
      { guardians: { addresses: [STRANGER], threshold: 1, delaySeconds: 9 } },
      'TERMS_MISMATCH',
    ],
    ['a creation under another authority', 'create', { authority: STRANGER }, 'CONTROL_MISMATCH'],
    [
      'a lock under another jar',
      'lock',
      { constraint: { kind: 'hash', attachment: ESCROW.root.vaultId } },
      'CONSTRAINT_MISMATCH',
    ],
  ])('%s', async (_, name, change, code) => {
    expect(await verify(name, changed(change))).toMatchObject({ code: 1, verdict: { proven: false, code } });
  });

  test('what the notary did not sign', async () => {
    const evidence = recordedEvidence(recorded('lock'));
    const signatures = evidence.signatures.map((each) => ({ ...each, signature: each.signature.with(5, 0) }));
    const { code, verdict } = await verify('lock', escrow, undefined, encodeCordaEvidence({ ...evidence, signatures }));
    expect([code, verdict]).toEqual([1, expect.objectContaining({ check: 'signatures', code: 'SIGNATURE_INVALID' })]);
  });

  test('evidence of a network that is not registered', async () => {
    const other = { ...(escrow as { networks: object[] }), networks: [], vaults: [] };
    expect(await verify('lock', other)).toMatchObject({ code: 1, verdict: { code: 'NETWORK_MISMATCH' } });
    printed = '';
    expect(await verify('lock', genesisOf())).toMatchObject({ code: 1, verdict: { code: 'VAULT_UNKNOWN' } });
  });

  test('bytes that are no evidence beyond how they begin', async () => {
    const bytes = Uint8Array.from([...bytesOf('lock'), 0]);
    expect(await verify('lock', escrow, undefined, bytes)).toMatchObject({
      code: 1,
      verdict: { code: 'FORM_INVALID' },
    });
  });
});

test.each([
  ['headers with evidence of a notary', 'lock', { headers: ['x'] }],
  ['earlier evidence that is none', 'lock', { earlier: ['genesis.json'] }],
])('%s cannot be judged', async (_, name, flags) => {
  await verify(name, escrow);
  const paths = Object.fromEntries(Object.entries(flags).map(([flag, [path = '']]) => [flag, [at(path)]]));
  const judged = verifyEvidenceCommand(at(`${name}.json`), { genesis: at('genesis.json'), ...paths }, output);
  await expect(judged).rejects.toMatchObject({ name: 'CliError', exitCode: 2 });
});
