/** The joining side: asks the nodes of a service for a place, checks what it is answered, and keeps it. */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { digestOfGenesis } from '@drawbridge/protocol/ledger/service-entry';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import type { NodeLog } from '../node-log.ts';
import { codeOf, PeerError } from '../peers/peer-error.ts';
import type { PeerIdentity } from '../peers/peer-types.ts';
import type { Platform } from '../platform/platform.ts';
import { writeGenesis } from './genesis-snapshot.ts';
import {
  type Admission,
  decodeJoinAnswer,
  encodeJoinRequest,
  type JoinAnswer,
  type JoinRequest,
  MAX_JOIN_ANSWER_BYTES,
} from './join-message.ts';
import { selfSignedCertificate } from './node-certificate.ts';
import { discardData, forgetPlace, type OpenedNode, type Place, savePlace, setDataAside } from './node-folder.ts';
import { ServiceError } from './service-error.ts';

/** Pause after every address was asked, and how long one may take to answer. */
const RETRY_MS = 500;
const ATTEMPT_TIMEOUT_MS = 20_000;
const DEFAULT_PATIENCE_MS = 60_000;
/** Addresses to ask. */
export const MAX_SEEDS = 64;

/** As `peers/request-join.ts` has it. @throws PeerError */
export type RequestJoin = (
  target: Readonly<{
    address: string;
    identity: PeerIdentity;
    serviceCertificate: string;
    limits: Readonly<{ maxAnswerBytes: number }>;
  }>,
  body: Uint8Array,
  options: Readonly<{ timeoutMs: number }>,
) => Promise<Uint8Array>;

/** What a node says of itself. */
export type SelfDescription = Readonly<{
  peerAddress: string;
  apiAddress: string;
  hosts: readonly string[];
  platform: Platform;
  versions: readonly number[];
  /** Of this process. */
  life: NodeLife;
}>;

export type AskOptions = SelfDescription &
  Readonly<{
    /** PEM, as the operator gave it: nothing else is trusted. */
    serviceCertificate: string;
    /** host:port of nodes of the service. */
    addresses: readonly string[];
    /** How long to go on asking; default 60 s. */
    patienceMs?: number;
    /** How long one node may take to answer; default 20 s. */
    attemptTimeoutMs?: number;
  }>;

export type AskDependencies = Readonly<{
  requestJoin: RequestJoin;
  log: NodeLog;
  /** Unix ms. */
  nowMs: () => number;
  /** Default: a timer. */
  sleep?: (ms: number) => Promise<void>;
}>;

export const joinRequest = (
  { identity, place }: Pick<OpenedNode, 'identity' | 'place'>,
  { peerAddress, apiAddress, hosts, platform, versions, life }: SelfDescription,
): JoinRequest => ({
  nodeId: identity.nodeId,
  publicKey: createPublicKey(identity.signingKey).export({ type: 'spki', format: 'der' }),
  encryptionKey: identity.encryptionKey,
  peerAddress,
  apiAddress,
  hosts,
  platform: platform.kind,
  versions,
  life,
  raftId: place?.raftId ?? null,
  proof: null,
});

/**
 * Gets a new place in a service. Where the platform protects memory that is how every start goes, and what an earlier life left in the
 * folder is set aside, for whoever can prove it; elsewhere it is discarded, and place and ledger secrets are durable before it resolves.
 * @throws ServiceError `JOIN_REFUSED`, `JOIN_UNANSWERED`, `SERVICE_ARGUMENTS`, with words for an operator
 */
export async function joinService(node: OpenedNode, options: AskOptions, uses: AskDependencies): Promise<OpenedNode> {
  const answer = await askToJoin({ ...node, place: null }, options, uses);
  if (answer.type !== 'admitted') throw new ServiceError('JOIN_REFUSED', 'the service answered something else');
  const { admission } = answer;
  checkAdmission(node, options.serviceCertificate, admission);
  if (options.platform.protectsMemory) await setDataAside(node.dir);
  else await discardData(node.dir);
  await writeGenesis(node.dir, node.localKeys, admission.genesis);
  const ledgerKeys = new LedgerKeys(admission.ledgerSecrets);
  const { raftId, certificate, serviceId, serviceCertificate, told } = admission;
  const place: Place = { raftId, certificate, serviceId, serviceCertificate, told, joined: true };
  if (options.platform.protectsMemory) await forgetPlace(node);
  else await savePlace(node, place, ledgerKeys);
  return { ...node, founding: null, place, ledgerKeys };
}

/**
 * Asks one address after the other, again and again, until there is an answer.
 * @throws ServiceError `JOIN_REFUSED` at once, `JOIN_UNANSWERED` when the patience is over, `SERVICE_ARGUMENTS`
 */
