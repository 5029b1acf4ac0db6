/** How long nobody is served after the leader was killed, as a client sees it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CoreNode, CoreNodes } from './core-nodes.ts';
import { Payer } from './payer.ts';

/** More than payments can hang until nobody is waited for any more, so that none is queued behind them. */
const CONNECTIONS = 512;
/** Payments under way before, during and after. */
const LANES = 64;
const LOAD_MS = 1_500;
/** A new payment is tried this often, each by itself, so that none waits for one that hangs. */
const TRY_EVERY_MS = 25;
const GIVE_UP_MS = 30_000;
const BREATH_MS = 5;

/** Kills the leader under load and starts it again. Time from the kill to the first answer to a payment sent after it, in ms. */
export async function failOver(nodes: CoreNodes): Promise<number> {
  const leader = await nodes.leader();
  const survivors = nodes.up.filter((node) => node !== leader);
  const payers = nodes.up.map((node) => payerOf(nodes, node));
  const trying = survivors.map((node) => payerOf(nodes, node));
  let stopped = false;
  const lane = async (payer: Payer): Promise<void> => {
    // What becomes of a payment while nobody leads is not measured here.
    while (!stopped) if (!(await answered(payer))) await pause(BREATH_MS);
  };
  const lanes = Array.from({ length: LANES }, (_, n) => payers[n % payers.length]).flatMap((payer) =>
    payer ? [lane(payer)] : [],
  );
  try {
    // Connections are open before the kill.
    await Promise.all(trying.map(answered));
    await pause(LOAD_MS);
    const killedAt = performance.now();
    await leader.kill9();
    return (await firstAnswer(trying, killedAt)) - killedAt;
  } finally {
    stopped = true;
    await Promise.all([...payers, ...trying].map((payer) => payer.close()));
    await Promise.all(lanes);
    if (!leader.running) await leader.start();
    await nodes.even();
  }
}

const payerOf = (nodes: CoreNodes, { url }: CoreNode): Payer => new Payer(url, nodes.service, CONNECTIONS);

const answered = (payer: Payer): Promise<boolean> =>
  payer.pay(1).then(
    () => true,
    () => false,
  );

/** @throws where nobody answers in time */
async function firstAnswer(payers: readonly Payer[], killedAt: number): Promise<number> {
  let at: number | undefined;
  while (at === undefined) {
    if (performance.now() - killedAt > GIVE_UP_MS) throw new Error(`no payment was answered within ${GIVE_UP_MS} ms`);
    for (const payer of payers) {
      void answered(payer).then((settled) => {
        if (settled) at ??= performance.now();
      });
    }
    await pause(TRY_EVERY_MS);
  }
  return at;
}
