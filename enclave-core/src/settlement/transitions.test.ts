import { describe, expect, test } from '@jest/globals';
import { InvariantError } from './invariant-error.ts';
import type { TransferState } from './record.ts';
import { type Facts, TRANSITIONS, type TransferEvent, transition } from './transitions.ts';

/** `>STATE/REASON` moves; `-REASON` drops it; `?guard` is what the branch asks. Written from DESIGN §5, not from the code. */
const EXPECTED: Record<TransferState, Record<TransferEvent, string>> = {
  PROPOSED: {
    submit: '?hasSource >AWAITING_FUNDS | ?lacksFunds >REJECTED/AM04 | ?hasDestination >FUNDED | >SETTLED',
    funded: 'never',
    instruct: 'never',
    executed: 'halt',
    voided: 'halt',
    cancel: '>CANCELLED/CUST',
    fundByPassed: 'ignore',
    deliverByPassed: 'ignore',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  },
  AWAITING_FUNDS: {
    submit: 'same',
    funded: '?hasDestination >FUNDED | >SETTLED',
    instruct: 'never',
    executed: 'halt',
    voided: 'halt',
    cancel: '>CANCELLED/CUST',
    fundByPassed: '>EXPIRED/NOFUNDS',
    deliverByPassed: 'ignore',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  },
  FUNDED: {
    submit: 'same',
    funded: 'unmatched repeated',
    instruct: '>RELAYING',
    executed: 'halt',
    voided: 'halt',
    cancel: '>CANCELLED/CUST',
    fundByPassed: 'ignore',
    deliverByPassed: '?refundable >REFUNDING/AB03 | >RETURNED/AB03',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  },
  RELAYING: {
    submit: 'same',
    funded: 'unmatched repeated',
    instruct: 'never',
    executed: '>SETTLED',
    voided: 'halt',
    cancel: '>VOIDING/CUST',
    fundByPassed: 'ignore',
    deliverByPassed: '>VOIDING/AB05',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  },
  VOIDING: {
    submit: 'same',
    funded: 'unmatched repeated',
    instruct: 'never',
    executed: '>SETTLED/-',
    voided: '?refundable >REFUNDING | >RETURNED',
    cancel: 'same',
    fundByPassed: 'ignore',
    deliverByPassed: 'ignore',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  },
  REFUNDING: {
    submit: 'same',
    funded: 'unmatched repeated',
    instruct: 'never',
    executed: 'halt',
    voided: 'halt',
    cancel: '>REFUNDING',
    fundByPassed: 'ignore',
    deliverByPassed: 'ignore',
    refundExecuted: '>REFUNDED',
    refundVoided: '>RETURNED/VOIDED',
  },
  SETTLED: ended('unmatched repeated'),
  REJECTED: ended('never'),
  EXPIRED: ended('unmatched late'),
  CANCELLED: ended('?wasFunded unmatched repeated | unmatched late'),
  RETURNED: ended('unmatched repeated'),
  REFUNDED: ended('unmatched repeated'),
};

function ended(funded: string): Record<TransferEvent, string> {
  return {
    submit: 'refuse TRANSFER_ID_SPENT',
    funded,
    instruct: 'never',
    executed: 'halt',
    voided: 'halt',
    cancel: 'refuse TRANSFER_NOT_CANCELLABLE',
    fundByPassed: 'ignore',
    deliverByPassed: 'ignore',
    refundExecuted: 'halt',
    refundVoided: 'halt',
  };
}

const cells = Object.entries(EXPECTED).flatMap(([state, row]) =>
  Object.entries(row).map(([event, text]) => [state as TransferState, event as TransferEvent, text] as const),
);

/** What a verdict is in the notation of `EXPECTED`. */
function verdictText(state: TransferState, event: TransferEvent, facts: Facts): string {
  try {
    const verdict = transition(state, event, facts);
    switch (verdict.kind) {
      case 'move': {
        const reason = verdict.reason === null ? '/-' : verdict.reason ? `/${verdict.reason}` : '';
        return `>${verdict.to}${reason}`;
      }
      case 'unmatched':
        return `unmatched ${verdict.why}`;
      case 'refuse':
        return `refuse ${verdict.code}`;
      default:
        return verdict.kind;
    }
  } catch (error) {
    if (error instanceof InvariantError) return 'never';
    throw error;
  }
}

describe('the table of states and events', () => {
  test('has 12 states and 10 events', () => {
    expect(cells).toHaveLength(120);
    expect(Object.keys(TRANSITIONS).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(cells)('%s × %s: %s', (state, event, text) => {
    const branches = text.split(' | ').map((branch) => /^(?:\?(\w+) )?(.+)$/.exec(branch) ?? []);
    const guards = branches.flatMap(([, guard]) => guard ?? []);
    for (const [index, [, guard, expected]] of branches.entries()) {
      const facts = Object.fromEntries(guards.map((name, i) => [name, i === index && name === guard]));
      expect(verdictText(state, event, facts)).toBe(expected);
    }
  });

  test('a guard that nobody settled is a bug, not a branch', () => {
    expect(() => transition('PROPOSED', 'submit', {})).toThrow(InvariantError);
  });
});
