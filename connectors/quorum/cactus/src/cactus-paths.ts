/** Cactus's paths and event names. */
import type { Dialect } from './operations.ts';

/** Up to June 2026, and since: both are in use. */
export const PREFIXES = ['/api/v1/plugins/@hyperledger', '/api/v1/plugins/@hyperledger-cacti'] as const;
export const API_SERVER_PREFIX = '/api/v1/api-server';
export const SOCKET_IO_PATH = '/api/v1/async/socket-io/connect';

export const operationPath = (prefix: string, dialect: Dialect, name: string): string =>
  `${prefix}/cactus-plugin-ledger-connector-${dialect}/${name}`;

export type WatchEvent = 'Subscribe' | 'Next' | 'Unsubscribe' | 'Error' | 'Complete';
export const watchEvent = (dialect: Dialect, event: WatchEvent): string =>
  `org.hyperledger.cactus.api.async.${dialect}.WatchBlocksV1.${event}`;
