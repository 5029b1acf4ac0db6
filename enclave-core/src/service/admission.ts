/**
 * The admitting side of a join: whether a node gets a place, and what it is given. What decides is the ledger: which keys may
 * be nodes, and which version it runs. The entry that admits is checked again by `applyService`.
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { NodeDescription, ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { SubmitError } from '../core-service.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import { refuseNode, type ServiceRules } from '../membership/apply-service.ts';
import { type MembershipState, type NodeState, presentNodes } from '../membership/membership-state.ts';
import type { AdmissionDesk } from '../node/core-node.ts';
import { parseAddress } from '../peers/peer-tls.ts';
import type { Peer } from '../peers/peer-types.ts';
import type { PlatformKind } from '../platform/platform.ts';
import { decodeJoinRequest, encodeJoinAnswer, type JoinAnswer, type JoinRequest } from './join-message.ts';
import { endorseNode } from './node-certificate.ts';
import { ENCRYPTION_KEY_BITS, nodeIdOf } from './node-identity.ts';

/** Of the certificates of nodes, if the service's own lasts so long. */
export const NODE_VALIDITY_DAYS = 3_650;
/** A certificate that ends sooner is made anew when its node says something. */
const RENEW_BEFORE_MS = 90 * 86_400_000;

export type AdmissionContext = Readonly<{
  rules: ServiceRules;
  membership: MembershipState;
  /** PKCS#8, PEM. */
  serviceKey: string;
  serviceCertificate: string;
  /** What this node runs on. Until platforms prove what they are, all nodes of a service are alike. */
  platform: PlatformKind;
  /** Of this process. */
  life: NodeLife;
  /** The node speaks for itself and is the only voter: whatever it forgot, nobody else had counted on. */
  mayBeginLife: boolean;
  /** Unix ms. */
  nowMs: number;
}>;

type Refused = Extract<JoinAnswer, { type: 'refused' }>;

export type AdmissionDecision =
  /** To be put into the ledger; the answer follows from its outcome. */
  | Readonly<{ type: 'propose'; entry: Extract<ServiceEntry, { type: 'admitNode' | 'updateNode' }> }>
  /** Nothing about it has changed. */
  | Readonly<{ type: 'known'; row: NodeState }>
  | Refused;

const refuse = (code: string, detail: string): Refused => ({ type: 'refused', code, detail });

/** @param shownId of the key that the other side of the connection has proven to hold */
export function decideAdmission(request: JoinRequest, shownId: NodeId, context: AdmissionContext): AdmissionDecision {
  const fault = faultIn(request, shownId) ?? platformFault(request, context) ?? refuseNode(request, context.rules);
  if (fault) return refuse(fault.code, fault.detail);
  if (request.raftId === null)
    return { type: 'propose', entry: { type: 'admitNode', node: describe(request, context) } };
  const row = context.membership.nodes.get(request.raftId);
  if (!row || row.left || row.nodeId !== request.nodeId) {
    return refuse(
      'NODE_UNKNOWN',
      `node ${request.raftId} has no place any more; make another folder with node, and join with that`,
    );
  }
  if (row.life !== request.life && !context.mayBeginLife) {
    return refuse(
      'LIFE_OVER',
      `the process that was node ${row.raftId} has ended, and what it promised is not on its disk; start this one with join`,
    );
  }
  const node = describe(request, context, row);
  if (isSame(row, node)) return { type: 'known', row };
  return { type: 'propose', entry: { type: 'updateNode', raftId: row.raftId, node } };
}

type Fault = Readonly<{ code: string; detail: string }>;
const invalid = (detail: string): Fault => ({ code: 'JOIN_INVALID', detail });

function faultIn(request: JoinRequest, shownId: NodeId): Fault | undefined {
  if (request.nodeId !== shownId || keyIdOf(request.publicKey) !== shownId) {
    return { code: 'IDENTITY_MISMATCH', detail: `the connection is by ${shownId}, the request names another key` };
  }
  if (!isEncryptionKey(request.encryptionKey))
    return invalid(`an encryption key is RSA of ${ENCRYPTION_KEY_BITS} bits`);
  const staysAlone = request.raftId !== null && request.peerAddress === '';
  if (!staysAlone && parseAddress(request.peerAddress) === null) return invalid('peerAddress must be host:port');
  if (request.apiAddress !== '' && parseAddress(request.apiAddress) === null) {
    return invalid('apiAddress must be host:port');
  }
  const badHost = request.hosts.find((host) => isIP(host) === 0 && !/^[A-Za-z0-9.-]{1,253}$/.test(host));
  return badHost === undefined ? undefined : invalid('hosts must be names or IP addresses');
}

function keyIdOf(publicKey: Uint8Array): NodeId | undefined {
  try {
    return nodeIdOf(publicKey);
  } catch {
    return undefined;
  }
}

function isEncryptionKey(text: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(text);
    return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= ENCRYPTION_KEY_BITS;
  } catch {
    return false;
  }
}

