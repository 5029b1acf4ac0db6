/** Cactus's paths. */

/** Up to June 2026, and since: both are in use. */
export const PREFIXES = ['/api/v1/plugins/@hyperledger', '/api/v1/plugins/@hyperledger-cacti'] as const;
export const API_SERVER_PREFIX = '/api/v1/api-server';
export const SOCKET_IO_PATH = '/api/v1/async/socket-io/connect';

/** @param dialect the ledger's word in the names of Cactus's connectors, such as `besu` */
export const operationPath = (prefix: string, dialect: string, name: string): string =>
  `${prefix}/cactus-plugin-ledger-connector-${dialect}/${name}`;
