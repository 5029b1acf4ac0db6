/** Sends transactions and waits for their receipts. Nonces of one account are given one after another. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { keccak256, Signature, type SigningKey, Transaction } from 'ethers';
import { type EthereumRpc, fields, type NodeRefusal, refusal } from './ethereum-rpc.ts';
import type { HeadClock } from './head-clock.ts';
import { KeyedLock } from './keyed-lock.ts';
import {
  type PrivateRecipients,
  signPrivate,
  storePayload,
  type TransactionManagerOptions,
} from './private-payload.ts';
import { decimal, hexQuantity, jsonNumber, text } from './quantities.ts';
import type { Signer } from './signing-credential.ts';
import { receiptOf, type Web3TransactionReceipt } from './web3-shapes.ts';

/** What a request asked for; the rest is found out. Amounts in wei. */
export type TransactionWish = Readonly<{
  to?: string;
  data: string;
  valueWei?: bigint;
  gas?: bigint;
  gasPriceWei?: bigint;
  nonce?: number;
  privacy?: PrivateRecipients;
}>;
/** `confirmations`: blocks above the one that holds the transaction. */
export type ReceiptWish = Readonly<{ timeoutMs?: number; confirmations: number }>;

export type TransactionRunnerOptions = Readonly<{
  chainId: number;
  maxFeeWei: bigint;
  maxGas: number;
  receiptTimeoutMs: number;
  longestReceiptTimeoutMs: number;
  accounts: number;
  transactionManager?: TransactionManagerOptions;
}>;
type Dependencies = Readonly<{ rpc: EthereumRpc; clock: HeadClock; now: () => number }>;

type Prices = Readonly<{ gasPriceWei: bigint }> | Readonly<{ maxFeeWei: bigint; priorityFeeWei: bigint }>;
type SignedTransaction = Readonly<{ raw: string; hash: string; commitmentHash?: string }>;

/** How long a nonce that was taken counts though the node does not tell of it, as behind a balancer of nodes. */
const NONCE_MEMORY_MS = 5_000;
const NONCE_ATTEMPTS = 2;

export class TransactionRunner {
  readonly #options: TransactionRunnerOptions;
  readonly #deps: Dependencies;
  readonly #accounts = new KeyedLock();
  readonly #nextNonces = new Map<string, Readonly<{ nonce: number; atMs: number }>>();

  constructor(options: TransactionRunnerOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  /** @throws CactusError; with `transactionHash` in its details wherever the transaction may be on its way */
  async run(signer: Signer, wish: TransactionWish, receipt: ReceiptWish): Promise<Web3TransactionReceipt> {
    if (wish.privacy && signer.kind !== 'key')
      throw new CactusError('REQUEST_UNSUPPORTED', 'private transactions are signed here: send CACTUS_KEYCHAIN_REF');
    switch (signer.kind) {
      case 'presigned':
        throw new CactusError('ARGUMENTS_INVALID', 'without a signing credential (NONE) a rawTransaction is needed');
      case 'node':
        return this.#sendByNode(signer.address, signer.password, wish, receipt);
      case 'key':
        return this.#sendByKey(signer.address, signer.key, wish, receipt);
    }
  }

  /** @param raw a signed transaction, from elsewhere */
  async runRaw(raw: string, receipt: ReceiptWish): Promise<Web3TransactionReceipt> {
    if (!/^0x([0-9a-fA-F]{2})+$/.test(raw)) throw new CactusError('ARGUMENTS_INVALID', 'rawTransaction is no hex');
    const hash = keccak256(raw);
    const refused = await this.#send({ raw, hash });
    if (refused) throw refusal('eth_sendRawTransaction', refused);
    return this.#receipt(hash, receipt);
  }

  async #sendByKey(account: string, key: SigningKey, wish: TransactionWish, receipt: ReceiptWish) {
    const payload = wish.privacy && (await storePayload(this.#transactionManager(), wish.data, wish.privacy));
    const [gas, prices] = await Promise.all([this.#gas(account, wish), this.#prices(wish)]);
    const sent = await this.#accounts.run(account, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const nonce = wish.nonce ?? (await this.#nextNonce(account));
        const parts = { account, key, wish, nonce, gas, prices };
        const signed = payload === undefined ? this.#sign(parts) : this.#signPrivate(parts, payload);
        const refused = await this.#send(signed, wish.privacy);
        if (!refused) {
          this.#remember(account, nonce + 1);
          return signed;
        }
        // Somebody else used the account: what is remembered of it is worth nothing.
        this.#nextNonces.delete(account);
        if (
          wish.nonce !== undefined ||
          attempt >= NONCE_ATTEMPTS ||
          !/nonce.*too low|nonce.*below/i.test(refused.message)
        )
          throw refusal('eth_sendRawTransaction', refused);
      }
    });
    const found = await this.#receipt(sent.hash, receipt);
    return sent.commitmentHash === undefined ? found : { ...found, commitmentHash: sent.commitmentHash };
  }

  async #sendByNode(account: string, password: string, wish: TransactionWish, receipt: ReceiptWish) {
    const { to, data, valueWei, gas, gasPriceWei, nonce } = wish;
    const transaction = {
      from: account,
      data,
      ...(to !== undefined && { to }),
      ...(valueWei !== undefined && { value: hexQuantity(valueWei) }),
      ...(gas !== undefined && { gas: hexQuantity(gas) }),
      ...(gasPriceWei !== undefined && { gasPrice: hexQuantity(gasPriceWei) }),
      ...(nonce !== undefined && { nonce: hexQuantity(BigInt(nonce)) }),
    };
    const { rpc } = this.#deps;
    const hash =
      password === ''
        ? await rpc.ask('eth_sendTransaction', transaction)
        : await rpc.ask('personal_sendTransaction', transaction, password);
    return this.#receipt(text(hash, 'transaction hash'), receipt);
  }

