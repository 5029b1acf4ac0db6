/**
 * A small service for tests: three banks, an auditor, an operator, three networks of which two escrow EUR and one issues
 * it, and a driver that plays vaults which keep their counters. Not loaded by the node.
 */
import type { Action } from '@drawbridge/governance/action';
import { amendmentBytes } from '@drawbridge/governance/amendment';
import { type Genesis, newNetwork } from '@drawbridge/governance/genesis';
import { isCordaVault, type Participant } from '@drawbridge/governance/registration';
import { type Bytes32, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type EvmAddress,
  type NetworkId,
  type ParticipantId,
  type TransferId,
  vaultKey,
} from '@drawbridge/protocol/ids';
import type { StateEvent } from '@drawbridge/protocol/state-event';
import type { ExecutedEvent, VaultEvent } from '@drawbridge/protocol/vault-event';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Applied } from '../apply.ts';
import type { Command, Entry, Outcome, TransferTerms } from '../command.ts';
import { Draft } from '../draft.ts';
import { initialState } from '../genesis-state.ts';
import { assertAll } from '../invariants.ts';
import { type LedgerFacts, NO_FACTS } from '../ledger-facts.ts';
import type { Limits } from '../limits.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { EntryRecords } from '../record.ts';
import type { SettlementState } from '../state.ts';
import type { OpenInstruction, ServiceSecrets } from '../view.ts';
import { StateLedger } from './state-ledger.ts';

/** 32 bytes that belong to a name. */
export const word = (name: string): Bytes32 => toBytes32(sha256(utf8ToBytes(name)));
/** An address as a word. */
export const addressOf = (name: string): Bytes32 => `0x${'0'.repeat(24)}${word(name).slice(26)}` as Bytes32;
/** The n-th transfer id. */
export const transferId = (n: number): TransferId =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as TransferId;

export const EUR = 'EUR' as AssetCode;
export const USD = 'USD' as AssetCode;
/** Escrows EUR. */
export const ALPHA = 'alpha' as NetworkId;
/** Issues EUR. */
export const BETA = 'beta' as NetworkId;
/** Escrows EUR too. */
export const GAMMA = 'gamma' as NetworkId;
/** LEIs with right check digits. */
export const BANK_A = '529900T8BM49AURSDO55' as ParticipantId;
export const BANK_B = '7LTWFZYICNSX8D621K86' as ParticipantId;
export const BANK_C = 'R0MUWSFPU8MPRO8K5P83' as ParticipantId;
export const OPERATOR = 'ops' as ParticipantId;
export const AUDITOR = 'auditor' as ParticipantId;

/** Unix ms at which the service starts. */
export const START_MS = 1_800_000_000_000;
export const ONE_HOUR_MS = 3_600_000;

const bank = (id: ParticipantId): Participant => ({
  id,
  role: 'bank',
  name: `Bank ${id.slice(0, 4)}`,
  lei: id,
  certificates: [word(`certificate of ${id}`)],
});
const ed25519Secret = (name: string): Uint8Array => sha256(utf8ToBytes(name));
const ed25519Key = (name: string): Bytes32 => toBytes32(ed25519.getPublicKey(ed25519Secret(name)));

const authoritySecret = (vault: string): Bytes32 => word(`authority of ${vault}`);
export function authorityAddress(vault: string): EvmAddress {
  const point = secp256k1.getPublicKey(sha256(utf8ToBytes(`authority of ${vault}`)), false).subarray(1);
  return toHex(keccak_256(point).subarray(12)) as EvmAddress;
}
export const vaultAddress = (vault: string): EvmAddress => `0x${word(`vault ${vault}`).slice(26)}` as EvmAddress;

