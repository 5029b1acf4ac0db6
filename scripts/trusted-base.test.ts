import { describe, expect, it } from '@jest/globals';
import { forbiddenAmong, type Lockfile, trustedPackages } from './trusted-base.ts';

const LOCKFILE: Lockfile = {
  packages: {
    '': {},
    core: { version: '0.1.0', dependencies: { '@our/shared': '0.1.0', a: '^1' } },
    shared: { version: '0.1.0', dependencies: { b: '^2' } },
    'node_modules/@our/shared': { resolved: 'shared', link: true },
    'node_modules/a': {
      version: '1.0.0',
      dependencies: { b: '^1' },
      optionalDependencies: { 'a-linux': '1.0.0', 'a-missing': '1.0.0' },
      peerDependencies: { 'a-peer': '*' },
      peerDependenciesMeta: { 'a-peer': { optional: true } },
    },
    'node_modules/a/node_modules/b': { version: '1.9.0' },
    'node_modules/a-linux': { version: '1.0.0', os: ['linux'] },
    'node_modules/b': { version: '2.0.0', dependencies: { c: '^1' } },
    'node_modules/c': { version: '1.1.0', dependencies: { b: '^2' } },
    'node_modules/dev-tool': { version: '9.0.0' },
  },
};

describe('trusted base', () => {
  it('finds what is reachable, through our own workspaces, by the version that Node resolves', () => {
    const found = trustedPackages(LOCKFILE, 'core').map(({ name, version }) => `${name} ${version}`);
    expect(found).toEqual(['a 1.0.0', 'a-linux 1.0.0', 'b 1.9.0', 'b 2.0.0', 'c 1.1.0']);
  });

  it('refuses a lockfile that lacks something that is needed', () => {
    const { 'node_modules/c': _, ...packages } = LOCKFILE.packages;
    expect(() => trustedPackages({ packages }, 'core')).toThrow('lacks c');
  });

  it.each(['@hyperledger/cactus-core', '@hyperledger-cacti/cactus-core-api', 'express', 'axios', 'bullmq'])(
    'forbids %s wherever it comes from',
    (name) => {
      const packages = {
        ...LOCKFILE.packages,
        'node_modules/c': { version: '1.1.0', dependencies: { [name]: '^1' } },
        [`node_modules/${name}`]: { version: '1.0.0' },
      };
      expect(forbiddenAmong(trustedPackages({ packages }, 'core')).map((item) => item.name)).toEqual([name]);
    },
  );
});
