import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_PLACES_OF_A_KEY, MAX_PRESENT_NODES } from './apply-service.ts';
import { decodeMembership, encodeMembership } from './membership-codec.ts';
import { isRekeyDue, ledgerFacts, presentNode, presentNodes, rekeyRecipients } from './membership-state.ts';
import { describeNode, Ledger, nodeId, rekeyFor, rulesFor } from './testing/nodes.ts';

const digest = new Uint8Array(32).fill(7);
let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger();
});
const refused = (code: string) => expect.objectContaining({ ok: false, code });

describe('a node', () => {
  test('is admitted under the next Raft id when its key is listed', () => {
    ledger.rules = rulesFor([0, 1, 2]);
    expect(ledger.admit(1)).toEqual({ ok: true, raftId: 2 });
    expect(ledger.admit(2)).toEqual({ ok: true, raftId: 3 });
    expect(presentNodes(ledger.state).map(({ raftId }) => raftId)).toEqual([1, 2, 3]);
    expect(ledger.state.nodes.get(3)).toEqual({ ...describeNode(2), raftId: 3, replaces: [], left: false });
  });

  test('is not admitted unless its key is listed, and is told what to do', () => {
    const before = ledger.state;
    expect(ledger.admit(1)).toMatchObject({
      ok: false,
      code: 'NODE_NOT_LISTED',
      detail: expect.stringContaining(nodeId(1)),
    });
    expect(ledger.state).toBe(before);
  });

  test('is not admitted without the version that the service runs', () => {
    ledger.rules = rulesFor([0, 1], { protocolVersion: 2 });
    expect(ledger.admit(1, { versions: [1, 3] })).toEqual(refused('VERSION_UNSUPPORTED'));
    expect(ledger.admit(1, { versions: [1, 2] })).toMatchObject({ ok: true });
  });

  test('is not admitted where there is no room', () => {
    ledger.rules = rulesFor(Array.from({ length: 2 * MAX_PRESENT_NODES }, (_, n) => n));
    for (let n = 1; n < MAX_PRESENT_NODES; n++) expect(ledger.admit(n)).toMatchObject({ ok: true });
    expect(ledger.admit(MAX_PRESENT_NODES)).toEqual(refused('NODES_FULL'));
    // Who is here already takes over its own place.
    expect(ledger.admit(MAX_PRESENT_NODES - 1)).toMatchObject({ ok: true });
    expect(ledger.admit(0)).toMatchObject({ ok: true });
  });

  test('that starts again and again uses up its own room and no other', () => {
    ledger.rules = rulesFor(Array.from({ length: MAX_PRESENT_NODES }, (_, n) => n));
    for (let n = 1; n < MAX_PRESENT_NODES - 1; n++) ledger.admit(n);
    for (let place = 1; place < MAX_PLACES_OF_A_KEY; place++) expect(ledger.admit(1)).toMatchObject({ ok: true });
    expect(ledger.admit(1)).toMatchObject({ code: 'NODES_FULL', detail: expect.stringContaining('later') });
    expect(ledger.admit(2)).toMatchObject({ ok: true });
    expect(ledger.admit(MAX_PRESENT_NODES - 1)).toMatchObject({ ok: true });
    expect(decodeMembership(encodeMembership(ledger.state))).toEqual(ledger.state);
    ledger.apply({ type: 'nodeLeft', raftId: 2 });
    expect(ledger.admit(1)).toMatchObject({ ok: true });
  });

  test('that comes again gets a new Raft id and takes over all its earlier places', () => {
    ledger.rules = rulesFor([0, 1]);
    ledger.admit(1);
    expect(ledger.admit(1)).toEqual({ ok: true, raftId: 3 });
    expect(ledger.admit(1)).toEqual({ ok: true, raftId: 4 });
    expect(ledger.state.nodes.get(4)?.replaces).toEqual([2, 3]);
    expect(presentNode(ledger.state, nodeId(1))?.raftId).toBe(4);
    expect(ledger.apply({ type: 'nodeLeft', raftId: 2 })).toEqual({ ok: true });
    expect(ledger.apply({ type: 'nodeLeft', raftId: 3 })).toEqual({ ok: true });
    expect([...ledger.state.nodes.keys()]).toEqual([1, 4]);
    expect(ledger.state.nodes.get(4)?.replaces).toEqual([]);
    expect(ledger.admit(1)).toEqual({ ok: true, raftId: 5 });
  });

  test('may take over the place of one that is not listed any more, and of no other', () => {
    ledger.rules = rulesFor([0, 1, 2]);
    ledger.admit(1);
    const entry = { type: 'admitNode', node: describeNode(2), replaces: 2 } as const;
    expect(ledger.apply(entry)).toEqual(refused('NODE_STAYS'));
    expect(ledger.apply({ ...entry, replaces: 9 })).toEqual(refused('NODE_UNKNOWN'));
    ledger.rules = rulesFor([0, 2]);
    expect(ledger.apply(entry)).toEqual({ ok: true, raftId: 3 });
    expect(ledger.state.nodes.get(3)?.replaces).toEqual([2]);
  });

  test('leaves when it is not listed any more, and its row stays for its receipts', () => {
    ledger.rules = rulesFor([0, 1]);
    ledger.admit(1);
    expect(ledger.apply({ type: 'nodeLeft', raftId: 2 })).toEqual(refused('NODE_STAYS'));
    ledger.rules = rulesFor([0]);
    expect(ledger.apply({ type: 'nodeLeft', raftId: 2 })).toEqual({ ok: true });
    expect(ledger.state.nodes.get(2)).toMatchObject({ left: true, certificate: 'certificate 1' });
    expect(presentNode(ledger.state, nodeId(1))).toBeUndefined();
    expect(ledger.apply({ type: 'nodeLeft', raftId: 2 })).toEqual(refused('NODE_UNKNOWN'));
    expect(ledger.apply({ type: 'nodeLeft', raftId: 7 })).toEqual(refused('NODE_UNKNOWN'));
  });

  test('says where it is now, under its own Raft id and key only', () => {
    const node = describeNode(0, { apiAddress: '10.9.9.9:1', versions: [1, 2] });
    expect(ledger.apply({ type: 'updateNode', raftId: 1, node })).toEqual({ ok: true });
    expect(ledger.state.nodes.get(1)).toMatchObject({ apiAddress: '10.9.9.9:1', versions: [1, 2], raftId: 1 });
    ledger.rules = rulesFor([0, 1]);
    ledger.admit(1);
    expect(ledger.apply({ type: 'updateNode', raftId: 2, node })).toEqual(refused('NODE_UNKNOWN'));
    expect(ledger.apply({ type: 'updateNode', raftId: 3, node })).toEqual(refused('NODE_UNKNOWN'));
    ledger.rules = rulesFor([1]);
    expect(ledger.apply({ type: 'updateNode', raftId: 1, node })).toEqual(refused('NODE_NOT_LISTED'));
    ledger.rules = rulesFor([0, 1], { protocolVersion: 3 });
    expect(ledger.apply({ type: 'updateNode', raftId: 1, node })).toEqual(refused('VERSION_UNSUPPORTED'));
  });
});

