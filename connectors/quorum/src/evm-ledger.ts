/**
 * `LedgerConnector` for an EVM chain. Every look at the vault is at one block: at the head for whether to send, at the
 * block of the required depth for whether it is final, so that a reorganisation before that depth goes unnoticed by
 * nobody. A double send costs the fee of a reverted transaction; the vault's ids let only one take effect.
 */
import {
  type ExecuteOptions,
  type Execution,
  type LedgerConnector,
  LedgerUnavailableError,
  type SpentAs,
  type Standing,
  type VaultDescription,
} from '@drawbridge/connector-sdk/ledger-connector';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, type InstructionId, parseEvmAddress, type VaultAddress } from '@drawbridge/protocol/ids';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import type { BlockNews } from './block-announcements.ts';
import type { EvmNode } from './evm-node.ts';
import type { FlightBook } from './flight-book.ts';
import type { FlightTracker } from './flight-tracker.ts';
import { HeadWatch } from './head-watch.ts';
import type { TransactionSender } from './transaction-sender.ts';
import { DESCRIPTION_CALLS, instructionCall, isSpentAnswer, isSpentCall, vaultDescription } from './vault-call.ts';
import { type VaultRefusal, vaultRefusal } from './vault-refusal.ts';

export type EvmLedgerOptions = Readonly<{
  /** Pays the fees; estimates are made in its name. */
  sender: EvmAddress;
  depthBlocks: number;
  pollMs: number;
  /** In place of `pollMs` while the node announces its blocks. */
  quietPollMs: number;
  /** How long a vault's authority and epoch are believed. */
  descriptionMs: number;
  /** How long one attempt waits for a block to hold its transaction. */
  minedTimeoutMs: number;
  /** The most gas that an instruction may need. */
  maxGas: bigint;
  /** Times that one attempt looks again after its transaction got lost. */
  maxRounds: number;
}>;
export type EvmLedgerDependencies = Readonly<{
  node: EvmNode;
  transactions: Pick<TransactionSender, 'prepare' | 'submit'>;
  flights: Pick<FlightBook, 'settled'>;
  tracker: Pick<FlightTracker, 'wake'>;
  news?: BlockNews;
  /** Monotonic, ms. */
  now: () => number;
}>;

const SUBMITTED: Execution = { type: 'submitted' };

type Estimate =
  | Execution
  | Readonly<{ type: 'gas'; limit: bigint }>
  | Readonly<{ type: 'refused'; refusal: VaultRefusal }>;

export class EvmLedger implements LedgerConnector {
  readonly #options: EvmLedgerOptions;
  readonly #deps: EvmLedgerDependencies;
  readonly #head: HeadWatch;
  /** Of what was looked up and is executed next, as a rule. */
  readonly #estimates = new WeakMap<InstructionJob, Promise<Estimate>>();
  readonly #descriptions = new Map<EvmAddress, { readAtMs: number; vault: Promise<VaultDescription> }>();

  constructor(options: EvmLedgerOptions, dependencies: EvmLedgerDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#head = new HeadWatch(() => dependencies.node.blockNumber(), options, dependencies.news);
  }

