/**
 * A bank states a transfer. Order of checks: id known or spent; asset; debtor and creditor; form; networks and vaults;
 * deadlines; lanes; room for one more.
 */
import { isCordaVault } from '@drawbridge/governance/registration';
import { type NetworkId, type ParticipantId, vaultKey } from '@drawbridge/protocol/ids';
import { accountWord } from '@drawbridge/protocol/state-ref';
import type { Outcome, TransferTerms } from '../command.ts';
import { lockReference } from '../ids.ts';
import { tryInstruct } from '../instructing.ts';
import { transferKey } from '../keys.ts';
import { isOpen } from '../lane.ts';
import type { Overlay } from '../overlay.ts';
import { availableMinor, bankAccount, post, reserve } from '../postings.ts';
import { TERMINAL_STATES, type Transfer } from '../record.ts';
import { transferMark } from '../spent-ids.ts';
import { type Refusal, refuse, refuseDeadlines, refuseForm, sameTerms } from '../terms.ts';
import { announce, nameOf } from '../transfer-life.ts';
import { transition } from '../transitions.ts';

const NO_INSTRUCTIONS: Transfer['instructions'] = [];

export function submitTransfer(overlay: Overlay, terms: TransferTerms): Outcome {
  const mark = transferMark(terms.debtor, terms.id);
  if (overlay.isSpent(mark)) return resubmit(overlay, terms);
  const refusal = refuseTransfer(overlay, terms);
  if (refusal) return refusal;
  overlay.spend(mark);
  if (terms.source || terms.destination) begin(overlay, terms);
  else payAtOnce(overlay, terms);
  return { ok: true, transfer: terms.id };
}

/** The same answer for the same transfer while it lives; what has ended is in the history, where the API looks. */
function resubmit(overlay: Overlay, terms: TransferTerms): Outcome {
  const known = overlay.transfer(transferKey(terms.debtor, terms.id))?.transfer;
  const same = known && sameTerms(known.terms, terms) && transition(known.state, 'submit', {}).kind === 'same';
  return same
    ? { ok: true, transfer: terms.id, repeated: true }
    : refuse('TRANSFER_ID_SPENT', 'the id was used for a transfer');
}

function refuseTransfer(overlay: Overlay, terms: TransferTerms): Refusal | undefined {
  const { source, destination } = terms;
  if (!overlay.hasAsset(terms.asset)) return refuse('ASSET_UNKNOWN', 'asset is not registered');
  const wrong =
    refuseBank(overlay, terms.debtor, 'debtor') ??
    refuseBank(overlay, terms.creditor, 'creditor') ??
    refuseForm(terms, overlay);
  if (wrong) return wrong;
  if (!source && !destination) return refuseDeadlines(terms, overlay.stampMs, overlay.base.limits.deadlineHorizonMs);
  return (
    refuseVault(overlay, terms, source?.network) ??
    refuseVault(overlay, terms, destination?.network) ??
    refuseBeneficiary(overlay, terms) ??
    refusePiece(overlay, terms, source?.network) ??
    refusePiece(overlay, terms, destination?.network) ??
    refuseDeadlines(terms, overlay.stampMs, overlay.base.limits.deadlineHorizonMs) ??
    refuseLane(overlay, terms, source?.network) ??
    refuseLane(overlay, terms, destination?.network) ??
    refuseOneMore(overlay, terms.debtor)
  );
}

function refuseBank(overlay: Overlay, id: ParticipantId, what: string): Refusal | undefined {
  const participant = overlay.participant(id);
  if (!participant) return refuse('PARTICIPANT_UNKNOWN', `${what} is not registered`);
  return participant.role === 'bank' ? undefined : refuse('PARTICIPANT_NOT_A_BANK', `${what} is not a bank`);
}

function refuseVault(overlay: Overlay, { asset }: TransferTerms, network?: NetworkId): Refusal | undefined {
  if (network === undefined) return undefined;
  if (!overlay.network(network)) return refuse('NETWORK_UNKNOWN', 'network is not registered');
  const known = overlay.registry.vaults.has(vaultKey(network, asset));
  return known ? undefined : refuse('VAULT_UNKNOWN', 'the network has no vault of this asset');
}

