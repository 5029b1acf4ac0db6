/** The state that a service starts from. */
import type { Genesis } from '@drawbridge/governance/genesis';
import { InvariantError } from './invariant-error.ts';
import type { SettlementState } from './state.ts';
import type { ServiceSecrets } from './view.ts';

export function initialState(genesis: Genesis, secrets: ServiceSecrets, stampMs: number): SettlementState {
  throw new InvariantError(`${genesis.version} ${secrets.sealingKey.length} ${stampMs}`);
}
