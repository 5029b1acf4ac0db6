import { fromHex, type Hex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { type EvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import {
  type Attestation,
  type EvmLog,
  encodeObserverEvidence,
  MAX_EVIDENCE_BYTES,
  type ObserverEvidence,
  observerStatement,
} from '@drawbridge/protocol/observer-evidence';
import { describe, expect, test } from '@jest/globals';
import {
  OBSERVER_CHECKS,
  type ObserverCheck,
  type SignatureVerifier,
  verifyObserverEvidence,
  verifyObserverEvidenceBytes,
} from './observers.ts';
import { signingObserver, verifier } from './testing/ed25519-keys.ts';
import { attest, LOCK_LOG, observerRoot, type SigningObserver, signedLock, wordOf } from './testing/observed-lock.ts';
import type { ObserverTrustRoot } from './trust-root.ts';

const signers = [1, 2, 3].map(signingObserver);
const stranger = signingObserver(9);
const root = observerRoot(signers);
const [first, second, third] = signers as [SigningObserver, SigningObserver, SigningObserver];
const [id1, id2, id3] = root.observers.map(({ id }) => id) as [
  Attestation['observer'],
  Attestation['observer'],
  Attestation['observer'],
];
const sound = signedLock(signers, root);
const statement = {
  serviceId: root.serviceId,
  network: root.network,
  genesisHash: root.genesisHash,
  log: LOCK_LOG,
  depthBlocks: 5,
};
const word = (value: bigint): string => value.toString(16).padStart(64, '0');

const log = (change: Partial<EvmLog>): EvmLog => ({ ...LOCK_LOG, ...change });
/** The forger changes what was signed, after it was signed. */
const altered = (change: Partial<EvmLog>): ObserverEvidence => ({ ...sound, log: log(change) });
/** All observers are bribed and sign the forgery: the checks before `signatures` stand alone. */
const bribed = (change: Partial<EvmLog>): ObserverEvidence => signedLock(signers, root, { log: log(change) });
const withAttestations = (attestations: readonly Attestation[]): ObserverEvidence => ({ ...sound, attestations });
const [sound1, sound2] = sound.attestations as [Attestation, Attestation];

describe('sound evidence', () => {
  test('is taken, and says what it proves', () => {
    expect(verifyObserverEvidence(sound, root, verifier)).toEqual({
      ok: true,
      event: {
        type: 'locked',
        seq: 1,
        lockId: wordOf(2),
        reference: wordOf(3),
        depositor: `0x${word(0xabcdefn)}`,
        amountMinor: 12_345n,
      },
      digest: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      blockNumber: 1_234,
      blockHash: wordOf(0xb1),
      depthBlocks: 5,
      vouchedBy: [id1, id2],
    });
  });
  test('is taken as bytes', () => {
    expect(verifyObserverEvidenceBytes(encodeObserverEvidence(sound), root, verifier)).toMatchObject({ ok: true });
  });
  test('is taken from any two of three, in any order, at their own depths', () => {
    const attestations = [
      attest(third, id3, { ...statement, depthBlocks: 3 }),
      attest(first, id1, { ...statement, depthBlocks: 90 }),
    ];
    const result = verifyObserverEvidence(withAttestations(attestations), root, verifier);
    expect(result).toMatchObject({ ok: true, depthBlocks: 3, vouchedBy: [id3, id1] });
  });
  test('has one digest whoever vouches', () => {
    const other = withAttestations([attest(third, id3, statement), sound1]);
    const digests = [sound, other].map((item) => verifyObserverEvidence(item, root, verifier));
    expect(digests[0]).toMatchObject({ digest: expect.any(String) });
    expect(new Set(digests.map((result) => (result.ok ? result.digest : result.code))).size).toBe(1);
  });
});

type Forgery = readonly [kind: string, check: ObserverCheck, item: ObserverEvidence];
const FORGERIES: readonly Forgery[] = [
  ['of an unknown version', 'form', { ...sound, version: 2 as 1 }],
  ['of another rule', 'form', { ...sound, rule: 'qbft' as 'observers' }],
  ['of another network', 'network', { ...sound, network: parseNetworkId('beta') }],
  ['of another network, all bribed', 'network', signedLock(signers, root, { network: parseNetworkId('beta') })],
  ['of another genesis', 'genesis', { ...sound, genesisHash: wordOf(1) }],
  ['of another genesis, all bribed', 'genesis', signedLock(signers, root, { genesisHash: wordOf(1) })],
  ['of another contract', 'address', altered({ address: `0x${'66'.repeat(20)}` as EvmAddress })],
  ['of another contract, all bribed', 'address', bribed({ address: `0x${'66'.repeat(20)}` as EvmAddress })],
  ['with an unknown topic, all bribed', 'topics', bribed({ topics: LOCK_LOG.topics.with(0, wordOf(6)) })],
  ['without topics, all bribed', 'topics', bribed({ topics: [] })],
  ['with a topic missing, all bribed', 'event', bribed({ topics: LOCK_LOG.topics.slice(0, 3) })],
  ['with counter zero, all bribed', 'event', bribed({ topics: LOCK_LOG.topics.with(1, ZERO_BYTES32) })],
  ['with dirty padding, all bribed', 'event', bribed({ data: `0x01${word(0xabcdefn).slice(2)}${word(12_345n)}` })],
  ['with trailing data, all bribed', 'event', bribed({ data: `${LOCK_LOG.data}00` })],
  ['with an amount of 2^63, all bribed', 'event', bribed({ data: `0x${word(1n)}${word(2n ** 63n)}` })],
  ['in no block, all bribed', 'position', bribed({ blockHash: ZERO_BYTES32 })],
  ['in no transaction, all bribed', 'position', bribed({ transactionHash: ZERO_BYTES32 })],
  ['in the genesis block, all bribed', 'position', bribed({ blockNumber: 0 })],
  [
    'with more attestations than observers',
    'attestationCount',
    withAttestations([sound1, sound2, attest(third, id3, statement), sound1]),
  ],
  [
    'by an unknown observer',
    'knownObservers',
    withAttestations([sound1, sound2, attest(stranger, parseParticipantId('observer-9'), statement)]),
  ],
  ['by one observer twice', 'distinctObservers', withAttestations([sound1, sound1])],
  [
    'by one observer twice with two depths',
    'distinctObservers',
    withAttestations([sound1, attest(first, id1, { ...statement, depthBlocks: 6 })]),
  ],
  ['by enough, and one of them twice', 'distinctObservers', withAttestations([sound1, sound2, sound1])],
  ['at too small a depth', 'depth', signedLock(signers, root, { depthBlocks: 2 })],
  [
    'at too small a depth for one of them',
    'depth',
    withAttestations([sound1, attest(second, id2, { ...statement, depthBlocks: 2 })]),
  ],
  ['by too few', 'threshold', withAttestations([sound1])],
  ['by nobody', 'threshold', withAttestations([])],
  ['with a depth altered', 'signatures', withAttestations([sound1, { ...sound2, depthBlocks: 9 }])],
  ['with the block hash altered', 'signatures', altered({ blockHash: wordOf(0xb2) })],
  ['with the block number altered', 'signatures', altered({ blockNumber: 1_235 })],
  ['with the transaction altered', 'signatures', altered({ transactionHash: wordOf(0x7b) })],
  ['with the log index altered', 'signatures', altered({ logIndex: 3 })],
  [
    'with the kind of event altered',
    'signatures',
    altered({ topics: [VAULT_TOPICS.guardianCancelled, LOCK_LOG.topics[1] ?? wordOf(0)], data: '0x' }),
  ],
  ['with the reference altered', 'signatures', altered({ topics: LOCK_LOG.topics.with(3, wordOf(4)) })],
  ['with the amount altered', 'signatures', altered({ data: `0x${word(0xabcdefn)}${word(99_999n)}` })],
  ['with the depositor altered', 'signatures', altered({ data: `0x${word(0xabcdeen)}${word(12_345n)}` })],
  ['with the key of another', 'signatures', withAttestations([sound1, attest(stranger, id2, statement)])],
  [
    'with the signatures swapped',
    'signatures',
    withAttestations([
      { ...sound1, signature: sound2.signature },
      { ...sound2, signature: sound1.signature },
    ]),
  ],
  ['with one signature for all', 'signatures', withAttestations([sound1, { ...sound2, signature: sound1.signature }])],
  ['with a zero signature', 'signatures', withAttestations([sound1, { ...sound2, signature: `0x${'00'.repeat(64)}` }])],
  [
    'with two good signatures and one bad',
    'signatures',
    withAttestations([sound1, sound2, { ...sound2, observer: id3 }]),
  ],
  ['for another service', 'signatures', signedLock(signers, root, { serviceId: wordOf(7) })],
  [
    'with a signature over another event',
    'signatures',
    withAttestations([sound1, attest(second, id2, { ...statement, log: log({ logIndex: 9 }) })]),
  ],
  [
    'with a signature over the bare event',
    'signatures',
    withAttestations([sound1, { ...sound2, signature: second.sign(fromHex(LOCK_LOG.data)) }]),
  ],
];

describe('forged evidence', () => {
  test.each(FORGERIES)('%s is refused by %s', (_, check, item) => {
    expect(verifyObserverEvidence(item, root, verifier)).toMatchObject({ ok: false, check });
  });
  test('is refused by each check once at least', () => {
    const shown = new Set<string>(FORGERIES.map(([, check]) => check));
    expect(OBSERVER_CHECKS.filter((check) => !shown.has(check))).toEqual(['trustRoot']);
  });
});

describe('bytes that are not one canonical item', () => {
  const bytes = encodeObserverEvidence(sound);
  test.each([
    ['nothing', new Uint8Array()],
    ['a cut end', bytes.subarray(0, -1)],
    ['a trailing byte', Uint8Array.of(...bytes, 0)],
    ['a list of indefinite length', Uint8Array.of(0x9f, ...bytes.subarray(1), 0xff)],
    ['a longer form of a number', Uint8Array.of(0x86, 0x18, 1, ...bytes.subarray(2))],
    ['an unknown version', Uint8Array.of(0x86, 2, ...bytes.subarray(2))],
    ['another rule', encodeObserverEvidence({ ...sound, rule: 'clique' as 'observers' })],
    ['too many bytes', new Uint8Array(MAX_EVIDENCE_BYTES + 1)],
    ['an item with oversized data', encodeObserverEvidence(bribed({ data: `0x${'00'.repeat(MAX_EVIDENCE_BYTES)}` }))],
  ])('%s', (_, input) => {
    expect(verifyObserverEvidenceBytes(input, root, verifier)).toMatchObject({ ok: false, check: 'form' });
  });
  test('a bug is not a refusal', () => {
    expect(() => verifyObserverEvidenceBytes(JSON.parse('null'), root, verifier)).toThrow(TypeError);
  });
});

describe('a trust root that proves nothing refuses sound evidence', () => {
  const same: Hex = root.observers[0]?.publicKey ?? '0x';
  const ROOTS: readonly (readonly [string, Partial<ObserverTrustRoot>])[] = [
    ['no observers', { observers: [] }],
    ['threshold 0', { threshold: 0 }],
    ['threshold -1', { threshold: -1 }],
    ['threshold 1.5', { threshold: 1.5 }],
    ['threshold NaN', { threshold: Number.NaN }],
    ['threshold above the observers', { threshold: 4 }],
    ['depth 0', { depthBlocks: 0 }],
    ['depth NaN', { depthBlocks: Number.NaN }],
    ['service id zero', { serviceId: ZERO_BYTES32 }],
    ['genesis hash zero', { genesisHash: ZERO_BYTES32 }],
    ['vault zero', { vault: `0x${'00'.repeat(20)}` as EvmAddress }],
    ['one key for two', { observers: root.observers.map((observer) => ({ ...observer, publicKey: same })) }],
    ['one id for two', { observers: root.observers.map((observer) => ({ ...observer, id: id1 })) }],
    ['a zero key', { observers: root.observers.map((o, i) => (i === 2 ? { ...o, publicKey: ZERO_BYTES32 } : o)) }],
    ['a short key', { observers: root.observers.map((o, i) => (i === 2 ? { ...o, publicKey: '0x00' } : o)) }],
    [
      'too many observers',
      {
        observers: Array.from({ length: 33 }, (_, i) => ({
          id: parseParticipantId(`o-${i}`),
          publicKey: wordOf(i + 1),
        })),
      },
    ],
  ];
  test.each(ROOTS)('%s', (_, change) => {
    const refusal = { ok: false, check: 'trustRoot', code: 'TRUST_ROOT_UNUSABLE' };
    expect(verifyObserverEvidence(sound, { ...root, ...change }, verifier)).toMatchObject(refusal);
  });
});

test('no signature is checked before every cheaper check has passed, and none twice', () => {
  let calls = 0;
  const counting: SignatureVerifier = (...args) => {
    calls++;
    return verifier(...args);
  };
  for (const [, check, item] of FORGERIES) {
    if (check === 'signatures') continue;
    verifyObserverEvidence(item, root, counting);
  }
  expect(calls).toBe(0);
  verifyObserverEvidence(sound, root, counting);
  expect(calls).toBe(2);
});

test('the statement is signed as protocol writes it', () => {
  const [attestation] = sound.attestations;
  expect(verifier(first.publicKey, observerStatement(statement), attestation?.signature ?? '0x')).toBe(true);
});
