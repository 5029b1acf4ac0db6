/**
 * A Corda ledger with one vault, in memory: the rules of `drawbridge.corda.contract` that decide which states a transaction consumes
 * and makes, and a notary that lets each be consumed once. It knows what was signed and nothing of the core's balances; from
 * an instruction that it cannot find it makes what a thief of the key would send. Not loaded by the node.
 */
import type { CordaVault } from '@drawbridge/governance/registration';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmAddress, InstructionId, LockId } from '@drawbridge/protocol/ids';
import { firstControl, madeBy, type StateEvent, type VaultControl } from '@drawbridge/protocol/state-event';
import { type StateRef, sortedRefs, stateAfter, stateRef } from '@drawbridge/protocol/state-ref';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { inputsOf } from '../book.ts';
import type { OpenInstruction, SettlementView } from '../view.ts';

type WithoutSeq<E> = E extends VaultEvent ? Omit<E, 'seq'> : never;
type Body = WithoutSeq<VaultEvent>;
type Signed = Pick<SettlementView, 'openInstructions'>;

export class StateLedger {
  readonly #vault: CordaVault;
  readonly #core: Signed;
  tip: StateRef;
  readonly permits: Set<StateRef>;
  /** Cash of the vault by its ref, in minor units. */
  readonly coins: Map<StateRef, bigint> = new Map();
  readonly records: Map<LockId, StateRef> = new Map();
  /** What really happened, in order. */
  readonly notarised: StateEvent[] = [];
  readonly #ends: Map<InstructionId, StateEvent> = new Map();
  #control: VaultControl;
  #transactions = 0;

  constructor(vault: CordaVault, core: Signed) {
    this.#vault = vault;
    this.#core = core;
    this.tip = vault.state;
    this.#control = firstControl(vault.authority);
    this.permits = new Set(vault.permits);
  }

