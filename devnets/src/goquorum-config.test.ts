import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { computeAddress, decodeRlp } from 'ethers';
import { enodeId } from './evm-key.ts';
import { drawGoquorumConfig, MANAGERS, qbftGenesisExtraData, SUBNET_PREFIX, VALIDATORS } from './goquorum-config.ts';

const config = drawGoquorumConfig({ chainId: 4010, periodS: 1 });
const compose = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8');

function fileOf(name: string): string {
  const text = config.files.get(name);
  if (text === undefined) throw new TypeError(`there is no ${name}`);
  return text;
}

/** The lines of one service of docker-compose.yml. */
function service(name: string): string {
  const found = new RegExp(`^  ${name}:\\n((?:    .*\\n)+)`, 'm').exec(compose)?.[1];
  if (found === undefined) throw new TypeError(`compose has no service ${name}`);
  return found;
}

test('extra data is RLP of vanity, ascending validators, no vote, round 0, no seals', () => {
  const low = `0x${'0a'.repeat(20)}`;
  const high = `0x${'f0'.repeat(20)}`;
  const extraData = qbftGenesisExtraData([high, low]);
  expect(extraData).toBe(`0xf84fa0${'00'.repeat(32)}ea94${low.slice(2)}94${high.slice(2)}c080c0`);
  expect(decodeRlp(extraData)).toEqual([`0x${'00'.repeat(32)}`, [low, high], [], '0x', []]);
});

test('every validator has the same genesis, its own key, and knows all others', () => {
  const genesis = JSON.parse(fileOf('node-1/genesis.json'));
  expect(genesis.extraData).toBe(qbftGenesisExtraData(config.validators));
  expect(genesis.config).not.toHaveProperty('berlinBlock');
  expect(genesis.config).not.toHaveProperty('londonBlock');
  expect(Object.keys(genesis.alloc)).toEqual(config.accounts.map(({ address }) => address));
  for (let number = 1; number <= VALIDATORS; number += 1) {
    expect(fileOf(`node-${number}/genesis.json`)).toBe(fileOf('node-1/genesis.json'));
    const key = `0x${fileOf(`node-${number}/nodekey`)}`;
    expect(computeAddress(key)).toBe(config.validators[number - 1]);
    const nodes: string[] = JSON.parse(fileOf(`node-${number}/static-nodes.json`));
    const address = /ipv4_address: (\S+)/.exec(service(`goquorum-${number}`))?.[1];
    expect(address?.startsWith(SUBNET_PREFIX)).toBe(true);
    expect(nodes[number - 1]).toBe(`enode://${enodeId(key)}@${address}:30303?discport=0`);
  }
});

test('a manager has a key pair, and the services that read the settings exist', () => {
  for (let number = 1; number <= MANAGERS; number += 1) {
    const { data } = JSON.parse(fileOf(`tessera-${number}/key.json`));
    const d = Buffer.from(data.bytes, 'base64').toString('base64url');
    const x = Buffer.from(fileOf(`tessera-${number}/key.pub`), 'base64').toString('base64url');
    const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d, x }, format: 'jwk' });
    expect(createPublicKey(privateKey).export({ format: 'jwk' }).x).toBe(x);
    const { peer } = JSON.parse(fileOf(`tessera-${number}/config.json`));
    expect(peer).toContainEqual({ url: `http://tessera-${number}:9000` });
    expect(service(`tessera-${number}`)).toContain(`/goquorum/tessera-${number}:/etc/tessera:ro`);
    expect(service(`goquorum-${number}`)).toContain(`http://tessera-${number}:9101`);
  }
});

test('the profile is no part of a plain start, and publishes ports on loopback only', () => {
  const services = [...compose.matchAll(/^ {2}((?:goquorum|tessera)-\d+):\n {4}</gm)].map(([, name]) => String(name));
  expect(services).toHaveLength(VALIDATORS + MANAGERS);
  for (const name of services) {
    const ports = /ports: \[(.*)\]/.exec(service(name))?.[1] ?? '';
    expect(ports).toMatch(/^"127\.0\.0\.1:\d+:\d+"$/);
    expect(service(name)).toMatch(/<<: \*(goquorum|tessera)$/m);
  }
  for (const anchor of ['goquorum', 'tessera']) {
    expect(compose).toMatch(new RegExp(`^x-${anchor}: &${anchor}\\n(?:  .*\\n)*?  profiles: \\[goquorum\\]$`, 'm'));
  }
});
