/** A node at work: the core between its disk, its peers, its clients and the operator's amendments. */
import { sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { AmendmentFolder } from '../amendments/amendment-folder.ts';
import { buildApi } from '../api/build-api.ts';
import type { ApiLimits } from '../api/limits.ts';
import { systemEntropy } from '../consensus/node-host.ts';
import { makeRekey, openRekey } from '../keys/rekey.ts';
import { CoreNode, type CoreNodeDependencies, type CoreNodeOptions } from '../node/core-node.ts';
import { storageAfterLife } from '../node/earlier-life.ts';
import { type NodeHost, systemHost } from '../node/node-host.ts';
import type { Peers } from '../node/node-peers.ts';
import { type FileStorageOptions, fileStorage, type OpenStorage } from '../node/node-storage.ts';
import type { NodeLog } from '../node-log.ts';
import { PeerNetwork } from '../peers/peer-network.ts';
import { systemTimers } from '../peers/peer-timers.ts';
import type { PeerIdentity } from '../peers/peer-types.ts';
import { requestJoin } from '../peers/request-join.ts';
import type { Platform } from '../platform/platform.ts';
import type { Rulebook } from '../settlement/rules.ts';
import { admissionOffice } from './admission.ts';
import { MAX_JOIN_ANSWER_BYTES } from './join-message.ts';
import type { AskOptions, SelfDescription } from './join-service.ts';
import type { ListenAddress } from './listen-address.ts';
import { discardEarlierLife, earlierSnapshots, forgetPlace, savePlace, saveSecrets } from './node-folder.ts';
import { openFor } from './node-identity.ts';
import { NodePresence } from './node-presence.ts';
import { SeededDirectory } from './seeded-directory.ts';
import type { PlacedNode } from './take-place.ts';

/** On another thread: it takes half a millisecond or more. */
const signAside = promisify(sign);
/** How often a node that keeps its place only while it is alone looks whether it still is. */
const ALONE_LOOK_MS = 1_000;

export type RunningNodeOptions = Readonly<{
  listen: ListenAddress;
  peerListen?: ListenAddress;
  /** Whom to ask for a place where the node has none, and who the others are. */
  join?: Pick<AskOptions, 'serviceCertificate' | 'addresses' | 'patienceMs'>;
  amendmentsDir?: string;
  node?: Partial<Omit<CoreNodeOptions, 'raftId' | 'joined'>>;
  storage?: Partial<Omit<FileStorageOptions, 'dir' | 'serviceId'>>;
  apiLimits?: Partial<ApiLimits>;
}>;

export type RunningNodeDependencies = Readonly<{
  placed: PlacedNode;
  /** What the node says of itself; ports as they are known. */
  self: () => SelfDescription;
  platform: Platform;
  rules: Rulebook;
  engine: WebAssembly.Module;
  log: NodeLog;
  /** Unix ms. */
  nowMs: () => number;
  onFailed: (error: unknown) => void;
}>;

export class RunningNode {
  readonly #options: RunningNodeOptions;
  readonly #uses: RunningNodeDependencies;
  readonly #host: NodeHost;
  readonly #presence: NodePresence;
  #certificate: string;
  #node: CoreNode | undefined;
  #network: PeerNetwork | undefined;
  #directory: SeededDirectory | undefined;
  #api: ReturnType<typeof buildApi> | undefined;
  #amendments: AmendmentFolder | undefined;
  #stopLooking: () => void = () => undefined;

  constructor(options: RunningNodeOptions, dependencies: RunningNodeDependencies) {
    this.#options = options;
    this.#uses = dependencies;
    const { placed, self, log, nowMs } = dependencies;
    this.#certificate = placed.place.certificate;
    this.#host = systemHost(nowMs);
    this.#presence = new NodePresence(
      { node: placed, self, seeds: options.join?.addresses ?? [] },
      {
        requestJoin,
        log,
        nowMs,
        timers: this.#host.timers,
        desk: () => this.#node?.desk(),
        leader: () => this.#node?.network().primaryId ?? undefined,
        directory: () => this.#directory,
        told: (peers) => {
          if (this.#directory?.tell(peers)) this.#network?.directoryChanged();
        },
        endorsed: (certificate) => this.#endorsed(certificate),
      },
    );
  }

  get node(): CoreNode {
    if (!this.#node) throw new Error('the node has not started');
    return this.#node;
  }

  /** Resolves when the node has applied all that was committed, and serves peers; not yet clients. */
  async start(): Promise<void> {
    const { placed, platform, rules, engine, log, onFailed } = this.#uses;
    const { dir, identity, localKeys, ledgerKeys, place, genesis } = placed;
    const { raftId, joined, serviceId, serviceCertificate } = place;
    const { storage, node } = this.#options;
    this.#presence.start();
    const { self, nowMs } = this.#uses;
    const office = { ledgerKeys, serviceCertificate, platform: platform.kind, life: self().life, nowMs };
    const openStorage = fileStorage({ ...storage, dir, serviceId }, localKeys, this.#host);
    const dependencies: CoreNodeDependencies = {
      identity: {
        nodeId: identity.nodeId,
        sign: (message) => signAside('sha256', message, identity.signingKey),
      },
      keys: ledgerKeys,
      openRekey: (entry) => openRekey(entry, identity.nodeId, openFor(identity), ledgerKeys),
      makeRekey: (nodes) => makeRekey({ keys: ledgerKeys, nodes, entropy: systemEntropy }),
      saveSecrets: () => saveSecrets({ dir, localKeys }, ledgerKeys),
      openStorage: placed.isNewcomer ? this.#afterLife(openStorage) : openStorage,
      platform,
      engine,
      genesis: async () => genesis,
      serviceCertificate,
      admit: admissionOffice(office),
      rules,
      host: this.#host,
      log,
      onFailed,
      ...(this.#options.peerListen && { openPeers: (directory, handlers) => this.#openPeers(directory, handlers) }),
    };
    this.#node = await CoreNode.start({ ...node, raftId, joined }, dependencies);
    if (platform.protectsMemory) this.#stopLooking = systemTimers.every(ALONE_LOOK_MS, () => this.#lookAlone());
  }

  #afterLife(openStorage: OpenStorage): OpenStorage {
    const { placed, log } = this.#uses;
    const { dir, ledgerKeys, place } = placed;
    const { serviceCertificate } = place;
    const discard = (): Promise<void> => discardEarlierLife(dir);
    return storageAfterLife(openStorage, {
      snapshots: earlierSnapshots(dir),
      keys: ledgerKeys,
      serviceCertificate,
      discard,
      log,
    });
  }

  /** @returns the ports that clients and peers reach it by; 0 where it stays alone */
  async serve(): Promise<Readonly<{ apiPort: number; peerPort: number }>> {
    const { placed, log } = this.#uses;
    const { listen, apiLimits, amendmentsDir } = this.#options;
    const tls = { key: this.#identity().key, cert: this.#certificate + placed.place.serviceCertificate };
    this.#api = buildApi(this.node, { tls, logger: log, ...(apiLimits && { limits: apiLimits }) });
    await this.#api.listen({ host: listen.host, port: listen.port });
    if (amendmentsDir !== undefined) {
      this.#amendments = new AmendmentFolder({ dir: amendmentsDir }, { core: this.node, log });
      await this.#amendments.start();
    }
    const { port: apiPort } = this.#api.server.address() as AddressInfo;
    return { apiPort, peerPort: Number(/:([0-9]+)$/.exec(this.#network?.address ?? '')?.[1] ?? 0) };
  }

  async rescanAmendments(): Promise<void> {
    await this.#amendments?.scan();
  }

  /** Ends what there is, clients first. */
  async stop(): Promise<void> {
    this.#stopLooking();
    this.#presence.stop();
    // What these two wait for may be an entry that no majority takes, which the node's end settles.
    const amendmentsEnded = this.#amendments?.stop();
    await this.#api?.close();
    await this.#node?.stop();
    await amendmentsEnded;
    await this.#presence.ended();
  }

  async #openPeers(
    ...[ledgerDirectory, handlers]: Parameters<NonNullable<CoreNodeDependencies['openPeers']>>
  ): Promise<Peers> {
    const { placed, self, log, nowMs } = this.#uses;
    const { host, port } = this.#options.peerListen ?? { host: '127.0.0.1', port: 0 };
    const { serviceCertificate, told } = placed.place;
    const directory = new SeededDirectory(ledgerDirectory, told);
    this.#directory = directory;
    this.#network = await PeerNetwork.listen(
      {
        host,
        port,
        identity: this.#identity(),
        life: self().life,
        serviceCertificate,
        limits: { maxAnswerBytes: MAX_JOIN_ANSWER_BYTES },
      },
      { directory, handlers, log, timers: systemTimers, entropy: systemEntropy, nowMs },
    );
    return this.#network;
  }

  #identity(): PeerIdentity & Readonly<{ key: string }> {
    const { signingKey } = this.#uses.placed.identity;
    return { key: signingKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: this.#certificate };
  }

  /** The API shows it from the next start on. */
  async #endorsed(certificate: string): Promise<void> {
    if (certificate === this.#certificate) return;
    const { placed, platform } = this.#uses;
    this.#certificate = certificate;
    if (!platform.protectsMemory) await savePlace(placed, { ...placed.place, certificate }, placed.ledgerKeys);
    this.#network?.setIdentity(this.#identity());
  }

  /** As soon as there are others to get them back from, place and secrets are in memory only. */
  #lookAlone(): void {
    if (this.node.members().voters.length < 2) return;
    this.#stopLooking();
    const { placed, onFailed } = this.#uses;
    forgetPlace(placed).catch((error: unknown) => onFailed(error));
  }
}
