/**
 * Records `ledger/`: a small ledger with everything in it, for verifiers in other languages. Keys are drawn and signatures are
 * random, so each run records another one; what they must lead to stands in `expected.json`.
 *
 *     node scripts/run-source.mjs test/vectors/record-ledger.ts
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@drawbridge/cli/ledger/sha256';
import {
  CLAIM_SEQNOS,
  exportOf,
  exportText,
  LAST_SEQNO,
  LAST_SIGNATURE,
  newParties,
  sampleLedger,
} from '@drawbridge/cli/testing/sample-ledger';
import { leafOf, writeSetDigest } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';

const FOLDER: string = fileURLToPath(new URL('./ledger/', import.meta.url));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const write = (name: string, content: string): void => writeFileSync(`${FOLDER}${name}`, content);
const whole = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
const parties = await newParties();
const ledger = sampleLedger(parties);
await ledger.write(FOLDER);
write('service.pem', parties.service.certificate);
write('export.jsonl', exportText(exportOf(ledger)));
for (const seqno of [1, ...CLAIM_SEQNOS]) write(`receipt-${seqno}.json`, whole(ledger.receipt(seqno, 0)));
write(`receipt-${LAST_SIGNATURE}.json`, whole(ledger.receipt(LAST_SIGNATURE)));

const tree = MerkleFrontier.start(sha256);
const entries = Array.from({ length: LAST_SEQNO }, (_, index) => {
  const record = ledger.record(index + 1);
  const leaf = leafOf(record, sha256);
  tree.append(leaf);
  return {
    seqno: record.seqno,
    view: record.view,
    kind: record.kind,
    writeSetDigest: hexOf(writeSetDigest(record, sha256)),
    commitEvidenceDigest: hexOf(record.commitEvidenceDigest),
    claimsDigest: hexOf(record.claimsDigest),
    leaf: hexOf(leaf),
    /** Of the tree of leaves 0 … seqno. */
    root: hexOf(tree.root()),
  };
});
write(
  'expected.json',
  whole({
    description: 'A ledger of test keys; docs/ledger-format.md says how to read it. root: of the tree of leaves 0 to seqno.',
    source: 'test/vectors/record-ledger.ts',
    /** All certificates are valid then. */
    at: new Date().toISOString(),
    serviceId: parties.service.serviceId,
    nodes: [parties.first.nodeId, parties.second.nodeId],
    signedEntries: LAST_SIGNATURE - 1,
    entries,
  }),
);
