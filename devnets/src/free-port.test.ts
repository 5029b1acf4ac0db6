import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { AddressInUseError, freePorts, reservePort, withFreePort } from './free-port.ts';

function tryToBind(port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve('bound')));
  });
}

test('a reserved port cannot be bound until it is released', async () => {
  const { port, release } = await reservePort();
  expect(await tryToBind(port)).toBe('EADDRINUSE');
  await release();
  expect(await tryToBind(port)).toBe('bound');
  await release();
});

test('ports lie below the range of outgoing connections', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(16_384);
    expect(port).toBeLessThan(32_768);
  }
});

test('a port that was taken meanwhile is replaced by another', async () => {
  const seen: number[] = [];
  const got = await withFreePort(async (port) => {
    seen.push(port);
    if (seen.length < 3) throw new AddressInUseError('taken');
    return port;
  });
  expect(seen).toHaveLength(3);
  expect(got).toBe(seen[2]);
});

test('the retries are bounded, and other errors are not retried', async () => {
  let starts = 0;
  const alwaysTaken = withFreePort(async () => {
    starts += 1;
    throw new AddressInUseError('taken');
  });
  await expect(alwaysTaken).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(starts).toBe(5);

  starts = 0;
  const broken = withFreePort(async () => {
    starts += 1;
    throw new Error('broken');
  });
  await expect(broken).rejects.toThrow('broken');
  expect(starts).toBe(1);
});
