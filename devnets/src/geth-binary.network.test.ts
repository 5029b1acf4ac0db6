import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type GethBinaryOptions, gethBinary, gethOrReason } from './geth-binary.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-geth-test-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A PATH where `go` is this shell script; GOBIN, which a build is told, is where it has to put its program. */
async function withGo(script: string): Promise<GethBinaryOptions> {
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'go'), `#!/bin/sh\necho "$*" >> ${join(dir, 'calls')}\n${script}\n`);
  await chmod(join(bin, 'go'), 0o755);
  return { cacheDir: join(dir, 'cache'), env: { PATH: `${bin}:/usr/bin:/bin`, GOPROXY: 'of-the-machine' } };
}

const GO_126 = '[ "$1" = env ] && echo go1.26.8 && exit 0';
const BUILDS = `[ "$1" = install ] && printf '#!/bin/sh\\necho Version: 1.13.15-stable\\n' > "$GOBIN/geth" && chmod +x "$GOBIN/geth"`;

test('without Go it says what is missing, as a value for tests', async () => {
  const options = { cacheDir: join(dir, 'cache'), env: { PATH: dir } };
  const words = /there is no go on the PATH; install Go 1\.20 or newer/;
  await expect(gethBinary(options)).rejects.toMatchObject({
    code: 'GETH_NO_GO',
    message: expect.stringMatching(words),
  });
  expect(await gethOrReason(options)).toEqual({ reason: expect.stringMatching(words) });
});

test('a Go that is too old is named', async () => {
  const options = await withGo('echo go1.19.8');
  expect(await gethOrReason(options)).toEqual({ reason: expect.stringContaining('is go1.19.8; install Go 1.20') });
});

test('modules out of reach are a reason too, in the words of Go', async () => {
  const options = await withGo(`${GO_126}\necho 'first' >&2; echo "no such host behind $GOPROXY" >&2; exit 1`);
  expect(await gethOrReason(options)).toEqual({
    reason: expect.stringContaining('no such host behind of-the-machine'),
  });
});

test('a build that fails is an error, not a reason to skip', async () => {
  const options = await withGo(`${GO_126}\n[ "$1" = mod ] || { echo 'cannot link' >&2; exit 1; }`);
  await expect(gethOrReason(options)).rejects.toMatchObject({
    code: 'GETH_BUILD_FAILED',
    message: expect.stringContaining('cannot link'),
  });
});

test('several that ask at once have it built once, later ones find it, and nothing else is left', async () => {
  const said: string[] = [];
  const options = { ...(await withGo(`${GO_126}\n${BUILDS}; exit 0`)), log: (sentence: string) => said.push(sentence) };
  const programs = await Promise.all([gethBinary(options), gethBinary(options), gethBinary(options)]);
  expect(new Set(programs).size).toBe(1);
  expect(await gethBinary(options)).toBe(programs[0]);
  expect(said).toHaveLength(1);
  const home = `geth-1.13.15-${process.platform}-${process.arch}`;
  expect(await readdir(join(dir, 'cache'))).toEqual([home]);
  expect(await readdir(join(dir, 'cache', home))).toEqual(['geth']);
});

test('the lock of a process that is gone holds nobody up', async () => {
  const options = await withGo(`${GO_126}\n${BUILDS}; exit 0`);
  await mkdir(join(dir, 'cache'));
  // Above every system's greatest process id.
  await writeFile(join(dir, 'cache', `geth-1.13.15-${process.platform}-${process.arch}.lock`), '99999999');
  await expect(gethBinary(options)).resolves.toContain('geth');
});

test.each([
  ['go1.22.1', 'install github.com/ethereum/go-ethereum/cmd/geth@v1.13.15'],
  ['go1.26.8', 'install -ldflags=-checklinkname=0 github.com/ethereum/go-ethereum/cmd/geth@v1.13.15'],
])('%s is told as much as it understands', async (version, call) => {
  await gethBinary(await withGo(`[ "$1" = env ] && echo ${version} && exit 0\n${BUILDS}; exit 0`));
  expect((await readFile(join(dir, 'calls'), 'utf8')).trim().split('\n').at(-1)).toBe(call);
});
