/** Every operation of Cactus's Quorum and Besu connectors: path, schemas, the scope that it needs, and what it does. */
import type { Static, TSchema } from '@sinclair/typebox';
import type { BesuOperations } from './besu-operations.ts';
import type { ContractOperations } from './contract-operations.ts';
import { fields } from './ethereum-rpc.ts';
import * as schemas from './operation-schemas.ts';
import { invokeRawContract } from './raw-contract.ts';
import type { RawMethods } from './raw-methods.ts';
import { checkedBody } from './request-check.ts';

export type Dialect = 'quorum' | 'besu';
/** `metrics` and `document` are Cactus's own scopes; `read` and `write` are named by the configuration. */
export type Scope = 'read' | 'write' | 'metrics' | 'document';

export type OperationServices = Readonly<{
  contracts: ContractOperations;
  besu: BesuOperations;
  rawMethods: RawMethods;
  rawContract: Parameters<typeof invokeRawContract>[1];
}>;

export type Operation = Readonly<{
  dialect: Dialect;
  name: string;
  operationId: string;
  summary: string;
  /** By what the body asks for: reading needs less than sending. */
  scope: (body: unknown) => Scope;
  request: TSchema;
  answer: TSchema;
  /** A failure is told inside an answer 200, as `{status, errorDetail}`. */
  raw: boolean;
  run: (services: OperationServices, body: unknown) => Promise<unknown>;
}>;

type Facts = Readonly<{ name: string; operationId: string; summary: string; answer: TSchema; raw?: boolean }>;

const writes = (): Scope => 'write';
const reads = (): Scope => 'read';
/** Reads if `member` of the body says one of `values`; anything else is taken for a write. */
const readsIf =
  (member: string, ...values: string[]) =>
  (body: unknown): Scope =>
    values.includes(String(fields(body)?.[member])) ? 'read' : 'write';
const readsUnless =
  (member: string, value: string) =>
  (body: unknown): Scope =>
    fields(body)?.[member] === value ? 'write' : 'read';

function operation<S extends TSchema>(
  dialect: Dialect,
  facts: Facts,
  scope: Operation['scope'],
  request: S,
  run: (services: OperationServices, body: Static<S>) => Promise<unknown>,
): Operation {
  return {
    dialect,
    raw: false,
    ...facts,
    scope,
    request,
    run: async (services, body) => run(services, checkedBody(request, body)),
  };
}

