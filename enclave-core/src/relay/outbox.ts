/**
 * The core's side of the relay towards the vaults: reads the open instructions of a network, signs each and seals it for
 * the network's connector. Signing happens here and only on reading, so an instruction that did not commit is never signed.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FIRST_EPOCH } from '@drawbridge/governance/genesis';
import type { Network } from '@drawbridge/governance/registration';
import { MAX_OUTBOX_ITEMS } from '@drawbridge/protocol/api/relay';
import { type NetworkId, vaultKey } from '@drawbridge/protocol/ids';
import type { OutboxItem } from '../core-service.ts';
import type { OpenInstruction, SettlementView } from '../settlement/view.ts';
import { WeightedLru } from '../weighted-lru.ts';
import { sealBody } from './sealed-body.ts';
import { instructionJobId, signInstruction } from './signed-instruction.ts';

/** Memory for sealed bodies, so that reading again costs nothing, in bytes. */
const MAX_CACHED_BYTES = 32 * 2 ** 20;
/** Earlier epochs whose jobs a reader is told to remove. */
const MAX_SUPERSEDED = 8;
/** Signatures made before other work gets its turn; one takes about half a millisecond. */
const SIGNATURES_PER_TURN = 4;

export class Outbox {
  readonly #view: () => SettlementView;
  /** By job id and recipient: the base64 of the envelope. */
  readonly #sealed = new WeightedLru<string, string>(MAX_CACHED_BYTES);
  readonly #keys = new WeightedLru<string, KeyObject>(64);

  constructor(view: () => SettlementView) {
    this.#view = view;
  }

  /** Instructions behind `after`, none of them behind `upTo`. */
  async read(
    network: NetworkId,
    { after, upTo, limit }: Readonly<{ after: number; upTo: number; limit: number }>,
  ): Promise<{ items: OutboxItem[]; next: number }> {
    const wanted = Math.min(limit, MAX_OUTBOX_ITEMS);
    // Taken at once: the state may move while this waits.
    const open: OpenInstruction[] = [];
    for (const instruction of this.#view().openInstructions(network, after)) {
      if (open.length === wanted || instruction.outboxSeq > upTo) break;
      open.push(instruction);
    }
    const items: OutboxItem[] = [];
    let signed = 0;
    for (const instruction of open) {
      const { item, fresh } = this.#item(instruction);
      if (item) items.push(item);
      if (fresh && ++signed % SIGNATURES_PER_TURN === 0) await nextTurn();
    }
    return { items, next: open.at(-1)?.outboxSeq ?? after };
  }

  /** `fresh` if something had to be signed. Nothing for an instruction that may not be signed now. */
  #item(open: OpenInstruction): { item?: OutboxItem; fresh: boolean } {
    const view = this.#view();
    const network = view.network(open.network);
    const vault = view.vaultLedger(open.network, open.asset)?.vault;
    const authority = view.secrets.authorities[vaultKey(open.network, open.asset)];
    const recipient = network && connectorKey(view, network);
    if (!network || !vault || authority === undefined || recipient === undefined) return { fresh: false };
    // The key at hand is of the vault's present epoch; and a fenced network gets nothing but its rotation.
    if (open.epoch !== vault.epoch || (network.state === 'fenced' && open.kind !== 'rotate')) return { fresh: false };
    const { relayKey, trailKey } = view.secrets;
    const jobId = instructionJobId(relayKey, open, open.epoch);
    const name = `${jobId}/${recipient}`;
    const known = this.#sealed.get(name);
    const sealed =
      known ??
      Buffer.from(
        sealBody(
          this.#publicKey(recipient),
          { purpose: 'instruction', network: open.network, jobId },
          signInstruction(open, { serviceId: view.serviceId, network, vault, trailKey, authority }),
        ),
      ).toString('base64');
    if (known === undefined) this.#sealed.put(name, sealed, name.length + sealed.length);
    const supersedes = supersededEpochs(open.epoch).map((epoch) => instructionJobId(relayKey, open, epoch));
    return { item: { cursor: open.outboxSeq, jobId, sealed, supersedes }, fresh: known === undefined };
  }

  #publicKey(pem: string): KeyObject {
    const key = this.#keys.get(pem) ?? createPublicKey(pem);
    this.#keys.put(pem, key);
    return key;
  }
}

const connectorKey = (view: SettlementView, network: Network): string | undefined => {
  const [first] = network.connectors;
  return first && view.participant(first)?.sealingKey;
};

function supersededEpochs(epoch: number): number[] {
  const from = Math.max(FIRST_EPOCH, epoch - MAX_SUPERSEDED);
  return Array.from({ length: Math.max(0, epoch - from) }, (_, i) => from + i);
}
