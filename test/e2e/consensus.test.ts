/**
 * A network that the core believes by its sealed headers, and nobody's word: geth with Clique, real signers voted in and
 * out, down and back, while payments run both ways. Each story ends with equal sums and nothing executed twice.
 */
import type { FalseAnswer } from '@drawbridge/connector-quorum/testing/rpc-proxy';
import { gethOrReason } from '@drawbridge/devnets/geth-binary';
import type { TransferId } from '@drawbridge/protocol/ids';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { executedIds } from './chain-facts.ts';
import { type CliqueGround, cliqueGround } from './clique-system.ts';
import { eventually, type Payment, startWorld, type World } from './world.ts';

const TO_CLIQUE = { from: 'aurora', to: 'boreal', asset: 'EUR', source: 'quorum-a', destination: 'quorum-b' } as const;
const FROM_CLIQUE = {
  from: 'boreal',
  to: 'corvid',
  asset: 'USD',
  source: 'quorum-b',
  destination: 'quorum-a',
} as const;
const STORY_MS = 300_000;
/** Spoilt answers of one kind that the connector gets before the next kind. */
const ANSWERS_PER_SPELL = 2;
/** A network of one-second blocks that shows none for so long has stopped. */
const STANDSTILL_MS = 30_000;

const geth = await gethOrReason();
if ('reason' in geth) process.stderr.write(`skipped: a network of sealed blocks: ${geth.reason}\n`);
const describeWhere = 'reason' in geth ? describe.skip : describe;

describeWhere('a network of sealed blocks', () => {
  let world: World;
  let ground: CliqueGround;

  beforeAll(async () => {
    ground = cliqueGround();
    world = await startWorld({ nodes: { 'quorum-b': ground.start } });
  }, STORY_MS);
  afterAll(async () => {
    await world?.stop();
    await world?.remove();
  }, 60_000);
  afterEach(async () => {
    await world.expectConserved();
    for (const chain of world.system.chains) {
      const ids = await executedIds(chain);
      expect(new Set(ids).size).toBe(ids.length);
    }
  }, 60_000);

  const settle = async (payment: Payment): Promise<void> => {
    const { id } = await world.fund(payment);
    await world.until(payment.from, id, 'SETTLED');
  };
  const finality = async () => {
    const networks = await world.desk('aurora').networks();
    const found = networks.find(({ id }) => id === 'quorum-b')?.finality;
    if (!found || !('validators' in found)) throw new Error('quorum-b is believed by its blocks');
    return found;
  };

  it(
    'is paid to and paid from, and says what it is believed by',
    async () => {
      await Promise.all([
        settle({ ...TO_CLIQUE, amountMinor: 1_001n }),
        settle({ ...FROM_CLIQUE, amountMinor: 1_002n }),
      ]);
      expect(await finality()).toMatchObject({ rule: 'clique', byProof: false, validators: 3 });
    },
    STORY_MS,
  );

  it(
    'is followed through votes that change who seals, while payments run',
    async () => {
      const clique = ground.network();
      const [first, fourth] = [clique.nodes[1], clique.nodes[3]];
      if (!first || !fourth) throw new Error('the network has four nodes');
      const payments = (async () => {
        for (const amountMinor of [2_001n, 2_002n, 2_003n]) {
          await Promise.all([settle({ ...TO_CLIQUE, amountMinor }), settle({ ...FROM_CLIQUE, amountMinor })]);
        }
      })();
      await clique.proposeSigner(fourth.address, true);
      await eventually('four members', async () => ((await finality()).validators === 4 ? true : undefined));
      await clique.proposeSigner(first.address, false);
      await eventually('three members', async () => ((await finality()).validators === 3 ? true : undefined));
      await payments;
      await settle({ ...FROM_CLIQUE, amountMinor: 2_004n });
    },
    STORY_MS,
  );

  it(
    'strands nothing with a signer down, once it is back',
    async () => {
      const clique = ground.network();
      await clique.killNode(2);
      const last = await clique.blockNumber();
      // Two of three signers can tie, each with a block of its own that the other may not build on: Clique then stands
      // still until the third is back. So the payments may end before or after it.
      const payments = [
        settle({ ...FROM_CLIQUE, amountMinor: 3_001n, fundBySeconds: 200, deliverBySeconds: 280 }),
        settle({ ...TO_CLIQUE, amountMinor: 3_002n, fundBySeconds: 200, deliverBySeconds: 280 }),
      ];
      const passed = async () => ((await clique.blockNumber()) > last + 5 ? true : undefined);
      await eventually('blocks without it', passed, STANDSTILL_MS).catch(() => undefined);
      await clique.startNode(2);
      await Promise.all(payments);
    },
    STORY_MS,
  );

  it(
    'loses nothing while its connector is away, and hands in all the headers afterwards',
    async () => {
      const [connector] = world.system.connectors('quorum-b');
      await connector?.kill9();
      const { id } = await world.fund({ ...FROM_CLIQUE, amountMinor: 4_001n });
      const from = await ground.network().blockNumber();
      await eventually('a gap of thirty blocks', async () =>
        (await ground.network().blockNumber()) > from + 30 ? true : undefined,
      );
      expect(await world.desk('boreal').transfer(id)).toMatchObject({ state: 'AWAITING_FUNDS' });
      await connector?.start();
      await world.until('boreal', id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'credits nothing on what a spoilt node says, and everything once it speaks true again',
    async () => {
      const proxy = ground.proxy();
      const error = (code: number, message: string) =>
        JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message } });
      const spells: readonly ((request: string, answer: string) => FalseAnswer | undefined)[] = [
        () => ({ status: 503, text: 'no' }),
        () => ({ status: 429, text: error(-32_005, 'limit exceeded') }),
        (_, answer) => ({ text: answer.replaceAll(/"result":(\{[\s\S]*\}|"[^"]*")/g, '"result":null') }),
        (_, answer) => ({ text: answer.slice(0, answer.length / 2), broken: true }),
        () => ({ text: 'x'.repeat(65_536), endless: true }),
        // Headers and receipts of a chain that never was: one digit of each state root is another.
        (_, answer) => ({ text: answer.replaceAll(/"stateRoot":"0x./g, '"stateRoot":"0xf') }),
        (_, answer) => ({ text: answer.replaceAll(/"receiptsRoot":"0x./g, '"receiptsRoot":"0xe') }),
      ];
      const payments: TransferId[] = [];
      for (const [i, spell] of spells.entries()) {
        let spoilt = 0;
        proxy.tamper((request, answer) => {
          spoilt += 1;
          return spell(request, answer);
        });
        const amountMinor = 5_001n + BigInt(i);
        const { id } = await world.fund({ ...FROM_CLIQUE, amountMinor, fundBySeconds: 240, deliverBySeconds: 290 });
        payments.push(id);
        await eventually('enough spoilt answers', async () => (spoilt >= ANSWERS_PER_SPELL ? true : undefined));
      }
      proxy.tamper(undefined);
      await Promise.all(payments.map((id) => world.until(FROM_CLIQUE.from, id, 'SETTLED')));
    },
    STORY_MS,
  );
});
