import { expect, test } from '@jest/globals';
import { folderNameOf, nodeConf, runsContracts } from './node-conf.ts';

const PORTS = { p2p: 20001, rpc: 20002, rpcAdmin: 20003 };
const USERS = [
  { user: 'someone', password: 'a "word"', permissions: ['ALL'] },
  { user: 'agent', password: 'b', permissions: ['StartFlow.x.Y', 'InvokeRpc.nodeInfo'] },
];

test('a node listens on loopback only, for other nodes too', () => {
  const text = nodeConf({ legalName: 'O=A,L=Rome,C=IT' }, PORTS, { users: USERS });
  expect(text).toContain('p2pAddress = "127.0.0.1:20001"');
  // Left out, the broker listens on every interface at the port of p2pAddress.
  expect(text).toContain('messagingServerAddress = "127.0.0.1:20001"');
  expect(text).toContain('messagingServerExternal = false');
  expect(text).toContain('address = "127.0.0.1:20002", adminAddress = "127.0.0.1:20003"');
  expect(text).toContain('password = "a \\"word\\""');
  expect(text).not.toContain('notary');
});

test('RPC is over TLS where there is a key for it', () => {
  const tls = { keyStoreFile: '/keys/key.jks', trustStoreFile: '/keys/trust.jks', password: 'word' };
  const text = nodeConf({ legalName: 'O=A,L=Rome,C=IT' }, PORTS, { users: USERS, tls });
  expect(text).toContain('useSsl = true, ssl { keyStorePath = "/keys/key.jks", keyStorePassword = "word" } }');
  expect(nodeConf({ legalName: 'O=A,L=Rome,C=IT' }, PORTS, { users: USERS })).not.toContain('Ssl');
});

test('each user may do what is listed', () => {
  const text = nodeConf({ legalName: 'O=A,L=Rome,C=IT' }, PORTS, { users: USERS });
  expect(text).toContain('{ user = "someone", password = "a \\"word\\"", permissions = ["ALL"] }');
  expect(text).toContain('{ user = "agent", password = "b", permissions = ["StartFlow.x.Y", "InvokeRpc.nodeInfo"] }');
});

test.each([true, false])('a notary says whether it validates: %j', (validating) => {
  const terms = { legalName: 'O=N,L=Rome,C=IT', notary: { validating } };
  expect(nodeConf(terms, PORTS, { users: USERS })).toContain(`notary { validating = ${validating} }`);
  expect(runsContracts(terms)).toBe(validating);
});

test.each([
  ['O=Aurora Bank,L=London,C=GB', 'aurora-bank'],
  ['CN=x, O=Société-B., L=Paris, C=FR', 'soci-t-b'],
  ['L=Paris,C=FR', ''],
])('folder of %s', (legalName, folder) => {
  expect(folderNameOf(legalName)).toBe(folder);
});
