/**
 * Keys and signatures of the three schemes that are verified, as Corda numbers them: 2 ECDSA secp256k1 and 3 ECDSA secp256r1,
 * both over SHA-256 with DER signatures, and 4 Ed25519. What is accepted is decided here, before any library is asked, so that
 * every node finds the same.
 *
 * A key has one encoding: the SubjectPublicKeyInfo that Corda writes, points of ECDSA uncompressed. A signature of ECDSA must be
 * strict DER (X.690 §8.3, §10.1) with r and s from 1 to the order less 1. Either s will do: Corda signs with Bouncy Castle,
 * which makes high ones as well, and nothing here is named by a signature.
 */
import { fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import { sameBytes } from './corda-merkle.ts';

export const ECDSA_SECP256K1 = 2;
export const ECDSA_SECP256R1 = 3;
export const ED25519 = 4;
export type CordaScheme = typeof ECDSA_SECP256K1 | typeof ECDSA_SECP256R1 | typeof ED25519;

/** `spki`: the whole DER; `hex`: the same, to compare by. */
export type CordaKey = Readonly<{ scheme: CordaScheme; spki: Uint8Array; hex: Hex }>;

/** Must answer false, not throw, for a key that is no point or a signature that is malformed. */
export type CordaSignatureVerifier = (key: CordaKey, message: Uint8Array, signature: Uint8Array) => boolean;

type KeyForm = Readonly<{ scheme: CordaScheme; prefix: Uint8Array; bytes: number }>;

/** All of the DER before the point: every field in it is constant. RFC 5480 §2, SEC 2 §A.2, RFC 8410 §4. */
const KEY_FORMS: readonly KeyForm[] = [
  { scheme: ECDSA_SECP256K1, prefix: fromHex('3056301006072a8648ce3d020106052b8104000a03420004'), bytes: 88 },
  { scheme: ECDSA_SECP256R1, prefix: fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'), bytes: 91 },
  { scheme: ED25519, prefix: fromHex('302a300506032b6570032100'), bytes: 44 },
];

/** `undefined` for anything but the one encoding of a key of the three schemes. Whether it is a point, the verifier finds. */
export function parseCordaKey(spki: Uint8Array): CordaKey | undefined {
  const form = KEY_FORMS.find(({ prefix, bytes }) => {
    return spki.length === bytes && sameBytes(spki.subarray(0, prefix.length), prefix);
  });
  return form === undefined ? undefined : { scheme: form.scheme, spki, hex: toHex(spki) };
}

/** Orders of the curves, big-endian. SEC 2 §2.4.1 and §2.4.2. */
const ORDERS: Readonly<Record<typeof ECDSA_SECP256K1 | typeof ECDSA_SECP256R1, Uint8Array>> = {
  [ECDSA_SECP256K1]: fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'),
  [ECDSA_SECP256R1]: fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
};
const ED25519_SIGNATURE_BYTES = 64;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const SCALAR_BYTES = 32;

/** Whether a signature has the one form that its scheme allows. Says nothing of whether it is right. */
export function isStrictSignature(scheme: CordaScheme, signature: Uint8Array): boolean {
  if (scheme === ED25519) return signature.length === ED25519_SIGNATURE_BYTES;
  return isStrictDer(signature, ORDERS[scheme]);
}

function isStrictDer(signature: Uint8Array, order: Uint8Array): boolean {
  if (signature[0] !== SEQUENCE || signature[1] !== signature.length - 2) return false;
  const r = integerAt(signature, 2);
  if (r === undefined || !isScalar(r, order)) return false;
  const s = integerAt(signature, 4 + r.length);
  if (s === undefined || !isScalar(s, order)) return false;
  return 6 + r.length + s.length === signature.length;
}

/** The content of the DER integer that begins at `at`, or `undefined` when there is none. */
function integerAt(signature: Uint8Array, at: number): Uint8Array | undefined {
  const length = signature[at + 1];
  if (signature[at] !== INTEGER || length === undefined) return undefined;
  const content = signature.subarray(at + 2, at + 2 + length);
  return content.length === length ? content : undefined;
}

/** Whether the content is the shortest form of a number from 1 to `order` less 1. */
function isScalar(content: Uint8Array, order: Uint8Array): boolean {
  const first = content[0];
  if (first === undefined || first >= 0x80) return false;
  const padded = first === 0;
  if (padded && (content[1] ?? 0) < 0x80) return false;
  const digits = padded ? content.subarray(1) : content;
  return digits.length < SCALAR_BYTES || (digits.length === SCALAR_BYTES && isBelow(digits, order));
}

/** Equal numbers differ at no place, and 0 is not below 0. */
function isBelow(number: Uint8Array, bound: Uint8Array): boolean {
  const at = number.findIndex((byte, i) => byte !== bound[i]);
  return (number[at] ?? 0) < (bound[at] ?? 0);
}
