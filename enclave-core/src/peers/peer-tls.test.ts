import { expect, test } from '@jest/globals';
import { formatAddress, parseAddress } from './peer-tls.ts';

test.each([
  ['127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
  ['node-1.example:65535', { host: 'node-1.example', port: 65_535 }],
  ['[::1]:1', { host: '::1', port: 1 }],
  ['::1:80', null],
  ['host', null],
  ['host:0', null],
  ['host:65536', null],
  ['[host]:80', null],
  [':80', null],
])('address %s', (address, expected) => expect(parseAddress(address)).toEqual(expected));

test('an address is written as it is read', () => {
  for (const address of ['127.0.0.1:8443', '[fe80::1]:443', 'name:1']) {
    const { host, port } = parseAddress(address) ?? { host: '', port: 0 };
    expect(formatAddress(host, port)).toBe(address);
  }
});
