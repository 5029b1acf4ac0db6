import type { Platform } from '../platform.ts';

/** Behaves like a machine that protects memory and protects nothing. For tests of what depends on it. */
export const testProtectedMemory: Platform = { kind: 'test-protected-memory', protectsMemory: true };
