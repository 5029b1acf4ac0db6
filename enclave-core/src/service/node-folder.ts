/**
 * The folder of a node: `node.key`, the secret that its disk is sealed under; `node.bundle`, sealed: the node's own keys, what
 * it was founded with, its place in a service, the ledger secrets; `service.pem`, public; `genesis.snapshot`, and what the node
 * makes of the log. On a platform that protects memory neither place nor ledger secrets outlive the process, unless the
 * node is alone and has nobody to get them back from.
 */
import { lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { nodeDisk } from '../consensus/log/disk.ts';
import { EarlierSnapshots } from '../consensus/log/earlier-snapshots.ts';
import { createKeyFile, readKeyFile, refuseKeyFile, syncDirectory } from '../keys/key-file.ts';
import { KeyRing } from '../keys/key-ring.ts';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import { EARLIER_FOLDER, HISTORY_FOLDER, LEDGER_FOLDER, LOG_FOLDER } from '../node/node-storage.ts';
import type { ServiceSecrets } from '../settlement/view.ts';
import { GENESIS_FILE } from './genesis-snapshot.ts';
import { type NodeIdentity, type NodeKeys, nodeIdentity } from './node-identity.ts';
import type { ToldPeers } from './seeded-directory.ts';
import { ServiceError } from './service-error.ts';
import { writeDurably } from './write-durably.ts';

export const KEY_FILE = 'node.key';
export const BUNDLE_FILE = 'node.bundle';
/** Public: for whoever runs the service to hand to its clients, and for nodes that join. */
export const CERTIFICATE_FILE = 'service.pem';
/** How a folder of a version before this one is known. */
const FORMER_KEY_FILE = 'service.key';

/** What a service is made with. It enters the ledger with genesis; from then on the ledger's is what counts. */
export type Founding = Readonly<{
  serviceId: Bytes32;
  secrets: ServiceSecrets;
  /** PEM. */
  serviceCertificate: string;
}>;

/** A node's place in a service. */
export type Place = Readonly<{
  raftId: number;
  /** It was admitted by others, rather than began the service. */
  joined: boolean;
  serviceId: Bytes32;
  /** PEM, as this node was told to trust it. */
  serviceCertificate: string;
  /** PEM, endorsed by the service. */
  certificate: string;
  /** Who the nodes were when it last asked, until the ledger says so here. */
  told: ToldPeers;
}>;

type Bundle = Readonly<{
  version: 1;
  node: NodeKeys;
  hosts: readonly string[];
  founding?: Founding;
  place?: Place;
  /** Hex by epoch. */
  ledgerSecrets?: Readonly<Record<string, string>>;
}>;

export type OpenedNode = Readonly<{
  dir: string;
  identity: NodeIdentity;
  /** Names and addresses that it may be reached by. */
  hosts: readonly string[];
  /** Of this disk. */
  localKeys: KeyRing;
  founding: Founding | null;
  /** Null before it joined, and where the platform keeps it in memory only; so are the keys. */
  place: Place | null;
  ledgerKeys: LedgerKeys | null;
}>;

/** @throws KeyFileError `KEY_FILE_EXISTS` where there is a node already; ServiceError `FOLDER_FORMER` */
export async function refuseNodeFolder(dir: string): Promise<void> {
  await refuseFormerFolder(dir);
  await refuseKeyFile(join(dir, KEY_FILE));
}

export type NewFolder = Readonly<{
  node: NodeKeys;
  hosts: readonly string[];
  founding?: Founding;
  /** Of the first epoch. */
  ledgerSecret?: Uint8Array;
}>;

/** Makes the folder if it is not there. @throws KeyFileError `KEY_FILE_EXISTS` */
export async function createNodeFolder(dir: string, content: NewFolder): Promise<void> {
  const { node, hosts, founding, ledgerSecret } = content;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const localKeys = new KeyRing({ secret: await createKeyFile(join(dir, KEY_FILE)) });
  await writeBundle(dir, localKeys, {
    version: 1,
    node,
    hosts,
    ...(founding && { founding }),
    ...(ledgerSecret && { ledgerSecrets: hexByEpoch(new Map([[1, ledgerSecret]])) }),
  });
  if (founding) await writeDurably(dir, CERTIFICATE_FILE, Buffer.from(founding.serviceCertificate));
}

/** @throws KeyFileError, SealBrokenError, ServiceError `NODE_MISSING`, `FOLDER_FORMER` */
export async function openNode(dir: string): Promise<OpenedNode> {
  await refuseFormerFolder(dir);
  const localKeys = new KeyRing({ secret: await readKeyFile(join(dir, KEY_FILE)) });
  const { node, hosts, founding, place, ledgerSecrets } = await readBundle(dir, localKeys);
  return {
    dir,
    identity: nodeIdentity(node),
    hosts,
    localKeys,
    founding: founding ?? null,
    place: place ?? null,
    ledgerKeys: ledgerSecrets ? new LedgerKeys(secretsOf(ledgerSecrets)) : null,
  };
}

type Folder = Pick<OpenedNode, 'dir' | 'localKeys'>;

/** Durable before it resolves. */
export function savePlace(folder: Folder, place: Place, ledgerKeys: LedgerKeys): Promise<void> {
  return changeBundle(folder, async (bundle, write) => {
    await write({ ...bundle, place, ledgerSecrets: hexByEpoch(ledgerKeys.secrets()) });
    await writeDurably(folder.dir, CERTIFICATE_FILE, Buffer.from(place.serviceCertificate));
  });
}

/** Adds the secrets of new epochs; durable before it resolves. Nothing for a node that keeps no place. */
export function saveSecrets(folder: Folder, ledgerKeys: LedgerKeys): Promise<void> {
  return changeBundle(folder, async (bundle, write) => {
    if (bundle.place) await write({ ...bundle, ledgerSecrets: hexByEpoch(ledgerKeys.secrets()) });
  });
}

/** From here on a start has to join: founding, place and ledger secrets are gone from the disk. */
export function forgetPlace(folder: Folder): Promise<void> {
  return changeBundle(folder, ({ node, hosts }, write) => write({ version: 1, node, hosts }));
}

type Change = (bundle: Bundle, write: (changed: Bundle) => Promise<void>) => Promise<void>;
/** The newest change of the bundle of each opened folder, done or not. */
const changes = new WeakMap<KeyRing, Promise<void>>();

/** One change after the other, each of what the one before left: a rekey may come while a place is saved. */
async function changeBundle({ dir, localKeys }: Folder, change: Change): Promise<void> {
  const before = changes.get(localKeys);
  const done = (async () => {
    // Whether that one failed is for whoever asked for it.
    await before?.catch(() => undefined);
    await change(await readBundle(dir, localKeys), (changed) => writeBundle(dir, localKeys, changed));
  })();
  changes.set(localKeys, done);
  await done;
}

/** What an earlier life of this node left: it begins anew. */
export async function discardData(dir: string): Promise<void> {
  await remove(dir, [LOG_FOLDER, GENESIS_FILE]);
  await discardEarlierLife(dir);
}

export const earlierSnapshots = (dir: string): EarlierSnapshots =>
  new EarlierSnapshots(nodeDisk, join(dir, EARLIER_FOLDER));

/** The log is of a place that this node does not have any more; its snapshots, ledger and history may be of use still. */
export async function setDataAside(dir: string): Promise<void> {
  await earlierSnapshots(dir).takeFrom(join(dir, LOG_FOLDER));
  await remove(dir, [LOG_FOLDER, GENESIS_FILE]);
}

/** It was of no use. */
export const discardEarlierLife = (dir: string): Promise<void> =>
  remove(dir, [LEDGER_FOLDER, HISTORY_FOLDER, EARLIER_FOLDER]);

async function remove(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(dir, name), { recursive: true, force: true });
  await syncDirectory(dir);
}

