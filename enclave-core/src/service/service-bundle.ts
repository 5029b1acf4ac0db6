/**
 * What a service is made with: its id, its secrets, an authority key for each vault, and its TLS identity. Drawn once, kept
 * sealed under the key file. The secrets enter the ledger with genesis; from then on the ledger's are the ones that count.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bytes32, fromHex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseAssetCode, parseNetworkId, type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { createKeyFile, readKeyFile, refuseKeyFile, syncDirectory } from '../keys/key-file.ts';
import { KeyRing } from '../keys/key-ring.ts';
import type { ServiceSecrets } from '../settlement/view.ts';
import { createServiceCertificate, type ServiceCertificate } from './service-certificate.ts';
import { ServiceError } from './service-error.ts';

const KEY_FILE = 'service.key';
const BUNDLE_FILE = 'service.bundle';
/** Public: for whoever runs the service to hand to its clients. The core itself never reads it. */
const CERTIFICATE_FILE = 'service.pem';
const RSA_BITS = 3_072;
const VALIDITY_DAYS = 3_650;
/** Vaults of one service at its creation. */
export const MAX_VAULTS = 256;
export const DEFAULT_HOSTS: readonly string[] = ['localhost', '127.0.0.1'];

export type ServiceBundle = Readonly<{ serviceId: Bytes32; secrets: ServiceSecrets; tls: ServiceCertificate }>;

/** What the world may know of a service: enough to deploy its vaults, write its genesis, and reach it. */
export type PublicIdentity = Readonly<{
  serviceId: Bytes32;
  /** Address of each vault's authority, by `network/ASSET`. */
  authorities: Readonly<Record<string, EvmAddress>>;
  /** RSA public key (SPKI, PEM) that evidence is sealed to. */
  sealingKey: string;
  /** Certificate (PEM) that clients pin. */
  serviceCertificate: string;
}>;

export type CreateServiceOptions = Readonly<{
  /** Made if it is not there; must not hold a service yet. */
  dir: string;
  /** `network/ASSET` of each vault that will need an authority. */
  vaults: readonly string[];
  /** Names and IPv4 addresses that clients may reach it by, besides the default ones. */
  hosts?: readonly string[];
  nowMs: number;
}>;

/**
 * Makes a service in `dir` and answers its public parts.
 * @throws KeyFileError `KEY_FILE_EXISTS` where there is one already; ServiceError, ProtocolError for unusable arguments
 */
export async function createService(options: CreateServiceOptions): Promise<PublicIdentity> {
  const vaults = parseVaults(options.vaults);
  await refuseKeyFile(join(options.dir, KEY_FILE));
  const bundle = await drawBundle(vaults, [...DEFAULT_HOSTS, ...(options.hosts ?? [])], options.nowMs);
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const keys = new KeyRing({ secret: await createKeyFile(join(options.dir, KEY_FILE)) });
  await writeDurably(options.dir, BUNDLE_FILE, keys.seal('bundle', Buffer.from(JSON.stringify(bundle))));
  await writeDurably(options.dir, CERTIFICATE_FILE, Buffer.from(bundle.tls.certificate));
  return publicIdentity(bundle);
}

/** @throws KeyFileError, SealBrokenError, ServiceError `SERVICE_MISSING` */
export async function openService(dir: string): Promise<{ bundle: ServiceBundle; keys: KeyRing }> {
  const keys = new KeyRing({ secret: await readKeyFile(join(dir, KEY_FILE)) });
  let sealed: Uint8Array;
  try {
    sealed = await readFile(join(dir, BUNDLE_FILE));
  } catch (cause) {
    throw new ServiceError(
      'SERVICE_MISSING',
      `${join(dir, BUNDLE_FILE)} cannot be read; make a service with create, in a folder without one`,
      { cause },
    );
  }
  const bundle = JSON.parse(Buffer.from(keys.open('bundle', sealed)).toString('utf8')) as ServiceBundle;
  return { bundle, keys };
}

export function publicIdentity({ serviceId, secrets, tls }: ServiceBundle): PublicIdentity {
  const authorities = Object.entries(secrets.authorities).map(([vault, key]) => [vault, authorityAddress(key)]);
  const publicKey = createPublicKey(createPrivateKey(secrets.sealingKey));
  return {
    serviceId,
    authorities: Object.fromEntries(authorities) as Record<string, EvmAddress>,
    sealingKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    serviceCertificate: tls.certificate,
  };
}

/** Last 20 bytes of keccak256 of the uncompressed public key. */
export function authorityAddress(privateKey: Bytes32): EvmAddress {
  const publicKey = secp256k1.getPublicKey(fromHex(privateKey), false);
  return toHex(keccak_256(publicKey.subarray(1)).subarray(12)) as EvmAddress;
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

async function drawBundle(
  vaults: readonly VaultKey[],
  hosts: readonly string[],
  nowMs: number,
): Promise<ServiceBundle> {
  const word = (): Bytes32 => toBytes32(randomBytes(32));
  const rsa = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  const serviceId = word();
  const authorities = vaults.map((vault) => [vault, toBytes32(secp256k1.utils.randomSecretKey())]);
  return {
    serviceId,
    secrets: {
      idKey: word(),
      referenceKey: word(),
      trailKey: word(),
      relayKey: word(),
      sealingKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      authorities: Object.fromEntries(authorities) as Record<string, Bytes32>,
    },
    tls: createServiceCertificate({
      commonName: `Drawbridge ${serviceId.slice(0, 18)}`,
      hosts,
      nowMs,
      validityDays: VALIDITY_DAYS,
    }),
  };
}

/** Whole or not at all, also after a power cut. */
export async function writeDurably(dir: string, name: string, bytes: Uint8Array): Promise<void> {
  const draft = join(dir, `${name}.new`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(dir, name));
  await syncDirectory(dir);
}
