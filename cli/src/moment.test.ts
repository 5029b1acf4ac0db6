import { expect, test } from '@jest/globals';
import { parseMoment } from './moment.ts';

const NOW = Date.UTC(2031, 4, 1, 12, 0, 0);

test.each([
  ['+90s', '2031-05-01T12:01:30.000Z'],
  ['+30m', '2031-05-01T12:30:00.000Z'],
  ['+2h', '2031-05-01T14:00:00.000Z'],
  ['+1d', '2031-05-02T12:00:00.000Z'],
  ['2031-05-01T12:00:00Z', '2031-05-01T12:00:00.000Z'],
  ['2031-05-01T14:00:00.5+02:00', '2031-05-01T12:00:00.500Z'],
])('%s is %s', (text, time) => expect(parseMoment(text, NOW)).toBe(time));

test.each(['', '30m', '+0m', '+1w', '-1h', 'tomorrow', '2031-05-01', '2031-05-01T12:00:00', '2031-13-01T12:00:00Z'])(
  '%j is no time',
  (text) => expect(() => parseMoment(text, NOW)).toThrow(expect.objectContaining({ code: 'USAGE' })),
);
