import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { KeyRing, SEAL_OVERHEAD_BYTES } from './key-ring.ts';

const secret = randomBytes(32);
const text = Buffer.from('posted 100.00 EUR');
const keyAndNonce = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 41)).toString('hex');

describe('key ring', () => {
  it('opens what another process with the same secret sealed', () => {
    const sealed = new KeyRing({ secret }).seal('log', text);
    expect(sealed.length).toBe(SEAL_OVERHEAD_BYTES + text.length);
    expect(Buffer.from(sealed).includes(text)).toBe(false);
    expect(Buffer.from(new KeyRing({ secret }).open('log', sealed)).equals(text)).toBe(true);
  });

  it('never repeats a key and nonce: within a ring, across rings, and past the bound of a key', () => {
    const seen = new Set<string>();
    for (let ring = 0; ring < 20; ring++) {
      const keys = new KeyRing({ secret, maxSealsPerKey: 3 });
      for (let i = 0; i < 10; i++) seen.add(keyAndNonce(keys.seal('log', text)));
    }
    expect(seen.size).toBe(200);
  });

  it('draws a new salt at the bound', () => {
    const keys = new KeyRing({ secret, maxSealsPerKey: 2 });
    const salts = Array.from({ length: 5 }, () => Buffer.from(keys.seal('log', text).subarray(1, 33)).toString('hex'));
    expect(salts[0]).toBe(salts[1]);
    expect(new Set(salts).size).toBe(3);
  });

  it('refuses another purpose, place, secret, and any changed byte', () => {
    const place = Buffer.from('7');
    const keys = new KeyRing({ secret });
    const sealed = keys.seal('history', text, place);
    const broken = expect.objectContaining({ code: 'SEAL_BROKEN' });
    expect(() => keys.open('snapshot', sealed, place)).toThrow(broken);
    expect(() => keys.open('history', sealed, Buffer.from('8'))).toThrow(broken);
    expect(() => new KeyRing({ secret: randomBytes(32) }).open('history', sealed, place)).toThrow(broken);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => keys.open('history', changed, place)).toThrow(broken);
    }
    expect(() => keys.open('history', sealed.subarray(0, SEAL_OVERHEAD_BYTES - 1), place)).toThrow(broken);
  });

  it('keeps few derived keys and still opens old salts', () => {
    const sealed = Array.from({ length: 8 }, () => new KeyRing({ secret }).seal('log', text));
    const keys = new KeyRing({ secret, maxCachedKeys: 2 });
    for (const item of [...sealed, ...sealed]) expect(Buffer.from(keys.open('log', item)).equals(text)).toBe(true);
  });

  it('derives fixed keys alike in every process, and apart from sealing keys', () => {
    const one = new KeyRing({ secret }).fixedKey('history-index');
    expect(Buffer.from(one).equals(new KeyRing({ secret }).fixedKey('history-index'))).toBe(true);
    expect(Buffer.from(one).equals(new KeyRing({ secret: randomBytes(32) }).fixedKey('history-index'))).toBe(false);
  });
});