  /** @throws ProtocolError `ID_INVALID` for the address of a vault that is on no EVM chain */
  async describeVault(address: VaultAddress, how?: 'fresh'): Promise<VaultDescription> {
    const vault = parseEvmAddress(address);
    const { now } = this.#deps;
    const known = how === 'fresh' ? undefined : this.#descriptions.get(vault);
    if (known && now() - known.readAtMs < this.#options.descriptionMs) return known.vault;
    const read = this.#readVault(vault);
    this.#descriptions.set(vault, { readAtMs: now(), vault: read });
    read.catch(() => this.#descriptions.delete(vault));
    return read;
  }

  /** Everything is asked at once, in one request to the node; what an execution would need, too. */
  async lookUp(job: InstructionJob): Promise<Standing> {
    const estimate = this.#estimate(parseEvmAddress(job.vault), instructionCall(job));
    estimate.catch(() => undefined);
    this.#estimates.set(job, estimate);
    this.#deps.transactions.prepare();
    const { kind, notAfterSeconds } = job.instruction;
    const expires = (kind === 'release' || kind === 'issue') && notAfterSeconds !== 0;
    const [spentAs, head, block] = await Promise.all([
      this.#spentAs(job, 'latest'),
      this.#head.now(),
      expires ? this.#deps.node.block('latest') : undefined,
    ]);
    if (spentAs) return { state: 'spent', as: spentAs, final: (await this.#finalAt(job, head)) !== undefined };
    if (!expires) return { state: 'open' };
    return { state: block && block.timestampSeconds > notAfterSeconds ? 'expired' : 'open' };
  }

  async execute(job: InstructionJob, options: ExecuteOptions): Promise<Execution> {
    const { transactions, tracker, flights, now } = this.#deps;
    const key = job.instruction.id;
    const data = instructionCall(job);
    for (let round = 0; round < this.#options.maxRounds; round += 1) {
      const started = now();
      const vault = parseEvmAddress(job.vault);
      const gas = await this.#takeEstimate(job, vault, data);
      if (gas.type === 'refused') return this.#afterRefusal(job, gas.refusal);
      if (gas.type !== 'gas') return gas;
      const sent = await transactions.submit({ key, to: vault, data, gasLimit: gas.limit });
      if (sent.type === 'refused') return { type: 'later', code: sent.code, words: sent.words };
      options.onStage('send', now() - started);
      const sentAt = now();
      tracker.wake();
      const settlement = await flights.settled(key, {
        timeoutMs: this.#options.minedTimeoutMs,
        signal: options.signal,
      });
      if (settlement.type === 'waiting') return SUBMITTED;
      options.onStage('mined', now() - sentAt);
      if (settlement.type === 'mined' && settlement.success) return SUBMITTED;
      // Reverted in its block, or lost its nonce: the ledger knows whether the instruction took effect by another way.
      if (await this.#spentAs(job, 'latest')) return SUBMITTED;
    }
    return { type: 'later', code: 'TRANSACTION_LOST', words: 'the transaction was mined without effect, or displaced' };
  }

  async awaitFinality(
    job: InstructionJob,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<SpentAs | undefined> {
    const { now } = this.#deps;
    const limit = { untilMs: now() + timeoutMs, now, signal };
    for (let seen = -1; ; ) {
      const head = await this.#head.above(seen, limit);
      if (head === undefined) return undefined;
      const spentAs = await this.#finalAt(job, head);
      if (spentAs) return spentAs;
      seen = head;
    }
  }

  /** How the instruction is spent as of the deepest block that counts as final under `head`. */
  #finalAt(job: InstructionJob, head: number): Promise<SpentAs | undefined> {
    const block = head - this.#options.depthBlocks + 1;
    return block < 0 ? Promise.resolve(undefined) : this.#spentAs(job, block);
  }

  async #spentAs({ vault, instruction }: InstructionJob, block: number | 'latest'): Promise<SpentAs | undefined> {
    const { id, kind, subject } = instruction;
    const [own, target] = await Promise.all([
      this.#isSpent(vault, id, block),
      kind === 'void' ? this.#isSpent(vault, subject, block) : 'unspent',
    ]);
    if (own !== 'unspent') return own;
    return target === 'unspent' ? undefined : 'overtaken';
  }

  async #isSpent(address: VaultAddress, id: InstructionId, block: number | 'latest') {
    const vault = parseEvmAddress(address);
    const answer = await this.#deps.node.call({ to: vault, data: isSpentCall(id) }, block);
    const spent = answer.type === 'returned' ? isSpentAnswer(answer.data) : undefined;
    // Before its deployment a vault has no code and answers nothing; what a node cannot answer at a block is no "no".
    if (spent !== undefined) return spent;
    if (answer.type === 'returned' && answer.data === '0x') return 'unspent';
    throw new LedgerUnavailableError('the vault gives no answer to isSpent');
  }

  /** The one of the look-up serves one attempt; where there is none, the node is asked. */
  #takeEstimate(job: InstructionJob, vault: EvmAddress, data: Hex): Promise<Estimate> {
    const estimate = this.#estimates.get(job);
    this.#estimates.delete(job);
    return estimate ?? this.#estimate(vault, data);
  }

  async #estimate(vault: EvmAddress, data: Hex): Promise<Estimate> {
    const request = { from: this.#options.sender, to: vault, data };
    // The coming block: what is in the pool already, such as another worker's copy, shows as spent.
    const answer = await this.#deps.node.estimateGas(request, 'pending');
    if (answer.type === 'reverted') return { type: 'refused', refusal: vaultRefusal(answer.data) };
    if (answer.type === 'refused') {
      return answer.refusal === 'no-funds'
        ? { type: 'later', code: 'FEE_ACCOUNT_EMPTY', words: 'the fee account cannot pay for gas' }
        : { type: 'later', code: 'NODE_REFUSED', words: 'the node does not estimate the gas' };
    }
    // Storage that was warm or a slot that was set in the estimate may not be when it is mined.
    const limit = answer.gas + answer.gas / 4n + 25_000n;
    if (answer.gas <= this.#options.maxGas) return { type: 'gas', limit };
    return { type: 'later', code: 'GAS_BOUND', words: 'the vault needs more gas than this connector may spend' };
  }

  async #afterRefusal(job: InstructionJob, refusal: VaultRefusal): Promise<Execution> {
    const { kind, code, words } = refusal;
    switch (kind) {
      case 'spent':
        return SUBMITTED;
      case 'expired':
        return { type: 'expired' };
      case 'later':
      case 'never':
        // A refusal may be the echo of this very instruction, which took effect a moment ago.
        return (await this.#spentAs(job, 'latest')) ? SUBMITTED : { type: kind, code, words };
    }
  }

  async #readVault(vault: EvmAddress): Promise<VaultDescription> {
    const { node } = this.#deps;
    const answers = await Promise.all(DESCRIPTION_CALLS.map((data) => node.call({ to: vault, data }, 'latest')));
    const data = answers.map((answer) => (answer.type === 'returned' ? answer.data : '0x'));
    const description = vaultDescription(data);
    if (!description) throw new LedgerUnavailableError('there is no initialized vault at the address');
    return description;
  }
}
