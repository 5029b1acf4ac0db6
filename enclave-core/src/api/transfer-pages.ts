/**
 * Pages of a participant's transfers: first the live ones in the order (created, bank, id), then the ended ones state by
 * state. Live transfers move to the end while one reads, never back, so that a reader may see one twice and misses none.
 */
import { type ParticipantId, parseParticipantId, parseTransferId, type TransferId } from '@drawbridge/protocol/ids';
import type { CoreService } from '../core-service.ts';
import { TERMINAL_STATES, type Transfer, type TransferState } from '../settlement/record.ts';

type LiveCursor = Readonly<{ phase: 'live'; createdMs: number; bank: ParticipantId; id: TransferId }>;
type EndedCursor = Readonly<{ phase: TransferState; after: number }>;
export type TransferCursor = LiveCursor | EndedCursor;
type Phase = 'live' | TransferState;

const isLive = (cursor: TransferCursor): cursor is LiveCursor => cursor.phase === 'live';
/** Separates the parts of a cursor; no id holds it, and a URL takes it as it is. */
const SEPARATOR = '~';

const formatCursor = (cursor: TransferCursor): string =>
  (isLive(cursor) ? [cursor.phase, cursor.createdMs, cursor.bank, cursor.id] : [cursor.phase, cursor.after]).join(
    SEPARATOR,
  );

/** `undefined` for a text that no page gave out. */
export function parseCursor(text: string): TransferCursor | undefined {
  const [phase = '', number = '', bank, id, ...rest] = text.split(SEPARATOR);
  if (rest.length > 0 || !/^[0-9]{1,15}$/.test(number)) return undefined;
  if (phase !== 'live') {
    const known = TERMINAL_STATES.has(phase as TransferState) && bank === undefined;
    return known ? { phase: phase as TransferState, after: Number(number) } : undefined;
  }
  try {
    return {
      phase,
      createdMs: Number(number),
      bank: parseParticipantId(bank ?? ''),
      id: parseTransferId(id ?? ''),
    };
  } catch {
    // The parsers throw for any other text; here that only means that this is no cursor.
    return undefined;
  }
}

const phasesOf = (state: TransferState | undefined): readonly Phase[] => {
  if (state === undefined) return ['live', ...TERMINAL_STATES];
  return TERMINAL_STATES.has(state) ? [state] : ['live'];
};

export type TransferListing = Readonly<{ items: readonly Transfer[]; next?: string }>;

/** `undefined` when the cursor is not one of this list. O(live transfers of the participant + limit). */
export function listTransfers(
  core: Pick<CoreService, 'view' | 'history'>,
  query: Readonly<{
    participant: ParticipantId;
    state?: TransferState | undefined;
    after?: TransferCursor | undefined;
    limit: number;
  }>,
): TransferListing | undefined {
  const phases = phasesOf(query.state);
  let cursor = query.after;
  const start = cursor ? phases.indexOf(cursor.phase) : 0;
  if (start < 0) return undefined;
  const items: Transfer[] = [];
  for (const phase of phases.slice(start)) {
    const room = query.limit - items.length;
    // A full page points at the start of the phase that it did not open.
    if (room === 0) return { items, next: phaseStart(phase) };
    const page =
      phase === 'live'
        ? livePage(core, query, cursor && isLive(cursor) ? cursor : undefined)
        : endedPage(core, query.participant, phase, cursor && !isLive(cursor) ? cursor.after : 0, room);
    items.push(...page.items);
    if (page.next) return { items, next: formatCursor(page.next) };
    cursor = undefined;
  }
  return { items };
}

const phaseStart = (phase: Phase): string => formatCursor({ phase: phase as TransferState, after: 0 });

function endedPage(
  { history }: Pick<CoreService, 'history'>,
  participant: ParticipantId,
  state: TransferState,
  after: number,
  limit: number,
): { items: readonly Transfer[]; next?: TransferCursor } {
  const { items, next } = history.endedTransfers(participant, state, after, limit);
  return next === undefined ? { items } : { items, next: { phase: state, after: next } };
}

function livePage(
  { view }: Pick<CoreService, 'view'>,
  {
    participant,
    state,
    limit,
  }: Readonly<{ participant: ParticipantId; state?: TransferState | undefined; limit: number }>,
  after: LiveCursor | undefined,
): { items: readonly Transfer[]; next?: TransferCursor } {
  const found: Transfer[] = [];
  for (const transfer of view.liveTransfersOf(participant)) {
    if (state !== undefined && transfer.state !== state) continue;
    if (after && compare(placeOf(transfer), after) <= 0) continue;
    // One more than fits, and all of its stamp: their order among themselves is by bank and id.
    if (found.length > limit && transfer.createdMs !== found.at(-1)?.createdMs) break;
    found.push(transfer);
  }
  found.sort((a, b) => compare(placeOf(a), placeOf(b)));
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last ? { items, next: placeOf(last) } : { items };
}

const placeOf = ({ createdMs, terms }: Transfer): LiveCursor => ({
  phase: 'live',
  createdMs,
  bank: terms.debtor,
  id: terms.id,
});

function compare(a: LiveCursor, b: LiveCursor): number {
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs;
  if (a.bank !== b.bank) return a.bank < b.bank ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}
