import { expect, test } from '@jest/globals';
import { completeLockfile, differences, type LockPackages, platformOf } from './lockfile-platforms.ts';

test.each([
  ['@biomejs/cli-darwin-arm64', { os: 'darwin', cpu: 'arm64' }],
  ['@biomejs/cli-linux-x64-musl', { os: 'linux', cpu: 'x64', libc: 'musl' }],
  ['@foundry-rs/anvil-win32-amd64', { os: 'win32', cpu: 'x64' }],
  ['@swc/core-linux-arm-gnueabihf', { os: 'linux', cpu: 'arm', libc: 'glibc' }],
  ['@swc/core-win32-ia32-msvc', { os: 'win32', cpu: 'ia32' }],
  ['@msgpackr-extract/msgpackr-extract-linux-arm', { os: 'linux', cpu: 'arm' }],
  ['@oxlint/binding-android-arm-eabi', { os: 'android', cpu: 'arm' }],
  ['@unrs/resolver-binding-linux-arm-musleabihf', { os: 'linux', cpu: 'arm', libc: 'musl' }],
  ['@unrs/resolver-binding-linux-loong64-gnu', { os: 'linux', cpu: 'loong64', libc: 'glibc' }],
  ['@oxc-parser/binding-wasm32-wasi', { cpu: 'wasm32' }],
  ['@oxlint-tsgolint/darwin-x64', { os: 'darwin', cpu: 'x64' }],
  ['fsevents', undefined],
])('%s is for %j', (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

const tool = (version: string, more: object = {}): object => ({
  version,
  integrity: 'sha512-tool',
  optionalDependencies: { '@tool/linux-x64-gnu': version, '@tool/darwin-arm64': version },
  ...more,
});
const present = (version: string): object => ({ version, integrity: 'sha512-x', optional: true, os: ['linux'] });

test('what is missing is entered in its place, once, without a digest', () => {
  const before: LockPackages = {
    '': {},
    'node_modules/@tool/linux-x64-gnu': present('1.2.3'),
    'node_modules/tool': tool('1.2.3', { dev: true }),
  };
  const { packages, problems } = completeLockfile(before);
  expect(problems).toEqual([]);
  expect(Object.keys(packages)).toEqual([
    '',
    'node_modules/@tool/darwin-arm64',
    'node_modules/@tool/linux-x64-gnu',
    'node_modules/tool',
  ]);
  expect(packages['node_modules/@tool/darwin-arm64']).toEqual({
    version: '1.2.3',
    cpu: ['arm64'],
    dev: true,
    optional: true,
    os: ['darwin'],
  });
  expect(differences(before, packages)).toEqual(['node_modules/@tool/darwin-arm64']);
  expect(differences(packages, completeLockfile(packages).packages)).toEqual([]);
});

test('a new version replaces the entry, and a package that has gone takes its entries with it', () => {
  const first = completeLockfile({ 'node_modules/tool': tool('1.0.0') }).packages;
  const second = completeLockfile({ ...first, 'node_modules/tool': tool('2.0.0') }).packages;
  expect(second['node_modules/@tool/darwin-arm64']?.version).toBe('2.0.0');
  const { 'node_modules/tool': _, ...without } = second;
  expect(completeLockfile(without).packages).toEqual({});
  expect(differences(without, {})).toHaveLength(2);
});

test('a version that differs from the one at the root goes below the package that wants it', () => {
  const { packages } = completeLockfile({
    'node_modules/tool': tool('1.0.0'),
    'node_modules/other/node_modules/tool': tool('2.0.0'),
    'node_modules/@tool/linux-x64-gnu': present('1.0.0'),
  });
  expect(packages['node_modules/@tool/linux-x64-gnu']?.version).toBe('1.0.0');
  const nested = 'node_modules/other/node_modules/tool/node_modules/@tool';
  const versions = Object.entries(packages).map(([path, { version }]) => [path, version]);
  expect(versions).toContainEqual([`${nested}/linux-x64-gnu`, '2.0.0']);
  // Whichever comes first has the root.
  expect(versions.filter(([path]) => path?.endsWith('darwin-arm64'))).toHaveLength(2);
});

test('an entry is for development only if all that want it are', () => {
  const both = completeLockfile({
    'node_modules/a': tool('1.0.0', { dev: true, peer: true }),
    'node_modules/b': tool('1.0.0', { peer: true }),
  }).packages['node_modules/@tool/darwin-arm64'];
  expect(both).toEqual({ version: '1.0.0', cpu: ['arm64'], optional: true, os: ['darwin'], peer: true });
});

test('what lies in a bundle, in a workspace or in a repository is not ours to remove', () => {
  const kept: LockPackages = {
    'node_modules/bundled': { version: '1.0.0', optional: true, inBundle: true },
    'node_modules/workspace': { resolved: 'workspace', link: true, optional: true },
  };
  expect(completeLockfile(kept)).toEqual({ packages: kept, problems: [] });
});

test('what cannot be entered without the registry, and registry addresses, are told', () => {
  const { problems } = completeLockfile({
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a', resolved: 'https://registry.example/a.tgz' },
    'node_modules/b': { version: '1.0.0', integrity: 'sha512-b', optionalDependencies: { fsevents: '2.3.3' } },
    'node_modules/c': { version: '1.0.0', integrity: 'sha512-c', optionalDependencies: { 'c-linux-x64': '^1.0.0' } },
  });
  expect(problems).toEqual([
    'node_modules/a names where it was fetched from: https://registry.example/a.tgz',
    'node_modules/b wants fsevents 2.3.3: its name tells no platform',
    'node_modules/c wants c-linux-x64 ^1.0.0: only an exact version can be entered without the registry',
  ]);
});

test('a lost C library, as npm 10 loses it, is a difference', () => {
  const { packages } = completeLockfile({ 'node_modules/tool': tool('1.0.0') });
  const path = 'node_modules/@tool/linux-x64-gnu';
  const { libc, ...without } = packages[path] ?? {};
  expect(libc).toEqual(['glibc']);
  const damaged = { ...packages, [path]: without };
  expect(differences(damaged, completeLockfile(damaged).packages)).toEqual([path]);
});
