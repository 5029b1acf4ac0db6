/**
 * Strict decoding of the logs of `DrawbridgeVault` (EVM). Only the canonical ABI encoding is taken: exact topic count,
 * no dirty padding, dynamic data at its one place, no trailing bytes. Signatures as in `DrawbridgeVault.sol`.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Bytes32, type Hex, toBytes32 } from './bytes32.ts';
import { kindOf, MAX_TRAIL_BYTES } from './instruction.ts';
import type { EvmLog } from './observer-evidence.ts';
import { ProtocolError } from './protocol-error.ts';
import type { VaultEvent } from './vault-event.ts';

const topic = (signature: string): Bytes32 => toBytes32(keccak_256(utf8ToBytes(signature)));

/** Topic 0 of each event of the vault. */
export const VAULT_TOPICS: Readonly<Record<VaultEvent['type'], Bytes32>> = {
  locked: topic('Locked(uint64,bytes32,bytes32,address,uint64)'),
  executed: topic('Executed(uint64,bytes32,bytes32,uint8,bytes32,uint64,uint32,bytes)'),
  voided: topic('Voided(uint64,bytes32,bytes32,uint32,bytes)'),
  rotated: topic('Rotated(uint64,bytes32,address,uint32,bool)'),
  pauseChanged: topic('PauseChanged(uint64,bytes32,bool,bool)'),
  migrated: topic('Migrated(uint64,bytes32,address,uint256)'),
  guardianProposed: topic('GuardianProposed(uint64,address,uint64)'),
  guardianCancelled: topic('GuardianCancelled(uint64)'),
};

const TYPE_OF_TOPIC: ReadonlyMap<string, VaultEvent['type']> = new Map(
  (Object.keys(VAULT_TOPICS) as VaultEvent['type'][]).map((type) => [VAULT_TOPICS[type], type]),
);

const refuse = (message: string): never => {
  throw new ProtocolError('EVENT_INVALID', message);
};

function uint(wordHex: string, bits: number, what: string): bigint {
  const value = BigInt(`0x${wordHex}`);
  return value < 1n << BigInt(bits) ? value : refuse(`${what} does not fit ${bits} bits`);
}
function smallUint(wordHex: string, what: string): number {
  const value = uint(wordHex, 53, what);
  return Number(value);
}
function bool(wordHex: string, what: string): boolean {
  const value = uint(wordHex, 1, what);
  return value === 1n;
}
function addressOf(wordHex: string, what: string): Bytes32 {
  uint(wordHex, 160, what);
  return `0x${wordHex}` as Bytes32;
}

/** The contract moves nothing of amount zero. */
function amountOf(wordHex: string): bigint {
  const amountMinor = uint(wordHex, 63, 'amount');
  return amountMinor > 0n ? amountMinor : refuse('amount must be positive');
}

/** The head words of `data`, and the one `bytes` tail where `tailAt` says which head word points at it. */
function split(data: Hex, heads: number, tailAt?: number): { words: string[]; tail: Hex } {
  const text = data.slice(2);
  const words = Array.from({ length: heads }, (_, i) => text.slice(i * 64, i * 64 + 64));
  if (words.some((word) => word.length !== 64)) return refuse('event data is too short');
  const rest = text.slice(heads * 64);
  if (tailAt === undefined) return rest === '' ? { words, tail: '0x' } : refuse('event data has trailing bytes');
  if (uint(words[tailAt] ?? '', 53, 'offset') !== BigInt(heads * 32)) return refuse('event data has an unusual offset');
  const length = smallUint(rest.slice(0, 64) || 'ff'.repeat(32), 'length of trail');
  if (length > MAX_TRAIL_BYTES) return refuse(`trail must have at most ${MAX_TRAIL_BYTES} bytes`);
  const padded = rest.slice(64);
  const body = padded.slice(0, length * 2);
  if (padded.length !== Math.ceil(length / 32) * 64) return refuse('event data has a tail of wrong length');
  if (!/^0*$/.test(padded.slice(length * 2))) return refuse('event data has dirty padding');
  return { words, tail: `0x${body}` };
}

/**
 * The vault event that a raw log says.
 * @throws ProtocolError `EVENT_INVALID` for an unknown event or any encoding that the contract would not produce.
 */
export function decodeVaultLog(log: Pick<EvmLog, 'topics' | 'data'>): VaultEvent {
  const [topic0, ...indexed] = log.topics;
  const type = topic0 === undefined ? undefined : TYPE_OF_TOPIC.get(topic0);
  if (type === undefined) return refuse('log is not an event of a vault');
  const expectTopics = (n: number): void => {
    if (indexed.length !== n) refuse(`event must have ${n + 1} topics`);
  };
  const seq = smallUint((indexed[0] ?? refuse('event has no counter')).slice(2), 'counter');
  if (seq < 1) refuse('counter starts at 1');
  const second = (indexed[1] ?? '0x') as Bytes32;
  const third = (indexed[2] ?? '0x') as Bytes32;
  switch (type) {
    case 'locked': {
      expectTopics(3);
      const [depositor, amount] = split(log.data, 2).words;
      return {
        type,
        seq,
        lockId: second,
        reference: third,
        depositor: addressOf(depositor ?? '', 'depositor'),
        amountMinor: amountOf(amount ?? ''),
      };
    }
    case 'executed': {
      expectTopics(3);
      const { words, tail } = split(log.data, 5, 4);
      const [kindWord, beneficiary, amount, epoch] = words;
      const kind = kindOf(smallUint(kindWord ?? '', 'kind'));
      if (kind !== 'release' && kind !== 'issue' && kind !== 'refund') return refuse('event has an unknown kind');
      return {
        type,
        seq,
        id: second,
        subject: third,
        kind,
        beneficiary: `0x${beneficiary ?? ''}` as Bytes32,
        amountMinor: amountOf(amount ?? ''),
        epoch: Number(uint(epoch ?? '', 32, 'epoch')),
        trail: tail,
      };
    }
    case 'voided': {
      expectTopics(3);
      const { words, tail } = split(log.data, 2, 1);
      return { type, seq, id: second, subject: third, epoch: Number(uint(words[0] ?? '', 32, 'epoch')), trail: tail };
    }
    case 'rotated': {
      expectTopics(2);
      const [authority, epoch, byGuardian] = split(log.data, 3).words;
      return {
        type,
        seq,
        id: second,
        authority: addressOf(authority ?? '', 'authority'),
        epoch: Number(uint(epoch ?? '', 32, 'epoch')),
        byGuardian: bool(byGuardian ?? '', 'byGuardian'),
      };
    }
    case 'pauseChanged': {
      expectTopics(2);
      const [paused, byGuardian] = split(log.data, 2).words;
      return { type, seq, id: second, paused: bool(paused ?? '', 'paused'), byGuardian: bool(byGuardian ?? '', 'by') };
    }
    case 'migrated': {
      expectTopics(2);
      const [successor] = split(log.data, 2).words;
      return { type, seq, id: second, successor: addressOf(successor ?? '', 'successor') };
    }
    case 'guardianProposed': {
      expectTopics(1);
      const [authority, notBefore] = split(log.data, 2).words;
      addressOf(authority ?? '', 'authority');
      uint(notBefore ?? '', 64, 'not before');
      return { type, seq };
    }
    case 'guardianCancelled': {
      expectTopics(1);
      split(log.data, 0);
      return { type, seq };
    }
  }
}
