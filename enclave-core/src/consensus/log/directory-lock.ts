/**
 * One process per log folder, without stale locks: every contender listens on a socket file of its own in the folder,
 * and only then looks whether another's answers. Of two, at least one sees the other, so never do both go on; the
 * kernel ends the socket with its process. Works across containers of one machine that share the folder; a folder
 * shared between machines is not protected.
 */
import { randomBytes } from 'node:crypto';
import { constants, statSync } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { LogLockedError } from './log-errors.ts';

const NAME = /^lock-[0-9a-f]{16}\.sock$/;
/** Contenders that meet withdraw and try again after a random pause, so often at most. */
const MAX_ATTEMPTS = 5;
const MAX_PAUSE_MS = 40;

export type DirectoryLock = Readonly<{ release: () => Promise<void> }>;

/** @throws LogLockedError while another process holds the folder. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = await contend(directory);
    if (lock) return lock;
    if (attempt === MAX_ATTEMPTS) throw new LogLockedError(directory);
    await new Promise((resolve) => setTimeout(resolve, ((randomBytes(1)[0] ?? 0) / 255) * MAX_PAUSE_MS));
  }
}

async function contend(directory: string): Promise<DirectoryLock | null> {
  // The path of a socket may have 107 bytes only, so the folder is named by its descriptor.
  const folder = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const own = `lock-${randomBytes(8).toString('hex')}.sock`;
  const pathOf = (name: string): string => `/proc/self/fd/${folder.fd}/${name}`;
  const server = createServer((socket) => socket.destroy());
  const release = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await folder.close();
  };
  try {
    await listen(server, pathOf(own));
    const dead: string[] = [];
    for (const name of await readdir(directory)) {
      if (name === own || !NAME.test(name)) continue;
      if (await answers(pathOf(name))) {
        await release();
        return null;
      }
      dead.push(name);
    }
    // A holder that ended meanwhile may have taken this socket for dead and removed its file: then nobody sees it.
    if (statSync(pathOf(own), { throwIfNoEntry: false }) === undefined) {
      await release();
      return null;
    }
    // Only a holder removes files, so a contender that saw no holder after it listened knows that its own file stays.
    for (const name of dead) await unlink(pathOf(name)).catch(ignoreMissing);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: 64 }, () => {
      server.removeListener('error', reject);
      server.unref();
      resolve();
    });
  });
}

/** False only where the kernel says that nobody listens. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
