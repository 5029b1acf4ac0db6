/**
 * The text of a claim: JSON without spaces whose fields stand in one order, made from an event of a participant and the terms
 * of its transfer alone, so that it can be made again from history. Its bytes are what is hashed.
 * `{"v":1,"participant","number","stampMs","type":"transfer","bank","id","state"[,"reason"],"asset","amountMinor","debtor",
 * "creditor"[,"source":{"network","depositor"}][,"destination":{"network","beneficiary"}]}` or
 * `{"v":1,"participant","number","stampMs","type":"lock","network","asset","lockId","state"}`.
 * `source` is in the debtor's claims only: it would link a deposit on a network, which anyone can see, to the transfer.
 */
import { parseAmountMinor } from '../amount.ts';
import { type Bytes32, parseBytes32 } from '../bytes32.ts';
import {
  type AssetCode,
  type NetworkId,
  type ParticipantId,
  parseAssetCode,
  parseNetworkId,
  parseParticipantId,
  parseTransferId,
} from '../ids.ts';
import { isProtocolError, ProtocolError } from '../protocol-error.ts';

/** Words of capital letters, digits and underscores: a verifier of today reads the states and reasons of tomorrow. */
type ClaimBody =
  | Readonly<{ type: 'transfer'; bank: ParticipantId; id: string; state: string; reason?: string }>
  | Readonly<{ type: 'lock'; network: NetworkId; asset: AssetCode; lockId: Bytes32; state: string }>;

/** One event of a participant's stream. `number` is contiguous per participant, from 1. */
export type ClaimEvent = Readonly<{ participant: ParticipantId; number: number; stampMs: number; body: ClaimBody }>;

/** What never changes of a transfer. Parties on networks are 32-byte words. */
export type ClaimTerms = Readonly<{
  asset: AssetCode;
  amountMinor: bigint;
  debtor: ParticipantId;
  creditor: ParticipantId;
  source?: Readonly<{ network: NetworkId; depositor: Bytes32 }>;
  destination?: Readonly<{ network: NetworkId; beneficiary: Bytes32 }>;
}>;

/** `terms` is there for events of transfers, and only for these. */
export type Claim = Readonly<{ event: ClaimEvent; terms?: ClaimTerms }>;

/** Longest text, in characters. */
export const MAX_CLAIM_CHARACTERS = 1_024;

/**
 * All that is written has gone through its parser, so that nothing in it needs escaping.
 * @throws TypeError for an event of a transfer without its terms
 */
export function claimText(event: ClaimEvent, terms?: ClaimTerms): string {
  const { participant, number, stampMs, body } = event;
  const head = `{"v":1,"participant":"${participant}","number":${number},"stampMs":${stampMs},"type":`;
  if (body.type === 'lock') {
    const { network, asset, lockId, state } = body;
    return `${head}"lock","network":"${network}","asset":"${asset}","lockId":"${lockId}","state":"${state}"}`;
  }
  if (terms === undefined) throw new TypeError('a claim about a transfer needs its terms');
  const { asset, amountMinor, debtor, creditor, source, destination } = terms;
  let text = `${head}"transfer","bank":"${body.bank}","id":"${body.id}","state":"${body.state}"`;
  if (body.reason !== undefined) text += `,"reason":"${body.reason}"`;
  text += `,"asset":"${asset}","amountMinor":"${amountMinor}","debtor":"${debtor}","creditor":"${creditor}"`;
  if (source !== undefined && participant === debtor) {
    text += `,"source":{"network":"${source.network}","depositor":"${source.depositor}"}`;
  }
  if (destination !== undefined) {
    text += `,"destination":{"network":"${destination.network}","beneficiary":"${destination.beneficiary}"}`;
  }
  return `${text}}`;
}

/** @throws ProtocolError `RECEIPT_INVALID` for anything but the one text of a claim */
export function parseClaim(text: string): Claim {
  if (text.length > MAX_CLAIM_CHARACTERS) return refuse(`claim must have at most ${MAX_CLAIM_CHARACTERS} characters`);
  let claim: Claim;
  try {
    claim = readClaim(JSON.parse(text));
  } catch (cause) {
    if (isProtocolError(cause) && cause.code === 'RECEIPT_INVALID') throw cause;
    throw new ProtocolError('RECEIPT_INVALID', 'claim is not one of this version', { cause });
  }
  return claimText(claim.event, claim.terms) === text ? claim : refuse('claim is not in its one form');
}

function refuse(message: string): never {
  throw new ProtocolError('RECEIPT_INVALID', message);
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that are too many show when the text is made again. */
const fieldsOf = (value: unknown, what: string): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : refuse(`${what} must be an object`);
const textOf = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : refuse(`${what} must be text`);
function wordOf(value: unknown, what: string): string {
  const word = textOf(value, what);
  return /^[A-Z0-9_]{1,32}$/.test(word) ? word : refuse(`${what} must be a word of capital letters`);
}
const countOf = (value: unknown, what: string): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(`${what} must be a whole number`);

function readClaim(value: unknown): Claim {
  const fields = fieldsOf(value, 'claim');
  const { v, type, reason } = fields;
  if (v !== 1) return refuse('claim has an unknown version');
  const common = {
    participant: parseParticipantId(textOf(fields.participant, 'participant')),
    number: countOf(fields.number, 'number'),
    stampMs: countOf(fields.stampMs, 'stampMs'),
  };
  const state = wordOf(fields.state, 'state');
  const asset = parseAssetCode(textOf(fields.asset, 'asset'));
  if (common.number === 0) return refuse('numbers begin at 1');
  if (type === 'lock') {
    const network = parseNetworkId(textOf(fields.network, 'network'));
    const lockId = parseBytes32(textOf(fields.lockId, 'lockId'), 'lockId');
    return { event: { ...common, body: { type, network, asset, lockId, state } } };
  }
  if (type !== 'transfer') return refuse('claim has an unknown type');
  const body = {
    type,
    bank: parseParticipantId(textOf(fields.bank, 'bank')),
    id: parseTransferId(textOf(fields.id, 'id')),
    state,
    ...(reason !== undefined && { reason: wordOf(reason, 'reason') }),
  } as const;
  return { event: { ...common, body }, terms: readTerms(fields, asset) };
}

function readTerms(fields: Fields, asset: AssetCode): ClaimTerms {
  const edge = (name: 'source' | 'destination', party: string) => {
    const { network, [party]: word } = fieldsOf(fields[name], name);
    return {
      network: parseNetworkId(textOf(network, 'network')),
      party: parseBytes32(textOf(word, party), party),
    };
  };
  const source = fields.source === undefined ? undefined : edge('source', 'depositor');
  const destination = fields.destination === undefined ? undefined : edge('destination', 'beneficiary');
  return {
    asset,
    amountMinor: parseAmountMinor(textOf(fields.amountMinor, 'amountMinor')),
    debtor: parseParticipantId(textOf(fields.debtor, 'debtor')),
    creditor: parseParticipantId(textOf(fields.creditor, 'creditor')),
    ...(source && { source: { network: source.network, depositor: source.party } }),
    ...(destination && { destination: { network: destination.network, beneficiary: destination.party } }),
  };
}