const quorum: readonly Operation[] = [
  operation(
    'quorum',
    {
      name: 'deploy-contract-solidity-bytecode',
      operationId: 'deployContractSolBytecodeV1',
      summary: 'Deploys a contract that a keychain holds',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.QuorumDeployRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  operation(
    'quorum',
    {
      name: 'deploy-contract-solidity-bytecode-json-object',
      operationId: 'deployContractSolBytecodeJsonObjectV1',
      summary: 'Deploys a contract that the request holds',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.QuorumDeployJsonObjectRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  operation(
    'quorum',
    {
      name: 'run-transaction',
      operationId: 'runTransactionV1',
      summary: 'Sends a transaction and waits for its receipt',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.QuorumRunTransactionRequest,
    ({ contracts }, body) => contracts.runTransaction(body),
  ),
  operation(
    'quorum',
    {
      name: 'invoke-contract',
      operationId: 'invokeContractV1',
      summary: 'Calls a contract, or sends a transaction to it',
      answer: schemas.InvokeAnswer,
    },
    readsIf('invocationType', 'CALL'),
    schemas.InvokeRequest,
    ({ contracts }, body) => contracts.invoke(body),
  ),
  operation(
    'quorum',
    {
      name: 'invoke-contract-json-object',
      operationId: 'invokeContractV1NoKeychain',
      summary: 'Calls a contract that the request describes, or sends a transaction to it',
      answer: schemas.InvokeAnswer,
    },
    readsIf('invocationType', 'CALL'),
    schemas.QuorumInvokeJsonObjectRequest,
    ({ contracts }, body) => contracts.invoke(body),
  ),
  operation(
    'quorum',
    {
      name: 'invoke-raw-web3eth-method',
      operationId: 'invokeWeb3EthMethodV1',
      summary: 'Calls one of the allowed methods of web3.eth',
      answer: schemas.RawAnswer,
      raw: true,
    },
    readsUnless('methodName', 'sendSignedTransaction'),
    schemas.RawMethodRequest,
    async ({ rawMethods }, { methodName, params }) => ({
      status: 200,
      data: await rawMethods.call(methodName, params ?? []),
    }),
  ),
  operation(
    'quorum',
    {
      name: 'invoke-raw-web3eth-contract',
      operationId: 'invokeRawWeb3EthContractV1',
      summary: 'Runs one method of a contract by its interface',
      answer: schemas.RawAnswer,
      raw: true,
    },
    readsIf('invocationType', 'call', 'encodeABI', 'estimateGas'),
    schemas.RawContractRequest,
    async ({ rawContract }, body) => ({ status: 200, data: await invokeRawContract(body, rawContract) }),
  ),
];

const besu: readonly Operation[] = [
  operation(
    'besu',
    {
      name: 'deploy-contract-solidity-bytecode',
      operationId: 'deployContractSolBytecodeV1',
      summary: 'Deploys a contract and notes its address in a keychain that has the contract',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.BesuDeployRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  operation(
    'besu',
    {
      name: 'deploy-contract-solidity-bytecode-no-keychain',
      operationId: 'deployContractSolBytecodeNoKeychainV1',
      summary: 'Deploys a contract that the request holds',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.BesuDeployNoKeychainRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  operation(
    'besu',
    {
      name: 'run-transaction',
      operationId: 'runTransactionV1',
      summary: 'Sends a transaction and waits for its receipt and for the confirmations asked for',
      answer: schemas.TransactionAnswer,
    },
    writes,
    schemas.BesuRunTransactionRequest,
    ({ contracts }, body) => contracts.runTransaction(body),
  ),
  operation(
    'besu',
    {
      name: 'invoke-contract',
      operationId: 'invokeContractV1',
      summary: 'Calls a contract, or sends a transaction to it',
      answer: schemas.InvokeAnswer,
    },
    readsIf('invocationType', 'CALL'),
    schemas.InvokeRequest,
    ({ contracts }, body) => contracts.invoke(body),
  ),
  operation(
    'besu',
    {
      name: 'get-balance',
      operationId: 'getBalanceV1',
      summary: 'Wei of an account',
      answer: schemas.BesuBalanceAnswer,
    },
    reads,
    schemas.BesuBalanceRequest,
    (services, body) => services.besu.balance(body),
  ),
  operation(
    'besu',
    { name: 'get-block', operationId: 'getBlockV1', summary: 'One block, whole', answer: schemas.BesuBlockAnswer },
    reads,
    schemas.BesuBlockRequest,
    (services, body) => services.besu.block(body),
  ),
  operation(
    'besu',
    {
      name: 'get-transaction',
      operationId: 'getTransactionV1',
      summary: 'One transaction',
      answer: schemas.BesuTransactionAnswer,
    },
    reads,
    schemas.BesuTransactionRequest,
    (services, body) => services.besu.transaction(body),
  ),
  operation(
    'besu',
    {
      name: 'get-past-logs',
      operationId: 'getPastLogsV1',
      summary: 'Logs by a filter',
      answer: schemas.BesuPastLogsAnswer,
    },
    reads,
    schemas.BesuPastLogsRequest,
    (services, body) => services.besu.pastLogs(body),
  ),
  operation(
    'besu',
    {
      name: 'get-besu-record',
      operationId: 'getBesuRecordV1',
      summary: 'What a transaction carried, or what a contract answers',
      answer: schemas.BesuRecordAnswer,
    },
    reads,
    schemas.BesuRecordRequest,
    (services, body) => services.besu.record(body),
  ),
  operation(
    'besu',
    {
      name: 'sign-transaction',
      operationId: 'signTransactionV1',
      summary: 'Signs the input of a transaction of the ledger with a key of a keychain',
      answer: schemas.BesuSignTransactionAnswer,
    },
    writes,
    schemas.BesuSignTransactionRequest,
    (services, body) => services.besu.sign(body),
  ),
];

export const OPERATIONS: readonly Operation[] = [...quorum, ...besu];
