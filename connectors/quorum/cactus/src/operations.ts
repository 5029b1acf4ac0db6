/** Every operation of Cactus's Quorum and Besu connectors: path, schemas, the scope that it needs, and what it does. */
import { type Operation, operation, type Scope } from '@drawbridge/connector-cactus/operation';
import type { Static, TSchema } from '@sinclair/typebox';
import type { BesuOperations } from './besu-operations.ts';
import type { ContractOperations } from './contract-operations.ts';
import { fields } from './ethereum-rpc.ts';
import * as schemas from './operation-schemas.ts';
import { invokeRawContract } from './raw-contract.ts';
import type { RawMethods } from './raw-methods.ts';

export type Dialect = 'quorum' | 'besu';

export type OperationServices = Readonly<{
  contracts: ContractOperations;
  besu: BesuOperations;
  rawMethods: RawMethods;
  rawContract: Parameters<typeof invokeRawContract>[1];
}>;

type QuorumOperation = Operation<OperationServices>;
type Facts = Readonly<{ name: string; operationId: string; summary: string; answer: TSchema; raw?: boolean }>;

/** Reads if `member` of the body says one of `values`; anything else is taken for a write. */
const readsIf =
  (member: string, ...values: string[]) =>
  (body: unknown): Scope =>
    values.includes(String(fields(body)?.[member])) ? 'read' : 'write';
const readsUnless =
  (member: string, value: string) =>
  (body: unknown): Scope =>
    fields(body)?.[member] === value ? 'write' : 'read';

const of =
  (dialect: Dialect) =>
  <S extends TSchema>(
    facts: Facts,
    scope: 'read' | 'write' | ((body: unknown) => Scope),
    request: S,
    run: (services: OperationServices, body: Static<S>) => Promise<unknown>,
  ): QuorumOperation =>
    operation({ dialect, ...facts }, scope, request, run);
const ofQuorum = of('quorum');
const ofBesu = of('besu');

const quorum: readonly QuorumOperation[] = [
  ofQuorum(
    {
      name: 'deploy-contract-solidity-bytecode',
      operationId: 'deployContractSolBytecodeV1',
      summary: 'Deploys a contract that a keychain holds',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.QuorumDeployRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  ofQuorum(
    {
      name: 'deploy-contract-solidity-bytecode-json-object',
      operationId: 'deployContractSolBytecodeJsonObjectV1',
      summary: 'Deploys a contract that the request holds',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.QuorumDeployJsonObjectRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  ofQuorum(
    {
      name: 'run-transaction',
      operationId: 'runTransactionV1',
      summary: 'Sends a transaction and waits for its receipt',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.QuorumRunTransactionRequest,
    ({ contracts }, body) => contracts.runTransaction(body),
  ),
  ofQuorum(
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
  ofQuorum(
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
  ofQuorum(
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
  ofQuorum(
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

const besu: readonly QuorumOperation[] = [
  ofBesu(
    {
      name: 'deploy-contract-solidity-bytecode',
      operationId: 'deployContractSolBytecodeV1',
      summary: 'Deploys a contract and notes its address in a keychain that has the contract',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.BesuDeployRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  ofBesu(
    {
      name: 'deploy-contract-solidity-bytecode-no-keychain',
      operationId: 'deployContractSolBytecodeNoKeychainV1',
      summary: 'Deploys a contract that the request holds',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.BesuDeployNoKeychainRequest,
    ({ contracts }, body) => contracts.deploy(body),
  ),
  ofBesu(
    {
      name: 'run-transaction',
      operationId: 'runTransactionV1',
      summary: 'Sends a transaction and waits for its receipt and for the confirmations asked for',
      answer: schemas.TransactionAnswer,
    },
    'write',
    schemas.BesuRunTransactionRequest,
    ({ contracts }, body) => contracts.runTransaction(body),
  ),
  ofBesu(
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
  ofBesu(
    {
      name: 'get-balance',
      operationId: 'getBalanceV1',
      summary: 'Wei of an account',
      answer: schemas.BesuBalanceAnswer,
    },
    'read',
    schemas.BesuBalanceRequest,
    (services, body) => services.besu.balance(body),
  ),
  ofBesu(
    { name: 'get-block', operationId: 'getBlockV1', summary: 'One block, whole', answer: schemas.BesuBlockAnswer },
    'read',
    schemas.BesuBlockRequest,
    (services, body) => services.besu.block(body),
  ),
  ofBesu(
    {
      name: 'get-transaction',
      operationId: 'getTransactionV1',
      summary: 'One transaction',
      answer: schemas.BesuTransactionAnswer,
    },
    'read',
    schemas.BesuTransactionRequest,
    (services, body) => services.besu.transaction(body),
  ),
  ofBesu(
    {
      name: 'get-past-logs',
      operationId: 'getPastLogsV1',
      summary: 'Logs by a filter',
      answer: schemas.BesuPastLogsAnswer,
    },
    'read',
    schemas.BesuPastLogsRequest,
    (services, body) => services.besu.pastLogs(body),
  ),
  ofBesu(
    {
      name: 'get-besu-record',
      operationId: 'getBesuRecordV1',
      summary: 'What a transaction carried, or what a contract answers',
      answer: schemas.BesuRecordAnswer,
    },
    'read',
    schemas.BesuRecordRequest,
    (services, body) => services.besu.record(body),
  ),
  ofBesu(
    {
      name: 'sign-transaction',
      operationId: 'signTransactionV1',
      summary: 'Signs the input of a transaction of the ledger with a key of a keychain',
      answer: schemas.BesuSignTransactionAnswer,
    },
    'write',
    schemas.BesuSignTransactionRequest,
    (services, body) => services.besu.sign(body),
  ),
];

export const OPERATIONS: readonly QuorumOperation[] = [...quorum, ...besu];
