/** Files that commands read, with a bound on their size. */
import { readFile, stat } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

/** Larger than any evidence, genesis or amendment file. */
const MAX_FILE_BYTES = 16_777_216;

/** @throws CliError */
export async function readInput(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new CliError('FILE', `${path} has over ${MAX_FILE_BYTES} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('FILE', `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** A private key. @throws CliError also where others may read it. */
export async function readKeyFile(path: string): Promise<string> {
  const text = (await readInput(path)).toString('utf8');
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return text;
  throw new CliError('FILE', `${path} can be read by others than its owner; run chmod 600 ${path}`);
}

/** @throws CliError */
export async function readJsonFile(path: string): Promise<unknown> {
  return parseJson((await readInput(path)).toString('utf8'), path);
}

/** @throws CliError */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError('FILE', `${path} does not hold JSON: ${reasonOf(cause)}`, { cause });
  }
}

/** The fields of a JSON object. @throws CliError */
export function fieldsOf(value: unknown, what: string): ReadonlyMap<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  throw new CliError('FILE', `${what} must be an object`);
}

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
