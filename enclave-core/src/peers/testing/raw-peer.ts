/** The two ends of TLS without our framing, for peers that behave badly. */
import { once } from 'node:events';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { formatAddress, PEER_PROTOCOL, parseAddress, tlsOptions } from '../peer-tls.ts';
import type { PeerIdentity } from '../peer-types.ts';
import { Witness } from './peer-group.ts';
import { GREETING } from './wire.ts';

/** A node that accepts connections, says hello, and does nothing more with them. */
export class RawServer {
  readonly witness = new Witness();
  readonly sockets: TLSSocket[] = [];
  /** Errors of handshakes. */
  readonly refused: string[] = [];
  readonly received: Buffer[] = [];
  readonly #server: Server;

  constructor(
    identity: PeerIdentity,
    serviceCertificate: string,
    options: TlsOptions = {},
    /** What it says first; null: nothing. */
    greeting: Buffer | null = GREETING,
  ) {
    this.#server = createServer(
      {
        ...tlsOptions(identity, serviceCertificate),
        ALPNProtocols: [PEER_PROTOCOL],
        requestCert: true,
        rejectUnauthorized: false,
        ...options,
      },
      (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (piece: Buffer) => {
          this.received.push(piece);
          this.witness.happened();
        });
        if (greeting) socket.write(greeting);
        this.sockets.push(socket);
        this.witness.happened();
      },
    );
    this.#server.on('tlsClientError', (error) => {
      this.refused.push('code' in error ? String(error.code) : error.message);
      this.witness.happened();
    });
  }

  /** Somebody said more than hello. */
  get wasSpokenTo(): boolean {
    return Buffer.concat(this.received).length > GREETING.length;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return formatAddress('127.0.0.1', typeof address === 'object' && address ? address.port : 0);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** How a connection to a node went, from the side of who opened it. */
export class RawClient {
  readonly witness = new Witness();
  readonly socket: TLSSocket;
  receivedBytes = 0;
  readonly sessions: Buffer[] = [];
  connected = false;
  closed = false;

  constructor(
    address: string,
    identity: PeerIdentity | null,
    serviceCertificate: string,
    options: ConnectionOptions = {},
  ) {
    this.socket = connect({
      ...parseAddress(address),
      ...(identity ? tlsOptions(identity, serviceCertificate) : { ca: serviceCertificate }),
      ALPNProtocols: [PEER_PROTOCOL],
      servername: '',
      checkServerIdentity: () => undefined,
      ...options,
    });
    this.socket.on('secureConnect', () => {
      this.connected = true;
      this.witness.happened();
    });
    this.socket.on('session', (session) => {
      this.sessions.push(session);
      this.witness.happened();
    });
    this.socket.on('data', (piece: Buffer) => {
      this.receivedBytes += piece.length;
      this.witness.happened();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.witness.happened();
    });
  }

  async until(holds: () => boolean): Promise<void> {
    await this.witness.until(holds);
  }
}
