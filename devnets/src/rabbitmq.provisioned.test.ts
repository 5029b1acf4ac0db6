import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type ChannelModel, connect } from 'amqplib';
import { findRabbitMq } from './rabbitmq/program.ts';
import { type RabbitMqOptions, type RabbitMqServer, startRabbitMq } from './rabbitmq.ts';
import { testWithRabbitMq } from './testing/with-rabbitmq.ts';

jest.setTimeout(300_000);

const withRabbitMq = await testWithRabbitMq();

let dir: string;
const started: RabbitMqServer[] = [];
const connections: ChannelModel[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-rabbitmq-'));
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((each) => each.close().catch(() => undefined)));
  await Promise.all(started.splice(0).map((server) => server.stop()));
  await rm(dir, { recursive: true });
});

async function start(options: Partial<RabbitMqOptions> = {}): Promise<RabbitMqServer> {
  const server = await startRabbitMq({ dir: join(dir, `server-${started.length}`), ...options });
  started.push(server);
  return server;
}

async function open(server: RabbitMqServer, url: string): Promise<ChannelModel> {
  const connection = await connect(url, { ca: [Buffer.from(server.certificatePem)] });
  // A server that goes away is an event here, not an error that ends the test run.
  connection.on('error', () => undefined);
  connections.push(connection);
  return connection;
}

withRabbitMq('a message that was confirmed is there after a crash', async () => {
  const server = await start();
  // A queue that was made a moment before a crash may be gone with it; this is about the messages of one that is there.
  const first = await open(server, server.urlOf('drawbridge'));
  await (await first.createChannel()).assertQueue('commands', { durable: true });
  await first.close();
  await server.restart();
  const before = await (await open(server, server.urlOf('drawbridge'))).createConfirmChannel();
  before.sendToQueue('commands', Buffer.from('kept'), { persistent: true });
  await before.waitForConfirms();
  const pid = server.pid();
  await server.kill9();
  await server.restart();
  expect(server.pid()).not.toBe(pid);
  const after = await (await open(server, server.urlOf('drawbridge'))).createChannel();
  const message = await after.get('commands');
  expect(message === false ? undefined : message.content.toString()).toBe('kept');
});

withRabbitMq('users may do what they were given, and there is no guest', async () => {
  const server = await start({ users: { agent: { configure: '', write: '', read: 'commands' } } });
  const agent = await (await open(server, server.urlOf('agent'))).createChannel();
  agent.on('error', () => undefined);
  await expect(agent.assertQueue('commands')).rejects.toMatchObject({ code: 403 });
  const guest = server.urlOf('agent').replace(/\/\/.*@/, '//guest:guest@');
  await expect(open(server, guest)).rejects.toThrow(/ACCESS_REFUSED|403/);
  const wrong = server.urlOf('agent').replace(/:[0-9a-f]{32}@/, ':00@');
  await expect(open(server, wrong)).rejects.toThrow(/ACCESS_REFUSED|403/);
  expect(() => server.urlOf('guest')).toThrow(TypeError);
});

withRabbitMq('it speaks TLS with the certificate of this run only', async () => {
  const server = await start();
  const shown = await new Promise<string>((resolve, reject) => {
    const ca = [server.certificatePem];
    const socket = connectTls({ host: server.host, port: server.port, ca }, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.once('error', reject);
  });
  expect(`0x${shown.replaceAll(':', '').toLowerCase()}`).toBe(server.fingerprint);
  await expect(connect(server.urlOf('drawbridge'))).rejects.toThrow(/self-signed certificate/);
  const answer = await new Promise<string>((resolve) => {
    const socket = connectTcp(server.port, server.host, () => socket.write('AMQP\x00\x00\x09\x01'));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  // Without TLS there is a TLS alert at most, and no greeting of AMQP.
  expect(answer).not.toContain('capabilities');
});

withRabbitMq('two servers run side by side, each with its own secrets', async () => {
  const [first, second] = [await start(), await start()];
  const cookies = await Promise.all(
    [0, 1].map((index) => readFile(join(dir, `server-${index}`, 'home', '.erlang.cookie'), 'utf8')),
  );
  expect(new Set(cookies).size).toBe(2);
  expect(first.users[0]?.password).not.toBe(second.users[0]?.password);
  for (const server of [first, second]) await (await open(server, server.urlOf('drawbridge'))).createChannel();
  expect((await stat(join(dir, 'server-0', 'definitions.json'))).mode & 0o777).toBe(0o600);
  await expect(start({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('where it cannot be had it says what to install', async () => {
  await expect(findRabbitMq({ cacheDir: dir, env: { PATH: dir } })).rejects.toMatchObject({
    code: 'RABBITMQ_NOT_FOUND',
    message: expect.stringMatching(/no rabbitmq-server on the PATH.*no apt-get.*install RabbitMQ 3\.10/),
  });
});
