import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Genesis } from '@drawbridge/governance/genesis';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeyFile } from '../keys/key-file.ts';
import { LedgerKeys } from '../keys/ledger-keys.ts';
import type { PublicService } from './create-service.ts';
import { demandOwnGenesis, genesisDigest, mismatches, readGenesisFile } from './genesis-file.ts';
import {
  createNodeFolder,
  discardData,
  forgetPlace,
  type OpenedNode,
  openNode,
  type Place,
  refuseNodeFolder,
  savePlace,
  saveSecrets,
} from './node-folder.ts';
import { drawNodeKeys, type NodeKeys } from './node-identity.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drawbridge-node-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the folder of a node', () => {
  let keys: NodeKeys;
  let folders = 0;
  beforeAll(async () => {
    // Far smaller than those of nodes that join, for tests that join nothing.
    keys = await drawNodeKeys(1_024);
  });
  const make = async (): Promise<OpenedNode> => {
    const path = join(root, `node-${++folders}`);
    await createNodeFolder(path, { node: keys, hosts: ['core.example'] });
    return openNode(path);
  };
  const place = (): Place => ({
    raftId: 4,
    joined: true,
    serviceId: `0x${'22'.repeat(32)}` as never,
    serviceCertificate: 'service certificate',
    certificate: 'certificate',
    told: { revision: 3, peers: [] },
  });

  it('knows its keys and hosts, and begins without place', async () => {
    const node = await make();
    expect(node).toMatchObject({ hosts: ['core.example'], founding: null, place: null, ledgerKeys: null });
    expect(node.identity.nodeId).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(node.dir)).toEqual(['node.bundle', 'node.key']);
  });

  it('keeps place and ledger secrets, and forgets them', async () => {
    const node = await make();
    const secret = randomBytes(32);
    const ledgerKeys = new LedgerKeys(new Map([[1, secret]]));
    await saveSecrets(node, ledgerKeys);
    expect((await openNode(node.dir)).ledgerKeys).toBeNull();
    await savePlace(node, place(), ledgerKeys);
    ledgerKeys.add(2, randomBytes(32));
    await saveSecrets(node, ledgerKeys);
    const again = await openNode(node.dir);
    expect(again.place).toEqual(place());
    expect(again.ledgerKeys?.secrets()).toEqual(ledgerKeys.secrets());
    expect((await readFile(join(node.dir, 'node.bundle'))).includes(secret.toString('hex'))).toBe(false);
    expect(await readFile(join(node.dir, 'service.pem'), 'utf8')).toBe('service certificate');
    await forgetPlace(node);
    const forgotten = await openNode(node.dir);
    expect(forgotten).toMatchObject({ founding: null, place: null, ledgerKeys: null, hosts: ['core.example'] });
    expect(forgotten.identity.nodeId).toBe(node.identity.nodeId);
  });

  it('loses nothing of changes that come together, as rekeys do while a node catches up', async () => {
    const node = await make();
    const ledgerKeys = new LedgerKeys(new Map([[1, randomBytes(32)]]));
    const saved = [savePlace(node, place(), ledgerKeys)];
    for (let epoch = 2; epoch <= 5; epoch++) {
      ledgerKeys.add(epoch, randomBytes(32));
      saved.push(saveSecrets(node, ledgerKeys));
    }
    saved.push(
      savePlace(node, { ...place(), certificate: 'endorsed anew' }, ledgerKeys),
      saveSecrets(node, ledgerKeys),
    );
    await Promise.all(saved);
    const again = await openNode(node.dir);
    expect(again.place).toEqual({ ...place(), certificate: 'endorsed anew' });
    expect(again.ledgerKeys?.secrets()).toEqual(ledgerKeys.secrets());
    await Promise.all([saveSecrets(node, ledgerKeys), forgetPlace(node), saveSecrets(node, ledgerKeys)]);
    expect(await openNode(node.dir)).toMatchObject({ place: null, ledgerKeys: null });
  });

  it('can begin anew without what an earlier life left', async () => {
    const node = await make();
    for (const name of ['log', 'ledger', 'history']) await mkdir(join(node.dir, name));
    await writeFile(join(node.dir, 'log', 'segment'), 'x');
    await writeFile(join(node.dir, 'genesis.snapshot'), 'x');
    await discardData(node.dir);
    expect(await readdir(node.dir)).toEqual(['node.bundle', 'node.key']);
    await discardData(node.dir);
  });

  it('says where the bundle is missing, of another key, or of an earlier version', async () => {
    const other = join(root, 'twin');
    await mkdir(other, { mode: 0o700 });
    await createKeyFile(join(other, 'node.key'));
    await writeFile(join(other, 'node.bundle'), await readFile(join((await make()).dir, 'node.bundle')));
    await expect(openNode(other)).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
    await rm(join(other, 'node.bundle'));
    await expect(openNode(other)).rejects.toMatchObject({ code: 'NODE_MISSING' });
    const former = join(root, 'former');
    await mkdir(former, { mode: 0o700 });
    await createKeyFile(join(former, 'service.key'));
    await expect(openNode(former)).rejects.toMatchObject({ code: 'FOLDER_FORMER' });
    await expect(refuseNodeFolder(former)).rejects.toMatchObject({ code: 'FOLDER_FORMER' });
    await expect(refuseNodeFolder(other)).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' });
  });
});

describe('a genesis', () => {
  const identity: PublicService = {
    serviceId: `0x${'11'.repeat(32)}` as never,
    authorities: { 'quorum-a/EUR': `0x${'aa'.repeat(20)}` as never },
    sealingKey: '',
    serviceCertificate: '',
  };
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

  it('is taken when it is for the service, and each thing that is not is named', () => {
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
    const checked = { genesis: wrong, text: '', digest: genesisDigest(wrong) };
    expect(() => demandOwnGenesis(checked, identity)).toThrow(expect.objectContaining({ code: 'GENESIS_MISMATCH' }));
  });

  it('is known again by content, not by layout', () => {
    const { version, serviceId, ...rest } = genesis();
    expect(genesisDigest({ ...rest, serviceId, version })).toBe(genesisDigest(genesis()));
    const cap = { network: 'quorum-a' as never, asset: 'EUR' as never, amountMinor: 6n };
    expect(genesisDigest(genesis({ exposureCaps: [cap] }))).not.toBe(genesisDigest(genesis()));
    expect(genesisDigest(genesis({ nodes: [] }))).not.toBe(genesisDigest(genesis()));
  });

  it('without nodes has the digest that it always had', () => {
    const { exposureCaps: _, ...rest } = genesis({ serviceId: `0x${'22'.repeat(32)}` as never, vaults: [] });
    expect(genesisDigest({ ...rest, exposureCaps: [] })).toBe(FIXED_DIGEST);
  });

  it('file says in words what is wrong with it', async () => {
    const path = join(root, 'genesis.json');
    await expect(readGenesisFile(path)).rejects.toMatchObject({ code: 'GENESIS_MISSING' });
    await writeFile(path, '{"version": 2}');
    await expect(readGenesisFile(path)).rejects.toMatchObject({
      code: 'GENESIS_INVALID',
      message: expect.stringContaining('version'),
    });
  });
});

/** SHA-256 over `drawbridge/genesis/1`, a zero byte and the sorted JSON, as the first version computed it. */
const FIXED_DIGEST = '0x063b10f73a1ba7af5b1fea4358ecd1e9492b7b0a95b75d7fab3afd456867cc75';
