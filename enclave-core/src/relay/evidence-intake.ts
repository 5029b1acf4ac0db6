/**
 * The core's side of the relay from the vaults: opens sealed evidence, verifies it against the registered trust roots and
 * proposes what it proves. Refusals say which check failed; nothing unverified is ever proposed.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { verifyObserverEvidence } from '@drawbridge/evidence/observers';
import { trustRootFrom } from '@drawbridge/evidence/trust-root';
import { MAX_EVIDENCE_ITEMS } from '@drawbridge/protocol/api/relay';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { decodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import type { CoreService, EvidenceResult } from '../core-service.ts';
import type { Command, Outcome } from '../settlement/command.ts';
import type { SettlementView } from '../settlement/view.ts';
import { ed25519Verifier } from './ed25519.ts';
import { openBody, type Recipient, recipientOf } from './sealed-body.ts';

type SealedItem = Readonly<{ jobId: string; sealed: string }>;
type VaultEventCommand = Extract<Command, { type: 'vaultEvent' }>;
type Checked =
  | Readonly<{ ok: true; command: VaultEventCommand }>
  | Readonly<{ ok: false; code: string; detail: string }>;

/** Codes of `apply` after which the same item can still be accepted later. */
const TRANSIENT: ReadonlySet<string> = new Set(['EVENT_EARLY', 'TRUST_VERSION_STALE', 'LANE_HALTED', 'LANE_CLOSED']);

const refused = (code: string, detail: string): Checked => ({ ok: false, code, detail });

export class EvidenceIntake {
  readonly #core: Pick<CoreService, 'submit' | 'view'>;
  readonly #verifySignature = ed25519Verifier();
  #recipient: (Recipient & Readonly<{ pem: string; publicPem: string }>) | undefined;

  constructor(core: Pick<CoreService, 'submit' | 'view'>) {
    this.#core = core;
  }

  /** Public half (SPKI, PEM) of the key that evidence must be sealed to. */
  sealingPublicKey(): string {
    return this.#openWith().publicPem;
  }

  /**
   * One result per item, in their order, after commit.
   * @throws SubmitError, RangeError for more items than one call may have
   */
  async accept(network: NetworkId, items: readonly SealedItem[]): Promise<EvidenceResult[]> {
    if (items.length > MAX_EVIDENCE_ITEMS) throw new RangeError(`at most ${MAX_EVIDENCE_ITEMS} items of evidence`);
    const results: EvidenceResult[] = [];
    const proven: { at: number; command: VaultEventCommand }[] = [];
    for (const [at, item] of items.entries()) {
      const checked = this.#check(network, item);
      if (checked.ok) proven.push({ at, command: checked.command });
      else results[at] = { jobId: item.jobId, result: 'refused', code: checked.code, detail: checked.detail };
      await nextTurn();
    }
    proven.sort((a, b) => a.command.event.seq - b.command.event.seq);
    const due: typeof proven = [];
    const ends = new Map<string, number>();
    for (const { at, command } of proven) {
      const untimely = this.#untimely(command, ends);
      if (untimely) results[at] = resultOf(items[at]?.jobId ?? '', untimely);
      else due.push({ at, command });
    }
    const committed = due.length === 0 ? [] : await this.#core.submit(due.map(({ command }) => command));
    for (const [i, { at }] of due.entries()) {
      const answer = committed[i];
      const jobId = items[at]?.jobId;
      if (!answer || jobId === undefined) throw new Error(`submit answered ${committed.length} of ${due.length}`);
      results[at] = resultOf(jobId, answer.outcome);
    }
    return results;
  }

  /**
   * What the committed state already answers, as `apply` would: couriers come back with the same items again and again,
   * and what changes nothing shall not fill the ledger. `ends`: the counter after the last one proposed, by asset.
   */
  #untimely({ network, asset, event }: VaultEventCommand, ends: Map<string, number>): Outcome | undefined {
    const expectedSeq = this.#core.view.vaultLedger(network, asset)?.nextEventSeq ?? 0;
    if (event.seq < expectedSeq) return { ok: false, code: 'EVENT_SEEN', detail: 'the event was applied', expectedSeq };
    const end = ends.get(asset) ?? expectedSeq;
    if (event.seq > end) return { ok: false, code: 'EVENT_EARLY', detail: 'an earlier event comes first', expectedSeq };
    ends.set(asset, event.seq + 1);
    return undefined;
  }

  #check(network: NetworkId, item: SealedItem): Checked {
    let evidence: ObserverEvidence;
    try {
      const bytes = openBody(
        this.#openWith(),
        { purpose: 'evidence', network, jobId: item.jobId },
        fromBase64(item.sealed),
      );
      evidence = decodeObserverEvidence(bytes);
    } catch (error) {
      return protocolRefusal(error);
    }
    const { view } = this.#core;
    const registered = view.network(network);
    if (!registered) return refused('NETWORK_UNKNOWN', 'no such network is registered');
    const vault = vaultAt(view, network, evidence.log.address);
    if (!vault) return refused('VAULT_UNKNOWN', 'the log is of no vault of this network');
    const participants = view.participants();
    const trust = trustRootFrom({ serviceId: view.serviceId, network: registered, vault, participants });
    if (!trust.ok) return refused('TRUST_ROOT_UNUSABLE', trust.detail);
    const proof = verifyObserverEvidence(evidence, trust.root, this.#verifySignature);
    if (!proof.ok) return refused(proof.code, proof.detail);
    return {
      ok: true,
      command: {
        type: 'vaultEvent',
        network,
        asset: vault.asset,
        event: proof.event,
        blockNumber: proof.blockNumber,
        evidenceDigest: proof.digest,
        trustVersion: registered.trustVersion,
      },
    };
  }

  #openWith(): Recipient & Readonly<{ publicPem: string }> {
    const pem = this.#core.view.secrets.sealingKey;
    if (this.#recipient?.pem !== pem) {
      const privateKey = createPrivateKey(pem);
      const publicKey = createPublicKey(privateKey);
      const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      this.#recipient = { pem, privateKey, publicPem, name: recipientOf(publicKey) };
    }
    return this.#recipient;
  }
}

/** Base64 as Node reads it; what is not base64 is then no envelope. */
const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');

function vaultAt(view: SettlementView, network: NetworkId, address: string) {
  for (const { vault } of view.vaultLedgers()) if (vault.network === network && vault.address === address) return vault;
  return undefined;
}

/** Whoever sends garbage learns its code; anything but a protocol error is a bug and goes on. */
function protocolRefusal(error: unknown): Checked {
  if (error instanceof Error && error.name === 'ProtocolError' && 'code' in error) {
    return refused(String(error.code), error.message);
  }
  throw error;
}

function resultOf(jobId: string, outcome: Outcome): EvidenceResult {
  if (outcome.ok) return { jobId, result: 'accepted' };
  const { code, detail, expectedSeq } = outcome;
  const rest = { code, detail, ...(expectedSeq !== undefined && { expectedSeq }) };
  if (code === 'EVENT_SEEN') return { jobId, result: 'duplicate', ...rest };
  return { jobId, result: TRANSIENT.has(code) ? 'early' : 'refused', ...rest };
}
