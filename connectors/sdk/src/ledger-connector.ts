/**
 * What a connector does on its ledger for the worker. One implementation per kind of network; the conformance suite
 * says what every one of them must withstand. Methods throw `LedgerUnavailableError` when the ledger cannot be asked,
 * and only then: what the ledger answers is a value.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmAddress, VaultAddress } from '@drawbridge/protocol/ids';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';

/** A vault as the ledger shows it now. */
export type VaultDescription = Readonly<{
  /** Of the key whose signatures the vault obeys. */
  authority: EvmAddress;
  epoch: number;
  /** Salt of the vault's EIP-712 domain: binds service, network, genesis and vault. */
  domainSalt: Bytes32;
}>;

/**
 * How an instruction's id came to be used up. `overtaken`: a void whose target was executed or voided before; on ledgers of states
 * also what names a state of the vault that has a successor.
 */
export type SpentAs = 'executed' | 'voided' | 'overtaken';

export type Standing =
  /** Nothing happened yet: worth executing. */
  | Readonly<{ state: 'open' }>
  /** Nothing happened, and by the ledger's own time it is too late. */
  | Readonly<{ state: 'expired' }>
  /** `final`: at the depth that the connector was told to wait for. */
  | Readonly<{ state: 'spent'; as: SpentAs; final: boolean }>;

/** What a ledger says about an attempt. `words` are for operators and never hold amounts, parties or payloads. */
export type Execution =
  /** In a block, or on its way there, if by somebody else's transaction; finality is still to come. */
  | Readonly<{ type: 'submitted' }>
  /** Done, on a ledger where what stands there is final. */
  | Readonly<{ type: 'final'; as: SpentAs }>
  | Readonly<{ type: 'expired' }>
  /** Not now. A revert by the destination is of this kind: it is never final, only a void is. */
  | Readonly<{ type: 'later'; code: string; words: string }>
  /** Not like this, ever. */
  | Readonly<{ type: 'never'; code: string; words: string }>;

/** Stages of an execution, for the latency metric. */
export type LedgerStage = 'send' | 'mined';
export type ExecuteOptions = Readonly<{
  signal: AbortSignal;
  /** Called when a stage ends, with its duration. */
  onStage: (stage: LedgerStage, durationMs: number) => void;
}>;

export interface LedgerConnector {
  /**
   * `execute` looks the instruction up before it does anything, at the ledger itself: then a look before it would be a second one, and
   * `lookUp` is asked only where the instruction is refused without being executed.
   */
  readonly looksFirst?: boolean;
  /** May be some time old; `fresh`: as the ledger shows it now. */
  describeVault(vault: VaultAddress, how?: 'fresh'): Promise<VaultDescription>;
  lookUp(job: InstructionJob): Promise<Standing>;
  /**
   * Sends the instruction unless it is on its way already, and waits until a block, or a notary's signature, holds it. Exactly-once effect is the
   * vault's doing, by spent ids; two sends of one instruction cost a fee and nothing else.
   */
  execute(job: InstructionJob, options: ExecuteOptions): Promise<Execution>;
  /** Waits until the instruction is spent at depth; `undefined` when `timeoutMs` pass before that. */
  awaitFinality(job: InstructionJob, options: { timeoutMs: number; signal: AbortSignal }): Promise<SpentAs | undefined>;
}

/** The ledger, or the way to it, gave no answer. Nothing is known; try again. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
  readonly code = 'LEDGER_UNAVAILABLE' as const;
}
