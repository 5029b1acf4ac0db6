/** The JSON form of actions: `{ "name", "args" }`, amounts as decimal strings. Strict both ways. */
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, LockId, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Action, ActionName } from './action.ts';
import { type JsonValue, toJson } from './json-value.ts';
import type { Checked } from './problem.ts';
import {
  readAmountMinor,
  readAssetCode,
  readBytes32,
  readNetworkId,
  readNodeId,
  readParticipantId,
} from './read-primitives.ts';
import {
  NO_FINALITY,
  readAsset,
  readExposureCap,
  readFinality,
  readNetwork,
  readParticipant,
  readVault,
} from './read-registration.ts';
import { type Reading, readChecked } from './reading.ts';
import type { NetworkState } from './registration.ts';

const STATES: readonly NetworkState[] = ['active', 'paused', 'halted', 'fenced', 'retired'];

const readers: { [N in ActionName]: (args: Reading) => Extract<Action, { name: N }>['args'] } = {
  add_asset: readAsset,
  set_participant: readParticipant,
  remove_participant: (r) => {
    r.object(['id']);
    return { id: r.field('id', readParticipantId, '' as ParticipantId) };
  },
  set_network: readNetwork,
  set_network_state: (r) => {
    r.object(['id', 'state']);
    return {
      id: r.field('id', readNetworkId, '' as NetworkId),
      state: r.field('state', (state) => state.oneOf(STATES, 'active'), 'active'),
    };
  },
  set_finality: (r) => {
    r.object(['id', 'finality']);
    return {
      id: r.field('id', readNetworkId, '' as NetworkId),
      finality: r.field('finality', readFinality, NO_FINALITY),
    };
  },
  add_vault: readVault,
  set_exposure_cap: readExposureCap,
  reopen_lane: (r) => {
    r.object(['network', 'asset']);
    return readLane(r);
  },
  restore_lock: (r) => {
    r.object(['network', 'asset', 'lockId', 'depositor', 'amountMinor']);
    return {
      ...readLane(r),
      lockId: r.field<LockId>('lockId', readBytes32, ZERO_BYTES32),
      depositor: r.field<Bytes32>('depositor', readBytes32, ZERO_BYTES32),
      amountMinor: r.field('amountMinor', readAmountMinor, 1n),
    };
  },
  add_node: readNode,
  remove_node: readNode,
  rekey_ledger: readNothing,
  set_protocol_version: (r) => {
    r.object(['version']);
    return { version: r.field('version', (version) => version.whole(1, MAX_PROTOCOL_VERSION), 1) };
  },
  close_amendments: readNothing,
};

/** Versions are counted by one, so this many are never reached. */
const MAX_PROTOCOL_VERSION = 65_535;

function readNode(r: Reading): { nodeId: NodeId } {
  r.object(['nodeId']);
  return { nodeId: r.field('nodeId', readNodeId, '' as NodeId) };
}

function readNothing(r: Reading): Record<string, never> {
  r.object([]);
  return {};
}

const readLane = (r: Reading): { network: NetworkId; asset: AssetCode } => ({
  network: r.field('network', readNetworkId, '' as NetworkId),
  asset: r.field('asset', readAssetCode, '' as AssetCode),
});

const NAMES = Object.keys(readers) as ActionName[];

export function readAction(r: Reading): Action {
  r.object(['name', 'args']);
  if (!r.has('name') || !r.has('args')) return { name: 'close_amendments', args: {} };
  const name = r.at('name').oneOf(NAMES, 'close_amendments');
  if (name !== r.at('name').value) return { name: 'close_amendments', args: {} };
  // The reader found under a name gives the args of that name; a union of pairs cannot say so.
  return { name, args: readers[name](r.at('args')) } as Action;
}

/** @returns the actions of a JSON value, or everything that is wrong with them. */
export const parseActions = (value: unknown, max: number): Checked<readonly Action[]> =>
  readChecked(value, (r) => r.list(readAction, { min: 1, max }), 'actions');

/** The JSON form that `parseActions` reads back to an equal action. */
export const actionToJson = (action: Action): JsonValue => ({ name: action.name, args: toJson(action.args) });
