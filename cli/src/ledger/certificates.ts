/**
 * Certificates of nodes, held against the one of the service that the user pins: issued by it (RFC 5280 names, key identifiers,
 * usage, path length), by an EC P-384 key whose SHA-256 is the node's id. When they are valid is asked apart: a signature of the
 * past stays one, but nobody takes an expired node's word today.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';
import { CliError } from '../cli-error.ts';
import { reasonOf } from '../input-file.ts';
import { sha256 } from './sha256.ts';

/** What a certificate says, as far as it matters here. */
type Reading = Readonly<{
  x509: X509Certificate;
  authority: boolean;
  /** Most authorities below it; undefined: any number. */
  pathLength: number | undefined;
  /** Bits of `KeyUsageFlags`; 0 without the extension. */
  usage: number;
  organizationalUnits: readonly string[];
  fromMs: number;
  toMs: number;
}>;

export type ServiceCertificate = Reading & Readonly<{ fingerprint: string }>;

export type NodeCertificate = Readonly<{
  nodeId: NodeId;
  /** From its subject: `OU=platform <name>`. */
  platform: string;
  publicKey: KeyObject;
  /** Uncompressed point, 97 bytes. */
  point: Uint8Array;
  /** Of itself and those between it and the service's, that included. */
  validity: readonly Validity[];
}>;
export type Validity = Readonly<{ subject: string; fromMs: number; toMs: number }>;

/** `ok: false`: what is wrong with it, in words. */
export type CertificateVerdict =
  | Readonly<{ ok: true; certificate: NodeCertificate }>
  | Readonly<{ ok: false; code: CertificateFaultCode; detail: string }>;
export type CertificateFaultCode =
  | 'CERTIFICATE_FORM'
  | 'CERTIFICATE_ISSUER'
  | 'CERTIFICATE_USAGE'
  | 'CERTIFICATE_KEY'
  | 'CERTIFICATE_PLATFORM';

const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_ce_authorityKeyIdentifier,
]);
const ORGANIZATIONAL_UNIT = '2.5.4.11';
const PLATFORM_PREFIX = 'platform ';
const CURVE = 'secp384r1';

/** @throws CliError `FILE` where it is no certificate that could be pinned */
export function readServiceCertificate(pem: string, path: string): ServiceCertificate {
  const wrong = (why: string, cause?: unknown): CliError =>
    new CliError('FILE', `${path} is no certificate of a service: ${why}`, { cause });
  if (pem.split('-----BEGIN CERTIFICATE-----').length !== 2) throw wrong('it must hold one certificate in PEM');
  let reading: Reading;
  try {
    reading = readCertificate(pem);
  } catch (cause) {
    throw wrong(reasonOf(cause), cause);
  }
  const { x509, authority, usage } = reading;
  if (!authority || (usage & KeyUsageFlags.keyCertSign) === 0) throw wrong('it may not issue certificates');
  if (!x509.checkIssued(x509) || !x509.verify(x509.publicKey)) throw wrong('it is not signed by itself');
  return { ...reading, fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase() };
}

/**
 * A node's certificate and what leads from it to the service's.
 * @param endorsements of services in between, the one that issued the node's first
 */
export function judgeNodeCertificate(
  pem: string,
  service: ServiceCertificate,
  endorsements: readonly string[] = [],
): CertificateVerdict {
  let node: Reading;
  let between: readonly Reading[];
  try {
    node = readCertificate(pem);
    between = endorsements.map(readCertificate);
  } catch (cause) {
    return { ok: false, code: 'CERTIFICATE_FORM', detail: `a certificate cannot be read: ${reasonOf(cause)}` };
  }
  const chain = [node, ...between, service];
  return judgeChain(chain) ?? judgeNode(node, chain);
}

function judgeChain(chain: readonly Reading[]): CertificateVerdict | undefined {
  for (const [index, issuer] of chain.entries()) {
    const issued = chain[index - 1];
    if (issued === undefined) continue;
    if (!issuer.authority || (issuer.usage & KeyUsageFlags.keyCertSign) === 0) {
      return fault('CERTIFICATE_USAGE', `${nameOf(issuer)} may not issue certificates`);
    }
    // Between this issuer and the node stand `index - 1` authorities.
    if (issuer.pathLength !== undefined && index - 1 > issuer.pathLength) {
      return fault('CERTIFICATE_USAGE', `${nameOf(issuer)} may not have so many authorities below it`);
    }
    if (!issued.x509.checkIssued(issuer.x509) || !issued.x509.verify(issuer.x509.publicKey)) {
      return fault('CERTIFICATE_ISSUER', `the certificate of ${nameOf(issued)} was not issued by ${nameOf(issuer)}`);
    }
  }
  return undefined;
}

