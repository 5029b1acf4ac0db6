/**
 * The `cactus` section of the connector's configuration. Left out, nothing of Cactus is loaded and nothing listens.
 * Nothing of Cactus is imported here, so that reading a configuration does not load its libraries.
 */
import { ConfigError, parseConfig, readKey, readText } from '@drawbridge/connector-sdk/connector-files';
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

const Authentication = Type.Object(
  {
    /** Keys that sign tokens: a JSON Web Key Set, or one public key in PEM. Public parts only. */
    keysFile: Type.String(),
    issuer: Type.String({ minLength: 1 }),
    audience: Type.String({ minLength: 1 }),
    algorithms: Type.Array(
      Type.Union(
        ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((name) =>
          Type.Literal(name),
        ),
      ),
      { default: ['ES256', 'RS256', 'EdDSA'], minItems: 1, maxItems: 10 },
    ),
    clockToleranceSeconds: count(5, 0, 300),
    /** Scope for operations that read. Empty: any token that is valid, as Cactus itself has it. */
    readScope: Type.String({ default: 'read:ledger', maxLength: 100 }),
    /** Scope for operations that sign or send. Empty: any token that is valid, as Cactus itself has it. */
    writeScope: Type.String({ default: 'write:ledger', maxLength: 100 }),
  },
  closed,
);

export const CactusSection = Type.Object(
  {
    /** A random port of loopback when left out. */
    listen: Type.String({ default: '127.0.0.1:0', pattern: '^[^:]+:[0-9]{1,5}$' }),
    instanceId: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    authentication: Type.Optional(Authentication),
    tls: Type.Optional(Type.Object({ keyFile: Type.String(), certFile: Type.String() }, closed)),
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

export type TokenRules = Readonly<{
  /** A JSON Web Key Set or one PEM public key. */
  keys: string;
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  clockToleranceSeconds: number;
  readScope: string;
  writeScope: string;
}>;

/** The section as it is read once, at start. The TLS key is in it: it is never logged. */
export type CactusSetup = Readonly<{
  host: string;
  port: number;
  instanceId: string;
  authentication?: TokenRules;
  tls?: Readonly<{ key: string; cert: string }>;
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

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host);

/**
 * Reads the files that the section names. `at` makes a path of the file's own out of one in it.
 * @throws ConfigError where it would listen beyond loopback without tokens and TLS, among others
 */
export async function readCactusSetup(
  section: CactusSectionConfig,
  at: (path: string) => string,
): Promise<CactusSetup> {
  const { authentication, tls, transactionManagerUrl, limits } = section;
  const [host = '127.0.0.1', port = '0'] = section.listen.split(':');
  if (!isLoopback(host) && (!authentication || !tls))
    throw wrong('beyond loopback it listens only with authentication and tls');
  if (limits.receiptTimeoutMs > limits.longestReceiptTimeoutMs)
    throw wrong('limits.receiptTimeoutMs is above limits.longestReceiptTimeoutMs');
  const ids = section.keychains.map(({ keychainId }) => keychainId);
  if (new Set(ids).size !== ids.length) throw wrong('a keychain is named twice');
  return {
    host,
    port: Number(port),
    instanceId: section.instanceId ?? 'drawbridge-quorum',
    ...(authentication && { authentication: await tokenRules(authentication, at) }),
    ...(tls && { tls: { key: await readKey(at(tls.keyFile)), cert: await readText(at(tls.certFile)) } }),
    keychains: section.keychains.map(({ keychainId, dir }) => ({ keychainId, dir: at(dir) })),
    ...(transactionManagerUrl !== undefined && { transactionManagerUrl }),
    rawMethods: new Set(section.rawMethods.map(String)),
    developmentOnly: section.developmentOnly,
    limits: limitsOf(limits),
  };
}

async function tokenRules(rules: Static<typeof Authentication>, at: (path: string) => string): Promise<TokenRules> {
  const { keysFile, ...rest } = rules;
  const keys = await readText(at(keysFile));
  if (/PRIVATE KEY/.test(keys) || /"(d|k)"\s*:/.test(keys)) throw wrong(`${keysFile} must hold public keys only`);
  return { ...rest, keys, algorithms: rest.algorithms.map(String) };
}

const wrong = (what: string): ConfigError =>
  new ConfigError('CONFIG_INVALID', `the configuration is wrong: cactus: ${what}`);
