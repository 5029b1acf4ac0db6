/** One observer of the network: asked for its word about one log, over TLS with its certificate pinned. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import {
  ATTEST_PATH,
  ATTEST_PROBLEMS,
  type AttestAnswer,
  type AttestRequest,
  parseAttestAnswer,
} from '@drawbridge/protocol/observer-api';
import { type EvmLog, eventDigest, observerStatement } from '@drawbridge/protocol/observer-evidence';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import type { AxiosInstance } from 'axios';

/** `code`: the problem's, or one of ours. `shallow` is the usual one: ask again when there are more blocks. */
export type Witness =
  | Readonly<{ type: 'attested'; answer: AttestAnswer }>
  | Readonly<{ type: 'shallow' }>
  | Readonly<{ type: 'refused'; code: string }>;

/** A network of observers as this connector knows it. */
export type WitnessContext = Readonly<{
  serviceId: Bytes32;
  network: NetworkId;
  genesisHash: Bytes32;
  depthBlocks: number;
}>;

export interface Observer {
  readonly id: ParticipantId;
  /** Never throws for what an observer or the way to it can do. */
  attest(log: EvmLog, signal: AbortSignal): Promise<Witness>;
}

export type ObserverClientOptions = Readonly<{
  id: ParticipantId;
  /** Registered key: Ed25519, 32 bytes. Where it is known, a bad signature is left out here already. */
  publicKey?: Hex;
  context: WitnessContext;
}>;

export class ObserverClient implements Observer {
  readonly id: ParticipantId;
  readonly #context: WitnessContext;
  readonly #key: KeyObject | undefined;
  readonly #http: AxiosInstance;

  /** @throws Error when the public key is none. */
  constructor(options: ObserverClientOptions, dependencies: { http: AxiosInstance }) {
    this.id = options.id;
    this.#context = options.context;
    this.#key = options.publicKey === undefined ? undefined : ed25519Key(options.publicKey);
    this.#http = dependencies.http;
  }

  async attest(log: EvmLog, signal: AbortSignal): Promise<Witness> {
    const { blockNumber, blockHash, transactionHash, logIndex } = log;
    const { network } = this.#context;
    const request: AttestRequest = { network, blockNumber, blockHash, transactionHash, logIndex };
    let status: number;
    let data: unknown;
    try {
      ({ status, data } = await this.#http.post<unknown>(ATTEST_PATH, request, { signal }));
    } catch (error) {
      return { type: 'refused', code: unreachable(error) };
    }
    if (status === 425) return { type: 'shallow' };
    return status === 200 ? this.#check(log, data) : { type: 'refused', code: problemCode(data, status) };
  }

  #check(log: EvmLog, data: unknown): Witness {
    let answer: AttestAnswer;
    try {
      answer = parseAttestAnswer(data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { type: 'refused', code: 'ANSWER_INVALID' };
    }
    if (answer.observer !== this.id) return { type: 'refused', code: 'ANSWER_OF_ANOTHER' };
    if (answer.depthBlocks < this.#context.depthBlocks) return { type: 'shallow' };
    if (!sameLog(answer.log, log)) return { type: 'refused', code: 'OTHER_VIEW' };
    const statement = observerStatement({ ...this.#context, log, depthBlocks: answer.depthBlocks });
    if (this.#key && !verify(null, statement, this.#key, fromHex(answer.signature))) {
      return { type: 'refused', code: 'BAD_SIGNATURE' };
    }
    return { type: 'attested', answer };
  }
}

function sameLog(a: EvmLog, b: EvmLog): boolean {
  const place = ({ blockNumber, blockHash, transactionHash, logIndex }: EvmLog) =>
    [blockNumber, blockHash, transactionHash, logIndex, ''].join(' ');
  return place(a) === place(b) && eventDigest(a) === eventDigest(b);
}

/** Ed25519 SubjectPublicKeyInfo up to the key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Key(publicKey: Hex): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, fromHex(publicKey)]), format: 'der', type: 'spki' });
}

function unreachable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : 'UNREACHABLE';
}

/** One of a bounded number of texts: it becomes the label of a counter, and observers may say anything. */
function problemCode(data: unknown, status: number): string {
  const code = typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined;
  if (typeof code === 'string' && Object.hasOwn(ATTEST_PROBLEMS, code)) return code;
  return status >= 100 && status <= 599 ? `STATUS_${status}` : 'STATUS_OTHER';
}
