import { expect, test } from '@jest/globals';
import { mirrorAmong } from './debian-suite.ts';

test('the mirror is that of the main part of the own release', () => {
  const lines = [
    'stable-security main http://mirror.example/security/',
    'stable contrib http://mirror.example/contrib/',
    'stable main http://mirror.example/debian/',
    'stable main http://second.example/debian/',
  ].join('\n');
  expect(mirrorAmong(lines, 'stable')).toBe('http://mirror.example/debian/');
  expect(mirrorAmong(lines, 'testing')).toBeUndefined();
  expect(mirrorAmong('', 'stable')).toBeUndefined();
});
