import { createDecipheriv, generateKeyPairSync, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signingObserver } from '@drawbridge/evidence/testing/ed25519-keys';
import { LOCK_LOG, OBSERVER_IDS, observerRoot, signedLock, wordOf } from '@drawbridge/evidence/testing/observed-lock';
import type { Registry } from '@drawbridge/governance/registry';
import { type Bytes32, fromHex, toHex } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type NetworkId,
  type ParticipantId,
  parseTransferId,
  vaultKey,
} from '@drawbridge/protocol/ids';
import { domainSalt, instructionDigest } from '@drawbridge/protocol/instruction';
import { decodeInstructionJob } from '@drawbridge/protocol/instruction-job';
import { encodeObserverEvidence, type ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { decodeTrail } from '@drawbridge/protocol/trail';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Committed, SubmitError } from '../core-service.ts';
import { type Recipient, recipientOf } from '../keys/sealed-to-key.ts';
import type { Command, Outcome } from '../settlement/command.ts';
import { DEFAULT_LIMITS } from '../settlement/limits.ts';
import { SettlementState } from '../settlement/state.ts';
import type { OpenInstruction } from '../settlement/view.ts';
import { CoreRelay } from './core-relay.ts';
import { openBody, sealBody } from './sealed-body.ts';
import { signDigest } from './signed-instruction.ts';

const ALPHA = 'alpha' as NetworkId;
const EUR = 'EUR' as AssetCode;
const BANK = 'BANKA' as ParticipantId;
const CONNECTOR = 'connector-1' as ParticipantId;
const VAULT = vaultKey(ALPHA, EUR);
const pem = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString();

const sealing = generateKeyPairSync('rsa', { modulusLength: 2048 });
const connector = generateKeyPairSync('rsa', { modulusLength: 2048 });
const connectorRecipient: Recipient = { privateKey: connector.privateKey, name: recipientOf(connector.publicKey) };
const authority = toHex(randomBytes(32)) as Bytes32;
const addressOf = (publicKey: Uint8Array): string => toHex(keccak_256(publicKey.subarray(1)).subarray(12));
const authorityAddress = addressOf(secp256k1.getPublicKey(fromHex(authority), false));
const signers = [1, 2, 3].map(signingObserver);
const root = observerRoot(signers);

function registryWith(change: { state?: 'active' | 'fenced'; epoch?: number } = {}): Registry {
  const participant = (id: ParticipantId, role: 'connector' | 'observer') => ({ id, role, name: id, certificates: [] });
  const observers = root.observers.map(({ id, publicKey }) => ({
    ...participant(id, 'observer'),
    attestationKey: publicKey,
  }));
  const participants = [...observers, { ...participant(CONNECTOR, 'connector'), sealingKey: pem(connector.publicKey) }];
  const { genesisHash, threshold, depthBlocks } = root;
  return {
    bootstrap: { keys: [], threshold: 1 },
    nodes: new Set(),
    protocolVersion: 1,
    rekeyDue: 0,
    assets: new Map([[EUR, { code: EUR, scale: 2 }]]),
    participants: new Map(participants.map((p) => [p.id, p])),
    networks: new Map([
      [
        ALPHA,
        {
          id: ALPHA,
          kind: 'evm',
          chainId: 7,
          genesisHash,
          finality: { rule: 'observers', observers: OBSERVER_IDS, threshold, depthBlocks },
          connectors: [CONNECTOR],
          state: change.state ?? 'active',
          trustVersion: 4,
        },
      ],
    ]),
    vaults: new Map([
      [
        VAULT,
        {
          network: ALPHA,
          asset: EUR,
          mode: 'escrow',
          address: LOCK_LOG.address,
          authority: authorityAddress as never,
          epoch: change.epoch ?? 1,
          fromBlock: 10,
        },
      ],
    ]),
    exposureCaps: new Map(),
    nextAmendment: 1,
    amendmentsClosed: false,
  };
}

function stateWith(change: Parameters<typeof registryWith>[0] = {}): SettlementState {
  const word = (): Bytes32 => toHex(randomBytes(32)) as Bytes32;
  const state = new SettlementState({
    serviceId: root.serviceId,
    secrets: {
      idKey: word(),
      referenceKey: word(),
      trailKey: word(),
      relayKey: word(),
      sealingKey: pem(sealing.privateKey),
      serviceKey: '',
      authorities: { [VAULT]: authority },
    },
    limits: DEFAULT_LIMITS,
    header: { stampMs: 1, nextOrder: 1, registry: registryWith(change) },
  });
  state.vaults.set(VAULT, {
    vaultMinor: 0n,
    transitMinor: 0n,
    suspenseMinor: 0n,
    nextEventSeq: 1,
    cursorBlock: 0,
    halted: false,
    paused: false,
    unmatchedKept: 0,
    unmatchedEver: 0,
    overflowMinor: 0n,
    retriesLeft: 0,
    retryAfter: 0,
  });
  return state;
}

