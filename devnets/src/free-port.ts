import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Ports are drawn below every system's range for outgoing connections (Linux 32768–60999, macOS and Windows
 * 49152–65535), so that no client socket can take a port while the server that owns it is restarting.
 */
const LOWEST_PORT = 16_384;
const HIGHEST_PORT = 32_767;
/** Draws before giving up; with a tenth of the range in use, 64 misses in a row have a chance of 10⁻⁶⁴. */
const MAX_DRAWS = 64;
/** Starts tried by `withFreePort` when another process wins the port between release and bind. */
const MAX_STARTS = 5;
const LOOPBACK = '127.0.0.1';

/** A loopback port that no other socket can bind until `release` has resolved. */
export type PortReservation = Readonly<{ port: number; release: () => Promise<void> }>;

export class NoFreePortError extends Error {
  override readonly name = 'NoFreePortError';
  readonly code = 'NO_FREE_PORT' as const;
}

/** Thrown by a start function to tell `withFreePort` that a port was taken after all. */
export class AddressInUseError extends Error {
  override readonly name = 'AddressInUseError';
  readonly code = 'EADDRINUSE' as const;
}

/** Holds a random free port on 127.0.0.1 by listening on it. */
export async function reservePort(): Promise<PortReservation> {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    const server = await listen(port);
    if (server) return { port, release: () => close(server) };
  }
  throw new NoFreePortError(`no free port on ${LOOPBACK} between ${LOWEST_PORT} and ${HIGHEST_PORT}`);
}

/** `count` different ports, free at the time of the answer; for servers whose address others must know beforehand. */
export async function freePorts(count: number): Promise<number[]> {
  const reservations: PortReservation[] = [];
  try {
    while (reservations.length < count) reservations.push(await reservePort());
    return reservations.map(({ port }) => port);
  } finally {
    await Promise.all(reservations.map(({ release }) => release()));
  }
}

/**
 * Runs `start` with a port held until that moment. An error with code `EADDRINUSE` makes it try another port, up to
 * five times; every other error passes through.
 */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  return withFreePorts(1, ([port = 0]) => start(port));
}

/** As `withFreePort`, for a server that listens on `count` ports: each try has other ones. */
export async function withFreePorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts(count);
    try {
      return await start(ports);
    } catch (error) {
      if (attempt >= MAX_STARTS || !hasCode(error, 'EADDRINUSE')) throw error;
    }
  }
}

/** The listening server, or `undefined` where the port is taken or forbidden. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES')) resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error && !hasCode(error, 'ERR_SERVER_NOT_RUNNING') ? reject(error) : resolve()));
  });
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
