import { sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { BANK_A, BANK_B, beginLedger, newParties, type Parties, sampleLedger } from './testing/sample-ledger.ts';
import { TestLedger } from './testing/test-ledger.ts';
import { newAuthority, type TestNode } from './testing/test-service.ts';
import { VerifierBench } from './testing/verifier-bench.ts';
import { verifyReceiptCommand } from './verify-receipt.ts';

const DAY_MS = 86_400_000;

const bench = VerifierBench.setUp();
const { at, verifyReceipt: verify, expectReceiptRefused: expectRefused } = bench;
let parties: Parties;
let ledger: TestLedger;
/** What `BANK_A` was told at seqno 14, and its signature at 17. */
let sound: Receipt;
let ofSignature: Receipt;
beforeAll(() => {
  parties = bench.parties;
  ledger = sampleLedger(parties);
  sound = ledger.receipt(14, 0);
  ofSignature = ledger.receipt(17);
});

describe('a sound receipt', () => {
  test('of a transfer: what it proves, in words, and what not', async () => {
    expect(await verify(sound)).toBe(0);
    expect(bench.printed).toMatch(/^receipt +PROVEN$/m);
    expect(bench.printed).toMatch(/^transaction +2\.14$/m);
    expect(bench.printed).toMatch(new RegExp(`^signed by +node ${parties.second.nodeId}$`, 'm'));
    expect(bench.printed).toMatch(new RegExp(`^participant +${BANK_A}, its event 4$`, 'm'));
    expect(bench.printed).toMatch(/^at +2031-05-06T07:08:09\.127Z$/m);
    expect(bench.printed).toMatch(new RegExp(`^transfer +8a562c67-ca16-48ba-b074-65581be6f011 of ${BANK_A}$`, 'm'));
    expect(bench.printed).toMatch(/^state +SETTLED$/m);
    expect(bench.printed).toMatch(/^amount +EUR 125000 minor units$/m);
    expect(bench.printed).toMatch(new RegExp(`^creditor +${BANK_B}$`, 'm'));
    expect(bench.printed).toMatch(/^source +alpha, deposit of 0x0+1b/m);
    expect(bench.printed).toMatch(/^but +what came later is not in it/m);
    expect(bench.printed).toMatch(/^but +platform virtual: a host that rolled its disk back would go unnoticed/m);
  });

  test('as JSON for programs', async () => {
    expect(await verify(sound, { json: true, transaction: '2.14' })).toBe(0);
    expect(JSON.parse(bench.printed)).toMatchObject({
      proven: true,
      transactionId: '2.14',
      transactionProven: true,
      nodeId: parties.second.nodeId,
      platform: 'virtual',
      rollbackProtected: false,
      claim: { participant: BANK_A, number: 4, state: 'SETTLED', amountMinor: '125000' },
    });
  });

  test('without a claim proves the entry alone', async () => {
    expect(await verify(ledger.receipt(12))).toBe(0);
    expect(bench.printed).toMatch(/^proves +the ledger that this node signed holds transaction 2\.12$/m);
    expect(bench.printed).toMatch(/^but +nothing about its content/m);
  });

  test('of a signature proves a root, and its id is what the file says', async () => {
    expect(await verify(ofSignature)).toBe(0);
    expect(bench.printed).toMatch(/^proves +the ledger that this node signed has this root$/m);
    expect(bench.printed).toMatch(/^transaction +2\.17, not proven$/m);
    expect(bench.printed).toMatch(/^but +its transaction id is what the file says/m);
    await verify(ofSignature, { json: true });
    expect(JSON.parse(bench.printed)).toMatchObject({ transactionId: '2.17', transactionProven: false });
  });

  test('of a lock', async () => {
    const body = {
      type: 'lock',
      network: parseNetworkId('alpha'),
      asset: parseAssetCode('EUR'),
      lockId: parseBytes32(`0x${'1b'.repeat(32)}`),
      state: 'UNMATCHED',
    } as const;
    const event = { participant: BANK_A, number: 2, stampMs: 0, body };
    const made = beginLedger(parties).settle([{ event }]).sign(parties.first);
    expect(await verify(made.receipt(6, 0))).toBe(0);
    expect(bench.printed).toMatch(/^lock +0x(1b){32} on alpha, EUR$/m);
    expect(bench.printed).toMatch(/^state +UNMATCHED$/m);
  });

  test('of every entry that a signature covers', async () => {
    for (let seqno = 1; seqno <= 17; seqno++) expect(await verify(ledger.receipt(seqno))).toBe(0);
  });

  test('through certificates of services in between', async () => {
    const between = await newAuthority('Earlier service', parties.service.authority);
    const node = await parties.service.node({ issuer: between });
    const receipt = new TestLedger(parties.service).begin(node).sign(node).receipt(1);
    expect(await verify({ ...receipt, service_endorsements: [between.pem] })).toBe(0);
    await expectRefused(receipt, 'certificate', 'CERTIFICATE_ISSUER');
    const strange = await newAuthority('Earlier service');
    await expectRefused({ ...receipt, service_endorsements: [strange.pem] }, 'certificate', 'CERTIFICATE_ISSUER');
  });

  test('of a platform that protects memory says whose word the rest is', async () => {
    const node = await parties.service.node({ platform: 'sev-snp' });
    const receipt = new TestLedger(parties.service).begin(node).sign(node).receipt(1);
    expect(await verify({ ...receipt, rollbackProtected: true })).toBe(0);
    expect(bench.printed).toMatch(/^but +that rollback is protected against is the word of the node/m);
    expect(await verify(receipt)).toBe(0);
    expect(bench.printed).toMatch(/^but +rollbackProtected is false/m);
  });
});

describe('a forged receipt', () => {
  const components = () => {
    if (!('leaf_components' in sound)) throw new Error('it has no components');
    return sound.leaf_components;
  };
  const claims = () => {
    if (!sound.claims_proof) throw new Error('it has no claims');
    return sound.claims_proof;
  };
  const flipped = (hex: string): string => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);
  const withComponents = (change: object): object => ({ ...sound, leaf_components: { ...components(), ...change } });
  const withClaim = (change: (claim: string) => string): object => ({
    ...sound,
    claims_proof: { ...claims(), claim: change(claims().claim) },
  });
  const signedBy = ({ key, certificate, nodeId, row }: TestNode): object => {
    const root = Buffer.from('leaf' in ofSignature ? ofSignature.leaf : '', 'hex');
    const signature = sign('sha256', root, key).toString('base64');
    return { ...ofSignature, cert: certificate, node_id: nodeId, platform: row.platform, signature };
  };

  test.each<[string, string, string, () => object]>([
    ['another amount', 'claim', 'CLAIM_MISMATCH', () => withClaim((claim) => claim.replace('125000', '925000'))],
    ['another state', 'claim', 'CLAIM_MISMATCH', () => withClaim((claim) => claim.replace('SETTLED', 'RETURNED'))],
    ['a claim in another form', 'form', 'FORM_INVALID', () => withClaim((claim) => `${claim} `)],
    [
      'another salt',
      'claim',
      'CLAIM_MISMATCH',
      () => ({ ...sound, claims_proof: { ...claims(), salt: flipped(claims().salt) } }),
    ],
    [
      'the claim of another entry',
      'claim',
      'CLAIM_MISMATCH',
      () => ({ ...sound, claims_proof: ledger.receipt(13, 0).claims_proof }),
    ],
    ['a path that is shorter', 'signature', 'SIGNATURE_INVALID', () => ({ ...sound, proof: sound.proof.slice(1) })],
    [
      'a path in another order',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...sound, proof: sound.proof.toReversed() }),
    ],
    [
      'the path of another entry',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...sound, proof: ledger.receipt(13).proof }),
    ],
    [
      'another write set',
      'signature',
      'SIGNATURE_INVALID',
      () => withComponents({ write_set_digest: flipped(components().write_set_digest) }),
    ],
    [
      'another claims digest',
      'signature',
      'SIGNATURE_INVALID',
      () => withComponents({ claims_digest: flipped(components().claims_digest) }),
    ],
    [
      'other commit evidence',
      'signature',
      'SIGNATURE_INVALID',
      () => withComponents({ commit_evidence: `ce:2.14:${'00'.repeat(32)}` }),
    ],
    [
      'evidence of another transaction',
      'transaction',
      'TRANSACTION_MISMATCH',
      () => withComponents({ commit_evidence: components().commit_evidence.replace('2.14', '2.15') }),
    ],
    [
      'the id of another transaction',
      'transaction',
      'TRANSACTION_MISMATCH',
      () => ({ ...sound, transaction_id: '2.15' }),
    ],
    [
      'the signature of another receipt',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...sound, signature: ledger.receipt(4).signature }),
    ],
    ['a signature that is no DER', 'signature', 'SIGNATURE_INVALID', () => ({ ...sound, signature: 'AAAA' })],
    [
      'the certificate of another node',
      'node',
      'NODE_ID_MISMATCH',
      () => ({ ...sound, cert: parties.first.certificate }),
    ],
    [
      'certificate and id of another node',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...sound, cert: parties.first.certificate, node_id: parties.first.nodeId }),
    ],
    ['the id of another node', 'node', 'NODE_ID_MISMATCH', () => ({ ...sound, node_id: parties.first.nodeId })],
    ['a better platform', 'platform', 'PLATFORM_MISMATCH', () => ({ ...sound, platform: 'sev-snp' })],
    ['protection against rollback', 'platform', 'ROLLBACK_CLAIMED', () => ({ ...sound, rollbackProtected: true })],
    [
      'the certificate of the service',
      'certificate',
      'CERTIFICATE_USAGE',
      () => ({ ...sound, cert: parties.service.certificate }),
    ],
    ['no certificate', 'certificate', 'CERTIFICATE_FORM', () => ({ ...sound, cert: 'none' })],
    ['no signature', 'form', 'FORM_INVALID', () => ({ ...sound, signature: '' })],
    [
      'a signature entry with another root',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...ofSignature, leaf: flipped('leaf' in ofSignature ? ofSignature.leaf : '') }),
    ],
    [
      'a signature entry signed by something that is no DER',
      'signature',
      'SIGNATURE_INVALID',
      () => ({ ...ofSignature, signature: 'AAAA' }),
    ],
    ['a signature entry over the hash of the root', 'signature', 'SIGNATURE_INVALID', () => signedBy(parties.second)],
  ])('%s: %s, %s', async (_, check, code, receipt) => {
    await expectRefused(receipt(), check, code);
  });

  test('is for another transaction than asked', async () => {
    await expectRefused(sound, 'transaction', 'TRANSACTION_OTHER', { transaction: '2.13' });
  });

  test('is of a signature, which proves no number, whichever it names', async () => {
    const flags = { transaction: '2.17' };
    await expectRefused(ofSignature, 'transaction', 'TRANSACTION_UNPROVEN', flags);
    const renamed = { ...ledger.receipt(5), transaction_id: '2.17' };
    await expectRefused(renamed, 'transaction', 'TRANSACTION_UNPROVEN', flags);
  });

  test('by a node of another service', async () => {
    const other = await newParties();
    await expectRefused(sampleLedger(other).receipt(14, 0), 'certificate', 'CERTIFICATE_ISSUER');
  });

  test('by a node whose certificate is not valid, unless it was at --at', async () => {
    const now = Date.now();
    const node = await parties.service.node({ fromMs: now - 20 * DAY_MS, toMs: now - 3_600_000 });
    const receipt = new TestLedger(parties.service).begin(node).sign(node).receipt(1);
    await expectRefused(receipt, 'validity', 'CERTIFICATE_NOT_VALID');
    expect(await verify(receipt, { at: new Date(now - 7_200_000).toISOString() })).toBe(0);
    const later = await parties.service.node({ fromMs: now + DAY_MS, toMs: now + 2 * DAY_MS });
    const early = new TestLedger(parties.service).begin(later).sign(later).receipt(1);
    await expectRefused(early, 'validity', 'CERTIFICATE_NOT_VALID');
  });

  test.each<[string, Parameters<Parties['service']['node']>[0], string]>([
    ['could issue others', { authority: true }, 'CERTIFICATE_USAGE'],
    ['may sign certificates', { usages: 1 | 32 }, 'CERTIFICATE_USAGE'],
    ['is not for signatures', { usages: 4 }, 'CERTIFICATE_USAGE'],
    ['is on another curve', { namedCurve: 'P-256' }, 'CERTIFICATE_KEY'],
    ['names no platform', { units: '' }, 'CERTIFICATE_PLATFORM'],
    ['names two platforms', { units: ', OU=platform virtual, OU=platform sev-snp' }, 'CERTIFICATE_PLATFORM'],
    ['has a critical extension that nobody knows', { critical: '1.3.6.1.4.1.99999.1' }, 'CERTIFICATE_FORM'],
  ])('by a node whose certificate %s', async (_, options, code) => {
    const node = await parties.service.node(options);
    const receipt = new TestLedger(parties.service).begin(node).sign(node).receipt(1);
    await expectRefused(receipt, 'certificate', code);
  });
});

describe('what cannot be judged is an error in words', () => {
  test('no JSON', async () => {
    await writeFile(at('cut.json'), '{"cert":');
    const parts = { output: bench.output, nowMs: Date.now() };
    const cut = verifyReceiptCommand(at('cut.json'), { serviceCert: at('service.pem') }, parts);
    await expect(cut).rejects.toMatchObject({ name: 'CliError', exitCode: 2 });
  });

  test('no certificate to pin, and a time that is none', async () => {
    await expect(verify(sound, { serviceCert: at('none.pem') })).rejects.toMatchObject({ code: 'FILE', exitCode: 2 });
    await expect(verify(sound, { at: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
  });

  test('JSON that is no receipt is refused', async () => {
    await expectRefused({}, 'form', 'FORM_INVALID');
    await verify({});
    expect(bench.printed).toMatch(/^receipt +REFUSED$/m);
    expect(bench.printed).toMatch(/^check +form \(1 of 8\)$/m);
  });
});
