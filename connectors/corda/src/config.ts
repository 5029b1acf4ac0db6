/** The connector's configuration: one JSON file, checked whole, and the keys that it names. */
import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { processSection, vaultsSection } from '@drawbridge/connector-sdk/config-sections';
import { ConfigError, parseConfig, readJson, readKey, readText } from '@drawbridge/connector-sdk/connector-files';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { type Static, Type } from '@sinclair/typebox';
import { CordaCactusSection, type CordaCactusSetup, readCordaCactusSetup } from './cactus/corda-cactus-config.ts';

const WORD = '^0x[0-9a-fA-F]{64}$';
const closed = { additionalProperties: false };
const count = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const Limits = Type.Object(
  {
    /** Instructions worked on at once. */
    concurrency: count(64, 1, 1_024),
    /** Attempts of a job, and the pauses between them, ms. */
    attempts: count(12, 1, 100),
    firstPauseMs: count(1_000, 10, 600_000),
    longestPauseMs: count(300_000, 10, 86_400_000),
    /** How long one attempt waits for a flow that goes on, before it makes room for others. */
    finalityTimeoutMs: count(30_000, 100, 3_600_000),
    handOverMs: count(2_000, 10, 600_000),
    maxHandOvers: count(1_000, 1, 1_000_000),
    /** BullMQ gives a silent worker's jobs to another after this. */
    lockMs: count(30_000, 1_000, 600_000),
    /** Pause between two looks at a vault's authority and epoch; before they are believed to refuse something, they are looked at too. */
    descriptionMs: count(30_000, 1_000, 3_600_000),
    /** From a question to the agent to its answer. */
    queryTimeoutMs: count(15_000, 100, 600_000),
    /** From `execute` to its answer: longer than the agent's `flowTimeoutSeconds`. */
    executeTimeoutMs: count(90_000, 100, 3_600_000),
    /** Flows waited for at once; of all connectors together fewer than the agents' `prefetch`. */
    maxExecutes: count(6, 1, 1_024),
    /** First and longest pause between two looks for a flow that goes on. */
    pollMs: count(250, 10, 60_000),
    longestPollMs: count(5_000, 10, 600_000),
    /** Commands that wait for replies. */
    maxCalls: count(256, 1, 1_000),
    maxCommandBytes: count(8_192, 1_024, 8_192),
    httpTimeoutMs: count(10_000, 100, 120_000),

    /** Silence of all agents, after which nothing is asked of them. They speak every 15 s. */
    silenceMs: count(60_000, 1_000, 3_600_000),
    /** Agents remembered. */
    maxAgents: count(16, 1, 256),
    /** Deliveries of one queue held unacknowledged. */
    prefetch: count(64, 1, 1_000),
    /** A longer message is rejected unread; an envelope has no more. */
    maxMessageBytes: count(1_048_576, 1_024, 1_048_576),
    /** Messages published and not confirmed. */
    maxUnconfirmed: count(512, 1, 10_000),
    /** Not confirmed for so long: published again. */
    confirmMs: count(10_000, 100, 600_000),
    /** First and longest pause before the broker, or a message to it, is tried again. */
    firstReconnectMs: count(200, 10, 60_000),
    longestReconnectMs: count(10_000, 10, 600_000),
    connectTimeoutMs: count(10_000, 100, 120_000),
    heartbeatSeconds: count(10, 1, 600),

    /** Pause between two comparisons of the core's books with the node. */
    compareMs: count(10_000, 100, 3_600_000),
    /** Pages of 200 states of a vault. */
    maxPages: count(500, 1, 100_000),
    /** Spent states asked about, and evidence fetched, in one comparison. */
    maxOwed: count(64, 1, 10_000),
    /** Burns remembered that the core has taken. */
    maxBurns: count(100_000, 0, 10_000_000),
    requeueMs: count(1_000, 10, 600_000),
    /** Failed evidence gets another go after this; completed evidence that the core does not know, after `compareMs`. */
    retryFailedMs: count(60_000, 100, 86_400_000),
    keepCompleted: count(1_000, 0, 100_000),
  },
  { ...closed, default: {} },
);

const CoreUrl = Type.String({ pattern: '^https://' });

