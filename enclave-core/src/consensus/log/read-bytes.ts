/** Reads from a file of the log; what the disk cannot read any more is damage, with file and offset. */
import type { Buffer } from 'node:buffer';
import type { Disk } from './disk.ts';
import { LogDamagedError } from './log-errors.ts';

/**
 * From the start of a file, up to `length` bytes; all without it. `size` is that of the whole file.
 * @throws LogDamagedError; errors of the disk that say nothing of the content, such as ENOENT and EACCES, as they are
 */
export async function readBytes(disk: Disk, path: string, length?: number): Promise<{ bytes: Buffer; size: number }> {
  const file = await disk.open(path, 'read');
  try {
    return { bytes: await file.read(0, length ?? file.size), size: file.size };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EIO') throw cause;
    throw new LogDamagedError({ file: path, offset: 0, reason: 'the disk cannot read it (EIO)' }, { cause });
  } finally {
    await file.close();
  }
}
