/**
 * A host puts a node's folder back to what it was: where memory is protected nothing that was acknowledged is lost, for the node
 * never comes back as who it was; on `virtual` it is lost, as `docs/limitations.md` says, and that shows.
 *
 * The attack on n nodes. Some of them (the distant: as many as a majority can miss) stand still while payments are acknowledged by
 * the leader, the victim and the rest. Then leader and rest stand still, the victim is killed and its folder put back to before the
 * payments, and it starts beside the distant. Together they are a majority, none of which has the payments.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drawbridge/devnets/until';
import type { NodeState } from '@drawbridge/protocol/api/node';
import { parseTransferId } from '@drawbridge/protocol/ids';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CoreCluster } from '../cluster/core-cluster.ts';
import type { CoreProcess } from '../cluster/core-process.ts';
import { copyLedger } from '../cluster/ledger-folders.ts';
import { PaymentLoad } from '../cluster/payment-load.ts';

const STORY_MS = 300_000;
const PATIENCE_MS = 60_000;
const DEPOSIT_MINOR = 1_000_000n;
/** How long the victim asks for a place in vain, s: several elections. */
const IN_VAIN_S = 5;
/** How long the founder tries in vain to start in place, ms. */
const IN_PLACE_MS = 25_000;
const call = promisify(execFile);

let root: string;
let cluster: CoreCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  await rm(root, { recursive: true, force: true });
}, 60_000);

type Cast = Readonly<{
  core: CoreCluster;
  load: PaymentLoad;
  leader: CoreProcess;
  victim: CoreProcess;
  distant: readonly CoreProcess[];
  rest: readonly CoreProcess[];
  copy: string;
}>;

async function prepare(nodes: number, args: readonly string[]): Promise<Cast> {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-rollback-'));
  const core = await CoreCluster.make(root, { nodes, args });
  cluster = core;
  await core.grow(nodes);
  await core.deposit(DEPOSIT_MINOR);
  const load = new PaymentLoad(core, DEPOSIT_MINOR);
  await load.batch(core.client('bankA'), 10);
  const leader = await core.leader();
  const [victim, ...others] = core.up.filter((node) => node !== leader);
  if (!victim) throw new Error('there are several');
  const distant = others.slice(0, (nodes - 1) / 2);
  const copy = join(root, 'copy');
  await call('cp', ['-a', victim.dir, copy]);
  return { core, load, leader, victim, distant, rest: others.slice(distant.length), copy };
}

/** Payments that the distant know nothing of; then the victim's past, beside the distant alone. */
async function attack({ core, load, leader, victim, distant, rest, copy }: Cast): Promise<string> {
  for (const node of distant) node.signal('SIGSTOP');
  const members = new Map((await leader.members()).map(({ node_id, raft_id }) => [String(node_id), raft_id]));
  await givenUp(leader, distant, members);
  const id = randomUUID();
  await load.one(core.client('bankA', [leader]), id);
  await load.batch(core.client('bankA', [leader]), 50);
  for (const node of [leader, ...rest]) node.signal('SIGSTOP');
  await victim.kill9();
  await rm(victim.dir, { recursive: true });
  await call('cp', ['-a', copy, victim.dir]);
  for (const node of distant) node.signal('SIGCONT');
  return id;
}

/** The leader has closed its connections to nodes that stand still: nothing waits in them for when these go on. */
async function givenUp(
  leader: CoreProcess,
  silent: readonly CoreProcess[],
  members: ReadonlyMap<string, number>,
): Promise<void> {
  await until('the distant are given up', PATIENCE_MS, async () => {
    const log = await leader.log();
    return silent.every(({ nodeId }) => log.includes(`"peer":${members.get(nodeId)},"code":"SILENT"`));
  });
}

