/**
 * Requests and answers of Cactus's Quorum and Besu connectors. A request may have the fields of any version of its
 * operation, old names included; fields that no version had are refused. Answers have the newest form.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false };
const open = { additionalProperties: true };
const maybe = <S extends TSchema>(schema: S) => Type.Optional(schema);

/** JSON Schema's `enum`, which OpenAPI 3.0 knows; the pattern is what checks it. */
export const choice = (...values: string[]) =>
  Type.String({ enum: values, pattern: `^(${values.map((value) => value.replaceAll('.', '\\.')).join('|')})$` });
const anything = Type.Unknown();
const list = Type.Array(anything, { maxItems: 1_000 });
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const amount = Type.Union([Type.String({ pattern: '^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$' }), whole]);
const hash = Type.String({ pattern: '^0x[0-9a-fA-F]{64}$' });
const address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });
const name = Type.String({ minLength: 1, maxLength: 100 });
const hexText = Type.String({ pattern: '^(0x)?([0-9a-fA-F]{2})*$' });
/** Twice what EIP-3860 lets a creation have, for chains without that limit. */
const bytecode = Type.String({ minLength: 1, maxLength: 200_000, pattern: '^(0x)?([0-9a-fA-F]{2})+$' });
/** A list of fragments, or its text. */
const abi = Type.Union([Type.Array(anything, { maxItems: 2_000 }), Type.String({ maxLength: 1_000_000 })]);

export const Credential = Type.Object(
  {
    type: choice('CACTUS_KEYCHAIN_REF', 'GETH_KEYCHAIN_PASSWORD', 'PRIVATE_KEY_HEX', 'NONE'),
    ethAccount: maybe(Type.String({ maxLength: 132 })),
    keychainEntryKey: maybe(Type.String({ maxLength: 1_024 })),
    keychainId: maybe(Type.String({ maxLength: 1_024 })),
    secret: maybe(Type.String({ maxLength: 65_535 })),
  },
  closed,
);

const TransactionConfig = Type.Object(
  {
    rawTransaction: maybe(Type.String({ maxLength: 1_000_000, pattern: '^0x([0-9a-fA-F]{2})+$' })),
    from: maybe(Type.Union([Type.String({ maxLength: 132 }), Type.Number()])),
    to: maybe(address),
    value: maybe(amount),
    gas: maybe(amount),
    gasPrice: maybe(amount),
    nonce: maybe(whole),
    data: maybe(hexText),
  },
  open,
);

const PrivateTransactionConfig = Type.Object(
  {
    privateFrom: maybe(Type.String({ maxLength: 200 })),
    privateFor: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100 }),
    isPrivate: maybe(Type.Boolean()),
    gasPrice: maybe(whole),
    gasLimit: maybe(whole),
    privateKey: maybe(Type.String({ maxLength: 200 })),
    privacyGroupId: maybe(Type.String({ maxLength: 200 })),
  },
  closed,
);

const ContractJson = Type.Object({ contractName: maybe(name), bytecode: maybe(bytecode), abi: maybe(abi) }, open);
const CreatableContractJson = Type.Object({ contractName: name, bytecode, abi: maybe(abi) }, open);

const cost = {
  gas: maybe(amount),
  gasPrice: maybe(amount),
  nonce: maybe(whole),
  value: maybe(amount),
  timeoutMs: maybe(Type.Number({ minimum: 0 })),
  privateTransactionConfig: maybe(PrivateTransactionConfig),
};

export const ConsistencyStrategy = Type.Object(
  {
    receiptType: choice('NODE_TX_POOL_ACK', 'LEDGER_BLOCK_ACK'),
    timeoutMs: maybe(whole),
    blockConfirmations: Type.Integer({ minimum: 0, maximum: 20_000 }),
  },
  closed,
);

export const QuorumRunTransactionRequest = Type.Object(
  {
    web3SigningCredential: Credential,
    transactionConfig: TransactionConfig,
    consistencyStrategy: maybe(ConsistencyStrategy),
    timeoutMs: cost.timeoutMs,
    privateTransactionConfig: cost.privateTransactionConfig,
  },
  closed,
);
export const BesuRunTransactionRequest = Type.Object(
  { ...QuorumRunTransactionRequest.properties, consistencyStrategy: ConsistencyStrategy },
  closed,
);

/** `contractAbi` and `constructorArgs` of Besu, `contractJSON` of Quorum's later versions. */
const deploy = {
  contractName: name,
  web3SigningCredential: Credential,
  contractAbi: maybe(abi),
  bytecode: maybe(bytecode),
  constructorArgs: maybe(list),
  contractJSON: maybe(ContractJson),
  ...cost,
};
export const QuorumDeployRequest = Type.Object({ ...deploy, keychainId: name }, closed);
export const QuorumDeployJsonObjectRequest = Type.Object(
  { web3SigningCredential: Credential, contractJSON: CreatableContractJson, constructorArgs: maybe(list), ...cost },
  closed,
);
const besuDeploy = { ...deploy, contractAbi: abi, bytecode, constructorArgs: list };
export const BesuDeployRequest = Type.Object({ ...besuDeploy, keychainId: name }, closed);
export const BesuDeployNoKeychainRequest = Type.Object(besuDeploy, closed);

