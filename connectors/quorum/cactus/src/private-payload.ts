/**
 * Transactions that only some members of a Quorum network can read. The payload goes to the sender's transaction
 * manager (Tessera), which answers with a 64-byte key; the chain gets a legacy transaction without EIP-155 over that
 * key, with `v` 37 or 38. What such a transaction does to private state no header proves.
 */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { type BytesLike, encodeRlp, getBytes, hexlify, Transaction, toBeArray } from 'ethers';
import { fetchBounded } from './bounded-answer.ts';
import { fields } from './ethereum-rpc.ts';

export type PrivateRecipients = Readonly<{ privateFrom?: string; privateFor: readonly string[] }>;
export type PrivateFields = Readonly<{
  nonce: number;
  to?: string;
  gasLimit: bigint;
  gasPriceWei: bigint;
}>;

const PAYLOAD_KEY_BYTES = 64;
/** Quorum's mark of a private transaction, in place of 27. */
const PRIVATE_V = 37;

export type TransactionManagerOptions = Readonly<{ url: string; timeoutMs: number; answerBytes: number }>;

/** Stores a payload. @returns its 64-byte key as hex. @throws CactusError TRANSACTION_MANAGER_UNAVAILABLE */
export async function storePayload(
  options: TransactionManagerOptions,
  payload: string,
  { privateFrom }: PrivateRecipients,
): Promise<string> {
  const request = {
    payload: Buffer.from(getBytes(payload)).toString('base64'),
    ...(privateFrom !== undefined && { from: privateFrom }),
  };
  const answer = await fetchBounded(
    new URL('storeraw', options.url.endsWith('/') ? options.url : `${options.url}/`).href,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) },
    options,
  ).catch((cause: unknown) => {
    throw unavailable('it did not answer', cause);
  });
  if (answer.status !== 200) throw unavailable(`it answered ${answer.status}`);
  const key = Buffer.from(keyOf(Buffer.from(answer.body).toString('utf8')), 'base64');
  if (key.length !== PAYLOAD_KEY_BYTES) throw unavailable('it answered no key of 64 bytes');
  return hexlify(key);
}

function keyOf(body: string): string {
  try {
    const key = fields(JSON.parse(body))?.key;
    return typeof key === 'string' ? key : '';
  } catch (cause) {
    throw unavailable('it answered no JSON', cause);
  }
}

/** The signed transaction, for `eth_sendRawPrivateTransaction`. Value is zero: private state has no ether. */
export function signPrivate(
  payloadKey: string,
  parts: PrivateFields,
  sign: (digest: BytesLike) => Readonly<{ r: string; s: string; yParity: 0 | 1 }>,
): string {
  const { nonce, to, gasLimit, gasPriceWei } = parts;
  const transaction = Transaction.from({
    type: 0,
    chainId: 0,
    nonce,
    to: to ?? null,
    gasLimit,
    gasPrice: gasPriceWei,
    value: 0n,
    data: payloadKey,
  });
  const { r, s, yParity } = sign(transaction.unsignedHash);
  const list = [
    toBeArray(nonce),
    toBeArray(gasPriceWei),
    toBeArray(gasLimit),
    to === undefined ? new Uint8Array(0) : getBytes(to),
    new Uint8Array(0),
    getBytes(payloadKey),
    toBeArray(PRIVATE_V + yParity),
    toBeArray(r),
    toBeArray(s),
  ];
  return encodeRlp(list.map((item) => hexlify(item)));
}

const unavailable = (why: string, cause?: unknown): CactusError =>
  new CactusError('TRANSACTION_MANAGER_UNAVAILABLE', `the transaction manager was asked to store a payload: ${why}`, {
    cause,
  });