/** Who led in each view, by all that all nodes ever logged. */
async function leaders(core: CoreCluster): Promise<ReadonlyMap<number, ReadonlySet<number>>> {
  const byView = new Map<number, Set<number>>();
  for (const node of core.nodes) {
    for (const line of (await node.log()).split('\n')) {
      if (!line.includes('"role":"leader"')) continue;
      const { view, leader } = JSON.parse(line) as { view: number; leader: number };
      byView.set(view, (byView.get(view) ?? new Set()).add(leader));
    }
  }
  return byView;
}

/** Lists of voters in the order in which a node has seen them, without repetitions. */
async function votersSeen(node: CoreProcess): Promise<number[][]> {
  const lines = (await node.log()).split('\n').filter((line) => line.includes('"members of the group"'));
  const lists = lines.map((line) =>
    JSON.stringify((JSON.parse(line) as { voters: number[] }).voters.sort((a, b) => a - b)),
  );
  return lists.filter((list, n) => list !== lists[n - 1]).map((list) => JSON.parse(list) as number[]);
}

/** Once it answers again. */
async function eventualState(node: CoreProcess): Promise<NodeState> {
  let state: NodeState | undefined;
  await until(`${node.name} answers`, PATIENCE_MS, async () => {
    state = await node.state();
    return true;
  });
  if (!state) throw new Error('until has seen it');
  return state;
}

describe('where memory is protected', () => {
  it.each([3, 5])(
    '%i nodes lose nothing: the one put back finds no majority, and joins under a new id once there is one',
    async (nodes) => {
      const cast = await prepare(nodes, ['--test-protected-memory']);
      const { core, load, leader, victim, distant, rest } = cast;
      expect(await leader.state()).toMatchObject({ platform: 'test-protected-memory', rollbackProtected: true });
      const { raftId: before } = await victim.state();
      await attack(cast);
      await expect(core.join(victim, IN_VAIN_S)).rejects.toMatchObject({ code: 'PROCESS_EXITED_EARLY' });
      expect(await victim.log()).toContain('JOIN_UNANSWERED');
      for (const node of distant) expect((await node.state()).role).not.toBe('leader');

      for (const node of [leader, ...rest]) node.signal('SIGCONT');
      await core.join(victim);
      const { raftId: after } = await victim.state();
      expect(after).toBeGreaterThan(nodes);
      await until('the old id is gone', PATIENCE_MS, async () => {
        const members = await victim.members();
        return (
          members.length === nodes && members.every(({ raft_id, status }) => raft_id !== before && status === 'Trusted')
        );
      });
      // One joint change: never fewer voters, never more.
      const seen = await votersSeen(leader);
      const whole = Array.from({ length: nodes }, (_, n) => n + 1);
      const swapped = [...whole.filter((id) => id !== before), after];
      expect(seen.slice(seen.findIndex((list) => list.length === nodes))).toEqual([whole, swapped]);

      await load.batch(core.client('bankA', [victim]), 10);
      expect(await load.judge()).toHaveLength(nodes);
      for (const [view, who] of await leaders(core)) expect([view, who.size]).toEqual([view, 1]);
    },
    STORY_MS,
  );
});

/**
 * The founder's past: as long as it was alone its place and secrets were on its disk. The bundle of then is put beside a log of
 * later, in which all three vote; node 1 forgets what it acknowledged since, and starts in place beside the one that never had it.
 */
