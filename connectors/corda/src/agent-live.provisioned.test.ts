/** The agent at a live Corda network: one network, each test goes on where the one before it ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagedProcess } from '@drawbridge/devnets/child-process';
import { until } from '@drawbridge/devnets/until';
import { type Bytes32, fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { decodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { CORDA_VAULT_CLASSES } from '@drawbridge/protocol/corda-vault-classes';
import { type StateRef, stateAfter, stateRef } from '@drawbridge/protocol/state-ref';
import { afterAll, expect, jest } from '@jest/globals';
import type { AgentValue } from './agent-cbor.ts';
import { type CordaTestbed, drawnWord, startCordaTestbed } from './testing/corda-testbed.ts';
import { type LiveLine, openLiveLine } from './testing/live-line.ts';
import { guardOrder, type Ordered, type SignedOrder, SigningKeyPair, signedOrder } from './testing/vault-authority.ts';
import type { LockRecord, VaultDescription } from './testing/vault-tool.ts';
import { testWithCordaTestbed } from './testing/with-corda-testbed.ts';

jest.setTimeout(900_000);

const withBed = await testWithCordaTestbed();
const ASSET = 'EUR';
const FLOW_TIMEOUT_S = 5;
const EVENT_DEADLINE_MS = 60_000;
/** A node asks its notary again after 30 s, then after 54 s more (`flowTimeout` of Corda's reference.conf: 1.8 times as long each time). */
const NOTARY_DEADLINE_MS = 180_000;
/** Under a minute, after which a node ends itself; the agent's own bound is 30 s. */
const STANDSTILL_DEADLINE_MS = 50_000;
const authority = new SigningKeyPair();
const guardian = new SigningKeyPair();

type Live = { bed: CordaTestbed; line: LiveLine; escrow: VaultDescription; issue: VaultDescription; payee: Bytes32 };
let dir: string | undefined;
let live: Live | undefined;
let agent: ManagedProcess | undefined;

