/** The state that a service starts from: what genesis registers, and nothing else. */
import { type Genesis, genesisRegistry } from '@drawbridge/governance/genesis';
import { isCordaVault } from '@drawbridge/governance/registration';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { newBook } from './book.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { newVaultRow, SettlementState } from './state.ts';
import { chainsAtCheckpoints } from './tracked-chains.ts';
import { authorityProblem } from './vault-authority.ts';
import type { ServiceSecrets } from './view.ts';

/** A genesis whose vaults this service could never sign for. `problems` names each of them. */
export class GenesisError extends Error {
  override readonly name = 'GenesisError';
  readonly code = 'GENESIS_REFUSED' as const;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * @param genesis as `parseGenesis` gave it, which has checked all but the secrets.
 * @param stampMs Unix ms of the service's start; no later entry has an earlier stamp.
 * @param firstNode the node that begins the service, which is registered by that
 * @throws GenesisError unless the service has the authority key of every vault.
 */
export function initialState(
  genesis: Genesis,
  secrets: ServiceSecrets,
  stampMs: number,
  limits: Limits = DEFAULT_LIMITS,
  firstNode?: NodeId,
): SettlementState {
  const registry = genesisRegistry(genesis, firstNode);
  const problems = [...registry.vaults].flatMap(
    ([key, { authority }]) => authorityProblem(key, authority, secrets) ?? [],
  );
  if (problems.length > 0) throw new GenesisError(problems);
  const header = { stampMs, nextOrder: 1, registry };
  const state = new SettlementState({ serviceId: genesis.serviceId, secrets, limits, header });
  for (const [key, vault] of registry.vaults) {
    state.vaults.set(key, newVaultRow(vault));
    if (isCordaVault(vault)) state.books.set(key, newBook(vault));
  }
  for (const [network, chain] of chainsAtCheckpoints(registry)) state.chains.set(network, chain);
  return state;
}
