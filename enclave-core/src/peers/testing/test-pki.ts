/** A throw-away service and its nodes: P-384 certificates as the real ones are. Tests and measurements only. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import * as x509 from '@peculiar/x509';
import { identityNodeId } from '../peer-tls.ts';
import type { PeerIdentity } from '../peer-types.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
const DAY_MS = 86_400_000;
const SERVICE_NAME = 'CN=Test service';

type KeyPair = webcrypto.CryptoKeyPair;
export type TestIdentity = PeerIdentity & Readonly<{ key: string; nodeId: NodeId }>;

type Validity = Readonly<{ fromMs?: number; toMs?: number }>;
type NodeOptions = Validity &
  Readonly<{
    /** Instead of the service's key. */
    signer?: KeyPair;
    /** Instead of the service's name. */
    issuer?: string;
    /** Instead of new ones. */
    keys?: KeyPair;
  }>;

export class TestService {
  /** PEM. */
  readonly certificate: string;
  readonly #keys: KeyPair;

  private constructor(certificate: string, keys: KeyPair) {
    this.certificate = certificate;
    this.#keys = keys;
  }

  static async create(): Promise<TestService> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...period({}),
      serialNumber: '01',
      name: SERVICE_NAME,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestService(certificate.toString('pem'), keys);
  }

  /** A node with an endorsed certificate, unless the options spoil it. */
  async node(options: NodeOptions = {}): Promise<TestIdentity> {
    const keys = options.keys ?? (await newKeys());
    const certificate = await x509.X509CertificateGenerator.create({
      ...period(options),
      ...nodeCertificate(keys),
      issuer: options.issuer ?? SERVICE_NAME,
      signingKey: (options.signer ?? this.#keys).privateKey,
    });
    return identity(certificate, keys);
  }
}

/** A node as it is before it joined: its certificate is signed by itself. */
export async function selfSigned(keys?: KeyPair, validity: Validity = {}): Promise<TestIdentity> {
  const own = keys ?? (await newKeys());
  const { subject, ...parameters } = nodeCertificate(own);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...parameters,
    ...period(validity),
    name: subject,
    keys: own,
  });
  return identity(certificate, own);
}

export async function newKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

type NodeCertificate = Pick<
  x509.X509CertificateCreateWithKeyParams,
  'serialNumber' | 'publicKey' | 'signingAlgorithm' | 'extensions'
> &
  Readonly<{ subject: string }>;

function nodeCertificate({ publicKey }: KeyPair): NodeCertificate {
  return {
    serialNumber: '02',
    subject: 'CN=node',
    publicKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
    ],
  };
}

function period({ fromMs = Date.now() - DAY_MS, toMs = Date.now() + DAY_MS }: Validity): {
  notBefore: Date;
  notAfter: Date;
} {
  return { notBefore: new Date(fromMs), notAfter: new Date(toMs) };
}

async function identity(certificate: x509.X509Certificate, { privateKey }: KeyPair): Promise<TestIdentity> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const body = pkcs8.match(/.{1,64}/g)?.join('\n') ?? '';
  const pem = {
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    certificate: certificate.toString('pem'),
  };
  return { ...pem, nodeId: identityNodeId(pem) };
}
