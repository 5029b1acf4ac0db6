import { describe, expect, test } from '@jest/globals';
import { Random } from '../random.ts';
import { type AccountOperation, accountModel } from './account-model.ts';
import { Linearizability } from './linearizability.ts';

const account = (balance = 100n): Linearizability<bigint, AccountOperation> =>
  new Linearizability('account', accountModel(balance));
const debit = (amountMinor: bigint): AccountOperation => ({ type: 'debit', amountMinor });
const credit = (amountMinor: bigint): AccountOperation => ({ type: 'credit', amountMinor });
const READ: AccountOperation = { type: 'read' };

describe('linearizability', () => {
  test('a read sees what was answered before it was called', () => {
    const history = account();
    history.called(1, debit(30n));
    history.answeredWith(1, 'SETTLED');
    history.called(2, READ);
    expect(() => history.answeredWith(2, '100')).toThrow(expect.objectContaining({ checker: 'linearizability' }));
  });

  test('what is under way may have happened or not, but not both one after the other', () => {
    const history = account();
    history.called(1, debit(30n));
    for (const [number, balance] of [
      [2, '100'],
      [3, '70'],
      [4, '70'],
    ] as const) {
      history.called(number, READ);
      history.answeredWith(number, balance);
    }
    history.called(5, READ);
    expect(() => history.answeredWith(5, '100')).toThrow('nothing explains');
  });

  test('reads that overlap may be answered in any order that one sequence explains', () => {
    const history = account();
    history.called(1, credit(5n));
    history.called(2, READ);
    history.called(3, READ);
    history.answeredWith(3, '105');
    history.answeredWith(2, '100');
    history.answeredWith(1, 'SETTLED');
    history.called(4, READ);
    history.answeredWith(4, '105');
    expect(history.answered).toBe(4);
  });

  test('a debit settles only where there is enough, and cannot be answered otherwise', () => {
    const enough = account();
    enough.called(1, debit(100n));
    expect(() => enough.answeredWith(1, 'REJECTED')).toThrow('nothing explains');
    const tooMuch = account();
    tooMuch.called(1, debit(101n));
    tooMuch.called(2, credit(1n));
    tooMuch.answeredWith(1, 'SETTLED');
    expect(() => tooMuch.answeredWith(2, 'REJECTED')).toThrow('nothing explains');
  });

  test('a payment posted twice has no explanation', () => {
    const history = account();
    history.called(1, credit(10n));
    history.answeredWith(1, 'SETTLED');
    history.called(2, READ);
    expect(() => history.answeredWith(2, '120')).toThrow('nothing explains');
  });

  test('what was refused never happened', () => {
    const history = account();
    history.called(1, debit(30n));
    history.refused(1);
    history.called(2, READ);
    expect(() => history.answeredWith(2, '70')).toThrow('nothing explains');
  });

  test('random histories that happened one at a time are explained; with one answer changed most are not', () => {
    let caught = 0;
    for (let seed = 0; seed < 15; seed++) {
      expect(() => play(seed, false)).not.toThrow();
      try {
        play(seed, true);
      } catch {
        caught += 1;
      }
    }
    expect(caught).toBeGreaterThan(11);
  });
});

/** Four clients on one account; every operation takes effect somewhere between its call and its answer. */
function play(seed: number, lies: boolean): void {
  const random = new Random(`history ${seed}`);
  const history = account();
  let balance = 100n;
  const underWay = new Map<number, { input: AccountOperation; output?: string }>();
  for (let number = 1; number <= 40; number++) {
    const input = random.pick([READ, debit(BigInt(random.between(1, 80))), credit(BigInt(random.between(1, 40)))]);
    history.called(number, input);
    underWay.set(number, { input });
    while (underWay.size > random.below(4)) {
      const operation = random.pick([...underWay.keys()]);
      const call = underWay.get(operation);
      if (!call) continue;
      if (call.output === undefined) {
        const effects = accountModel(0n).effects(balance, call.input);
        const effect = random.pick(effects);
        balance = effect.state;
        call.output = effect.output;
        if (random.chance(0.5)) continue;
      }
      underWay.delete(operation);
      const isLie = lies && number > 20 && call.input.type === 'read';
      history.answeredWith(operation, isLie ? `${BigInt(call.output) + 1000n}` : call.output);
    }
  }
}
