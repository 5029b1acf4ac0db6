/** Reads from a file of the log; what the disk cannot read any more is damage, with file and offset. */
import type { Buffer } from 'node:buffer';
import type { Disk, DiskFile } from './disk.ts';
import { LogDamagedError } from './log-errors.ts';

/**
 * From the start of a file, up to `length` bytes; all without it. `size` is that of the whole file.
 * @throws LogDamagedError; errors of the disk that say nothing of the content, such as ENOENT and EACCES, as they are
 */
export async function readBytes(disk: Disk, path: string, length?: number): Promise<{ bytes: Buffer; size: number }> {
  const file = await disk.open(path, 'read');
  try {
    return { bytes: await readRange(file, path, 0, length ?? file.size), size: file.size };
  } finally {
    await file.close();
  }
}

/** Up to `length` bytes of an open file. @throws as `readBytes` */
export async function readRange(file: DiskFile, path: string, position: number, length: number): Promise<Buffer> {
  try {
    return await file.read(position, length);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EIO') throw cause;
    throw new LogDamagedError({ file: path, offset: position, reason: 'the disk cannot read it (EIO)' }, { cause });
  }
}
