import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { decodeServiceEntry, encodeServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { systemEntropy } from '../consensus/node-host.ts';
import { LedgerKeys } from './ledger-keys.ts';
import { type MakeRekey, makeRekey, type OpenHere, openPreviousSecret, openRekey, type RekeyEntry } from './rekey.ts';
import { openWithKey, type Recipient, recipientFor } from './sealed-to-key.ts';

const nodeId = (digit: string): NodeId => parseNodeId(digit.repeat(64));
const [A, B, C] = [nodeId('a'), nodeId('b'), nodeId('c')];

/** Stands in for RSA: readable, and bound to key and associated data. */
const sealTo: NonNullable<MakeRekey['sealTo']> = (key, associatedData, plaintext) =>
  Buffer.from(
    JSON.stringify([key, Buffer.from(associatedData).toString('hex'), Buffer.from(plaintext).toString('hex')]),
  );
const openWith =
  (key: string): OpenHere =>
  (associatedData, sealed) => {
    const [to, bound, plaintext] = JSON.parse(Buffer.from(sealed).toString()) as [string, string, string];
    if (to === key && bound === Buffer.from(associatedData).toString('hex')) return Buffer.from(plaintext, 'hex');
    throw new ProtocolError('ENVELOPE_INVALID', 'is for another');
  };

const node = (id: NodeId) => ({ nodeId: id, encryptionKey: `key of ${id}` });
const broken = expect.objectContaining({ code: 'REKEY_BROKEN' });

describe('rekey', () => {
  let keys: LedgerKeys;
  let entry: RekeyEntry;
  beforeAll(() => {
    keys = new LedgerKeys(new Map([[1, randomBytes(32)]]));
    entry = makeRekey({ keys, nodes: [node(A), node(B)], entropy: systemEntropy, sealTo });
  });

  it('is a service entry with a wrap for each node, and changes nothing until it is applied', () => {
    expect(decodeServiceEntry(encodeServiceEntry(entry))).toEqual(entry);
    expect(entry.wraps.map((wrap) => wrap.nodeId)).toEqual([A, B]);
    expect([entry.epoch, keys.epoch]).toEqual([2, 1]);
  });

  it('opens for each of its nodes alike, and for nobody else', () => {
    const opened = [A, B].map((id) => openRekey(entry, id, openWith(`key of ${id}`), keys));
    expect(opened[0]).toEqual(opened[1]);
    expect(opened[0]).toMatchObject({ epoch: 2, secret: expect.any(Uint8Array) });
    expect(openRekey(entry, C, openWith(`key of ${C}`), keys)).toBeUndefined();
  });

  it('of the past needs no wrap: who joined later was given its secret', () => {
    const secret = openRekey(entry, A, openWith(`key of ${A}`), keys)?.secret ?? new Uint8Array();
    const given = new LedgerKeys(new Map([...keys.secrets(), [2, secret]]));
    expect(openRekey(entry, C, openWith(`key of ${C}`), given)).toEqual({ epoch: 2, secret });
  });

  it('leads back to every secret before it', () => {
    const all = new LedgerKeys(keys.secrets());
    const entries: RekeyEntry[] = [];
    for (let i = 0; i < 4; i++) {
      const next = makeRekey({ keys: all, nodes: [node(A)], entropy: systemEntropy, sealTo });
      const opened = openRekey(next, A, openWith(`key of ${A}`), all);
      if (!opened) throw new Error('it is for A');
      all.add(opened.epoch, opened.secret);
      entries.unshift(next);
    }
    let secret = all.secrets().get(5) ?? new Uint8Array();
    const found = entries.map((one) => {
      secret = openPreviousSecret(one, secret);
      return [one.epoch - 1, secret] as const;
    });
    expect(new Map([...found].reverse())).toEqual(new Map([...all.secrets()].slice(0, 4)));
  });

  it('is refused where it was tampered with, or is chained to another secret', () => {
    const open = openWith(`key of ${A}`);
    const [wrapA, wrapB] = entry.wraps;
    if (!wrapA || !wrapB) throw new Error('both have one');
    const moved = { ...entry, wraps: [{ nodeId: A, sealed: wrapB.sealed }] };
    expect(() => openRekey(moved, A, open, keys)).toThrow(broken);
    expect(() => openRekey({ ...entry, epoch: 3 }, A, open, keys)).toThrow(broken);
    const previous = Uint8Array.from(entry.previous);
    previous[60] = (previous[60] ?? 0) ^ 1;
    expect(() => openRekey({ ...entry, previous }, A, open, keys)).toThrow(broken);
    const others = new LedgerKeys(new Map([[1, randomBytes(32)]]));
    expect(() => openRekey(entry, A, open, others)).toThrow(broken);
    const short = makeRekey({
      keys,
      nodes: [node(A)],
      entropy: systemEntropy,
      sealTo: (k, ad) => sealTo(k, ad, Buffer.alloc(31)),
    });
    expect(() => openRekey(short, A, open, keys)).toThrow(broken);
  });

  it('counts the last place of a key that has several', () => {
    const twice = [node(A), { nodeId: A, encryptionKey: 'newer key' }];
    const made = makeRekey({ keys, nodes: twice, entropy: systemEntropy, sealTo });
    expect(made.wraps).toHaveLength(1);
    expect(openRekey(made, A, openWith('newer key'), keys)).toBeDefined();
  });

  it('is sealed to RSA keys', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 1_024,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const recipient: Recipient = recipientFor(createPrivateKey(privateKey));
    const made = makeRekey({ keys, nodes: [{ nodeId: A, encryptionKey: publicKey }], entropy: systemEntropy });
    const open: OpenHere = (associatedData, sealed) => openWithKey(recipient, associatedData, sealed);
    expect(openRekey(made, A, open, keys)?.secret).toHaveLength(32);
    expect(() => openRekey({ ...made, epoch: 3 }, A, open, keys)).toThrow(broken);
  });
});
