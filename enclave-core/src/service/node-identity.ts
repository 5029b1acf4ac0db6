/**
 * A node's own keys, made in the node and never shown: EC P-384, which signs the ledger and speaks TLS, and RSA, which ledger
 * secrets are sealed to. The node is known by the former.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { openWithKey, type Recipient, recipientFor } from '../keys/sealed-to-key.ts';

export const ENCRYPTION_KEY_BITS = 3_072;
const CURVE = 'P-384';

/** As it is kept: PKCS#8, PEM. */
export type NodeKeys = Readonly<{ signingKey: string; encryptionKey: string }>;

export type NodeIdentity = Readonly<{
  nodeId: NodeId;
  signingKey: KeyObject;
  /** SPKI, PEM. */
  publicKey: string;
  encryption: Recipient;
  /** SPKI, PEM. */
  encryptionKey: string;
}>;

/** Takes about a second, for the RSA key. */
export async function drawNodeKeys(encryptionKeyBits: number = ENCRYPTION_KEY_BITS): Promise<NodeKeys> {
  const [signing, encryption] = await Promise.all([
    promisify(generateKeyPair)('ec', { namedCurve: CURVE }),
    promisify(generateKeyPair)('rsa', { modulusLength: encryptionKeyBits }),
  ]);
  return { signingKey: pemOf(signing.privateKey), encryptionKey: pemOf(encryption.privateKey) };
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPemOf = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

export function nodeIdentity(keys: NodeKeys): NodeIdentity {
  const signingKey = createPrivateKey(keys.signingKey);
  const encryption = recipientFor(createPrivateKey(keys.encryptionKey));
  const publicKey = publicPemOf(signingKey);
  return {
    nodeId: nodeIdOf(publicKey),
    signingKey,
    publicKey,
    encryption,
    encryptionKey: publicPemOf(encryption.privateKey),
  };
}

/** Hex of SHA-256 over the SPKI in DER. @param publicKey SPKI, PEM or DER */
export function nodeIdOf(publicKey: string | Uint8Array): NodeId {
  const key =
    typeof publicKey === 'string'
      ? createPublicKey(publicKey)
      : createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex') as NodeId;
}

/** Opens what was sealed to this node, as `openRekey` asks. @throws ProtocolError `ENVELOPE_INVALID` */
export const openFor =
  ({ encryption }: Pick<NodeIdentity, 'encryption'>) =>
  (associatedData: Uint8Array, sealed: Uint8Array): Uint8Array =>
    openWithKey(encryption, associatedData, sealed);
