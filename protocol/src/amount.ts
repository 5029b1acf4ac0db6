/** Money: whole minor units (EUR 1.00 with scale 2 = `100n`), `bigint` in code, decimal strings on the wire. */
import { ProtocolError } from './protocol-error.ts';

/** The largest amount of one movement: 2⁶³ − 1 minor units. Sums may be wider. */
export const MAX_AMOUNT_MINOR: bigint = 2n ** 63n - 1n;

/** @throws ProtocolError `AMOUNT_INVALID` unless `text` is a positive whole number without sign or leading zero, below 2⁶³. */
export function parseAmountMinor(text: string): bigint {
  if (!/^[1-9][0-9]{0,18}$/.test(text)) {
    throw new ProtocolError(
      'AMOUNT_INVALID',
      'amount must be a positive whole number of minor units as a decimal string',
    );
  }
  const amount = BigInt(text);
  if (amount > MAX_AMOUNT_MINOR) throw new ProtocolError('AMOUNT_INVALID', 'amount must be below 2^63 minor units');
  return amount;
}

/** `12345n` with scale 2 → `"123.45"`. For people; the wire carries minor units. */
export function formatAmount(amountMinor: bigint, scale: number): string {
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
