/** The folder of one run: where each part keeps its files, and what must be stopped when the run ends. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Program } from './program.ts';

export class RunFolder {
  readonly dir: string;
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor(dir: string) {
    this.dir = dir;
  }

  /** A folder for its owner only, made when absent. */
  async folder(name: string): Promise<string> {
    const path = join(this.dir, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  async logFile(name: string): Promise<string> {
    return join(await this.folder('logs'), `${name}.log`);
  }

  keys(): Promise<string> {
    return this.folder('keys');
  }

  /** Writes a program's configuration and gives its path. */
  async config(name: string, content: object): Promise<string> {
    const file = join(await this.folder('config'), `${name}.json`);
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    return file;
  }

  /** Starts one of our programs and waits until it is ready. */
  async launch(name: string, file: string, args: readonly string[]): Promise<{ program: Program; url: string }> {
    const program = new Program({ name, file, args, logFile: await this.logFile(name) });
    this.onStop(() => program.stop());
    return { program, url: (await program.start()).url ?? '' };
  }

  onStop(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, the newest first; once. */
  async stop(): Promise<void> {
    for (const end of this.#stops.splice(0).reverse()) await end();
  }
}