describe('a life', () => {
  const life = 'a'.repeat(32) as NodeLife;

  test('is that of who was admitted, and stays', () => {
    ledger.rules = rulesFor([0, 1]);
    ledger.admit(1, { life });
    expect(ledger.state.nodes.get(2)?.life).toBe(life);
    const other = 'b'.repeat(32) as NodeLife;
    const entry = { type: 'updateNode', raftId: 2, node: describeNode(1, { life: other }) } as const;
    expect(ledger.apply(entry)).toEqual(refused('LIFE_OVER'));
    expect(ledger.apply({ ...entry, node: describeNode(1, { life }) })).toEqual({ ok: true });
  });

  test('may be another after a restart of the one that began the service', () => {
    expect(ledger.apply({ type: 'updateNode', raftId: 1, node: describeNode(0, { life }) })).toEqual({ ok: true });
    expect(ledger.state.nodes.get(1)?.life).toBe(life);
  });
});

describe('a rekey', () => {
  beforeEach(() => {
    ledger.rules = rulesFor([0, 1], { rekeyDue: 3 });
    ledger.admit(1);
  });

  test('moves the epoch on by one and answers all that was asked so far', () => {
    expect(isRekeyDue(ledger.state, ledger.rules)).toBe(true);
    expect(ledger.apply(rekeyFor(2, [0, 1]))).toEqual({ ok: true });
    expect(ledger.state).toMatchObject({ epoch: 2, rekeys: 3 });
    expect(isRekeyDue(ledger.state, ledger.rules)).toBe(false);
  });

  test.each([
    ['of an epoch that was', 1, [0, 1], 'EPOCH_STALE'],
    ['of an epoch too far', 3, [0, 1], 'EPOCH_STALE'],
    ['without a node that is here', 2, [0], 'REKEY_RECIPIENTS'],
    ['for a node that is not here', 2, [0, 1, 2], 'REKEY_RECIPIENTS'],
    ['with a node twice in place of another', 2, [0, 0], 'REKEY_RECIPIENTS'],
    ['with a node twice', 2, [0, 1, 1], 'REKEY_RECIPIENTS'],
  ] as const)('%s is refused', (_, epoch, nodes, code) => {
    const before = ledger.state;
    expect(ledger.apply(rekeyFor(epoch, nodes))).toEqual(refused(code));
    expect(ledger.state).toBe(before);
  });

  test('waits until a node that may not be here has left: a voter that cannot read the next entry would stop', () => {
    ledger.rules = rulesFor([0], { rekeyDue: 4 });
    expect([isRekeyDue(ledger.state, ledger.rules), rekeyRecipients(ledger.state, ledger.rules)]).toEqual([
      false,
      undefined,
    ]);
    expect(ledger.apply(rekeyFor(2, [0]))).toEqual(refused('REKEY_RECIPIENTS'));
    ledger.apply({ type: 'nodeLeft', raftId: 2 });
    expect(ledger.apply(rekeyFor(2, [0]))).toEqual({ ok: true });
  });

  test('is for each key once, at its newest place', () => {
    ledger.admit(1, { encryptionKey: 'newer' });
    const recipients = rekeyRecipients(ledger.state, ledger.rules);
    expect(recipients?.map(({ raftId, encryptionKey }) => [raftId, encryptionKey])).toEqual([
      [1, 'encryption key 0'],
      [3, 'newer'],
    ]);
    expect(ledger.apply(rekeyFor(2, [0, 1]))).toEqual({ ok: true });
  });
});

