/** The agent's answer to `vault`: what the node shows of a vault now. Rows: docs/corda-agent-protocol.md, docs/adr/0016. */
import { type Bytes32, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { type StateRef, toStateRef } from '@drawbridge/protocol/state-ref';
import { isCount, isList, isWord } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';

export type VaultOnLedger = Readonly<{
  vaultState: StateRef;
  permits: readonly StateRef[];
  /** By their cash. */
  coins: readonly Readonly<{ ref: StateRef; amountMinor: bigint }>[];
  authority: EvmAddress;
  epoch: number;
  paused: boolean;
  mode: 'escrow' | 'issue';
  serviceId: Bytes32;
  networkIdHash: Bytes32;
  genesisHash: Bytes32;
  /** keccak256 of the asset's code. */
  asset: Bytes32;
}>;

const CONTROL_FIELDS = 8;
const TERMS_FIELDS = 15;
const MODES = ['escrow', 'issue'] as const;

/** @throws ProtocolError for another form */
export function readVault(result: readonly AgentValue[]): VaultOnLedger {
  const [ref, , permits, coins, control, terms] = result;
  const inControl = listOf(control, CONTROL_FIELDS);
  const inTerms = listOf(terms, TERMS_FIELDS);
  const [authority, epoch, , , pausedByAuthority, pausedByGuardian] = inControl;
  const mode = MODES[count(inTerms[10]) - 1];
  if (mode === undefined) throw unknown();
  return {
    vaultState: toStateRef(bytes(ref)),
    permits: listOf(permits).map((permit) => toStateRef(bytes(permit))),
    coins: listOf(coins).map((row) => {
      const [cash, minor] = listOf(row, 2);
      return { ref: toStateRef(bytes(cash)), amountMinor: whole(minor) };
    }),
    authority: parseEvmAddress(toHex(bytes(authority))),
    epoch: count(epoch),
    paused: flag(pausedByAuthority) || flag(pausedByGuardian),
    mode,
    serviceId: word(inTerms[14]),
    networkIdHash: word(inTerms[11]),
    genesisHash: word(inTerms[4]),
    asset: word(inTerms[0]),
  };
}

const unknown = (): ProtocolError => new ProtocolError('EVENT_INVALID', 'the vault is described in an unknown form');

function listOf(value: AgentValue | undefined, length?: number): readonly AgentValue[] {
  if (isList(value) && (length === undefined || value.length === length)) return value;
  throw unknown();
}
function bytes(value: AgentValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw unknown();
}
function word(value: AgentValue | undefined): Bytes32 {
  if (isWord(value)) return toBytes32(value);
  throw unknown();
}
function count(value: AgentValue | undefined): number {
  if (isCount(value)) return value;
  throw unknown();
}
function whole(value: AgentValue | undefined): bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return BigInt(value);
  throw unknown();
}
function flag(value: AgentValue | undefined): boolean {
  if (typeof value === 'boolean') return value;
  throw unknown();
}
