/**
 * The `cactus` section of the connector's configuration. Left out, nothing of Cactus is loaded and nothing listens.
 * Nothing of Cactus is imported here, so that reading a configuration does not load its libraries.
 */
import {
  type ApiServerSetup,
  apiServerMembers,
  readApiServerSetup,
  wrongCactus,
} from '@drawbridge/connector-cactus/api-server-config';
import { parseConfig } from '@drawbridge/connector-sdk/connector-files';
import { type Static, Type } from '@sinclair/typebox';
import { DEFAULT_RAW_METHODS, RAW_METHOD_NAMES } from './raw-method-names.ts';

const closed = { additionalProperties: false };
const count = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const Limits = Type.Object(
  {
    /** One request's body; a contract's creation code with its interface fits. */
    bodyBytes: count(1_048_576, 1_024, 33_554_432),
    /** Requests worked on at once; more are answered 503. */
    requests: count(256, 1, 10_000),
    /** What a whole request may take to arrive. */
    requestTimeoutMs: count(30_000, 1_000, 600_000),
    /** How long a receipt is waited for when the request does not say. */
    receiptTimeoutMs: count(60_000, 100, 3_600_000),
    /** The longest that a request may ask to wait. */
    longestReceiptTimeoutMs: count(600_000, 100, 3_600_000),
    /** Pause between two looks for a receipt or a new block. */
    pollMs: count(250, 10, 60_000),
    rpcTimeoutMs: count(10_000, 100, 120_000),
    /** One answer of the node or of the transaction manager. */
    answerBytes: count(16_777_216, 65_536, 268_435_456),
    /** The most that one gas may cost, wei. A request with a price of its own is held to it too. */
    maxFeeWei: Type.String({ default: '500000000000', pattern: '^[0-9]{1,30}$' }),
    /** The most that one transaction may use. */
    maxGas: count(30_000_000, 21_000, 1_000_000_000),
    /** Blocks that one `get-past-logs` may span. */
    logBlocks: count(10_000, 1, 1_000_000),
    /** Sockets that watch blocks. */
    watchers: count(100, 1, 10_000),
    /** Blocks told in one turn when many came at once; the rest follows in the next. */
    blocksPerTurn: count(50, 1, 1_000),
    /** Turns without an answer of the node after which watchers are told and let go. */
    watchFailures: count(20, 1, 10_000),
    /** Accounts whose next nonce is remembered. */
    accounts: count(1_000, 1, 100_000),
  },
  { ...closed, default: {} },
);

export const CactusSection = Type.Object(
  {
    ...apiServerMembers,
    /** Folders of mode 0700 with one file of mode 0600 per entry: keys and contracts. */
    keychains: Type.Array(
      Type.Object({ keychainId: Type.String({ minLength: 1, maxLength: 100 }), dir: Type.String() }, closed),
      { default: [], maxItems: 64 },
    ),
    /** Tessera's own API, for transactions with `privateFor`. Without it they are refused. */
    transactionManagerUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
    /** What `invoke-raw-web3eth-method` may call. */
    rawMethods: Type.Array(Type.Union(RAW_METHOD_NAMES.map((name) => Type.Literal(name))), {
      default: [...DEFAULT_RAW_METHODS],
      maxItems: 100,
    }),
    /**
     * Never in production: `privateKeyHex` takes keys out of requests, `nodeKeys` lets the node sign with keys that it
     * holds (`GETH_KEYCHAIN_PASSWORD`, and `send` of invoke-raw-web3eth-contract).
     */
    developmentOnly: Type.Object(
      { privateKeyHex: Type.Boolean({ default: false }), nodeKeys: Type.Boolean({ default: false }) },
      { ...closed, default: {} },
    ),
    limits: Limits,
  },
  closed,
);

export type CactusSectionConfig = Static<typeof CactusSection>;
export type CactusLimits = Readonly<Omit<Static<typeof Limits>, 'maxFeeWei'> & { maxFeeWei: bigint }>;

/** The section as it is read once, at start. The TLS key is in it: it is never logged. */
export type CactusSetup = ApiServerSetup &
  Readonly<{
    instanceId: string;
    keychains: readonly Readonly<{ keychainId: string; dir: string }>[];
    transactionManagerUrl?: string;
    rawMethods: ReadonlySet<string>;
    developmentOnly: Readonly<{ privateKeyHex: boolean; nodeKeys: boolean }>;
    limits: CactusLimits;
  }>;

/** What holds where the file says nothing. */
export function defaultCactusLimits(): CactusLimits {
  return limitsOf(parseConfig(Limits, {}));
}

const limitsOf = (limits: Static<typeof Limits>): CactusLimits => ({ ...limits, maxFeeWei: BigInt(limits.maxFeeWei) });

/**
 * Reads the files that the section names. `at` makes a path of the file's own out of one in it.
 * @throws ConfigError where it would listen beyond loopback without tokens and TLS, among others
 */
export async function readCactusSetup(
  section: CactusSectionConfig,
  at: (path: string) => string,
): Promise<CactusSetup> {
  const { transactionManagerUrl, limits } = section;
  if (limits.receiptTimeoutMs > limits.longestReceiptTimeoutMs)
    throw wrongCactus('limits.receiptTimeoutMs is above limits.longestReceiptTimeoutMs');
  const ids = section.keychains.map(({ keychainId }) => keychainId);
  if (new Set(ids).size !== ids.length) throw wrongCactus('a keychain is named twice');
  return {
    ...(await readApiServerSetup(section, at)),
    instanceId: section.instanceId ?? 'drawbridge-quorum',
    keychains: section.keychains.map(({ keychainId, dir }) => ({ keychainId, dir: at(dir) })),
    ...(transactionManagerUrl !== undefined && { transactionManagerUrl }),
    rawMethods: new Set(section.rawMethods.map(String)),
    developmentOnly: section.developmentOnly,
    limits: limitsOf(limits),
  };
}