describe("where memory is protected, the founder's folder of the time when it was alone", () => {
  it(
    'does not bring its old id back: it is no peer, nothing is lost, and it joins under a new one',
    async () => {
      root = await mkdtemp(join(tmpdir(), 'drawbridge-founder-'));
      const core = await CoreCluster.make(root, { nodes: 3, args: ['--test-protected-memory'] });
      cluster = core;
      const founder = core.node(0);
      await core.begin();
      await core.deposit(DEPOSIT_MINOR);
      const bundle = join(root, 'node.bundle');
      await call('cp', ['-a', join(founder.dir, 'node.bundle'), bundle]);
      for (const node of core.nodes.slice(1)) await core.join(node);
      await core.voters(3);
      const load = new PaymentLoad(core, DEPOSIT_MINOR);
      await load.batch(core.client('bankA'), 10);
      const copy = join(root, 'copy');
      await call('cp', ['-a', founder.dir, copy]);
      await call('cp', ['-a', bundle, join(copy, 'node.bundle')]);

      // What follows only the founder and one more have; the third never heard of it.
      const leader = await core.leader();
      const followers = core.nodes.slice(1).sort((a, b) => Number(b === leader) - Number(a === leader));
      const [second, third] = followers as [CoreProcess, CoreProcess];
      const members = new Map((await leader.members()).map(({ node_id, raft_id }) => [String(node_id), raft_id]));
      third.signal('SIGSTOP');
      await givenUp(leader, [third], members);
      await load.batch(core.client('bankA', [leader]), 50);
      second.signal('SIGSTOP');
      await founder.kill9();
      await rm(founder.dir, { recursive: true });
      await call('cp', ['-a', copy, founder.dir]);
      third.signal('SIGCONT');

      const inPlace = expect(core.begin(IN_PLACE_MS)).rejects.toMatchObject({ code: 'PROCESS_NOT_READY' });
      await until('it is turned away', PATIENCE_MS, async () => (await third.log()).includes('"LIFE_OTHER"'));
      await until('the third asks for votes in vain', PATIENCE_MS, async () => {
        const { role } = await third.state();
        expect(role).not.toBe('leader');
        return role === 'candidate';
      });
      second.signal('SIGCONT');
      await until('it is told why', PATIENCE_MS, async () => (await founder.log()).includes('LIFE_OVER'));
      await inPlace;

      await core.join(founder);
      expect((await founder.state()).raftId).toBe(4);
      await core.voters(3);
      expect(await load.judge()).toHaveLength(3);
      for (const [view, who] of await leaders(core)) expect([view, who.size]).toEqual([view, 1]);
    },
    STORY_MS,
  );
});

describe('on virtual', () => {
  it(
    'the same costs what was acknowledged meanwhile; the ledgers show it, and who has the lost entries cannot follow',
    async () => {
      const cast = await prepare(3, []);
      const { core, leader, victim, distant } = cast;
      const [third] = distant;
      if (!third) throw new Error('there are three');
      expect((await leader.state()).rollbackProtected).toBe(false);
      const id = await attack(cast);
      await core.again(victim);
      const survivors = core.client('bankA', [victim, third]);
      await expect(survivors.transfer(parseTransferId(id))).rejects.toMatchObject({ status: 404 });
      // The ids are new to them: what is asked again is paid.
      await cast.load.batch(survivors, 10);
      const receipt = await survivors.transactionReceipt(
        (await survivors.submitTransfer(cast.load.terms())).transactionId ?? '',
      );
      expect(receipt.transaction_id).toBeDefined();

      leader.signal('SIGCONT');
      const { committedSeqno } = await eventualState(leader);
      cast.load.start(1, [victim, third]);
      await cast.load.acknowledges(30);
      await cast.load.stop();
      // It cannot follow another past than its own, and shows nothing of its own as if it were the service's.
      expect((await leader.state()).committedSeqno).toBe(committedSeqno);
      expect((await core.raw('bankA', leader).send('GET', `/v1/transfers/${id}`)).status).toBe(503);
      await core.stop();
      const [one, other] = await Promise.all(
        [leader, victim].map((node) => copyLedger(node.dir, join(root, `ledger-of-${node.name}`))),
      );
      const { code, stdout } = await core.verify('ledger', one ?? '', '--against', other ?? '');
      expect([code, stdout]).toEqual([1, expect.stringMatching(/fork/i)]);
      const limitations = await readFile(new URL('../../docs/limitations.md', import.meta.url), 'utf8');
      expect(limitations).toContain('Rollback of the disk goes unnoticed');
    },
    STORY_MS,
  );
});
