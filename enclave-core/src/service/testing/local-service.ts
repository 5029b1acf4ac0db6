/**
 * A service of one network with two banks, for tests and benchmarks of the whole core: its folder, its genesis, everybody's
 * certificates, and a chain that exists only as what three observers sign.
 */
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { signingObserver } from '@drawbridge/evidence/testing/ed25519-keys';
import {
  LOCK_LOG,
  OBSERVER_IDS,
  observerRoot,
  type SigningObserver,
  signedLock,
} from '@drawbridge/evidence/testing/observed-lock';
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { sealBody } from '../../relay/sealed-body.ts';
import { createService, type PublicIdentity } from '../create-service.ts';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';

/** LEIs with right check digits. */
export const BANK_A = '529900T8BM49AURSDO55';
export const BANK_B = '7LTWFZYICNSX8D621K86';
export const NETWORK = 'alpha' as NetworkId;
const ADDRESS = `0x${'ab'.repeat(20)}`;
const SIGNERS = [1, 2, 3].map(signingObserver);

export type Who = 'bankA' | 'bankB' | 'relay';
export type LocalService = Readonly<{
  dir: string;
  genesisFile: string;
  identity: PublicIdentity;
  /** The key that signs amendments, alone. */
  bootstrap: SigningObserver;
  clients: Readonly<Record<Who, ClientCertificate>>;
}>;

const word = (name: string): Bytes32 => toBytes32(createHash('sha256').update(name).digest());
const fingerprint = ({ certificate }: ClientCertificate): Bytes32 =>
  toBytes32(createHash('sha256').update(new X509Certificate(certificate).raw).digest());

/** Makes the service in `dir`, and its genesis file in `root`. `nodes`: keys of others that may join it. */
export async function makeLocalService(
  dir: string,
  root: string,
  nodes: readonly NodeId[] = [],
): Promise<LocalService> {
  const identity = await createService({ dir, vaults: [`${NETWORK}/EUR`], nowMs: Date.now() });
  return localServiceOf({ identity, dir, root, nodes });
}

/** The same around a service that was made in `dir` already, with the vault `alpha/EUR`. */
export async function localServiceOf(
  made: Readonly<{ identity: PublicIdentity; dir: string; root: string; nodes: readonly NodeId[] }>,
): Promise<LocalService> {
  const { identity, dir, root, nodes } = made;
  const clients = {
    bankA: clientCertificate('bank A'),
    bankB: clientCertificate('bank B'),
    relay: clientCertificate('relay'),
  };
  const genesisFile = join(root, 'genesis.json');
  await writeFile(genesisFile, JSON.stringify({ ...genesisOf(identity, clients), ...(nodes.length > 0 && { nodes }) }));
  const [bootstrap] = SIGNERS;
  if (!bootstrap) throw new Error('genesis names its key');
  return { dir, genesisFile, identity, bootstrap, clients };
}

function genesisOf(identity: PublicIdentity, clients: LocalService['clients']): object {
  const { threshold, depthBlocks, genesisHash } = observerRoot(SIGNERS);
  const sealing = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const participant = (id: string, role: string, certificates: readonly string[], more: object = {}) => ({
    id,
    role,
    name: `Canary ${id}`,
    certificates,
    ...more,
  });
  const bank = (id: string, own: ClientCertificate, bic: string) =>
    participant(id, 'bank', [fingerprint(own)], { lei: id, bic });
  return {
    version: 1,
    serviceId: identity.serviceId,
    bootstrap: { keys: [SIGNERS[0]?.publicKey], threshold: 1 },
    assets: [{ code: 'EUR', scale: 2 }],
    participants: [
      bank(BANK_A, clients.bankA, 'AAAADEFF'),
      bank(BANK_B, clients.bankB, 'BBBBDEFF'),
      participant('relay', 'relay', [fingerprint(clients.relay)]),
      participant('connector-1', 'connector', [word('certificate of the connector')], {
        sealingKey: sealing.export({ type: 'spki', format: 'pem' }),
      }),
      ...SIGNERS.map((_, i) =>
        participant(OBSERVER_IDS[i] ?? '', 'observer', [], { attestationKey: signingObserver(11 + i).publicKey }),
      ),
    ],
    networks: [
      {
        id: NETWORK,
        kind: 'evm',
        chainId: 7,
        genesisHash,
        finality: { rule: 'observers', observers: OBSERVER_IDS, threshold, depthBlocks },
        connectors: ['connector-1'],
      },
    ],
    vaults: [
      {
        network: NETWORK,
        asset: 'EUR',
        mode: 'escrow',
        address: LOCK_LOG.address,
        authority: identity.authorities[`${NETWORK}/EUR`],
        fromBlock: 1,
      },
    ],
    exposureCaps: [{ network: NETWORK, asset: 'EUR', amountMinor: '1000000000000000' }],
  };
}

