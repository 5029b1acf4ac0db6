/**
 * Canonical bytes of log entries: CBOR (RFC 8949 §4.2) of lists, the first item of a command its number. A number keeps
 * its meaning for ever. Other types, lengths, numbers and longer encodings than needed are refused.
 */
import { MAX_ACTIONS_PER_AMENDMENT } from '@drawbridge/governance/amendment';
import { actionToJson, parseActions } from '@drawbridge/governance/read-action';
import { MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { decode, encode } from 'cborg';
import { blockTuple, readBlock } from './chain-tuple.ts';
import type { AmendmentSignature, Command, Entry } from './command.ts';
import { MAX_COMMANDS_PER_ENTRY } from './limits.ts';
import { readStateEvent, stateEventTuple } from './state-event-tuple.ts';
import {
  readAssetCode,
  readNetworkId,
  readParticipantId,
  readTerms,
  readTransferId,
  termsTuple,
} from './terms-tuple.ts';
import {
  bytesOf,
  type Cbor,
  CodecError,
  readBytes,
  readBytes32,
  readFlag,
  readHex,
  readList,
  readTuple,
  readWhole,
  TupleError,
  wholeOf,
} from './tuples.ts';
import { readVaultEvent, vaultEventTuple } from './vault-event-tuple.ts';

/** Signatures of one amendment. */
const MAX_SIGNATURES = 64;

const DECODING = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true,
} as const;

const NUMBERS = {
  submitTransfer: 1,
  cancelTransfer: 2,
  vaultEvent: 3,
  refundLock: 4,
  claimLock: 5,
  clock: 6,
  amendment: 7,
  cancelLockRefund: 8,
  headers: 9,
  headerConflict: 10,
  stateEvent: 11,
} as const satisfies Record<Command['type'], number>;

const LOCK_COMMANDS = {
  [NUMBERS.refundLock]: 'refundLock',
  [NUMBERS.claimLock]: 'claimLock',
  [NUMBERS.cancelLockRefund]: 'cancelLockRefund',
} as const;

/** @throws CodecError `ENTRY_INVALID` for numbers and amounts that could not be read back, and for too many commands. */
export function encodeEntry(entry: Entry): Uint8Array {
  if (entry.commands.length > MAX_COMMANDS_PER_ENTRY) {
    throw new CodecError('ENTRY_INVALID', `an entry has at most ${MAX_COMMANDS_PER_ENTRY} commands`);
  }
  try {
    return encode([
      wholeOf(entry.version),
      wholeOf(entry.stampMs),
      entry.clockProtected,
      entry.commands.map(commandTuple),
    ]);
  } catch (cause) {
    if (!(cause instanceof TupleError)) throw cause;
    throw new CodecError('ENTRY_INVALID', `a command has another form: ${cause.message}`, { cause });
  }
}

