/** Snapshots of state machines that have no other way to a state than its head: there is no piece beside it. */
import type { SnapshotContent, SnapshotPoint } from '../ports.ts';
import type { Replica } from '../replica.ts';

export const headAlone = (head: Uint8Array): SnapshotContent => ({ head, bytes: 0, pieces: () => [] });

export async function keepHead(replica: Replica, point: SnapshotPoint, head: Uint8Array): Promise<void> {
  await replica.keepSnapshot(await replica.beginSnapshot(point), head);
}

/** In the next turn, when the entry is applied; nothing where the replica has stopped by then. */
export function keepHeadSoon(replica: Replica, point: SnapshotPoint, head: Uint8Array): void {
  setImmediate(() => {
    keepHead(replica, point, head).catch((error: unknown) => {
      if (!replica.status().stopped) throw error;
    });
  });
}
