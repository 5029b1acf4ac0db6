import { X509Certificate } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Standing, standingOf } from './peer-certificate.ts';
import { TestDirectory } from './testing/peer-group.ts';
import { newKeys, selfSigned, type TestIdentity, TestService } from './testing/test-pki.ts';

const OWN = '0'.repeat(64) as NodeId;
const HOUR_MS = 3_600_000;
let service: TestService;
let directory: TestDirectory;
let member: TestIdentity;

beforeAll(async () => {
  service = await TestService.create();
  member = await service.node();
  directory = new TestDirectory();
  directory.members.set(7, { raftId: 7, nodeId: member.nodeId, address: 'host:1', life: NO_LIFE });
});

function standing(identity: TestIdentity | undefined, ownNodeId: NodeId = OWN, nowMs = Date.now()): Standing {
  return standingOf(identity && new X509Certificate(identity.certificate), {
    serviceCertificate: new X509Certificate(service.certificate),
    directory,
    ownNodeId,
    nowMs,
  });
}

const refusal = (identity: TestIdentity | undefined, code: string): object => ({
  role: 'stranger',
  code,
  nodeId: identity?.nodeId ?? null,
});

/** The member's key under another certificate. */
async function memberWith(options: Parameters<TestService['node']>[0]): Promise<TestIdentity> {
  const keys = await newKeys();
  const identity = await service.node({ keys, ...options });
  directory.members.set(8, { raftId: 8, nodeId: identity.nodeId, address: 'host:2', life: NO_LIFE });
  return identity;
}

describe('standing of a certificate', () => {
  test('a member is known by its key, and its raft id comes from the directory', () => {
    expect(standing(member)).toEqual({ role: 'peer', peer: directory.members.get(7) });
  });

  test('without a certificate nobody is anybody', () => {
    expect(standing(undefined)).toEqual(refusal(undefined, 'CERTIFICATE_MISSING'));
  });

  test('a certificate of the service for a key that is no member', async () => {
    const other = await service.node();
    expect(standing(other)).toEqual(refusal(other, 'NOT_A_MEMBER'));
  });

  test("a member's key with a certificate in the service's name that another key signed", async () => {
    const forged = await memberWith({ signer: await newKeys() });
    expect(standing(forged)).toEqual(refusal(forged, 'CERTIFICATE_NOT_OF_SERVICE'));
  });

  test("a member's key with a certificate in another name that the service's key signed", async () => {
    const other = await memberWith({ issuer: 'CN=Another service' });
    expect(standing(other)).toEqual(refusal(other, 'CERTIFICATE_NOT_OF_SERVICE'));
  });

  test('before and after its period a certificate is worth nothing', async () => {
    const nowMs = Date.now();
    const past = await memberWith({ fromMs: nowMs - 2 * HOUR_MS, toMs: nowMs - HOUR_MS });
    const future = await memberWith({ fromMs: nowMs + HOUR_MS, toMs: nowMs + 2 * HOUR_MS });
    expect(standing(past)).toEqual(refusal(past, 'CERTIFICATE_NOT_VALID_NOW'));
    expect(standing(future)).toEqual(refusal(future, 'CERTIFICATE_NOT_VALID_NOW'));
    expect(standing(future, OWN, nowMs + HOUR_MS + 60_000)).toMatchObject({ role: 'peer' });
  });

  test('a key that may join is a joiner, whoever signed its certificate', async () => {
    const keys = await newKeys();
    const joiner = await selfSigned(keys);
    expect(standing(joiner)).toEqual(refusal(joiner, 'CERTIFICATE_NOT_OF_SERVICE'));
    directory.joiners.add(joiner.nodeId);
    expect(standing(joiner)).toEqual({ role: 'joiner', nodeId: joiner.nodeId });
    const expired = await selfSigned(keys, { toMs: Date.now() - HOUR_MS });
    expect(standing(expired)).toEqual(refusal(expired, 'CERTIFICATE_NOT_VALID_NOW'));
  });

  test('a member that signed its certificate itself can at most join', async () => {
    const keys = await newKeys();
    const { nodeId } = await memberWith({ keys });
    const restarted = await selfSigned(keys);
    expect(standing(restarted)).toEqual(refusal(restarted, 'CERTIFICATE_NOT_OF_SERVICE'));
    directory.joiners.add(nodeId);
    expect(standing(restarted)).toEqual({ role: 'joiner', nodeId });
  });

  test('nobody else has the key of this node', () => {
    expect(standing(member, member.nodeId)).toEqual(refusal(member, 'OWN_IDENTITY'));
  });
});
