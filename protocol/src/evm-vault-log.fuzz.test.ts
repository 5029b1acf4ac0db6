import { test } from '@jest/globals';
import { expectEthersAgrees, expectTrails } from './testing/vault-logs.ts';

test('a trail of any length up to the bound comes through, one byte more is refused', () => expectTrails(100));
test('what decodes after any change of data encodes to that data, by ethers', () => expectEthersAgrees(1_000));
