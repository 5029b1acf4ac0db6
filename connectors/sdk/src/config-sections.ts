/** What the configuration of every connector says, whatever its ledger. */
import { Type } from '@sinclair/typebox';

const ADDRESS = '^0x[0-9a-fA-F]{40}$';
const closed = { additionalProperties: false };
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** @param address a pattern: how the ledger names a vault */
export const vaultsSection = (address: string) =>
  Type.Array(
    Type.Object(
      {
        asset: Type.String(),
        address: Type.String({ pattern: address }),
        /** Where given, the vault must obey this key and no other. */
        authority: Type.Optional(Type.String({ pattern: ADDRESS })),
      },
      closed,
    ),
    { minItems: 1, maxItems: 256 },
  );

export const processSection = {
  /** Where health and metrics are served; a random port of loopback when left out. */
  listen: Type.String({ default: '127.0.0.1:0', pattern: '^[^:]+:[0-9]{1,5}$' }),
  /** What this process does; one of each is usual, several of either do no harm. */
  roles: Type.Array(Type.Union([Type.Literal('worker'), Type.Literal('follower')]), {
    default: ['worker', 'follower'],
    minItems: 1,
    maxItems: 2,
  }),
  logLevel: Type.Union(
    LOG_LEVELS.map((level) => Type.Literal(level)),
    { default: 'info' },
  ),
};
