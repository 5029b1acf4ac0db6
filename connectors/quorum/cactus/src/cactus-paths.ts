/** Names of Cactus's events. */

export type WatchEvent = 'Subscribe' | 'Next' | 'Unsubscribe' | 'Error' | 'Complete';
export const watchEvent = (dialect: string, event: WatchEvent): string =>
  `org.hyperledger.cactus.api.async.${dialect}.WatchBlocksV1.${event}`;
