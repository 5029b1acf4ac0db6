/**
 * The conformance suite's harness: connectors as processes, a real RabbitMQ and Redis, and doubles of agent and ledger. The same on a
 * real node is the end-to-end tests' matter.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectorHarness, ConnectorUnderTest } from '@drawbridge/connector-sdk/conformance/connector-harness';
import { startRedis } from '@drawbridge/devnets/redis';
import { toBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { AgentDouble } from './agent-double.ts';
import { startBrokerPlace } from './broker-place.ts';
import { startCordaConnectorProcess } from './connector-process.ts';
import { InstructionSigner } from './instruction-signer.ts';
import { LedgerDouble } from './ledger-double.ts';

/** Short, so that a test sees in seconds what an operator sees in minutes. */
const LIMITS = {
  firstPauseMs: 20,
  longestPauseMs: 200,
  lockMs: 1_000,
  handOverMs: 100,
  finalityTimeoutMs: 2_000,
  queryTimeoutMs: 2_000,
  executeTimeoutMs: 2_000,
  pollMs: 20,
  longestPollMs: 100,
  firstReconnectMs: 50,
};

export async function startCordaHarness(): Promise<ConnectorHarness> {
  const network = parseNetworkId(`corda-${randomBytes(4).toString('hex')}`);
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-conformance-'));
  const [place, redis] = await Promise.all([
    startBrokerPlace(join(dir, 'rabbitmq'), network),
    startRedis({ dir: join(dir, 'redis'), redisUrl: process.env.REDIS_URL }),
  ]);
  const signer = new InstructionSigner(network);
  const genesisHash = toBytes32(randomBytes(32));
  const ledger = new LedgerDouble({ network, authority: signer.authority, genesisHash });
  const agent = await AgentDouble.start({
    network,
    url: place.agentUrl,
    ca: place.broker.ca,
    privateKey: place.agentKeys.privateKey,
    connectorKey: place.connectorKeys.publicKey,
    handle: (verb, args) => ledger.handle(verb, args),
  });
  let started = 0;
  const releaseOf = (notAfterSeconds: number): InstructionJob => {
    const { permit, coin } = ledger.fresh();
    return signer.sign(ledger, { kind: 'release', subject: ZERO_BYTES32, notAfterSeconds, states: [permit, coin] });
  };
  return {
    redisUrl: redis.url,
    sealingKey: place.connectorKeys.publicKey,
    depthBlocks: 1,
    startConnector: async () => {
      const child = await startCordaConnectorProcess({
        dir: join(dir, `connector-${++started}`),
        network,
        genesisHash,
        redisUrl: redis.url,
        broker: place.broker,
        sealingKey: place.connectorKeys.privateKey,
        agentKey: place.agentKeys.publicKey,
        vaults: [{ asset: ledger.asset, address: ledger.vaultId }],
        roles: ['worker'],
        limits: LIMITS,
      });
      const connector: ConnectorUnderTest = {
        stop: async () => {
          const { code } = await child.stop();
          if (code !== 0) throw new Error(`the connector ended with ${code}`);
        },
        kill: async () => {
          await child.kill9();
        },
      };
      return connector;
    },
    release: async (kind) => {
      const job = releaseOf(kind === 'late' ? Math.floor(Date.now() / 1_000) - 60 : 0);
      if (kind === 'refused') ledger.refusing.add(job.instruction.beneficiary);
      return job;
    },
    voidOf: async ({ instruction: { id }, states = [] }) =>
      signer.sign(ledger, { kind: 'void', subject: id, notAfterSeconds: 0, states }),
    forged: async () => {
      const { permit, coin } = ledger.fresh();
      const what = { kind: 'release', subject: ZERO_BYTES32, notAfterSeconds: 0, states: [permit, coin] } as const;
      return signer.sign(ledger, what, randomBytes(32));
    },
    timesPaid: async ({ instruction }) => ledger.timesPaid(instruction.beneficiary),
    state: async ({ instruction, states: [first] = [] }) => {
      if (ledger.isDone(instruction.id)) return 'executed';
      return first !== undefined && ledger.isConsumed(first) ? 'voided' : 'unspent';
    },
    transactions: async () => ledger.flows,
    setMining: async (on) => ledger.setNotary(on),
    mine: async () => {
      throw new Error('a notary signs without blocks');
    },
    reorganise: async () => {
      throw new Error('what a notary signed is final');
    },
    swallowNextAnswer: async () => {
      let restore: () => void = () => undefined;
      const taken = new Promise<void>((resolve) => {
        agent.mayReply = (verb) => {
          if (verb === 'execute') resolve();
          return verb !== 'execute';
        };
        restore = () => {
          agent.mayReply = () => true;
        };
      });
      return { taken, restore };
    },
    stop: async () => {
      await agent.stop();
      await place.server.stop();
      await redis.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
