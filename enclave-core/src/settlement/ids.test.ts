import { expect, test } from '@jest/globals';
import { deliveryId, lockReference, refundId, voidId } from './ids.ts';
import { ALPHA_EUR, BANK_A, BANK_B, BETA_EUR, transferId, word } from './testing/world.ts';

const key = word('key');

test('ids depend on key, purpose and every field', () => {
  const ids = [
    lockReference(key, BANK_A, transferId(1)),
    lockReference(word('other'), BANK_A, transferId(1)),
    lockReference(key, BANK_B, transferId(1)),
    lockReference(key, BANK_A, transferId(2)),
    deliveryId(key, BANK_A, transferId(1)),
    deliveryId(key, BANK_B, transferId(1)),
    refundId(key, ALPHA_EUR, word('lock')),
    refundId(key, BETA_EUR, word('lock')),
    refundId(key, ALPHA_EUR, word('lock'), 1),
    refundId(key, ALPHA_EUR, word('lock'), 2),
    voidId(key, word('lock')),
    voidId(key, word('other')),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

/** A node of another build must derive the same ids from the same log. */
test('ids are what they always were', () => {
  expect(lockReference(key, BANK_A, transferId(1))).toBe(GOLDEN.reference);
  expect(deliveryId(key, BANK_A, transferId(1))).toBe(GOLDEN.delivery);
});

/** Computed with Python's `hmac` over the fields joined by zero bytes. */
const GOLDEN = {
  reference: '0x927dfd6195cb3b0d5eff9c7a6e0d54e67fc9cd0478b5443f2419cdb4cc37fa31',
  delivery: '0x5b9cbe50684dc8becd1399d48cebf128576091861b6f88504a2efd8a97d2e0ae',
};
