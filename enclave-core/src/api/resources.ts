/** From the ledger's records to what goes on the wire. Amounts become decimal strings, times RFC 3339. */
import type { TrackedChain } from '@drawbridge/evidence/tracked-chain';
import type { CordaPartyName } from '@drawbridge/governance/corda-registration';
import type { Asset, Finality, Network, Participant } from '@drawbridge/governance/registration';
import { addressOf, isFinalByProof } from '@drawbridge/governance/registration';
import type { AccountResource, StatementLineResource } from '@drawbridge/protocol/api/account';
import type { EventResource } from '@drawbridge/protocol/api/event';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import type {
  AssetResource,
  FinalityResource,
  NetworkResource,
  ParticipantResource,
  VaultResource,
} from '@drawbridge/protocol/api/registry';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { InstructionId, TransferId } from '@drawbridge/protocol/ids';
import { deliveryId, voidId } from '../settlement/ids.ts';
import type { ParticipantEvent, StatementLine, Transfer } from '../settlement/record.ts';
import type { Account, SettlementView, UnmatchedLock } from '../settlement/view.ts';
import { formatTime } from './times.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const ADDRESS_PADDING = `0x${'0'.repeat(24)}`;
/** A 32-byte word as the address that it holds, or as it is where it holds none. */
const addressText = (word: Bytes32): string =>
  word.startsWith(ADDRESS_PADDING) ? `0x${word.slice(ADDRESS_PADDING.length)}` : word;

export function participantResource(participant: Participant): ParticipantResource {
  const { id, role, name, lei, bic, supervises } = participant;
  return {
    id,
    role,
    name,
    ...(lei !== undefined && { lei }),
    ...(bic !== undefined && { bic }),
    ...(supervises !== undefined && { supervises }),
  };
}

export const assetResource = ({ code, scale }: Asset): AssetResource => ({ code, scale });

function networkResource(
  network: Network,
  chain: TrackedChain | undefined,
  vaults: readonly VaultResource[],
): NetworkResource {
  const { id, kind, genesisHash, state, finality } = network;
  return {
    id,
    kind,
    ...(kind === 'evm' && { chainId: network.chainId }),
    genesisHash,
    state,
    finality: finalityResource(finality, chain),
    vaults,
  };
}

function finalityResource(finality: Finality, chain: TrackedChain | undefined): FinalityResource {
  if (finality.rule === 'observers') {
    const { rule, observers, threshold, depthBlocks } = finality;
    return { rule, byProof: false, witnesses: observers.length, threshold, depthBlocks };
  }
  if (finality.rule === 'corda-notary') {
    const { rule, notary } = finality;
    return { rule, byProof: true, notary: nameText(notary.name), validating: notary.validating };
  }
  const { rule, trustingPeriodS, maxGapBlocks, checkpoint } = finality;
  const { number, hash, timestampS } = chain?.head ?? {
    number: checkpoint.blockNumber,
    hash: checkpoint.blockHash,
    timestampS: checkpoint.timestampS,
  };
  return {
    rule,
    byProof: isFinalByProof(finality),
    validators: (chain?.sets.at(-1) ?? checkpoint).validators.length,
    headNumber: number,
    headHash: hash,
    headTimestampS: timestampS,
    trustingPeriodS,
    maxGapBlocks,
  };
}

const nameText = (name: CordaPartyName): string =>
  [
    ['CN', name.commonName],
    ['OU', name.organisationUnit],
    ['O', name.organisation],
    ['L', name.locality],
    ['ST', name.state],
    ['C', name.country],
  ]
    .filter(([, part]) => part !== undefined)
    .map(([label, part]) => `${label}=${part}`)
    .join(', ');

/** Every registered network with its vaults. */
export function networkResources(view: SettlementView): NetworkResource[] {
  const vaults = new Map<string, VaultResource[]>();
  for (const { vault, halted, paused } of view.vaultLedgers()) {
    const cap = view.exposureCap(vault.network, vault.asset);
    const resource: VaultResource = {
      asset: vault.asset,
      mode: vault.mode,
      address: addressOf(vault),
      halted,
      paused,
      ...(cap && { exposureCapMinor: cap.amountMinor.toString() }),
    };
    const list = vaults.get(vault.network);
    if (list) list.push(resource);
    else vaults.set(vault.network, [resource]);
  }
  return Array.from(view.networks(), (network) =>
    networkResource(network, view.trackedChain(network.id), vaults.get(network.id) ?? []),
  );
}

