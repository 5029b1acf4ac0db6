/** A snapshot that is there as a whole, such as the first. */
import type { LogStore, StoredSnapshot } from './ports.ts';

/** Resolves when it is durable. */
export async function saveSnapshot(
  store: Pick<LogStore, 'beginSnapshot'>,
  { index, term, confState, head, pieces }: StoredSnapshot,
): Promise<void> {
  const writer = await store.beginSnapshot({ index, term, confState });
  try {
    for await (const piece of pieces()) await writer.add(piece);
    await writer.keep(head);
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
