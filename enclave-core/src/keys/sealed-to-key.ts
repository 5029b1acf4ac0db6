/** Seals to an RSA key and opens again: AES-256-GCM under a fresh content key, wrapped by RSA-OAEP-256, as protocol envelopes. */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '@drawbridge/protocol/envelope';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

/** SHA-256 of a public key's SPKI in DER: how an envelope names whom it is for. */
export const recipientOf = (publicKey: KeyObject): Buffer =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

/** A private key with the name under which bodies are sealed to it. */
export type Recipient = Readonly<{ privateKey: KeyObject; name: Uint8Array }>;

export const recipientFor = (privateKey: KeyObject): Recipient => ({
  privateKey,
  name: recipientOf(createPublicKey(privateKey)),
});

/** `associatedData` is authenticated, not stored: opening needs the same. */
export function sealToKey(publicKey: KeyObject, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const contentKey = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', contentKey, nonce);
  cipher.setAAD(associatedData);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const wrappedKey = publicEncrypt({ key: publicKey, ...OAEP }, contentKey);
  return encodeEnvelope({ recipient: recipientOf(publicKey), wrappedKey, nonce, ciphertext, tag: cipher.getAuthTag() });
}

/** @throws ProtocolError `ENVELOPE_INVALID` for garbage, another recipient, other associated data, or a changed byte */
export function openWithKey(recipient: Recipient, associatedData: Uint8Array, input: Uint8Array): Uint8Array {
  const envelope = decodeEnvelope(input);
  if (Buffer.compare(envelope.recipient, recipient.name) !== 0) {
    throw new ProtocolError('ENVELOPE_INVALID', 'sealed body is for another recipient');
  }
  try {
    return decrypt(recipient.privateKey, associatedData, envelope);
  } catch (cause) {
    throw new ProtocolError('ENVELOPE_INVALID', 'sealed body does not open here', { cause });
  }
}

function decrypt(privateKey: KeyObject, associatedData: Uint8Array, envelope: Envelope): Uint8Array {
  const contentKey = privateDecrypt({ key: privateKey, ...OAEP }, envelope.wrappedKey);
  const decipher = createDecipheriv('aes-256-gcm', contentKey, envelope.nonce, { authTagLength: 16 });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(envelope.tag);
  return Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]);
}
