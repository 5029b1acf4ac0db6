/** Delays, as a port, so that a simulation can make them its own. */
export interface Timers {
  /** Calls once after `ms`, unless the returned function is called before. */
  after(ms: number, call: () => void): () => void;
}

export const systemTimers: Timers = {
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
