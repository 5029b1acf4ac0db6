/** Evidence that is wrong in one way each, made from true evidence of a lock that the core has not seen yet. */
import { createPublicKey, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import type { EvidenceItem } from '@drawbridge/protocol/api/relay';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import {
  type Attestation,
  encodeObserverEvidence,
  type ObserverEvidence,
} from '@drawbridge/protocol/observer-evidence';
import { base64, type Courier } from './courier.ts';
import { type LyingObserver, withAmount } from './lying-observer.ts';

/** `code`: of the check that must find it. `network`: whose evidence it is posted as. */
export type Forgery = Readonly<{ what: string; item: EvidenceItem; network: string; code: string }>;

const OTHER_NETWORK = 'quorum-b';

export async function forgedEvidence(
  truth: ObserverEvidence,
  parts: { courier: Courier; liar: LyingObserver; system: LocalSystem },
): Promise<Forgery[]> {
  const { network } = truth;
  const contents = await Promise.all(
    forgedContents(truth, parts.liar, parts.system).map(async ({ what, bytes, code }) => {
      return { what, item: await parts.courier.seal(network, bytes), network, code };
    }),
  );
  return [...contents, ...(await forgedEnvelopes(truth, parts.courier, parts.system))];
}

/** Well sealed, but the content is wrong. */
function forgedContents(truth: ObserverEvidence, liar: LyingObserver, system: LocalSystem) {
  const [first, second] = truth.attestations;
  if (!first || !second) throw new TypeError('expected two attestations');
  const dearer = { log: withAmount(truth.log, 900_000n) };
  const elsewhere = { log: { ...truth.log, blockHash: parseBytes32(`0x${'e5'.repeat(32)}`) } };
  const abroad = { genesisHash: system.chain(OTHER_NETWORK).genesisHash };
  const stranger = { ...second, observer: parseParticipantId('observer-4') };
  const lie = liar.vouch(truth.network, dearer.log);
  const bytes = (change: Partial<ObserverEvidence>, ...attestations: Attestation[]): Uint8Array =>
    encodeObserverEvidence({ ...truth, ...change, attestations });
  return [
    { what: 'one attestation', bytes: bytes({}, first), code: 'THRESHOLD_UNMET' },
    { what: 'one observer twice', bytes: bytes({}, first, first), code: 'OBSERVER_DUPLICATE' },
    { what: 'a stranger', bytes: bytes({}, first, stranger), code: 'OBSERVER_UNKNOWN' },
    { what: 'no depth', bytes: bytes({}, first, { ...second, depthBlocks: 1 }), code: 'DEPTH_INSUFFICIENT' },
    { what: 'another amount than was signed', bytes: bytes(dearer, first, second), code: 'SIGNATURE_INVALID' },
    { what: "another amount on the liar's word", bytes: bytes(dearer, lie), code: 'THRESHOLD_UNMET' },
    { what: 'another amount by one liar of two', bytes: bytes(dearer, first, lie), code: 'SIGNATURE_INVALID' },
    { what: 'the true amount by one liar of two', bytes: bytes({}, first, lie), code: 'SIGNATURE_INVALID' },
    {
      what: 'another block by one liar of two',
      bytes: bytes(elsewhere, first, liar.vouch(truth.network, elsewhere.log)),
      code: 'SIGNATURE_INVALID',
    },
    { what: 'another genesis', bytes: bytes(abroad, first, second), code: 'GENESIS_MISMATCH' },
    { what: 'no evidence', bytes: Uint8Array.of(1, 2, 3), code: 'EVIDENCE_INVALID' },
  ];
}

/** The truth, but sealed for somebody or something else; or changed on the way. */
async function forgedEnvelopes(truth: ObserverEvidence, courier: Courier, system: LocalSystem): Promise<Forgery[]> {
  const { network } = truth;
  const bytes = encodeObserverEvidence(truth);
  const honest = await courier.seal(network, bytes);
  const connectorKey = await readFile(join(system.dir, `keys/${network}.sealing.key`), 'utf8');
  const connector = new BodySealer(createPublicKey(connectorKey).export({ type: 'spki', format: 'pem' }).toString());
  const context = { purpose: 'evidence', network: parseNetworkId(network), jobId: randomUUID() } as const;
  const misdirected = { jobId: context.jobId, sealed: base64(connector.seal(bytes, context)) };
  const wrong = (what: string, item: EvidenceItem): Forgery => ({ what, item, network, code: 'ENVELOPE_INVALID' });
  return [
    wrong('sealed for another job', { ...honest, jobId: randomUUID() }),
    wrong('sealed to another key', misdirected),
    wrong('a changed byte', { ...honest, sealed: base64(withChangedTag(honest.sealed)) }),
    wrong('garbage', { jobId: randomUUID(), sealed: base64(Buffer.alloc(500, 7)) }),
    { ...wrong('posted as that of another network', honest), network: OTHER_NETWORK },
    {
      what: 'sealed and posted as that of another network',
      item: await courier.seal(OTHER_NETWORK, bytes),
      network: OTHER_NETWORK,
      code: 'VAULT_UNKNOWN',
    },
  ];
}

/** The last byte of an envelope is the last of its authentication tag. */
function withChangedTag(sealed: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes;
}