export const SECRETS: ServiceSecrets = {
  idKey: word('id key'),
  referenceKey: word('reference key'),
  trailKey: word('trail key'),
  relayKey: word('relay key'),
  sealingKey: 'sealing key',
  serviceKey: 'service key',
  authorities: Object.fromEntries(
    ['alpha/EUR', 'beta/EUR', 'gamma/EUR', 'alpha/USD'].map((vault) => [vault, authoritySecret(vault)]),
  ),
};

const SEALING_KEY = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
const OBSERVERS = ['observer-1', 'observer-2', 'observer-3'] as ParticipantId[];
const BOOTSTRAP_SIGNERS = ['bootstrap 1', 'bootstrap 2', 'bootstrap 3'];

const network = (id: NetworkId, chainId: number): Genesis['networks'][number] =>
  newNetwork({
    id,
    kind: 'evm',
    chainId,
    genesisHash: word(`genesis of ${id}`),
    finality: { rule: 'observers', observers: OBSERVERS, threshold: 2, depthBlocks: 3 },
    connectors: ['connector' as ParticipantId],
  });

const vault = (networkId: NetworkId, mode: 'escrow' | 'issue'): Genesis['vaults'][number] => ({
  network: networkId,
  asset: EUR,
  mode,
  address: vaultAddress(`${networkId}/EUR`),
  authority: authorityAddress(`${networkId}/EUR`),
  epoch: 1,
  fromBlock: 1,
});

export const GENESIS: Genesis = {
  version: 1,
  serviceId: word('service'),
  bootstrap: { keys: BOOTSTRAP_SIGNERS.map(ed25519Key), threshold: 2 },
  assets: [
    { code: EUR, scale: 2 },
    { code: USD, scale: 2 },
  ],
  participants: [
    bank(BANK_A),
    bank(BANK_B),
    bank(BANK_C),
    { id: AUDITOR, role: 'auditor', name: 'Auditor', certificates: [word('auditor')], supervises: [BANK_A] },
    { id: OPERATOR, role: 'operator', name: 'Operator', certificates: [word('operator')] },
    {
      id: 'connector' as ParticipantId,
      role: 'connector',
      name: 'Connector',
      certificates: [word('connector')],
      sealingKey: SEALING_KEY,
    },
    ...OBSERVERS.map(
      (id): Participant => ({
        id,
        role: 'observer',
        name: id,
        certificates: [],
        attestationKey: ed25519Key(id),
      }),
    ),
  ],
  networks: [network(ALPHA, 31_337), network(BETA, 31_338), network(GAMMA, 31_339)],
  vaults: [vault(ALPHA, 'escrow'), vault(BETA, 'issue'), vault(GAMMA, 'escrow')],
  exposureCaps: [
    { network: ALPHA, asset: EUR, amountMinor: 1_000_000n },
    { network: BETA, asset: EUR, amountMinor: 1_000_000n },
    { network: GAMMA, asset: EUR, amountMinor: 1_000_000n },
  ],
};

/** An amendment signed by the first `signers` bootstrap keys. */
export function signedAmendment(number: number, actions: readonly Action[], signers = 2): Command {
  const bytes = amendmentBytes({ serviceId: GENESIS.serviceId, number, actions });
  const signatures = BOOTSTRAP_SIGNERS.slice(0, signers).map((name) => ({
    key: ed25519Key(name),
    signature: toHex(ed25519.sign(bytes, ed25519Secret(name))),
  }));
  return { type: 'amendment', number, actions, signatures };
}

/** A core and its vaults' counters; each command is an entry and a draft of its own. */
export class World {
  readonly state: SettlementState;
  nowMs: number = START_MS;
  /** What the ledger says besides. */
  facts: LedgerFacts = NO_FACTS;
  /** The entries so far, the outcome of the first command of each, and what each left behind. */
  readonly entries: Entry[] = [];
  readonly outcomes: (Outcome | undefined)[] = [];
  readonly records: EntryRecords[] = [];
  /** Of the networks that are Corda's. */
  readonly ledgers: ReadonlyMap<NetworkId, StateLedger>;
  #transfers = 0;
  #locks = 0;

