/** An observer's configuration: one JSON file and the key files that it names, checked whole before anything starts. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

const WORD = '^0x[0-9a-f]{64}$';
const closed = { additionalProperties: false };

const Network = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{0,47}$' }),
    /** The observer's own node, never a connector's. */
    rpcUrl: Type.String({ pattern: '^https?://' }),
    chainId: Type.Integer({ minimum: 1 }),
    genesisHash: Type.String({ pattern: WORD }),
    /** Least depth to vouch for: blocks from the event's to the head, both counted. */
    depthBlocks: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    vaults: Type.Array(Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' }), { minItems: 1, maxItems: 1_000 }),
  },
  closed,
);

const Config = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$' }),
    /** The core that this observer speaks to; part of every statement. */
    serviceId: Type.String({ pattern: WORD }),
    listen: Type.String({ pattern: '^[^:]+:[0-9]{1,5}$' }),
    tls: Type.Object(
      {
        keyFile: Type.String(),
        certFile: Type.String(),
        /** SHA-256 of each admitted client certificate's DER. Without it anyone who reaches the port may ask. */
        clientCertificates: Type.Optional(Type.Array(Type.String({ pattern: WORD }), { minItems: 1, maxItems: 1_000 })),
      },
      closed,
    ),
    /** Ed25519, PKCS#8 in PEM; only its owner may read it. */
    attestationKeyFile: Type.String(),
    /** Folder of what must outlive the process: the record of signed blocks. One for each key, never to be lost. */
    stateDir: Type.String(),
    networks: Type.Array(Network, { minItems: 1, maxItems: 64 }),
    limits: Type.Object(
      {
        /** One answer of a node, all its calls together. */
        rpcTimeoutMs: Type.Integer({ default: 5_000, minimum: 100, maximum: 60_000 }),
        /** Largest answer of a node. */
        rpcMaxBytes: Type.Integer({ default: 4_194_304, minimum: 4_096, maximum: 67_108_864 }),
        /** How often chain id and genesis are checked apart from requests. */
        identityCheckMs: Type.Integer({ default: 10_000, minimum: 100, maximum: 600_000 }),
        /** Requests under way at once; one more is refused. */
        concurrency: Type.Integer({ default: 64, minimum: 1, maximum: 1_024 }),
        /** Requests begun in any one second, of all clients together. */
        requestsPerSecond: Type.Integer({ default: 500, minimum: 1, maximum: 100_000 }),
        connections: Type.Integer({ default: 256, minimum: 1, maximum: 10_000 }),
        /** Logs remembered that were asked for before they were deep enough; further ones push out the oldest. */
        seenLogs: Type.Integer({ default: 1_024, minimum: 1, maximum: 100_000 }),
        /** Blocks remembered as signed, about 200 bytes of memory each; beyond it nothing new is signed. */
        signedBlocks: Type.Integer({ default: 5_000_000, minimum: 1, maximum: 100_000_000 }),
      },
      { ...closed, default: {} },
    ),
    logLevel: Type.Union(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
      { default: 'info' },
    ),
  },
  closed,
);
export type ObserverConfig = Readonly<Static<typeof Config>>;
export type NetworkConfig = Readonly<Static<typeof Network>>;

/** What an operator has to change before the observer starts; the message says it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: 'CONFIG_INVALID' | 'CONFIG_FILE' | 'CONFIG_KEY_EXPOSED';

  constructor(code: ConfigError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Fills in defaults. @throws ConfigError `CONFIG_INVALID` that names each field that is wrong. */
export function parseConfig(input: unknown): ObserverConfig {
  const value: unknown = Value.Default(Config, structuredClone(input));
  if (!Value.Check(Config, value)) {
    const problems = [...Value.Errors(Config, value)].map(({ path, message }) => `${path || '/'}: ${message}`);
    throw new ConfigError('CONFIG_INVALID', `the observer's configuration is wrong:\n  ${problems.join('\n  ')}`);
  }
  const ids = new Set(value.networks.map(({ id }) => id));
  if (ids.size !== value.networks.length) throw new ConfigError('CONFIG_INVALID', 'a network is configured twice');
  return value;
}

/** Everything that is read once, at start; the state folder is made. Relative paths count from the configuration file. */
export type ObserverSetup = Readonly<{
  config: ObserverConfig;
  tls: Readonly<{ key: string; cert: string }>;
  attestationKey: KeyObject;
  signedBlocksFile: string;
}>;

/** @throws ConfigError */
export async function readSetup(file: string): Promise<ObserverSetup> {
  const config = parseConfig(parseJson(file, await readText(file)));
  const at = (path: string): string => resolve(dirname(file), path);
  const keyFile = at(config.attestationKeyFile);
  const tlsKeyFile = at(config.tls.keyFile);
  await Promise.all([demandPrivate(keyFile), demandPrivate(tlsKeyFile)]);
  const [pem, key, cert] = await Promise.all([
    readText(keyFile),
    readText(tlsKeyFile),
    readText(at(config.tls.certFile)),
  ]);
  const stateDir = at(config.stateDir);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  return {
    config,
    tls: { key, cert },
    attestationKey: ed25519Key(keyFile, pem),
    signedBlocksFile: join(stateDir, 'signed-blocks'),
  };
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${file} must hold JSON`, { cause });
  }
}

function ed25519Key(file: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${file} must hold a private key in PEM`, { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new ConfigError('CONFIG_FILE', `${file} must hold an Ed25519 key, not ${key.asymmetricKeyType}`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${file} cannot be read`, { cause });
  }
}

async function demandPrivate(file: string): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode,
    (cause: unknown) => {
      throw new ConfigError('CONFIG_FILE', `${file} cannot be read`, { cause });
    },
  );
  if ((mode & 0o077) !== 0) throw new ConfigError('CONFIG_KEY_EXPOSED', `${file} can be read by others; chmod 600 it`);
}
