/** The chunk files of several nodes beside each other. */
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const CHUNK = /^ledger_([0-9]+)(?:-([0-9]+)\.committed)?$/;

/** A copy that no running node changes any more. */
export async function copyLedger(dir: string, to: string): Promise<string> {
  await cp(join(dir, 'ledger'), to, { recursive: true });
  return to;
}

/** Chunks by their first seqno. */
export async function chunksOf(
  folder: string,
): Promise<ReadonlyMap<number, Readonly<{ closed: boolean; bytes: Buffer }>>> {
  const chunks = new Map<number, { closed: boolean; bytes: Buffer }>();
  for (const name of await readdir(folder)) {
    const [, first, last] = CHUNK.exec(name) ?? [];
    if (first === undefined) continue;
    chunks.set(Number(first), { closed: last !== undefined, bytes: await readFile(join(folder, name)) });
  }
  return chunks;
}

/** Where two ledgers differ, in words; nothing where one begins with all of the other. */
export async function differenceOf(one: string, other: string): Promise<string | undefined> {
  const [a, b] = await Promise.all([chunksOf(one), chunksOf(other)]);
  if (a.size === 0 || b.size === 0) return 'one of them has no chunk';
  for (const first of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(first), b.get(first)];
    if (!x || !y) continue;
    const common = Math.min(x.bytes.length, y.bytes.length);
    if (!x.bytes.subarray(0, common).equals(y.bytes.subarray(0, common))) return `chunk ${first} differs`;
    if (x.closed && y.closed && x.bytes.length !== y.bytes.length) return `closed chunk ${first} differs in length`;
  }
  return undefined;
}
