/**
 * The bytes under a signature of Corda: `SignableData(txId, SignatureMetadata(platformVersion, schemeNumberID))` in Corda's AMQP,
 * with the schema that Corda 4 writes. They are made here, never taken from the evidence.
 *
 * Platform version and scheme are Java `int`s: AMQP 1.0 §1.6.10 has a short form of two bytes for -128 to 127 and a long one of
 * five, and Proton takes the short one where it fits. So 127 and 128 differ by three bytes in every length around them.
 */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** `platformVersion`: 1 to 2^31 - 1. `scheme`: 1 to 127. */
export type SignatureMetadata = Readonly<{ platformVersion: number; scheme: number }>;

const NULL = Uint8Array.of(0x40);
const TRUE = Uint8Array.of(0x41);
const FALSE = Uint8Array.of(0x42);
const EMPTY_LIST = Uint8Array.of(0x45);
const EMPTY_MAP = Uint8Array.of(0xc1, 1, 0);
const HEADER = concatBytes(utf8ToBytes('corda'), Uint8Array.of(1, 0, 0));
const MAX_SHORT = 255;

/** Types of Corda's envelope by the last byte of their descriptor (`AMQPDescriptorRegistry.kt`). */
const ENVELOPE = 1;
const SCHEMA = 2;
const DESCRIPTOR = 3;
const FIELD = 4;
const COMPOSITE = 5;
const TRANSFORMS = 9;

function be32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
const text = (value: string): Uint8Array => concatBytes(Uint8Array.of(0xa1, value.length), utf8ToBytes(value));
const symbol = (value: string): Uint8Array => concatBytes(Uint8Array.of(0xa3, value.length), utf8ToBytes(value));
const int = (value: number): Uint8Array =>
  value <= 127 ? Uint8Array.of(0x54, value) : concatBytes(Uint8Array.of(0x71), be32(value));

/** The size counts what follows it, the count of items included. */
function list(...items: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...items);
  return body.length + 1 <= MAX_SHORT
    ? concatBytes(Uint8Array.of(0xc0, body.length + 1, items.length), body)
    : concatBytes(Uint8Array.of(0xd0), be32(body.length + 4), be32(items.length), body);
}
const described = (descriptor: Uint8Array, value: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0), descriptor, value);
const ofEnvelope = (type: number, value: Uint8Array): Uint8Array =>
  described(Uint8Array.of(0x80, 0xc5, 0x62, 0, 0, 0, 0, 0, type), value);

const SIGNABLE_DATA = symbol('net.corda:MYA9jrnNdlQaaX06oEsmxA==');
const METADATA = symbol('net.corda:IzFt8cRKytsJq3vQ+yjsGg==');
const SECURE_HASH = symbol('net.corda:b79PeMBLsHxu2A23yDYRaA==');
const SHA256 = symbol('net.corda:7YZSUU3tC6YvtX33Klo9Jg==');

/** A mandatory property; a primitive number has a default in the schema. */
const field = (name: string, type: string): Uint8Array =>
  ofEnvelope(FIELD, list(text(name), text(type), EMPTY_LIST, type === 'int' ? text('0') : NULL, NULL, TRUE, FALSE));
const composite = (name: string, descriptor: Uint8Array, ...fields: readonly Uint8Array[]): Uint8Array =>
  ofEnvelope(
    COMPOSITE,
    list(text(name), NULL, EMPTY_LIST, ofEnvelope(DESCRIPTOR, list(descriptor, NULL)), list(...fields)),
  );

const SCHEMA_BYTES = ofEnvelope(
  SCHEMA,
  list(
    list(
      composite(
        'net.corda.core.crypto.SignableData',
        SIGNABLE_DATA,
        field('signatureMetadata', 'net.corda.core.crypto.SignatureMetadata'),
        field('txId', 'net.corda.core.crypto.SecureHash'),
      ),
      composite(
        'net.corda.core.crypto.SignatureMetadata',
        METADATA,
        field('platformVersion', 'int'),
        field('schemeNumberID', 'int'),
      ),
      composite(
        'net.corda.core.crypto.SecureHash',
        SECURE_HASH,
        field('bytes', 'binary'),
        field('offset', 'int'),
        field('size', 'int'),
      ),
      composite('net.corda.core.crypto.SecureHash$SHA256', SHA256, field('bytes', 'binary')),
    ),
  ),
);
const TRANSFORMS_BYTES = ofEnvelope(TRANSFORMS, EMPTY_MAP);

function written(hash: Uint8Array, { platformVersion, scheme }: SignatureMetadata): Uint8Array {
  const metadata = described(METADATA, list(int(platformVersion), int(scheme)));
  const hashed = described(SHA256, list(concatBytes(Uint8Array.of(0xa0, hash.length), hash)));
  const data = described(SIGNABLE_DATA, list(metadata, hashed));
  return concatBytes(HEADER, ofEnvelope(ENVELOPE, list(data, SCHEMA_BYTES, TRANSFORMS_BYTES)));
}

/** The bytes over a hash of zeros, and where it stands. */
type Form = Readonly<{ bytes: Uint8Array; at: number }>;

const HASH_BYTES = 32;
/** A network's nodes have one version, or a few. */
const MAX_FORMS = 64;
/** By version and scheme. What is remembered is a function of both alone. */
const forms = new Map<string, Form>();

function formOf(metadata: SignatureMetadata): Form {
  const name = `${metadata.platformVersion}/${metadata.scheme}`;
  const known = forms.get(name);
  if (known !== undefined) return known;
  const bytes = written(new Uint8Array(HASH_BYTES), metadata);
  const other = written(new Uint8Array(HASH_BYTES).fill(1), metadata);
  const form: Form = { bytes, at: bytes.findIndex((byte, i) => byte !== other[i]) };
  if (forms.size >= MAX_FORMS) forms.clear();
  forms.set(name, form);
  return form;
}

/** `hash`: 32 bytes, the id of a transaction or the root of a batch. 999 bytes up to platform version 127, 1,002 above. */
export function signableBytes(hash: Uint8Array, { platformVersion, scheme }: SignatureMetadata): Uint8Array {
  const { bytes, at } = formOf({ platformVersion, scheme });
  const signable = Uint8Array.from(bytes);
  signable.set(hash, at);
  return signable;
}
