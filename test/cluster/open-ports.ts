/** What a process listens on, and what a stranger gets there. Linux. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const LISTENING = '0A';
const PATIENCE_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;

/** TCP ports on which `pid` listens, ascending. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const sockets = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[([0-9]+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const ports: number[] = [];
  for (const table of ['tcp', 'tcp6']) {
    const lines = (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).trim().split('\n').slice(1);
    for (const line of lines) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/ +/);
      if (state === LISTENING && sockets.has(inode)) ports.push(Number.parseInt(local.split(':')[1] ?? '', 16));
    }
  }
  return ports.sort((a, b) => a - b);
}

type Told = Readonly<{ bytes: Buffer; how: 'ended' | 'silent' | 'failed' }>;

/** All that comes back for `said` over plain TCP, until the other side ends it or is silent for `quietMs`. */
export function tellPlainly(host: string, port: number, said: string, quietMs = 1_000): Promise<Told> {
  return new Promise((settle) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port });
    const done = (how: Told['how']): void => {
      socket.destroy();
      settle({ bytes: Buffer.concat(chunks), how });
    };
    socket.setTimeout(quietMs, () => done('silent'));
    socket.on('connect', () => socket.write(said));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length > MAX_ANSWER_BYTES) done('ended');
    });
    socket.on('end', () => done('ended'));
    socket.on('error', () => done('failed'));
  });
}

/** Over TLS with a certificate of one's own: what is said back before the other side ends it. */
export function tellPeer(
  address: string,
  own: Readonly<{ key: string; certificate: string }>,
  said: Uint8Array,
): Promise<Told> {
  const [host = '', port] = address.split(':');
  return new Promise((settle) => {
    const chunks: Buffer[] = [];
    const socket = connectTls({
      host,
      port: Number(port),
      key: own.key,
      cert: own.certificate,
      rejectUnauthorized: false,
      ALPNProtocols: ['drawbridge-peer/1'],
      minVersion: 'TLSv1.3',
    });
    const done = (how: Told['how']): void => {
      socket.destroy();
      settle({ bytes: Buffer.concat(chunks), how });
    };
    socket.setTimeout(PATIENCE_MS, () => done('silent'));
    socket.on('secureConnect', () => socket.write(said));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => done('ended'));
    socket.on('error', () => done('failed'));
  });
}
