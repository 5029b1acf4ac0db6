/**
 * Clients of the service: they pay and read, on any node, one thing at a time each. A payment that has no certain answer is
 * sent again under its id, elsewhere, until it has one. What they called and were answered goes to the checkers at once.
 */
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { EUR } from '@drawbridge/enclave-core/settlement/testing/world';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { type AccountOperation, accountModel } from './checkers/account-model.ts';
import { Linearizability } from './checkers/linearizability.ts';
import type { Floor } from './checkers/real-time-order.ts';
import { Violation } from './checkers/violation.ts';
import { BANKS, INITIAL_MINOR, NETWORK_BANK } from './ledger-genesis.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { SimProcess, Submitted } from './sim-process.ts';
import type { World } from './world.ts';

const TIMEOUT_US = 2_000_000;
const RETRY_US = 100_000;
/** Of what a client does, the rest is payments. */
const READS = 0.4;

type Payment = Readonly<{
  number: number;
  id: TransferId;
  debtor: ParticipantId;
  creditor: ParticipantId;
  amountMinor: bigint;
  floor: Floor;
}>;

/** What all clients saw, account by account. */
export class ClientHistory {
  readonly #accounts: ReadonlyMap<ParticipantId, Linearizability<bigint, AccountOperation>>;
  #operations = 0;