export type Answer = Readonly<{ status: number; body: unknown; transactionId: string | undefined }>;

/** One participant's connections to a running core. */
export class Client {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(url: string, service: LocalService, who: Who, maxSockets = 64) {
    this.#url = new URL(url);
    const { key, certificate } = service.clients[who];
    const ca = service.identity.serviceCertificate;
    this.#agent = new Agent({ keepAlive: true, maxSockets, minVersion: 'TLSv1.3', ca, cert: certificate, key });
  }

  /** Rejects where the connection breaks before there is an answer. */
  send(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.#url), { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answered = Buffer.concat(chunks).toString('utf8');
          const transactionId = response.headers[TRANSACTION_ID_HEADER];
          resolve({
            status: response.statusCode ?? 0,
            body: answered === '' ? undefined : (JSON.parse(answered) as unknown),
            transactionId: typeof transactionId === 'string' ? transactionId : undefined,
          });
        });
      });
      call.on('error', reject);
      call.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * Gives bank A money as a deposit would: a transfer to itself, a lock that observers vouch for, evidence by the relay.
 * `seq`: the vault's counter, 1 for the first deposit.
 */
export async function depositToBankA(
  service: LocalService,
  { bank, relay }: Readonly<{ bank: Client; relay: Client }>,
  { id, amountMinor, seq }: Readonly<{ id: string; amountMinor: bigint; seq: number }>,
): Promise<void> {
  const terms = {
    id,
    asset: 'EUR',
    amountMinor: amountMinor.toString(),
    creditor: BANK_A,
    source: { network: NETWORK, depositor: ADDRESS },
    fundBy: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const submitted = await bank.send('POST', '/v1/transfers', terms);
  if (submitted.status !== 201) throw new Error(`deposit refused: ${JSON.stringify(submitted.body)}`);
  const reference = referenceIn(submitted.body);
  const number = (value: bigint): string => value.toString(16).padStart(64, '0');
  const log = {
    ...LOCK_LOG,
    topics: [...LOCK_LOG.topics.slice(0, 1), `0x${number(BigInt(seq))}` as Bytes32, word(`lock ${seq}`), reference],
    data: `0x${number(BigInt(ADDRESS))}${number(amountMinor)}` as const,
  };
  const signers = [11, 12, 13].map(signingObserver);
  const root = { ...observerRoot(signers), serviceId: service.identity.serviceId };
  const evidence = encodeObserverEvidence(signedLock(signers, root, { log }));
  const jobId = word(`evidence ${seq}`).slice(2);
  const recipient = createPublicKey(service.identity.sealingKey);
  const sealed = sealBody(recipient, { purpose: 'evidence', network: NETWORK, jobId }, evidence);
  const items = [{ jobId, sealed: Buffer.from(sealed).toString('base64') }];
  const accepted = await relay.send('POST', '/v1/relay/evidence', { network: NETWORK, items });
  if (!JSON.stringify(accepted.body).includes('"accepted"')) {
    throw new Error(`evidence refused: ${JSON.stringify(accepted.body)}`);
  }
}

/** The 32-byte reference that the answer to a sourced transfer tells its bank to lock with. */
function referenceIn(body: unknown): Bytes32 {
  const found = /"reference":"(0x[0-9a-f]{64})"/.exec(JSON.stringify(body))?.[1];
  if (found === undefined) throw new Error('the answer names no reference');
  return found as Bytes32;
}
