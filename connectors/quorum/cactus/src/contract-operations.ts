/** Deploys and invokes contracts, and runs transactions: the operations that both of Cactus's dialects share. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { requestFault } from '@drawbridge/connector-cactus/request-check';
import { getAddress, type Interface } from 'ethers';
import { contractInterface, decodeOutput, encodeCreation, encodeMethod } from './contract-call.ts';
import type { ContractStore, StoredContract } from './contract-store.ts';
import { type EthereumRpc, refusal } from './ethereum-rpc.ts';
import type {
  CredentialBody,
  DeployBody,
  InvokeBody,
  PrivateTransactionBody,
  RunTransactionBody,
} from './operation-schemas.ts';
import type { PrivateRecipients } from './private-payload.ts';
import { quantity, text } from './quantities.ts';
import type { SigningCredentials } from './signing-credential.ts';
import type { ReceiptWish, TransactionRunner, TransactionWish } from './transaction-runner.ts';
import type { Web3TransactionReceipt } from './web3-shapes.ts';

/** `keychainId` and `contractName` are there or not: some operations have none. */
export type DeployRequest = Partial<Omit<DeployBody, 'web3SigningCredential'>> &
  Pick<DeployBody, 'web3SigningCredential'>;
export type InvokeRequestBody = Omit<InvokeBody, 'contractName'> & Partial<Pick<InvokeBody, 'contractName'>>;
export type TransactionOutcome = Readonly<{ transactionReceipt: Web3TransactionReceipt }>;
export type InvokeOutcome = Readonly<{
  success: boolean;
  transactionReceipt?: Web3TransactionReceipt;
  callOutput?: unknown;
}>;

type Dependencies = Readonly<{
  rpc: EthereumRpc;
  credentials: SigningCredentials;
  runner: TransactionRunner;
  contracts: ContractStore;
}>;

type Costs = Readonly<Pick<DeployBody, 'gas' | 'gasPrice' | 'nonce' | 'value' | 'privateTransactionConfig'>>;