function platformFault(request: JoinRequest, { platform, life }: AdmissionContext): Fault | undefined {
  if ((request.life === NO_LIFE) !== (life === NO_LIFE))
    return invalid(`a node on ${platform} has another kind of life`);
  if (request.platform === platform) return undefined;
  return { code: 'PLATFORM_REFUSED', detail: `the nodes of this service run on ${platform}` };
}

function describe(request: JoinRequest, context: AdmissionContext, row?: NodeState): NodeDescription {
  const { nodeId, encryptionKey, peerAddress, versions, life, hosts } = request;
  // A node that is only starting does not know yet where its clients will reach it.
  const apiAddress = request.apiAddress === '' && row ? row.apiAddress : request.apiAddress;
  const { platform, serviceKey, serviceCertificate, nowMs } = context;
  const certificate =
    row && stillFits(row.certificate, hosts, nowMs)
      ? row.certificate
      : endorseNode({
          serviceKey,
          serviceCertificate,
          nodePublicKey: createPublicKey({ key: Buffer.from(request.publicKey), format: 'der', type: 'spki' }),
          nodeId,
          platform,
          hosts,
          nowMs,
          validityDays: NODE_VALIDITY_DAYS,
        });
  return { nodeId, certificate, encryptionKey, peerAddress, apiAddress, platform, versions, life };
}

function stillFits(certificate: string, hosts: readonly string[], nowMs: number): boolean {
  const parsed = new X509Certificate(certificate);
  const names = (host: string): boolean =>
    (isIP(host) === 0 ? parsed.checkHost(host) : parsed.checkIP(host)) !== undefined;
  return hosts.every(names) && Date.parse(parsed.validTo) - nowMs > RENEW_BEFORE_MS;
}

const isSame = (row: NodeState, node: NodeDescription): boolean =>
  row.certificate === node.certificate &&
  row.encryptionKey === node.encryptionKey &&
  row.peerAddress === node.peerAddress &&
  row.apiAddress === node.apiAddress &&
  row.platform === node.platform &&
  row.life === node.life &&
  row.versions.join() === node.versions.join();

export type AdmissionParts = Readonly<{
  ledgerKeys: LedgerKeys;
  serviceCertificate: string;
  platform: PlatformKind;
  /** Of this process. */
  life: NodeLife;
  nowMs: () => number;
}>;

/** Answers those who ask to join, as `CoreNode` wants it. Rejects with SubmitError `NOT_LEADER`, and what `propose` rejects with. */
export function admissionOffice(
  parts: AdmissionParts,
): (nodeId: NodeId, body: Uint8Array, desk: AdmissionDesk) => Promise<Uint8Array> {
  return async (nodeId, body, desk) => encodeJoinAnswer(await answerJoin(parts, nodeId, body, desk));
}

async function answerJoin(
  { ledgerKeys, serviceCertificate, platform, life, nowMs }: AdmissionParts,
  shownId: NodeId,
  body: Uint8Array,
  desk: AdmissionDesk,
): Promise<JoinAnswer> {
  let request: JoinRequest;
  try {
    request = decodeJoinRequest(body);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refuse('JOIN_INVALID', error.message);
  }
  const { view, membership, registry } = desk;
  // Whom it let in would be told to look for a process that has ended.
  const own = membership.nodes.get(desk.raftId);
  if (own && own.life !== life) throw new SubmitError('NOT_LEADER', 'this node is not in the ledger yet as it is now');
  const decision = decideAdmission(request, shownId, {
    rules: registry,
    membership,
    serviceKey: view.secrets.serviceKey,
    serviceCertificate,
    platform,
    life,
    mayBeginLife: false,
    nowMs: nowMs(),
  });
  const told = { revision: membership.revision, peers: peersIn(membership) };
  if (decision.type === 'known') return { type: 'known', certificate: decision.row.certificate, told };
  const known = request.raftId === null ? undefined : membership.nodes.get(request.raftId);
  // Whoever has a place may hear who the others are, among them the one that takes note of what it says.
  if (!desk.leads && known && decision.type === 'propose')
    return { type: 'known', certificate: known.certificate, told };
  // What is refused here may be allowed already where the ledger is further.
  if (!desk.leads) throw new SubmitError('NOT_LEADER', 'another node leads; ask that one');
  if (decision.type === 'refused') return decision;
  const { entry } = decision;
  const outcome = await desk.propose(entry);
  if (!outcome.ok) return refuse(outcome.code, outcome.detail);
  const { certificate } = entry.node;
  if (entry.type === 'updateNode' || outcome.raftId === undefined) return { type: 'known', certificate, told };
  const { raftId } = outcome;
  const genesis = await desk.genesis();
  const ledgerSecrets = ledgerKeys.secrets();
  const { serviceId } = view;
  return {
    type: 'admitted',
    admission: { raftId, certificate, serviceId, serviceCertificate, ledgerSecrets, genesis, told },
  };
}

const peersIn = (membership: MembershipState): Peer[] =>
  presentNodes(membership).map(({ raftId, nodeId, peerAddress, life }) => ({
    raftId,
    nodeId,
    address: peerAddress,
    life,
  }));
