/** The conformance suite's harness on anvil: a block every 100 ms while blocks come by themselves. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectorHarness, ConnectorUnderTest } from '@drawbridge/connector-sdk/conformance/connector-harness';
import { startRedis } from '@drawbridge/devnets/redis';
import { toHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { FeeKey } from '../fee-key.ts';
import { isSpentAnswer, isSpentCall } from '../vault-call.ts';
import { startConnectorProcess } from './connector-process.ts';
import { startRpcProxy } from './rpc-proxy.ts';
import { startVaultTestbed } from './vault-testbed.ts';

const CHAIN_ID = 4_102;
const DEPTH_BLOCKS = 3;
const BLOCK_MS = 100;
/** Short, so that a test sees in seconds what an operator sees in minutes. */
const LIMITS = {
  pollMs: 20,
  firstPauseMs: 20,
  longestPauseMs: 200,
  lockMs: 1_000,
  droppedAfterMs: 300,
  gapAfterMs: 500,
  handOverMs: 100,
  finalityTimeoutMs: 2_000,
  minedTimeoutMs: 2_000,
  rpcTimeoutMs: 2_000,
};

export async function startQuorumHarness(): Promise<ConnectorHarness> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-conformance-'));
  const [bed, redis] = await Promise.all([
    startVaultTestbed({ chainId: CHAIN_ID, mining: 'manual' }),
    startRedis({ dir: join(dir, 'redis'), redisUrl: process.env.REDIS_URL }),
  ]);
  const proxy = await startRpcProxy(bed.anvil.rpcUrl);
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const feeAddress = new FeeKey(bed.feeKey(), CHAIN_ID).address;
  const miner = new Miner(() => bed.anvil.mine());
  const folders = new Map<ConnectorUnderTest, string>();
  let states = 0;
  return {
    redisUrl: redis.url,
    sealingKey: keys.publicKey,
    depthBlocks: DEPTH_BLOCKS,
    startConnector: async (predecessor) => {
      const state = (predecessor && folders.get(predecessor)) ?? `connector-${++states}`;
      const child = await startConnectorProcess({
        dir,
        bed,
        rpcUrl: proxy.url,
        redisUrl: redis.url,
        depthBlocks: DEPTH_BLOCKS,
        sealingKeyPem: keys.privateKey,
        limits: LIMITS,
        state,
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
      folders.set(connector, state);
      return connector;
    },
    release: async (kind) => {
      const { timestampSeconds = 0 } = (await bed.node.block('latest')) ?? {};
      return bed.release(kind === 'late' ? { notAfterSeconds: timestampSeconds - 1 } : { refused: kind === 'refused' });
    },
    voidOf: async (target) => bed.voidOf(target),
    forged: async () => bed.sign(bed.release().instruction, toHex(randomBytes(32))),
    timesPaid: async (job) => Number(await bed.paid(job)) / Number(job.instruction.amountMinor),
    state: async ({ vault, instruction }: InstructionJob) => {
      const answer = await bed.node.call({ to: parseEvmAddress(vault), data: isSpentCall(instruction.id) }, 'latest');
      const state = answer.type === 'returned' ? isSpentAnswer(answer.data) : undefined;
      if (state === undefined) throw new TypeError('the vault gives no answer');
      return state;
    },
    transactions: () => bed.node.transactionCount(feeAddress, 'pending'),
    setMining: (on) => miner.set(on),
    mine: (blocks) => bed.anvil.mine(blocks),
    reorganise: (blocks) => bed.anvil.reorg(blocks),
    swallowNextAnswer: async () => proxy.swallowNextSend(),
    stop: async () => {
      await miner.set(false);
      await proxy.stop();
      await redis.stop();
      await bed.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

class Miner {
  readonly #mine: () => Promise<void>;
  #on = false;
  #running: Promise<void> | undefined;

  constructor(mine: () => Promise<void>) {
    this.#mine = mine;
  }

  async set(on: boolean): Promise<void> {
    this.#on = on;
    if (on) this.#running ??= this.#run();
    else await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#on) {
      await this.#mine();
      await delay(BLOCK_MS);
    }
    this.#running = undefined;
  }
}
