/** What processes have used since they began. Linux. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export type Usage = Readonly<{ cpuMicros: number; writtenBytes: number }>;

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** In `/proc/PID/stat`, counted from the field behind the name, which is the third. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Of all of `pids` together. `writtenBytes`: what was handed to the disk, without sockets. */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  let [cpuMicros, writtenBytes] = [0, 0];
  for (const pid of pids) {
    const [stat, io] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/io`, 'utf8')]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuMicros += ((Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * 1e6) / TICKS_PER_SECOND;
    writtenBytes += Number(/^write_bytes: ([0-9]+)$/m.exec(io)?.[1]);
  }
  return { cpuMicros, writtenBytes };
}

export const usedBetween = (before: Usage, after: Usage): Usage => ({
  cpuMicros: after.cpuMicros - before.cpuMicros,
  writtenBytes: after.writtenBytes - before.writtenBytes,
});

/** Memory of each of `pids` in bytes: what is no file, so that pages of the history that the system keeps do not count. */
export async function memoryOf(pids: readonly number[]): Promise<number[]> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')));
  return texts.map((text) => Number(/^RssAnon:\s+([0-9]+) kB$/m.exec(text)?.[1]) * 1_024);
}
