import { randomBytes } from 'node:crypto';
import { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { StatesBook } from '@drawbridge/connector-sdk/states-book';
import type { EvidenceOffer } from '@drawbridge/connector-sdk/vault-event-source';
import { fromHex, parseBytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { stateRef } from '@drawbridge/protocol/state-ref';
import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { encodeAgentBody } from './agent-cbor.ts';
import type { KeptState, ProofAnswer } from './agent-queries.ts';
import type { Consumer } from './broker-link.ts';
import { transactionOf } from './owed-evidence.ts';
import { StateFollower } from './state-follower.ts';
import { rsaKeys } from './testing/broker-place.ts';
import type { VaultOnLedger } from './vault-on-ledger.ts';

const network = parseNetworkId('corda-1');
const asset = parseAssetCode('EUR');
const keys = rsaKeys();
const sealer = new BodySealer(keys.publicKey);
const opener = new BodyOpener(keys.privateKey);
const vault = parseBytes32(`0x${'aa'.repeat(32)}`);
const word = () => toBytes32(randomBytes(32));

let book: StatesBook;
let kept: KeptState[];
let proof: ProofAnswer;
let underway: boolean;
let failing: boolean;
let told: string[];
let offered: EvidenceOffer[];
let consume: Consumer;
let follower: StateFollower;

beforeEach(() => {
  book = { vault, proven: true, vaultState: stateRef(word(), 0), permits: [], states: [] };
  kept = [];
  proof = { type: 'proof', vault, evidence: new Uint8Array(9) };
  [underway, failing] = [false, false];
  [told, offered] = [[], []];
  const tell = (what: string) => void told.push(what);
  const offer = async (items: readonly EvidenceOffer[]) => {
    if (failing) throw Object.assign(new Error('the queue is full'), { code: 'OOM' });
    offered.push(...items);
  };
  follower = new StateFollower(
    { network, vaults: [{ asset, address: vault }], idKey: new Uint8Array(32), compareMs: 1, maxPages: 1, ...bounds },
    {
      link: { consume: (_queue, consumer) => (consume = consumer) },
      opener,
      queries: {
        vault: async () => ({ mode: 'escrow' }) as VaultOnLedger,
        states: async () => kept,
        status: async (refs) => refs.map(() => 'unconsumed'),
        spender: async () => undefined,
        proof: async () => proof,
      },
      books: { book: async () => book, sealingKey: async () => keys.publicKey },
      outbox: {
        offer,
        reoffer: offer,
        sealTo: () => tell('sealed'),
        isUnderway: async () => underway,
        isCompleted: async () => false,
      },
      metrics: {
        offers: (result) => tell(result),
        compared: (_asset, { owed }) => tell(`${owed} owed`),
        unprovable: tell,
      },
      log: pino({ level: 'silent' }),
    },
  );
});
const bounds = { maxOwed: 2, maxBurns: 1, requeueMs: 1 };

function deliver(transaction = word()): Promise<string> {
  const messageId = randomBytes(16).toString('hex');
  const plain = encodeAgentBody([1, fromHex(vault), fromHex(transaction), 1, new Uint8Array(5)]);
  const body = sealer.seal(plain, { purpose: 'agent-event', network, jobId: messageId });
  return new Promise((resolve) => {
    const acknowledge = () => resolve('acknowledged');
    const requeue = () => resolve('requeued');
    consume({ messageId, correlationId: undefined, body, acknowledge, reject: resolve, requeue });
  });
}

test('an event waits until the key of the core is known', async () => {
  const fate = deliver();
  expect(offered).toEqual([]);
  await follower.turn();
  expect(await fate).toBe('acknowledged');
  expect(offered).toHaveLength(1);
});

test('the creation of a vault that the core has not seen yet is offered', async () => {
  book = { ...book, proven: false };
  const fate = deliver(transactionOf(book.vaultState));
  await follower.turn();
  expect(await fate).toBe('acknowledged');
  expect(told).toContain('1 owed');
  expect(new Set(offered.map(({ jobId }) => jobId)).size).toBe(1);
});

test('what the core shows that it has, such as the creation of its vault, is not offered', async () => {
  const fate = deliver(transactionOf(book.vaultState));
  await follower.turn();
  expect(await fate).toBe('acknowledged');
  expect(offered).toEqual([]);
});

test('an event that cannot be queued goes back to the broker', async () => {
  await follower.turn();
  failing = true;
  expect(await deliver()).toBe('requeued');
  expect(told).toContain('failed');
});

test('evidence of another vault than the one that was asked about is not offered', async () => {
  kept = [{ ref: stateRef(word(), 0), kind: 'permit' }];
  proof = { type: 'proof', vault: word(), evidence: new Uint8Array(9) };
  await follower.turn();
  expect(offered).toEqual([]);
  expect(told).toEqual(['sealed', '1 owed', 'OTHER_VAULT']);
});

test('what cannot be proven is counted, and what is underway is left alone', async () => {
  kept = [{ ref: stateRef(word(), 0), kind: 'permit' }];
  proof = { type: 'refused', code: 'PROOF_TOO_LARGE' };
  await follower.turn();
  expect(told).toContain('PROOF_TOO_LARGE');
  underway = true;
  told.length = 0;
  await follower.turn();
  expect([told, offered]).toEqual([['sealed', '1 owed'], []]);
});

test('no more is fetched in one comparison than allowed', async () => {
  kept = [1, 2, 3].map(() => ({ ref: stateRef(word(), 0), kind: 'permit' }));
  await follower.turn();
  expect(offered).toHaveLength(2);
});

test('a core that has another vault of the asset is no comparison', async () => {
  book = { ...book, vault: word() };
  await expect(follower.turn()).rejects.toMatchObject({ code: 'VAULT_MISMATCH' });
});
