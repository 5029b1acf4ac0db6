import { ServiceError } from '../service/service-error.ts';
import type { Platform } from './platform.ts';
import { virtualPlatform } from './virtual.ts';

/**
 * The stand-in of tests is loaded by nothing but its own option, and in development alone.
 * @throws ServiceError `SERVICE_ARGUMENTS`
 */
export async function choosePlatform({
  development,
  testProtectedMemory,
}: Readonly<{ development: boolean; testProtectedMemory: boolean }>): Promise<Platform> {
  if (!testProtectedMemory) return virtualPlatform;
  if (!development) {
    throw new ServiceError('SERVICE_ARGUMENTS', '--test-protected-memory is for tests: it protects nothing');
  }
  return (await import('./testing/test-protected-memory.ts')).testProtectedMemory;
}
