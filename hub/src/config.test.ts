import { describe, expect, it } from '@jest/globals';
import { parseConfig } from './config.ts';

const core = { url: 'https://127.0.0.1:1', keyFile: 'k', certFile: 'c', serviceCertFile: 's' };

describe('parseConfig', () => {
  it('fills in every limit', () => {
    const config = parseConfig({ networks: ['quorum-a'], redisUrl: 'redis://127.0.0.1:1', core });
    expect(config.listen).toBe('127.0.0.1:0');
    expect(config.limits.attempts).toBe(12);
  });

  it('names what is wrong, and an unknown field is wrong', () => {
    const input = { networks: [], redisUrl: 'http://x', core, limits: { attempts: 0 }, colour: 'red' };
    expect(() => parseConfig(input)).toThrow(/\/networks[\s\S]*\/redisUrl|\/colour/);
    expect(() => parseConfig({ ...input, networks: ['a'], redisUrl: 'redis://x' })).toThrow(/\/colour/);
  });
});
