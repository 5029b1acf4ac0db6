/**
 * Amendment files: numbered changes of the registry, signed by k of n bootstrap keys, until there is voting.
 * The signed bytes are those of `protocol/src/amendment-statement.ts`, over the actions in their JSON form.
 */
import { amendmentStatement } from '@drawbridge/protocol/amendment-statement';
import { type Bytes32, fromHex, type Hex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { Action } from './action.ts';
import { readVersion } from './genesis.ts';
import type { Checked } from './problem.ts';
import { actionToJson, readAction } from './read-action.ts';
import { readBytes32 } from './read-primitives.ts';
import { MAX_SIGNERS, readEd25519Key, readSignature } from './read-registration.ts';
import { type Reading, readJson } from './reading.ts';
import type { BootstrapKeys } from './registration.ts';

/** Actions in one amendment. */
export const MAX_ACTIONS_PER_AMENDMENT = 256;

export type Signature = Readonly<{ key: Hex; signature: Hex }>;
export type AmendmentContent = Readonly<{ serviceId: Bytes32; number: number; actions: readonly Action[] }>;
export type Amendment = AmendmentContent & Readonly<{ version: 1; signatures: readonly Signature[] }>;

/** What a bootstrap key signs with Ed25519. */
export const amendmentBytes = ({ serviceId, number, actions }: AmendmentContent): Uint8Array =>
  amendmentStatement({ serviceId, number, actions: actions.map(actionToJson) });

/** Why the signatures do not carry an amendment, in words without content; `undefined` when they do. */
export function refuseSignatures(
  content: AmendmentContent,
  signatures: readonly Signature[],
  bootstrap: BootstrapKeys,
): string | undefined {
  if (signatures.length > MAX_SIGNERS) return `at most ${MAX_SIGNERS} signatures are read`;
  const bytes = amendmentBytes(content);
  const signers = new Set<Hex>();
  for (const { key, signature } of signatures) {
    if (!bootstrap.keys.includes(key)) return 'a signature is by a key that genesis does not name';
    if (signers.has(key)) return 'a key signed twice';
    if (!verifies(key, signature, bytes)) return 'a signature does not verify';
    signers.add(key);
  }
  const { threshold } = bootstrap;
  return signers.size >= threshold ? undefined : `${signers.size} of the ${threshold} signatures needed`;
}

/** Strict RFC 8032 rules, so that every implementation agrees on what verifies. */
function verifies(key: Hex, signature: Hex, bytes: Uint8Array): boolean {
  try {
    return ed25519.verify(fromHex(signature), bytes, fromHex(key), { zip215: false });
  } catch {
    return false;
  }
}

/** Parses an amendment file. Signatures are read, not verified. @returns it, or everything that is wrong with it. */
export const parseAmendment = (text: string): Checked<Amendment> => readJson(text, readAmendment);

function readAmendment(r: Reading): Amendment {
  r.object(['version', 'serviceId', 'number', 'actions', 'signatures']);
  return {
    version: r.field('version', readVersion, 1),
    serviceId: r.field('serviceId', readBytes32, ZERO_BYTES32),
    number: r.field('number', (number) => number.whole(1, Number.MAX_SAFE_INTEGER), 1),
    actions: r.field('actions', (list) => list.list(readAction, { min: 1, max: MAX_ACTIONS_PER_AMENDMENT }), []),
    signatures: r.field('signatures', (list) => list.list(readOneSignature, { min: 0, max: MAX_SIGNERS }), []),
  };
}

function readOneSignature(r: Reading): Signature {
  r.object(['key', 'signature']);
  return {
    key: r.field('key', readEd25519Key, '0x' as Hex),
    signature: r.field('signature', readSignature, '0x' as Hex),
  };
}

/** The file's text, which `parseAmendment` reads back. */
export function formatAmendment(amendment: Amendment): string {
  const { version, serviceId, number, actions, signatures } = amendment;
  return `${JSON.stringify({ version, serviceId, number, actions: actions.map(actionToJson), signatures }, null, 2)}\n`;
}
