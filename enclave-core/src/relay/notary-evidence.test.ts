import { generateKeyPairSync } from 'node:crypto';
import { vaultStateOf } from '@drawbridge/evidence/corda-vault-states';
import { keysOf, NOTARY_NAME, recording } from '@drawbridge/evidence/testing/corda-recordings';
import { NETWORK, recordedEvidence } from '@drawbridge/evidence/testing/corda-transactions';
import { COMMANDED, ESCROW, ISSUE, VAULT_FINGERPRINTS, vaultFacts } from '@drawbridge/evidence/testing/corda-vault';
import { genesisRegistry } from '@drawbridge/governance/genesis';
import type { CordaNetwork, CordaVault, Network } from '@drawbridge/governance/registration';
import { encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { type AssetCode, vaultKey } from '@drawbridge/protocol/ids';
import { decodeInstructionJob } from '@drawbridge/protocol/instruction-job';
import { inputsHash, type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { describe, expect, test } from '@jest/globals';
import type { Committed, EvidenceResult } from '../core-service.ts';
import { inputsOf, newBook } from '../settlement/book.ts';
import type { Command } from '../settlement/command.ts';
import { Draft } from '../settlement/draft.ts';
import { DEFAULT_LIMITS } from '../settlement/limits.ts';
import { newVaultRow, SettlementState } from '../settlement/state.ts';
import { onCorda } from '../settlement/testing/corda-world.ts';
import { ALPHA, BANK_A, EUR, GAMMA, GENESIS, SECRETS, START_MS, World, word } from '../settlement/testing/world.ts';
import { CoreRelay } from './core-relay.ts';
import { checkNotarised } from './notary-evidence.ts';
import { sealBody } from './sealed-body.ts';
import { signInstruction } from './signed-instruction.ts';

const sealing = generateKeyPairSync('rsa', { modulusLength: 2048 });
const sealingKey = sealing.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const [connector] = GENESIS.networks[0]?.connectors ?? [];
if (connector === undefined) throw new Error('a network has a connector');

const network: CordaNetwork = {
  id: NETWORK,
  kind: 'corda',
  genesisHash: ESCROW.root.genesisHash,
  finality: {
    rule: 'corda-notary',
    notary: { name: NOTARY_NAME, key: keysOf(recording('corda-classes/vault/lock')).notary, validating: false },
    fingerprints: VAULT_FINGERPRINTS,
  },
  connectors: [connector],
  state: 'active',
  trustVersion: 7,
};
type Made = typeof ESCROW;
const vaultOf = ({ registered }: Made, asset: string): CordaVault => ({
  ...registered,
  network: NETWORK,
  asset: asset as AssetCode,
  epoch: 1,
});

/** A core with the recorded vaults, and its relay. The vaults' authority keys are not its own. */
class Bench {
  readonly state: SettlementState;
  readonly relay: CoreRelay;
  #jobs = 0;

  /** @param proven whether the creations of the vaults were shown */
  constructor(vaults: readonly CordaVault[], proven = true) {
    const registry = genesisRegistry({ ...GENESIS, networks: [network], vaults, exposureCaps: [] });
    const secrets = { ...SECRETS, sealingKey };
    const header = { stampMs: START_MS, nextOrder: 1, registry };
    this.state = new SettlementState({ serviceId: ESCROW.root.serviceId, secrets, limits: DEFAULT_LIMITS, header });
    for (const vault of vaults) {
      const key = vaultKey(NETWORK, vault.asset);
      this.state.vaults.set(key, newVaultRow(vault));
      this.state.books.set(key, { ...newBook(vault), proven });
    }
    this.relay = new CoreRelay({ view: this.state, submit: async (commands) => this.#submit(commands) }, async () => 0);
  }

  #submit(commands: readonly Command[]): Committed[] {
    const draft = new Draft(this.state);
    const entry = { version: 1, stampMs: START_MS, clockProtected: false, commands };
    const { outcomes } = draft.apply(entry);
    draft.commit();
    return outcomes.map((outcome) => ({ outcome, transactionId: '2.1' }));
  }

  async offer(name: string): Promise<EvidenceResult | undefined> {
    const jobId = `job-${++this.#jobs}`;
    const about = { purpose: 'evidence', network: NETWORK, jobId } as const;
    const sealed = Buffer.from(sealBody(sealing.publicKey, about, bytesOf(name))).toString('base64');
    const [result] = await this.relay.acceptEvidence(NETWORK, [{ jobId, sealed }]);
    return result;
  }

  halted(asset = EUR): boolean | undefined {
    return this.state.vaultLedger(NETWORK, asset)?.halted;
  }
}

const bytesOf = (name: string): Uint8Array =>
  encodeCordaEvidence(recordedEvidence(recording(`corda-classes/vault/${name}`)));
const GBP = 'GBP' as AssetCode;
const SEK = 'SEK' as AssetCode;
const USD = 'USD' as AssetCode;
const accepted = expect.objectContaining({ result: 'accepted' });
const early = (code: string) => expect.objectContaining({ result: 'early', code });

describe('a recorded transaction of a vault', () => {
  test('that locks is booked, once', async () => {
    const bench = new Bench([vaultOf(ESCROW, 'EUR')]);
    expect(await bench.offer('lock')).toEqual(accepted);
    expect([...bench.state.coins(NETWORK, EUR)]).toMatchObject([{ amountMinor: 700n }]);
    expect([...bench.state.lockRecords(NETWORK, EUR)]).toHaveLength(1);
    expect(bench.state.vaultLedger(NETWORK, EUR)).toMatchObject({ vaultMinor: -700n, suspenseMinor: 700n });
    expect(await bench.offer('lock')).toMatchObject({ result: 'duplicate', code: 'EVENT_SEEN' });
    // Without proposing it again.
    expect(checkNotarised(bench.state, network, bytesOf('lock'))).toMatchObject({ ok: false, code: 'EVENT_SEEN' });
    expect(await bench.offer('lock-whole')).toEqual(accepted);
  });

  test('is that of the vault whose states it names, among several', async () => {
    const bench = new Bench([vaultOf(COMMANDED, 'USD'), vaultOf(ISSUE, 'SEK'), vaultOf(ESCROW, 'EUR')]);
    expect(await bench.offer('lock')).toEqual(accepted);
    expect(await bench.offer('guard-pause')).not.toEqual(accepted);
    expect([bench.state.vaultLedger(NETWORK, USD)?.nextEventSeq, bench.halted(SEK)]).toEqual([1, false]);
  });

  test('that the core has not signed halts the lane, since it consumes what is the vault', async () => {
    const bench = new Bench([vaultOf(ESCROW, 'EUR')]);
    await bench.offer('lock');
    expect(await bench.offer('release')).toEqual(early('LANE_HALTED'));
    expect(bench.halted()).toBe(true);
    const commanded = new Bench([vaultOf(COMMANDED, 'EUR')]);
    expect(await commanded.offer('pause')).toEqual(early('LANE_HALTED'));
    expect(commanded.state.vaultLedger(NETWORK, EUR)).toMatchObject({ halted: true, paused: false });
  });

  test('that names no state which is known has to wait', async () => {
    const bench = new Bench([vaultOf(COMMANDED, 'EUR')]);
    expect(await bench.offer('unpause')).toEqual(early('EVENT_EARLY'));
    expect(await bench.offer('lock')).toEqual(early('EVENT_EARLY'));
    expect(bench.halted()).toBe(false);
  });

  test('that pays under a vault state to come has to wait, and halts nothing', async () => {
    const bench = new Bench([vaultOf(ESCROW, 'EUR')]);
    await bench.offer('lock');
    const key = vaultKey(NETWORK, EUR);
    const book = bench.state.books.get(key);
    if (book) bench.state.books.set(key, { ...book, tip: stateRef(word('before'), 0) });
    expect(await bench.offer('release')).toEqual(early('EVENT_EARLY'));
    expect(bench.halted()).toBe(false);
  });

  test('by guardians who signed is booked; a vault that shows others halts the lane', async () => {
    const afterRotation = (vault: CordaVault): Bench => {
      const bench = new Bench([vault]);
      const key = vaultKey(NETWORK, GBP);
      const book = bench.state.books.get(key);
      const { transactionId, outputs } = vaultFacts('rotate');
      const { control } = vaultStateOf(outputs[0]?.data ?? ({} as never));
      if (book) bench.state.books.set(key, { ...book, tip: stateRef(transactionId, 0), control });
      return bench;
    };
    const registered = vaultOf(COMMANDED, 'GBP');
    const bench = afterRotation(registered);
    expect(await bench.offer('guard-pause')).toEqual(accepted);
    expect(bench.state.vaultLedger(NETWORK, GBP)).toMatchObject({ paused: true, halted: false });
    const guardians = { ...registered.guardians, threshold: 3 };
    expect(await afterRotation({ ...registered, guardians }).offer('guard-pause')).toEqual(early('LANE_HALTED'));
  });

  test('is none of a network that is believed otherwise, nor of one without vault', () => {
    const world = new World();
    const alpha = world.state.network(ALPHA) as Network;
    expect(checkNotarised(world.state, alpha, bytesOf('lock'))).toMatchObject({ code: 'RULE_MISMATCH' });
    expect(checkNotarised(new Bench([]).state, network, bytesOf('lock'))).toMatchObject({ code: 'VAULT_UNKNOWN' });
  });

  test('counts under the pinned notary and constraint alone', async () => {
    const vault = vaultOf(ESCROW, 'EUR');
    const other = new Bench([{ ...vault, constraint: { kind: 'hash', attachment: word('another jar') } }]);
    expect(await other.offer('lock')).toMatchObject({ result: 'refused', code: 'CONSTRAINT_MISMATCH' });
    const notary = { ...network.finality.notary, key: vault.party };
    const stranger = { ...network, finality: { ...network.finality, notary } };
    const bench = new Bench([vault]);
    expect(checkNotarised(bench.state, stranger, bytesOf('lock'))).toMatchObject({ code: 'TRUST_ROOT_UNUSABLE' });
  });

  test('carries the digest of the transaction and the trust version', () => {
    const bench = new Bench([vaultOf(ESCROW, 'EUR')]);
    const checked = checkNotarised(bench.state, network, bytesOf('lock'));
    expect(checked).toMatchObject({ ok: true, value: { type: 'stateEvent', asset: 'EUR', trustVersion: 7 } });
    const again = checkNotarised(bench.state, network, bytesOf('lock'));
    expect(again).toEqual(checked);
  });
});

describe('the creation of a recorded vault', () => {
  const registered = vaultOf(ESCROW, 'GBP');

  test('is booked before all else, once', async () => {
    const bench = new Bench([registered], false);
    expect(await bench.offer('lock')).toEqual(early('EVENT_EARLY'));
    expect(bench.relay.states(NETWORK, GBP, undefined, 9)).toMatchObject({ proven: false });
    expect(await bench.offer('create')).toEqual(accepted);
    expect(bench.relay.states(NETWORK, GBP, undefined, 9)).toMatchObject({ proven: true });
    expect(await bench.offer('lock')).toEqual(accepted);
    expect(await bench.offer('create')).toMatchObject({ result: 'duplicate', code: 'EVENT_SEEN' });
  });

  test('is that of the vault which it made, among several', async () => {
    const bench = new Bench([vaultOf(ISSUE, 'SEK'), registered], false);
    expect(await bench.offer('create-command')).toEqual(early('EVENT_EARLY'));
    expect(await bench.offer('create')).toEqual(accepted);
    expect([bench.state.book(NETWORK, SEK)?.proven, bench.state.book(NETWORK, GBP)?.proven]).toEqual([false, true]);
  });

  test.each<readonly [string, string, Partial<CordaVault>]>([
    ['another authority', 'CONTROL_MISMATCH', { authority: `0x${'ee'.repeat(20)}` as CordaVault['authority'] }],
    ['another asset', 'TERMS_MISMATCH', { asset: EUR }],
    ['another cap', 'TERMS_MISMATCH', { permitCapMinor: 5n }],
    ['fewer guardians', 'TERMS_MISMATCH', { guardians: { ...registered.guardians, threshold: 1 } }],
    ['another id', 'VAULT_MISMATCH', { vaultId: word('another') }],
  ])('that does not fit %s is refused, and the vault stays shut', async (_, code, change) => {
    const vault = { ...registered, ...change };
    const bench = new Bench([vault], false);
    expect(await bench.offer('create')).toMatchObject({ result: 'refused', code });
    expect(await bench.offer('lock')).toEqual(early('EVENT_EARLY'));
    expect(bench.state.book(NETWORK, vault.asset)?.proven).toBe(false);
  });
});

test('the states of a vault are read page by page, in the order of their refs', () => {
  const world = new World({}, onCorda(GENESIS));
  for (let n = 0; n < 5; n++) world.deposit(BANK_A, 100n);
  world.run(world.event(ALPHA, world.lock(world.terms(), { reference: word('nobody') })));
  const relay = new CoreRelay({ view: world.state, submit: async () => [] }, async () => 0);
  const all = relay.states(ALPHA, EUR, undefined, 100);
  expect(all?.states.map(({ kind }) => kind).toSorted()).toEqual([...Array(6).fill('coin'), 'record']);
  expect(all).toMatchObject({ vaultState: world.state.book(ALPHA, EUR)?.tip });
  expect(all?.permits).toHaveLength(3);
  const read: unknown[] = [];
  for (let after: StateRef | undefined, more = true; more; ) {
    const page = relay.states(ALPHA, EUR, after, 3);
    read.push(...(page?.states ?? []));
    after = page?.next;
    more = after !== undefined;
  }
  expect(read).toEqual(all?.states);
  expect(read).toEqual([...(all?.states ?? [])].sort((a, b) => (a.ref < b.ref ? -1 : 1)));
  expect(relay.states(GAMMA, EUR, undefined, 3)).toBeUndefined();
});

test('an instruction for a Corda vault names its states and is signed over their hash', () => {
  const world = new World({}, onCorda(GENESIS));
  world.deposit(BANK_A, 500n);
  const destination = { network: ALPHA, beneficiary: word('customer') };
  world.submit(world.terms({ destination, deliverByMs: world.nowMs + 1_000 }));
  const open = world.open(ALPHA, 'release');
  const vault = world.state.vaultLedger(ALPHA, EUR)?.vault;
  const alpha = world.state.network(ALPHA);
  const authority = SECRETS.authorities['alpha/EUR'];
  if (!vault || !alpha || authority === undefined || !open.states) throw new Error('alpha is on Corda');
  const context = { serviceId: GENESIS.serviceId, network: alpha, vault, trailKey: SECRETS.trailKey, authority };
  const job = decodeInstructionJob(signInstruction(open, context));
  const states: readonly StateRef[] = inputsOf(open.states);
  expect(job.states).toEqual(states);
  expect(states).toHaveLength(3);
  expect(job.instruction.inputs).toBe(inputsHash(states));
  expect('vaultId' in vault && job.vault === vault.vaultId).toBe(true);
});
