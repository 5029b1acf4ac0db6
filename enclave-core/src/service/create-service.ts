/**
 * Makes folders: of a service with its first node, or of a node that will join one. What is drawn here is drawn once: the
 * service's id, its secrets, an authority key for each vault, its certificate, the first ledger secret, the node's keys.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type Bytes32, fromHex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseAssetCode, parseNetworkId, type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { LEDGER_SECRET_BYTES } from '../keys/ledger-keys.ts';
import { createNodeFolder, type Founding, refuseNodeFolder } from './node-folder.ts';
import { drawNodeKeys, nodeIdentity } from './node-identity.ts';
import { createServiceCertificate } from './service-certificate.ts';
import { ServiceError } from './service-error.ts';

const SEALING_KEY_BITS = 3_072;
const VALIDITY_DAYS = 3_650;
/** Vaults of one service at its creation. */
export const MAX_VAULTS = 256;
export const DEFAULT_HOSTS: readonly string[] = ['localhost', '127.0.0.1'];
const MAX_HOSTS = 64;

/** What the world may know of a node. */
export type PublicNode = Readonly<{
  nodeId: NodeId;
  /** SPKI, PEM. */
  publicKey: string;
}>;

/** What the world may know of a service: enough to deploy its vaults, write its genesis, and reach it. */
export type PublicService = Readonly<{
  serviceId: Bytes32;
  /** Address of each vault's authority, by `network/ASSET`. */
  authorities: Readonly<Record<string, EvmAddress>>;
  /** RSA public key (SPKI, PEM) that evidence is sealed to. */
  sealingKey: string;
  /** Certificate (PEM) that clients pin. */
  serviceCertificate: string;
}>;

/** Of a service and the node that begins it. */
export type PublicIdentity = PublicService & Pick<PublicNode, 'nodeId'>;

export type CreateServiceOptions = Readonly<{
  /** Made if it is not there; must not hold a node yet. */
  dir: string;
  /** `network/ASSET` of each vault that will need an authority. */
  vaults: readonly string[];
  /** Names and IP addresses that clients may reach it by, besides the default ones. */
  hosts?: readonly string[];
  nowMs: number;
}>;

/**
 * Makes a service and its first node in `dir`, and answers their public parts.
 * @throws KeyFileError `KEY_FILE_EXISTS` where there is one already; ServiceError, ProtocolError for unusable arguments
 */
export async function createService(options: CreateServiceOptions): Promise<PublicIdentity> {
  const vaults = parseVaults(options.vaults);
  const hosts = allHosts(options.hosts);
  await refuseNodeFolder(options.dir);
  const [founding, node] = await Promise.all([drawFounding(vaults, options.nowMs), drawNodeKeys()]);
  const ledgerSecret = randomBytes(LEDGER_SECRET_BYTES);
  await createNodeFolder(options.dir, { node, hosts, founding, ledgerSecret });
  return { ...publicService(founding), nodeId: nodeIdentity(node).nodeId };
}

export type CreateNodeOptions = Readonly<Pick<CreateServiceOptions, 'dir' | 'hosts'>>;

/**
 * Makes a node that will join a service.
 * @throws KeyFileError `KEY_FILE_EXISTS` where there is one already
 */
export async function createNode({ dir, hosts: more }: CreateNodeOptions): Promise<PublicNode> {
  const hosts = allHosts(more);
  await refuseNodeFolder(dir);
  const node = await drawNodeKeys();
  await createNodeFolder(dir, { node, hosts });
  const { nodeId, publicKey } = nodeIdentity(node);
  return { nodeId, publicKey };
}

export function publicService({ serviceId, secrets, serviceCertificate }: Founding): PublicService {
  const authorities = Object.entries(secrets.authorities).map(([vault, key]) => [vault, authorityAddress(key)]);
  const publicKey = createPublicKey(createPrivateKey(secrets.sealingKey));
  return {
    serviceId,
    authorities: Object.fromEntries(authorities) as Record<string, EvmAddress>,
    sealingKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    serviceCertificate,
  };
}

/** Last 20 bytes of keccak256 of the uncompressed public key. */
export function authorityAddress(privateKey: Bytes32): EvmAddress {
  const publicKey = secp256k1.getPublicKey(fromHex(privateKey), false);
  return toHex(keccak_256(publicKey.subarray(1)).subarray(12)) as EvmAddress;
}

function allHosts(more: readonly string[] = []): readonly string[] {
  const hosts = [...new Set([...DEFAULT_HOSTS, ...more])];
  if (hosts.length > MAX_HOSTS || hosts.some((host) => !/^[A-Za-z0-9.:-]{1,253}$/.test(host))) {
    throw new ServiceError('SERVICE_ARGUMENTS', `hosts are at most ${MAX_HOSTS} names or IP addresses`);
  }
  return hosts;
}

function parseVaults(texts: readonly string[]): readonly VaultKey[] {
  if (texts.length === 0 || texts.length > MAX_VAULTS) {
    throw new ServiceError('SERVICE_ARGUMENTS', `a service needs 1 to ${MAX_VAULTS} vaults, as network/ASSET`);
  }
  const keys = texts.map((text) => {
    const [network = '', asset, ...rest] = text.split('/');
    if (asset === undefined || rest.length > 0) {
      throw new ServiceError('SERVICE_ARGUMENTS', `vault ${text} must be network/ASSET, such as quorum-a/EUR`);
    }
    return vaultKey(parseNetworkId(network), parseAssetCode(asset));
  });
  if (new Set(keys).size !== keys.length) throw new ServiceError('SERVICE_ARGUMENTS', 'a vault is named twice');
  return keys;
}

async function drawFounding(vaults: readonly VaultKey[], nowMs: number): Promise<Founding> {
  const word = (): Bytes32 => toBytes32(randomBytes(32));
  const rsa = await promisify(generateKeyPair)('rsa', { modulusLength: SEALING_KEY_BITS });
  const serviceId = word();
  const authorities = vaults.map((vault) => [vault, toBytes32(secp256k1.utils.randomSecretKey())]);
  const commonName = `Drawbridge ${serviceId.slice(0, 18)}`;
  const { key, certificate } = createServiceCertificate({ commonName, nowMs, validityDays: VALIDITY_DAYS });
  return {
    serviceId,
    secrets: {
      idKey: word(),
      referenceKey: word(),
      trailKey: word(),
      relayKey: word(),
      sealingKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      serviceKey: key,
      authorities: Object.fromEntries(authorities) as Record<string, Bytes32>,
    },
    serviceCertificate: certificate,
  };
}
