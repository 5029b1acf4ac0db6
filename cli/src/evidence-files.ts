/** Files of evidence that are named one by one, or lie in folders that are. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from './cli-error.ts';
import { parseEvidenceFile } from './evidence-file.ts';
import { readInput, reasonOf } from './input-file.ts';

/** Most files that are looked at. */
const MAX_FILES = 65_536;

/** `named`: by whoever typed the command, and so meant; the others only lie in a folder that was. */
export type FoundEvidence = Readonly<{ path: string; named: boolean; bytes: Uint8Array }>;
type Found = Omit<FoundEvidence, 'bytes'>;

/**
 * One after the other, in the order of the paths; a file in a folder that is no file of evidence is passed over.
 * @param what in words, for errors
 * @throws CliError for what cannot be read
 */
export async function* evidenceFiles(paths: readonly string[], what: string): AsyncGenerator<FoundEvidence> {
  for (const { path, named } of await findFiles(paths, what)) {
    const bytes = await bytesOf(path, named);
    if (bytes !== undefined) yield { path, named, bytes };
  }
}

async function findFiles(paths: readonly string[], what: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        found.push({ path, named: true });
        continue;
      }
      for (const entry of await readdir(path, { withFileTypes: true })) {
        if (entry.isFile()) found.push({ path: join(path, entry.name), named: false });
      }
    } catch (cause) {
      throw new CliError('FILE', `${path} cannot be read: ${reasonOf(cause)}`, { cause });
    }
  }
  if (found.length > MAX_FILES) throw new CliError('FILE', `there are over ${MAX_FILES} files of ${what}`);
  return found;
}

async function bytesOf(path: string, named: boolean): Promise<Uint8Array | undefined> {
  const content = await readInput(path);
  try {
    return parseEvidenceFile(content, path).bytes;
  } catch (error) {
    if (error instanceof CliError && !named) return undefined;
    throw error;
  }
}