async function refuseFormerFolder(dir: string): Promise<void> {
  const exists = async (name: string): Promise<boolean> =>
    lstat(join(dir, name)).then(
      () => true,
      () => false,
    );
  if ((await exists(KEY_FILE)) || !(await exists(FORMER_KEY_FILE))) return;
  throw new ServiceError(
    'FOLDER_FORMER',
    `${dir} was made by an earlier version, whose ledger this one does not read: make a service with create in another folder`,
  );
}

async function readBundle(dir: string, localKeys: KeyRing): Promise<Bundle> {
  const path = join(dir, BUNDLE_FILE);
  let sealed: Uint8Array;
  try {
    sealed = await readFile(path);
  } catch (cause) {
    const words = `${path} cannot be read; make a service with create, or a node that will join with node, in a folder without one`;
    throw new ServiceError('NODE_MISSING', words, { cause });
  }
  const bundle = JSON.parse(Buffer.from(localKeys.open('bundle', sealed)).toString('utf8')) as Bundle;
  if (bundle.version !== 1) throw new ServiceError('NODE_MISSING', `${path} was made by a later version`);
  return bundle;
}

const writeBundle = (dir: string, localKeys: KeyRing, bundle: Bundle): Promise<void> =>
  writeDurably(dir, BUNDLE_FILE, localKeys.seal('bundle', Buffer.from(JSON.stringify(bundle))));

const hexByEpoch = (secrets: ReadonlyMap<number, Uint8Array>): Record<string, string> =>
  Object.fromEntries(Array.from(secrets, ([epoch, secret]) => [epoch, Buffer.from(secret).toString('hex')]));

const secretsOf = (byEpoch: Readonly<Record<string, string>>): Map<number, Uint8Array> =>
  new Map(Object.entries(byEpoch).map(([epoch, hex]) => [Number(epoch), Buffer.from(hex, 'hex')]));
