/** The hardening of a real process, without loader and flags: what stays of the environment, what is refused, what a dump may hold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';

const SOURCES = ['process-hardening', 'service/service-error'];
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { url } from 'node:inspector';
import { hardenProcess } from './process-hardening.js';
const filter = () => Number.parseInt(readFileSync('/proc/self/coredump_filter', 'utf8'), 16);
try {
  hardenProcess(false);
  console.log(JSON.stringify({ env: Object.keys(process.env), filter: filter(), mask: process.umask() }));
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message, filter: filter() }));
}
if (process.argv[2] === 'stay') {
  setInterval(() => { if (url() !== undefined) { console.log('inspected'); process.exit(3); } }, 20);
  process.on('SIGTERM', () => process.exit(0));
}
`;

type Said = Readonly<{ code?: string; message?: string; env?: readonly string[]; filter: number; mask?: number }>;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-hardening-'));
  await mkdir(join(dir, 'service'));
  await writeFile(join(dir, 'package.json'), '{"type":"module"}');
  for (const name of SOURCES) {
    const source = await readFile(join(import.meta.dirname, `${name}.ts`), 'utf8');
    const { code } = await transform(source, { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } });
    await writeFile(join(dir, `${name}.js`), code.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
  }
  await writeFile(join(dir, 'program.js'), PROGRAM);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function start(coreLimit: string, env: Record<string, string> = {}, args = ''): ChildProcess {
  const command = `ulimit -c ${coreLimit} && exec '${process.execPath}' '${join(dir, 'program.js')}' ${args}`;
  return spawn('sh', ['-c', command], { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text;
}
const said = async (...args: Parameters<typeof start>): Promise<Said> =>
  JSON.parse(await firstLine(start(...args))) as Said;

describe('a process', () => {
  it('keeps nothing of the environment that a library could act on, and leaves dumps empty', async () => {
    // node-gyp-build runs native code from the folder that such a variable names.
    const env = {
      SECP256K1_PREBUILD: '/nonexistent',
      LMDB_RESTORE: 'x',
      DEBUG: '*',
      npm_config_platform: 'x',
      TZ: 'UTC',
    };
    const { env: kept, filter, mask } = await said('0', env);
    expect([...(kept ?? [])].sort()).toEqual(['PATH', 'TZ']);
    expect([filter, mask]).toEqual([0, 0o077]);
  });

  it('is refused where core dumps are allowed, and its dumps are empty all the same', async () => {
    const refused = await said('4096');
    expect(refused).toMatchObject({ code: 'ENVIRONMENT_UNSAFE', filter: 0 });
    expect(refused.message).toContain('ulimit -c 0');
  });

  it.each([
    ['NODE_OPTIONS', '--no-warnings'],
    ['NODE_V8_COVERAGE', '/nonexistent'],
    ['SSLKEYLOGFILE', '/nonexistent'],
    ['OPENSSL_CONF', '/dev/null'],
    ['LD_LIBRARY_PATH', '/nonexistent'],
    ['NODE_UNIQUE_ID', '1'],
  ])('is refused with %s', async (name, value) => {
    expect(await said('0', { [name]: value })).toMatchObject({
      code: 'ENVIRONMENT_UNSAFE',
      message: expect.stringContaining(`variable ${name} is set`),
    });
  });

  it('is refused with a variable that stands there twice, of which libraries and Node see different ones', async () => {
    // Without a shell, which would keep one of the two.
    const env = { LD_PRELOAD: '', 'LD_PRELOAD=/nonexistent': '.so' };
    const child = spawn(process.execPath, [join(dir, 'program.js')], { env, stdio: 'pipe' });
    const refused = JSON.parse(await firstLine(child)) as Said;
    expect(refused).toMatchObject({
      code: 'ENVIRONMENT_UNSAFE',
      message: expect.stringContaining('variable LD_PRELOAD is set'),
    });
  });

  it('does not start an inspector on SIGUSR1', async () => {
    const child = start('0', {}, 'stay');
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await firstLine(child);
    child.kill('SIGUSR1');
    // Long enough for several looks of the program; it ends with 3 when it sees an inspector.
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('the program', () => {
  it('loads nothing but Node before it is hardened', async () => {
    for (const name of ['main', ...SOURCES]) {
      const source = await readFile(join(import.meta.dirname, `${name}.ts`), 'utf8');
      const loaded = Array.from(source.matchAll(/^import .* from '([^']+)';$/gm), ([, path]) => path);
      const others = loaded.filter((path) => !path?.startsWith('node:'));
      expect(others.every((path) => SOURCES.some((own) => path?.endsWith(`${own}.ts`)))).toBe(true);
    }
  });
});
