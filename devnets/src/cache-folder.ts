import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what takes long to fetch or build is kept, outside every checkout: `$XDG_CACHE_HOME/drawbridge`, or `~/.cache/drawbridge`. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'drawbridge');
}
