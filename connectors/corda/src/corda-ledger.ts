/**
 * `LedgerConnector` for a vault on Corda, by way of an agent beside the vault party's node. What an instruction consumes stands in
 * it, signed by the core; nothing is chosen here. What the notary signed is final: there is no depth to wait for. Answers are one
 * node's records, and good enough for what they decide, which is whether to try; whether it happened the core reads from evidence.
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
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { NetworkId, VaultAddress } from '@drawbridge/protocol/ids';
import { domainSalt, INSTRUCTION_KINDS, type Instruction, networkIdHash } from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import type { AgentValue } from './agent-cbor.ts';
import type { AgentCaller } from './agent-client.ts';
import type { AgentQueries } from './agent-queries.ts';
import { pauseUnlessAborted } from './pause.ts';
import { Slots } from './slots.ts';

export type CordaLedgerOptions = Readonly<{
  network: NetworkId;
  /** How long one attempt waits for a flow: longer than the agent does, which then says that it goes on. */
  executeTimeoutMs: number;
  /** Flows waited for at once: fewer than an agent works on, so that questions are answered while flows hang. */
  maxExecutes: number;
  /** Pause between two looks for a flow that goes on; doubled each time, up to `longestPollMs`. */
  pollMs: number;
  longestPollMs: number;
}>;
export type CordaLedgerDependencies = Readonly<{
  agent: AgentCaller;
  queries: Pick<AgentQueries, 'vault' | 'find' | 'status'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

const SUBMITTED: Execution = { type: 'submitted' };
/** What the contract says of the instruction itself, whatever the ledger's state: no later attempt changes it. */
const HOPELESS: ReadonlySet<string> = new Set([
  'ASSET',
  'EXPIRY',
  'FIELD',
  'ID',
  'INPUTS',
  'KIND',
  'PAYEE',
  'SIGNATURE_HIGH_S',
  'SIGNATURE_MALFORMED',
  'TRAIL',
]);

export class CordaLedger implements LedgerConnector {
  /** The flow does, in the node of the vault's party; asking before would be one more turn by the broker, and prove no more. */
  readonly looksFirst = true;
  readonly #options: CordaLedgerOptions;
  readonly #deps: CordaLedgerDependencies;
  readonly #executing: Slots;
  readonly #descriptions = new Map<VaultAddress, VaultDescription>();

  constructor(options: CordaLedgerOptions, dependencies: CordaLedgerDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#executing = new Slots(options.maxExecutes);
  }

  /**
   * What is known is told at once, however old: who refuses by it asks for it fresh, and somebody does so every now and then. Asked for
   * vaults of the configuration only, so that what is remembered is bounded by it.
   */
  async describeVault(vault: VaultAddress, how?: 'fresh'): Promise<VaultDescription> {
    const known = how === 'fresh' ? undefined : this.#descriptions.get(vault);
    if (known) return known;
    const read = await this.#readVault(vault);
    this.#descriptions.set(vault, read);
    return read;
  }

  /** Expiry is the notary's to judge: what is late shows when it is executed. */
  async lookUp(job: InstructionJob): Promise<Standing> {
    const as = await this.#spentAs(job);
    return as === undefined ? { state: 'open' } : { state: 'spent', as, final: true };
  }

  async execute(job: InstructionJob, { signal, onStage }: ExecuteOptions): Promise<Execution> {
    if (job.states === undefined) {
      return { type: 'never', code: 'STATES_MISSING', words: 'the instruction does not name what it consumes' };
    }
    const { now } = this.#deps;
    const started = now();
    if (!(await this.#executing.take(signal))) return SUBMITTED;
    onStage('send', now() - started);
    const sentAt = now();
    const args = [fromHex(job.vault), fieldsOf(job.instruction), fromHex(job.signature), job.states.map(fromHex)];
    const answer = await this.#deps.agent
      .call('execute', args, { timeoutMs: this.#options.executeTimeoutMs, signal })
      .finally(() => this.#executing.release());
    onStage('mined', now() - sentAt);
    if (answer.ok) return { type: 'final', as: 'executed' };
    switch (answer.code) {
      // The flow goes on, or may: the ledger will say.
      case 'FLOW_PENDING':
      case 'ABORTED':
        return SUBMITTED;
      case 'NO_ANSWER':
      case 'AGENT_SILENT':
      case 'TOO_MANY_CALLS':
      case 'NODE_UNAVAILABLE':
        throw new LedgerUnavailableError(`the agent gave no answer: ${answer.code}`);
      default:
        return this.#afterFailure(job, answer);
    }
  }

  async awaitFinality(
    job: InstructionJob,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<SpentAs | undefined> {
    const { now } = this.#deps;
    const untilMs = now() + timeoutMs;
    for (let pauseMs = this.#options.pollMs; ; pauseMs = Math.min(2 * pauseMs, this.#options.longestPollMs)) {
      if (signal.aborted) return undefined;
      const as = await this.#spentAs(job);
      if (as !== undefined) return as;
      const leftMs = untilMs - now();
      if (leftMs <= 0 || !(await pauseUnlessAborted(Math.min(pauseMs, leftMs), signal))) return undefined;
    }
  }

  /** A failure may be the echo of the instruction's own effect, by another attempt or another agent. */
  async #afterFailure(job: InstructionJob, failure: Readonly<{ code: string; detail: string }>): Promise<Execution> {
    const as = await this.#spentAs(job);
    if (as !== undefined) return { type: 'final', as };
    const { code, detail } = failure;
    switch (code) {
      case 'REFUSED':
        return refusedByVault(detail);
      case 'NOTARY_REFUSED':
        return {
          type: 'later',
          code,
          words: 'the notary did not sign, and nothing is spent by the records of the node',
        };
      case 'FLOW_FAILED':
        return { type: 'later', code, words: 'the flow failed at a party to it' };
      case 'PAYEE_UNKNOWN':
        return { type: 'later', code, words: 'the network map has no party with the key of the beneficiary' };
      case 'VAULT_NOT_SERVED':
        return { type: 'later', code, words: 'the agent does not serve the vault' };
      case 'COMMAND_INVALID':
      case 'COMMAND_TOO_LARGE':
        return { type: 'never', code, words: 'the agent does not take the command' };
      default:
        return { type: 'later', code: 'AGENT_FAILED', words: 'the agent failed' };
    }
  }

  /**
   * States that an instruction names are consumed by it, or never by it again. Where some are consumed and the instruction was not
   * found, it is looked for once more: the node records a transaction whole, so that what was consumed before the second look by
   * the instruction itself is found by it.
   */
  async #spentAs({ vault, instruction, states = [] }: InstructionJob): Promise<SpentAs | undefined> {
    const { queries } = this.#deps;
    const find = () => queries.find(vault, instruction.id);
    const [found, statuses] = await Promise.all([find(), queries.status(states)]);
    if (found !== undefined) return 'executed';
    if (!statuses.includes('consumed')) return undefined;
    if ((await find()) !== undefined) return 'executed';
    return isPayment(instruction) ? 'voided' : 'overtaken';
  }

  async #readVault(vault: VaultAddress): Promise<VaultDescription> {
    const { authority, epoch, serviceId, genesisHash, networkIdHash: hash } = await this.#deps.queries.vault(vault);
    const networkId = this.#options.network;
    if (hash !== networkIdHash(networkId)) throw new LedgerUnavailableError('the vault is of another network');
    const salt = domainSalt({ serviceId, networkId, genesisHash, vaultAddress: fromHex(vault) });
    return { authority, epoch, domainSalt: salt };
  }
}

const isPayment = ({ kind }: Instruction): boolean => kind === 'release' || kind === 'issue' || kind === 'refund';

/** As in an instruction job, without its frame. */
const fieldsOf = (i: Instruction): readonly AgentValue[] => [
  fromHex(i.id),
  INSTRUCTION_KINDS[i.kind],
  fromHex(i.subject),
  fromHex(i.asset),
  i.amountMinor,
  fromHex(i.beneficiary),
  fromHex(i.inputs),
  i.notAfterSeconds,
  i.epoch,
  fromHex(i.trail),
];

function refusedByVault(detail: string): Execution {
  if (detail === 'EXPIRED') return { type: 'expired' };
  const words = 'the contract or the flow refuses the instruction';
  const type = HOPELESS.has(detail) ? 'never' : 'later';
  return { type, code: detail === '' ? 'VAULT_REFUSED' : `VAULT_${detail}`, words };
}
