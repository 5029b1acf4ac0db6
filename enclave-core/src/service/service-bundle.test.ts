import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Genesis } from '@drawbridge/governance/genesis';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeyFile } from '../keys/key-file.ts';
import { genesisDigest, mismatches, readGenesisFile } from './genesis-file.ts';
import { authorityAddress, createService, openService, type PublicIdentity, publicIdentity } from './service-bundle.ts';

describe('service', () => {
  let dir: string;
  let identity: PublicIdentity;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-service-'));
    identity = await createService({ dir, vaults: ['quorum-a/EUR', 'quorum-b/EUR'], nowMs: Date.now() });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('says its public parts and keeps the rest sealed', async () => {
    expect(identity.serviceId).toMatch(/^0x[0-9a-f]{64}$/);
    expect(Object.keys(identity.authorities)).toEqual(['quorum-a/EUR', 'quorum-b/EUR']);
    expect(identity.sealingKey).toContain('BEGIN PUBLIC KEY');
    expect(identity.serviceCertificate).toContain('BEGIN CERTIFICATE');
    const { bundle } = await openService(dir);
    expect(publicIdentity(bundle)).toEqual(identity);
    const key = bundle.secrets.authorities['quorum-a/EUR'];
    expect(key && authorityAddress(key)).toBe(identity.authorities['quorum-a/EUR']);
    const file = await readFile(join(dir, 'service.bundle'));
    for (const text of ['quorum-a', 'PRIVATE', bundle.secrets.trailKey.slice(2), bundle.serviceId.slice(2)]) {
      expect(file.includes(text)).toBe(false);
    }
    expect((await stat(join(dir, 'service.bundle'))).mode & 0o077).toBe(0);
    expect(await readFile(join(dir, 'service.pem'), 'utf8')).toBe(identity.serviceCertificate);
  });

  it('is never made over another', async () => {
    await expect(createService({ dir, vaults: ['quorum-a/EUR'], nowMs: 1 })).rejects.toMatchObject({
      code: 'KEY_FILE_EXISTS',
    });
    expect(publicIdentity((await openService(dir)).bundle)).toEqual(identity);
  });

  it.each([[[]], [['quorum-a']], [['quorum-a/EUR/x']], [['quorum-a/EUR', 'quorum-a/EUR']], [['Quorum/EUR']]])(
    'is not made with vaults %j',
    async (vaults) => {
      const other = join(dir, 'other');
      await expect(createService({ dir: other, vaults, nowMs: 1 })).rejects.toMatchObject({
        code: expect.stringMatching(/SERVICE_ARGUMENTS|ID_INVALID/),
      });
      await expect(stat(other)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('says where its bundle is missing or of another key', async () => {
    const other = join(dir, 'twin');
    await mkdir(other, { mode: 0o700 });
    await createKeyFile(join(other, 'service.key'));
    await writeFile(join(other, 'service.bundle'), await readFile(join(dir, 'service.bundle')));
    await expect(openService(other)).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
    await rm(join(other, 'service.bundle'));
    await expect(openService(other)).rejects.toMatchObject({ code: 'SERVICE_MISSING' });
  });

  const genesis = (change: Partial<Genesis> = {}): Genesis => ({
    version: 1,
    serviceId: identity.serviceId,
    bootstrap: { keys: [], threshold: 1 },
    assets: [],
    participants: [],
    networks: [],
    vaults: ['quorum-a/EUR'].map((key) => ({
      network: 'quorum-a' as never,
      asset: 'EUR' as never,
      mode: 'escrow',
      address: `0x${'11'.repeat(20)}` as never,
      authority: identity.authorities[key] as never,
      epoch: 1,
      fromBlock: 1,
    })),
    exposureCaps: [{ network: 'quorum-a' as never, asset: 'EUR' as never, amountMinor: 5n }],
    ...change,
  });

  it('takes a genesis that is for it, and names each thing that is not', () => {
    expect(mismatches(genesis(), identity)).toEqual([]);
    const [vault] = genesis().vaults;
    if (!vault) throw new Error('no vault');
    const wrong = genesis({
      serviceId: `0x${'22'.repeat(32)}` as never,
      vaults: [
        { ...vault, authority: `0x${'33'.repeat(20)}` as never },
        { ...vault, network: 'quorum-c' as never },
      ],
    });
    const faults = mismatches(wrong, identity).join('\n');
    expect(faults).toContain('serviceId');
    expect(faults).toContain('quorum-a/EUR');
    expect(faults).toContain('quorum-c/EUR');
  });

  it('knows a genesis again by content, not by layout', () => {
    const { version, serviceId, ...rest } = genesis();
    expect(genesisDigest({ ...rest, serviceId, version })).toBe(genesisDigest(genesis()));
    const cap = { network: 'quorum-a' as never, asset: 'EUR' as never, amountMinor: 6n };
    expect(genesisDigest(genesis({ exposureCaps: [cap] }))).not.toBe(genesisDigest(genesis()));
  });

  it('says in words what is wrong with a genesis file', async () => {
    const { bundle } = await openService(dir);
    const path = join(dir, 'genesis.json');
    await expect(readGenesisFile(path, bundle)).rejects.toMatchObject({ code: 'GENESIS_MISSING' });
    await writeFile(path, '{"version": 2}');
    await expect(readGenesisFile(path, bundle)).rejects.toMatchObject({
      code: 'GENESIS_INVALID',
      message: expect.stringContaining('version'),
    });
  });
});
