/** How a node comes to its place when it starts: it has it already, begins a service, or joins one. */
import { FIRST_RAFT_ID } from '../membership/membership-state.ts';
import type { Genesis } from '../node/core-node.ts';
import { NODE_VALIDITY_DAYS } from './admission.ts';
import { publicService } from './create-service.ts';
import { drawGenesis } from './draw-genesis.ts';
import { type CheckedGenesis, demandOwnGenesis, readGenesisFile } from './genesis-file.ts';
import { readGenesis, writeGenesis } from './genesis-snapshot.ts';
import { type AskDependencies, type AskOptions, joinService, type SelfDescription } from './join-service.ts';
import { endorseNode } from './node-certificate.ts';
import { type Founding, type OpenedNode, type Place, savePlace } from './node-folder.ts';
import { ServiceError } from './service-error.ts';

export type PlacedNode = OpenedNode &
  Readonly<{
    place: Place;
    /** It was admitted just now; what is in its folder is of an earlier life. */
    isNewcomer: boolean;
    ledgerKeys: NonNullable<OpenedNode['ledgerKeys']>;
    genesis: Genesis;
  }>;

export type TakePlace = Readonly<{
  node: OpenedNode;
  /** Needed where a service begins; later it may be given again and must be the same. */
  genesisFile?: string;
  self: SelfDescription;
  /** Whom to ask, where the node has no place. */
  join?: Pick<AskOptions, 'serviceCertificate' | 'addresses' | 'patienceMs'>;
}>;

/** @throws ServiceError and what a damaged folder makes it throw */
export async function takePlace(input: TakePlace, uses: AskDependencies): Promise<PlacedNode> {
  const { node, genesisFile, join, self } = input;
  const checked = genesisFile === undefined ? undefined : await readGenesisFile(genesisFile);
  const placed = await placeOf(node, checked, input, uses);
  const genesis = await readGenesis(node.dir, node.localKeys);
  if (!genesis) {
    throw new ServiceError('GENESIS_MISSING', `genesis.snapshot is missing in ${node.dir}; bring it back from a copy`);
  }
  demandSameGenesis(checked, genesis);
  const { place, ledgerKeys } = placed;
  if (place && ledgerKeys) {
    const isNewcomer = node.place !== place && place.joined;
    if (node.place === place && join) uses.log.info({ raftId: place.raftId }, 'this node has its place already');
    return { ...placed, place, isNewcomer, ledgerKeys, genesis };
  }
  throw new ServiceError('NOT_JOINED', `the node in ${node.dir} on ${self.platform.kind} has no place`);
}

async function placeOf(
  node: OpenedNode,
  checked: CheckedGenesis | undefined,
  { self, join }: TakePlace,
  uses: AskDependencies,
): Promise<OpenedNode> {
  // Where memory is protected a place on the disk is that of a node which was alone; whoever is to join is not.
  const comesBack = !(join && self.platform.protectsMemory);
  if (node.place && node.ledgerKeys && comesBack) return node;
  if (join) return joinService(node, { ...self, ...join }, uses);
  if (node.founding) return begin(node, node.founding, checked, self, uses.nowMs());
  throw new ServiceError(
    'NOT_JOINED',
    `the node in ${node.dir} has no place in a service, or kept none over the restart; start it with join`,
  );
}

/** What was drawn is stored before anything stands on it, and found again after a crash. */
async function begin(
  node: OpenedNode,
  founding: Founding,
  checked: CheckedGenesis | undefined,
  self: SelfDescription,
  nowMs: number,
): Promise<OpenedNode> {
  const { dir, localKeys, ledgerKeys, identity } = node;
  if (!ledgerKeys) throw new ServiceError('NODE_MISSING', `the first ledger secret is missing in ${dir}`);
  let genesis = await readGenesis(dir, localKeys);
  if (!genesis) {
    if (!checked) throw new ServiceError('GENESIS_MISSING', 'the first start needs --genesis');
    demandOwnGenesis(checked, publicService(founding));
    const { peerAddress, apiAddress, hosts, platform, versions, life } = self;
    const certificate = endorseNode({
      serviceKey: founding.secrets.serviceKey,
      serviceCertificate: founding.serviceCertificate,
      nodePublicKey: identity.publicKey,
      nodeId: identity.nodeId,
      platform: platform.kind,
      hosts,
      nowMs,
      validityDays: NODE_VALIDITY_DAYS,
    });
    const { nodeId, encryptionKey } = identity;
    const described = {
      nodeId,
      certificate,
      encryptionKey,
      peerAddress,
      apiAddress,
      platform: platform.kind,
      versions,
      life,
    };
    genesis = await drawGenesis({
      checked,
      founding,
      ledgerKeys,
      nowMs,
      node: { raftId: FIRST_RAFT_ID, ...described },
    });
    await writeGenesis(dir, localKeys, genesis);
  }
  const { serviceId, serviceCertificate } = founding;
  const { certificate, raftId } = genesis.record.node;
  const told = { revision: 0, peers: [] };
  const place: Place = { raftId, joined: false, serviceId, serviceCertificate, certificate, told };
  await savePlace(node, place, ledgerKeys);
  return { ...node, place };
}

function demandSameGenesis(checked: CheckedGenesis | undefined, { record }: Genesis): void {
  if (!checked || checked.digest === record.genesisDigest) return;
  throw new ServiceError(
    'GENESIS_MISMATCH',
    `this ledger began with another genesis (digest ${record.genesisDigest}, the file has ${checked.digest}); start without --genesis or with the first file; later changes are amendments`,
  );
}
