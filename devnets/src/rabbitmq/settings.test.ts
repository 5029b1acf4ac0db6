import { expect, test } from '@jest/globals';
import { passwordHash, rabbitMqConf, rabbitMqDefinitions, rabbitMqEnvironment } from './settings.ts';

test('a password is hashed as in the example of RabbitMQ’s documentation', () => {
  const hash = passwordHash('test12', Buffer.from('908DC60A', 'hex'));
  expect(hash).toBe('kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR');
});

test('nothing but TLS on loopback is opened to clients', () => {
  const files = { dir: '/d', certFile: '/d/c.pem', keyFile: '/d/k.pem', definitionsFile: '/d/definitions.json' };
  const lines = rabbitMqConf(20001, files).split('\n');
  expect(lines).toContain('listeners.tcp = none');
  expect(lines).toContain('listeners.ssl.default = 127.0.0.1:20001');
  expect(lines.filter((line) => line.startsWith('listeners.'))).toHaveLength(2);
});

test('users have the rights that they are given, and no others exist', () => {
  const permission = { configure: '', write: 'commands', read: 'events' };
  expect(rabbitMqDefinitions([{ name: 'agent', password: 'x', permission }])).toEqual({
    vhosts: [{ name: '/' }],
    users: [expect.objectContaining({ name: 'agent', tags: [] })],
    permissions: [{ user: 'agent', vhost: '/', ...permission }],
  });
});

test('all that a server writes is in its folder', () => {
  const place = { dir: '/d', serverHome: '/s', confFile: '/d/conf', epmdPort: 20002, distributionPort: 20003 };
  const paths = Object.entries(rabbitMqEnvironment(place)).filter(([, value]) => value.startsWith('/'));
  const elsewhere = paths.filter(([, value]) => !value.startsWith('/d/')).map(([name]) => name);
  expect(elsewhere.sort()).toEqual(['ERL_LIBS', 'RABBITMQ_CONF_ENV_FILE', 'RABBITMQ_HOME', 'RABBITMQ_PLUGINS_DIR']);
});