  constructor(limits: Partial<Limits> = {}, genesis: Genesis = GENESIS) {
    this.state = initialState(genesis, SECRETS, START_MS, { ...DEFAULT_LIMITS, ...limits });
    const vaults = genesis.vaults.filter((vault) => isCordaVault(vault));
    this.ledgers = new Map(vaults.map((vault) => [vault.network, new StateLedger(vault, this.state)]));
    for (const [networkId, ledger] of this.ledgers) this.run(this.#stateEvent(networkId, ledger.creation()));
  }

  apply(...commands: Command[]): Applied {
    const draft = new Draft(this.state);
    const entry: Entry = { version: 1, stampMs: this.nowMs, clockProtected: false, commands };
    const applied = draft.apply(entry, this.facts);
    draft.commit();
    assertAll(this.state);
    this.entries.push(entry);
    this.outcomes.push(applied.outcomes[0]);
    this.records.push(applied.records);
    return applied;
  }

  run(command: Command): Outcome {
    const [outcome] = this.apply(command).outcomes;
    if (outcome === undefined) throw new Error('a command has one outcome');
    return outcome;
  }

  /** Terms of a new transfer of 100 from A to B; with both edges unless said otherwise. */
  terms(change: Partial<TransferTerms> = {}): TransferTerms {
    this.#transfers += 1;
    return {
      id: transferId(this.#transfers),
      asset: EUR,
      amountMinor: 100n,
      debtor: BANK_A,
      creditor: BANK_B,
      onVoid: 'return',
      ...change,
    };
  }

  fromAlpha(change: Partial<TransferTerms> = {}): TransferTerms {
    const source = { network: ALPHA, depositor: this.party(ALPHA, 'treasury of A') };
    return this.terms({ source, fundByMs: this.nowMs + ONE_HOUR_MS, ...change });
  }
  toBeta(change: Partial<TransferTerms> = {}): TransferTerms {
    const destination = { network: BETA, beneficiary: this.party(BETA, 'customer of B') };
    return this.terms({ destination, deliverByMs: this.nowMs + 2 * ONE_HOUR_MS, ...change });
  }
  across(change: Partial<TransferTerms> = {}): TransferTerms {
    const { destination, deliverByMs } = this.toBeta();
    return this.fromAlpha({ ...(destination && { destination }), ...(deliverByMs && { deliverByMs }), ...change });
  }

  submit(terms: TransferTerms): Outcome {
    return this.run({ type: 'submitTransfer', terms });
  }

  /** How a party of the network is named. */
  party(networkId: NetworkId, name: string): Bytes32 {
    return this.state.network(networkId)?.kind === 'corda' ? word(name) : addressOf(name);
  }

  /** Evidence of an event: with the counter that is next, or by what the vault's ledger makes of it. */
  event(
    networkId: NetworkId,
    event: EventBody,
    change: Partial<Extract<Command, { type: 'vaultEvent' }>> = {},
  ): Command {
    const ledger = this.ledgers.get(networkId);
    if (ledger !== undefined) return this.#stateEvent(networkId, ledger.tell(event), change.trustVersion);
    const seq = this.state.vaultLedger(networkId, EUR)?.nextEventSeq ?? 1;
    return {
      type: 'vaultEvent',
      network: networkId,
      asset: EUR,
      event: { ...event, seq } as VaultEvent,
      blockNumber: 10 + seq,
      blockHash: word(`block ${networkId} ${seq}`),
      evidenceDigest: word(`evidence ${networkId} ${seq}`),
      trustVersion: this.state.network(networkId)?.trustVersion ?? 1,
      ...change,
    };
  }

  #stateEvent(networkId: NetworkId, event: StateEvent, trustVersion?: number): Command {
    return {
      type: 'stateEvent',
      network: networkId,
      asset: EUR,
      event,
      evidenceDigest: word(`evidence ${event.transactionId}`),
      trustVersion: trustVersion ?? this.state.network(networkId)?.trustVersion ?? 1,
    };
  }

  /** What the Corda ledgers have notarised and the core has not applied, as evidence, oldest first. */
  owed(): Command[] {
    return [...this.ledgers].flatMap(([networkId, ledger]) =>
      ledger.notarised
        .filter(({ transactionId }) => !this.state.isApplied(networkId, EUR, transactionId))
        .map((event) => this.#stateEvent(networkId, event)),
    );
  }

  /** A lock as the terms ask for it. */
  lock(terms: TransferTerms, change: Partial<LockBody> = {}): LockBody {
    this.#locks += 1;
    const reference = this.state.liveTransfer(terms.debtor, terms.id)?.reference ?? word('no reference');
    return {
      type: 'locked',
      lockId: word(`lock ${this.#locks}`),
      reference,
      depositor: terms.source?.depositor ?? addressOf('nobody'),
      amountMinor: terms.amountMinor,
      ...change,
    };
  }

  /** Submits and funds a transfer from network alpha; throws unless both are taken. */
  fund(terms: TransferTerms): void {
    for (const outcome of [
      this.submit(terms),
      this.run(this.event(terms.source?.network ?? ALPHA, this.lock(terms))),
    ]) {
      if (!outcome.ok) throw new Error(`not funded: ${outcome.code}`);
    }
  }

  /** Gives a bank money by a deposit at alpha that stays in the core. */
  deposit(bank: ParticipantId, amountMinor: bigint): void {
    this.fund(this.fromAlpha({ debtor: bank, creditor: bank, amountMinor }));
  }

  open(networkId: NetworkId, kind: OpenInstruction['kind']): OpenInstruction {
    const found = [...this.state.openInstructions(networkId, 0)].find((instruction) => instruction.kind === kind);
    if (found === undefined) throw new Error(`no open ${kind}`);
    return found;
  }

  executed(instruction: OpenInstruction): ExecutedBody {
    const { id, subject, kind, beneficiary, amountMinor, epoch } = instruction;
    if (kind !== 'release' && kind !== 'issue' && kind !== 'refund') throw new Error(`a ${kind} is not executed`);
    return { type: 'executed', id, subject, kind, beneficiary, amountMinor, epoch, trail: '0x' };
  }
  voided(instruction: OpenInstruction): EventBody {
    const { id, subject, epoch } = instruction;
    return { type: 'voided', id, subject, epoch, trail: '0x' };
  }

  available(bank: ParticipantId): bigint {
    const account = this.state.account(bank, EUR);
    return account ? account.postedMinor - account.pendingMinor : 0n;
  }

  stateOf(terms: TransferTerms): string {
    const live = this.state.liveTransfer(terms.debtor, terms.id);
    if (live) return live.state;
    const versions = this.records.flatMap(({ transfers }) => transfers).filter((t) => t.terms.id === terms.id);
    return versions.at(-1)?.state ?? 'none';
  }
  reasonOf(terms: TransferTerms): string | undefined {
    const versions = this.records.flatMap(({ transfers }) => transfers).filter((t) => t.terms.id === terms.id);
    return versions.at(-1)?.reason;
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }
}

type WithoutSeq<E> = E extends VaultEvent ? Omit<E, 'seq'> : never;
export type EventBody = WithoutSeq<VaultEvent>;
type LockBody = Extract<EventBody, { type: 'locked' }>;
type ExecutedBody = Omit<ExecutedEvent, 'seq'>;

export const ALPHA_EUR: ReturnType<typeof vaultKey> = vaultKey(ALPHA, EUR);
export const GAMMA_EUR: ReturnType<typeof vaultKey> = vaultKey(GAMMA, EUR);
export const BETA_EUR: ReturnType<typeof vaultKey> = vaultKey(BETA, EUR);
