/** Makes whole services: with their RSA keys that takes seconds. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorityAddress, createNode, createService, type PublicIdentity, publicService } from './create-service.ts';
import { openNode } from './node-folder.ts';

let root: string;
let dir: string;
let identity: PublicIdentity;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-service-'));
  dir = join(root, 'first');
  identity = await createService({ dir, vaults: ['quorum-a/EUR', 'quorum-b/EUR'], nowMs: Date.now() });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a new service', () => {
  it('says its public parts and keeps the rest sealed', async () => {
    expect(identity.serviceId).toMatch(/^0x[0-9a-f]{64}$/);
    expect(Object.keys(identity.authorities)).toEqual(['quorum-a/EUR', 'quorum-b/EUR']);
    expect(identity.sealingKey).toContain('BEGIN PUBLIC KEY');
    expect(identity.serviceCertificate).toContain('BEGIN CERTIFICATE');
    const opened = await openNode(dir);
    expect(opened.identity.nodeId).toBe(identity.nodeId);
    expect([opened.place, opened.ledgerKeys?.epoch]).toEqual([null, 1]);
    const { founding } = opened;
    if (!founding) throw new Error('it was made here');
    const { nodeId: _, ...publicParts } = identity;
    expect(publicService(founding)).toEqual(publicParts);
    const key = founding.secrets.authorities['quorum-a/EUR'];
    expect(key && authorityAddress(key)).toBe(identity.authorities['quorum-a/EUR']);
    const file = await readFile(join(dir, 'node.bundle'));
    for (const text of ['quorum-a', 'PRIVATE', founding.secrets.trailKey.slice(2), identity.serviceId.slice(2)]) {
      expect(file.includes(text)).toBe(false);
    }
    expect((await stat(join(dir, 'node.bundle'))).mode & 0o077).toBe(0);
    expect(await readFile(join(dir, 'service.pem'), 'utf8')).toBe(identity.serviceCertificate);
  });

  it('is never made over another', async () => {
    const again = createService({ dir, vaults: ['quorum-a/EUR'], nowMs: 1 });
    await expect(again).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' });
    expect((await openNode(dir)).identity.nodeId).toBe(identity.nodeId);
  });

  it.each([[[]], [['quorum-a']], [['quorum-a/EUR/x']], [['quorum-a/EUR', 'quorum-a/EUR']], [['Quorum/EUR']]])(
    'is not made with vaults %j',
    async (vaults) => {
      const other = join(root, 'other');
      await expect(createService({ dir: other, vaults, nowMs: 1 })).rejects.toMatchObject({
        code: expect.stringMatching(/SERVICE_ARGUMENTS|ID_INVALID/),
      });
      await expect(stat(other)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('is not made for a host that is no name', async () => {
    const made = createService({ dir: join(root, 'other'), vaults: ['quorum-a/EUR'], hosts: ['a b'], nowMs: 1 });
    await expect(made).rejects.toMatchObject({ code: 'SERVICE_ARGUMENTS' });
  });
});

describe('a new node', () => {
  it('says its key, and has no place', async () => {
    const path = join(root, 'node');
    const { nodeId, publicKey } = await createNode({ dir: path, hosts: ['b.example'] });
    const opened = await openNode(path);
    expect(opened.identity).toMatchObject({ nodeId, publicKey });
    expect(opened).toMatchObject({ founding: null, place: null, ledgerKeys: null });
    expect(opened.hosts).toEqual(['localhost', '127.0.0.1', 'b.example']);
    await expect(createNode({ dir: path })).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' });
  });
});
