/**
 * Amendments until there is voting: a folder of signed files, each of one numbered amendment. Those that are next are
 * proposed in order, at the start and whenever the folder changes. Signatures are checked by `apply`, so a file that
 * somebody slipped in does nothing; a bad file is named in the log with its code and never stops the node.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Amendment, parseAmendment } from '@drawbridge/governance/amendment';
import { formatProblem } from '@drawbridge/governance/problem';
import { type CoreService, SubmitError } from '../core-service.ts';
import type { NodeLog } from '../node-log.ts';
import { ServiceError } from '../service/service-error.ts';

/** Largest file that is read, in bytes. */
export const MAX_AMENDMENT_BYTES: number = 2 ** 20;
/** Most files that are looked at. */
export const MAX_AMENDMENT_FILES = 10_000;
/** Quiet time after a change before the folder is read, so that a copy can end. */
const SETTLE_MS = 100;

export type AmendmentFolderOptions = Readonly<{ dir: string; settleMs?: number }>;
export type AmendmentFolderDependencies = Readonly<{ core: Pick<CoreService, 'submit' | 'view'>; log: NodeLog }>;

type NumberedFile = Readonly<{ file: string; amendment: Amendment }>;
type Refusal = Readonly<{ code: string; detail: string }>;

export class AmendmentFolder {
  readonly #dir: string;
  readonly #settleMs: number;
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #log: NodeLog;
  /** What was said of each file, so that it is said once. */
  readonly #reported = new Map<string, string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: AmendmentFolderOptions, dependencies: AmendmentFolderDependencies) {
    this.#dir = options.dir;
    this.#settleMs = options.settleMs ?? SETTLE_MS;
    this.#core = dependencies.core;
    this.#log = dependencies.log;
  }

  /** Reads the folder, then keeps watching it. @throws ServiceError where there is none */
  async start(): Promise<void> {
    this.#watcher = this.#watch(() => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.scan(), this.#settleMs);
    });
    this.#watcher.on('error', (error) =>
      this.#log.warn({ code: 'AMENDMENTS_UNWATCHED', err: error }, 'folder is lost'),
    );
    await this.scan();
  }

  #watch(onChange: () => void): FSWatcher {
    try {
      return watch(this.#dir, onChange);
    } catch (cause) {
      const words = `the folder of amendments ${this.#dir} cannot be watched; make it, or start without --amendments`;
      throw new ServiceError('SERVICE_ARGUMENTS', words, { cause });
    }
  }

  async stop(): Promise<void> {
    this.#watcher?.close();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Reads the folder now and proposes what is next. Never rejects. */
  scan(): Promise<void> {
    if (this.#running) this.#again = true;
    this.#running ??= this.#scanUntilQuiet().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #scanUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#scanOnce();
      } catch (error) {
        this.#log.warn({ code: codeOf(error), err: error }, 'the amendment folder could not be read to its end');
      }
    } while (this.#again);
  }

  async #scanOnce(): Promise<void> {
    for (const { file, amendment } of await this.#read()) {
      const { view } = this.#core;
      if (amendment.number < view.nextAmendment()) continue;
      const refusal = await this.#propose(amendment);
      if (refusal) this.#report(file, refusal);
      else this.#log.info({ file, number: amendment.number }, 'amendment applied');
    }
  }

  /** In the order of their numbers; files of one number in the order of their names. */
  async #read(): Promise<NumberedFile[]> {
    const names = (await readdir(this.#dir)).filter((name) => name.endsWith('.json')).sort();
    if (names.length > MAX_AMENDMENT_FILES) {
      this.#report('', { code: 'AMENDMENT_FILES', detail: `only the first ${MAX_AMENDMENT_FILES} files are read` });
    }
    const files: NumberedFile[] = [];
    for (const file of names.slice(0, MAX_AMENDMENT_FILES)) {
      const amendment = await this.#readOne(file);
      if (amendment) files.push({ file, amendment });
    }
    return files.sort((a, b) => a.amendment.number - b.amendment.number);
  }

  async #readOne(file: string): Promise<Amendment | undefined> {
    const path = join(this.#dir, file);
    const { size } = await stat(path);
    if (size > MAX_AMENDMENT_BYTES) {
      this.#report(file, { code: 'AMENDMENT_SIZE', detail: `over ${MAX_AMENDMENT_BYTES} bytes` });
      return undefined;
    }
    const parsed = parseAmendment(await readFile(path, 'utf8'));
    if (parsed.ok) return parsed.value;
    this.#report(file, { code: 'AMENDMENT_FORM', detail: parsed.problems.map(formatProblem).join('; ') });
    return undefined;
  }

  async #propose(amendment: Amendment): Promise<Refusal | undefined> {
    const { number, actions, signatures, serviceId } = amendment;
    if (serviceId !== this.#core.view.serviceId) {
      return { code: 'AMENDMENT_SERVICE', detail: 'is for another service' };
    }
    try {
      const [answer] = await this.#core.submit([{ type: 'amendment', number, actions, signatures }]);
      const outcome = answer?.outcome;
      return outcome && !outcome.ok ? { code: outcome.code, detail: outcome.detail } : undefined;
    } catch (error) {
      if (error instanceof SubmitError) return { code: error.code, detail: error.message };
      throw error;
    }
  }

  #report(file: string, { code, detail }: Refusal): void {
    if (this.#reported.get(file) === `${code} ${detail}`) return;
    this.#reported.set(file, `${code} ${detail}`);
    this.#log.warn({ file, code, detail }, 'amendment file refused');
  }
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'AMENDMENTS_FAILED';
