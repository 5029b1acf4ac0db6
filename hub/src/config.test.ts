import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseConfig, readConfig, readNamed, readSecret } from './config.ts';

const core = { url: 'https://127.0.0.1:1', keyFile: 'k', certFile: 'c', serviceCertFile: 's' };

describe('parseConfig', () => {
  it('fills in every limit', () => {
    const config = parseConfig({ networks: ['quorum-a'], redisUrl: 'redis://127.0.0.1:1', core });
    expect(config.listen).toBe('127.0.0.1:0');
    expect(config.limits.attempts).toBe(12);
  });

  it('takes one node of the core or several', () => {
    const at = (url: unknown) =>
      parseConfig({ networks: ['a'], redisUrl: 'redis://x', core: { ...core, url } }).core.url;
    expect(at('https://a:1')).toBe('https://a:1');
    expect(at(['https://a:1', 'https://b:1'])).toEqual(['https://a:1', 'https://b:1']);
    for (const url of [[], ['https://a:1', 'http://b:1'], 7]) expect(() => at(url)).toThrow(/\/core\/url/);
  });

  it('names what is wrong, and an unknown field is wrong', () => {
    const input = { networks: [], redisUrl: 'http://x', core, limits: { attempts: 0 }, colour: 'red' };
    expect(() => parseConfig(input)).toThrow(/\/networks[\s\S]*\/redisUrl|\/colour/);
    expect(() => parseConfig({ ...input, networks: ['a'], redisUrl: 'redis://x' })).toThrow(/\/colour/);
  });
});

describe('files that the configuration names', () => {
  const dir = mkdtempSync(join(tmpdir(), 'drawbridge-hub-config-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('count from the configuration', () => {
    const file = join(dir, 'config.json');
    const content = { networks: ['a'], redisUrl: 'redis://x', core, operatorsFile: '/etc/operators' };
    writeFileSync(file, JSON.stringify(content));
    expect(readConfig(file)).toMatchObject({
      core: { keyFile: join(dir, 'k'), certFile: join(dir, 'c'), serviceCertFile: join(dir, 's') },
      operatorsFile: '/etc/operators',
    });
  });

  it('are refused in words where they are missing, or secret and readable by others', () => {
    const file = join(dir, 'secret');
    expect(() => readNamed(file)).toThrow(/cannot be read/);
    writeFileSync(file, 'words', { mode: 0o600 });
    expect(readSecret(file)).toBe('words');
    chmodSync(file, 0o640);
    expect(() => readSecret(file)).toThrow(/chmod 600/);
    expect(readNamed(file)).toBe('words');
  });
});
