/** Block watching over Socket.IO, by Cactus's event names; both dialects on one socket. */

import { asCactusError, errorBody } from '@drawbridge/connector-cactus/cactus-error';
import type { Logger } from 'pino';
import type { Server, Socket } from 'socket.io';
import type { BlockFeed } from './block-feed.ts';
import { watchEvent } from './cactus-paths.ts';
import { fields } from './ethereum-rpc.ts';
import type { Dialect } from './operations.ts';
import type { QuorumMetrics } from './quorum-metrics.ts';

type Dependencies = Readonly<{ feed: BlockFeed; metrics: QuorumMetrics; log: Logger }>;

export function serveWatching(server: Server, deps: Dependencies): void {
  server.on('connection', (socket) => {
    for (const dialect of ['quorum', 'besu'] as const) serveDialect(socket, dialect, deps);
  });
}

/** Tells every watcher that nothing more comes. */
export function endWatching(server: Server): void {
  for (const dialect of ['quorum', 'besu'] as const) server.emit(watchEvent(dialect, 'Complete'));
}

function serveDialect(socket: Socket, dialect: Dialect, { feed, metrics, log }: Dependencies): void {
  let end: (() => void) | undefined;
  const stop = (): void => {
    end?.();
    end = undefined;
    metrics.watchers(feed.size);
  };
  socket.on(watchEvent(dialect, 'Subscribe'), (options: unknown) => {
    stop();
    try {
      end = feed.watch({
        wholeBlocks: fields(options)?.getBlockData === true,
        next: (progress) => socket.emit(watchEvent(dialect, 'Next'), progress),
        failed: (error) => {
          end = undefined;
          metrics.watchers(feed.size);
          socket.emit(watchEvent(dialect, 'Error'), errorBody(error));
        },
      });
    } catch (error) {
      const known = asCactusError(error);
      log.warn({ dialect, code: known.code }, 'a subscription to blocks was refused');
      socket.emit(watchEvent(dialect, 'Error'), errorBody(known));
    }
    metrics.watchers(feed.size);
  });
  socket.on(watchEvent(dialect, 'Unsubscribe'), stop);
  socket.on('disconnect', stop);
}
