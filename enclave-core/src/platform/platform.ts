/** What a node runs on, as the core sees it. Nothing else here depends on a kind of machine. */

/**
 * `virtual` promises nothing. `test-protected-memory` behaves as a machine would that protects memory, and promises as
 * little: its name is in every status, certificate and receipt.
 */
export type PlatformKind = 'virtual' | 'test-protected-memory';

export interface Platform {
  readonly kind: PlatformKind;
  /**
   * Nobody outside can read the node's memory, and what it knew is gone when it ends. Ledger secrets then never reach the disk,
   * and a node that starts again joins under a new Raft id: what it had promised as the old one it cannot know.
   */
  readonly protectsMemory: boolean;
}
