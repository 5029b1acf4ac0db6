/** A verdict about a ledger, in words and as JSON. */
import { hexOf } from '../bytes.ts';
import { type Line, printable } from '../output.ts';
import { refusalJson, refusalLines } from '../refusal.ts';
import type { Comparison, ForkSide } from './fork.ts';
import type { FactsOfPart } from './ledger-audit.ts';
import type { LedgerVerdict } from './ledger-verdict.ts';
import type { JudgedEntry } from './signed-listing.ts';

export function listedLines({ transactionId, kind, what, stampMs, signed }: JudgedEntry): string {
  const time = stampMs === undefined ? '' : `  ${new Date(stampMs).toISOString()}`;
  const head = `${transactionId}  ${kind}${time}${signed ? '' : '  NOT SIGNED'}`;
  return [head, ...what.map((line) => `    ${printable(line)}`)].join('\n');
}

export function ledgerLines(verdict: LedgerVerdict): Line[] {
  const { refusal } = verdict;
  const head: Line[] = refusal ? refusalLines(refusal, 'ledger') : [['ledger', 'VERIFIED']];
  const lines = [...head, ...factLines(verdict)];
  return refusal ? lines : [...lines, ...heldLines(verdict), ...limitsOf(verdict).map((limit): Line => ['but', limit])];
}

function factLines({ audit, comparison }: LedgerVerdict): Line[] {
  const { serviceId, lastSeqno, signature, signed, unsigned } = audit.facts;
  return [
    ['folder', `${audit.folder}, ${audit.chunks.length} chunks`],
    ...(serviceId === undefined ? [] : [['service', serviceId] as const]),
    ...(signed.entries > 0
      ? ([
          ['entries', `1 to ${signed.entries}, views 1 to ${signed.lastView}: ${kindWords(signed)}`],
          ['nodes', `${signed.nodes} admitted`],
        ] as const)
      : []),
    ...(signature
      ? ([
          [
            'signed',
            `entries 1 to ${signature.size - 1}, by node ${signature.nodeId} at ${signature.view}.${signature.seqno}`,
          ],
          ['root', hexOf(signature.root)],
        ] as const)
      : []),
    ...(unsigned.entries > 0
      ? [['not signed', `entries ${signed.entries + 1} to ${lastSeqno}: ${kindWords(unsigned)}`] as const]
      : []),
    ...(comparison?.type === 'fork' ? comparison.sides.flatMap((side) => sideLines(side, comparison.seqno)) : []),
  ];
}

const kindWords = ({ kinds }: FactsOfPart): string =>
  Object.entries(kinds)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');

const sideLines = ({ folder, view, kind, leaf, signature }: ForkSide, seqno: number): Line[] => [
  [`in ${folder}`, `${view}.${seqno}, ${kind}, leaf ${leaf}`],
  ['', `signed by node ${signature.nodeId} at ${signature.view}.${signature.seqno}, root ${signature.root}`],
];

function heldLines({ export: claims, tip, comparison, against }: LedgerVerdict): Line[] {
  const lines: Line[] = [];
  if (claims) {
    const who = claims.participant ?? 'nobody';
    lines.push(['export', `events 1 to ${claims.lastNumber} of ${who} are all in it, as exported`]);
  }
  if (tip !== undefined) lines.push(['tip', `${tip} is in it, under the signature that the receipt was made from`]);
  if (comparison && against) lines.push(['against', `${against.folder}: ${comparisonWords(comparison)}`]);
  return lines;
}

const comparisonWords = (comparison: Comparison): string =>
  comparison.type === 'same'
    ? `the same entries up to ${comparison.seqno}, where the shorter ends`
    : `the same entries up to ${comparison.seqno - 1}; what differs is not signed in both yet`;

/** What being verified does not say. */
function limitsOf({ audit, tip, export: claims }: LedgerVerdict): string[] {
  const { facts, tornBytes } = audit;
  const limits: string[] = [];
  const { entries: unsigned } = facts.unsigned;
  if (unsigned > 0)
    limits.push(`the last ${unsigned} entries are not signed yet: whoever has the files could have written them`);
  if (tornBytes > 0) limits.push(`the open chunk ends within a record: ${tornBytes} bytes left aside`);
  if (tip === undefined) limits.push(`whether the ledger went on after ${facts.lastSeqno} shows only by --tip RECEIPT`);
  if (claims) limits.push(`whether ${claims.participant ?? 'it'} had events after ${claims.lastNumber} does not show`);
  return limits;
}

export function ledgerJson(verdict: LedgerVerdict): object {
  const { audit, refusal, export: claims, tip, comparison, against } = verdict;
  const { serviceId, lastSeqno, lastView, signature, signed, unsigned } = audit.facts;
  return {
    verified: refusal === undefined,
    ...(refusal && withoutProven(refusalJson(refusal))),
    folder: audit.folder,
    chunks: audit.chunks.length,
    serviceId,
    lastSeqno,
    lastView,
    kinds: signed.kinds,
    nodes: signed.nodes,
    unsignedEntries: unsigned.entries,
    unsigned: { kinds: unsigned.kinds, nodes: unsigned.nodes },
    tornBytes: audit.tornBytes,
    ...(signature && { signature: { ...signature, root: hexOf(signature.root) } }),
    ...(claims && { export: claims }),
    ...(tip !== undefined && { tip }),
    ...(against && { against: against.folder, comparison }),
    ...(refusal === undefined && { limits: limitsOf(verdict) }),
  };
}

const withoutProven = (refusal: object): object =>
  Object.fromEntries(Object.entries(refusal).filter(([name]) => name !== 'proven'));