function judgeNode(node: Reading, chain: readonly Reading[]): CertificateVerdict {
  if (node.authority || (node.usage & KeyUsageFlags.keyCertSign) !== 0) {
    return fault('CERTIFICATE_USAGE', 'a node may not issue certificates, but this one could');
  }
  if ((node.usage & KeyUsageFlags.digitalSignature) === 0) {
    return fault('CERTIFICATE_USAGE', 'the certificate of the node is not for signatures');
  }
  const { publicKey } = node.x509;
  if (publicKey.asymmetricKeyType !== 'ec' || publicKey.asymmetricKeyDetails?.namedCurve !== CURVE) {
    return fault('CERTIFICATE_KEY', 'the key of the node is not on P-384');
  }
  const platforms = node.organizationalUnits.filter((unit) => unit.startsWith(PLATFORM_PREFIX));
  const [platform] = platforms;
  if (platform === undefined || platforms.length > 1) {
    return fault('CERTIFICATE_PLATFORM', 'the certificate of the node does not name one platform');
  }
  return {
    ok: true,
    certificate: {
      nodeId: nodeIdOf(publicKey),
      platform: platform.slice(PLATFORM_PREFIX.length),
      publicKey,
      point: pointOf(publicKey),
      validity: chain.map(({ fromMs, toMs, ...reading }) => ({ subject: nameOf(reading), fromMs, toMs })),
    },
  };
}

/** What of a node's chain is not valid at a time; undefined: all is. */
export function invalidAt({ validity }: Pick<NodeCertificate, 'validity'>, atMs: number): string | undefined {
  for (const { subject, fromMs, toMs } of validity) {
    if (atMs < fromMs) return `the certificate of ${subject} is valid only from ${new Date(fromMs).toISOString()} on`;
    if (atMs > toMs) return `the certificate of ${subject} expired at ${new Date(toMs).toISOString()}`;
  }
  return undefined;
}

const fault = (code: CertificateFaultCode, detail: string): CertificateVerdict => ({ ok: false, code, detail });

/** On one line. */
export const nameOf = ({ x509 }: Pick<Reading, 'x509'>): string => x509.subject.replaceAll('\n', ', ');

const nodeIdOf = (publicKey: KeyObject): NodeId =>
  parseNodeId(Buffer.from(sha256(publicKey.export({ type: 'spki', format: 'der' }))).toString('hex'));

function pointOf(publicKey: KeyObject): Uint8Array {
  const { x, y } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]);
}

/** @throws Error of whichever library could not read it */
function readCertificate(pem: string): Reading {
  const x509 = new X509Certificate(pem);
  const { subject, validity, extensions } = AsnConvert.parse(x509.raw, Certificate).tbsCertificate;
  let constraints: BasicConstraints | undefined;
  let usage = 0;
  const seen = new Set<string>();
  for (const { extnID, critical, extnValue } of extensions ?? []) {
    if (seen.has(extnID)) throw new Error(`extension ${extnID} stands twice`);
    seen.add(extnID);
    if (critical && !KNOWN_EXTENSIONS.has(extnID)) throw new Error(`critical extension ${extnID} is unknown`);
    if (extnID === id_ce_basicConstraints) constraints = AsnConvert.parse(extnValue.buffer, BasicConstraints);
    if (extnID === id_ce_keyUsage) usage = AsnConvert.parse(extnValue.buffer, KeyUsage).toNumber();
  }
  return {
    x509,
    authority: constraints?.cA ?? false,
    pathLength: constraints?.pathLenConstraint,
    usage,
    organizationalUnits: subject.flatMap((name) =>
      name.filter(({ type }) => type === ORGANIZATIONAL_UNIT).map(({ value }) => value.toString()),
    ),
    fromMs: validity.notBefore.getTime().getTime(),
    toMs: validity.notAfter.getTime().getTime(),
  };
}
