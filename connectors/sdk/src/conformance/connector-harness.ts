/** What the conformance suite needs of a connector and of the ledger beneath it. */
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';

/** A connector that runs: a process of its own, so that it can die. */
export type ConnectorUnderTest = Readonly<{
  /** As an operator ends it. @throws when it does not end in good order. */
  stop: () => Promise<void>;
  /** At once, with nothing said to anybody: SIGKILL. */
  kill: () => Promise<void>;
}>;

export interface ConnectorHarness {
  readonly redisUrl: string;
  /** Of the key that instructions are sealed to: SPKI, PEM. */
  readonly sealingKey: string;
  /** Blocks to finality: at least 3, so that there is a before; 1 where the suite is told that all is final at once. */
  readonly depthBlocks: number;
  /** With nothing on its disk, or with what a dead predecessor left there. */
  startConnector(predecessor?: ConnectorUnderTest): Promise<ConnectorUnderTest>;
  /** A release to a payee of its own; or one that the destination refuses for ever; or one that is too late already. */
  release(kind: 'payable' | 'refused' | 'late'): Promise<InstructionJob>;
  voidOf(target: InstructionJob): Promise<InstructionJob>;
  /** Signed by a key that is not the authority's. */
  forged(): Promise<InstructionJob>;
  /** How often the payee of a release was paid its amount. */
  timesPaid(job: InstructionJob): Promise<number>;
  state(job: InstructionJob): Promise<'unspent' | 'executed' | 'voided'>;
  /** Transactions of this connector that the ledger has seen, in pools or in blocks; on Corda flows that were started. */
  transactions(): Promise<number>;
  /** Blocks come by themselves, or only by `mine`. Of a notary: it signs, or does not answer. */
  setMining(on: boolean): Promise<void>;
  mine(blocks: number): Promise<void>;
  /** Replaces the last blocks; what they held is gone. */
  reorganise(blocks: number): Promise<void>;
  /**
   * Resolves once the ledger has the next transaction of a connector, which then never hears of it: until `restore` the
   * connector has no answer.
   */
  swallowNextAnswer(): Promise<{ taken: Promise<void>; restore: () => void }>;
  stop(): Promise<void>;
}