  /** How the vault came to be. */
  creation(): StateEvent {
    const transactionId = this.#vault.state.slice(0, 66) as Bytes32;
    return this.#happened({
      type: 'created',
      transactionId,
      consumed: [stateRef(toBytes32(sha256(utf8ToBytes('seed'))), 0)],
    });
  }

  /** Makes the event happen, or finds it where it did; what cannot happen here is told all the same, as a liar would. */
  tell(body: Body): StateEvent {
    switch (body.type) {
      case 'locked':
        return this.#lock(body);
      case 'executed':
        return this.#pay(body);
      case 'voided':
        return this.#void(body);
      case 'rotated':
      case 'pauseChanged':
        return this.#succeed(body);
      default:
        return this.#succeed({ type: 'guardianProposed' });
    }
  }

  #transaction(): Bytes32 {
    this.#transactions += 1;
    return toBytes32(sha256(utf8ToBytes(`transaction ${this.#vault.network} ${this.#transactions}`)));
  }

  #happened<E extends StateEvent>(event: E): E {
    this.notarised.push(event);
    return event;
  }

  #lock(body: Extract<Body, { type: 'locked' }>): StateEvent {
    const transactionId = this.#transaction();
    const consumed = [stateRef(transactionId, 77)];
    const event: StateEvent = { ...body, transactionId, consumed, vaultState: this.tip };
    // A lock's id follows from what it consumes, so a second one with that id is made up.
    if (this.records.has(body.lockId)) return event;
    this.records.set(body.lockId, madeBy.lockRecord(transactionId, this.#vault.mode));
    if (this.#vault.mode === 'escrow') this.coins.set(madeBy.lockedCoin(transactionId), body.amountMinor);
    return this.#happened(event);
  }

  #signed(id: InstructionId): OpenInstruction | undefined {
    for (const open of this.#core.openInstructions(this.#vault.network, 0)) if (open.id === id) return open;
    return undefined;
  }

  #pay(body: Extract<Body, { type: 'executed' }>): StateEvent {
    const before = this.#ends.get(body.id);
    if (before !== undefined) return before;
    const open = this.#signed(body.id);
    const states = open?.states;
    const isAsSigned =
      open !== undefined &&
      open.kind === body.kind &&
      open.amountMinor === body.amountMinor &&
      open.beneficiary === body.beneficiary &&
      open.subject === body.subject &&
      open.epoch === body.epoch;
    const transactionId = this.#transaction();
    const vaultState = this.tip;
    if (!isAsSigned || states === undefined || !this.#areUnspent(states.permit, states.coins)) {
      const consumed = states ? inputsOf(states) : [...this.permits].slice(0, 1);
      return { ...body, transactionId, consumed, vaultState, changeMinor: 0n };
    }
    const worth = this.#take(states.permit, states.coins);
    this.permits.add(madeBy.permit(transactionId));
    const changeMinor = states.coins.length === 0 ? 0n : worth.reduce((sum, minor) => sum + minor, -open.amountMinor);
    if (changeMinor > 0n) this.coins.set(madeBy.change(transactionId), changeMinor);
    if (states.record !== undefined) this.records.set(open.subject, stateRef(transactionId, 99));
    const event: StateEvent = { ...body, transactionId, consumed: inputsOf(states), vaultState, changeMinor };
    this.#ends.set(body.id, event);
    return this.#happened(event);
  }

  #void(body: Extract<Body, { type: 'voided' }>): StateEvent {
    const before = this.#ends.get(body.subject);
    if (before !== undefined) return before;
    const open = this.#signed(body.id);
    const states = open?.states;
    const isAsSigned = open?.kind === 'void' && open.subject === body.subject && open.epoch === body.epoch;
    const transactionId = this.#transaction();
    const vaultState = this.tip;
    if (!isAsSigned || states === undefined || !this.#areUnspent(states.permit, states.coins)) {
      const consumed = sortedRefs(states ? inputsOf(states) : [...this.permits].slice(0, 1));
      return { ...body, transactionId, consumed, vaultState, coinsMinor: [] };
    }
    const coinsMinor = this.#take(states.permit, states.coins);
    this.permits.add(madeBy.permit(transactionId));
    coinsMinor.forEach((minor, at) => {
      this.coins.set(madeBy.voidedCoin(transactionId, at), minor);
    });
    const event: StateEvent = { ...body, transactionId, consumed: inputsOf(states), vaultState, coinsMinor };
    this.#ends.set(body.subject, event);
    return this.#happened(event);
  }

  #areUnspent(permit: StateRef, coins: readonly StateRef[]): boolean {
    return this.permits.has(permit) && coins.every((ref) => this.coins.has(ref));
  }

  /** @returns what the coins were worth, in the order of their refs */
  #take(permit: StateRef, coins: readonly StateRef[]): bigint[] {
    this.permits.delete(permit);
    return sortedRefs(coins).map((ref) => {
      const worth = this.coins.get(ref) ?? 0n;
      this.coins.delete(ref);
      return worth;
    });
  }

  #succeed(body: Extract<Body, { type: 'rotated' | 'pauseChanged' | 'guardianProposed' | 'guardianCancelled' }>) {
    const transactionId = this.#transaction();
    this.#control = this.#controlAfter(body);
    const event: StateEvent = { ...body, transactionId, consumed: [this.tip], control: this.#control };
    this.tip = madeBy.vault(transactionId);
    return this.#happened(event);
  }

  #controlAfter(body: Body): VaultControl {
    const control = { ...this.#control, guardianNonce: this.#control.guardianNonce + 1n };
    if (body.type === 'pauseChanged') return { ...control, pausedByGuardian: body.paused };
    if (body.type !== 'rotated') return control;
    return { ...control, authority: `0x${body.authority.slice(26)}` as EvmAddress, epoch: body.epoch };
  }

  /** Every state of the vault that is unspent, but for records. */
  unspent(): StateRef[] {
    const coins = [...this.coins.keys()].flatMap((ref) => [ref, stateAfter(ref, 1)]);
    return sortedRefs([this.tip, ...this.permits, ...coins]);
  }
}
