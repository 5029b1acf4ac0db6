import { expect, test } from '@jest/globals';
import { isBic, isLei } from './lei.ts';

/** Published LEIs: of a bank each in Germany, France and the United States. */
test.each(['7LTWFZYICNSX8D621K86', 'R0MUWSFPU8MPRO8K5P83', '8I5DZWZKVSZI1NUHU748', '529900T8BM49AURSDO55'])(
  '%s is a LEI',
  (text) => expect(isLei(text)).toBe(true),
);

test.each([
  ['7LTWFZYICNSX8D621K87', 'a wrong check digit'],
  ['7LTWFZYICNSX8D621K68', 'check digits exchanged'],
  ['7LTWFZYICNXS8D621K86', 'letters exchanged'],
  ['7ltwfzyicnsx8d621k86', 'small letters'],
  ['7LTWFZYICNSX8D621K8', '19 characters'],
  ['7LTWFZYICNSX8D621K8AA', '21 characters'],
  ['7LTWFZYICNSX8D621KAB', 'letters for check digits'],
  ['', 'nothing'],
])('%s is none: %s', (text) => expect(isLei(text)).toBe(false));

test.each(['DEUTDEFF', 'DEUTDEFF500', 'BNPAFRPPXXX'])('%s is a BIC', (text) => expect(isBic(text)).toBe(true));
test.each(['DEUTDEF', 'DEUTDEFF50', 'DEUT12FF', 'deutdeff', 'DEUTDEFF5000', ''])('%s is none', (text) =>
  expect(isBic(text)).toBe(false),
);