/** @throws CodecError `ENTRY_INVALID` for anything but the canonical bytes of one entry. */
export function decodeEntry(bytes: Uint8Array): Entry {
  try {
    const value: unknown = decode(bytes, DECODING);
    const [version, stampMs, clockProtected, commands] = readTuple(value, 4);
    const protocolVersion = readWhole(version);
    if (protocolVersion < 1) throw new TupleError('entry version is none');
    return {
      version: protocolVersion,
      stampMs: readWhole(stampMs),
      clockProtected: readFlag(clockProtected),
      commands: readList(commands, MAX_COMMANDS_PER_ENTRY).map(readCommand),
    };
  } catch (cause) {
    throw new CodecError('ENTRY_INVALID', `log entry has another form: ${reasonOf(cause)}`, { cause });
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof TupleError || cause instanceof ProtocolError ? cause.message : 'not canonical CBOR';

function commandTuple(command: Command): Cbor {
  const number = NUMBERS[command.type];
  switch (command.type) {
    case 'submitTransfer':
      return [number, termsTuple(command.terms)];
    case 'cancelTransfer':
      return [number, command.bank, command.id];
    case 'vaultEvent':
      return [
        number,
        command.network,
        command.asset,
        vaultEventTuple(command.event),
        wholeOf(command.blockNumber),
        bytesOf(command.blockHash),
        bytesOf(command.evidenceDigest),
        wholeOf(command.trustVersion),
      ];
    case 'stateEvent':
      return [
        number,
        command.network,
        command.asset,
        stateEventTuple(command.event),
        bytesOf(command.evidenceDigest),
        wholeOf(command.trustVersion),
      ];
    case 'headers':
      return [
        number,
        command.network,
        bytesOf(command.base),
        command.blocks.map(blockTuple),
        bytesOf(command.evidenceDigest),
        wholeOf(command.trustVersion),
      ];
    case 'headerConflict':
      return [
        number,
        command.network,
        wholeOf(command.number),
        bytesOf(command.trackedHash),
        bytesOf(command.otherHash),
        bytesOf(command.evidenceDigest),
        wholeOf(command.trustVersion),
      ];
    case 'refundLock':
    case 'claimLock':
    case 'cancelLockRefund':
      return [number, command.by, command.network, command.asset, bytesOf(command.lockId)];
    case 'clock':
      return [number];
    case 'amendment':
      return [
        number,
        wholeOf(command.number),
        // Actions keep their JSON form, the one that is signed.
        encode(command.actions.map(actionToJson)),
        command.signatures.map(({ key, signature }) => [bytesOf(key), bytesOf(signature)]),
      ];
  }
}

function readCommand(value: unknown): Command {
  const number = Array.isArray(value) ? (value[0] as unknown) : undefined;
  switch (number) {
    case NUMBERS.submitTransfer:
      return { type: 'submitTransfer', terms: readTerms(readTuple(value, 2)[1]) };
    case NUMBERS.cancelTransfer: {
      const [, bank, id] = readTuple(value, 3);
      return { type: 'cancelTransfer', bank: readParticipantId(bank), id: readTransferId(id) };
    }
    case NUMBERS.vaultEvent:
      return readVaultEventCommand(readTuple(value, 8));
    case NUMBERS.stateEvent:
      return readStateEventCommand(readTuple(value, 6));
    case NUMBERS.headers:
      return readHeaders(readTuple(value, 6));
    case NUMBERS.headerConflict:
      return readHeaderConflict(readTuple(value, 7));
    case NUMBERS.refundLock:
    case NUMBERS.claimLock:
    case NUMBERS.cancelLockRefund: {
      const [, by, network, asset, lockId] = readTuple(value, 5);
      return {
        type: LOCK_COMMANDS[number],
        by: readParticipantId(by),
        network: readNetworkId(network),
        asset: readAssetCode(asset),
        lockId: readBytes32(lockId),
      };
    }
    case NUMBERS.clock:
      readTuple(value, 1);
      return { type: 'clock' };
    case NUMBERS.amendment:
      return readAmendment(readTuple(value, 4));
    default:
      throw new TupleError('command number is unknown');
  }
}

function readVaultEventCommand(tuple: readonly unknown[]): Command {
  const [, network, asset, event, blockNumber, blockHash, evidenceDigest, trustVersion] = tuple;
  return {
    type: 'vaultEvent',
    network: readNetworkId(network),
    asset: readAssetCode(asset),
    event: readVaultEvent(event),
    blockNumber: readWhole(blockNumber),
    blockHash: readBytes32(blockHash),
    evidenceDigest: readBytes32(evidenceDigest),
    trustVersion: readWhole(trustVersion),
  };
}

function readStateEventCommand(tuple: readonly unknown[]): Command {
  const [, network, asset, event, evidenceDigest, trustVersion] = tuple;
  return {
    type: 'stateEvent',
    network: readNetworkId(network),
    asset: readAssetCode(asset),
    event: readStateEvent(event),
    evidenceDigest: readBytes32(evidenceDigest),
    trustVersion: readWhole(trustVersion),
  };
}

function readHeaders(tuple: readonly unknown[]): Command {
  const [, network, base, blocks, evidenceDigest, trustVersion] = tuple;
  return {
    type: 'headers',
    network: readNetworkId(network),
    base: readBytes32(base),
    blocks: readList(blocks, MAX_HEADERS).map(readBlock),
    evidenceDigest: readBytes32(evidenceDigest),
    trustVersion: readWhole(trustVersion),
  };
}

function readHeaderConflict(tuple: readonly unknown[]): Command {
  const [, network, number, trackedHash, otherHash, evidenceDigest, trustVersion] = tuple;
  return {
    type: 'headerConflict',
    network: readNetworkId(network),
    number: readWhole(number),
    trackedHash: readBytes32(trackedHash),
    otherHash: readBytes32(otherHash),
    evidenceDigest: readBytes32(evidenceDigest),
    trustVersion: readWhole(trustVersion),
  };
}

function readAmendment([, number, actionBytes, signatures]: readonly unknown[]): Command {
  const bytes = readBytes(actionBytes);
  const actions = parseActions(decode(bytes, DECODING), MAX_ACTIONS_PER_AMENDMENT);
  if (!actions.ok) throw new TupleError('an action has another form');
  return {
    type: 'amendment',
    number: readWhole(number),
    actions: actions.value,
    signatures: readList(signatures, MAX_SIGNATURES).map(readSignature),
  };
}

function readSignature(value: unknown): AmendmentSignature {
  const [key, signature] = readTuple(value, 2);
  return { key: readBytes32(key), signature: readHex(signature) };
}
