import type { ReplicaDependencies } from '../consensus/replica-options.ts';
import type { NodeLog } from '../node-log.ts';

/** What the engine has to say, into the node's log. Methods are called on the log: that of the process needs its `this`. */
export const raftLog =
  (log: NodeLog): ReplicaDependencies['log'] =>
  (level, text) => {
    const context = { code: 'RAFT', raftLevel: level };
    if (level === 'error' || level === 'fatal') log.error(context, text);
    else log.warn(context, text);
  };
