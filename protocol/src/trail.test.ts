import { expect, test } from '@jest/globals';
import type { AssetCode, ParticipantId, TransferId } from './ids.ts';
import { expectOneForm, expectTrailsComeBack, REFUSED } from './testing/trails.ts';
import { decodeTrail, encodeTrail } from './trail.ts';

test('a trail comes back from its 64 bytes, for some', () => expectTrailsComeBack(20));
test('whatever decodes is what would have been written, for some changes', () => expectOneForm(100));

test('transfer and participant come together', () => {
  const asset = 'EUR' as AssetCode;
  const transfer = '4f2a9c1e-7c0d-4b8a-9f63-1f2e3d4c5b6a' as TransferId;
  expect(() => encodeTrail({ transfer, asset })).toThrow(REFUSED);
  expect(() => encodeTrail({ participant: 'A' as ParticipantId, asset })).toThrow(REFUSED);
  const orphan = encodeTrail({ transfer, participant: 'A' as ParticipantId, asset });
  orphan.fill(0, 0, 16);
  expect(() => decodeTrail(orphan)).toThrow(REFUSED);
});

test.each([0, 63, 65])('%s bytes are no trail', (length) => {
  expect(() => decodeTrail(new Uint8Array(length))).toThrow(REFUSED);
});
test('zeros are no trail', () => expect(() => decodeTrail(new Uint8Array(64))).toThrow(REFUSED));
