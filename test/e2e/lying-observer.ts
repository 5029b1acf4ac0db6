/**
 * A witness that lies, at the address and with the keys of a registered one, so that its signatures verify. It looks at
 * the network as an honest one would and then says something else, each time by the next of its lies.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { ObserverConfig } from '@drawbridge/demo/local-system';
import { type Bytes32, parseBytes32, parseHex, toHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import { type AttestRequest, parseAttestRequest } from '@drawbridge/protocol/observer-api';
import { type Attestation, type EvmLog, observerStatement } from '@drawbridge/protocol/observer-evidence';
import { JsonRpcProvider } from 'ethers';

export const LIES = [
  /** Shows and signs a log of another amount. */
  'another amount',
  /** Shows the true log and signs one of another amount. */
  'another amount, hidden',
  'another block',
  'a bad signature',
  'a late answer',
  'garbage',
] as const;
export type Lie = (typeof LIES)[number];

/** Longer than an honest answer takes, shorter than a connector waits, ms. */
const LATE_MS = 3_000;
const DEPTH_BLOCKS = 9;

export class LyingObserver {
  readonly #told = new Map<Lie, number>();
  readonly #held = new Set<NodeJS.Timeout>();
  #asked = 0;
  #post: Readonly<{ config: ObserverConfig; key: KeyObject }> | undefined;

  /** For `standIns` of a local system. */
  readonly standIn = async (config: ObserverConfig): Promise<() => Promise<void>> => {
    this.#post = { config, key: createPrivateKey(await readFile(config.attestationKeyFile)) };
    const [key, cert] = await Promise.all([readFile(config.tls.keyFile), readFile(config.tls.certFile)]);
    const server = createServer({ key, cert, minVersion: 'TLSv1.3' }, (request, response) => {
      this.#answer(request, response).catch(() => response.writeHead(500).end());
    });
    const [host, port] = config.listen.split(':');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(Number(port), host, resolve);
    });
    return async () => {
      for (const timer of this.#held) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
  };

  /** How often each lie was told. */
  get told(): ReadonlyMap<Lie, number> {
    return this.#told;
  }

  /** Its word, well signed, about whatever it is given. */
  vouch(network: string, log: EvmLog): Attestation {
    const { config, key } = this.#standing();
    const { genesisHash } = watched(config, network);
    const statement = observerStatement({
      serviceId: config.serviceId,
      network: parseNetworkId(network),
      genesisHash,
      log,
      depthBlocks: DEPTH_BLOCKS,
    });
    const observer = parseParticipantId(config.id);
    return { observer, depthBlocks: DEPTH_BLOCKS, signature: toHex(sign(null, statement, key)) };
  }

  #standing() {
    if (!this.#post) throw new TypeError('it stands in for nobody yet');
    return this.#post;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const question = parseAttestRequest(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    const log = await lookUp(watched(this.#standing().config, question.network), question);
    if (!log) {
      response.writeHead(404).end();
      return;
    }
    const lie = LIES[this.#asked++ % LIES.length] ?? 'garbage';
    const send = (body: string): void => {
      this.#told.set(lie, (this.#told.get(lie) ?? 0) + 1);
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    };
    const body = this.#lie(lie, question.network, log);
    if (lie !== 'a late answer') return send(body);
    const timer = setTimeout(() => send(body), LATE_MS);
    this.#held.add(timer);
    response.once('close', () => clearTimeout(timer));
  }

  #lie(lie: Lie, network: string, log: EvmLog): string {
    const dearer = withAmount(log, 999_999n);
    const elsewhere = { ...log, blockHash: `0x${'e5'.repeat(32)}` as Bytes32 };
    const answer = (shown: EvmLog, attestation: Attestation): string => JSON.stringify({ ...attestation, log: shown });
    switch (lie) {
      case 'another amount':
      case 'a late answer':
        return answer(dearer, this.vouch(network, dearer));
      case 'another amount, hidden':
        return answer(log, this.vouch(network, dearer));
      case 'another block':
        return answer(elsewhere, this.vouch(network, elsewhere));
      case 'a bad signature':
        return answer(log, { ...this.vouch(network, log), signature: toHex(new Uint8Array(64).fill(7)) });
      case 'garbage':
        return '{"observer":[';
    }
  }
}

/** The log of a `Locked` event, its amount (the last word of its data) replaced. */
export function withAmount(log: EvmLog, amountMinor: bigint): EvmLog {
  return { ...log, data: parseHex(log.data.slice(0, -64) + amountMinor.toString(16).padStart(64, '0')) };
}

function watched(config: ObserverConfig, network: string): ObserverConfig['networks'][number] {
  const found = config.networks.find(({ id }) => id === network);
  if (!found) throw new RangeError(`nobody watches ${network} here`);
  return found;
}

async function lookUp(
  { rpcUrl, chainId }: ObserverConfig['networks'][number],
  question: AttestRequest,
): Promise<EvmLog | undefined> {
  const provider = new JsonRpcProvider(rpcUrl, chainId, { staticNetwork: true });
  try {
    const receipt = await provider.getTransactionReceipt(question.transactionHash);
    const log = receipt?.logs.find(({ index }) => index === question.logIndex);
    return (
      log && {
        blockNumber: log.blockNumber,
        blockHash: parseBytes32(log.blockHash),
        transactionHash: parseBytes32(log.transactionHash),
        logIndex: log.index,
        address: parseEvmAddress(log.address),
        topics: log.topics.map((topic) => parseBytes32(topic)),
        data: parseHex(log.data),
      }
    );
  } finally {
    provider.destroy();
  }
}