const release = (n: number): OpenInstruction => ({
  id: toHex(new Uint8Array(32).fill(n)) as Bytes32,
  kind: 'release',
  network: ALPHA,
  asset: EUR,
  subject: wordOf(0),
  amountMinor: 12_345n,
  beneficiary: wordOf(9),
  notAfterSeconds: 1_900_000_000,
  epoch: 1,
  outboxSeq: n,
  transfer: { bank: BANK, id: parseTransferId('3f2a1b4c-0000-4000-8000-00000000000a') },
});

const allSigned = async (): Promise<number> => Number.POSITIVE_INFINITY;

describe('outbox', () => {
  let state: SettlementState;
  let relay: CoreRelay;
  const submit = async (): Promise<Committed[]> => [];
  beforeEach(() => {
    state = stateWith();
    relay = new CoreRelay({ submit, view: state }, allSigned);
  });
  const openJob = (item: { jobId: string; sealed: string }) =>
    decodeInstructionJob(
      openBody(
        connectorRecipient,
        { purpose: 'instruction', network: ALPHA, jobId: item.jobId },
        Buffer.from(item.sealed, 'base64'),
      ),
    );

  it('gives the connector a job that the vault authority signed, and a trail that the state can read', async () => {
    state.putInstruction(release(1).id, release(1));
    const { items, next } = await relay.outbox(ALPHA, 0, 10);
    expect(next).toBe(1);
    expect(items).toHaveLength(1);
    const [item] = items;
    if (!item) throw new Error('no item');
    expect(item.jobId).toMatch(/^[0-9a-f]{64}$/);
    expect(item.supersedes).toEqual([]);
    const job = openJob(item);
    const salt = domainSalt({
      serviceId: root.serviceId,
      networkId: ALPHA,
      genesisHash: root.genesisHash,
      vaultAddress: fromHex(LOCK_LOG.address),
    });
    const signature = fromHex(job.signature);
    const compact = Uint8Array.of((signature[64] ?? 0) - 27, ...signature.subarray(0, 64));
    const digest = fromHex(instructionDigest(salt, job.instruction));
    const signer = secp256k1.recoverPublicKey(compact, digest, { prehash: false });
    expect(addressOf(secp256k1.Point.fromBytes(signer).toBytes(false))).toBe(authorityAddress);
    const trail = Buffer.from(fromHex(job.instruction.trail));
    expect(trail).toHaveLength(80);
    const key = hkdfSync('sha256', fromHex(state.secrets.trailKey), fromHex(release(1).id), 'drawbridge/trail/1', 32);
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key), new Uint8Array(12), { authTagLength: 16 });
    decipher.setAuthTag(trail.subarray(64));
    const plaintext = Buffer.concat([decipher.update(trail.subarray(0, 64)), decipher.final()]);
    expect(decodeTrail(plaintext)).toEqual({ transfer: release(1).transfer?.id, participant: BANK, asset: EUR });
  });

  it('gives the same bytes when it is read again, and pages by cursor', async () => {
    for (const n of [1, 2, 3, 4, 5]) state.putInstruction(release(n).id, release(n));
    const first = await relay.outbox(ALPHA, 0, 3);
    expect(first.items.map(({ cursor }) => cursor)).toEqual([1, 2, 3]);
    const rest = await relay.outbox(ALPHA, first.next, 3);
    expect(rest.items.map(({ cursor }) => cursor)).toEqual([4, 5]);
    expect(await relay.outbox(ALPHA, rest.next, 3)).toEqual({ items: [], next: 5 });
    expect(await relay.outbox(ALPHA, 0, 3)).toEqual(first);
    expect(new Set([...first.items, ...rest.items].map(({ jobId }) => jobId)).size).toBe(5);
  });

  it('gives nothing that no signature in the ledger covers', async () => {
    for (const n of [1, 2, 3]) state.putInstruction(release(n).id, release(n));
    relay = new CoreRelay({ submit, view: state }, async () => 2);
    const { items, next } = await relay.outbox(ALPHA, 0, 10);
    expect([items.map(({ cursor }) => cursor), next]).toEqual([[1, 2], 2]);
  });

  it('keeps a job id across restarts, and signs the same content', async () => {
    state.putInstruction(release(1).id, release(1));
    const [before] = (await relay.outbox(ALPHA, 0, 1)).items;
    const [after] = (await new CoreRelay({ submit, view: state }, allSigned).outbox(ALPHA, 0, 1)).items;
    if (!before || !after) throw new Error('no item');
    expect(after.jobId).toBe(before.jobId);
    expect(openJob(after)).toEqual(openJob(before));
  });

  it('seals so that a body does not open as another job', async () => {
    state.putInstruction(release(1).id, release(1));
    const [item] = (await relay.outbox(ALPHA, 0, 1)).items;
    if (!item) throw new Error('no item');
    expect(() => openJob({ ...item, jobId: `${item.jobId}0` })).toThrow(
      expect.objectContaining({ code: 'ENVELOPE_INVALID' }),
    );
  });

  it('names the jobs of earlier epochs as superseded, and signs no epoch but the present one', async () => {
    state = stateWith({ epoch: 3 });
    relay = new CoreRelay({ submit, view: state }, allSigned);
    state.putInstruction(release(1).id, { ...release(1), epoch: 2 });
    state.putInstruction(release(2).id, { ...release(2), epoch: 3 });
    const { items, next } = await relay.outbox(ALPHA, 0, 10);
    expect(next).toBe(2);
    expect(items.map(({ cursor }) => cursor)).toEqual([2]);
    expect(new Set(items[0]?.supersedes).size).toBe(2);
    expect(items[0]?.supersedes).not.toContain(items[0]?.jobId);
  });

  it('signs nothing but a rotation on a fenced network', async () => {
    state = stateWith({ state: 'fenced' });
    relay = new CoreRelay({ submit, view: state }, allSigned);
    state.putInstruction(release(1).id, release(1));
    state.putInstruction(release(2).id, { ...release(2), kind: 'rotate' });
    expect((await relay.outbox(ALPHA, 0, 10)).items.map(({ cursor }) => cursor)).toEqual([2]);
  });

  it('signs as the golden vectors say', () => {
    const file = new URL('../../../test/vectors/instruction.json', import.meta.url);
    const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
      vectors: { digest: Bytes32; authorityPrivateKey: Bytes32; signature: string }[];
    };
    expect(vectors.length).toBeGreaterThan(0);
    for (const vector of vectors) expect(signDigest(vector.digest, vector.authorityPrivateKey)).toBe(vector.signature);
  });
});

