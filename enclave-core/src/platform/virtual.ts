import type { Platform } from './platform.ts';

/** Any machine. A disk that its host rolled back goes unnoticed. */
export const virtualPlatform: Platform = { kind: 'virtual', protectsMemory: false };
