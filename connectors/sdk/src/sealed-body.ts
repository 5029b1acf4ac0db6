/**
 * Opens and seals the bodies that queues carry: the content key is wrapped by RSA-OAEP with SHA-256 for both hashes
 * (node-rsa would default to SHA-1, so it is always told), the content by AES-256-GCM. The format is
 * `@drawbridge/protocol/envelope`; other parties do the same with `node:crypto`, which the tests check both ways.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
} from 'node:crypto';
import {
  decodeEnvelope,
  type EnvelopeContext,
  encodeEnvelope,
  envelopeAssociatedData,
  MAX_ENVELOPE_BYTES,
} from '@drawbridge/protocol/envelope';
import { NodeRSA } from 'node-rsa';

const OAEP = { encryptionScheme: { scheme: 'pkcs1_oaep', hash: 'sha256' } } as const;
const CONTENT_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const MIN_MODULUS_BITS = 2_048;

export type SealedBodyErrorCode =
  | 'SEALED_KEY_INVALID'
  | 'SEALED_FOR_ANOTHER'
  | 'SEALED_NOT_OPENED'
  | 'SEALED_TOO_LARGE';

/** A body that cannot be opened or sealed. The message says nothing of the content. */
export class SealedBodyError extends Error {
  override readonly name = 'SealedBodyError';
  readonly code: SealedBodyErrorCode;

  constructor(code: SealedBodyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Opens bodies sealed to one private key. */
export class BodyOpener {
  readonly #key: NodeRSA;
  readonly #recipient: Buffer;

  /** @param privateKeyPem RSA, PKCS#8 or PKCS#1. @throws SealedBodyError `SEALED_KEY_INVALID` */
  constructor(privateKeyPem: string) {
    try {
      const key = createPrivateKey(privateKeyPem);
      demandRsa(key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength);
      this.#recipient = fingerprint(createPublicKey(key).export({ type: 'spki', format: 'der' }));
      this.#key = new NodeRSA(key.export({ type: 'pkcs8', format: 'pem' }).toString(), 'pkcs8-private-pem', OAEP);
    } catch (cause) {
      throw keyInvalid('private', cause);
    }
  }

  /** @throws SealedBodyError or ProtocolError `ENVELOPE_INVALID` unless `sealed` was made for this key and this context. */
  open(sealed: Uint8Array, context: EnvelopeContext): Uint8Array {
    const envelope = decodeEnvelope(sealed);
    if (!this.#recipient.equals(envelope.recipient)) {
      throw new SealedBodyError('SEALED_FOR_ANOTHER', 'the body is sealed to another key');
    }
    try {
      const contentKey = this.#key.decrypt(envelope.wrappedKey);
      const decipher = createDecipheriv('aes-256-gcm', contentKey, envelope.nonce, {
        authTagLength: envelope.tag.length,
      });
      decipher.setAAD(envelopeAssociatedData(context));
      decipher.setAuthTag(envelope.tag);
      return Uint8Array.from(Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]));
    } catch (cause) {
      throw new SealedBodyError('SEALED_NOT_OPENED', 'the body was altered, or sealed for another job', { cause });
    }
  }
}

/** Seals bodies to one public key. */
export class BodySealer {
  readonly #key: NodeRSA;
  readonly #recipient: Buffer;

  /** @param publicKeyPem RSA, SPKI. @throws SealedBodyError `SEALED_KEY_INVALID` */
  constructor(publicKeyPem: string) {
    try {
      const key = createPublicKey(publicKeyPem);
      demandRsa(key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength);
      this.#recipient = fingerprint(key.export({ type: 'spki', format: 'der' }));
      this.#key = new NodeRSA(key.export({ type: 'spki', format: 'pem' }).toString(), 'pkcs8-public-pem', OAEP);
    } catch (cause) {
      throw keyInvalid('public', cause);
    }
  }

  /** A fresh content key and nonce each time. @throws SealedBodyError `SEALED_TOO_LARGE` */
  seal(plain: Uint8Array, context: EnvelopeContext): Uint8Array {
    const contentKey = randomBytes(CONTENT_KEY_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', contentKey, nonce);
    cipher.setAAD(envelopeAssociatedData(context));
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
    const wrappedKey = this.#key.encrypt(Uint8Array.from(contentKey));
    const parts = { recipient: this.#recipient, wrappedKey, nonce, ciphertext, tag: cipher.getAuthTag() };
    const sealed = encodeEnvelope(parts);
    if (sealed.length > MAX_ENVELOPE_BYTES) {
      throw new SealedBodyError('SEALED_TOO_LARGE', `a sealed body has at most ${MAX_ENVELOPE_BYTES} bytes`);
    }
    return sealed;
  }
}

const fingerprint = (spki: Buffer): Buffer => createHash('sha256').update(spki).digest();

function demandRsa(type: string | undefined, modulusBits: number | undefined): void {
  if (type === 'rsa' && (modulusBits ?? 0) >= MIN_MODULUS_BITS) return;
  throw new SealedBodyError('SEALED_KEY_INVALID', `a sealing key is RSA of at least ${MIN_MODULUS_BITS} bits`);
}

function keyInvalid(which: string, cause: unknown): SealedBodyError {
  if (cause instanceof SealedBodyError) return cause;
  return new SealedBodyError('SEALED_KEY_INVALID', `the ${which} sealing key cannot be read as PEM`, { cause });
}
