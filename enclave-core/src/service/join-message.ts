/**
 * What a node asks for when it joins, or says when it came back, and what it is answered: canonical CBOR lists, bounded, since
 * the one who asks may be anybody whose key governance named.
 */
import { type Bytes32, fromHex } from '@drawbridge/protocol/bytes32';
import { type CborFormat, decodeCbor, demandCanonical } from '@drawbridge/protocol/canonical-cbor';
import {
  readBytes,
  readList,
  readNodeId,
  readText,
  readTuple,
  readWhole,
  readWord,
  refuseLedger,
} from '@drawbridge/protocol/ledger/ledger-fields';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { type NodeLife, readLife } from '@drawbridge/protocol/ledger/node-life';
import { MAX_PEM_CHARACTERS, MAX_RAFT_ID } from '@drawbridge/protocol/ledger/node-row';
import { decodeGenesisRecord, encodeGenesisRecord } from '@drawbridge/protocol/ledger/service-entry';
import { encode } from 'cborg';
import { LEDGER_SECRET_BYTES } from '../keys/ledger-keys.ts';
import type { Genesis } from '../node/core-node.ts';
import type { Peer } from '../peers/peer-types.ts';
import type { ToldPeers } from './seeded-directory.ts';

export type JoinRequest = Readonly<{
  nodeId: NodeId;
  /** SPKI, DER. */
  publicKey: Uint8Array;
  /** SPKI, PEM. */
  encryptionKey: string;
  /** host:port */
  peerAddress: string;
  apiAddress: string;
  /** Names and addresses for its certificate. */
  hosts: readonly string[];
  platform: string;
  /** Protocol versions that it has. */
  versions: readonly number[];
  /** Of the process that asks. */
  life: NodeLife;
  /** Its place, where it has one and only says what is true of it now; null asks for a new one. */
  raftId: number | null;
  /** What the platform says of the node; null on `virtual`. */
  proof: Uint8Array | null;
}>;

/** A new place, and all that a node needs to take it. */
export type Admission = Readonly<{
  raftId: number;
  /** PEM, endorsed by the service. */
  certificate: string;
  serviceId: Bytes32;
  serviceCertificate: string;
  /** By epoch, rising. */
  ledgerSecrets: ReadonlyMap<number, Uint8Array>;
  genesis: Genesis;
  /** The nodes as the leader knows them. */
  told: ToldPeers;
}>;

export type JoinAnswer =
  | Readonly<{ type: 'admitted'; admission: Admission }>
  /** To who has a place: its certificate, and who the others are now. */
  | Readonly<{ type: 'known'; certificate: string; told: ToldPeers }>
  | Readonly<{ type: 'refused'; code: string; detail: string }>;

const VERSION = 1;
const MAX_SPKI_BYTES = 1_024;
const MAX_ADDRESS_CHARACTERS = 272;
const MAX_HOSTS = 64;
const MAX_HOST_CHARACTERS = 253;
const MAX_PLATFORM_CHARACTERS = 64;
const MAX_VERSIONS = 256;
const MAX_PROOF_BYTES = 32 * 1024;
const MAX_PEERS = 1_024;
const MAX_EPOCHS = 1_000_000;
const MAX_EPOCH = 0xffff_ffff;
const MAX_CODE_CHARACTERS = 64;
const MAX_DETAIL_CHARACTERS = 4_096;
/** The genesis state is the bulk of it. */
export const MAX_JOIN_ANSWER_BYTES: number = 64 * 2 ** 20;

const REQUEST: CborFormat = { what: 'request to join', code: 'LEDGER_INVALID', maxBytes: 64 * 1024 };
const ANSWER: CborFormat = { what: 'answer to a join', code: 'LEDGER_INVALID', maxBytes: MAX_JOIN_ANSWER_BYTES };

