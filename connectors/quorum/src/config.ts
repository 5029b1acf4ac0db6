/** The connector's configuration: one JSON file, checked whole, and the keys that it names. */
import { dirname, resolve } from 'node:path';
import { CactusSection, type CactusSetup, readCactusSetup } from '@drawbridge/connector-quorum-cactus/cactus-config';
import { processSection, vaultsSection } from '@drawbridge/connector-sdk/config-sections';
import { ConfigError, parseConfig, readJson, readKey, readText } from '@drawbridge/connector-sdk/connector-files';
import { parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { CONSENSUS_RULES, type ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import { parseAssetCode, parseEvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import { type Static, Type } from '@sinclair/typebox';

const WORD = '^0x[0-9a-fA-F]{64}$';
const ADDRESS = '^0x[0-9a-fA-F]{40}$';
const WEI = '^[0-9]{1,30}$';
const closed = { additionalProperties: false };
const count = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const Limits = Type.Object(
  {
    /** Instructions worked on at once; most of that time is waiting for depth. */
    concurrency: count(256, 1, 4_096),
    /** Pause between two looks at the chain's height, ms. */
    pollMs: count(100, 10, 60_000),
    /** The same, and that between two looks for vault events, while the node announces its blocks (`wsUrl`). */
    quietPollMs: count(2_000, 10, 60_000),
    /** Announcements are passed on at most once in this time. */
    announceGapMs: count(20, 1, 10_000),
    /** Silence of the announcing node, after which it is asked for a sign of life. */
    announceSilenceMs: count(15_000, 100, 600_000),
    /** Longest pause before the connection for announcements is made anew. */
    announcePauseMs: count(10_000, 100, 600_000),
    /** Longest announcement. */
    maxAnnouncementBytes: count(1_048_576, 1_024, 16_777_216),
    /** Attempts of a job that its queue gave no number. */
    attempts: count(12, 1, 100),
    firstPauseMs: count(1_000, 10, 600_000),
    longestPauseMs: count(300_000, 10, 86_400_000),
    /** How long one attempt waits for a block with its transaction. */
    minedTimeoutMs: count(30_000, 100, 3_600_000),
    /** How long one attempt waits for depth before it makes room for others. */
    finalityTimeoutMs: count(30_000, 100, 3_600_000),
    handOverMs: count(2_000, 10, 600_000),
    maxHandOvers: count(1_000, 1, 1_000_000),
    /** BullMQ gives a silent worker's jobs to another after this. */
    lockMs: count(30_000, 1_000, 600_000),
    /** How long a vault's authority and epoch are believed. */
    descriptionMs: count(1_000, 0, 60_000),
    rpcTimeoutMs: count(10_000, 100, 120_000),
    httpTimeoutMs: count(10_000, 100, 120_000),

    /** The most that one gas may cost, wei. */
    maxFeeWei: Type.String({ default: '500000000000', pattern: WEI }),
    /** Least tip, wei: with none, only the node that got the transaction includes it. */
    minPriorityFeeWei: Type.String({ default: '1', pattern: WEI }),
    /** The most gas that one instruction may use. */
    maxGas: count(1_000_000, 21_000, 100_000_000),
    /** Transactions sent under one lease of nonces. */
    sendBatch: count(16, 1, 256),
    /** Transactions of the fee key that no block holds yet. */
    maxUnmined: count(64, 1, 4_096),
    /** Nonces tried for one transaction. */
    maxNonces: count(5, 1, 100),
    /** How long the node's count and prices are believed that were asked for while an instruction was checked. */
    outlookMs: count(250, 0, 10_000),
    /** A transaction that the node does not have for so long is sent again. */
    droppedAfterMs: count(10_000, 100, 3_600_000),
    /** The next transaction to be mined that waits for so long is replaced by one that pays more. */
    replaceAfterMs: count(60_000, 100, 3_600_000),
    /** A nonce that nobody uses for so long, and that holds up ours, is filled. */
    gapAfterMs: count(15_000, 100, 3_600_000),
    maxGapFills: count(16, 1, 256),
    /** Looks in a row that must show a nonce used by another transaction. */
    supersededLooks: count(10, 1, 1_000),
    leaseMs: count(5_000, 100, 60_000),
    leaseWaitMs: count(2_000, 0, 60_000),
    nonceHintMs: count(60_000, 0, 3_600_000),
    journalRecords: count(10_000, 100, 10_000_000),

    /** Pause between two looks for vault events. */
    followMs: count(250, 10, 60_000),
    /** How often the follower returns to the core's cursor. */
    cursorMs: count(10_000, 100, 600_000),
    /** Evidence that the core has not taken after this is made anew. */
    rebuildMs: count(60_000, 100, 86_400_000),
    /** Failed evidence gets another go after this; completed evidence that the core does not know, after `cursorMs`. */
    retryFailedMs: count(60_000, 100, 86_400_000),
    rangeBlocks: count(2_000, 1, 100_000),
    rangesPerTurn: count(20, 1, 1_000),
    maxPendingEvents: count(2_000, 1, 100_000),
    buildConcurrency: count(16, 1, 256),
    keepCompleted: count(1_000, 0, 100_000),

    /** By consensus: longest pause between two looks for new headers. */
    headerMs: count(10_000, 100, 600_000),
    /** By consensus: batches of headers offered that the core has not taken; 256 headers each at most. */
    maxHeaderBatches: count(16, 1, 1_024),
    /** By consensus: blocks whose receipts are kept for further events of theirs. */
    receiptBlocks: count(4, 1, 256),
    /** By consensus: longest answer of the node; one HTTP answer may hold fifty receipts with all their logs. */
    maxRpcAnswerBytes: count(67_108_864, 65_536, 1_073_741_824),
  },
  { ...closed, default: {} },
);

const Observer = Type.Object(
  {
    id: Type.String(),
    url: Type.String({ pattern: '^https://' }),
    /** The certificate that it must show; public authorities when left out. */
    certFile: Type.Optional(Type.String()),
    /** Registered attestation key: Ed25519, 32 bytes. Without it one that lies could get into every item. */
    publicKey: Type.String({ pattern: WORD }),
  },
  closed,
);

const RuleForm = Type.Union([Type.Literal('observers'), ...CONSENSUS_RULES.map((rule) => Type.Literal(rule))], {
  default: 'observers',
});

const CoreUrl = Type.String({ pattern: '^https://' });

const Config = Type.Object(
  {
    network: Type.String(),
    chainId: Type.Integer({ minimum: 1 }),
    genesisHash: Type.String({ pattern: WORD }),
    rpcUrl: Type.String({ pattern: '^https?://' }),
    /** Where the node announces its blocks (`eth_subscribe`): they are looked at when they come. Without it they are looked for. */
    wsUrl: Type.Optional(Type.String({ pattern: '^wss?://' })),
    redisUrl: Type.String({ pattern: '^rediss?://' }),
    /** A node of the core, or several: the next is asked where one does not answer. */
    coreUrl: Type.Union([CoreUrl, Type.Array(CoreUrl, { minItems: 1, maxItems: 16 })]),
    /** Folder of this process alone: the journal of transactions. */
    stateDir: Type.String(),
    tls: Type.Object({ keyFile: Type.String(), certFile: Type.String(), serviceCertFile: Type.String() }, closed),
    /** RSA private key, PEM, mode 0600: instructions are sealed to it. */
    sealingKeyFile: Type.String(),
    /** secp256k1 private key, hex, mode 0600: pays for gas. */
    feeKeyFile: Type.String(),
    /** How the core believes this network, as registered. */
    rule: RuleForm,
    /** Rule `observers` alone. */
    observers: Type.Optional(Type.Array(Observer, { minItems: 1, maxItems: 32 })),
    /** Rule `observers` alone. */
    threshold: Type.Optional(Type.Integer({ minimum: 1, maximum: 32 })),
    /** Rules of consensus alone: blocks that the core remembers below its head, as registered. */
    maxGapBlocks: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
    /** Blocks from an event's to the head, both counted. Nodes keep the state of about 128. */
    depthBlocks: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    vaults: vaultsSection(ADDRESS),
    ...processSection,
    /** Cactus's API, for existing clients of Cactus. Left out, nothing of it is loaded. */
    cactus: Type.Optional(CactusSection),
    limits: Limits,
  },
  closed,
);

type FileConfig = Static<typeof Config>;
export type ConnectorLimits = Readonly<
  Omit<Static<typeof Limits>, 'maxFeeWei' | 'minPriorityFeeWei'> & { maxFeeWei: bigint; minPriorityFeeWei: bigint }
>;

/** What holds where the file says nothing. */
export function defaultLimits(): ConnectorLimits {
  return limitsOf(parseConfig(Limits, {}));
}

const limitsOf = (limits: Static<typeof Limits>): ConnectorLimits => ({
  ...limits,
  maxFeeWei: BigInt(limits.maxFeeWei),
  minPriorityFeeWei: BigInt(limits.minPriorityFeeWei),
});

/** Everything that is read once, at start. Keys are in it: it is never logged. */
export type ConnectorSetup = Readonly<ReturnType<typeof parsed>>;

/** @throws ConfigError in words for whoever wrote the file. Paths count from the file. */
export async function readSetup(file: string): Promise<ConnectorSetup> {
  const config = parseConfig(Config, await readJson(file));
  const at = (path: string): string => resolve(dirname(file), path);
  const [tlsKey, tlsCert, serviceCert, sealingKey, feeKey] = await Promise.all([
    readKey(at(config.tls.keyFile)),
    readText(at(config.tls.certFile)),
    readText(at(config.tls.serviceCertFile)),
    readKey(at(config.sealingKeyFile)),
    readKey(at(config.feeKeyFile)),
  ]);
  const pinned = await Promise.all(
    (config.observers ?? []).map(async ({ certFile }) => (certFile === undefined ? undefined : readText(at(certFile)))),
  );
  const cactus = config.cactus && (await readCactusSetup(config.cactus, at));
  return parsed(config, {
    tlsKey,
    tlsCert,
    serviceCert,
    sealingKey,
    feeKey: feeKey.trim(),
    pinned,
    ...(cactus && { cactus }),
    at,
  });
}

type Files = Readonly<{
  tlsKey: string;
  tlsCert: string;
  serviceCert: string;
  sealingKey: string;
  feeKey: string;
  pinned: readonly (string | undefined)[];
  cactus?: CactusSetup;
  at: (path: string) => string;
}>;

function parsed(config: FileConfig, files: Files) {
  const { limits, vaults } = config;
  const finality = finalityOf(config);
  const { observers, threshold } = finality;
  if (threshold > observers.length) throw wrong('threshold is higher than the number of observers');
  if (new Set(observers.map(({ id }) => id)).size !== observers.length) throw wrong('an observer is named twice');
  if (new Set(vaults.map(({ asset }) => asset)).size !== vaults.length) throw wrong('an asset has two vaults');
  if (!/^0x[0-9a-fA-F]{64}$/.test(files.feeKey)) throw wrong('the fee key is 0x and 64 hex digits');
  return {
    network: parseNetworkId(config.network),
    chainId: config.chainId,
    genesisHash: parseBytes32(config.genesisHash),
    rpcUrl: config.rpcUrl,
    ...(config.wsUrl === undefined ? {} : { wsUrl: config.wsUrl }),
    redisUrl: config.redisUrl,
    coreUrl: config.coreUrl,
    stateDir: files.at(config.stateDir),
    tls: { key: files.tlsKey, cert: files.tlsCert, serviceCert: files.serviceCert },
    sealingKey: files.sealingKey,
    feeKey: files.feeKey,
    observers: observers.map(({ id, url, publicKey }, index) => {
      const pinned = files.pinned[index];
      return {
        id: parseParticipantId(id),
        url,
        publicKey: parseHex(publicKey),
        ...(pinned === undefined ? {} : { pinned }),
      };
    }),
    threshold,
    depthBlocks: finality.depthBlocks,
    ...(finality.consensus === undefined ? {} : { consensus: finality.consensus }),
    vaults: vaults.map(({ asset, address, authority }) => ({
      asset: parseAssetCode(asset),
      address: parseEvmAddress(address),
      ...(authority === undefined ? {} : { authority: parseEvmAddress(authority) }),
    })),
    listen: config.listen,
    roles: new Set(config.roles),
    ...(files.cactus && { cactus: files.cactus }),
    logLevel: String(config.logLevel),
    limits: limitsOf(limits),
  };
}

/** A network that is believed by proof: the same numbers as in its registration. */
export type ConsensusSetup = Readonly<{ rule: ConsensusRule; maxGapBlocks: number }>;

/** Where seals make a block final at once, and where blocks vouch by being stacked: enough for eight signers. */
const DEFAULT_DEPTH_BLOCKS: Readonly<Record<ConsensusRule, number>> = { qbft: 1, ibft: 1, ibft2: 1, clique: 7 };

type Finality = Readonly<{
  observers: readonly Static<typeof Observer>[];
  threshold: number;
  depthBlocks: number;
  consensus?: ConsensusSetup;
}>;

function finalityOf({ rule, observers, threshold, depthBlocks, maxGapBlocks }: FileConfig): Finality {
  if (rule === 'observers') {
    if (!observers || threshold === undefined || depthBlocks === undefined)
      throw wrong('rule observers needs observers, threshold and depthBlocks');
    if (maxGapBlocks !== undefined) throw wrong('maxGapBlocks belongs to rules of consensus');
    return { observers, threshold, depthBlocks };
  }
  if (observers || threshold !== undefined) throw wrong(`observers and threshold do not belong to rule ${rule}`);
  if (maxGapBlocks === undefined) throw wrong(`rule ${rule} needs maxGapBlocks, as registered`);
  const depth = depthBlocks ?? DEFAULT_DEPTH_BLOCKS[rule];
  if (rule === 'clique' && maxGapBlocks < 2 * depth) throw wrong('maxGapBlocks is less than twice depthBlocks');
  return { observers: [], threshold: 0, depthBlocks: depth, consensus: { rule, maxGapBlocks } };
}

const wrong = (what: string): ConfigError => new ConfigError('CONFIG_INVALID', `the configuration is wrong: ${what}`);
