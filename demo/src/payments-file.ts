/**
 * The payments to run, one row each (CSV with a header). Empty `source`: paid from the debtor's account in the core.
 * Empty `destination`: credited to the creditor's account in the core.
 *
 *   wave          1 (the default), 2, 3 …: a wave starts when every payment of the one before has ended
 *   id            UUID (the UETR); a row that repeats another is a duplicate
 *   debtor, creditor   short names of banks
 *   asset, amount      amount in units with decimals, such as 1250.00
 *   source, destination   networks; on Corda only Aurora Bank has a node
 *   beneficiary   `wallet` (the creditor's, the default) or `refuses` (an address that the token will not pay)
 *   lock          `exact` (the default), `wrong-amount` or `none`
 *   onVoid        `return` (the default) or `refund`
 *   fundBySeconds, deliverBySeconds   from submission; 60 and 120 by default
 */
import { readFile } from 'node:fs/promises';
import { parseTransferId, type TransferId } from '@drawbridge/protocol/ids';
import { parse } from 'csv-parse/sync';
import { assetsOn, BANKS, CORDA_BANK, CORDA_NETWORK, type Scene, sceneOf } from './cast.ts';

/** Most payments in one file. */
export const MAX_PAYMENTS = 10_000;

export type Payment = Readonly<{
  row: number;
  wave: number;
  id: TransferId;
  debtor: string;
  creditor: string;
  asset: string;
  amountMinor: bigint;
  source?: string;
  destination?: string;
  beneficiary: 'wallet' | 'refuses';
  lock: 'exact' | 'wrong-amount' | 'none';
  onVoid: 'return' | 'refund';
  fundBySeconds: number;
  deliverBySeconds: number;
}>;

export class PaymentsFileError extends Error {
  override readonly name = 'PaymentsFileError';
  readonly code = 'PAYMENTS_INVALID';
}

const COLUMNS = [
  'wave',
  'id',
  'debtor',
  'creditor',
  'asset',
  'amount',
  'source',
  'destination',
  'beneficiary',
  'lock',
  'onVoid',
  'fundBySeconds',
  'deliverBySeconds',
] as const;
const REQUIRED_COLUMNS = ['id', 'debtor', 'creditor', 'asset', 'amount'] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

/** @throws PaymentsFileError that names every row that is wrong and what would be right. */
export function parsePayments(text: string, scene: Scene = sceneOf({ corda: false })): Payment[] {
  const rows = rowsOf(text);
  if (rows.length === 0) throw new PaymentsFileError('the payments file has no payments');
  if (rows.length > MAX_PAYMENTS) throw new PaymentsFileError(`the payments file may have ${MAX_PAYMENTS} payments`);
  const problems: string[] = [];
  const payments = rows.flatMap((row, index) => {
    const wrong: string[] = [];
    const payment = paymentOf(row, index + 1, { scene, wrong });
    problems.push(...wrong.map((text) => `row ${index + 1}: ${text}`));
    return wrong.length === 0 && payment ? [payment] : [];
  });
  if (problems.length > 0) throw new PaymentsFileError(`the payments file is wrong:\n  ${problems.join('\n  ')}`);
  return payments;
}

function rowsOf(text: string): Row[] {
  try {
    return parse(text, { columns: checkedColumns, bom: true, trim: true, skip_empty_lines: true, comment: '#' });
  } catch (cause) {
    if (cause instanceof PaymentsFileError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PaymentsFileError(`the payments file must be CSV with a header row: ${reason}`, { cause });
  }
}

function checkedColumns(header: readonly string[]): string[] {
  const wrong = [
    ...header.filter((name) => !(COLUMNS as readonly string[]).includes(name)).map((name) => `${name} is unknown`),
    ...header.filter((name, index) => header.indexOf(name) !== index).map((name) => `${name} stands twice`),
    ...REQUIRED_COLUMNS.filter((name) => !header.includes(name)).map((name) => `${name} is missing`),
  ];
  if (wrong.length === 0) return [...header];
  throw new PaymentsFileError(
    `the payments file has wrong columns:\n  ${wrong.join('\n  ')}\nThe columns are ${COLUMNS.join(', ')}; ` +
      `at least ${REQUIRED_COLUMNS.join(', ')} are needed.`,
  );
}

/** @throws PaymentsFileError also for a file that cannot be read. */
export async function readPayments(file: string, scene?: Scene): Promise<Payment[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new PaymentsFileError(`the payments file cannot be read: ${cause.message}`, { cause });
  });
  return parsePayments(text, scene);
}