export class ContractOperations {
  readonly #deps: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#deps = dependencies;
  }

  async runTransaction(request: RunTransactionBody): Promise<TransactionOutcome> {
    const { web3SigningCredential, transactionConfig, privateTransactionConfig, timeoutMs } = request;
    const { rawTransaction, from, to, data = '', ...costs } = transactionConfig;
    const receipt = receiptWish(request.consistencyStrategy, timeoutMs);
    checkCredential(web3SigningCredential, 'web3SigningCredential');
    if (rawTransaction !== undefined) {
      if (privateTransactionConfig)
        throw new CactusError('REQUEST_UNSUPPORTED', 'a rawTransaction cannot be made private afterwards');
      if (web3SigningCredential.type !== 'NONE')
        throw requestFault(
          'transactionConfig/rawTransaction',
          'goes with a credential of type NONE only',
          'dependentRequired',
        );
      return { transactionReceipt: await this.#deps.runner.runRaw(rawTransaction, receipt) };
    }
    const signer = await this.#deps.credentials.signer(web3SigningCredential);
    if (signer.kind !== 'presigned' && !sameAccount(from, signer.address))
      throw new CactusError('ARGUMENTS_INVALID', 'transactionConfig.from is not the account that signs');
    const wish = transactionWish({ ...costs, ...(privateTransactionConfig && { privateTransactionConfig }) }, data, to);
    return { transactionReceipt: await this.#deps.runner.run(signer, wish, receipt) };
  }

  /** With a keychain and a name, the keychain's contract learns its address; it must be there unless the request has code. */
  async deploy(request: DeployRequest): Promise<TransactionOutcome> {
    const { keychainId, contractName, web3SigningCredential } = request;
    checkCredential(web3SigningCredential, 'web3SigningCredential');
    if (keychainId === undefined || contractName === undefined) return this.#create(request, {});
    const { contracts, credentials } = this.#deps;
    const keychain = credentials.keychain(keychainId);
    return contracts.exclusively(keychain, contractName, async () => {
      const stored = await contracts.find(keychain, contractName);
      const outcome = await this.#create(request, stored ?? {});
      const { status, contractAddress } = outcome.transactionReceipt;
      if (status && contractAddress !== undefined) await contracts.deployed(keychain, contractName, contractAddress);
      return outcome;
    });
  }

  async invoke(request: InvokeRequestBody): Promise<InvokeOutcome> {
    const { invocationType, methodName, params, privateTransactionConfig, timeoutMs } = request;
    const credential = invokeCredential(request);
    const { contract, address } = await this.#contractOf(request, credential);
    const method = encodeMethod(contract, methodName, params);
    if (invocationType === 'CALL') {
      if (privateTransactionConfig)
        throw new CactusError('REQUEST_UNSUPPORTED', 'private state is read by a plain CALL of a participant’s node');
      const from = credential.ethAccount;
      const data = await this.#call({
        to: address,
        data: method.data,
        ...(from !== undefined && /^0x[0-9a-fA-F]{40}$/.test(from) && { from }),
      });
      return { success: true, callOutput: decodeOutput(contract, method, data) };
    }
    const signer = await this.#deps.credentials.signer(credential);
    const wish = transactionWish(request, method.data, address);
    const transactionReceipt = await this.#deps.runner.run(signer, wish, receiptWish(undefined, timeoutMs));
    return { success: transactionReceipt.status, transactionReceipt };
  }

  async #call(request: Readonly<Record<string, string>>): Promise<string> {
    const answer = await this.#deps.rpc.try('eth_call', [request, 'latest']);
    if ('refused' in answer) throw refusal('eth_call', answer.refused);
    return text(answer.result, 'call output');
  }

  async #create(request: DeployRequest, stored: StoredContract): Promise<TransactionOutcome> {
    const { contractJSON, constructorArgs, timeoutMs } = request;
    const bytecode = request.bytecode ?? contractJSON?.bytecode ?? stored.bytecode;
    const abi = request.contractAbi ?? contractJSON?.abi ?? stored.abi;
    if (bytecode === undefined)
      throw new CactusError('CONTRACT_UNUSABLE', 'neither the request nor the keychain has the contract’s bytecode');
    // Old clients append the arguments themselves and send neither them nor the interface.
    const whole = abi === undefined || (request.bytecode !== undefined && constructorArgs === undefined);
    const data = encodeCreation(whole ? undefined : contractInterface(abi), bytecode, constructorArgs ?? []);
    const { type } = request.web3SigningCredential;
    if (type === 'NONE')
      throw new CactusError('CREDENTIAL_REFUSED', 'a deployment is signed here: it cannot come with NONE');
    const signer = await this.#deps.credentials.signer(request.web3SigningCredential);
    const wish = transactionWish(request, data);
    return { transactionReceipt: await this.#deps.runner.run(signer, wish, receiptWish(undefined, timeoutMs)) };
  }

  async #contractOf(
    request: InvokeRequestBody,
    credential: CredentialBody,
  ): Promise<Readonly<{ contract: Interface; address: string }>> {
    const given = request.contractAbi ?? request.contractJSON?.abi;
    const { contractAddress, keychainId, contractName } = request;
    if (given !== undefined && contractAddress !== undefined)
      return { contract: contractInterface(given), address: getAddress(contractAddress.toLowerCase()) };
    if (keychainId === undefined || contractName === undefined)
      throw requestFault('keychainId', 'must be there where contractAbi and contractAddress are not', 'required');
    const { contracts, credentials } = this.#deps;
    const keychain = credentials.keychain(keychainId);
    return contracts.exclusively(keychain, contractName, async () => {
      const stored = await contracts.find(keychain, contractName);
      if (!stored) throw new CactusError('KEYCHAIN_ENTRY_NOT_FOUND', 'the keychain has no such contract');
      const contract = contractInterface(given ?? stored.abi);
      const known = contractAddress ?? stored.address;
      if (known !== undefined) return { contract, address: getAddress(known.toLowerCase()) };
      if (request.invocationType === 'CALL')
        throw new CactusError('CONTRACT_UNUSABLE', 'the contract is not deployed on this network');
      return { contract, address: await this.#deployFirst(request, credential, stored, contractName) };
    });
  }

  /** As Cactus has it, the first SEND to a contract that is not there deploys it. The caller holds the contract's lock. */
  async #deployFirst(request: InvokeRequestBody, credential: CredentialBody, stored: StoredContract, name: string) {
    const { gasPrice, timeoutMs, privateTransactionConfig } = request;
    const outcome = await this.#create(
      {
        web3SigningCredential: credential,
        ...(gasPrice !== undefined && { gasPrice }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(privateTransactionConfig && { privateTransactionConfig }),
      },
      stored,
    );
    const { contractAddress, status } = outcome.transactionReceipt;
    if (!status || contractAddress === undefined)
      throw new CactusError('REVERTED', 'the contract’s deployment was refused by the chain');
    await this.#deps.contracts.deployed(this.#deps.credentials.keychain(request.keychainId), name, contractAddress);
    return contractAddress;
  }
}

