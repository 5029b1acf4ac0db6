/** The methods of `web3.eth` that may be called by name: what each asks the node, and the shape of its answer. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { getAddress } from 'ethers';
import { blockTag, isBlockHash } from './block-reference.ts';
import { type EthereumRpc, fields } from './ethereum-rpc.ts';
import { logFilter } from './log-filter.ts';
import { decimal, hexQuantity, jsonNumber, quantity } from './quantities.ts';
import type { RawMethodName } from './raw-method-names.ts';
import type { TransactionRunner } from './transaction-runner.ts';
import { blockDataOf, logOf, receiptOf, transactionOf } from './web3-shapes.ts';

type Parameters = readonly unknown[];
type RawMethod = (params: Parameters) => Promise<unknown>;

export type RawMethodOptions = Readonly<{ allowed: ReadonlySet<string>; logBlocks: number }>;
type Dependencies = Readonly<{ rpc: EthereumRpc; runner: TransactionRunner }>;

export class RawMethods {
  readonly #options: RawMethodOptions;
  readonly #deps: Dependencies;
  readonly #methods: Readonly<Record<RawMethodName, RawMethod>>;

  constructor(options: RawMethodOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#methods = { ...this.#stateReads(), ...this.#chainReads(), ...this.#nodeReads() };
  }

  /** @throws CactusError METHOD_NOT_ALLOWED for all that the configuration does not name */
  async call(name: string, params: Parameters): Promise<unknown> {
    const method = this.#options.allowed.has(name) && Object.hasOwn(this.#methods, name);
    if (!method) throw new CactusError('METHOD_NOT_ALLOWED', 'this connector does not allow that method');
    return this.#methods[name as RawMethodName](params);
  }

  #ask(method: string, ...params: unknown[]): Promise<unknown> {
    return this.#deps.rpc.ask(method, ...params);
  }

  /** `*` in the method's name stands for Hash or Number. */
  #byBlock(method: string, block: unknown, ...params: unknown[]): Promise<unknown> {
    return isBlockHash(block)
      ? this.#ask(method.replace('*', 'Hash'), block, ...params)
      : this.#ask(method.replace('*', 'Number'), blockTag(block), ...params);
  }

  #stateReads() {
    return {
      call: ([request, block]: Parameters) => this.#ask('eth_call', callRequest(request), blockTag(block)),
      estimateGas: async ([request]: Parameters) =>
        jsonNumber(await this.#ask('eth_estimateGas', callRequest(request)), 'gas'),
      getBalance: async ([account, block]: Parameters) =>
        decimal(await this.#ask('eth_getBalance', address(account), blockTag(block)), 'balance'),
      getCode: ([account, block]: Parameters) => this.#ask('eth_getCode', address(account), blockTag(block)),
      getProof: ([account, keys, block]: Parameters) =>
        this.#ask('eth_getProof', address(account), slots(keys), blockTag(block)),
      getStorageAt: ([account, slot, block]: Parameters) =>
        this.#ask('eth_getStorageAt', address(account), hexQuantity(number(slot, 'slot')), blockTag(block)),
      getTransactionCount: async ([account, block]: Parameters) =>
        jsonNumber(await this.#ask('eth_getTransactionCount', address(account), blockTag(block)), 'count'),
    };
  }

  #chainReads() {
    const { logBlocks } = this.#options;
    const count = async (method: string, block: unknown) =>
      orNull(await this.#byBlock(method, block), (found) => jsonNumber(found, 'count'));
    return {
      getBlock: async ([block, whole]: Parameters) =>
        orNull(await this.#byBlock('eth_getBlockBy*', block, whole === true), blockDataOf),
      getBlockNumber: async () => jsonNumber(await this.#ask('eth_blockNumber'), 'block number'),
      getBlockTransactionCount: ([block]: Parameters) => count('eth_getBlockTransactionCountBy*', block),
      getBlockUncleCount: ([block]: Parameters) => count('eth_getUncleCountByBlock*', block),
      getPastLogs: async ([filter]: Parameters) => {
        const logs = await this.#ask('eth_getLogs', await logFilter(fields(filter) ?? {}, logBlocks, this.#deps.rpc));
        if (!Array.isArray(logs)) throw new CactusError('LEDGER_UNAVAILABLE', 'the node answered no list of logs');
        return logs.map((log: unknown) => logOf(log));
      },
      getTransaction: async ([hash]: Parameters) =>
        orNull(await this.#ask('eth_getTransactionByHash', word(hash)), transactionOf),
      getTransactionFromBlock: async ([block, index]: Parameters) =>
        orNull(
          await this.#byBlock('eth_getTransactionByBlock*AndIndex', block, hexQuantity(number(index, 'index'))),
          transactionOf,
        ),
      getTransactionReceipt: async ([hash]: Parameters) =>
        orNull(await this.#ask('eth_getTransactionReceipt', word(hash)), receiptOf),
      getUncle: async ([block, index]: Parameters) =>
        orNull(
          await this.#byBlock('eth_getUncleByBlock*AndIndex', block, hexQuantity(number(index, 'index'))),
          blockDataOf,
        ),
      /** Signed elsewhere; the answer is the receipt, as with web3. */
      sendSignedTransaction: ([raw]: Parameters) => this.#deps.runner.runRaw(String(raw), { confirmations: 0 }),
    };
  }

  #nodeReads() {
    return {
      getAccounts: () => this.#ask('eth_accounts'),
      getChainId: async () => jsonNumber(await this.#ask('eth_chainId'), 'chain id'),
      getCoinbase: () => this.#ask('eth_coinbase'),
      getFeeHistory: ([blocks, newest, percentiles]: Parameters) =>
        this.#ask('eth_feeHistory', hexQuantity(number(blocks, 'blocks')), blockTag(newest), percentiles ?? []),
      getGasPrice: async () => decimal(await this.#ask('eth_gasPrice'), 'gas price'),
      getHashrate: async () => jsonNumber(await this.#ask('eth_hashrate'), 'hash rate'),
      getNodeInfo: () => this.#ask('web3_clientVersion'),
      getProtocolVersion: () => this.#ask('eth_protocolVersion'),
      isMining: () => this.#ask('eth_mining'),
      isSyncing: () => this.#ask('eth_syncing'),
    };
  }
}

const orNull = <T>(answer: unknown, shape: (answer: unknown) => T): T | null =>
  answer === null || answer === undefined ? null : shape(answer);

const invalid = (what: string): CactusError => new CactusError('ARGUMENTS_INVALID', `a parameter is no ${what}`);

function address(value: unknown): string {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)) return getAddress(value.toLowerCase());
  throw invalid('address');
}

function word(value: unknown): string {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)) return value;
  throw invalid('hash');
}

function number(value: unknown, name: string): bigint {
  if (typeof value === 'string' || typeof value === 'number') return quantity(value, name);
  throw invalid(name);
}

function slots(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > 100) throw invalid('list of slots');
  return value.map((slot: unknown) => `0x${number(slot, 'slot').toString(16).padStart(64, '0')}`);
}

/** What web3 calls a transaction object, in JSON-RPC's form; members that it has no word for are left out. */
export function callRequest(value: unknown): Readonly<Record<string, string>> {
  const request = fields(value);
  if (!request) throw invalid('call');
  const { from, to, data, input, gas = request.gasLimit } = request;
  const call: Record<string, string> = {};
  if (from !== undefined) call.from = address(from);
  if (to !== undefined) call.to = address(to);
  if (gas !== undefined) call.gas = hexQuantity(number(gas, 'gas'));
  if (request.gasPrice !== undefined) call.gasPrice = hexQuantity(number(request.gasPrice, 'gasPrice'));
  if (request.value !== undefined) call.value = hexQuantity(number(request.value, 'value'));
  const bytes = data ?? input;
  if (bytes !== undefined) {
    if (typeof bytes !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(bytes)) throw invalid('data');
    call.data = bytes;
  }
  return call;
}
