/** The key that pays the connector's fees. It can spend its own ether and nothing of a vault. */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';
import { computeAddress, SigningKey, Transaction } from 'ethers';
import type { Fees } from './fees.ts';

export type TransactionFields = Readonly<{
  nonce: number;
  to: EvmAddress;
  data: Hex;
  gasLimit: bigint;
  fees: Fees;
}>;
export type SignedTransaction = TransactionFields & Readonly<{ raw: Hex; hash: Bytes32 }>;

export class FeeKey {
  readonly address: EvmAddress;
  readonly #key: SigningKey;
  readonly #chainId: number;

  /** @param privateKey `0x` and 64 hex digits. Throws ethers' error for anything else. */
  constructor(privateKey: string, chainId: number) {
    this.#key = new SigningKey(privateKey);
    this.#chainId = chainId;
    this.address = parseEvmAddress(computeAddress(this.#key));
  }

  /** Deterministic (RFC 6979): the same fields give the same bytes. Value is always zero. */
  sign(fields: TransactionFields): SignedTransaction {
    const { nonce, to, data, gasLimit, fees } = fields;
    const common = { chainId: this.#chainId, nonce, to, data, gasLimit, value: 0n };
    const transaction = Transaction.from(
      fees.kind === 'legacy'
        ? { ...common, type: 0, gasPrice: fees.gasPriceWei }
        : { ...common, type: 2, maxFeePerGas: fees.maxFeeWei, maxPriorityFeePerGas: fees.priorityFeeWei },
    );
    transaction.signature = this.#key.sign(transaction.unsignedHash);
    return { ...fields, raw: transaction.serialized as Hex, hash: transaction.hash as Bytes32 };
  }
}

/** Reads back what `sign` made. @throws TypeError for bytes that are no signed transaction of this form. */
export function parseSigned(raw: Hex): SignedTransaction {
  const transaction = Transaction.from(raw);
  const { nonce, to, data, gasLimit, hash, type, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  if (to === null || hash === null) throw new TypeError('not a signed transaction of this connector');
  const fees: Fees =
    type === 2
      ? { kind: 'dynamic', maxFeeWei: maxFeePerGas ?? 0n, priorityFeeWei: maxPriorityFeePerGas ?? 0n }
      : { kind: 'legacy', gasPriceWei: gasPrice ?? 0n };
  return { nonce, to: parseEvmAddress(to), data: data as Hex, gasLimit, fees, raw, hash: hash as Bytes32 };
}
