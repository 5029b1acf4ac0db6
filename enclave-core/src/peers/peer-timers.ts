/** Timers of the peer network; a test advances its own by hand. */
export interface PeerTimers {
  /** Runs `run` once after `ms` unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
  /** Runs `run` every `ms` until the returned function is called. A process that slept does not make up for what it missed. */
  every(ms: number, run: () => void): () => void;
}

export const systemTimers: PeerTimers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