/** Old and new names of one field. */
function invokeCredential(request: InvokeRequestBody): CredentialBody {
  const credential = request.web3SigningCredential ?? request.signingCredential;
  if (!credential)
    throw requestFault('web3SigningCredential', "must have required property 'web3SigningCredential'", 'required');
  if (request.invocationType === 'SEND') {
    checkCredential(credential, request.web3SigningCredential ? 'web3SigningCredential' : 'signingCredential');
    if (credential.type === 'NONE')
      throw new CactusError('CREDENTIAL_REFUSED', 'a SEND is signed here: it cannot come with NONE');
  }
  return credential;
}

/** What each type of credential needs. */
function checkCredential(credential: CredentialBody, member: string): void {
  const needed: Readonly<Record<string, readonly ('ethAccount' | 'keychainEntryKey' | 'secret')[]>> = {
    CACTUS_KEYCHAIN_REF: ['ethAccount', 'keychainEntryKey'],
    GETH_KEYCHAIN_PASSWORD: ['ethAccount', 'secret'],
    PRIVATE_KEY_HEX: ['ethAccount', 'secret'],
  };
  for (const name of needed[credential.type] ?? []) {
    if (credential[name] === undefined)
      throw requestFault(`${member}/${name}`, `must have required property '${name}'`, 'required');
  }
}

function transactionWish(costs: Costs, data: string, to?: string): TransactionWish {
  const { value, gas, gasPrice, nonce, privateTransactionConfig } = costs;
  const privacy = privateTransactionConfig && recipients(privateTransactionConfig);
  const valueWei = value === undefined ? undefined : quantity(value, 'value');
  if (privacy && valueWei !== undefined && valueWei !== 0n)
    throw new CactusError('ARGUMENTS_INVALID', 'a private transaction moves no ether');
  const gasLimit = gas ?? privateTransactionConfig?.gasLimit;
  const price = gasPrice ?? privateTransactionConfig?.gasPrice;
  return {
    data: data.startsWith('0x') ? data : `0x${data}`,
    ...(to !== undefined && { to: getAddress(to.toLowerCase()) }),
    ...(valueWei !== undefined && { valueWei }),
    ...(gasLimit !== undefined && { gas: quantity(gasLimit, 'gas') }),
    ...(price !== undefined && { gasPriceWei: quantity(price, 'gasPrice') }),
    ...(nonce !== undefined && { nonce }),
    ...(privacy && { privacy }),
  };
}

function recipients(config: PrivateTransactionBody): PrivateRecipients {
  const { privateFor, privateFrom, privateKey, privacyGroupId, isPrivate } = config;
  if (privateKey !== undefined)
    throw new CactusError('CREDENTIAL_REFUSED', 'keys come by the signing credential, not in privateTransactionConfig');
  if (privacyGroupId !== undefined)
    throw new CactusError('REQUEST_UNSUPPORTED', 'privacy groups are not supported: name the members in privateFor');
  if (isPrivate === false)
    throw new CactusError('ARGUMENTS_INVALID', 'privateTransactionConfig says that the transaction is not private');
  return { privateFor, ...(privateFrom !== undefined && { privateFrom }) };
}

function receiptWish(strategy: RunTransactionBody['consistencyStrategy'], timeoutMs: number | undefined): ReceiptWish {
  const wanted = strategy?.timeoutMs ?? timeoutMs;
  const confirmations = strategy?.blockConfirmations ?? 0;
  if (strategy?.receiptType === 'NODE_TX_POOL_ACK' && confirmations > 0)
    throw requestFault(
      'consistencyStrategy/blockConfirmations',
      'must be 0 with NODE_TX_POOL_ACK, which waits for no confirmations',
      'maximum',
    );
  return { confirmations, ...(wanted !== undefined && { timeoutMs: wanted }) };
}

const sameAccount = (from: string | number | undefined, account: string): boolean =>
  typeof from !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(from) || from.toLowerCase() === account.toLowerCase();
