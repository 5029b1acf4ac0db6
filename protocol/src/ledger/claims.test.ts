import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { parseBytes32 } from '../bytes32.ts';
import { parseAssetCode, parseNetworkId, parseParticipantId } from '../ids.ts';
import { type ClaimEvent, type ClaimTerms, claimText, MAX_CLAIM_CHARACTERS, parseClaim } from './claim-text.ts';
import { CLAIM_SALT_BYTES, ClaimsTree, claimsDigest, claimsDigestOf } from './claims.ts';

const saltOf = (index: number): Uint8Array => sha256(utf8ToBytes(`salt ${index}`));
const saltsFor = (texts: readonly string[]): Uint8Array => concatBytes(...texts.map((_, index) => saltOf(index)));

/** RFC 6962 §2.1 over salted leaves, as it is written there. */
function naiveRoot(texts: readonly string[], first = 0, end: number = texts.length): Uint8Array {
  if (end - first === 1) {
    return sha256(concatBytes(Uint8Array.of(0), saltOf(first), utf8ToBytes(texts[first] ?? '')));
  }
  let split = 1;
  while (split * 2 < end - first) split *= 2;
  return sha256(
    concatBytes(Uint8Array.of(1), naiveRoot(texts, first, first + split), naiveRoot(texts, first + split, end)),
  );
}

describe('the claims of an entry', () => {
  const textsOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `claim ${index} – é`);

  test('have zero bytes for a digest where there are none', () => {
    expect(claimsDigest([], new Uint8Array(0), sha256)).toEqual(new Uint8Array(32));
    expect(new ClaimsTree([], new Uint8Array(0), sha256).root).toEqual(new Uint8Array(32));
  });

  test.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 300])(
    '%s of them have the root of RFC 6962, and each is proven',
    (count) => {
      const texts = textsOf(count);
      const root = naiveRoot(texts);
      const tree = new ClaimsTree(texts, saltsFor(texts), sha256);
      expect(claimsDigest(texts, saltsFor(texts), sha256)).toEqual(root);
      expect(tree.root).toEqual(root);
      for (const [index, claim] of texts.entries()) {
        const proof = tree.prove(index);
        expect(proof.claim).toBe(claim);
        expect(claimsDigestOf(proof, sha256)).toEqual(root);
      }
    },
  );

  test('another text, salt or step leads elsewhere', () => {
    const tree = new ClaimsTree(textsOf(5), saltsFor(textsOf(5)), sha256);
    const proof = tree.prove(2);
    const [step, ...rest] = proof.proof;
    const wrong = [
      { ...proof, claim: `${proof.claim} ` },
      { ...proof, salt: bytesToHex(saltOf(9)) },
      { ...proof, proof: rest },
      { ...proof, proof: [...(step ? [step, step] : []), ...rest] },
      { ...proof, proof: [...rest, ...(step ? [step] : [])] },
      { ...proof, proof: proof.proof.map((each) => ('left' in each ? { right: each.left } : { left: each.right })) },
    ];
    for (const each of wrong) expect(claimsDigestOf(each, sha256)).not.toEqual(tree.root);
  });

  test('longer than any so far find room', () => {
    const texts = ['a', 'é'.repeat(3_000), 'b'];
    expect(claimsDigest(texts, saltsFor(texts), sha256)).toEqual(naiveRoot(texts));
  });

  test.each([0, 1, 3])('two with %s salts are refused', (count) => {
    const salts = new Uint8Array(count * CLAIM_SALT_BYTES);
    expect(() => claimsDigest(textsOf(2), salts, sha256)).toThrow(RangeError);
    expect(() => new ClaimsTree(textsOf(2), salts, sha256)).toThrow(RangeError);
  });

  test('there are no others', () => {
    expect(() => new ClaimsTree(textsOf(2), saltsFor(textsOf(2)), sha256).prove(2)).toThrow(RangeError);
  });
});

const debtor = parseParticipantId('5493001KJTIIGC8Y1R12');
const creditor = parseParticipantId('529900T8BM49AURSDO55');
const word = (digit: string) => parseBytes32(`0x${digit.repeat(64)}`);
const terms: ClaimTerms = {
  asset: parseAssetCode('EUR'),
  amountMinor: 125_000n,
  debtor,
  creditor,
  source: { network: parseNetworkId('alpha'), depositor: word('1') },
  destination: { network: parseNetworkId('beta'), beneficiary: word('2') },
};
const id = '8a562c67-ca16-48ba-b074-65581be6f011';
const event: ClaimEvent = {
  participant: debtor,
  number: 17,
  stampMs: 1_936_000_000_000,
  body: { type: 'transfer', bank: debtor, id, state: 'SETTLED' },
};
const HEAD = `{"v":1,"participant":"${debtor}","number":17,"stampMs":1936000000000,"type":"transfer","bank":"${debtor}","id":"${id}"`;
const TERMS = `"asset":"EUR","amountMinor":"125000","debtor":"${debtor}","creditor":"${creditor}"`;
const SOURCE = `"source":{"network":"alpha","depositor":"0x${'1'.repeat(64)}"}`;
const DESTINATION = `"destination":{"network":"beta","beneficiary":"0x${'2'.repeat(64)}"}`;

