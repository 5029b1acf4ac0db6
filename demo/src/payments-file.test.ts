import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sceneOf } from './cast.ts';
import { parsePayments, readPayments } from './payments-file.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const HEADER = 'id,debtor,creditor,asset,amount';
const wordsOf = (text: string): string => {
  try {
    parsePayments(text);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ name: 'PaymentsFileError', code: 'PAYMENTS_INVALID' });
    return (error as Error).message;
  }
};

describe('a payments file', () => {
  it('needs five columns only; the rest has the defaults that its description names', () => {
    expect(parsePayments(`\uFEFF# words\n${HEADER}\n${ID},aurora,boreal,EUR,12.5\n`)).toEqual([
      {
        row: 1,
        wave: 1,
        id: ID,
        debtor: 'aurora',
        creditor: 'boreal',
        asset: 'EUR',
        amountMinor: 1250n,
        beneficiary: 'wallet',
        lock: 'exact',
        onVoid: 'return',
        fundBySeconds: 60,
        deliverBySeconds: 120,
      },
    ]);
  });

  it('the one that npm start runs has 24 payments', async () => {
    expect(await readPayments(resolve(import.meta.dirname, '../../examples/payments.csv'))).toHaveLength(24);
  });

  it('is refused with every row that is wrong, each once and in words', () => {
    const rows = [`X,nobody,boreal,EUR,1.234`, `${ID},aurora,boreal,XXX,-5`, `${ID},aurora,boreal,EUR,0`];
    expect(wordsOf([HEADER, ...rows].join('\n')).split('\n')).toEqual([
      'the payments file is wrong:',
      '  row 1: debtor must be one of aurora, boreal, corvid',
      '  row 1: id must be a UUID in lower case',
      expect.stringMatching(/^ {2}row 1: amount must be a number above zero with/),
      '  row 2: asset must be one of EUR, USD',
      expect.stringMatching(/^ {2}row 2: amount must be a number above zero with/),
      '  row 3: amount must be above zero',
    ]);
  });

  it.each([
    ['', 'has no payments'],
    [HEADER, 'has no payments'],
    [`${HEADER},colour\n${ID},aurora,boreal,EUR,1,red`, 'colour is unknown'],
    [`${HEADER},debtor\n${ID},aurora,boreal,EUR,1,corvid`, 'debtor stands twice'],
    [`debtor,creditor,asset,amount\naurora,boreal,EUR,1`, 'id is missing'],
    [`${HEADER}\n${ID},aurora`, 'line 2'],
    [`${HEADER}\n"${ID},aurora`, 'header row'],
    [`${HEADER},wave\n${ID},aurora,boreal,EUR,1,1e3`, 'wave must be a whole number'],
    [`${HEADER},source\n${ID},aurora,boreal,EUR,1,quorum-z`, 'source must be one of quorum-a, quorum-b'],
  ])('is refused: %j', (text, words) => {
    expect(wordsOf(text)).toContain(words);
  });

  it('that is not there is refused in words', async () => {
    await expect(readPayments('/nonexistent.csv')).rejects.toMatchObject({ code: 'PAYMENTS_INVALID' });
  });
});

describe('payments over Corda', () => {
  const scene = sceneOf({ corda: true });
  const row = (rest: string): string =>
    `id,debtor,creditor,asset,amount,source,destination,beneficiary\n${ID},${rest}\n`;
  const wrong = (rest: string, of = scene): string => {
    try {
      parsePayments(row(rest), of);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('the ones that npm start -- --with corda runs beside the others use both directions', async () => {
    const file = resolve(import.meta.dirname, '../../examples/corda-payments.csv');
    const routes = (await readPayments(file, scene)).map(({ source, destination }) => `${source}>${destination}`);
    expect(routes).toEqual(expect.arrayContaining(['corda>quorum-a', 'quorum-a>corda', 'quorum-b>corda']));
  });

  it('pounds and the network are unknown to a run without it', () => {
    const off = sceneOf({ corda: false });
    expect(wrong('aurora,boreal,GBP,1,quorum-a,quorum-b,', off)).toContain('asset must be one of EUR, USD');
    expect(wrong('aurora,boreal,EUR,1,corda,quorum-b,', off)).toContain('source must be one of quorum-a, quorum-b');
  });

  it.each([
    ['boreal,aurora,GBP,1,corda,quorum-a,', 'boreal has no node on corda, only aurora has'],
    ['aurora,boreal,GBP,1,quorum-a,corda,', 'boreal has no node on corda, only aurora has'],
    ['aurora,boreal,EUR,1,corda,quorum-a,', 'corda has no vault of EUR, only of GBP'],
    ['boreal,aurora,GBP,1,quorum-a,corda,refuses', 'nobody refuses on corda'],
  ])('%s is wrong, and says why', (rest, words) => {
    expect(wrong(rest)).toContain(words);
  });
});
