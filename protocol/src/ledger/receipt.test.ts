import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { formatExportPage, parseExportPage } from './bank-export.ts';
import { ClaimsTree } from './claims.ts';
import {
  claimsFit,
  parseReceipt,
  pathSteps,
  proofSteps,
  receiptLeaf,
  receiptRoot,
  receiptRootPreimage,
} from './receipt.ts';
import {
  commitEvidenceText,
  formatTransactionId,
  parseTransactionId,
  transactionOfEvidence,
} from './transaction-id.ts';

const refused = expect.objectContaining({ code: expect.stringMatching(/^(RECEIPT|ID)_INVALID$/) });
const tree = new ClaimsTree(['one', 'two', 'three'], new Uint8Array(96), sha256);
const COMPONENTS = {
  write_set_digest: '9e'.repeat(32),
  commit_evidence: `ce:2.1042:${'6b'.repeat(32)}`,
  claims_digest: bytesToHex(tree.root),
};
const COMMON = {
  cert: 'certificate',
  node_id: 'ab'.repeat(32),
  signature: 'MGUCMQ==',
  proof: [{ left: '7c'.repeat(32) }, { right: '8d'.repeat(32) }],
  transaction_id: '2.1042',
  platform: 'virtual',
  rollbackProtected: false,
};
const whole = { ...COMMON, leaf_components: COMPONENTS, service_endorsements: ['one'], claims_proof: tree.prove(1) };
const ofSignature = { ...COMMON, proof: [], leaf: 'af'.repeat(32) };

describe('a receipt', () => {
  test('is read as it is, without what is not known', () => {
    expect(parseReceipt(whole)).toEqual(whole);
    expect(parseReceipt(ofSignature)).toEqual(ofSignature);
    expect(parseReceipt({ ...ofSignature, cose: 'later' })).toEqual(ofSignature);
  });

  test('leads from its parts to the root', () => {
    const leaf = sha256(
      concatBytes(hexToBytes(COMPONENTS.write_set_digest), sha256(utf8ToBytes(COMPONENTS.commit_evidence)), tree.root),
    );
    const below = sha256(concatBytes(new Uint8Array(32).fill(0x7c), leaf));
    const preimage = concatBytes(below, new Uint8Array(32).fill(0x8d));
    const receipt = parseReceipt(whole);
    expect(receiptLeaf(receipt, sha256)).toEqual(leaf);
    expect(receiptRootPreimage(receipt, sha256)).toEqual(preimage);
    expect(receiptRoot(receipt, sha256)).toEqual(sha256(preimage));
    expect(claimsFit(receipt, sha256)).toBe(true);
  });

  test('on the left side at the end has its preimage in the other order', () => {
    const receipt = parseReceipt({ ...whole, proof: [{ left: '7c'.repeat(32) }] });
    expect(receiptRoot(receipt, sha256)).toEqual(sha256(receiptRootPreimage(receipt, sha256) ?? new Uint8Array()));
  });

  test('of a signature is the root itself', () => {
    const receipt = parseReceipt(ofSignature);
    expect(receiptRoot(receipt, sha256)).toEqual(new Uint8Array(32).fill(0xaf));
    expect(receiptRootPreimage(receipt, sha256)).toBeUndefined();
    expect(claimsFit(receipt, sha256)).toBe(true);
  });

  test('with a claim of another entry does not fit', () => {
    const other = new ClaimsTree(['other'], new Uint8Array(32), sha256).prove(0);
    expect(claimsFit(parseReceipt({ ...whole, claims_proof: other }), sha256)).toBe(false);
  });

  test('has steps that come back', () => {
    expect(proofSteps(pathSteps(whole.proof))).toEqual(whole.proof);
  });

  test.each<[string, unknown]>([
    ['no object', []],
    ['nothing', null],
    ['neither leaf nor components', COMMON],
    ['both', { ...whole, leaf: 'af'.repeat(32) }],
    ['a signature with a path', { ...ofSignature, proof: whole.proof }],
    ['a signature with a claim', { ...ofSignature, claims_proof: whole.claims_proof }],
    ['a node id in capitals', { ...whole, node_id: 'AB'.repeat(32) }],
    ['a signature that is no base64', { ...whole, signature: 'MGU*' }],
    ['a signature without padding', { ...whole, signature: 'MGUCMQ' }],
    ['no signature', { ...whole, signature: '' }],
    ['a signature that is too long', { ...whole, signature: 'AAAA'.repeat(39) }],
    ['a step with both sides', { ...whole, proof: [{ left: '7c'.repeat(32), right: '7c'.repeat(32) }] }],
    ['a step with none', { ...whole, proof: [{}] }],
    ['a short step', { ...whole, proof: [{ left: '7c' }] }],
    ['too many steps', { ...whole, proof: Array.from({ length: 55 }, () => ({ left: '7c'.repeat(32) })) }],
    ['a digest in capitals', { ...whole, leaf_components: { ...COMPONENTS, claims_digest: 'AF'.repeat(32) } }],
    ['evidence of another form', { ...whole, leaf_components: { ...COMPONENTS, commit_evidence: 'ce:2.1042:6b' } }],
    ['a transaction id of another form', { ...whole, transaction_id: '2.01' }],
    ['no transaction id', { ...whole, transaction_id: undefined }],
    ['a flag as text', { ...whole, rollbackProtected: 'false' }],
    ['a platform that is too long', { ...whole, platform: 'x'.repeat(65) }],
    ['endorsements that are no list', { ...whole, service_endorsements: 'pem' }],
    ['too many endorsements', { ...whole, service_endorsements: Array.from({ length: 17 }, () => 'pem') }],
    ['a certificate that is too long', { ...whole, cert: 'x'.repeat(16_385) }],
    ['a claim that is too long', { ...whole, claims_proof: { ...whole.claims_proof, claim: 'x'.repeat(1_025) } }],
    ['a short salt', { ...whole, claims_proof: { ...whole.claims_proof, salt: '00' } }],
  ])('with %s is refused', (_, value) => {
    expect(() => parseReceipt(value)).toThrow(refused);
  });
});

