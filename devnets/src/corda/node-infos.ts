/**
 * How nodes without a network map learn each other's addresses: each writes its own, signed, into a file, and reads those of
 * others from a folder that it looks into every few seconds.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../until.ts';
import { LOOPBACK } from './node-conf.ts';

const OTHERS = 'additional-node-infos';
const PREFIX = 'nodeInfo-';

export type AddressedNode = Readonly<{ dir: string; p2pPort: number }>;

/** Forgets addresses of an earlier start: node infos, and the log that tells which were taken up. */
export async function forgetNodeInfos(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    for (const folder of [dir, join(dir, OTHERS)]) {
      for (const name of await nodeInfosIn(folder)) await rm(join(folder, name));
    }
    await rm(join(dir, 'logs'), { recursive: true, force: true });
  }
}

/**
 * Gives each node's file to all others as soon as all have written theirs, and resolves when all have taken them up.
 * Must be called while they start; ends early, without more, when `signal` is aborted. @throws DeadlineError
 */
export async function exchangeNodeInfos(
  nodes: readonly AddressedNode[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  await until('every node has written its address', deadlineMs, async () => {
    if (signal.aborted) return true;
    const written = await Promise.all(nodes.map(({ dir }) => nodeInfosIn(dir)));
    return written.every((names) => names.length > 0);
  });
  if (signal.aborted) return;
  for (const from of nodes) {
    for (const name of await nodeInfosIn(from.dir)) {
      const signed = await readFile(join(from.dir, name));
      for (const to of nodes) if (to !== from) await putNodeInfo(to.dir, name, signed);
    }
  }
  await until('every node knows the others', deadlineMs, async () => {
    if (signal.aborted) return true;
    const known = await Promise.all(nodes.map(({ dir }) => portsKnownTo(dir)));
    return known.every((ports) => nodes.every(({ p2pPort }) => ports.has(p2pPort)));
  });
}

/** The file is complete when the node sees it. */
async function putNodeInfo(dir: string, name: string, signed: Uint8Array): Promise<void> {
  const hidden = join(dir, OTHERS, `.${randomUUID()}`);
  await writeFile(hidden, signed, { mode: 0o600 });
  await rename(hidden, join(dir, OTHERS, name));
}

async function portsKnownTo(dir: string): Promise<ReadonlySet<number>> {
  const known = new Set<number>();
  const logs = join(dir, 'logs');
  for (const name of await namesIn(logs)) {
    if (!name.endsWith('.log')) continue;
    for (const port of portsTakenUp(await readFile(join(logs, name), 'utf8'))) known.add(port);
  }
  return known;
}

/** P2P ports of the nodes that a node's log says were added to its network map. */
export function portsTakenUp(log: string): number[] {
  const line = new RegExp(
    `Adding node with info: NodeInfo\\(addresses=\\[${LOOPBACK.replaceAll('.', '\\.')}:(\\d+)\\]`,
    'g',
  );
  return [...log.matchAll(line)].map(([, port]) => Number(port));
}

async function nodeInfosIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => name.startsWith(PREFIX));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
