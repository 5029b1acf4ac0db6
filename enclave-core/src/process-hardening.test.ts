import { describe, expect, it } from '@jest/globals';
import { unsafeSurroundings } from './process-hardening.ts';

describe('process hardening', () => {
  it('finds nothing wrong with a plain start', () => {
    expect(unsafeSurroundings({ PATH: '/usr/bin', HOME: '/root', NODE_OPTIONS: '' }, ['--enable-source-maps'])).toEqual(
      [],
    );
  });

  it.each(['NODE_OPTIONS', 'NODE_DEBUG', 'NODE_V8_COVERAGE', 'LD_PRELOAD', 'SSLKEYLOGFILE', 'OPENSSL_CONF'])(
    'finds %s',
    (name) => {
      expect(unsafeSurroundings({ [name]: 'x' }, [])).toEqual([`variable ${name} is set`]);
    },
  );

  it.each([
    '--inspect',
    '--inspect-brk=0',
    '--import',
    '--require',
    '--tls-keylog=x',
    '--report-on-signal',
    '--heapsnapshot-signal=SIGUSR2',
  ])('finds %s', (arg) => {
    expect(unsafeSurroundings({}, [arg])).toEqual([`node is started with ${arg}`]);
  });
});
