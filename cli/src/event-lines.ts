/** What evidence proves of a vault event, for people and for programs. */
import { formatAmount } from '@drawbridge/protocol/amount';
import type { AssetCode } from '@drawbridge/protocol/ids';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import type { Line } from './output.ts';

/** Whose vault it is and how its amounts are written, as far as the genesis says. */
export type VaultAsset = Readonly<{ asset?: AssetCode; scale?: number }>;

export function eventLines(event: VaultEvent, vault: VaultAsset): Line[] {
  const head: Line = ['event', `${event.seq}, ${event.type}`];
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
export const eventJson = (event: VaultEvent): object =>
  'amountMinor' in event ? { ...event, amountMinor: event.amountMinor.toString() } : event;
