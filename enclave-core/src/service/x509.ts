/**
 * X.509 certificates (RFC 5280), of which only what this service needs. `@peculiar/asn1-x509` builds the structures; keys and
 * signatures are Node's.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATIONAL_UNIT = '2.5.4.11';
/** ECDSA with the digest that fits the curve. */
const SIGNATURES = {
  prime256v1: { oid: '1.2.840.10045.4.3.2', digest: 'sha256' },
  secp384r1: { oid: '1.2.840.10045.4.3.3', digest: 'sha384' },
} as const;
/** Clients and peers whose clock is behind. */
const BACKDATED_MS = 86_400_000;

export type Subject = Readonly<{ commonName: string; organizationalUnit?: string }>;

export type CertificateContent = Readonly<{
  subject: Subject;
  publicKey: KeyObject;
  /** Unix ms; the certificate is valid from a day before. */
  fromMs: number;
  /** Unix ms, before 2050. */
  untilMs: number;
  extensions: readonly Extension[];
}>;

/** By whom: a certificate and its key; or the certificate is signed by the key that it is of. */
export type Issuer = Readonly<{ key: KeyObject; certificate?: string }>;

/** @returns PEM */
export function issueCertificate(content: CertificateContent, issuer: Issuer): string {
  const { oid, digest } = signatureOf(issuer.key);
  const algorithm = new AlgorithmIdentifier({ algorithm: oid });
  const parent = issuer.certificate === undefined ? undefined : parseCertificate(issuer.certificate);
  const subject = nameOf(content.subject);
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: parent?.tbsCertificate.subject ?? subject,
    subject,
    validity: new Validity({
      notBefore: new Date(content.fromMs - BACKDATED_MS),
      notAfter: new Date(content.untilMs),
    }),
    subjectPublicKeyInfo: spkiOf(content.publicKey),
    extensions: new Extensions([...content.extensions]),
  });
  const signature = sign(digest, new Uint8Array(AsnConvert.serialize(tbs)), issuer.key);
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: algorithm,
    signatureValue: Uint8Array.from(signature).buffer,
  });
  return pem('CERTIFICATE', Buffer.from(AsnConvert.serialize(certificate)));
}

function signatureOf(key: KeyObject): (typeof SIGNATURES)[keyof typeof SIGNATURES] {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1' || curve === 'secp384r1') return SIGNATURES[curve];
  throw new RangeError('certificates are signed by keys on P-256 or P-384');
}

const parseCertificate = (text: string): Certificate => AsnConvert.parse(new X509Certificate(text).raw, Certificate);

const spkiOf = (key: KeyObject): SubjectPublicKeyInfo => AsnConvert.parse(createPublicSpki(key), SubjectPublicKeyInfo);
const createPublicSpki = (key: KeyObject): Buffer =>
  (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'der' });

/** RFC 7093, method 1: the leftmost 160 bits of SHA-256 over the key's bits. */
function keyIdentifier(key: KeyObject): Buffer {
  const bits = new Uint8Array(spkiOf(key).subjectPublicKey);
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

const extension = (extnID: string, critical: boolean, value: object): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

/** `pathLength`: authorities that may follow below it; absent where it is no authority. */
export const basicConstraints = (pathLength?: number): Extension =>
  extension(
    id_ce_basicConstraints,
    true,
    new BasicConstraints(pathLength === undefined ? { cA: false } : { cA: true, pathLenConstraint: pathLength }),
  );

/** Bits of `KeyUsageFlags`. */
export const keyUsage = (flags: number): Extension => extension(id_ce_keyUsage, true, new KeyUsage(flags));

export const extendedKeyUsage = (purposes: readonly string[]): Extension =>
  extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([...purposes]));

/** DNS names and IP addresses. */
export const alternativeNames = (hosts: readonly string[]): Extension =>
  extension(id_ce_subjectAltName, false, new SubjectAlternativeName(hosts.map(hostName)));

export const subjectKey = (key: KeyObject): Extension =>
  extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyIdentifier(key)));

export const authorityKey = (key: KeyObject): Extension =>
  extension(
    id_ce_authorityKeyIdentifier,
    false,
    new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(key)) }),
  );

const hostName = (host: string): GeneralName =>
  new GeneralName(isIP(host) === 0 ? { dNSName: host } : { iPAddress: host });

function nameOf({ commonName, organizationalUnit }: Subject): Name {
  const attribute = (type: string, text: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  return new Name([
    ...(organizationalUnit === undefined ? [] : [attribute(ORGANIZATIONAL_UNIT, organizationalUnit)]),
    attribute(COMMON_NAME, commonName),
  ]);
}

/** 16 random bytes, positive and without a leading zero. */
function serialNumber(): ArrayBuffer {
  const bytes = Uint8Array.from(randomBytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.buffer;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