describe('evidence intake', () => {
  let proposed: Command[];
  let answers: Outcome[];
  let relay: CoreRelay;
  beforeEach(() => {
    proposed = [];
    answers = [];
    const submit = async (commands: readonly Command[]): Promise<Committed[]> => {
      proposed.push(...commands);
      return commands.map((_, i) => ({ outcome: answers[i] ?? { ok: true }, transactionId: '2.3' }));
    };
    relay = new CoreRelay({ submit, view: stateWith() }, allSigned);
  });
  const sealed = (evidence: ObserverEvidence | Uint8Array, jobId = 'job-1', network = ALPHA) => ({
    jobId,
    sealed: Buffer.from(
      sealBody(
        sealing.publicKey,
        { purpose: 'evidence', network, jobId },
        evidence instanceof Uint8Array ? evidence : encodeObserverEvidence(evidence),
      ),
    ).toString('base64'),
  });
  const logOfSeq = (seq: number) => ({
    ...LOCK_LOG,
    topics: LOCK_LOG.topics.with(1, `0x${seq.toString(16).padStart(64, '0')}` as Bytes32),
  });

  it('proposes what the evidence proves, under the trust version it was checked against', async () => {
    const [result] = await relay.acceptEvidence(ALPHA, [sealed(signedLock(signers, root))]);
    expect(result).toEqual({ jobId: 'job-1', result: 'accepted' });
    expect(proposed).toEqual([
      expect.objectContaining({ type: 'vaultEvent', network: ALPHA, asset: EUR, trustVersion: 4, blockNumber: 1_234 }),
    ]);
    expect(proposed[0]).toMatchObject({ event: { type: 'locked', seq: 1, amountMinor: 12_345n } });
  });

  it('proposes by counter and answers in the order asked', async () => {
    answers = [{ ok: true }, { ok: false, code: 'EVENT_SEEN', detail: '', expectedSeq: 3 }];
    const late = sealed(signedLock(signers, root, { log: logOfSeq(2) }), 'job-2');
    const results = await relay.acceptEvidence(ALPHA, [
      late,
      sealed(new Uint8Array(3), 'bad'),
      sealed(signedLock(signers, root)),
    ]);
    expect(proposed.map((command) => command.type === 'vaultEvent' && command.event.seq)).toEqual([1, 2]);
    expect(results.map(({ jobId, result }) => [jobId, result])).toEqual([
      ['job-2', 'duplicate'],
      ['bad', 'refused'],
      ['job-1', 'accepted'],
    ]);
  });

  it.each([
    ['EVENT_EARLY', 'early'],
    ['TRUST_VERSION_STALE', 'early'],
    ['LANE_HALTED', 'early'],
    ['EVENT_SEEN', 'duplicate'],
    ['VAULT_UNKNOWN', 'refused'],
  ] as const)('says %s as %s', async (code, result) => {
    answers = [{ ok: false, code, detail: 'why', expectedSeq: 9 }];
    const results = await relay.acceptEvidence(ALPHA, [sealed(signedLock(signers, root))]);
    expect(results).toEqual([{ jobId: 'job-1', result, code, detail: 'why', expectedSeq: 9 }]);
  });

  it('answers from the state what is there already or comes too early, without an entry in the ledger', async () => {
    const state = stateWith();
    const row = state.vaults.get(VAULT);
    if (!row) throw new Error('no vault');
    state.vaults.set(VAULT, { ...row, nextEventSeq: 4 });
    const submit = async (commands: readonly Command[]): Promise<Committed[]> => {
      proposed.push(...commands);
      return commands.map(() => ({ outcome: { ok: true }, transactionId: '2.3' }));
    };
    const items = [7, 5, 3, 4, 4].map((seq, i) =>
      sealed(signedLock(signers, root, { log: logOfSeq(seq) }), `job-${i}`),
    );
    const results = await new CoreRelay({ submit, view: state }, allSigned).acceptEvidence(ALPHA, items);
    expect(results.map(({ result, code, expectedSeq }) => [result, code, expectedSeq])).toEqual([
      ['early', 'EVENT_EARLY', 4],
      ['accepted', undefined, undefined],
      ['duplicate', 'EVENT_SEEN', 4],
      ['accepted', undefined, undefined],
      ['accepted', undefined, undefined],
    ]);
    expect(proposed.map((command) => command.type === 'vaultEvent' && command.event.seq)).toEqual([4, 4, 5]);
  });

  const good = signedLock(signers, root);
  const forged: readonly (readonly [string, () => { jobId: string; sealed: string }, string])[] = [
    ['text that is no envelope', () => ({ jobId: 'job-1', sealed: 'AAAA' }), 'ENVELOPE_INVALID'],
    ['a body for another job', () => ({ ...sealed(good, 'job-2'), jobId: 'job-1' }), 'ENVELOPE_INVALID'],
    ['a body for another network', () => sealed(good, 'job-1', 'beta' as NetworkId), 'ENVELOPE_INVALID'],
    [
      'a body for another recipient',
      () => {
        const context = { purpose: 'evidence', network: ALPHA, jobId: 'job-1' } as const;
        const body = sealBody(connector.publicKey, context, encodeObserverEvidence(good));
        return { jobId: 'job-1', sealed: Buffer.from(body).toString('base64') };
      },
      'ENVELOPE_INVALID',
    ],
    ['bytes that are no evidence', () => sealed(Buffer.from('hello')), 'EVIDENCE_INVALID'],
    [
      'a log of another contract',
      () => sealed(signedLock(signers, root, { log: { ...LOCK_LOG, address: `0x${'11'.repeat(20)}` as never } })),
      'VAULT_UNKNOWN',
    ],
    ['a single observer', () => sealed({ ...good, attestations: good.attestations.slice(0, 1) }), 'THRESHOLD_UNMET'],
    ['too little depth', () => sealed(signedLock(signers, root, { depthBlocks: 2 })), 'DEPTH_INSUFFICIENT'],
    [
      'statements for another core',
      () => sealed(signedLock(signers, root, { serviceId: wordOf(1) })),
      'SIGNATURE_INVALID',
    ],
    [
      'strangers in the place of observers',
      () => sealed(signedLock([7, 8].map(signingObserver), root)),
      'SIGNATURE_INVALID',
    ],
  ];
  it.each(forged)('refuses %s and proposes nothing', async (_, make, code) => {
    const [result] = await relay.acceptEvidence(ALPHA, [make()]);
    expect(result).toMatchObject({ jobId: 'job-1', result: 'refused', code });
    expect(proposed).toEqual([]);
  });

  it('refuses an unknown network', async () => {
    const beta = 'beta' as NetworkId;
    const [result] = await relay.acceptEvidence(beta, [sealed(good, 'job-1', beta)]);
    expect(result).toMatchObject({ result: 'refused', code: 'NETWORK_UNKNOWN' });
  });

  it('passes on that a submission is uncertain', async () => {
    const submit = async (): Promise<Committed[]> => {
      throw new SubmitError('UNCERTAIN', 'stopped');
    };
    const uncertain = new CoreRelay({ submit, view: stateWith() }, allSigned);
    await expect(uncertain.acceptEvidence(ALPHA, [sealed(good)])).rejects.toMatchObject({ code: 'UNCERTAIN' });
  });

  it('tells a follower where to look from', () => {
    expect(relay.cursor(ALPHA)?.vaults).toEqual([
      { asset: EUR, address: LOCK_LOG.address, nextEventSeq: 1, fromBlock: 10 },
    ]);
    expect(relay.cursor('beta' as NetworkId)).toBeUndefined();
    expect(relay.sealingPublicKey()).toBe(pem(sealing.publicKey));
  });
});