const Config = Type.Object(
  {
    network: Type.String(),
    /** SHA-256 of the network's root certificate, as registered. */
    genesisHash: Type.String({ pattern: WORD }),
    redisUrl: Type.String({ pattern: '^rediss?://' }),
    /** A node of the core, or several: the next is asked where one does not answer. */
    coreUrl: Type.Union([CoreUrl, Type.Array(CoreUrl, { minItems: 1, maxItems: 16 })]),
    tls: Type.Object({ keyFile: Type.String(), certFile: Type.String(), serviceCertFile: Type.String() }, closed),
    /** RSA private key, PEM, mode 0600: instructions, replies and events are sealed to it. */
    sealingKeyFile: Type.String(),
    agent: Type.Object(
      {
        /** RSA public key, SPKI, PEM: commands are sealed to it. Agents of one node share it. */
        sealingKeyFile: Type.String(),
      },
      closed,
    ),
    broker: Type.Object(
      {
        /** `amqps://host:port/vhost`, without user and password. */
        url: Type.String({ pattern: '^amqps://[^@]+$' }),
        user: Type.String({ minLength: 1, maxLength: 255 }),
        /** Mode 0600. */
        passwordFile: Type.String(),
        /** The broker's certificate, or its issuer's: nothing else is accepted. */
        caFile: Type.String(),
      },
      closed,
    ),
    /** By id: 32 bytes. */
    vaults: vaultsSection(WORD),
    ...processSection,
    /** Left out, nothing of Cactus is loaded and nothing listens. */
    cactus: Type.Optional(CordaCactusSection),
    limits: Limits,
  },
  closed,
);

type FileConfig = Static<typeof Config>;
export type ConnectorLimits = Readonly<Static<typeof Limits>>;

/** What holds where the file says nothing. */
export function defaultLimits(): ConnectorLimits {
  return parseConfig(Limits, {});
}

/** Everything that is read once, at start. Keys and a password are in it: it is never logged. */
export type ConnectorSetup = Readonly<ReturnType<typeof parsed>>;

/** @throws ConfigError in words for whoever wrote the file. Paths count from the file. */
export async function readSetup(file: string): Promise<ConnectorSetup> {
  const config = parseConfig(Config, await readJson(file));
  const at = (path: string): string => resolve(dirname(file), path);
  const [tlsKey, tlsCert, serviceCert, sealingKey, agentKey, password, brokerCa] = await Promise.all([
    readKey(at(config.tls.keyFile)),
    readText(at(config.tls.certFile)),
    readText(at(config.tls.serviceCertFile)),
    readKey(at(config.sealingKeyFile)),
    readText(at(config.agent.sealingKeyFile)),
    readKey(at(config.broker.passwordFile)),
    readText(at(config.broker.caFile)),
  ]);
  const cactus = config.cactus && (await readCordaCactusSetup(config.cactus, at));
  const keys = { tlsKey, tlsCert, serviceCert, sealingKey, agentKey, password: password.trim(), brokerCa };
  return parsed(config, { ...keys, ...(cactus && { cactus }) });
}

type Files = Readonly<{
  tlsKey: string;
  tlsCert: string;
  serviceCert: string;
  sealingKey: string;
  agentKey: string;
  password: string;
  brokerCa: string;
  cactus?: CordaCactusSetup;
}>;

function parsed(config: FileConfig, files: Files) {
  const { limits, vaults, broker } = config;
  if (new Set(vaults.map(({ asset }) => asset)).size !== vaults.length) throw wrong('an asset has two vaults');
  if (limits.longestReconnectMs < limits.firstReconnectMs) throw wrong('longestReconnectMs is less than the first');
  demandCertificate(files.brokerCa);
  return {
    network: parseNetworkId(config.network),
    genesisHash: parseBytes32(config.genesisHash),
    redisUrl: config.redisUrl,
    coreUrl: config.coreUrl,
    tls: { key: files.tlsKey, cert: files.tlsCert, serviceCert: files.serviceCert },
    sealingKey: files.sealingKey,
    agentKey: files.agentKey,
    broker: { url: broker.url, user: broker.user, password: files.password, ca: files.brokerCa },
    vaults: vaults.map(({ asset, address, authority }) => ({
      asset: parseAssetCode(asset),
      address: parseBytes32(address),
      ...(authority === undefined ? {} : { authority: parseEvmAddress(authority) }),
    })),
    listen: config.listen,
    roles: new Set(config.roles),
    logLevel: String(config.logLevel),
    ...(files.cactus && { cactus: files.cactus }),
    limits,
  };
}

/** Without one every public authority would be believed. */
function demandCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new ConfigError('CONFIG_INVALID', 'the configuration is wrong: broker.caFile has no certificate', { cause });
  }
}

const wrong = (what: string): ConfigError => new ConfigError('CONFIG_INVALID', `the configuration is wrong: ${what}`);
