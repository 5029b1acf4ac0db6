/** What evidence proves of a vault event, for people and for programs. */
import { formatAmount } from '@drawbridge/protocol/amount';
import type { AssetCode } from '@drawbridge/protocol/ids';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import type { Line } from './output.ts';

/** Whose vault it is and how its amounts are written, as far as the genesis says. */
export type VaultAsset = Readonly<{ asset?: AssetCode; scale?: number }>;

type Uncounted<E> = E extends VaultEvent ? Omit<E, 'seq'> : never;
/** What happened, whatever it is counted by. */
type EventBody = Uncounted<VaultEvent> | Readonly<{ type: 'created' }>;

export const eventLines = (event: VaultEvent, vault: VaultAsset): Line[] =>
  linesOf(event, ['event', `${event.seq}, ${event.type}`], vault);

/** On a ledger of states, which counts nothing. */
export const bodyLines = (event: EventBody, vault: VaultAsset): Line[] => linesOf(event, ['event', event.type], vault);

function linesOf(event: EventBody, head: Line, vault: VaultAsset): Line[] {
  switch (event.type) {
    case 'locked':
      return [
        head,
        ['amount', amountText(event.amountMinor, vault)],
        ['depositor', event.depositor],
        ['reference', event.reference],
        ['lock', event.lockId],
      ];
    case 'executed':
      return [
        head,
        ['kind', event.kind],
        ['amount', amountText(event.amountMinor, vault)],
        ['beneficiary', event.beneficiary],
        ['instruction', event.id],
        ['subject', event.subject],
        ['epoch', `${event.epoch}`],
      ];
    case 'voided':
      return [head, ['instruction', event.id], ['voids', event.subject], ['epoch', `${event.epoch}`]];
    case 'rotated':
      return [head, ['authority', event.authority], ['epoch', `${event.epoch}`], ['by', by(event.byGuardian)]];
    case 'pauseChanged':
      return [head, ['paused', event.paused ? 'yes' : 'no'], ['by', by(event.byGuardian)]];
    case 'migrated':
      return [head, ['successor', event.successor]];
    case 'created':
    case 'guardianProposed':
    case 'guardianCancelled':
      return [head];
  }
}

function amountText(amountMinor: bigint, { asset, scale }: VaultAsset): string {
  if (asset === undefined || scale === undefined) return `${amountMinor} minor units`;
  return `${asset} ${formatAmount(amountMinor, scale)}`;
}

const by = (guardian: boolean): string => (guardian ? 'guardians' : 'authority');

/** Amounts as decimal text: JSON has no whole numbers of that size. */
export const eventJson = (event: VaultEvent): object => asJson(event) as object;

/** On a ledger of states: as `eventJson`, with what was consumed and made. */
export const bodyJson = (event: EventBody): object => asJson(event) as object;

function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asJson(part)]));
}
