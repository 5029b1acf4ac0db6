import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../keys/key-file.ts';

/** Replaces a file: whole or not at all, also after a power cut. */
export async function writeDurably(dir: string, name: string, bytes: Uint8Array): Promise<void> {
  const draft = join(dir, `${name}.new`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(dir, name));
  await syncDirectory(dir);
}
