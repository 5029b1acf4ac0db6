/** What the networks bring and take: deposits and withdrawals of one bank, with evidence in order, out of order and repeated. */
import type { Command } from '@drawbridge/enclave-core/settlement/command';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { ALPHA, addressOf, BETA, EUR, word } from '@drawbridge/enclave-core/settlement/testing/world';
import type { OpenInstruction } from '@drawbridge/enclave-core/settlement/view';
import type { NetworkId, TransferId } from '@drawbridge/protocol/ids';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { NETWORK_BANK } from './ledger-genesis.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const ONE_HOUR_MS = 3_600_000;
const DEPOSITOR = addressOf('treasury of the simulated bank');

export class VaultTraffic {
  readonly #world: World;
  readonly #random: Random;
  #transfers = 0;
  #ended = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('vault traffic');
  }

  begin(): void {
    const { clock, scenario } = this.#world;
    clock.after(this.#random.exponential(4 * scenario.thinkUs), 'vaults', () => {
      if (this.#ended) return;
      this.#act();
      this.begin();
    });
  }

  end(): void {
    this.#ended = true;
  }

  #act(): void {
    const { tally } = this.#world;
    const node = this.#world.leader()?.process;
    if (!node?.state) return;
    const command = this.#command(node.state);
    node.submit(command).then(
      ({ outcome }) => tally.count(outcome.ok ? `vaults ${command.type}` : `vaults refused ${outcome.code}`),
      () => tally.count('vaults without answer'),
    );
  }

  #command(state: SettlementState): Command {
    const live = [...state.liveTransfersOf(NETWORK_BANK)].filter((transfer) => transfer.state === 'AWAITING_FUNDS');
    const open = [...state.openInstructions(BETA, 0)];
    switch (this.#random.below(6)) {
      case 0:
        return this.#deposit(state);
      case 1:
        return this.#withdrawal(state);
      case 2:
      case 3: {
        if (live.length === 0) return this.#deposit(state);
        const { reference, terms } = this.#random.pick(live);
        const lockId = word(`lock ${terms.id}`);
        const { amountMinor } = terms;
        return this.#event(state, ALPHA, {
          type: 'locked',
          lockId,
          reference: reference ?? word('no reference'),
          depositor: this.#random.chance(0.9) ? DEPOSITOR : addressOf('somebody else'),
          amountMinor,
        });
      }
      default:
        return open.length === 0 ? this.#withdrawal(state) : this.#executed(state, this.#random.pick(open));
    }
  }

  #id(): TransferId {
    this.#transfers += 1;
    return `00000000-0000-4000-9000-${this.#transfers.toString(16).padStart(12, '0')}` as TransferId;
  }

  #deposit({ stampMs }: SettlementState): Command {
    const terms = {
      id: this.#id(),
      asset: EUR,
      amountMinor: BigInt(this.#random.between(1, 300)),
      debtor: NETWORK_BANK,
      creditor: NETWORK_BANK,
      onVoid: 'return' as const,
      source: { network: ALPHA, depositor: DEPOSITOR },
      fundByMs: stampMs + this.#random.pick([2_000, 10_000, ONE_HOUR_MS]),
    };
    return { type: 'submitTransfer', terms };
  }

  #withdrawal({ stampMs }: SettlementState): Command {
    const terms = {
      id: this.#id(),
      asset: EUR,
      amountMinor: BigInt(this.#random.between(1, 300)),
      debtor: NETWORK_BANK,
      creditor: NETWORK_BANK,
      onVoid: 'return' as const,
      destination: { network: BETA, beneficiary: addressOf('customer') },
      deliverByMs: stampMs + this.#random.pick([2_000, 10_000, ONE_HOUR_MS]),
    };
    return { type: 'submitTransfer', terms };
  }

  #executed(state: SettlementState, instruction: OpenInstruction): Command {
    const { id, subject, kind, beneficiary, amountMinor, epoch, network } = instruction;
    if (kind === 'release' || kind === 'issue' || kind === 'refund') {
      return this.#event(state, network, {
        type: 'executed',
        id,
        subject,
        kind,
        beneficiary,
        amountMinor,
        epoch,
        trail: '0x',
      });
    }
    return this.#event(state, network, { type: 'voided', id, subject, epoch, trail: '0x' });
  }

  /** Mostly with the counter that is next. */
  #event(state: SettlementState, network: NetworkId, event: WithoutSeq<VaultEvent>): Command {
    const next = state.vaultLedger(network, EUR)?.nextEventSeq ?? 1;
    const seq = this.#random.chance(0.9) ? next : Math.max(1, next + this.#random.between(-2, 2));
    return {
      type: 'vaultEvent',
      network,
      asset: EUR,
      event: { ...event, seq } as VaultEvent,
      blockNumber: 10 + seq,
      blockHash: word(`block ${network} ${seq}`),
      evidenceDigest: word(`evidence ${network} ${seq}`),
      trustVersion: state.network(network)?.trustVersion ?? 1,
    };
  }
}

type WithoutSeq<E> = E extends VaultEvent ? Omit<E, 'seq'> : never;