export function accountResource(account: Account): AccountResource {
  return {
    participant: account.participant,
    asset: account.asset,
    postedMinor: account.postedMinor.toString(),
    pendingMinor: account.pendingMinor.toString(),
    availableMinor: (account.postedMinor - account.pendingMinor).toString(),
    lines: account.lines,
  };
}

export function statementLineResource(line: StatementLine): StatementLineResource {
  const { counterparty, network, transfer } = line;
  return {
    line: line.line,
    deltaMinor: line.deltaMinor.toString(),
    balanceMinor: line.balanceMinor.toString(),
    kind: line.kind,
    ...(counterparty !== undefined && { counterparty }),
    ...(network !== undefined && { network }),
    ...(transfer && { transfer: { bank: transfer.bank, id: transfer.id as TransferId } }),
    at: formatTime(line.stampMs),
  };
}

/** `funding` adds what links the transfer to its deposit; `access.ts` says who may see that. */
export function transferResource(transfer: Transfer, funding: boolean, view: SettlementView): TransferResource {
  const { terms } = transfer;
  const resource: Writable<TransferResource> = {
    id: terms.id,
    debtor: terms.debtor,
    creditor: terms.creditor,
    asset: terms.asset,
    amountMinor: terms.amountMinor.toString(),
    onVoid: terms.onVoid,
    state: transfer.state,
    createdAt: formatTime(transfer.createdMs),
    updatedAt: formatTime(transfer.updatedMs),
    instructions: funding ? transfer.instructions : instructionsAtDestination(transfer, view),
  };
  if (terms.destination) {
    const { network, beneficiary } = terms.destination;
    resource.destination = { network, beneficiary: addressText(beneficiary) };
  }
  if (terms.fundByMs !== undefined) resource.fundBy = formatTime(terms.fundByMs);
  if (terms.deliverByMs !== undefined) resource.deliverBy = formatTime(terms.deliverByMs);
  if (terms.remittance !== undefined) resource.remittance = terms.remittance;
  if (transfer.reason !== undefined) resource.reason = transfer.reason;
  if (funding && terms.source) addFunding(resource, transfer, terms.source, view);
  return resource;
}

/** Without refunds: what a chain shows of one names the lock that funded the transfer, and so its depositor. */
function instructionsAtDestination({ terms, instructions }: Transfer, view: SettlementView): readonly InstructionId[] {
  if (instructions.length === 0) return instructions;
  const { idKey } = view.secrets;
  const delivery = deliveryId(idKey, terms.debtor, terms.id);
  const against = voidId(idKey, delivery);
  return instructions.filter((id) => id === delivery || id === against);
}

function addFunding(
  resource: Writable<TransferResource>,
  { terms, state, reference, lockId }: Transfer,
  source: NonNullable<Transfer['terms']['source']>,
  view: SettlementView,
): void {
  resource.source = { network: source.network, depositor: addressText(source.depositor) };
  if (lockId !== undefined) resource.lockId = lockId;
  const ledger = view.vaultLedger(source.network, terms.asset);
  if (state !== 'AWAITING_FUNDS' || reference === undefined || terms.fundByMs === undefined || !ledger) return;
  resource.lock = {
    network: source.network,
    vault: addressOf(ledger.vault),
    amountMinor: terms.amountMinor.toString(),
    reference,
    fundBy: formatTime(terms.fundByMs),
  };
}

export function eventResource({ number, stampMs, body }: ParticipantEvent): EventResource {
  const at = formatTime(stampMs);
  if (body.type === 'lock') {
    const { network, asset, lockId, state } = body;
    return { number, at, type: 'lock', lock: { network, asset, lockId, state } };
  }
  const { bank, id, state, reason } = body;
  const transfer = { bank, id: id as TransferId, state, ...(reason !== undefined && { reason }) };
  return { number, at, type: 'transfer', transfer };
}

/** `content` adds amount, depositor and transfer; `access.ts` says who may see those. */
export function lockResource(lock: UnmatchedLock, content: boolean): LockResource {
  const { network, asset, lockId, state, transfer } = lock;
  if (!content) return { network, asset, lockId, state };
  return {
    network,
    asset,
    lockId,
    state,
    depositor: addressText(lock.depositor),
    amountMinor: lock.amountMinor.toString(),
    ...(transfer && { transfer }),
    why: lock.why,
  };
}