function paymentOf(
  row: Row,
  number: number,
  { scene, wrong }: Readonly<{ scene: Scene; wrong: string[] }>,
): Payment | undefined {
  const oneOf = <T extends string>(column: keyof Row, allowed: readonly T[], fallback?: T): T => {
    const value = row[column] === '' || row[column] === undefined ? fallback : row[column];
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) wrong.push(`${column} must be one of ${allowed.join(', ')}`);
    return found ?? (allowed[0] as T);
  };
  const whole = (column: keyof Row, fallback: number): number => {
    const text = row[column] || String(fallback);
    if (!/^[1-9][0-9]{0,5}$/.test(text)) wrong.push(`${column} must be a whole number from 1 to 999999`);
    return Number(text);
  };
  const banks = BANKS.map((bank) => bank.short);
  const { networks } = scene;
  const asset = oneOf(
    'asset',
    scene.assets.map((known) => known.code),
  );
  const debtor = oneOf('debtor', banks);
  const creditor = oneOf('creditor', banks);
  const source = row.source ? oneOf('source', networks) : undefined;
  const destination = row.destination ? oneOf('destination', networks) : undefined;
  let id: TransferId | undefined;
  try {
    id = parseTransferId(row.id ?? '');
  } catch {
    wrong.push('id must be a UUID in lower case');
  }
  const scale = scene.assets.find((known) => known.code === asset)?.scale ?? 0;
  const amount = /^([0-9]{1,12})(?:\.([0-9]+))?$/.exec(row.amount ?? '');
  const decimals = amount?.[2] ?? '';
  if (!amount || decimals.length > scale) {
    wrong.push(`amount must be a number above zero with at most 12 digits before the point and ${scale} after it`);
  }
  const payment = {
    row: number,
    wave: whole('wave', 1),
    debtor,
    creditor,
    asset,
    amountMinor: BigInt((amount?.[1] ?? '0') + decimals.padEnd(scale, '0')),
    ...(source ? { source } : {}),
    ...(destination ? { destination } : {}),
    beneficiary: oneOf('beneficiary', ['wallet', 'refuses'] as const, 'wallet'),
    lock: oneOf('lock', ['exact', 'wrong-amount', 'none'] as const, 'exact'),
    onVoid: oneOf('onVoid', ['return', 'refund'] as const, 'return'),
    fundBySeconds: whole('fundBySeconds', 60),
    deliverBySeconds: whole('deliverBySeconds', 120),
  };
  wrong.push(...unknownPlaces(payment, scene));
  if (amount && payment.amountMinor <= 0n) wrong.push('amount must be above zero');
  return id && { ...payment, id };
}

type Places = Pick<Payment, 'debtor' | 'creditor' | 'asset' | 'source' | 'destination' | 'beneficiary'>;

/** What is wrong with where a payment comes from and goes to. */
function unknownPlaces({ debtor, creditor, asset, source, destination, beneficiary }: Places, scene: Scene): string[] {
  const wrong = [source, destination].flatMap((network) =>
    network === undefined || assetsOn(network, scene).some(({ code }) => code === asset)
      ? []
      : [
          `${network} has no vault of ${asset}, only of ${assetsOn(network, scene)
            .map(({ code }) => code)
            .join(', ')}`,
        ],
  );
  const strangers = [source === CORDA_NETWORK && debtor, destination === CORDA_NETWORK && creditor];
  for (const bank of strangers) {
    if (bank && bank !== CORDA_BANK) wrong.push(`${bank} has no node on ${CORDA_NETWORK}, only ${CORDA_BANK} has`);
  }
  if (destination === CORDA_NETWORK && beneficiary === 'refuses') wrong.push(`nobody refuses on ${CORDA_NETWORK}`);
  return wrong;
}