export async function askToJoin(node: OpenedNode, options: AskOptions, uses: AskDependencies): Promise<JoinAnswer> {
  const { addresses, patienceMs = DEFAULT_PATIENCE_MS } = options;
  if (addresses.length === 0 || addresses.length > MAX_SEEDS) {
    throw new ServiceError('SERVICE_ARGUMENTS', `name 1 to ${MAX_SEEDS} nodes of the service, as host:port`);
  }
  const body = encodeJoinRequest(joinRequest(node, options));
  const untilMs = uses.nowMs() + patienceMs;
  for (;;) {
    const failures: string[] = [];
    for (const address of addresses) {
      const answered = await askOne(node, address, body, options, uses);
      if ('answer' in answered) return demandTaken(node, answered.answer);
      failures.push(`${address}: ${answered.failure}`);
    }
    if (uses.nowMs() >= untilMs) throw unanswered(node, failures);
    uses.log.info({ failures }, 'no node of the service has answered yet');
    await (uses.sleep ?? delay)(RETRY_MS);
  }
}

type Asked = Readonly<{ answer: JoinAnswer }> | Readonly<{ failure: string }>;

async function askOne(
  { identity, hosts }: OpenedNode,
  address: string,
  body: Uint8Array,
  { serviceCertificate, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS }: AskOptions,
  { requestJoin, nowMs }: AskDependencies,
): Promise<Asked> {
  // By its own word: who asks to join is known by its key alone, also one that was a node before.
  const certificate = selfSignedCertificate(identity, { hosts, nowMs: nowMs() });
  const target = {
    address,
    identity: { key: identity.signingKey, certificate },
    serviceCertificate,
    limits: { maxAnswerBytes: MAX_JOIN_ANSWER_BYTES },
  };
  try {
    return { answer: decodeJoinAnswer(await requestJoin(target, body, { timeoutMs: attemptTimeoutMs })) };
  } catch (error) {
    if (error instanceof PeerError) return { failure: error.peerCode ?? `${error.code} (${error.message})` };
    if (isProtocolError(error)) return { failure: error.message };
    throw new ServiceError('JOIN_REFUSED', `asking ${address} failed: ${codeOf(error)}`, { cause: error });
  }
}

function demandTaken({ identity }: OpenedNode, answer: JoinAnswer): JoinAnswer {
  if (answer.type !== 'refused') return answer;
  const hint = answer.code === 'NODE_NOT_LISTED' ? `\n${permitHint(identity.nodeId)}` : '';
  throw new ServiceError('JOIN_REFUSED', `the service refuses this node: ${answer.code}, ${answer.detail}${hint}`);
}

function unanswered({ identity }: OpenedNode, failures: readonly string[]): ServiceError {
  return new ServiceError(
    'JOIN_UNANSWERED',
    [
      'no node of the service let this one in:',
      ...failures,
      `if they are up and reachable, this node's key may not join: ${permitHint(identity.nodeId)}`,
    ].join('\n'),
  );
}

/** A key that may not join is not even heard, so that nobody outside learns anything of the service. */
const permitHint = (nodeId: string): string =>
  `put ${JSON.stringify({ name: 'add_node', args: { nodeId } })} into an amendment, then join again`;

/** The connection was to a node of the service; what it says must fit what this node was told to trust all the same. */
function checkAdmission({ identity }: OpenedNode, trusted: string, admission: Admission): void {
  const { certificate, serviceId, genesis, ledgerSecrets } = admission;
  const { record } = genesis;
  const service = new X509Certificate(trusted);
  const own = new X509Certificate(certificate);
  const faults = [
    isOther(admission.serviceCertificate, service) && 'another service certificate than the one given',
    isOther(record.serviceCertificate, service) && 'a genesis of another service',
    record.serviceId !== serviceId && 'a genesis of another service id',
    !sameDigest(record.genesisDigest, record.genesis) && 'a genesis with another digest than it has',
    !(own.checkIssued(service) && own.verify(service.publicKey)) && 'a certificate that the service did not issue',
    !own.publicKey.equals(createPublicKey(identity.signingKey)) && 'a certificate for another key',
    ledgerSecrets.size === 0 && 'no ledger secret',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw new ServiceError('JOIN_REFUSED', `the service answered with ${faults.join(', ')}`);
}

const isOther = (certificate: string, expected: X509Certificate): boolean =>
  !new X509Certificate(certificate).raw.equals(expected.raw);

const sameDigest = (digest: string, genesis: string): boolean =>
  Buffer.from(digestOfGenesis(genesis, (bytes) => createHash('sha256').update(bytes).digest())).equals(fromHex(digest));