afterAll(async () => {
  await live?.line.stop();
  await live?.bed.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

function up(): Live {
  if (live === undefined) throw new TypeError('the first test starts the network');
  return live;
}

async function startAgent(name = 'agent'): Promise<ManagedProcess> {
  const { bed, line, escrow, issue } = up();
  const settings = { healthSeconds: 1, flowTimeoutSeconds: FLOW_TIMEOUT_S };
  const sinceMs = Date.now();
  const started = await bed.startAgent({ name, vaults: [escrow.vaultId, issue.vaultId], settings });
  await line.nodeUp(sinceMs);
  return started;
}

const described = (vault: VaultDescription): Promise<VaultDescription> =>
  up().bed.tool.describe('vaultParty', vault.vaultId);
const transactionOf = (ref: StateRef): Bytes32 => ref.slice(0, 66) as Bytes32;
/** Cash and guard of a lock. */
const coinOf = ({ ref }: LockRecord): StateRef[] => [stateRef(transactionOf(ref), 0), stateRef(transactionOf(ref), 1)];
const soon = (): number => Math.floor(Date.now() / 1_000) + 300;
const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new TypeError('there is none');
  return item;
};

function order(vault: VaultDescription, ordered: Ordered, by = authority): SignedOrder {
  return signedOrder({ network: up().bed.network, asset: ASSET, vault }, ordered, by);
}

async function issueOrder(amountMinor: bigint): Promise<SignedOrder> {
  const { issue, payee } = up();
  const permit = first((await described(issue)).permits);
  const terms = { amountMinor, beneficiary: payee, notAfterSeconds: soon() };
  return order(issue, { kind: 'issue', refs: [permit], ...terms });
}

/** The result with bytes as hex, or `[code, detail]`. */
async function said(verb: string, args: readonly AgentValue[]): Promise<unknown> {
  const answer = await up().line.call(verb, args);
  return answer.ok ? hexOf(answer.result) : [answer.code, answer.detail];
}
const hexOf = (value: AgentValue): unknown => {
  if (value instanceof Uint8Array) return toHex(value);
  return Array.isArray(value) ? value.map(hexOf) : value;
};
const execute = (signed: SignedOrder) => said('execute', signed.args);
async function done(signed: SignedOrder): Promise<Bytes32> {
  const [transaction, ...more] = (await execute(signed)) as [Bytes32];
  expect([transaction, more]).toEqual([expect.stringMatching(/^0x[0-9a-f]{64}$/), []]);
  return transaction;
}
/** The transaction that did it, at the issue vault if not said otherwise. */
async function found({ id }: SignedOrder, vault: VaultDescription = up().issue): Promise<Bytes32 | null> {
  const [transaction] = (await said('find', [fromHex(vault.vaultId), fromHex(id)])) as [Bytes32 | null];
  return transaction;
}
/** A node of the network stands still meanwhile. */
async function whileStopped<T>(index: number, work: () => Promise<T>): Promise<T> {
  const { corda } = up().bed;
  corda.signalNode(index, 'SIGSTOP');
  try {
    return await work();
  } finally {
    corda.signalNode(index, 'SIGCONT');
  }
}
const tokens = async (): Promise<bigint> => {
  const { tokens: held } = await up().bed.tool.balance('depositor');
  return BigInt(held.find(({ vaultId }) => vaultId === up().issue.vaultId)?.amountMinor ?? 0);
};
const announced = (transaction: Bytes32) =>
  up().line.events.filter((event) => event.transaction === transaction).length;
const event = (transaction: Bytes32) =>
  until('an event of the transaction', EVENT_DEADLINE_MS, async () => announced(transaction) > 0);

withBed(
  'an operator makes vaults of both kinds, and the agent describes them with the permissions that are listed',
  async () => {
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-agent-live-'));
    const bed = await startCordaTestbed({ dir });
    const terms = { asset: ASSET, authority: authority.address, serviceId: drawnWord(), guardians: [guardian.address] };
    const escrow = await bed.createVault({ ...terms, mode: 'escrow' });
    const issue = await bed.createVault({ ...terms, mode: 'issue', currency: 'EURQ', permits: 2 });
    live = { bed, line: await openLiveLine(bed), escrow, issue, payee: (await bed.tool.about('depositor')).word };
    agent = await startAgent();
    const { genesisHash, finality } = await bed.tool.registration('depositor');
    expect(genesisHash).toBe(escrow.genesisHash);
    expect(Object.keys(finality.fingerprints).sort()).toEqual([...CORDA_VAULT_CLASSES].sort());
    expect(finality.notary).toMatchObject({ name: { organisation: 'Notary' }, validating: false });
    const [state, , permits, coins] = (await said('vault', [fromHex(escrow.vaultId)])) as unknown[];
    expect([state, permits, coins]).toEqual([escrow.state, escrow.permits, []]);
    await event(transactionOf(escrow.state));
    await event(transactionOf(issue.state));
  },
);

withBed('value that was locked is found, released once, and the change stays', async () => {
  const { bed, escrow, payee, line } = up();
  await bed.issueCash(100_000n);
  const lock = await bed.lock(escrow.vaultId, drawnWord(), 5_000n);
  expect(await said('find-lock', [fromHex(escrow.vaultId), fromHex(lock.lock)])).toEqual([lock.ref, 1]);
  expect(await said('find-lock', [fromHex(escrow.vaultId), fromHex(drawnWord())])).toEqual([null, 0]);
  const states = (await said('states', [fromHex(escrow.vaultId), 0])) as [unknown[], boolean];
  expect(states).toEqual([
    expect.arrayContaining([
      [lock.ref, 4],
      [coinOf(lock)[1], 3],
      [escrow.state, 1],
    ]),
    false,
  ]);
  const terms = { amountMinor: 2_000n, beneficiary: payee, notAfterSeconds: soon() };
  const release: Ordered = { kind: 'release', refs: [first(escrow.permits), ...coinOf(lock)], ...terms };
  expect(await execute(order(escrow, release, guardian))).toEqual(['REFUSED', 'SIGNER']);
  expect(await execute(order(escrow, { ...release, beneficiary: drawnWord() }))).toEqual(['PAYEE_UNKNOWN', '']);
  expect(await execute(order(escrow, { ...release, notAfterSeconds: 1 }))).toEqual(['REFUSED', 'EXPIRED']);
  const signed = order(escrow, release);
  expect(await found(signed, escrow)).toBeNull();
  const transaction = await done(signed);
  expect(await execute(signed)).toEqual([transaction]);
  expect(await found(signed, escrow)).toBe(transaction);
  expect(await execute(order(escrow, release))).toEqual(['NOTARY_REFUSED', '']);
  const [coin] = coinOf(lock);
  expect(await said('status', [[lock.ref, first([coin])].map((ref) => fromHex(ref as StateRef))])).toEqual([[1, 2]]);
  expect(await said('spender', [fromHex(coin as StateRef)])).toEqual([transaction]);
  await until('the payee has it', EVENT_DEADLINE_MS, async () => (await bed.cashOf()) === 97_000n);
  expect((await described(escrow)).coins).toEqual([{ ref: stateRef(transaction, 2), amountMinor: '3000' }]);
  const proof = await line.call('proof', [fromHex(transaction)]);
  const evidence = proof.ok ? (proof.result[1] as Uint8Array) : new Uint8Array();
  expect(decodeCordaEvidence(evidence)).toMatchObject({ network: bed.network });
  await event(transaction);
  expect(line.events.find((each) => each.transaction === transaction)).toMatchObject({
    vault: escrow.vaultId,
    evidence,
  });
});

withBed(
  'a void takes what its target needs, a refund gives back, and other transactions of the bank stay its own',
  async () => {
    const { bed, escrow, payee } = up();
    const { permits, coins } = await described(escrow);
    const coin = first(coins).ref;
    const refs = [first(permits), coin, stateAfter(coin, 1)];
    const target = order(escrow, {
      kind: 'release',
      refs,
      amountMinor: 1n,
      beneficiary: payee,
      notAfterSeconds: soon(),
    });
    const voided = await done(order(escrow, { kind: 'void', refs, subject: target.id }));
    expect(await execute(target)).toEqual(['NOTARY_REFUSED', '']);
    await event(voided);
    const lock = await bed.lock(escrow.vaultId, drawnWord(), 700n);
    const before = await bed.cashOf();
    const used = [first((await described(escrow)).permits), ...coinOf(lock), lock.ref];
    const terms = { subject: lock.lock, amountMinor: 700n, beneficiary: payee };
    await event(await done(order(escrow, { kind: 'refund', refs: used, ...terms })));
    // The payee's node records it a moment after the vault party's.
    await until('the payee has it', EVENT_DEADLINE_MS, async () => (await bed.cashOf()) === before + 700n);
    expect(await said('find-lock', [fromHex(escrow.vaultId), fromHex(lock.lock)])).toEqual([lock.ref, 2]);
    expect(await said('proof', [fromHex(drawnWord())])).toEqual(['TRANSACTION_UNKNOWN', '']);
    expect(await said('vault', [fromHex(drawnWord())])).toEqual(['VAULT_NOT_SERVED', '']);
    await expect(bed.lock(escrow.vaultId, drawnWord(), 99_000_000n)).rejects.toMatchObject({ code: 'NO_FUNDS' });
  },
);

withBed('the authority pauses, guardians pause and lift it, and nobody twice', async () => {
  const { bed, escrow, payee } = up();
  await done(order(escrow, { kind: 'pause', refs: [(await described(escrow)).state], notAfterSeconds: soon() }));
  const { state, permits, coins } = await described(escrow);
  const coin = first(coins).ref;
  const refs = [first(permits), coin, stateAfter(coin, 1)];
  const release: Ordered = { kind: 'release', refs, amountMinor: 1n, beneficiary: payee, notAfterSeconds: soon() };
  expect(await execute(order(escrow, release))).toEqual(['REFUSED', 'PAUSED']);
  await done(order(escrow, { kind: 'unpause', refs: [state], notAfterSeconds: soon() }));
  const place = { network: bed.network, asset: ASSET, vault: escrow };
  const pause = guardOrder(place, 'pause', 0, guardian);
  expect(await said('guard', pause)).toEqual([expect.stringMatching(/^0x/)]);
  expect(await said('guard', pause)).toEqual(['REFUSED', 'GUARDIANS']);
  expect(await said('guard', guardOrder(place, 'unpause', 1, authority))).toEqual(['REFUSED', 'GUARDIANS']);
  expect(await said('guard', guardOrder(place, 'unpause', 1, guardian))).toEqual([expect.stringMatching(/^0x/)]);
  await event(await done(order(escrow, release)));
});

withBed('tokens are issued, moved away by a lock, and refunded', async () => {
  const { bed, issue, payee } = up();
  await event(await done(await issueOrder(900n)));
  const lock = await bed.lock(issue.vaultId, drawnWord(), 400n);
  expect(await tokens()).toBe(500n);
  const refs = [first((await described(issue)).permits), lock.ref];
  await done(order(issue, { kind: 'refund', refs, subject: lock.lock, amountMinor: 400n, beneficiary: payee }));
  expect(await tokens()).toBe(900n);
});

withBed('what cannot be opened goes to the dead letters, and what is wrong inside gets an answer', async () => {
  const { line, escrow } = up();
  const before = await line.waiting('dead-letters');
  const id = 'ab'.repeat(16);
  await line.publishRaw(Buffer.from('no envelope'), id);
  await line.publishRaw(new Uint8Array(2 ** 20 + 1), id);
  await line.publishRaw(Buffer.from('no id'));
  await until('three dead letters', EVENT_DEADLINE_MS, async () => (await line.waiting('dead-letters')) === before + 3);
  expect(await said('nonsense', [])).toEqual(['COMMAND_INVALID', '']);
  expect(await said('find', [fromHex(escrow.vaultId)])).toEqual(['COMMAND_INVALID', '']);
  expect(await said('status', [Array.from({ length: 201 }, () => new Uint8Array(36))])).toEqual([
    'COMMAND_INVALID',
    '',
  ]);
});

withBed(
  'an agent that is killed before the notary signs, or after, has paid once, and its successor answers',
  async () => {
    const { bed, line, issue } = up();
    const held = await tokens();
    const { permits } = await described(issue);
    // Stopped in its tracks, the notary keeps the payment from being final; the payee's node keeps it from being answered.
    for (const place of [bed.corda.notary, bed.depositor]) {
      const signed = await issueOrder(10n);
      const answer = await whileStopped(place.index, async () => {
        const first = await execute(signed);
        const final = await found(signed);
        expect(final === null).toBe(place === bed.corda.notary);
        expect(first).toEqual(final === null ? ['FLOW_PENDING', ''] : [final]);
        const second = line.call('execute', signed.args);
        await until('it is taken', EVENT_DEADLINE_MS, async () => (line.agents().at(-1)?.inFlight ?? 0) > 0);
        await agent?.kill9();
        return { second };
      });
      agent = await startAgent();
      // From the next agent, which may have no connection with the node yet.
      expect([true, 'NODE_UNAVAILABLE']).toContain(await answer.second.then((each) => each.ok || each.code));
      await until('it is final', EVENT_DEADLINE_MS, async () => (await found(signed)) !== null);
      await event((await found(signed)) as Bytes32);
      expect(await execute(signed)).toEqual([await found(signed)]);
    }
    expect((await described(issue)).permits).not.toEqual(permits);
    await until('it was paid twice', EVENT_DEADLINE_MS, async () => (await tokens()) === held + 20n);
  },
);

withBed('events come at least once: after a restart, after `follow`, and of two agents twice', async () => {
  const { line, bed, escrow } = up();
  expect(await agent?.stop()).toEqual({ code: 0, signal: null });
  const missed = await bed.lock(escrow.vaultId, drawnWord(), 11n);
  line.events.length = 0;
  agent = await startAgent();
  await event(transactionOf(missed.ref));
  const other = await startAgent('other-agent');
  await until(
    'the other agent is heard of',
    EVENT_DEADLINE_MS,
    async () => line.agents().filter((each) => each.nodeUp).length >= 2,
  );
  const both = await bed.lock(escrow.vaultId, drawnWord(), 12n);
  await until('both tell', EVENT_DEADLINE_MS, async () => announced(transactionOf(both.ref)) >= 2);
  const signed = await issueOrder(1n);
  const [one, two] = await Promise.all([execute(signed), execute(signed)]);
  expect((one as unknown[])[0]).toBe((two as unknown[])[0]);
  await other.stop();
  line.events.length = 0;
  expect(await said('follow', [0])).toEqual([]);
  await event(transactionOf(escrow.state));
  await event(transactionOf(both.ref));
});

withBed('commands that were on their way when the broker crashed are answered', async () => {
  const { bed, line, escrow } = up();
  const signed = await issueOrder(2n);
  const asked = [line.call('vault', [fromHex(escrow.vaultId)]), line.call('execute', signed.args)];
  await bed.broker.kill9();
  await bed.broker.restart();
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ ok: true });
  const lock = await bed.lock(escrow.vaultId, drawnWord(), 13n);
  await event(transactionOf(lock.ref));
});

