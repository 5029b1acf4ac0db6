/**
 * Who runs the service: brings back what was lost under a new Raft id, and changes members. How depends on what the nodes
 * are: `replica-operator.ts` gives raft its changes, `core-operator.ts` asks the service, whose nodes then do it themselves.
 */
import type { Machine } from './machine.ts';

export interface Operator {
  /** Starts the first machines, and begins to look after them. */
  begin(): void;
  /** A change is wanted or may be under way, or members do not run; no memory is to be lost meanwhile. */
  readonly busy: boolean;
  /** Puts another machine in the place of a voter. False: no machine is free. */
  swap(victim: Machine): boolean;
  /** Makes a free machine a voter. False: no machine is free. */
  grow(): boolean;
  shrink(victim: Machine): void;
}
