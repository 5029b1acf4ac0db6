/**
 * Evidence of a Corda network: what its notary signed, and what that did to a vault that the genesis registers. The vault's state is known
 * as the genesis has it, and as changes of its command left it, which are evidence like the rest.
 */

import { type CordaFacts, verifyCordaEvidence } from '@drawbridge/evidence/corda-notary';
import { CORDA_CHECKS } from '@drawbridge/evidence/corda-refusal';
import type { CordaTrustRoot } from '@drawbridge/evidence/corda-trust-root';
import type { CordaCreated } from '@drawbridge/evidence/corda-vault-creation';
import {
  firstVaultStates,
  judgeVaultTransaction,
  type KnownVaultStates,
} from '@drawbridge/evidence/corda-vault-history';
import { CORDA_VAULT_CHECKS } from '@drawbridge/evidence/corda-vault-refusal';
import {
  type CordaVaultRoot,
  cordaVaultRoot,
  cordaVaultTrust,
  type RegisteredCordaVault,
} from '@drawbridge/evidence/corda-vault-root';
import type { CordaVaultEvent } from '@drawbridge/evidence/corda-vault-transaction';
import { type CordaEvidence, decodeCordaEvidence, isCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { verifyCordaSignature } from './corda-signatures.ts';
import { bodyJson, bodyLines, type VaultAsset } from './event-lines.ts';
import { evidenceFiles } from './evidence-files.ts';
import type { CordaRoots } from './genesis-corda.ts';
import type { GenesisRoots } from './genesis-roots.ts';
import type { Line } from './output.ts';
import { type Refusal, refusedBy } from './refusal.ts';
import { recoverSealer } from './secp256k1.ts';

export type NotarisedVerdict = Readonly<{
  ok: true;
  facts: CordaFacts;
  event: CordaVaultEvent | CordaCreated;
  roots: CordaRoots;
  vault: RegisteredCordaVault;
  /** The transaction that made the vault is among the evidence and fits the registration; else its terms are the genesis' word. */
  creationShown: boolean;
}> &
  VaultAsset;

/** Most items of earlier evidence that are held in memory at once, 1 MB each at most. */
const MAX_EARLIER = 2_048;
const CHECKS: readonly string[] = [...CORDA_CHECKS, ...CORDA_VAULT_CHECKS];
const refuse = (check: string, code: string, detail: string): Refusal =>
  refusedBy(CHECKS, { ok: false, check, code, detail });

/** @throws CliError where the state of the vault that it names is not known, or earlier evidence cannot be read */
export async function judgeNotarised(
  bytes: Uint8Array,
  genesis: GenesisRoots,
  earlierPaths: readonly string[],
): Promise<NotarisedVerdict | Refusal> {
  const evidence = decoded(bytes);
  if ('ok' in evidence) return evidence;
  const roots = genesis.corda().get(evidence.network);
  if (roots === undefined) {
    return refuse('network', 'NETWORK_MISMATCH', `genesis registers no Corda network ${evidence.network}`);
  }
  const benches = roots.vaults.map((vault) => benchOf(genesis, roots, vault));
  if (benches.length === 0)
    return refuse('contract', 'VAULT_UNKNOWN', `genesis registers no vault on ${evidence.network}`);
  const earlier = await readEarlier(earlierPaths, evidence);
  let last: Refusal | undefined;
  let unknown = false;
  for (const bench of benches) {
    const facts = verifyCordaEvidence(evidence, bench.trust, verifyCordaSignature);
    if (!facts.ok) {
      last ??= refusedBy(CHECKS, facts);
      continue;
    }
    const before = statesAfter(bench, earlier);
    const judged = judgeVaultTransaction(facts, bench.root, before.known, recoverSealer);
    if (judged === undefined) {
      unknown = true;
      continue;
    }
    if (!judged.ok) return refusedBy(CHECKS, judged);
    const { vault } = bench;
    const scale = genesis.scales.get(vault.asset);
    return {
      ok: true,
      facts,
      event: judged.event,
      roots,
      vault,
      creationShown: before.creationShown || judged.event.type === 'created',
      asset: vault.asset,
      ...(scale !== undefined && { scale }),
    };
  }
  if (unknown) throw new CliError('EARLIER', UNKNOWN_STATE);
  return last ?? refuse('form', 'FORM_INVALID', 'there is nothing to judge');
}

const UNKNOWN_STATE =
  'it is notarised, and names a state of a vault that is not known: name evidence of the changes before it, ' +
  'by its authority or guardians, with --earlier';

type Bench = Readonly<{ vault: RegisteredCordaVault; root: CordaVaultRoot; trust: CordaTrustRoot }>;

/** @throws CliError for a registration that nothing can be verified by */
function benchOf({ serviceId }: GenesisRoots, { network }: CordaRoots, vault: RegisteredCordaVault): Bench {
  const trust = cordaVaultTrust(network, vault);
  if (!trust.ok) throw new CliError('FILE', `the genesis file is wrong: ${trust.detail}`);
  return { vault, root: cordaVaultRoot(serviceId, network, vault), trust: trust.root };
}

function decoded(bytes: Uint8Array): CordaEvidence | Refusal {
  try {
    return decodeCordaEvidence(bytes);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refuse('form', 'FORM_INVALID', error.message);
  }
}

/** Evidence of the same network; whatever else lies in a folder is passed over. */
async function readEarlier(paths: readonly string[], { network }: CordaEvidence): Promise<readonly CordaEvidence[]> {
  const items: CordaEvidence[] = [];
  for await (const { path, bytes, named } of evidenceFiles(paths, 'earlier evidence')) {
    if (!isCordaEvidence(bytes) && !named) continue;
    const item = decoded(bytes);
    if ('ok' in item) throw new CliError('FILE', `${path} is no evidence of Corda: ${item.detail}`);
    if (item.network !== network) continue;
    if (items.length === MAX_EARLIER)
      throw new CliError('FILE', `there are over ${MAX_EARLIER} items of earlier evidence`);
    items.push(item);
  }
  return items;
}

/**
 * Follows the changes of command, in whichever order they were named. What is no change, or not of this vault, or not sound, moves
 * nothing: a transaction under a state that only it could have made stays unknown.
 */
function statesAfter(
  { root, trust }: Bench,
  earlier: readonly CordaEvidence[],
): Readonly<{ known: KnownVaultStates; creationShown: boolean }> {
  let known = firstVaultStates(root);
  let creationShown = false;
  let waiting = earlier.flatMap((item) => {
    const facts = verifyCordaEvidence(item, trust, verifyCordaSignature);
    return facts.ok ? [facts] : [];
  });
  for (let moved = true; moved; ) {
    moved = false;
    const still: CordaFacts[] = [];
    for (const facts of waiting) {
      const judged = judgeVaultTransaction(facts, root, known, recoverSealer);
      if (judged === undefined) still.push(facts);
      else if (judged.ok && judged.event.type === 'created') creationShown = true;
      else if (judged.ok && judged.states.size > known.size) {
        known = judged.states;
        moved = true;
      }
    }
    waiting = still;
  }
  return { known, creationShown };
}

const nameOf = ({ commonName, organisation, locality, country }: CordaRoots['network']['finality']['notary']['name']) =>
  [commonName, organisation, locality, country].filter((part) => part !== undefined).join(', ');

function finalityText({ roots, facts }: NotarisedVerdict): string {
  const { validating } = roots.network.finality.notary;
  const vaultSigned = facts.signedBy.length > 1 ? 'the vault party signed' : 'the vault party did not sign';
  return validating
    ? `final by proof: the notary signed, which runs the contracts; ${vaultSigned}`
    : `final by proof: the notary signed, which runs no contracts; ${vaultSigned}, whose node ran them`;
}

const NOT_SHOWN =
  "not shown: that the vault was made as the genesis has it is the genesis' word; name its creation with --earlier";

export function notarisedLines(verdict: NotarisedVerdict): Line[] {
  const { facts, event, roots, vault, asset, creationShown } = verdict;
  const { network } = roots;
  const references = facts.references.length === 0 ? [] : [['under', refText(facts.references[0])] as const];
  return [
    ['evidence', 'PROVEN'],
    ['network', `${network.id}, root ${network.genesisHash}`],
    ['transaction', facts.transactionId],
    ['vault', `${vault.vaultId}, ${asset ?? vault.asset}`],
    ...bodyLines(event, verdict),
    ...references,
    ['creation', creationShown ? 'shown, and fits the genesis' : NOT_SHOWN],
    ['consumes', `${facts.inputs.length}: ${facts.inputs.map(refText).join(', ')}`],
    ['notary', nameOf(network.finality.notary.name)],
    ['finality', finalityText(verdict)],
    ['digest', facts.digest],
  ];
}

const refText = (ref: CordaFacts['inputs'][number] | undefined): string =>
  ref === undefined ? '' : `${ref.transactionId}(${ref.index})`;

export function notarisedJson(verdict: NotarisedVerdict): object {
  const { facts, event, roots, vault, asset, scale, creationShown } = verdict;
  const { network } = roots;
  return {
    proven: true,
    network: network.id,
    rule: facts.rule,
    genesisHash: network.genesisHash,
    transactionId: facts.transactionId,
    vault: vault.vaultId,
    asset,
    scale,
    event: bodyJson(event),
    inputs: facts.inputs,
    references: facts.references,
    signedBy: facts.signedBy,
    creationShown,
    notary: { name: network.finality.notary.name, validating: network.finality.notary.validating },
    finalByProof: true,
    digest: facts.digest,
  };
}
