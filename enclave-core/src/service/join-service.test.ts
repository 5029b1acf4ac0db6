/** Both sides of a join without the network between them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { digestOfGenesis, type ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { applyService, type ServiceRules } from '../membership/apply-service.ts';
import { initialMembership, type MembershipState } from '../membership/membership-state.ts';
import { describeNode, rulesFor } from '../membership/testing/nodes.ts';
import type { AdmissionDesk, Genesis } from '../node/core-node.ts';
import { PeerError } from '../peers/peer-error.ts';
import { testProtectedMemory } from '../platform/testing/test-protected-memory.ts';
import { virtualPlatform } from '../platform/virtual.ts';
import { word } from '../settlement/testing/world.ts';
import { sha256 } from '../sha256.ts';
import { type AdmissionContext, admissionOffice, decideAdmission } from './admission.ts';
import { readGenesis } from './genesis-snapshot.ts';
import { decodeJoinAnswer, encodeJoinAnswer, encodeJoinRequest, type JoinRequest } from './join-message.ts';
import { type AskDependencies, type AskOptions, joinRequest, joinService, type RequestJoin } from './join-service.ts';
import { createNodeFolder, type OpenedNode, openNode } from './node-folder.ts';
import { drawNodeKeys, type NodeKeys, nodeIdentity } from './node-identity.ts';
import { createServiceCertificate, type ServiceCertificate } from './service-certificate.ts';
import { ENCRYPTION_KEY } from './testing/encryption-key.ts';

const NOW_MS = Date.now();
const lifeOf = (digit: string): NodeLife => digit.repeat(32) as NodeLife;
let root: string;
let keys: NodeKeys;
let service: ServiceCertificate;
let genesis: Genesis;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-join-'));
  keys = await drawNodeKeys(1_024);
  service = makeService();
  genesis = genesisUnder(service);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const makeService = (): ServiceCertificate =>
  createServiceCertificate({ commonName: 'Drawbridge test', nowMs: NOW_MS, validityDays: 3_650 });
function genesisUnder({ certificate }: ServiceCertificate): Genesis {
  const text = '{"version":1}';
  const genesisDigest = `0x${Buffer.from(digestOfGenesis(text, sha256)).toString('hex')}` as never;
  const node = { ...describeNode(0), raftId: 1 };
  const record = { genesisDigest, genesis: text, serviceId: word('service'), stateDigest: word('state'), node };
  return { content: Buffer.from('sealed state'), record: { ...record, serviceCertificate: certificate } };
}

async function makeNode(): Promise<OpenedNode> {
  const dir = join(root, `node-${++folders}`);
  await createNodeFolder(dir, { node: keys, hosts: ['localhost', '127.0.0.1'] });
  const node = await openNode(dir);
  return { ...node, identity: { ...node.identity, encryptionKey: ENCRYPTION_KEY } };
}
const SELF = {
  peerAddress: '127.0.0.1:8441',
  apiAddress: '127.0.0.1:8440',
  hosts: ['localhost', '127.0.0.1'],
  platform: virtualPlatform,
  versions: [1],
  life: NO_LIFE,
};

/** A service of one node that grants what the ledger grants. */
class TestDesk {
  membership: MembershipState = initialMembership({ ...describeNode(0), raftId: 1 });
  rules: ServiceRules;
  leads = true;
  /** Of its process. */
  life: NodeLife = NO_LIFE;
  readonly proposed: ServiceEntry[] = [];
  readonly ledgerKeys = new LedgerKeys(new Map([[1, randomBytes(32)]]));
  #seqno = 1;

  constructor(listed: readonly NodeId[]) {
    this.rules = { ...rulesFor([0]), nodes: new Set(listed) };
  }

