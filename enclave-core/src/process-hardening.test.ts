import { describe, expect, it } from '@jest/globals';
import { type Surroundings, unsafeSurroundings } from './process-hardening.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max core file size        0                    unlimited            bytes
`;
const STATUS = 'Name:\tnode\nTracerPid:\t0\nUid:\t0\n';
const PLAIN: Surroundings = { env: {}, environ: '', execArgv: [], limits: LIMITS, status: STATUS, inspected: false };

describe('process hardening', () => {
  it('finds nothing wrong with a plain start', () => {
    const env = { PATH: '/usr/bin', HOME: '/root', NODE_OPTIONS: '', NODE_ENV: 'production', NODE_VERSION: '20.20.2' };
    const execArgv = ['--enable-source-maps', '--max-semi-space-size=64', '--max-old-space-size=8192'];
    expect(unsafeSurroundings({ ...PLAIN, env, execArgv })).toEqual([]);
  });

  it.each([
    ...['NODE_OPTIONS', 'NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS'],
    ...['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_REDIRECT_WARNINGS', 'NODE_COMPILE_CACHE', 'NODE_ICU_DATA'],
    ...['NODE_CHANNEL_FD', 'NODE_UNIQUE_ID', 'NODE_TEST_CONTEXT', 'NODE_PRESERVE_SYMLINKS', 'NODE_USE_ENV_PROXY'],
    ...['OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES', 'OPENSSL_ia32cap', 'SSLKEYLOGFILE', 'SSL_CERT_FILE'],
    ...['SSL_CERT_DIR', 'LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'LD_DEBUG_OUTPUT', 'LD_PROFILE'],
    ...['DYLD_INSERT_LIBRARIES', 'GLIBC_TUNABLES', 'GCONV_PATH', 'LOCPATH', 'MALLOC_TRACE', 'CTLOG_FILE'],
  ])('finds %s', (name) => {
    expect(unsafeSurroundings({ ...PLAIN, env: { [name]: 'x' } })).toEqual([`variable ${name} is set`]);
  });

  it.each([
    ...['--inspect', '--inspect-brk=0', '--inspect-wait', '--import', '--require', '-r', '--loader', '--eval', '-e'],
    ...['--tls-keylog=x', '--trace-tls', '--openssl-config=x', '--use-openssl-ca', '--tls-min-v1.0'],
    ...['--report-on-signal', '--report-uncaught-exception', '--report-on-fatalerror', '--report-signal=SIGUSR2'],
    ...['--heapsnapshot-signal=SIGUSR2', '--heapsnapshot-near-heap-limit=1', '--heap-prof', '--cpu-prof', '--prof'],
    ...['--abort-on-uncaught-exception', '--trace-event-categories=node', '--diagnostic-dir=x', '--env-file=x'],
    ...['--snapshot-blob=x', '--redirect-warnings=x', '--experimental-policy=x', '--expose-gc', '--icu-data-dir=x'],
    ...['--conditions=development', '--preserve-symlinks', '--watch', '--unhandled-rejections=none'],
    ...['--max-semi-space-size=64 --inspect', '--max-old-space-size', '--max-heap-size=64'],
  ])('finds %s', (arg) => {
    expect(unsafeSurroundings({ ...PLAIN, execArgv: [arg] })).toEqual([`node is started with ${arg}`]);
  });

  it('judges each variable of the start by itself, whichever of two a library would follow', () => {
    const found = (environ: string) => unsafeSurroundings({ ...PLAIN, environ });
    expect(found('PATH=/usr/bin\0LD_PRELOAD=\0A==\0')).toEqual([]);
    expect(found('NODE_OPTIONS=--inspect\0')).toEqual(['variable NODE_OPTIONS is set']);
    const both = ['variable LD_PRELOAD is set', 'variable LD_PRELOAD stands there twice'];
    expect(found('LD_PRELOAD=\0PATH=/usr/bin\0LD_PRELOAD=/x\0')).toEqual(both);
    expect(found('LD_PRELOAD=/x\0LD_PRELOAD=\0')).toEqual(both);
    expect(found('HOME=/a\0HOME=/a\0')).toEqual(['variable HOME stands there twice']);
  });

  it('finds that core dumps can be made, and says what to do', () => {
    for (const soft of ['unlimited', '1', '1024']) {
      const limits = LIMITS.replace('0                    unlimited', `${soft}                    unlimited`);
      expect(unsafeSurroundings({ ...PLAIN, limits })).toEqual([
        `core dumps may have ${soft} bytes; start it after \`ulimit -c 0\`, as a service with LimitCORE=0`,
      ]);
    }
  });

  it('finds a tracer and an inspector', () => {
    const status = STATUS.replace('TracerPid:\t0', 'TracerPid:\t4711');
    expect(unsafeSurroundings({ ...PLAIN, status })).toEqual(['process 4711 traces it']);
    expect(unsafeSurroundings({ ...PLAIN, inspected: true })).toEqual(['the inspector listens']);
  });

  it('takes what cannot be read for unsafe', () => {
    const found = unsafeSurroundings({ ...PLAIN, environ: undefined, limits: undefined, status: undefined });
    expect(found).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('cannot be read')));
  });
});
