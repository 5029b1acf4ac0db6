/** Snapshots of state machines that have no other way to a state than its head: there is no piece beside it. */
import type { SnapshotContent, SnapshotPoint } from '../ports.ts';
import type { Replica } from '../replica.ts';

export const headAlone = (head: Uint8Array): SnapshotContent => ({ head, bytes: 0, pieces: () => [] });

export async function keepHead(replica: Replica, point: SnapshotPoint, head: Uint8Array): Promise<void> {
  await replica.keepSnapshot(await replica.beginSnapshot(point), head);
}
