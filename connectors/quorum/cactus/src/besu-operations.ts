/** Operations that only Cactus's Besu connector has. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { getAddress, keccak256, toUtf8Bytes } from 'ethers';
import { blockTag, isBlockHash } from './block-reference.ts';
import type { ContractOperations, InvokeRequestBody } from './contract-operations.ts';
import { type EthereumRpc, fields } from './ethereum-rpc.ts';
import { logFilter } from './log-filter.ts';
import type { PastLogsBody } from './operation-schemas.ts';
import { decimal, text } from './quantities.ts';
import type { SigningCredentials } from './signing-credential.ts';
import { evmBlockOf, logOf, transactionOf } from './web3-shapes.ts';

export type BesuOperationsOptions = Readonly<{ logBlocks: number }>;
type Dependencies = Readonly<{
  rpc: EthereumRpc;
  credentials: SigningCredentials;
  contracts: ContractOperations;
}>;
type BlockReferenceBody = string | number;

export class BesuOperations {
  readonly #options: BesuOperationsOptions;
  readonly #deps: Dependencies;

  constructor(options: BesuOperationsOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  async balance(request: Readonly<{ address: string; defaultBlock?: BlockReferenceBody }>) {
    const account = getAddress(request.address.toLowerCase());
    const balance = await this.#deps.rpc.ask('eth_getBalance', account, blockTag(request.defaultBlock));
    return { balance: decimal(balance, 'balance') };
  }

  async block({ blockHashOrBlockNumber: block }: Readonly<{ blockHashOrBlockNumber: BlockReferenceBody }>) {
    const { rpc } = this.#deps;
    const found = isBlockHash(block)
      ? await rpc.ask('eth_getBlockByHash', block, true)
      : await rpc.ask('eth_getBlockByNumber', blockTag(block), true);
    if (!fields(found)) throw new CactusError('NOT_FOUND', 'the node has no such block');
    return { block: evmBlockOf(found) };
  }

  async transaction({ transactionHash }: Readonly<{ transactionHash: string }>) {
    return { transaction: transactionOf(await this.#transaction(transactionHash)) };
  }

  async pastLogs(request: PastLogsBody) {
    const { rpc } = this.#deps;
    const logs = await rpc.ask('eth_getLogs', await logFilter(request, this.#options.logBlocks, rpc));
    if (!Array.isArray(logs)) throw new CactusError('LEDGER_UNAVAILABLE', 'the node answered no list of logs');
    return { logs: logs.map((log: unknown) => logOf(log)) };
  }

  /** What a transaction carried, or what a contract answers to a CALL. */
  async record(request: Readonly<{ transactionHash?: string; invokeCall?: InvokeRequestBody }>) {
    if (request.transactionHash !== undefined)
      return { transactionInputData: text((await this.#transaction(request.transactionHash)).input, 'input') };
    if (!request.invokeCall) return {};
    if (request.invokeCall.invocationType !== 'CALL')
      throw new CactusError('ARGUMENTS_INVALID', 'a record is read by CALL');
    return { callOutput: (await this.#deps.contracts.invoke(request.invokeCall)).callOutput };
  }

  /**
   * As Cactus's JsObjectSigner: secp256k1 over keccak256 of the transaction's input as JSON text, r and s in hex. JSON
   * text begins with a quote, so no transaction can have this digest.
   */
  async sign(request: Readonly<{ keychainId: string; keychainRef: string; transactionHash: string }>) {
    const { keychainId, keychainRef, transactionHash } = request;
    const input = text((await this.#transaction(transactionHash)).input, 'input');
    const key = await this.#deps.credentials.keyOf({
      type: 'CACTUS_KEYCHAIN_REF',
      keychainId,
      keychainEntryKey: keychainRef,
    });
    const { r, s } = key.sign(keccak256(toUtf8Bytes(JSON.stringify(input))));
    return { signature: `${r.slice(2)}${s.slice(2)}` };
  }

  async #transaction(hash: string): Promise<Record<string, unknown>> {
    const found = fields(await this.#deps.rpc.ask('eth_getTransactionByHash', hash));
    if (found) return found;
    throw new CactusError('NOT_FOUND', 'Transaction not found');
  }
}
