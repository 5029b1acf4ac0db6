/**
 * A sealed body as queues carry it: AES-256-GCM content under a fresh content key, the key wrapped by RSA-OAEP-256
 * (SHA-256 for both hashes) to one recipient. Network and job id are associated data, so that a body cannot be moved
 * to another job. Sealing hides; it authenticates nobody. This module has the format; the ciphers come from whoever
 * seals or opens (`node:crypto` in the core, `node-rsa` in connectors).
 */
import { encode } from 'cborg';
import { type CborFormat, decodeCbor, demandCanonical } from './canonical-cbor.ts';
import type { NetworkId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

export const ENVELOPE_SUITE = 'RSA-OAEP-256+A256GCM';
/** Largest sealed body, in bytes, before base64. */
export const MAX_ENVELOPE_BYTES = 1_048_576;

export type EnvelopePurpose =
  | 'instruction'
  | 'evidence'
  | 'agent-command'
  | 'agent-reply'
  | 'agent-event'
  | 'agent-health';
/** What a body is bound to. */
export type EnvelopeContext = Readonly<{ purpose: EnvelopePurpose; network: NetworkId; jobId: string }>;

export type Envelope = Readonly<{
  /** SHA-256 of the recipient's public key (SPKI, DER). */
  recipient: Uint8Array;
  wrappedKey: Uint8Array;
  /** 12 bytes, drawn with the content key and used once. */
  nonce: Uint8Array;
  ciphertext: Uint8Array;
  /** 16 bytes. */
  tag: Uint8Array;
}>;

export const envelopeAssociatedData = (context: EnvelopeContext): Uint8Array =>
  encode(['drawbridge/envelope/1', ENVELOPE_SUITE, context.purpose, context.network, context.jobId]);

export const encodeEnvelope = (envelope: Envelope): Uint8Array =>
  encode([
    1,
    ENVELOPE_SUITE,
    envelope.recipient,
    envelope.wrappedKey,
    envelope.nonce,
    envelope.ciphertext,
    envelope.tag,
  ]);

const FORMAT: CborFormat = { what: 'sealed body', code: 'ENVELOPE_INVALID', maxBytes: MAX_ENVELOPE_BYTES };

/** @throws ProtocolError `ENVELOPE_INVALID` for anything but the canonical bytes of one envelope. */
export function decodeEnvelope(input: Uint8Array): Envelope {
  const refuse = (why: string): never => {
    throw new ProtocolError('ENVELOPE_INVALID', `sealed body ${why}`);
  };
  const value = decodeCbor(input, FORMAT);
  if (!Array.isArray(value) || value.length !== 7) return refuse('must be a list of 7');
  const [version, suite, ...parts] = value as unknown[];
  if (version !== 1 || suite !== ENVELOPE_SUITE) return refuse('has an unknown version or suite');
  const [recipient, wrappedKey, nonce, ciphertext, tag] = parts.map((part) =>
    part instanceof Uint8Array ? part : refuse('has a part that is not bytes'),
  );
  if (!recipient || !wrappedKey || !nonce || !ciphertext || !tag) return refuse('is incomplete');
  if (recipient.length !== 32 || nonce.length !== 12 || tag.length !== 16) return refuse('has a part of wrong length');
  const envelope: Envelope = { recipient, wrappedKey, nonce, ciphertext, tag };
  demandCanonical(input, encodeEnvelope(envelope), FORMAT);
  return envelope;
}
