import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * The command that runs one of our programs from its TypeScript source, in any working directory: export conditions
 * are flags of the process, and tsx is found from here. Give it to `startProcess`.
 */
export function sourceProgram(file: string, args: readonly string[] = []): { command: string; args: string[] } {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { command: process.execPath, args: ['--conditions=drawbridge-source', '--import', tsx, file, ...args] };
}
