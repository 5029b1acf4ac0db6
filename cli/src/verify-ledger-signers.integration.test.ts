/** What somebody with a key, of this service or of another, could write. */
import { encodeSignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from 'cborg';
import { beginLedger, newParties, type Parties, sampleLedger } from './testing/sample-ledger.ts';
import { TestLedger } from './testing/test-ledger.ts';
import { newAuthority, type TestService } from './testing/test-service.ts';
import { VerifierBench } from './testing/verifier-bench.ts';

const DAY_MS = 86_400_000;

const bench = VerifierBench.setUp();
const { verifyLedger: verify, expectLedgerRefused: expectRefused } = bench;
let parties: Parties;
let other: Parties;
beforeAll(async () => {
  parties = bench.parties;
  other = await newParties();
});

describe('what a forger signs', () => {
  /** The sample up to 5, then what the forger does. */
  const forged = (go: (ledger: TestLedger) => TestLedger): TestLedger => go(beginLedger(parties));
  const newRoot = new Uint8Array(32).fill(3);

  test('by a node that the ledger never admitted', async () => {
    await expectRefused(
      forged((made) => made.settle().sign(parties.second)),
      'SIGNER_UNKNOWN',
    );
  });

  test('by a node that it admits only later', async () => {
    await expectRefused(
      forged((made) => made.settle().sign(parties.second).admit(parties.second).sign(parties.first)),
      'SIGNER_UNKNOWN',
    );
  });

  test('by a node whose admission the signed tree does not hold', async () => {
    await expectRefused(
      forged((made) => {
        const { size } = made;
        const root = made.root();
        return made.admit(parties.second).sign(parties.second, { size, root });
      }),
      'SIGNER_UNKNOWN',
    );
  });

  test.each<[string, string, (made: TestLedger) => TestLedger]>([
    ['over more leaves than there are', 'SIGNATURE_SIZE', (made) => made.sign(parties.first, { size: made.size + 1 })],
    ['over fewer leaves than before', 'SIGNATURE_SIZE', (made) => made.sign(parties.first, { size: 3 })],
    [
      'over another size than its root',
      'ROOT_MISMATCH',
      (made) => made.settle().sign(parties.first, { size: made.size - 1 }),
    ],
    ['over another root', 'ROOT_MISMATCH', (made) => made.sign(parties.first, { root: newRoot })],
    ['in another view than its entry', 'SIGNATURE_VIEW', (made) => made.sign(parties.first, { view: 7 })],
    [
      'by the key of another',
      'SIGNATURE_INVALID',
      (made) => made.admit(parties.second).sign(parties.first, { nodeId: parties.second.nodeId }),
    ],
    [
      'with no signature at all',
      'SIGNATURE_INVALID',
      (made) => made.sign(parties.first, { signature: new Uint8Array() }),
    ],
  ])('%s: %s', async (_, code, go) => {
    await expectRefused(forged(go), code);
  });

  test('over leaf 0 alone', async () => {
    const { first, service } = parties;
    const made = sampleStart(service)
      .begin(first)
      .sign(first, { size: 1, root: new Uint8Array(32) });
    await expectRefused(made, 'SIGNATURE_SIZE');
  });

  test('nothing', async () => {
    await expectRefused(sampleStart(parties.service).begin(parties.first), 'SIGNATURE_MISSING');
  });

  test('in CBOR that is not canonical', async () => {
    const { nodeId } = parties.first;
    const payload = encodeSignatureEntry({ size: 6, view: 1, root: newRoot, nodeId, signature: newRoot });
    // The list in its long form: 0x98 0x05 instead of 0x85.
    const long = Buffer.concat([Uint8Array.of(0x98, 5), payload.subarray(1)]);
    await expectRefused(
      forged((made) => made.framed('signature', long)),
      'ENTRY_INVALID',
    );
  });

  test.each<[string, Uint8Array]>([
    ['no governance entry', encode('x')],
    ['a settlement command', encode([1, 0, false, [[1, 'terms']]])],
    ['a governance entry of another version', encode([2, 0, false, []])],
  ])('governance that is %s', async (_, payload) => {
    await expectRefused(
      forged((made) => made.framed('governance', payload)),
      'ENTRY_INVALID',
    );
  });

  test('a service entry of no known type', async () => {
    await expectRefused(
      forged((made) => made.framed('service', encode([99]))),
      'ENTRY_INVALID',
    );
  });

  test('evidence of a snapshot that comes later', async () => {
    const made = forged((begun) => begun.service({ type: 'snapshotEvidence', seqno: 9, digest: newRoot }));
    await expectRefused(made, 'ENTRY_INVALID');
  });
});

const sampleStart = (service: TestService): TestLedger => new TestLedger(service);

describe('who may sign', () => {
  const signedBy = async (options: Parameters<TestService['node']>[0]): Promise<TestLedger> => {
    const node = await parties.service.node({ raftId: 3, ...options });
    return beginLedger(parties).admit(node).sign(node);
  };

  test('a ledger of another service is refused, certificate and all', async () => {
    await expectRefused(sampleLedger(other), 'SERVICE_OTHER');
  });

  test('a genesis that names the pinned certificate does not make nodes of another service its own', async () => {
    const genesis = { serviceCertificate: parties.service.certificate };
    const made = sampleStart(other.service).begin(other.first, genesis).sign(other.first);
    await expectRefused(made, 'SIGNER_CERTIFICATE');
  });

  test('nodes that another service endorsed may not', async () => {
    const made = beginLedger(parties).admit(other.first).sign(other.first);
    await expectRefused(made, 'SIGNER_CERTIFICATE');
  });

  test('nor one that another certificate of the same name endorsed', async () => {
    const issuer = await newAuthority('Drawbridge test service');
    await expectRefused(await signedBy({ issuer }), 'SIGNER_CERTIFICATE');
  });

  test('nor one that a node endorsed', async () => {
    const between = await newAuthority('Between', parties.service.authority);
    await expectRefused(await signedBy({ issuer: between }), 'SIGNER_CERTIFICATE');
  });

  test.each<[string, Parameters<TestService['node']>[0]]>([
    ['that could issue others', { authority: true }],
    ['that is not for signatures', { usages: 4 }],
    ['on another curve', { namedCurve: 'P-256' }],
    ['with a critical extension that nobody knows', { critical: '1.3.6.1.4.1.99999.1' }],
  ])('nor one with a certificate %s', async (_, options) => {
    await expectRefused(await signedBy(options), 'SIGNER_CERTIFICATE');
  });

  test('nor one whose row has the certificate of another, or another platform', async () => {
    const { first, second } = parties;
    const swapped = { ...second, row: { ...second.row, certificate: first.certificate } };
    await expectRefused(beginLedger(parties).admit(swapped).sign(second), 'SIGNER_CERTIFICATE');
    const better = { ...second, row: { ...second.row, platform: 'sev-snp' } };
    await expectRefused(beginLedger(parties).admit(better).sign(second), 'SIGNER_CERTIFICATE');
  });

  test('a later certificate that is worse takes nothing from the one that counts', async () => {
    const { first } = parties;
    const worse = { ...first, row: { ...first.row, certificate: other.first.certificate } };
    expect(await verify(beginLedger(parties).admit(worse).sign(first))).toBe(0);
  });

  test('the last signer must have a certificate that is valid, or was at --at', async () => {
    const now = Date.now();
    const made = await signedBy({ fromMs: now - 20 * DAY_MS, toMs: now - 10 * DAY_MS });
    await expectRefused(made, 'CERTIFICATE_NOT_VALID');
    await expectRefused(made, 'CERTIFICATE_NOT_VALID', { at: new Date(now - 30 * DAY_MS).toISOString() });
    expect(await verify(made.sign(parties.first))).toBe(0);
  });

  test('as of a day on which all certificates were valid', async () => {
    const now = Date.now();
    const made = await signedBy({ fromMs: now - 20 * DAY_MS, toMs: now - 3_600_000 });
    await expectRefused(made, 'CERTIFICATE_NOT_VALID');
    expect(await verify(made, { at: new Date(now - 7_200_000).toISOString() })).toBe(0);
  });

  test.each<[string, string, object]>([
    ['of another service id', 'GENESIS_SERVICE', { serviceId: `0x${'12'.repeat(32)}` }],
    ['with another digest', 'GENESIS_DIGEST', { genesisDigest: `0x${'12'.repeat(32)}` }],
    ['without a certificate', 'SERVICE_OTHER', { serviceCertificate: 'none' }],
  ])('a genesis %s is refused', async (_, code, changes) => {
    const made = sampleStart(parties.service).begin(parties.first, changes).sign(parties.first);
    await expectRefused(made, code);
  });
});