describe('a snapshot', () => {
  const evidence = (seqno: number) => ({ type: 'snapshotEvidence', seqno, digest }) as const;

  test('is believed by the first evidence for the newest mark', () => {
    ledger.apply({ type: 'snapshotMark' });
    const { seqno } = ledger;
    expect(ledger.state.mark).toEqual({ seqno });
    expect(ledger.apply(evidence(seqno))).toEqual({ ok: true });
    expect(ledger.state.evidence).toEqual({ seqno, digest, evidenceSeqno: seqno + 1 });
    expect(ledger.state.mark).toBeUndefined();
    expect(ledger.apply(evidence(seqno))).toEqual(refused('MARK_UNKNOWN'));
  });

  test('is not believed by evidence for an earlier mark, nor for none', () => {
    expect(ledger.apply(evidence(1))).toEqual(refused('MARK_UNKNOWN'));
    ledger.apply({ type: 'snapshotMark' });
    ledger.apply({ type: 'snapshotMark' });
    expect(ledger.apply(evidence(ledger.seqno - 1))).toEqual(refused('MARK_UNKNOWN'));
  });
});

test('what settlement may ask: versions that all have, and who is here', () => {
  ledger.rules = rulesFor([0, 1, 2]);
  ledger.apply({ type: 'updateNode', raftId: 1, node: describeNode(0, { versions: [1, 2, 3] }) });
  ledger.admit(1, { versions: [1, 3] });
  expect(ledgerFacts(ledger.state)).toEqual({ supportedVersions: [1, 3], members: new Set([nodeId(0), nodeId(1)]) });
  ledger.admit(2);
  expect(ledgerFacts(ledger.state).supportedVersions).toEqual([1]);
});
