/**
 * Cactus's monitors: which states of a class were recorded since a client began to watch it. Nothing runs between a client's
 * questions: the node keeps what it recorded, and each question fetches what came since the last. Monitors live as long as this process.
 */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import type { AgentOperations } from './agent-operations.ts';
import type { ClearMonitorBody, MonitorBody, MonitorOutcome } from './operation-schemas.ts';

export type StateMonitorsOptions = Readonly<{
  /** Monitors at once. */
  maxMonitors: number;
  /** States held of one monitor until the client clears them; later ones are fetched when there is room. */
  maxHeld: number;
  /** Unused for so long, a monitor may make room for another. */
  idleMs: number;
}>;
export type StateMonitorsDependencies = Readonly<{
  agent: Pick<AgentOperations, 'clock' | 'recorded'>;
  /** Monotonic, ms. */
  now: () => number;
}>;

type Monitor = {
  readonly fromMs: number;
  cursorMs: number;
  /** Refs near the cursor, with their times: what is asked for again, also by two at once, and must not be told again. */
  readonly seen: Map<string, number>;
  held: { index: string; data: string }[];
  nextIndex: number;
  usedAtMs: number;
};

/** The node stamps a state before it is visible: so far back it is asked again. */
const OVERLAP_MS = 60_000;
/** Pages of one question; the next goes on. */
const MAX_PAGES = 20;

export class StateMonitors {
  readonly #options: StateMonitorsOptions;
  readonly #deps: StateMonitorsDependencies;
  readonly #monitors = new Map<string, Monitor>();

  constructor(options: StateMonitorsOptions, dependencies: StateMonitorsDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  /** A monitor that is there goes on as it is. */
  async start(body: MonitorBody): Promise<MonitorOutcome> {
    const key = keyOf(body);
    if (this.#monitors.has(key)) return OK;
    try {
      const fromMs = await this.#deps.agent.clock(body.stateFullClassName);
      if (this.#monitors.has(key)) return OK;
      if (!this.#makeRoom()) return failed('too many monitors are running');
      const usedAtMs = this.#deps.now();
      this.#monitors.set(key, { fromMs, cursorMs: fromMs, seen: new Map(), held: [], nextIndex: 0, usedAtMs });
      return OK;
    } catch (error) {
      if (error instanceof CactusError && error.code === 'METHOD_NOT_ALLOWED') return failed(error.message);
      throw error;
    }
  }

  /** All that was not cleared. @throws CactusError where the agent cannot be asked */
  async transactions(body: MonitorBody): Promise<MonitorOutcome> {
    const monitor = this.#used(body);
    if (!monitor) return NOT_RUNNING;
    const { stateFullClassName } = body;
    await this.#fetch(stateFullClassName, monitor);
    return { ...OK, stateFullClassName, tx: [...monitor.held] };
  }

  clear(body: ClearMonitorBody): MonitorOutcome {
    const monitor = this.#used(body);
    if (!monitor) return NOT_RUNNING;
    const cleared = new Set(body.txIndexes);
    monitor.held = monitor.held.filter(({ index }) => !cleared.has(index));
    return OK;
  }

  /** Nothing to do where there is none, as upstream. */
  stop(body: MonitorBody): MonitorOutcome {
    this.#monitors.delete(keyOf(body));
    return OK;
  }

  async #fetch(stateClass: string, monitor: Monitor): Promise<void> {
    const sinceMs = Math.max(monitor.fromMs, monitor.cursorMs - OVERLAP_MS);
    for (let page = 0, more = true; more && page < MAX_PAGES; page += 1) {
      const found = await this.#deps.agent.recorded(stateClass, sinceMs, page);
      for (const { ref, recordedAtMs, json } of found.states) {
        if (monitor.seen.has(ref)) continue;
        if (monitor.held.length >= this.#options.maxHeld) return;
        monitor.seen.set(ref, recordedAtMs);
        monitor.cursorMs = Math.max(monitor.cursorMs, recordedAtMs);
        monitor.held.push({ index: String(monitor.nextIndex), data: json });
        monitor.nextIndex += 1;
      }
      more = found.more;
    }
    for (const [ref, atMs] of monitor.seen) if (atMs < monitor.cursorMs - OVERLAP_MS) monitor.seen.delete(ref);
  }

  #used(body: MonitorBody): Monitor | undefined {
    const monitor = this.#monitors.get(keyOf(body));
    if (monitor) monitor.usedAtMs = this.#deps.now();
    return monitor;
  }

  #makeRoom(): boolean {
    const { maxMonitors, idleMs } = this.#options;
    if (this.#monitors.size < maxMonitors) return true;
    const unusedSinceMs = this.#deps.now() - idleMs;
    for (const [key, { usedAtMs }] of this.#monitors) if (usedAtMs < unusedSinceMs) this.#monitors.delete(key);
    return this.#monitors.size < maxMonitors;
  }
}

const keyOf = ({ clientAppId, stateFullClassName }: MonitorBody): string =>
  JSON.stringify([clientAppId, stateFullClassName]);
const OK: MonitorOutcome = { success: true, msg: 'OK' };
const failed = (msg: string): MonitorOutcome => ({ success: false, msg });
const NOT_RUNNING: MonitorOutcome = failed('no monitor is running for this client and state: start one first');