withBed('while the payee is down its payment is final; it has it when it is back', async () => {
  const { bed } = up();
  const held = await tokens();
  const signed = await issueOrder(30n);
  await bed.corda.killNode(bed.depositor.index);
  const transaction = await done(signed);
  expect(await found(signed)).toBe(transaction);
  expect(await execute(signed)).toEqual([transaction]);
  await event(transaction);
  await bed.corda.startNode(bed.depositor.index);
  await until('it has it', EVENT_DEADLINE_MS, async () => (await tokens()) === held + 30n);
});

withBed('a node that stands still with its connection open is given up, and asked anew when it goes on', async () => {
  const { bed, line } = up();
  const held = await tokens();
  const signed = await issueOrder(50n);
  await whileStopped(bed.vaultParty.index, async () => {
    const answer = execute(signed);
    await until('health says so', STANDSTILL_DEADLINE_MS, async () => line.agents().at(-1)?.nodeUp === false);
    expect(await answer).toEqual(['NODE_UNAVAILABLE', '']);
  });
  await line.nodeUp();
  const transaction = await done(signed);
  expect(await execute(signed)).toEqual([transaction]);
  await event(transaction);
  await until('it is paid once', EVENT_DEADLINE_MS, async () => (await tokens()) === held + 50n);
});