  get desk(): AdmissionDesk {
    return {
      raftId: 1,
      leads: this.leads,
      isAlone: true,
      view: { serviceId: word('service'), secrets: { serviceKey: service.key } } as never,
      registry: this.rules as never,
      membership: this.membership,
      genesis: async () => genesis,
      propose: async (entry) => {
        this.proposed.push(entry);
        const { state, outcome } = applyService(this.membership, entry, this.rules, ++this.#seqno);
        this.membership = state;
        return outcome;
      },
    };
  }

  /** The ledger says this of the node that is asked. */
  beganAs(life: NodeLife): void {
    this.membership = initialMembership({ ...describeNode(0), raftId: 1, life });
  }

  answer(nodeId: NodeId, body: Uint8Array): Promise<Uint8Array> {
    const { ledgerKeys } = this;
    const office = {
      ledgerKeys,
      serviceCertificate: service.certificate,
      platform: 'virtual',
      life: this.life,
      nowMs: () => NOW_MS,
    } as const;
    return admissionOffice(office)(nodeId, body, this.desk);
  }
}

describe('admission', () => {
  let node: OpenedNode;
  let desk: TestDesk;
  beforeAll(async () => {
    node = await makeNode();
  });
  beforeEach(() => {
    desk = new TestDesk([node.identity.nodeId]);
  });
  const context = (): AdmissionContext => ({
    rules: desk.rules,
    membership: desk.membership,
    serviceKey: service.key,
    serviceCertificate: service.certificate,
    platform: 'virtual',
    life: desk.life,
    mayBeginLife: false,
    nowMs: NOW_MS,
  });
  const ask = (change: Partial<JoinRequest> = {}): JoinRequest => ({ ...joinRequest(node, SELF), ...change });
  const decide = (change: Partial<JoinRequest> = {}, shown = node.identity.nodeId) =>
    decideAdmission(ask(change), shown, context());

  it('is given to a key that is listed, with a certificate for it', async () => {
    const bytes = await desk.answer(node.identity.nodeId, encodeJoinRequest(ask()));
    const answer = decodeJoinAnswer(bytes);
    if (answer.type !== 'admitted') throw new Error(JSON.stringify(answer));
    const { admission } = answer;
    expect(admission).toMatchObject({ raftId: 2, serviceId: word('service'), serviceCertificate: service.certificate });
    expect(admission.certificate).toContain('BEGIN CERTIFICATE');
    expect(admission.ledgerSecrets).toEqual(desk.ledgerKeys.secrets());
    expect(admission.told.peers.map(({ raftId }) => raftId)).toEqual([1]);
    expect(desk.membership.nodes.get(2)).toMatchObject({
      peerAddress: SELF.peerAddress,
      certificate: admission.certificate,
    });
  });

  it.each<readonly [string, Partial<JoinRequest>]>([
    ['IDENTITY_MISMATCH', { nodeId: '0'.repeat(64) as NodeId }],
    ['IDENTITY_MISMATCH', { publicKey: new Uint8Array(3) }],
    ['JOIN_INVALID', { encryptionKey: 'no key' }],
    ['JOIN_INVALID', { peerAddress: 'nowhere' }],
    ['JOIN_INVALID', { peerAddress: '' }],
    ['JOIN_INVALID', { apiAddress: 'host:0' }],
    ['JOIN_INVALID', { hosts: ['a b'] }],
    ['PLATFORM_REFUSED', { platform: 'test-protected-memory' }],
    ['VERSION_UNSUPPORTED', { versions: [2] }],
    ['NODE_UNKNOWN', { raftId: 9 }],
  ])('is refused as %s (%#)', (code, change) => {
    expect(decide(change)).toMatchObject({ type: 'refused', code });
  });

  it('is refused to another key than the one on the connection, to a small key, and to one that is not listed', async () => {
    expect(decide({}, '1'.repeat(64) as NodeId)).toMatchObject({ type: 'refused', code: 'IDENTITY_MISMATCH' });
    const { encryptionKey } = nodeIdentity(keys);
    expect(decide({ encryptionKey })).toMatchObject({ type: 'refused', code: 'JOIN_INVALID' });
    desk = new TestDesk([]);
    expect(decide()).toMatchObject({ type: 'refused', code: 'NODE_NOT_LISTED' });
  });

  it('is no entry for a node that has its place and says nothing new', async () => {
    const { nodeId } = node.identity;
    await desk.answer(nodeId, encodeJoinRequest(ask()));
    expect(decide({ raftId: 2 })).toMatchObject({ type: 'known', row: { raftId: 2 } });
    const known = decodeJoinAnswer(await desk.answer(nodeId, encodeJoinRequest(ask({ raftId: 2 }))));
    expect(known).toMatchObject({ type: 'known', told: { revision: 2 } });
    expect(desk.proposed).toHaveLength(1);
    const moved = { raftId: 2, apiAddress: '127.0.0.1:9' };
    const certificate = desk.membership.nodes.get(2)?.certificate;
    expect(decodeJoinAnswer(await desk.answer(nodeId, encodeJoinRequest(ask(moved))))).toMatchObject({
      type: 'known',
      certificate,
    });
    expect(desk.membership.nodes.get(2)?.apiAddress).toBe('127.0.0.1:9');
    expect(decide({ raftId: 2, versions: [1, 2] })).toMatchObject({ type: 'propose', entry: { type: 'updateNode' } });
    expect(decide({ raftId: 1 })).toMatchObject({ type: 'refused', code: 'NODE_UNKNOWN' });
  });

  it('endorses anew for another host, and where the certificate would end soon', async () => {
    await desk.answer(node.identity.nodeId, encodeJoinRequest(ask()));
    expect(decide({ raftId: 2, hosts: ['localhost', 'core.example'] })).toMatchObject({ type: 'propose' });
    const later = { ...context(), nowMs: NOW_MS + 3_600 * 86_400_000 };
    expect(decideAdmission(ask({ raftId: 2 }), node.identity.nodeId, later)).toMatchObject({ type: 'propose' });
  });

  it('is asked of who leads; who does not tells what it knows to members only', async () => {
    const { nodeId } = node.identity;
    desk.leads = false;
    await expect(desk.answer(nodeId, encodeJoinRequest(ask()))).rejects.toMatchObject({ code: 'NOT_LEADER' });
    await expect(desk.answer(nodeId, encodeJoinRequest(ask({ versions: [2] })))).rejects.toMatchObject({
      code: 'NOT_LEADER',
    });
    desk.leads = true;
    await desk.answer(nodeId, encodeJoinRequest(ask()));
    desk.leads = false;
    for (const change of [{}, { peerAddress: 'moved:1' }]) {
      const known = await desk.answer(nodeId, encodeJoinRequest(ask({ raftId: 2, ...change })));
      expect(decodeJoinAnswer(known)).toMatchObject({ type: 'known', told: { revision: 2 } });
    }
    expect(desk.proposed).toHaveLength(1);
    await expect(desk.answer(nodeId, encodeJoinRequest(ask({ raftId: 7 })))).rejects.toMatchObject({
      code: 'NOT_LEADER',
    });
  });

  it('lets nobody come back in place whose process has ended, and says what to do', async () => {
    desk.life = lifeOf('1');
    desk.beganAs(lifeOf('1'));
    const { nodeId } = node.identity;
    await desk.answer(nodeId, encodeJoinRequest(ask({ life: lifeOf('2') })));
    expect(decide({ raftId: 2, life: lifeOf('2') })).toMatchObject({ type: 'known' });
    expect(decide({ raftId: 2, life: lifeOf('3') })).toMatchObject({
      type: 'refused',
      code: 'LIFE_OVER',
      detail: expect.stringContaining('start this one with join'),
    });
    expect(decide({ life: lifeOf('3') })).toMatchObject({ type: 'propose', entry: { node: { life: lifeOf('3') } } });
    desk.leads = false;
    const rejoining = desk.answer(nodeId, encodeJoinRequest(ask({ raftId: 2, life: lifeOf('3') })));
    await expect(rejoining).rejects.toMatchObject({ code: 'NOT_LEADER' });
  });

  it('is by nodes alike: all of them have a life of their own, or none has', () => {
    expect(decide({ life: lifeOf('2') })).toMatchObject({ type: 'refused', code: 'JOIN_INVALID' });
    desk.life = lifeOf('1');
    expect(decide()).toMatchObject({ type: 'refused', code: 'JOIN_INVALID' });
  });

  it('waits until the ledger says which process it is that admits', async () => {
    desk.life = lifeOf('2');
    desk.beganAs(lifeOf('1'));
    const asked = () => desk.answer(node.identity.nodeId, encodeJoinRequest(ask({ life: lifeOf('3') })));
    await expect(asked()).rejects.toMatchObject({ code: 'NOT_LEADER' });
    expect(desk.proposed).toEqual([]);
    desk.beganAs(lifeOf('2'));
    expect(decodeJoinAnswer(await asked())).toMatchObject({
      type: 'admitted',
      admission: { told: { peers: [{ raftId: 1, life: lifeOf('2') }] } },
    });
  });

  it('answers garbage in words', async () => {
    const answer = decodeJoinAnswer(await desk.answer(node.identity.nodeId, Uint8Array.of(1, 2, 3)));
    expect(answer).toMatchObject({ type: 'refused', code: 'JOIN_INVALID' });
  });
});

describe('joining', () => {
  let node: OpenedNode;
  let desk: TestDesk;
  beforeEach(async () => {
    node = await makeNode();
    desk = new TestDesk([node.identity.nodeId]);
  });
  const options = (change: Partial<AskOptions> = {}): AskOptions => ({
    ...SELF,
    serviceCertificate: service.certificate,
    addresses: ['a:1', 'b:1'],
    ...change,
  });
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  function uses(requestJoin: RequestJoin): AskDependencies & { pauses: number } {
    let nowMs = NOW_MS;
    const made = {
      requestJoin,
      log: quiet,
      nowMs: () => nowMs,
      pauses: 0,
      sleep: async (ms: number) => {
        made.pauses += 1;
        nowMs += ms;
      },
    };
    return made;
  }
  const reach: RequestJoin = (_, body) => desk.answer(node.identity.nodeId, body);

  it('brings a place, ledger secrets and the first state, which are found again', async () => {
    const joined = await joinService(node, options(), uses(reach));
    expect(joined).toMatchObject({ place: { raftId: 2, joined: true }, founding: null });
    const again = await openNode(node.dir);
    expect(again.place).toEqual(joined.place);
    expect(again.ledgerKeys?.secrets()).toEqual(desk.ledgerKeys.secrets());
    expect(await readGenesis(node.dir, node.localKeys)).toEqual(genesis);
  });

  it('keeps neither place nor secrets where the platform protects memory', async () => {
    const office = admissionOffice({
      ledgerKeys: desk.ledgerKeys,
      serviceCertificate: service.certificate,
      platform: 'test-protected-memory',
      life: lifeOf('1'),
      nowMs: () => NOW_MS,
    });
    const asked: RequestJoin = (_, body) => office(node.identity.nodeId, body, desk.desk);
    desk.beganAs(lifeOf('1'));
    const joining = options({ platform: testProtectedMemory, life: lifeOf('2') });
    const joined = await joinService(node, joining, uses(asked));
    expect(desk.membership.nodes.get(2)?.life).toBe(lifeOf('2'));
    expect(joined.ledgerKeys?.epoch).toBe(1);
    expect(await openNode(node.dir)).toMatchObject({ place: null, ledgerKeys: null });
    expect(await readdir(node.dir)).toEqual(['genesis.snapshot', 'node.bundle', 'node.key']);
  });

  it('goes on to the next node, and round again, until one that leads answers', async () => {
    const asked: string[] = [];
    const requestJoin: RequestJoin = async ({ address }, body) => {
      asked.push(address);
      if (asked.length === 1) throw new PeerError('UNREACHABLE', 'connection refused');
      if (asked.length < 4) throw new PeerError('FAILED', 'it failed', 'NOT_LEADER');
      return desk.answer(node.identity.nodeId, body);
    };
    const dependencies = uses(requestJoin);
    await joinService(node, options(), dependencies);
    expect(asked).toEqual(['a:1', 'b:1', 'a:1', 'b:1']);
    expect(dependencies.pauses).toBe(1);
  });

  it('gives up when its patience is over, and says what may be the matter', async () => {
    const requestJoin: RequestJoin = async () => {
      throw new PeerError('UNREACHABLE', 'connection refused');
    };
    await expect(joinService(node, options({ patienceMs: 1_000 }), uses(requestJoin))).rejects.toMatchObject({
      code: 'JOIN_UNANSWERED',
      message: expect.stringContaining(`{"name":"add_node","args":{"nodeId":"${node.identity.nodeId}"}}`),
    });
  });

  it('is over at once with a refusal, and says which key to add', async () => {
    desk = new TestDesk([]);
    const dependencies = uses(reach);
    await expect(joinService(node, options(), dependencies)).rejects.toMatchObject({
      code: 'JOIN_REFUSED',
      message: expect.stringContaining(`"nodeId":"${node.identity.nodeId}"`),
    });
    expect(dependencies.pauses).toBe(0);
    await expect(joinService(node, options({ addresses: [] }), dependencies)).rejects.toMatchObject({
      code: 'SERVICE_ARGUMENTS',
    });
  });

  it('believes no answer that does not fit the certificate it was given', async () => {
    const other = makeService();
    const answers = async (
      change: (answer: Extract<ReturnType<typeof decodeJoinAnswer>, { type: 'admitted' }>['admission']) => object,
    ) => {
      const requestJoin: RequestJoin = async (_, body) => {
        const answer = decodeJoinAnswer(await desk.answer(node.identity.nodeId, body));
        if (answer.type !== 'admitted') throw new Error('it is admitted');
        const { admission } = answer;
        return encodeJoinAnswer({ ...answer, admission: { ...admission, ...change(admission) } });
      };
      return joinService(node, options(), uses(requestJoin));
    };
    const refused = { code: 'JOIN_REFUSED' };
    await expect(answers(() => ({ serviceCertificate: other.certificate }))).rejects.toMatchObject(refused);
    await expect(answers(() => ({ genesis: genesisUnder(other) }))).rejects.toMatchObject(refused);
    await expect(answers(() => ({ serviceId: word('another') }))).rejects.toMatchObject(refused);
    const changed = { ...genesis, record: { ...genesis.record, genesis: '{"version":2}' } };
    await expect(answers(() => ({ genesis: changed }))).rejects.toMatchObject(refused);
    await expect(answers(() => ({ certificate: service.certificate }))).rejects.toMatchObject(refused);
    await expect(answers(() => ({ ledgerSecrets: new Map() }))).rejects.toMatchObject(refused);
    expect((await openNode(node.dir)).place).toBeNull();
  });
});