export function encodeJoinRequest(request: JoinRequest): Uint8Array {
  const { nodeId, publicKey, encryptionKey, peerAddress, apiAddress, hosts, platform, versions } = request;
  return encode([
    VERSION,
    fromHex(nodeId),
    publicKey,
    encryptionKey,
    peerAddress,
    apiAddress,
    hosts,
    platform,
    versions,
    Buffer.from(request.life, 'hex'),
    request.raftId,
    request.proof,
  ]);
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one request */
export function decodeJoinRequest(bytes: Uint8Array): JoinRequest {
  const [version, nodeId, publicKey, encryptionKey, peerAddress, apiAddress, ...rest] = readTuple(
    decodeCbor(bytes, REQUEST),
    12,
    REQUEST.what,
  );
  const [hosts, platform, versions, life, raftId, proof] = rest;
  if (version !== VERSION) return refuseLedger('request to join has an unknown version');
  const request: JoinRequest = {
    nodeId: readNodeId(nodeId),
    publicKey: readBytes(publicKey, MAX_SPKI_BYTES, 'public key'),
    encryptionKey: readText(encryptionKey, MAX_PEM_CHARACTERS, 'encryption key'),
    peerAddress: readText(peerAddress, MAX_ADDRESS_CHARACTERS, 'peer address'),
    apiAddress: readText(apiAddress, MAX_ADDRESS_CHARACTERS, 'api address'),
    hosts: readList(hosts, MAX_HOSTS, 'hosts').map((host) => readText(host, MAX_HOST_CHARACTERS, 'host')),
    platform: readText(platform, MAX_PLATFORM_CHARACTERS, 'platform'),
    versions: readList(versions, MAX_VERSIONS, 'versions').map((one) => readWhole(one, 1, 0xffff_ffff, 'version')),
    life: readLife(life),
    raftId: raftId === null ? null : readRaftId(raftId),
    proof: proof === null ? null : readBytes(proof, MAX_PROOF_BYTES, 'proof'),
  };
  demandCanonical(bytes, encodeJoinRequest(request), REQUEST);
  return request;
}

const readRaftId = (value: unknown): number => readWhole(value, 1, MAX_RAFT_ID, 'raft id');

const KINDS = { refused: 0, admitted: 1, known: 2 } as const satisfies Record<JoinAnswer['type'], number>;

export function encodeJoinAnswer(answer: JoinAnswer): Uint8Array {
  switch (answer.type) {
    case 'refused':
      return encode([KINDS.refused, answer.code, answer.detail]);
    case 'known':
      return encode([KINDS.known, answer.certificate, toldTuple(answer.told)]);
    case 'admitted':
      return encode([KINDS.admitted, ...admissionTuple(answer.admission)]);
  }
}

/** @throws ProtocolError `LEDGER_INVALID` for anything but the canonical bytes of one answer */
export function decodeJoinAnswer(bytes: Uint8Array): JoinAnswer {
  const value = decodeCbor(bytes, ANSWER);
  if (!Array.isArray(value)) return refuseLedger('answer to a join must be a list');
  const answer = readAnswer(value);
  demandCanonical(bytes, encodeJoinAnswer(answer), ANSWER);
  return answer;
}

function readAnswer(value: readonly unknown[]): JoinAnswer {
  switch (value[0]) {
    case KINDS.refused: {
      const [, code, detail] = readTuple(value, 3, 'refusal');
      return {
        type: 'refused',
        code: readText(code, MAX_CODE_CHARACTERS, 'code'),
        detail: readText(detail, MAX_DETAIL_CHARACTERS, 'detail'),
      };
    }
    case KINDS.known: {
      const [, certificate, told] = readTuple(value, 3, 'known node');
      return { type: 'known', certificate: readCertificate(certificate), told: readTold(told) };
    }
    case KINDS.admitted:
      return { type: 'admitted', admission: readAdmission(value) };
    default:
      return refuseLedger('answer to a join is of an unknown kind');
  }
}

const readCertificate = (value: unknown): string => readText(value, MAX_PEM_CHARACTERS, 'certificate');

const admissionTuple = (admission: Admission): readonly unknown[] => [
  admission.raftId,
  admission.certificate,
  fromHex(admission.serviceId),
  admission.serviceCertificate,
  [...admission.ledgerSecrets],
  encodeGenesisRecord(admission.genesis.record),
  admission.genesis.content,
  toldTuple(admission.told),
];

function readAdmission(value: readonly unknown[]): Admission {
  const [, raftId, certificate, serviceId, serviceCertificate, secrets, record, content, told] = readTuple(
    value,
    9,
    'admission',
  );
  return {
    raftId: readRaftId(raftId),
    certificate: readCertificate(certificate),
    serviceId: readWord(serviceId, 'service id'),
    serviceCertificate: readCertificate(serviceCertificate),
    ledgerSecrets: readSecrets(secrets),
    genesis: {
      record: decodeGenesisRecord(readBytes(record, MAX_JOIN_ANSWER_BYTES, 'genesis record')),
      content: readBytes(content, MAX_JOIN_ANSWER_BYTES, 'genesis state'),
    },
    told: readTold(told),
  };
}

function readSecrets(value: unknown): Map<number, Uint8Array> {
  const secrets = new Map<number, Uint8Array>();
  let last = 0;
  for (const item of readList(value, MAX_EPOCHS, 'ledger secrets')) {
    const [epoch, secret] = readTuple(item, 2, 'ledger secret');
    last = readWhole(epoch, last + 1, MAX_EPOCH, 'epoch');
    secrets.set(last, readBytes(secret, LEDGER_SECRET_BYTES, 'ledger secret'));
  }
  return secrets;
}

const peerTuple = ({ raftId, nodeId, address, life }: Peer): readonly unknown[] => [
  raftId,
  fromHex(nodeId),
  address,
  Buffer.from(life, 'hex'),
];

const toldTuple = ({ revision, peers }: ToldPeers): readonly unknown[] => [revision, peers.map(peerTuple)];

function readTold(value: unknown): ToldPeers {
  const [revision, peers] = readTuple(value, 2, 'nodes of the service');
  return { revision: readWhole(revision, 1, Number.MAX_SAFE_INTEGER, 'revision'), peers: readPeers(peers) };
}

const readPeers = (value: unknown): Peer[] =>
  readList(value, MAX_PEERS, 'peers').map((item) => {
    const [raftId, nodeId, address, life] = readTuple(item, 4, 'peer');
    return {
      raftId: readRaftId(raftId),
      nodeId: readNodeId(nodeId),
      address: readText(address, MAX_ADDRESS_CHARACTERS, 'address'),
      life: readLife(life),
    };
  });
