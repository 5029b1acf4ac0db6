import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { applyService, type ServiceRules } from '../membership/apply-service.ts';
import { initialMembership, type MembershipState } from '../membership/membership-state.ts';
import { describeNode, rulesFor } from '../membership/testing/nodes.ts';
import type { AdmissionDesk } from '../node/core-node.ts';
import type { Timers } from '../node/timers.ts';
import { virtualPlatform } from '../platform/virtual.ts';
import { decodeJoinRequest, encodeJoinAnswer, type JoinRequest } from './join-message.ts';
import { endorseNode } from './node-certificate.ts';
import { drawNodeKeys, type NodeIdentity, nodeIdentity } from './node-identity.ts';
import { NodePresence, type PresenceDependencies, type PresenceOptions } from './node-presence.ts';
import type { ToldPeers } from './seeded-directory.ts';
import { createServiceCertificate } from './service-certificate.ts';
import { ENCRYPTION_KEY } from './testing/encryption-key.ts';

const NOW_MS = Date.now();
const HOSTS = ['localhost'];
const service = createServiceCertificate({ commonName: 'test', nowMs: NOW_MS, validityDays: 3_650 });
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const PEER = { raftId: 2, nodeId: describeNode(2).nodeId, address: 'b:1', life: NO_LIFE };
const lifeOf = (digit: string): NodeLife => digit.repeat(32) as NodeLife;

/** Runs what is due when it is told to. */
class HandTimers implements Timers {
  #due: (() => void)[] = [];

  after(_ms: number, call: () => void): () => void {
    this.#due.push(call);
    return () => {
      this.#due = this.#due.filter((one) => one !== call);
    };
  }

  get waiting(): number {
    return this.#due.length;
  }

