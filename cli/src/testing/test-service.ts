/** Throw-away keys and certificates of a service and its nodes, by @peculiar/x509: P-384, with what newer verifiers insist on. */
import 'reflect-metadata';
import { createHash, KeyObject, webcrypto } from 'node:crypto';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import type { NodeRow } from '@drawbridge/protocol/ledger/service-entry';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
const DAY_MS = 86_400_000;

type Keys = Awaited<ReturnType<typeof newKeys>>;
const newKeys = (namedCurve: string = ALGORITHM.namedCurve) =>
  webcrypto.subtle.generateKey({ ...ALGORITHM, namedCurve }, true, ['sign', 'verify']);

/** A node with its private key. */
export type TestNode = Readonly<{ nodeId: NodeId; key: KeyObject; certificate: string; row: NodeRow }>;

/** How a node's certificate differs from a good one. */
export type NodeCertificateOptions = Readonly<{
  raftId?: number;
  platform?: string;
  fromMs?: number;
  toMs?: number;
  authority?: boolean;
  usages?: x509.KeyUsageFlags;
  namedCurve?: 'P-256' | 'P-384';
  /** Issues it, instead of the service itself. */
  issuer?: TestAuthority;
  /** OID of a critical extension that nobody knows. */
  critical?: string;
  /** Units in its subject, instead of the one of its platform. */
  units?: string;
}>;

/** A certificate that may issue others, and its key. */
export type TestAuthority = Readonly<{ certificate: x509.X509Certificate; pem: string; keys: Keys }>;

export class TestService {
  readonly serviceId: Bytes32;
  readonly authority: TestAuthority;

  private constructor(authority: TestAuthority) {
    this.authority = authority;
    this.serviceId = toBytes32(createHash('sha256').update(authority.pem).digest());
  }

  static async create(): Promise<TestService> {
    return new TestService(await newAuthority('Drawbridge test service'));
  }

  /** PEM, to be pinned. */
  get certificate(): string {
    return this.authority.pem;
  }

  async node(options: NodeCertificateOptions = {}): Promise<TestNode> {
    const keys = await newKeys(options.namedCurve);
    const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
    const nodeId = parseNodeId(createHash('sha256').update(spki).digest('hex'));
    const { platform = 'virtual', raftId = 1 } = options;
    const certificate = await nodeCertificate(keys, nodeId, options.issuer ?? this.authority, options);
    const row: NodeRow = {
      raftId,
      nodeId,
      certificate,
      encryptionKey: '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n',
      peerAddress: `127.0.0.1:${9_000 + raftId}`,
      apiAddress: `127.0.0.1:${8_000 + raftId}`,
      platform,
      versions: [1],
      life: NO_LIFE,
    };
    return { nodeId, key: KeyObject.from(keys.privateKey), certificate, row };
  }
}

/** By itself, or by `issuer` to be an authority between it and nodes. */
export async function newAuthority(name: string, issuer?: TestAuthority): Promise<TestAuthority> {
  const keys = await newKeys();
  const parameters = {
    serialNumber: Buffer.from(name).toString('hex').slice(0, 16),
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((issuer?.keys ?? keys).publicKey),
    ],
  };
  const certificate = issuer
    ? await x509.X509CertificateGenerator.create({
        ...parameters,
        subject: `CN=${name}`,
        issuer: issuer.certificate.subject,
        publicKey: keys.publicKey,
        signingKey: issuer.keys.privateKey,
      })
    : await x509.X509CertificateGenerator.createSelfSigned({ ...parameters, name: `CN=${name}`, keys });
  return { certificate, pem: `${certificate.toString('pem')}\n`, keys };
}

async function nodeCertificate(
  keys: Keys,
  nodeId: NodeId,
  issuer: TestAuthority,
  options: NodeCertificateOptions,
): Promise<string> {
  const { platform = 'virtual', authority = false, usages = x509.KeyUsageFlags.digitalSignature } = options;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: nodeId.slice(0, 14),
    notBefore: new Date(options.fromMs ?? Date.now() - DAY_MS),
    notAfter: new Date(options.toMs ?? Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    subject: `CN=${nodeId}${options.units ?? `, OU=platform ${platform}`}`,
    issuer: issuer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...(options.critical === undefined
        ? []
        : [new x509.Extension(options.critical, true, Buffer.from('0500', 'hex'))]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
