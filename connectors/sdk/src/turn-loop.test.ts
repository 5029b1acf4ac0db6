import { afterEach, describe, expect, it } from '@jest/globals';
import { TurnLoop } from './turn-loop.ts';

const NEVER_MS = 3_600_000;

let loop: TurnLoop | undefined;
afterEach(() => loop?.stop());

/** A loop whose turns end when the test says so. */
function turns(pauseMs: (failures: number) => number = () => NEVER_MS) {
  const warned: object[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const announced: (() => void)[] = [];
  let begun = 0;
  const made = new TurnLoop({
    turn: () =>
      new Promise((resolve, reject) => {
        begun += 1;
        waiting.push((error) => (error ? reject(error) : resolve()));
        announced.shift()?.();
      }),
    pauseMs,
    failed: 'a turn failed',
    log: { warn: (entry: object) => void warned.push(entry) } as never,
  });
  loop = made;
  return {
    loop: made,
    warned,
    begun: () => begun,
    next: () => new Promise<void>((resolve) => announced.push(resolve)),
    end: (error?: Error) => waiting.shift()?.(error),
  };
}

describe('turns', () => {
  it('begin again at once when woken, also while one runs', async () => {
    const { loop: made, next, end, begun } = turns();
    const first = next();
    made.start();
    await first;
    const second = next();
    made.wake();
    expect(begun()).toBe(1);
    end();
    await second;
    end();
    const third = next();
    await new Promise(setImmediate);
    made.wake();
    await third;
    end();
    expect(begun()).toBe(3);
  });

  it('count what fails in a row, and say its code and nothing of its text', async () => {
    const pauses: number[] = [];
    const {
      loop: made,
      next,
      end,
      warned,
    } = turns((failures) => {
      pauses.push(failures);
      return 0;
    });
    let running = next();
    made.start();
    for (const error of [Object.assign(new Error('secret'), { code: 'DOWN' }), new Error('secret'), undefined]) {
      await running;
      running = next();
      end(error);
    }
    await running;
    expect(pauses).toEqual([1, 2, 0]);
    expect(warned).toEqual([
      { code: 'DOWN', failures: 1 },
      { code: 'UNKNOWN', failures: 2 },
    ]);
    expect(made.failures).toBe(0);
    end();
  });

  it('end with stop, which waits for the one that runs', async () => {
    const { loop: made, next, end, begun } = turns(() => 0);
    const first = next();
    made.start();
    await first;
    let stopped = false;
    const stopping = made.stop().then(() => {
      stopped = true;
    });
    made.wake();
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    end();
    await stopping;
    made.wake();
    await new Promise(setImmediate);
    expect(begun()).toBe(1);
  });
});