  fire(): void {
    for (const call of this.#due.splice(0)) call();
  }
}

describe('the presence of a node', () => {
  let identity: NodeIdentity;
  let certificate: string;
  let membership: MembershipState;
  let timers: HandTimers;
  let asked: JoinRequest[];
  let addresses: string[];
  let proposed: ServiceEntry[];
  let told: ToldPeers[];
  let apiAddress: string;
  let leads: boolean;
  let isAlone: boolean;
  let life: NodeLife;
  let leader: NodeId | undefined;
  let rules: ServiceRules;
  let propose: AdmissionDesk['propose'];
  beforeAll(async () => {
    identity = { ...nodeIdentity(await drawNodeKeys(1_024)), encryptionKey: ENCRYPTION_KEY };
    const { nodeId, publicKey } = identity;
    const common = { serviceKey: service.key, serviceCertificate: service.certificate, nowMs: NOW_MS };
    certificate = endorseNode({
      ...common,
      nodePublicKey: publicKey,
      nodeId,
      platform: 'virtual',
      hosts: HOSTS,
      validityDays: 3_000,
    });
  });
  beforeEach(() => {
    const { nodeId, encryptionKey } = identity;
    const own = {
      ...describeNode(1),
      nodeId,
      encryptionKey,
      certificate,
      peerAddress: 'a:1',
      apiAddress: 'a:2',
      raftId: 1,
    };
    membership = initialMembership(own);
    timers = new HandTimers();
    asked = [];
    addresses = [];
    proposed = [];
    told = [];
    apiAddress = 'a:2';
    leads = true;
    isAlone = true;
    life = NO_LIFE;
    leader = identity.nodeId;
    rules = { ...rulesFor([]), nodes: new Set([identity.nodeId]) };
    propose = async (entry) => {
      proposed.push(entry);
      const { state, outcome } = applyService(membership, entry, rules, 9);
      membership = state;
      return outcome;
    };
  });

  function make(change: Partial<PresenceOptions> = {}, started = true): NodePresence {
    const place = { raftId: 1, joined: true, certificate, serviceCertificate: service.certificate };
    const node = {
      dir: '',
      identity,
      hosts: HOSTS,
      place: { ...place, serviceId: '0x', told: { revision: 0, peers: [] } },
    };
    const uses: PresenceDependencies = {
      requestJoin: async ({ address }, body) => {
        addresses.push(address);
        asked.push(decodeJoinRequest(body));
        return encodeJoinAnswer({ type: 'known', certificate, told: { revision: 7, peers: [] } });
      },
      log: quiet,
      nowMs: () => NOW_MS,
      timers,
      desk: () =>
        started
          ? {
              raftId: 1,
              leads,
              isAlone,
              view: { secrets: { serviceKey: service.key } } as never,
              registry: rules as never,
              membership,
              genesis: () => Promise.reject(new Error('not needed')),
              propose: (entry) => propose(entry),
            }
          : undefined,
      leader: () => leader,
      directory: () => ({ peers: () => [PEER] }) as never,
      told: (peers) => told.push(peers),
      endorsed: async () => undefined,
    };
    const self = () => ({
      peerAddress: 'a:1',
      apiAddress,
      hosts: HOSTS,
      platform: virtualPlatform,
      versions: [1],
      life,
    });
    return new NodePresence({ node: node as never, self, seeds: [], ...change }, uses);
  }

  /** One look, to its end. */
  async function look(presence: NodePresence): Promise<void> {
    timers.fire();
    while (timers.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(presence).toBeDefined();
  }

  it('says nothing where the ledger has it right', async () => {
    const presence = make();
    presence.start();
    await look(presence);
    await look(presence);
    expect([asked, proposed]).toEqual([[], []]);
    presence.stop();
    expect(timers.waiting).toBe(0);
  });

  it('puts into the ledger itself, once, what is new, where it leads', async () => {
    const presence = make();
    presence.start();
    apiAddress = 'a:3';
    await look(presence);
    await look(presence);
    expect(proposed).toMatchObject([{ type: 'updateNode', raftId: 1, node: { apiAddress: 'a:3' } }]);
    expect(asked).toEqual([]);
    presence.stop();
  });

  it('puts the life that it began into the ledger where it is the only voter, and nowhere else', async () => {
    for (const row of membership.nodes.values()) membership = initialMembership({ ...row, life: lifeOf('1') });
    life = lifeOf('2');
    isAlone = false;
    const presence = make();
    presence.start();
    await look(presence);
    expect(proposed).toEqual([]);
    isAlone = true;
    await look(presence);
    expect(proposed).toMatchObject([{ type: 'updateNode', raftId: 1, node: { life: lifeOf('2') } }]);
    expect(membership.nodes.get(1)?.life).toBe(lifeOf('2'));
    presence.stop();
  });

  it('asks the others to, where it does not lead', async () => {
    const presence = make({ seeds: ['c:1'] });
    presence.start();
    leads = false;
    leader = PEER.nodeId;
    apiAddress = 'a:3';
    await look(presence);
    expect(proposed).toEqual([]);
    expect(asked).toMatchObject([{ raftId: 1, apiAddress: 'a:3' }]);
    expect(addresses).toEqual(['b:1']);
    presence.stop();
  });

  it('says so again when something changes: ports are known only once they are listened on', async () => {
    const presence = make();
    presence.start();
    apiAddress = '';
    await look(presence);
    expect(proposed).toEqual([]);
    apiAddress = 'a:9';
    await look(presence);
    expect(proposed).toMatchObject([{ node: { apiAddress: 'a:9' } }]);
    presence.stop();
  });

  it('asks all whom it knows and was told of, where it knows of no leader', async () => {
    const presence = make({ seeds: ['c:1', 'b:1'] });
    presence.start();
    leader = undefined;
    await look(presence);
    expect(addresses).toEqual(['b:1', 'c:1']);
    presence.stop();
  });

  it('does not keep a node from stopping that cannot propose any more', async () => {
    const presence = make();
    let lost: (error: Error) => void = () => undefined;
    propose = () =>
      new Promise((_, reject) => {
        lost = reject;
      });
    presence.start();
    apiAddress = 'a:3';
    timers.fire();
    await new Promise((resolve) => setImmediate(resolve));
    presence.stop();
    lost(new Error('the node has stopped'));
    await presence.ended();
    expect(timers.waiting).toBe(0);
  });

  it('asks who the others are while it starts, and when it hears of no leader', async () => {
    const starting = make({}, false);
    starting.start();
    await look(starting);
    expect(told).toEqual([{ revision: 7, peers: [] }]);
    starting.stop();
    const lonely = make();
    lonely.start();
    leader = undefined;
    await look(lonely);
    expect(told).toHaveLength(2);
    leader = identity.nodeId;
    await look(lonely);
    expect(told).toHaveLength(2);
    lonely.stop();
  });
});
