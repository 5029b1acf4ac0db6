/** The hub's configuration: one JSON file, checked whole before anything starts. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MAX_EVIDENCE_ITEMS, MAX_OUTBOX_ITEMS } from '@drawbridge/protocol/api/relay';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

const Milliseconds = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const CoreUrl = Type.String({ pattern: '^https://' });

const Config = Type.Object(
  {
    /** Networks whose relays this hub carries. */
    networks: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,47}$' }), { minItems: 1, maxItems: 64 }),
    redisUrl: Type.String({ pattern: '^rediss?://' }),
    core: Type.Object(
      {
        /** A node of the core, or several: the next is asked where one does not answer. */
        url: Type.Union([CoreUrl, Type.Array(CoreUrl, { minItems: 1, maxItems: 16 })]),
        keyFile: Type.String(),
        certFile: Type.String(),
        /** The service certificate that the core must show; pinned, no authority is asked. */
        serviceCertFile: Type.String(),
      },
      { additionalProperties: false },
    ),
    /** Where board, metrics and health are served. */
    listen: Type.String({ default: '127.0.0.1:0', pattern: '^[^:]+:[0-9]{1,5}$' }),
    /** File with `user:password`, mode 0600; required unless `listen` is a loopback address. */
    operatorsFile: Type.Optional(Type.String()),
    limits: Type.Object(
      {
        /** How long the core is let wait for instructions before it answers that there are none; an emptied Redis shows then. */
        outboxWaitMs: Milliseconds(5_000, 0, 8_000),
        /** Pause after a question that failed, doubled each time; and between two that were answered with nothing too early. */
        outboxPauseMs: Milliseconds(50, 10, 60_000),
        /** Instructions taken in one look. */
        outboxPage: Type.Integer({ default: 200, minimum: 1, maximum: MAX_OUTBOX_ITEMS }),
        /** How often the whole outbox is offered again, so that nothing that was lost stays lost. */
        sweepMs: Milliseconds(30_000, 1_000, 3_600_000),
        /** Evidence jobs in flight to the core. */
        evidenceConcurrency: Type.Integer({ default: 64, minimum: 1, maximum: 512 }),
        /** Evidence items in one request. */
        evidenceBatch: Type.Integer({ default: 32, minimum: 1, maximum: MAX_EVIDENCE_ITEMS }),
        /** How long an item waits for company while others are on their way to the core; alone it waits for nobody. */
        evidenceGatherMs: Milliseconds(5, 0, 1_000),
        /** When an early item is offered again. */
        earlyRetryMs: Milliseconds(500, 10, 60_000),
        /** Attempts of a job before it stays in the failed set for an operator. */
        attempts: Type.Integer({ default: 12, minimum: 1, maximum: 100 }),
        /** First pause of the exponential back-off. */
        backoffMs: Milliseconds(1_000, 10, 600_000),
        /** Ended jobs kept per queue, for operators to look at. */
        keepCompleted: Type.Integer({ default: 1_000, minimum: 0, maximum: 100_000 }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);
export type HubConfig = Readonly<Static<typeof Config>>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
}

/** @throws ConfigError that names each field that is wrong and what would be right. */
export function parseConfig(input: unknown): HubConfig {
  const value = Value.Default(Config, structuredClone(input));
  if (Value.Check(Config, value)) return value;
  const problems = [...Value.Errors(Config, value)].map((error) => `${error.path || '/'}: ${error.message}`);
  throw new ConfigError(`the hub's configuration is wrong:\n  ${problems.join('\n  ')}`);
}

/** Paths in it count from the file. @throws ConfigError where the file is missing, is not JSON or does not fit. */
export function readConfig(file: string): HubConfig {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError(`${file} must be a readable JSON file`, { cause });
  }
  const config = parseConfig(input);
  const { core, operatorsFile } = config;
  const at = (path: string): string => resolve(dirname(file), path);
  return {
    ...config,
    core: {
      ...core,
      keyFile: at(core.keyFile),
      certFile: at(core.certFile),
      serviceCertFile: at(core.serviceCertFile),
    },
    ...(operatorsFile === undefined ? {} : { operatorsFile: at(operatorsFile) }),
  };
}

/** Text of a file that the configuration names. @throws ConfigError */
export function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${file}, named in the configuration, cannot be read`, { cause });
  }
}

/** The same of a secret. @throws ConfigError also where others than its owner may read it. */
export function readSecret(file: string): string {
  const text = readNamed(file);
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new ConfigError(`${file} can be read by others than its owner; chmod 600 it`);
  }
  return text;
}