  constructor() {
    const modelled = BANKS.filter((bank) => bank !== NETWORK_BANK);
    this.#accounts = new Map(
      modelled.map((bank) => [bank, new Linearizability(`account ${bank}`, accountModel(INITIAL_MINOR))]),
    );
  }

  next(): number {
    this.#operations += 1;
    return this.#operations;
  }

  of(account: ParticipantId): Linearizability<bigint, AccountOperation> | undefined {
    return this.#accounts.get(account);
  }

  get answered(): number {
    return [...this.#accounts.values()].reduce((sum, { answered }) => sum + answered, 0);
  }

  /** Accounts whose history could not be decided. */
  get undecided(): number {
    return [...this.#accounts.values()].filter(({ undecided }) => undecided).length;
  }
}

export class Client {
  readonly #world: World;
  readonly #history: ClientHistory;
  readonly #random: Random;
  readonly #name: number;
  #payments = 0;
  #busy = false;
  #ended = false;
  /** Where the leader was last. */
  #hint: number | undefined;

  constructor(name: number, world: World, history: ClientHistory) {
    this.#name = name;
    this.#world = world;
    this.#history = history;
    this.#random = world.random.fork(`client ${name}`);
  }

  /** Something it called has no answer yet. */
  get busy(): boolean {
    return this.#busy;
  }

  begin(): void {
    const { clock, scenario } = this.#world;
    clock.after(this.#random.exponential(scenario.thinkUs), 'client', () => {
      if (this.#ended) return;
      this.#busy = true;
      if (this.#random.chance(READS)) this.#read();
      else this.#pay();
    });
  }

  /** Takes up nothing new. */
  end(): void {
    this.#ended = true;
  }

  #done(): void {
    this.#busy = false;
    this.begin();
  }

  #pay(): void {
    const [debtor, creditor] = this.#random.shuffled(BANKS);
    if (!debtor || !creditor) return;
    this.#payments += 1;
    const name = `${this.#name.toString(16).padStart(4, '0')}${this.#payments.toString(16).padStart(8, '0')}`;
    const payment: Payment = {
      number: this.#history.next(),
      id: `00000000-0000-4000-a000-${name}` as TransferId,
      debtor,
      creditor,
      amountMinor: BigInt(this.#random.between(1, 600)),
      floor: this.#world.order.floor(),
    };
    const { number, amountMinor } = payment;
    this.#history.of(debtor)?.called(number, { type: 'debit', amountMinor });
    this.#history.of(creditor)?.called(number, { type: 'credit', amountMinor });
    this.#attempt(payment, { open: true });
  }

  /** `call.open` until the payment has its answer, from whichever attempt. */
  #attempt(payment: Payment, call: { open: boolean }): void {
    const { clock, tally } = this.#world;
    const again = (delayUs: number): void => {
      clock.after(delayUs, 'client again', () => {
        if (call.open) this.#attempt(payment, call);
      });
    };
    const node = this.#node();
    if (!node) {
      again(RETRY_US);
      return;
    }
    let waiting = true;
    const stopWaiting = clock.after(TIMEOUT_US, 'client timeout', () => {
      if (!waiting || !call.open) return;
      waiting = false;
      tally.count('payment without answer');
      again(0);
    });
    const { id, debtor, creditor, amountMinor } = payment;
    const terms = { id, asset: EUR, amountMinor, debtor, creditor, onVoid: 'return' as const };
    node.submit({ type: 'submitTransfer', terms }).then(
      (submitted) => {
        if (!call.open) return;
        call.open = false;
        stopWaiting();
        this.#hint = node.raftId;
        this.#world.guard(() => this.#paid(payment, submitted));
        this.#done();
      },
      (error: unknown) => {
        if (!waiting || !call.open) return;
        waiting = false;
        stopWaiting();
        this.#refused(error);
        again(this.#random.exponential(RETRY_US));
      },
    );
  }

  #refused(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED';
    this.#world.tally.count(`payment ${code}`);
    this.#hint = error instanceof Error && 'leader' in error ? Number(error.leader) || undefined : undefined;
    if (code === 'UNEXPECTED')
      this.#world.report(new Violation('node-health', `a payment was answered with ${String(error)}`));
  }

  #paid({ number, id, debtor, creditor, floor }: Payment, { index, outcome }: Submitted): void {
    const { ledger, order, tally } = this.#world;
    const isRepeat = outcome.ok ? outcome.repeated === true : outcome.code === 'TRANSFER_ID_SPENT';
    if (!outcome.ok && !isRepeat)
      throw new Violation('acknowledged-kept', `a payment was refused with ${outcome.code}`);
    const transfer = ledger.transfer(debtor, id, index);
    if (!transfer)
      throw new Violation(
        'acknowledged-kept',
        `entry ${index} answered for transfer ${id}, which the ledger does not have`,
      );
    if (isRepeat) tally.count('payment repeated');
    tally.count(`payment ${transfer.state}`);
    this.#world.say(`client ${this.#name} paid ${transfer.state} at ${transfer.takenAt}`);
    order.write(floor, transfer.takenAt);
    for (const account of [debtor, creditor]) this.#history.of(account)?.answeredWith(number, transfer.state);
  }

  #read(): void {
    const account = this.#random.pick(BANKS);
    const node = this.#node();
    if (!node) {
      this.#done();
      return;
    }
    const { clock, order, tally } = this.#world;
    const number = this.#history.next();
    const floor = order.floor();
    this.#history.of(account)?.called(number, { type: 'read' });
    let open = true;
    const giveUp = (): void => {
      if (!open) return;
      open = false;
      tally.count('read without answer');
      this.#history.of(account)?.refused(number);
      this.#done();
    };
    const stopWaiting = clock.after(TIMEOUT_US, 'client timeout', giveUp);
    node
      .read((state) => balanceOf(state, account))
      .then(
        ({ index, value }) => {
          if (!open) return;
          open = false;
          stopWaiting();
          this.#world.guard(() => this.#saw(account, { number, floor, index, value }));
          this.#done();
        },
        () => {
          stopWaiting();
          giveUp();
        },
      );
  }

  #saw(account: ParticipantId, seen: Readonly<{ number: number; floor: Floor; index: number; value: bigint }>): void {
    const { ledger, order, tally } = this.#world;
    const { number, floor, index, value } = seen;
    tally.count('read answered');
    this.#world.say(`client ${this.#name} read ${value} at ${index}`);
    order.read(floor, index);
    const expected = ledger.balance(account, index);
    if (expected !== value) {
      throw new Violation('equal-state', `a read at ${index} saw ${value}, the ledger has ${expected}`);
    }
    this.#history.of(account)?.answeredWith(number, `${value}`);
  }

  /** Mostly the leader, as far as this client knows. */
  #node(): SimProcess | undefined {
    const hinted = this.#hint !== undefined && this.#random.chance(0.8) ? this.#world.machineOf(this.#hint) : undefined;
    const machine: Machine = hinted ?? this.#random.pick(this.#world.machines);
    // A stopped process takes the call and answers later; the call of a client waits in its socket.
    return machine.responsive;
  }
}

const balanceOf = (state: SettlementState, account: ParticipantId): bigint =>
  state.account(account, EUR)?.postedMinor ?? 0n;
