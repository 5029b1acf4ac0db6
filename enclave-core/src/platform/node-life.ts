import { LIFE_BYTES, NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { Entropy } from '../keys/key-ring.ts';
import type { Platform } from './platform.ts';

/** For a process that begins now. */
export function beginLife({ protectsMemory }: Platform, entropy: Entropy): NodeLife {
  if (!protectsMemory) return NO_LIFE;
  const bytes = Buffer.alloc(LIFE_BYTES);
  entropy.fill(bytes);
  return bytes.toString('hex') as NodeLife;
}
