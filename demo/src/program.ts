/** One of our own programs as a child process that can be stopped, killed and started again with the same arguments. */
import { type ManagedProcess, type ProcessExit, startProcess } from '@drawbridge/devnets/child-process';
import { sourceProgram } from '@drawbridge/devnets/source-program';

export type ProgramSpec = Readonly<{
  name: string;
  /** TypeScript source file. */
  file: string;
  args: readonly string[];
  logFile: string;
}>;

/** The ready line that every program of ours prints: one JSON object on stdout. */
export type ReadyLine = Readonly<{ ready: true; url?: string }>;

export class Program {
  readonly #spec: ProgramSpec;
  #process: ManagedProcess | undefined;
  #url: string | undefined;

  constructor(spec: ProgramSpec) {
    this.#spec = spec;
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Where it serves since its last start. */
  get url(): string {
    return this.#url ?? '';
  }

  /** @throws ProcessError when it is not ready in time. */
  async start(): Promise<ReadyLine> {
    const { name, file, args, logFile } = this.#spec;
    this.#process = await startProcess({
      name,
      ...sourceProgram(file, args),
      logFile,
      ready: { line: /^\{"ready":true/ },
      readyTimeoutMs: 60_000,
    });
    const readyLine = JSON.parse(String(this.#process.readyWith)) as ReadyLine;
    this.#url = readyLine.url;
    return readyLine;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill9(): Promise<ProcessExit | undefined> {
    return this.#process?.kill9();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  /** Resolves when it has ended, whatever ended it. */
  exited(): Promise<ProcessExit> | undefined {
    return this.#process?.exited;
  }
}