  #transactionManager(): TransactionManagerOptions {
    const { transactionManager } = this.#options;
    if (transactionManager) return transactionManager;
    throw new CactusError(
      'PRIVATE_TRANSACTIONS_UNAVAILABLE',
      'this connector has no transaction manager: private transactions are not sent',
    );
  }

  #sign(parts: Unsigned): SignedTransaction {
    const { wish, nonce, gas, prices, key } = parts;
    const transaction = Transaction.from({
      chainId: this.#options.chainId,
      nonce,
      to: wish.to ?? null,
      data: wish.data,
      value: wish.valueWei ?? 0n,
      gasLimit: gas,
      ...('gasPriceWei' in prices
        ? { type: 0, gasPrice: prices.gasPriceWei }
        : { type: 2, maxFeePerGas: prices.maxFeeWei, maxPriorityFeePerGas: prices.priorityFeeWei }),
    });
    transaction.signature = key.sign(transaction.unsignedHash);
    const raw = transaction.serialized;
    return { raw, hash: keccak256(raw) };
  }

  #signPrivate({ wish, nonce, gas, prices, key }: Unsigned, payloadKey: string): SignedTransaction {
    const gasPriceWei = 'gasPriceWei' in prices ? prices.gasPriceWei : prices.maxFeeWei;
    const raw = signPrivate(
      payloadKey,
      { nonce, gasLimit: gas, gasPriceWei, ...(wish.to !== undefined && { to: wish.to }) },
      (digest) => Signature.from(key.sign(digest)),
    );
    return { raw, hash: keccak256(raw), commitmentHash: payloadKey };
  }

  /** What the node refused; nothing when it took the transaction, or had it already. */
  async #send({ raw, hash }: SignedTransaction, privacy?: PrivateRecipients): Promise<NodeRefusal | undefined> {
    const { rpc } = this.#deps;
    try {
      const answer = privacy
        ? await rpc.try('eth_sendRawPrivateTransaction', [raw, privacy])
        : await rpc.try('eth_sendRawTransaction', [raw]);
      if ('result' in answer || /already (known|imported)|known transaction/i.test(answer.refused.message))
        return undefined;
      return answer.refused;
    } catch (cause) {
      throw new CactusError('LEDGER_UNAVAILABLE', 'the node did not say whether it took the transaction', {
        cause,
        details: { transactionHash: hash },
      });
    }
  }

  async #nextNonce(account: string): Promise<number> {
    const pending = jsonNumber(await this.#deps.rpc.ask('eth_getTransactionCount', account, 'pending'), 'nonce');
    const remembered = this.#nextNonces.get(account);
    const fresh = remembered && this.#deps.now() - remembered.atMs < NONCE_MEMORY_MS;
    return fresh ? Math.max(pending, remembered.nonce) : pending;
  }

  #remember(account: string, nonce: number): void {
    this.#nextNonces.delete(account);
    this.#nextNonces.set(account, { nonce, atMs: this.#deps.now() });
    const [oldest] = this.#nextNonces.keys();
    if (this.#nextNonces.size > this.#options.accounts && oldest !== undefined) this.#nextNonces.delete(oldest);
  }

  async #gas(account: string, wish: TransactionWish): Promise<bigint> {
    const { to, data, valueWei } = wish;
    const gas =
      wish.gas ??
      BigInt(
        decimal(
          await this.#deps.rpc.ask('eth_estimateGas', {
            from: account,
            data,
            ...(to !== undefined && { to }),
            ...(valueWei !== undefined && { value: hexQuantity(valueWei) }),
          }),
          'gas',
        ),
      );
    if (gas <= BigInt(this.#options.maxGas)) return gas;
    throw new CactusError('GAS_ABOVE_LIMIT', `the transaction may use ${this.#options.maxGas} gas at most`);
  }

  async #prices({ gasPriceWei, privacy }: TransactionWish): Promise<Prices> {
    const { maxFeeWei } = this.#options;
    const { rpc } = this.#deps;
    if (gasPriceWei !== undefined) return this.#affordable({ gasPriceWei }, gasPriceWei);
    const head = fields(await rpc.ask('eth_getBlockByNumber', 'latest', false));
    if (typeof head?.baseFeePerGas !== 'string' || privacy) {
      const price = BigInt(decimal(await rpc.ask('eth_gasPrice'), 'gas price'));
      return this.#affordable({ gasPriceWei: price }, price);
    }
    const base = BigInt(decimal(head.baseFeePerGas, 'base fee'));
    const advice = await rpc.try('eth_maxPriorityFeePerGas', []);
    const tip = 'result' in advice ? BigInt(decimal(advice.result, 'priority fee')) : 0n;
    // With no tip, only the node that got the transaction includes it. The base fee may double before it is included.
    const priorityFeeWei = tip > 0n ? tip : 1n;
    const wanted = 2n * base + priorityFeeWei;
    const feeWei = wanted < maxFeeWei ? wanted : maxFeeWei;
    return this.#affordable({ maxFeeWei: feeWei, priorityFeeWei }, base + priorityFeeWei);
  }

  #affordable(prices: Prices, leastWei: bigint): Prices {
    if (leastWei <= this.#options.maxFeeWei) return prices;
    throw new CactusError('FEE_ABOVE_LIMIT', 'the price of gas is above this connector’s limit');
  }

  /** The receipt as it stands when its block has `confirmations` blocks above it; a reorganisation starts anew. */
  async #receipt(hash: string, wish: ReceiptWish): Promise<Web3TransactionReceipt> {
    const { clock, now } = this.#deps;
    const { receiptTimeoutMs, longestReceiptTimeoutMs } = this.#options;
    const timeoutMs = Math.min(wish.timeoutMs || receiptTimeoutMs, longestReceiptTimeoutMs);
    const endMs = now() + timeoutMs;
    for (;;) {
      const { seen } = clock;
      const found = await unlessUnavailable(this.#look(hash, wish.confirmations));
      if (found) return found;
      if (now() >= endMs || !(await clock.changedSince(seen, endMs - now()))) break;
    }
    const last = await unlessUnavailable(this.#look(hash, wish.confirmations));
    if (last) return last;
    throw new CactusError(
      'RECEIPT_TIMEOUT',
      `no receipt within ${timeoutMs} ms; the transaction may still take effect`,
      {
        details: { transactionHash: hash },
      },
    );
  }

  async #look(hash: string, confirmations: number): Promise<Web3TransactionReceipt | undefined> {
    const { rpc, clock } = this.#deps;
    const height = confirmations > 0 ? await clock.height() : 0;
    const answer = await rpc.ask('eth_getTransactionReceipt', hash);
    if (!fields(answer)) return undefined;
    const receipt = receiptOf(answer);
    return confirmations === 0 || height - receipt.blockNumber >= confirmations ? receipt : undefined;
  }
}

type Unsigned = Readonly<{
  key: SigningKey;
  wish: TransactionWish;
  nonce: number;
  gas: bigint;
  prices: Prices;
}>;

/** A node that does not answer just now may do so before the time is over. */
async function unlessUnavailable<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof CactusError && error.code === 'LEDGER_UNAVAILABLE') return undefined;
    throw error;
  }
}
