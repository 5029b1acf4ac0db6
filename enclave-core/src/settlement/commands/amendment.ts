/**
 * A signed change of the registry: all its actions or none. Order of checks: closed, number, signatures, actions, and
 * then what only the ledger knows: no participant with value, transfers or locks leaves, no vault comes without its key,
 * some node that takes part stays, and no node is left behind by a switch of the protocol version.
 */

import type { Action } from '@drawbridge/governance/action';
import { refuseSignatures } from '@drawbridge/governance/amendment';
import { applyActions } from '@drawbridge/governance/apply-actions';
import { formatProblem } from '@drawbridge/governance/problem';
import { isCordaVault } from '@drawbridge/governance/registration';
import type { Registry } from '@drawbridge/governance/registry';
import { type ParticipantId, vaultKey } from '@drawbridge/protocol/ids';
import { newBook } from '../book.ts';
import type { Command, Outcome } from '../command.ts';
import { isRefundUnwritten, wakeWaiting } from '../instructing.ts';
import { InvariantError } from '../invariant-error.ts';
import { lockKey } from '../keys.ts';
import { keepLock } from '../lock-life.ts';
import type { Overlay } from '../overlay.ts';
import { overflowMark } from '../spent-ids.ts';
import { newVaultRow } from '../state.ts';
import { refuse } from '../terms.ts';
import { movedChains } from '../tracked-chains.ts';
import { authorityProblem } from '../vault-authority.ts';

/** Most problems that an answer names. */
const PROBLEMS_IN_DETAIL = 5;

type Actions = readonly Action[];

export function amendment(overlay: Overlay, command: Extract<Command, { type: 'amendment' }>): Outcome {
  const { number, actions, signatures } = command;
  const { registry, base } = overlay;
  if (registry.amendmentsClosed) return refuse('AMENDMENTS_CLOSED', 'changes are made by voting');
  if (number !== registry.nextAmendment) return refuse('AMENDMENT_NUMBER', `the next is ${registry.nextAmendment}`);
  const unsigned = refuseSignatures({ serviceId: base.serviceId, number, actions }, signatures, registry.bootstrap);
  if (unsigned !== undefined) return refuse('AMENDMENT_SIGNATURES', unsigned);
  const applied = applyActions(registry, actions);
  if (!applied.ok) {
    return refuse('ACTION_INVALID', applied.problems.slice(0, PROBLEMS_IN_DETAIL).map(formatProblem).join('; '));
  }
  const impossible = refuseByLedger(overlay, applied.value, actions);
  if (impossible !== undefined) return refuse('ACTION_INVALID', impossible);
  overlay.registry = { ...applied.value, nextAmendment: number + 1 };
  for (const [network, chain] of movedChains(registry, overlay.registry)) {
    if (chain) overlay.chains.set(network, chain);
    else overlay.chains.delete(network);
  }
  for (const [key, vault] of overlay.registry.vaults) {
    if (overlay.vaults.get(key) !== undefined) continue;
    overlay.vaults.set(key, newVaultRow(vault));
    if (isCordaVault(vault)) overlay.books.set(key, newBook(vault));
  }
  for (const action of actions) actOnLedger(overlay, action);
  for (const key of overlay.registry.vaults.keys()) wakeWaiting(overlay, key);
  return { ok: true };
}

function refuseByLedger(overlay: Overlay, next: Registry, actions: Actions): string | undefined {
  for (const { id, role } of overlay.registry.participants.values()) {
    if (role !== 'bank' || next.participants.get(id)?.role === 'bank') continue;
    if (isEngaged(overlay, id)) return 'a bank with value, live transfers or unmatched locks cannot leave';
  }
  for (const [key, vault] of next.vaults) {
    if (overlay.registry.vaults.has(key)) continue;
    const problem = authorityProblem(key, vault.authority, overlay.base.secrets);
    if (problem !== undefined) return problem;
  }
  return refuseByNodes(overlay, next) ?? refuseRestored(overlay, actions);
}

function refuseByNodes({ registry, facts }: Overlay, next: Registry): string | undefined {
  for (let version = registry.protocolVersion + 1; version <= next.protocolVersion; version++) {
    if (!facts.supportedVersions.includes(version)) return `not every node has protocol version ${version}`;
  }
  const { members } = facts;
  if (members.size > 0 && next.nodes !== registry.nodes && ![...members].some((node) => next.nodes.has(node))) {
    return 'no node that takes part would stay';
  }
  return undefined;
}

function isEngaged(overlay: Overlay, bank: ParticipantId): boolean {
  for (const { participant, postedMinor } of overlay.accounts.values()) {
    if (participant === bank && postedMinor !== 0n) return true;
  }
  for (const { transfer } of overlay.transfers()) {
    if (transfer.terms.debtor === bank || transfer.terms.creditor === bank) return true;
  }
  for (const { transfer } of overlay.unmatched.values()) if (transfer?.bank === bank) return true;
  return false;
}

/**
 * A lock is restored with the depositor and amount that it came with, and once: it leaves the kept locks only by its
 * refund, since it is none that can be claimed.
 */
function refuseRestored(overlay: Overlay, actions: Actions): string | undefined {
  const restored = new Set<string>();
  for (const { name, args } of actions) {
    if (name !== 'restore_lock') continue;
    const key = vaultKey(args.network, args.asset);
    const place = lockKey(key, args.lockId);
    const fits =
      overlay.isSpent(overflowMark(key, args)) &&
      overlay.unmatched.get(place) === undefined &&
      isRefundUnwritten(overlay, key, args.lockId) &&
      !restored.has(place);
    if (!fits) return 'a lock to restore is not in suspense without particulars';
    restored.add(place);
  }
  return undefined;
}

function actOnLedger(overlay: Overlay, { name, args }: Action): void {
  if (name === 'reopen_lane') overlay.changeVault(vaultKey(args.network, args.asset), { halted: false });
  if (name !== 'restore_lock') return;
  const { network, asset, lockId, depositor, amountMinor } = args;
  const key = vaultKey(network, asset);
  const { row } = overlay.vault(key);
  if (row.overflowMinor < amountMinor) throw new InvariantError('more is restored than was not kept');
  overlay.changeVault(key, {
    overflowMinor: row.overflowMinor - amountMinor,
    unmatchedKept: row.unmatchedKept + 1,
  });
  keepLock(overlay, {
    network,
    asset,
    lockId,
    depositor,
    amountMinor,
    why: 'reference',
    state: 'UNMATCHED',
    refundsVoided: 0,
  });
}