/** A vault never pays itself, so such an instruction could only be voided. */
function refuseBeneficiary(overlay: Overlay, { asset, destination }: TransferTerms): Refusal | undefined {
  if (!destination) return undefined;
  const { vault } = overlay.vault(vaultKey(destination.network, asset));
  const itself = isCordaVault(vault)
    ? destination.beneficiary === accountWord(vault.party)
    : destination.beneficiary.endsWith(vault.address.slice(2));
  return itself ? refuse('TERMS_INVALID', 'beneficiary must not be the vault') : undefined;
}

/** A Corda vault takes and pays at most what one permit lets through. */
function refusePiece(
  overlay: Overlay,
  { asset, amountMinor }: TransferTerms,
  network?: NetworkId,
): Refusal | undefined {
  const vault = network && overlay.vault(vaultKey(network, asset)).vault;
  if (!vault || !isCordaVault(vault) || amountMinor <= vault.permitCapMinor) return undefined;
  return refuse('AMOUNT_TOO_LARGE', 'amount is above what the vault takes or pays at once');
}

function refuseLane(overlay: Overlay, { asset }: TransferTerms, network?: NetworkId): Refusal | undefined {
  if (network === undefined || isOpen(overlay, vaultKey(network, asset))) return undefined;
  return refuse('LANE_CLOSED', 'the lane is paused, halted or without exposure cap');
}

function refuseOneMore(overlay: Overlay, bank: ParticipantId): Refusal | undefined {
  const { liveTransfersPerBank } = overlay.base.limits;
  const full = overlay.party(bank).live >= liveTransfersPerBank;
  return full ? refuse('LIMIT_REACHED', `a bank has at most ${liveTransfersPerBank} live transfers`) : undefined;
}

const lacksFunds = (overlay: Overlay, { debtor, asset, amountMinor }: TransferTerms): boolean =>
  availableMinor(overlay, debtor, asset) < amountMinor;

/** A core payment: settled or rejected in this command, and never among the live. */
function payAtOnce(overlay: Overlay, terms: TransferTerms): void {
  const facts = { hasSource: false, hasDestination: false, lacksFunds: lacksFunds(overlay, terms) };
  const transfer = propose(overlay, terms, facts);
  announce(overlay, transfer);
  if (transfer.state !== 'SETTLED') return;
  post(overlay, {
    asset: terms.asset,
    debit: bankAccount(terms.debtor),
    credit: bankAccount(terms.creditor),
    amountMinor: terms.amountMinor,
    kind: 'payment',
    transfer: nameOf(transfer),
  });
}

/** A transfer with an edge: lives until its networks have spoken, unless funds are wanting at once. */
function begin(overlay: Overlay, terms: TransferTerms): void {
  const hasSource = terms.source !== undefined;
  const facts = {
    hasSource,
    hasDestination: terms.destination !== undefined,
    ...(!hasSource && { lacksFunds: lacksFunds(overlay, terms) }),
  };
  const proposed = propose(overlay, terms, facts);
  const reference = hasSource ? lockReference(overlay.base.secrets.referenceKey, terms.debtor, terms.id) : undefined;
  const transfer = reference === undefined ? proposed : { ...proposed, reference };
  const lastEvents = announce(overlay, transfer);
  if (TERMINAL_STATES.has(transfer.state)) return;
  const live = { transfer, order: overlay.nextOrder, lastEvents };
  overlay.nextOrder += 1;
  const party = overlay.party(terms.debtor);
  overlay.parties.set(terms.debtor, { ...party, live: party.live + 1 });
  overlay.setTransfer(transferKey(terms.debtor, terms.id), live);
  if (reference !== undefined) overlay.references.set(reference, nameOf(transfer));
  if (transfer.state !== 'FUNDED') return;
  reserve(overlay, terms.debtor, terms.asset, terms.amountMinor);
  tryInstruct(overlay, live);
}

function propose(overlay: Overlay, terms: TransferTerms, facts: Parameters<typeof transition>[2]): Transfer {
  const verdict = transition('PROPOSED', 'submit', facts);
  const { stampMs } = overlay;
  const state = verdict.kind === 'move' ? verdict.to : 'PROPOSED';
  const transfer: Transfer = { terms, state, createdMs: stampMs, updatedMs: stampMs, instructions: NO_INSTRUCTIONS };
  return verdict.kind === 'move' && verdict.reason ? { ...transfer, reason: verdict.reason } : transfer;
}
