/** Several real nodes in one process, with folders of their own and a network that a test can cut. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Action } from '@drawbridge/governance/action';
import { signedAmendment } from '../../settlement/testing/world.ts';
import { LoopbackNetwork } from './loopback-peers.ts';
import { NodeDriver, type TestNodeOptions } from './node-driver.ts';
import { type TestIdentity, TestService } from './test-service.ts';

const DEADLINE_MS = 30_000;

export class TestCluster {
  readonly network = new LoopbackNetwork();
  readonly service: TestService;
  readonly nodes: NodeDriver[] = [];
  readonly #root: string;

  /** @param versions of protocol that its nodes have */
  constructor(root: string, versions: readonly number[] = [1]) {
    this.#root = root;
    this.service = new TestService(versions);
  }

  /** Begins the service with one node. */
  async found(options: TestNodeOptions = {}): Promise<NodeDriver> {
    return this.#start(1, this.service.first, false, options);
  }

  /** Admits a node and starts it; it has a vote some time after. */
  async join(options: TestNodeOptions = {}, versions: readonly number[] = [1]): Promise<NodeDriver> {
    const identity = this.service.identity(versions);
    const { nodeId, description } = identity;
    const leader = await this.leader();
    await this.amend({ name: 'add_node', args: { nodeId } });
    const answer = await this.network.join(
      leader.node.status().raftId,
      nodeId,
      Buffer.from(JSON.stringify(description)),
    );
    const raftId = Number(Buffer.from(answer).toString());
    return this.#start(raftId, identity, true, options);
  }

  /** Decides something by an amendment of its own. @throws Error with the reason where it is refused */
  async amend(action: Action): Promise<void> {
    const leader = await this.leader();
    const { outcome } = await leader.run(signedAmendment(leader.node.view.nextAmendment(), [action], 2));
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.detail}`);
  }

  async three(options: TestNodeOptions = {}): Promise<readonly [NodeDriver, NodeDriver, NodeDriver]> {
    const first = await this.found(options);
    const nodes = [first, await this.join(options), await this.join(options)] as const;
    await this.until(() => first.node.members().voters.length === 3);
    return nodes;
  }

  async #start(raftId: number, identity: TestIdentity, joined: boolean, options: TestNodeOptions): Promise<NodeDriver> {
    const driver = await NodeDriver.start(join(this.#root, `node-${raftId}`), {
      ...options,
      raftId,
      joined,
      identity,
      service: this.service,
      openPeers: this.network.opener(raftId),
    });
    this.nodes.push(driver);
    return driver;
  }

  leaderAmong(nodes: readonly NodeDriver[]): NodeDriver | undefined {
    return nodes.find(({ node }) => node.status().role === 'leader');
  }

  async leader(): Promise<NodeDriver> {
    await this.until(() => this.leaderAmong(this.nodes) !== undefined);
    const found = this.leaderAmong(this.nodes);
    if (!found) throw new Error('no node leads');
    return found;
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + DEADLINE_MS;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error('it never came true');
      await pause(20);
    }
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
  }
}