describe('a transaction id', () => {
  test('comes back', () => {
    expect(parseTransactionId('2.1042')).toEqual({ view: 2, seqno: 1_042 });
    expect(formatTransactionId({ view: 2, seqno: 1_042 })).toBe('2.1042');
    expect(parseTransactionId(`1.${Number.MAX_SAFE_INTEGER}`)).toEqual({ view: 1, seqno: Number.MAX_SAFE_INTEGER });
  });

  test.each([
    [''],
    ['2'],
    ['2.'],
    ['.2'],
    ['0.1'],
    ['1.0'],
    ['01.1'],
    ['1.1.1'],
    ['1,1'],
    ['-1.1'],
    [' 1.1'],
    ['1.9007199254740993'],
  ])('%j is none', (text) => {
    expect(parseTransactionId(text)).toBeUndefined();
  });

  test('is in commit evidence', () => {
    const text = commitEvidenceText('2.1042', '6b'.repeat(32));
    expect(transactionOfEvidence(text)).toEqual({ view: 2, seqno: 1_042 });
    for (const wrong of [
      text.toUpperCase(),
      `${text}0`,
      text.replace('ce:', ''),
      text.replace('2.1042', '2'),
      `x${text}`,
    ]) {
      expect(() => transactionOfEvidence(wrong)).toThrow(refused);
    }
  });
});

describe('an export', () => {
  const page = { participant: 'BANKA', items: [{ seqno: 4, claims_proof: tree.prove(0) }] };

  test('is read as it was written', () => {
    const line = formatExportPage(parseExportPage(page));
    expect(line).toMatch(/^[^\n]+\n$/);
    expect(parseExportPage(JSON.parse(line))).toEqual(page);
  });

  test.each<[string, unknown]>([
    ['no object', []],
    ['no participant', { items: [] }],
    ['a participant of another form', { ...page, participant: 'BANK A' }],
    ['no items', { participant: 'BANKA' }],
    ['an item that is no object', { ...page, items: [1] }],
    ['a seqno as text', { ...page, items: [{ ...page.items[0], seqno: '4' }] }],
    ['no proof', { ...page, items: [{ seqno: 4 }] }],
  ])('with %s is refused', (_, value) => {
    expect(() => parseExportPage(value)).toThrow(expect.objectContaining({ code: 'RECEIPT_INVALID' }));
  });
});
