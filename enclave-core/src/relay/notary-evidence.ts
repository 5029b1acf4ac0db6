/**
 * From the bytes of an item that proves a notarised transaction to the command that books it. What is proven but is not one of a
 * vault's transactions, though it consumes a state of one, is proposed as such: it halts the lane, as any contradiction does.
 */
import { type CordaFacts, verifyCordaEvidence } from '@drawbridge/evidence/corda-notary';
import type { CordaTrustRootResult } from '@drawbridge/evidence/corda-trust-root';
import { readVaultCreation } from '@drawbridge/evidence/corda-vault-creation';
import type { CordaVaultBook } from '@drawbridge/evidence/corda-vault-frame';
import { cordaVaultRoot, cordaVaultTrust } from '@drawbridge/evidence/corda-vault-root';
import { type CordaVaultEvent, readVaultTransaction } from '@drawbridge/evidence/corda-vault-transaction';
import { type CordaNetwork, type CordaVault, isCordaVault, type Network } from '@drawbridge/governance/registration';
import { decodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { StateEvent } from '@drawbridge/protocol/state-event';
import { type StateRef, sortedRefs, stateRef } from '@drawbridge/protocol/state-ref';
import type { BookRow } from '../settlement/book.ts';
import type { Command } from '../settlement/command.ts';
import type { SettlementView } from '../settlement/view.ts';
import { cordaDigest, cordaSignatureVerifier } from './corda-signatures.ts';
import { type Checked, refused } from './evidence-verdict.ts';
import { recoverSealer } from './secp256k1.ts';
import { instructionOf } from './signed-instruction.ts';

export type StateEventCommand = Extract<Command, { type: 'stateEvent' }>;

const verifySignature = cordaSignatureVerifier();

/** @throws ProtocolError for bytes that are no item of a notary */
export function checkNotarised(view: SettlementView, network: Network, bytes: Uint8Array): Checked<StateEventCommand> {
  const evidence = decodeCordaEvidence(bytes);
  if (network.kind !== 'corda') {
    return refused('RULE_MISMATCH', `network is believed by rule ${network.finality.rule}`);
  }
  let answer = refused('VAULT_UNKNOWN', 'the network has no vault');
  for (const vault of vaultsOf(view, network.id)) {
    const trust = trustRootOf(network, vault);
    if (!trust.ok) return refused('TRUST_ROOT_UNUSABLE', trust.detail);
    const facts = verifyCordaEvidence(evidence, trust.root, verifySignature, cordaDigest);
    const judged = facts.ok ? judge(view, { network, vault }, facts) : undefined;
    if (judged !== undefined) return judged;
    if (facts.ok) answer = EARLY;
    else if (answer !== EARLY) answer = refused(facts.code, facts.detail);
  }
  return answer;
}

const EARLY = refused('EVENT_EARLY', 'the state of a vault that it names has not come yet');

function vaultsOf(view: SettlementView, network: NetworkId): CordaVault[] {
  const vaults = Array.from(view.vaultLedgers(), ({ vault }) => vault);
  return vaults.filter((vault): vault is CordaVault => isCordaVault(vault) && vault.network === network);
}

/** By vault, for the finality that it was made with: both are replaced whole when they change. */
const roots: WeakMap<
  CordaVault,
  Readonly<{ finality: CordaNetwork['finality']; result: CordaTrustRootResult }>
> = new WeakMap();

function trustRootOf(network: CordaNetwork, vault: CordaVault): CordaTrustRootResult {
  const known = roots.get(vault);
  if (known?.finality === network.finality) return known.result;
  const result = cordaVaultTrust(network, vault);
  roots.set(vault, { finality: network.finality, result });
  return result;
}

type At = Readonly<{ network: CordaNetwork; vault: CordaVault }>;

/** @returns nothing where the transaction names no state that is known of this vault. */
function judge(view: SettlementView, at: At, facts: CordaFacts): Checked<StateEventCommand> | undefined {
  const { network, asset } = at.vault;
  const book = view.book(network, asset);
  if (book === undefined) return undefined;
  if (view.isApplied(network, asset, facts.transactionId)) return refused('EVENT_SEEN', 'the transaction was applied');
  if (!book.proven) return created(view, at, facts);
  const inputs = facts.inputs.map(({ transactionId, index }) => stateRef(transactionId, index));
  const [reference] = facts.references.map(({ transactionId, index }) => stateRef(transactionId, index));
  const wasTip = (ref: StateRef): boolean => view.wasVaultState(network, asset, ref);
  const isKnown = (ref: StateRef | undefined): boolean => ref !== undefined && (ref === book.tip || wasTip(ref));
  const disposes = inputs.some((ref) => view.isInBook(network, asset, ref));
  if (!disposes && !isKnown(reference ?? inputs[0])) return undefined;
  if (reference !== undefined && !isKnown(reference)) return EARLY;
  const root = cordaVaultRoot(view.serviceId, at.network, at.vault);
  const read = readVaultTransaction(facts, root, bookFor(view, at.vault, book, wasTip), recoverSealer);
  const consumed = sortedRefs(inputs);
  const { transactionId } = facts;
  if (read.ok) return command(at, facts, stateEventOf(read.event, { transactionId, consumed, reference }));
  if (disposes) return command(at, facts, { type: 'foreign', transactionId, consumed });
  return refused(read.code, read.detail);
}

/** Before its creation was shown, a vault is the word of whoever registered it: nothing else of it is judged. */
function created(view: SettlementView, at: At, facts: CordaFacts): Checked<StateEventCommand> | undefined {
  const { transactionId } = facts;
  if (stateRef(transactionId, 0) !== at.vault.state) return undefined;
  const read = readVaultCreation(facts, cordaVaultRoot(view.serviceId, at.network, at.vault));
  if (!read.ok) return refused(read.code, read.detail);
  return command(at, facts, { type: 'created', transactionId, consumed: read.event.consumed });
}

function bookFor(
  view: SettlementView,
  { network, asset }: CordaVault,
  { tip, control }: BookRow,
  wasTip: (ref: StateRef) => boolean,
): CordaVaultBook {
  return {
    tip: { ref: tip, control },
    wasTip,
    instruction: (id) => {
      const open = view.openInstruction(id);
      const isHere = open?.network === network && open.asset === asset;
      return isHere ? instructionOf(open, view.secrets.trailKey) : undefined;
    },
  };
}

type Named = Readonly<{
  transactionId: CordaFacts['transactionId'];
  consumed: readonly StateRef[];
  reference: StateRef | undefined;
}>;

function stateEventOf(event: CordaVaultEvent, { transactionId, consumed, reference }: Named): StateEvent {
  const notarised = { transactionId, consumed };
  switch (event.type) {
    case 'locked': {
      const { type, lockId, reference: named, depositor, amountMinor } = event;
      return { type, lockId, reference: named, depositor, amountMinor, ...notarised, vaultState: demanded(reference) };
    }
    case 'executed': {
      const { type, id, subject, kind, beneficiary, amountMinor, epoch, trail, coin } = event;
      const said = { type, id, subject, kind, beneficiary, amountMinor, epoch, trail };
      return { ...said, changeMinor: coin?.amountMinor ?? 0n, ...notarised, vaultState: demanded(reference) };
    }
    case 'voided': {
      const { type, id, subject, epoch, trail, coins } = event;
      const coinsMinor = coins.map(({ amountMinor }) => amountMinor);
      return { type, id, subject, epoch, trail, coinsMinor, ...notarised, vaultState: demanded(reference) };
    }
    case 'rotated': {
      const { type, id, authority, epoch, byGuardian, tip } = event;
      return { type, id, authority, epoch, byGuardian, ...notarised, control: tip.control };
    }
    case 'pauseChanged': {
      const { type, id, paused, byGuardian, tip } = event;
      return { type, id, paused, byGuardian, ...notarised, control: tip.control };
    }
    case 'guardianProposed':
    case 'guardianCancelled':
      return { type: event.type, ...notarised, control: event.tip.control };
  }
}

/** The verifier has demanded exactly one reference of locks and payments. */
function demanded(reference: StateRef | undefined): StateRef {
  if (reference === undefined) throw new Error('a transaction that refers to nothing was taken for a payment');
  return reference;
}

const command = (at: At, { digest }: CordaFacts, event: StateEvent): Checked<StateEventCommand> => ({
  ok: true,
  value: {
    type: 'stateEvent',
    network: at.network.id,
    asset: at.vault.asset,
    event,
    evidenceDigest: digest,
    trustVersion: at.network.trustVersion,
  },
});
