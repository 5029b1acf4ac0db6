/** The test in place of the hub, with the hub's certificate: what it carries, when and in which order, it decides itself. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { RelayClient } from '@drawbridge/client/relay-client';
import { CoreCursorSource } from '@drawbridge/connector-sdk/core-cursor-source';
import { pinnedHttps } from '@drawbridge/connector-sdk/pinned-https';
import { BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { FollowerCursor } from '@drawbridge/connector-sdk/vault-event-source';
import { HUB } from '@drawbridge/demo/cast';
import type { Chain } from '@drawbridge/demo/chain';
import { attest, vaultLogs } from '@drawbridge/demo/gather-evidence';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import type { EvidenceItem, EvidenceItemResult, OutboxItemResource } from '@drawbridge/protocol/api/relay';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { decodeVaultLog } from '@drawbridge/protocol/evm-vault-log';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { evidenceQueue, instructionQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { type EvmLog, encodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { type Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { eventually } from './world.ts';

const HONEST: ReadonlySet<string> = new Set(['observer-1', 'observer-2']);
/** Attempts of a job, as a hub gives them. */
const ATTEMPTS = 12;

export class Courier {
  readonly #system: LocalSystem;
  readonly #relay: RelayClient;
  readonly #cursors: CoreCursorSource;
  readonly #redis: Redis;
  readonly #queues = new Map<string, Queue<SealedJobData>>();

  private constructor(system: LocalSystem, relay: RelayClient, cursors: CoreCursorSource) {
    this.#system = system;
    this.#relay = relay;
    this.#cursors = cursors;
    this.#redis = new Redis(system.redis.url, { maxRetriesPerRequest: null });
  }

  static async of(system: LocalSystem): Promise<Courier> {
    const { certFile, keyFile } = system.identity(HUB);
    const [serviceCertificate, certificate, key] = await Promise.all([
      readFile(system.serviceCertFile, 'utf8'),
      readFile(certFile, 'utf8'),
      readFile(keyFile, 'utf8'),
    ]);
    const relay = new RelayClient({ url: system.coreUrl, serviceCertificate, certificate, key });
    const http = pinnedHttps({
      baseUrl: system.coreUrl,
      client: { key, cert: certificate },
      pinned: serviceCertificate,
      timeoutMs: 30_000,
      maxAnswerBytes: 1_048_576,
      maxSockets: 4,
    });
    return new Courier(system, relay, new CoreCursorSource(http));
  }

  /** The first event of a vault that fits, as the two honest observers vouch for it once it is deep enough. */
  async proven(chain: Chain, asset: string, fits: (event: VaultEvent) => boolean): Promise<ObserverEvidence> {
    const honest = this.#system.observerUrls.filter(({ id }) => HONEST.has(id));
    const vault = chain.vaults.find((known) => known.asset === asset);
    if (!vault) throw new RangeError(`no vault of ${asset}`);
    return eventually(`two observers' word on an event of ${chain.network}`, async () => {
      const logs = await vaultLogs(chain, vault.address, vault.fromBlock);
      const log = logs.find((known) => fits(decodeVaultLog(known)));
      const attestations = log ? await attest(this.#system, chain, log, honest) : [];
      return log && attestations.length === honest.length ? evidenceOf(chain, log, attestations) : undefined;
    });
  }

  /** Sealed to the core, for a job of that name; by default a new one. */
  async seal(network: string, bytes: Uint8Array, jobId: string = randomUUID()): Promise<EvidenceItem> {
    const sealer = new BodySealer(await this.#cursors.sealingKey());
    const context = { purpose: 'evidence', network: parseNetworkId(network), jobId } as const;
    return { jobId, sealed: base64(sealer.seal(bytes, context)) };
  }

  post(network: string, items: readonly EvidenceItem[]): Promise<readonly EvidenceItemResult[]> {
    return this.#relay.postEvidence(parseNetworkId(network), items);
  }

  /** Seals and posts one item. */
  async hand(evidence: ObserverEvidence): Promise<EvidenceItemResult> {
    const item = await this.seal(evidence.network, encodeObserverEvidence(evidence));
    const [result] = await this.post(evidence.network, [item]);
    if (!result) throw new Error('the core gave no result');
    return result;
  }

  cursor(network: string): Promise<FollowerCursor> {
    return this.#cursors.cursor(parseNetworkId(network));
  }

  async outbox(network: string): Promise<readonly OutboxItemResource[]> {
    return (await this.#relay.outbox(parseNetworkId(network), 0, 64)).items;
  }

  /** Carries every open instruction to the network's connectors. */
  async carryInstructions(network: string): Promise<void> {
    for (const { jobId, sealed } of await this.outbox(network)) await this.enqueue(network, jobId, sealed);
  }

  /** Puts a job before the network's connectors, whatever is in it. */
  enqueue(network: string, jobId: string, sealed: string): Promise<Job<SealedJobData>> {
    const queue = this.#queue(instructionQueue(parseNetworkId(network)));
    const opts = { jobId, attempts: ATTEMPTS, backoff: { type: 'exponential', delay: 1_000 }, removeOnFail: false };
    return queue.add('instruction', { v: 1, sealed }, opts);
  }

  /** The job once it is in the failed set. */
  failed(network: string, jobId: string): Promise<Job<SealedJobData>> {
    return eventually(`job ${jobId} in the failed set`, async () => {
      const job = await this.#queue(instructionQueue(parseNetworkId(network))).getJob(jobId);
      return job && (await job.isFailed()) ? job : undefined;
    });
  }

  /** Puts evidence before the hub, whatever is in it; answers once the hub has given it up. */
  async givenUp(network: string, { jobId, sealed }: EvidenceItem): Promise<void> {
    const queue = this.#queue(evidenceQueue(parseNetworkId(network)));
    const job = await queue.add('evidence', { v: 1, sealed }, { jobId, removeOnFail: false });
    await eventually(`evidence ${jobId} given up`, async () => (await job.isFailed()) || undefined);
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
    this.#redis.disconnect();
    this.#relay.close();
  }

  #queue(name: string): Queue<SealedJobData> {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new Queue<SealedJobData>(name, { connection: this.#redis });
    this.#queues.set(name, queue);
    return queue;
  }
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export function evidenceOf(
  chain: Chain,
  log: EvmLog,
  attestations: ObserverEvidence['attestations'],
): ObserverEvidence {
  const { network, genesisHash } = chain;
  return { version: 1, rule: 'observers', network: parseNetworkId(network), genesisHash, log, attestations };
}

export const lockedWith =
  (reference: Bytes32) =>
  (event: VaultEvent): boolean =>
    event.type === 'locked' && event.reference === reference;

export const executedAs =
  (id: Bytes32) =>
  (event: VaultEvent): boolean =>
    event.type === 'executed' && event.id === id;