describe('the text of a claim', () => {
  test('about a transfer', () => {
    expect(claimText(event, terms)).toBe(`${HEAD},"state":"SETTLED",${TERMS},${SOURCE},${DESTINATION}}`);
  });

  test('says why it ended so, where there is a reason, and has no edges where there are none', () => {
    const { source: _, destination: __, ...plain } = terms;
    const rejected: ClaimEvent = {
      ...event,
      body: { type: 'transfer', bank: debtor, id, state: 'REJECTED', reason: 'AM04' },
    };
    expect(claimText(rejected, plain)).toBe(`${HEAD},"state":"REJECTED","reason":"AM04",${TERMS}}`);
  });

  test('tells the creditor nothing of the deposit', () => {
    const text = claimText({ ...event, participant: creditor }, terms);
    expect(text).not.toContain('source');
    expect(text).toContain(DESTINATION);
    expect(parseClaim(text).terms).not.toHaveProperty('source');
  });

  test('about a lock', () => {
    const body = {
      type: 'lock',
      network: parseNetworkId('alpha'),
      asset: terms.asset,
      lockId: word('3'),
      state: 'UNMATCHED',
    } as const;
    const text = claimText({ ...event, body });
    expect(text).toBe(
      `{"v":1,"participant":"${debtor}","number":17,"stampMs":1936000000000,"type":"lock","network":"alpha","asset":"EUR","lockId":"0x${'3'.repeat(64)}","state":"UNMATCHED"}`,
    );
    expect(parseClaim(text)).toEqual({ event: { ...event, body } });
  });

  test('about a transfer without its terms is a bug', () => {
    expect(() => claimText(event)).toThrow(TypeError);
  });

  test('comes back, and fits', () => {
    const longest: ClaimEvent = {
      participant: parseParticipantId('A'.repeat(32)),
      number: Number.MAX_SAFE_INTEGER,
      stampMs: Number.MAX_SAFE_INTEGER,
      body: {
        type: 'transfer',
        bank: parseParticipantId('A'.repeat(32)),
        id,
        state: 'AWAITING_APPROVAL',
        reason: 'X'.repeat(32),
      },
    };
    const network = parseNetworkId('n'.repeat(48));
    const widest: ClaimTerms = {
      asset: parseAssetCode('A'.repeat(16)),
      amountMinor: 2n ** 63n - 1n,
      debtor: parseParticipantId('A'.repeat(32)),
      creditor: parseParticipantId('C'.repeat(32)),
      source: { network, depositor: word('1') },
      destination: { network, beneficiary: word('2') },
    };
    const text = claimText(longest, widest);
    expect(text.length).toBeLessThanOrEqual(MAX_CLAIM_CHARACTERS);
    expect(parseClaim(text)).toEqual({ event: longest, terms: widest });
    expect(parseClaim(claimText(event, terms))).toEqual({ event, terms });
  });

  const sound = claimText(event, terms);
  test.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['another version', sound.replace('"v":1', '"v":2')],
    ['another type', sound.replace('"type":"transfer"', '"type":"gift"')],
    ['fields in another order', sound.replace(/("bank":"[^"]+"),("id":"[^"]+")/, '$2,$1')],
    ['a space', sound.replace(',', ', ')],
    ['one field more', sound.replace('"v":1', '"v":1,"w":1')],
    ['a field twice', sound.replace('"v":1', '"v":1,"v":1')],
    ['one field more within', sound.replace('"network":"alpha"', '"network":"alpha","x":1')],
    ['a number as text', sound.replace('"number":17', '"number":"17"')],
    ['a number of zero', sound.replace('"number":17', '"number":0')],
    ['a number in another notation', sound.replace('"number":17', '"number":1.7e1')],
    ['an amount with a zero in front', sound.replace('"125000"', '"0125000"')],
    ['an amount of nothing', sound.replace('"125000"', '"0"')],
    ['an escaped letter', sound.replace('EUR', '\\u0045UR')],
    ['a state in small letters', sound.replace('SETTLED', 'settled')],
    ['a source for the creditor', sound.replace(debtor, creditor)],
    ['too much', `${sound}${' '.repeat(MAX_CLAIM_CHARACTERS)}`],
  ])('with %s is refused', (_, text) => {
    expect(() => parseClaim(text)).toThrow(expect.objectContaining({ code: 'RECEIPT_INVALID' }));
  });

  test('any text that is taken is the one text of what it says', () => {
    const changes = fc.tuple(fc.nat(sound.length - 1), fc.constantFrom(...Array.from('"{}[],:0123456789aeE+-. \\nt')));
    fc.assert(
      fc.property(changes, ([at, char]) => {
        const text = sound.slice(0, at) + char + sound.slice(at + 1);
        try {
          const { event: read, terms: readTerms } = parseClaim(text);
          expect(claimText(read, readTerms)).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'RECEIPT_INVALID' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
