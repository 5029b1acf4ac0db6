/** Receipts of the fake core: of the form of real ones, with digests that prove nothing. */
import { createHash } from 'node:crypto';
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import {
  type CoreService,
  type LockName,
  type ReceiptService,
  SubmitError,
  type TransactionId,
} from '../../core-service.ts';
import type { ParticipantEvent } from '../../settlement/record.ts';

const hex = (seed: string): string => createHash('sha256').update(seed).digest('hex');
const NO_CLAIMS = '0'.repeat(64);
/** More events than any test makes. */
const ALL_EVENTS = Number.MAX_SAFE_INTEGER;

export class FakeReceipts implements ReceiptService {
  /** What every question throws; `absent`: nothing is answered. */
  fail: SubmitError['code'] | 'absent' | undefined;
  /** Questions under way, and the most that there were at once. */
  waiting = 0;
  mostWaiting = 0;
  readonly #core: Pick<CoreService, 'history' | 'transactionStatus'>;
  readonly #places = new Map<string, TransactionId>();

  constructor(core: Pick<CoreService, 'history' | 'transactionStatus'>) {
    this.#core = core;
  }

  reset(): void {
    this.fail = undefined;
    this.mostWaiting = 0;
    this.#places.clear();
  }

  /** Remembers which entry left an event. */
  announced(participant: ParticipantId, number: number, at: TransactionId): void {
    this.#places.set(`${participant}/${number}`, at);
  }

  transaction(id: TransactionId): Promise<Receipt | undefined> {
    const [view = 0, seqno = 0] = id.split('.').map(Number);
    return this.#answer(() =>
      this.#core.transactionStatus(view, seqno) === 'Committed' ? this.#receipt(id) : undefined,
    );
  }

  event(participant: ParticipantId, number: number): Promise<Receipt | undefined> {
    return this.#answer(() => {
      const event = this.#core.history.events(participant, number - 1, 1).items[0];
      return event && this.#ofEvent(event);
    });
  }

  transfer(
    participant: ParticipantId,
    bank: ParticipantId,
    id: TransferId,
    at?: TransactionId,
  ): Promise<Receipt | undefined> {
    return this.#answer(() => {
      const event = this.#core.history.events(participant, 0, ALL_EVENTS).items.findLast(({ body, number }) => {
        const told = body.type === 'transfer' && body.bank === bank && body.id === id;
        return told && (at === undefined || this.#places.get(`${participant}/${number}`) === at);
      });
      return event && this.#ofEvent(event);
    });
  }

  lock(
    participant: ParticipantId,
    { network, asset, lockId }: LockName,
    at?: TransactionId,
  ): Promise<Receipt | undefined> {
    return this.#answer(() => {
      const event = this.#core.history.events(participant, 0, ALL_EVENTS).items.findLast(({ body, number }) => {
        const told = body.type === 'lock' && body.lockId === lockId && body.network === network && body.asset === asset;
        return told && (at === undefined || this.#places.get(`${participant}/${number}`) === at);
      });
      return event && this.#ofEvent(event);
    });
  }

  async #answer(make: () => Receipt | undefined): Promise<Receipt | undefined> {
    this.waiting += 1;
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    await new Promise((resolve) => setImmediate(resolve));
    this.waiting -= 1;
    if (this.fail === 'absent') return undefined;
    if (this.fail !== undefined) throw new SubmitError(this.fail, 'asked for by a test');
    return make();
  }

  #ofEvent({ participant, number, stampMs, body }: ParticipantEvent): Receipt | undefined {
    const place = this.#places.get(`${participant}/${number}`);
    if (place === undefined) return undefined;
    const claim = JSON.stringify({ v: 1, participant, number, stampMs, ...body });
    return { ...this.#receipt(place), claims_proof: { claim, salt: hex(claim), proof: [{ left: hex('sibling') }] } };
  }

  #receipt(id: TransactionId): Receipt {
    return {
      cert: '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      node_id: hex('node') as NodeId,
      signature: Buffer.from(`signature ${id}`).toString('base64'),
      proof: [{ left: hex(`left ${id}`) }, { right: hex(`right ${id}`) }],
      leaf_components: {
        write_set_digest: hex(`entry ${id}`),
        commit_evidence: `ce:${id}:${hex(`evidence ${id}`)}`,
        claims_digest: NO_CLAIMS,
      },
      transaction_id: id,
      platform: 'virtual',
      rollbackProtected: false,
    };
  }
}