withBed('a payment that waits for the notary outlives the crash of the node that makes it', async () => {
  const { bed, line, issue } = up();
  const held = await tokens();
  const signed = await issueOrder(40n);
  await bed.corda.stopNode(bed.corda.notary.index);
  expect(await execute(signed)).toEqual(['FLOW_PENDING', '']);
  expect(await found(signed)).toBeNull();
  const answer = execute(signed);
  await until('it is taken', EVENT_DEADLINE_MS, async () => (line.agents().at(-1)?.inFlight ?? 0) > 0);
  await bed.corda.killNode(bed.vaultParty.index);
  expect(await answer).toEqual(['NODE_UNAVAILABLE', '']);
  expect(await said('vault', [fromHex(issue.vaultId)])).toEqual(['NODE_UNAVAILABLE', '']);
  await until('health says so', EVENT_DEADLINE_MS, async () => line.agents().at(-1)?.nodeUp === false);
  const nodes = [bed.corda.notary, bed.vaultParty];
  await Promise.all(nodes.map(({ index }) => bed.corda.startNode(index)));
  await line.nodeUp();
  await until('it is final', NOTARY_DEADLINE_MS, async () => (await found(signed)) !== null);
  const transaction = (await found(signed)) as Bytes32;
  expect(await execute(signed)).toEqual([transaction]);
  await event(transaction);
  await until('it is paid once', EVENT_DEADLINE_MS, async () => (await tokens()) === held + 40n);
  await until('the tool reaches the node again', EVENT_DEADLINE_MS, () =>
    bed.tool.about('vaultParty').then(
      () => true,
      () => false,
    ),
  );
});
