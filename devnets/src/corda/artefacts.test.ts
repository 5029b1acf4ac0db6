import { expect, test } from '@jest/globals';
import { manifestAttribute } from './artefacts.ts';
import { nodeEnvironment } from './corda-node.ts';
import { updateOf } from './java8.ts';
import { portsTakenUp } from './node-infos.ts';

test('an attribute of a manifest goes on over its lines', () => {
  const manifest =
    'Manifest-Version: 1.0\r\nJava-Agents: quasar.jar=x(antlr**;co.para\r\n lleluniverse**\r\n )\r\nOther: y\r\n';
  expect(manifestAttribute(manifest, 'Java-Agents')).toBe('quasar.jar=x(antlr**;co.paralleluniverse**)');
  expect(manifestAttribute(manifest.replaceAll('\r', ''), 'Other')).toBe('y');
  expect(manifestAttribute(manifest, 'Absent')).toBeUndefined();
});

test.each([
  ['openjdk version "1.8.0_504"\nOpenJDK Runtime Environment', 504],
  ['java version "1.8.0_171-b11"', 171],
  ['openjdk version "17.0.15" 2025-04-15', -1],
  ['', -1],
])('update of %j', (output, update) => {
  expect(updateOf(output)).toBe(update);
});

test('the log tells whose addresses a node has taken up', () => {
  const line = (port: number) =>
    `[INFO ] network.PersistentNetworkMapCache. - Adding node with info: NodeInfo(addresses=[127.0.0.1:${port}], legalIdentitiesAndCerts=[O=A]\n`;
  expect(portsTakenUp(`first\n${line(20001)}other 127.0.0.1:20002\n${line(20003)}`)).toEqual([20001, 20003]);
});

test('neither settings for nodes nor options for JVMs come from the environment', () => {
  const env = { PATH: '/bin', CORDA_devMode: 'false', JAVA_TOOL_OPTIONS: '-Xmx9g', LANG: undefined };
  expect(nodeEnvironment(env)).toEqual({ PATH: '/bin' });
});