/** Either name of the credential: versions differ. The check that one is there is the operation's. */
const invoke = {
  web3SigningCredential: maybe(Credential),
  signingCredential: maybe(Credential),
  invocationType: choice('SEND', 'CALL'),
  methodName: Type.String({ minLength: 1, maxLength: 2_048 }),
  params: list,
  contractAbi: maybe(abi),
  contractAddress: maybe(address),
  contractJSON: maybe(ContractJson),
  ...cost,
};
export const InvokeRequest = Type.Object({ contractName: name, keychainId: maybe(name), ...invoke }, closed);
export const QuorumInvokeJsonObjectRequest = Type.Object(
  { ...invoke, contractAddress: address, contractJSON: ContractJson },
  closed,
);

export const RawMethodRequest = Type.Object(
  { methodName: Type.String({ minLength: 1, maxLength: 2_048 }), params: maybe(list) },
  closed,
);
export const RawContractRequest = Type.Object(
  {
    abi,
    address,
    invocationType: choice('send', 'call', 'encodeABI', 'estimateGas'),
    invocationParams: maybe(
      Type.Object(
        {
          from: maybe(address),
          gas: maybe(amount),
          gasLimit: maybe(amount),
          gasPrice: maybe(amount),
          value: maybe(amount),
          nonce: maybe(whole),
        },
        closed,
      ),
    ),
    contractMethod: Type.String({ minLength: 1, maxLength: 2_048 }),
    contractMethodArgs: maybe(list),
  },
  closed,
);

/** A height as a number or text, a block's hash, or a name such as `latest`. */
export const BlockReference = Type.Union([
  whole,
  Type.String({ pattern: '^(latest|pending|earliest|genesis|safe|finalized|[0-9]{1,16}|0x[0-9a-fA-F]{1,64})$' }),
]);
export const BesuBalanceRequest = Type.Object({ address, defaultBlock: maybe(BlockReference) }, closed);
export const BesuBlockRequest = Type.Object({ blockHashOrBlockNumber: BlockReference }, closed);
export const BesuTransactionRequest = Type.Object({ transactionHash: hash }, closed);
export const BesuPastLogsRequest = Type.Object(
  {
    fromBlock: maybe(BlockReference),
    toBlock: maybe(BlockReference),
    address: maybe(Type.Union([address, Type.Array(address, { maxItems: 100 })])),
    /** Hashes, null for any, or lists of them. */
    topics: maybe(Type.Array(anything, { maxItems: 4 })),
  },
  closed,
);
export const BesuRecordRequest = Type.Object(
  { invokeCall: maybe(InvokeRequest), transactionHash: maybe(hash) },
  closed,
);
export const BesuSignTransactionRequest = Type.Object(
  { keychainId: name, keychainRef: name, transactionHash: hash },
  closed,
);

export const Receipt = Type.Object(
  {
    status: Type.Boolean(),
    transactionHash: hash,
    transactionIndex: Type.Number(),
    blockHash: hash,
    blockNumber: Type.Number(),
    gasUsed: Type.Number(),
    contractAddress: maybe(Type.String()),
    from: Type.String(),
    to: Type.String(),
    logs: maybe(Type.Array(anything)),
    logsBloom: maybe(Type.String()),
    revertReason: maybe(Type.String()),
    output: maybe(Type.String()),
    commitmentHash: maybe(Type.String()),
    cumulativeGasUSed: maybe(Type.Number()),
  },
  open,
);
export const TransactionAnswer = Type.Object({ transactionReceipt: Receipt });
export const InvokeAnswer = Type.Object({
  success: Type.Boolean(),
  transactionReceipt: maybe(Receipt),
  callOutput: maybe(anything),
});
export const RawAnswer = Type.Object(
  { status: Type.Number(), data: maybe(anything), errorDetail: maybe(Type.String()) },
  closed,
);
const loose = Type.Object({}, open);
export const BesuBalanceAnswer = Type.Object({ balance: Type.String() });
export const BesuBlockAnswer = Type.Object({ block: loose });
export const BesuTransactionAnswer = Type.Object({ transaction: loose });
export const BesuPastLogsAnswer = Type.Object({ logs: Type.Array(loose) });
export const BesuRecordAnswer = Type.Object({
  ledgerId: maybe(Type.String()),
  stateContract: maybe(Type.String()),
  transactionInputData: maybe(anything),
  callOutput: maybe(anything),
});
export const BesuSignTransactionAnswer = Type.Object({ signature: Type.String() });

export type RunTransactionBody = Static<typeof QuorumRunTransactionRequest>;
export type DeployBody = Static<typeof QuorumDeployRequest>;
export type InvokeBody = Static<typeof InvokeRequest>;
export type PrivateTransactionBody = Static<typeof PrivateTransactionConfig>;
export type RawContractBody = Static<typeof RawContractRequest>;
export type CredentialBody = Static<typeof Credential>;
export type PastLogsBody = Static<typeof BesuPastLogsRequest>;
