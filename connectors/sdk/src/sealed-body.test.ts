import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import {
  decodeEnvelope,
  type EnvelopeContext,
  encodeEnvelope,
  envelopeAssociatedData,
  MAX_ENVELOPE_BYTES,
} from '@drawbridge/protocol/envelope';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { BodyOpener, BodySealer } from './sealed-body.ts';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const privatePem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' = 'pkcs8') =>
  key.export({ type, format: 'pem' }).toString();
const context: EnvelopeContext = { purpose: 'instruction', network: parseNetworkId('alpha'), jobId: 'a1b2' };
const plain = Uint8Array.from(randomBytes(700));

/** What the core does: the same format by `node:crypto` alone. */
function sealByNodeCrypto(oaepHash: string): Uint8Array {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(envelopeAssociatedData(context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const recipient = createHash('sha256')
    .update(pair.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  const wrappedKey = publicEncrypt({ key: pair.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, key);
  return encodeEnvelope({ recipient, wrappedKey, nonce, ciphertext, tag: cipher.getAuthTag() });
}

describe('against node:crypto', () => {
  test.each(['pkcs8', 'pkcs1'] as const)('opens with a %s key what node:crypto sealed with RSA-OAEP-256', (type) => {
    const opener = new BodyOpener(privatePem(pair.privateKey, type));
    expect(opener.open(sealByNodeCrypto('sha256'), context)).toEqual(plain);
  });

  test('node:crypto opens what it sealed, with SHA-256 and not with SHA-1', () => {
    const envelope = decodeEnvelope(new BodySealer(publicPem(pair.publicKey)).seal(plain, context));
    const unwrap = (oaepHash: string) =>
      privateDecrypt(
        { key: pair.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash },
        Buffer.from(envelope.wrappedKey),
      );
    const decipher = createDecipheriv('aes-256-gcm', unwrap('sha256'), envelope.nonce);
    decipher.setAAD(envelopeAssociatedData(context));
    decipher.setAuthTag(envelope.tag);
    const opened = Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]);
    expect(Uint8Array.from(opened)).toEqual(plain);
    expect(() => unwrap('sha1')).toThrow();
  });

  test('refuses a content key wrapped with SHA-1', () => {
    const opener = new BodyOpener(privatePem(pair.privateKey));
    expect(() => opener.open(sealByNodeCrypto('sha1'), context)).toThrow(
      expect.objectContaining({ code: 'SEALED_NOT_OPENED' }),
    );
  });
});

describe('binding', () => {
  const sealed = new BodySealer(publicPem(pair.publicKey)).seal(plain, context);
  const opener = new BodyOpener(privatePem(pair.privateKey));

  test.each([
    ['job', { ...context, jobId: 'a1b3' }],
    ['network', { ...context, network: parseNetworkId('beta') }],
    ['purpose', { ...context, purpose: 'evidence' as const }],
  ])('does not open for another %s', (_what, moved) => {
    expect(opener.open(sealed, context)).toEqual(plain);
    expect(() => opener.open(sealed, moved)).toThrow(expect.objectContaining({ code: 'SEALED_NOT_OPENED' }));
  });

  test('does not open what was altered', () => {
    const envelope = decodeEnvelope(sealed);
    const flipped = Uint8Array.from(envelope.ciphertext);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    expect(() => opener.open(encodeEnvelope({ ...envelope, ciphertext: flipped }), context)).toThrow(
      expect.objectContaining({ code: 'SEALED_NOT_OPENED' }),
    );
  });

  test('says when a body is for somebody else', () => {
    const stranger = new BodyOpener(privatePem(other.privateKey));
    expect(() => stranger.open(sealed, context)).toThrow(expect.objectContaining({ code: 'SEALED_FOR_ANOTHER' }));
  });

  test('seals the same body differently each time', () => {
    const sealer = new BodySealer(publicPem(pair.publicKey));
    expect(sealer.seal(plain, context)).not.toEqual(sealer.seal(plain, context));
  });

  test('refuses a body that no decoder would take', () => {
    const sealer = new BodySealer(publicPem(pair.publicKey));
    expect(() => sealer.seal(new Uint8Array(MAX_ENVELOPE_BYTES), context)).toThrow(
      expect.objectContaining({ code: 'SEALED_TOO_LARGE' }),
    );
  });
});

test.each([
  ['no PEM', () => new BodyOpener('nonsense')],
  ['an EC key', () => new BodyOpener(privatePem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))],
  ['a short key', () => new BodySealer(publicPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey))],
])('refuses %s', (_what, build) => {
  expect(build).toThrow(expect.objectContaining({ code: 'SEALED_KEY_INVALID' }));
});
