import { describe, expect, test } from '@jest/globals';
import { actionToJson, parseActions } from './read-action.ts';
import { address, at, nodeId, sampleGenesis, word } from './testing/sample-genesis.ts';

const sample = sampleGenesis();
const ACTIONS = [
  { name: 'add_asset', args: { code: 'USD', scale: 2 } },
  { name: 'set_participant', args: at(sample, 'participants', 0) },
  { name: 'set_participant', args: at(sample, 'participants', 2) },
  { name: 'set_participant', args: at(sample, 'participants', 3) },
  { name: 'set_participant', args: at(sample, 'participants', 5) },
  { name: 'remove_participant', args: { id: 'hub' } },
  { name: 'set_network', args: at(sample, 'networks', 0) },
  { name: 'set_network_state', args: { id: 'alpha', state: 'fenced' } },
  { name: 'set_finality', args: { id: 'alpha', finality: at(sample, 'networks', 0, 'finality') } },
  { name: 'add_vault', args: at(sample, 'vaults', 0) },
  { name: 'set_exposure_cap', args: { network: 'alpha', asset: 'EUR', amountMinor: '0' } },
  { name: 'reopen_lane', args: { network: 'alpha', asset: 'EUR' } },
  {
    name: 'restore_lock',
    args: {
      network: 'alpha',
      asset: 'EUR',
      lockId: word('l'),
      depositor: `0x${'0'.repeat(24)}${address('d').slice(2)}`,
      amountMinor: '5',
    },
  },
  { name: 'add_node', args: { nodeId: nodeId('node a') } },
  { name: 'remove_node', args: { nodeId: nodeId('node a') } },
  { name: 'rekey_ledger', args: {} },
  { name: 'set_protocol_version', args: { version: 2 } },
  { name: 'close_amendments', args: {} },
];

describe('the JSON form of actions', () => {
  test.each(ACTIONS.map((action) => [action.name, action] as const))('of %s comes back the same', (_, action) => {
    const parsed = parseActions([action], 1);
    expect(parsed).toMatchObject({ ok: true });
    expect(parsed.ok && parsed.value.map(actionToJson)).toEqual([action]);
  });

  test.each<readonly [string, unknown, string]>([
    ['no list', {}, 'actions'],
    ['an empty list', [], 'actions'],
    ['too many', [...ACTIONS, ...ACTIONS], 'actions'],
    ['no object', ['close_amendments'], 'actions[0]'],
    ['no name', [{ args: {} }], 'actions[0].name'],
    ['no args', [{ name: 'close_amendments' }], 'actions[0].args'],
    ['an unknown name', [{ name: 'set_constitution', args: {} }], 'actions[0].name'],
    ['a name of every object', [{ name: 'constructor', args: {} }], 'actions[0].name'],
    ['a node id with 0x', [{ name: 'add_node', args: { nodeId: word('node') } }], 'actions[0].args.nodeId'],
    ['a node id in capitals', [{ name: 'remove_node', args: { nodeId: 'A'.repeat(64) } }], 'actions[0].args.nodeId'],
    ['no version', [{ name: 'set_protocol_version', args: {} }], 'actions[0].args.version'],
    ['half a version', [{ name: 'set_protocol_version', args: { version: 1.5 } }], 'actions[0].args.version'],
    ['a rekey of something', [{ name: 'rekey_ledger', args: { epoch: 2 } }], 'actions[0].args.epoch'],
    ['args too many', [{ name: 'close_amendments', args: { now: true } }], 'actions[0].args.now'],
    ['args too few', [{ name: 'reopen_lane', args: { network: 'alpha' } }], 'actions[0].args.asset'],
    ['a field too many', [{ name: 'close_amendments', args: {}, note: '' }], 'actions[0].note'],
    ['a state that is none', [{ name: 'set_network_state', args: { id: 'a', state: 'on' } }], 'actions[0].args.state'],
  ])('%s is refused', (_, value, path) => {
    const parsed = parseActions(value, 25);
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.path)).toContain(path);
  });
});
