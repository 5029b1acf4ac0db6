import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { describe, expect, test } from '@jest/globals';
import type { Action } from './action.ts';
import { applyActions } from './apply-actions.ts';
import { genesisRegistry, parseGenesis } from './genesis.ts';
import { parseActions } from './read-action.ts';
import type { Registry } from './registry.ts';
import {
  address,
  at,
  LEI_A,
  nodeId,
  publicKey,
  sampleConsensus,
  sampleGenesis,
  word,
} from './testing/sample-genesis.ts';

function registry(): Registry {
  const parsed = parseGenesis(JSON.stringify({ ...sampleGenesis(), nodes: [NODE_B] }));
  if (!parsed.ok) throw new Error('the sample is right');
  return genesisRegistry(parsed.value, NODE_A);
}
const NODE_A = nodeId('node a') as NodeId;
const NODE_B = nodeId('node b') as NodeId;
function actions(...json: readonly unknown[]): readonly Action[] {
  const parsed = parseActions(json, 10);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}
const action = (name: string, args: unknown): unknown => ({ name, args });
const participant = (i: number): Record<string, unknown> => at(sampleGenesis(), 'participants', i);
const network = (i: number): Record<string, unknown> => at(sampleGenesis(), 'networks', i);

function apply(...json: readonly unknown[]): Registry {
  const applied = applyActions(registry(), actions(...json));
  if (!applied.ok) throw new Error(JSON.stringify(applied.problems));
  return applied.value;
}
function pathsOf(...json: readonly unknown[]): readonly string[] {
  const applied = applyActions(registry(), actions(...json));
  return applied.ok ? [] : applied.problems.map(({ path }) => path);
}
const trustOf = (next: Registry): (number | undefined)[] => [...next.networks.values()].map((n) => n.trustVersion);
const finality = { rule: 'observers', observers: ['observer-1', 'observer-2'], threshold: 1, depthBlocks: 3 };

describe('actions', () => {
  test('add and replace', () => {
    const next = apply(
      action('add_asset', { code: 'USD', scale: 2 }),
      action('set_participant', { ...participant(0), name: 'Bank A renamed' }),
      action('set_network', { ...network(0), id: 'gamma', chainId: 3 }),
      action('add_vault', { ...at(sampleGenesis(), 'vaults', 0), network: 'gamma', authority: address('third') }),
      action('set_exposure_cap', { network: 'gamma', asset: 'EUR', amountMinor: '7' }),
    );
    expect(next.assets.size).toBe(2);
    expect([...next.participants.values()][0]?.name).toBe('Bank A renamed');
    expect([...next.networks.values()].at(-1)).toMatchObject({ id: 'gamma', state: 'active', trustVersion: 1 });
    expect([...next.vaults.values()].at(-1)).toMatchObject({ network: 'gamma', epoch: 1 });
    expect([...next.exposureCaps.values()].at(-1)?.amountMinor).toBe(7n);
  });

  test('leave what they were given alone', () => {
    const before = registry();
    const copy = structuredClone(before);
    applyActions(before, actions(action('add_asset', { code: 'USD', scale: 2 }), action('close_amendments', {})));
    expect(before).toEqual(copy);
  });

  test('may come in any order within one amendment', () => {
    const usd = { ...at(sampleGenesis(), 'vaults', 0), asset: 'USD', address: address('v'), authority: address('a') };
    expect(pathsOf(action('add_vault', usd), action('add_asset', { code: 'USD', scale: 2 }))).toEqual([]);
  });

  test('close amendments', () => {
    expect(apply(action('close_amendments', {})).amendmentsClosed).toBe(true);
  });

  test('let nodes in and out, and ask for a new ledger secret', () => {
    const nodeC = nodeId('node c');
    const next = apply(action('add_node', { nodeId: nodeC }), action('remove_node', { nodeId: NODE_A }));
    expect([...next.nodes]).toEqual([NODE_B, nodeC]);
    expect(next.rekeyDue).toBe(1);
    expect(apply(action('add_node', { nodeId: nodeC })).rekeyDue).toBe(0);
    expect(apply(action('rekey_ledger', {}), action('rekey_ledger', {})).rekeyDue).toBe(2);
  });

  test('switch the protocol version by one', () => {
    expect(registry().protocolVersion).toBe(1);
    expect(apply(action('set_protocol_version', { version: 2 })).protocolVersion).toBe(2);
  });

  test('raise the trust version of the networks whose roots change, and of no other', () => {
    expect(trustOf(apply(action('set_finality', { id: 'alpha', finality })))).toEqual([2, 1]);
    expect(trustOf(apply(action('set_network', { ...network(1), finality })))).toEqual([1, 2]);
    const key = publicKey('another');
    expect(trustOf(apply(action('set_participant', { ...participant(5), attestationKey: key })))).toEqual([2, 2]);
    const again = action('set_participant', { ...participant(5), attestationKey: key });
    expect(trustOf(apply(action('remove_participant', { id: 'observer-1' }), again))).toEqual([2, 2]);
  });

  test('raise the trust version with another rule and with another checkpoint', () => {
    const consensus = sampleConsensus();
    const moved = { ...consensus, checkpoint: { ...at(consensus, 'checkpoint'), blockNumber: 60_000 } };
    expect(trustOf(apply(action('set_finality', { id: 'alpha', finality: consensus })))).toEqual([2, 1]);
    const changed = apply(action('set_finality', { id: 'alpha', finality: consensus }));
    const again = (next: unknown): (number | undefined)[] => {
      const applied = applyActions(changed, actions(action('set_finality', { id: 'alpha', finality: next })));
      return applied.ok ? trustOf(applied.value) : [];
    };
    expect(again(moved)).toEqual([3, 1]);
    expect(again(consensus)).toEqual([2, 1]);
  });

  test('leave the trust version where the roots stay', () => {
    const same = at(sampleGenesis(), 'networks', 0, 'finality');
    expect(trustOf(apply(action('set_finality', { id: 'alpha', finality: same })))).toEqual([1, 1]);
    expect(trustOf(apply(action('set_network_state', { id: 'alpha', state: 'paused' })))).toEqual([1, 1]);
    expect(trustOf(apply(action('set_participant', { ...participant(5), name: 'Renamed' })))).toEqual([1, 1]);
  });

  test.each<readonly [string, unknown, string]>([
    ['an asset twice', action('add_asset', { code: 'EUR', scale: 2 }), 'actions[0]'],
    ['nobody to remove', action('remove_participant', { id: 'x' }), 'actions[0]'],
    ['an observer in use', action('remove_participant', { id: 'observer-1' }), 'networks[alpha].finality.observers'],
    ['a connector in use', action('remove_participant', { id: 'connector' }), 'networks[alpha].connectors'],
    ['a supervised bank', action('remove_participant', { id: LEI_A }), 'participants[auditor].supervises'],
    ['another chain id', action('set_network', { ...network(0), chainId: 9 }), 'actions[0]'],
    ['another genesis hash', action('set_network', { ...network(0), genesisHash: word('x') }), 'actions[0]'],
    ['the state of no network', action('set_network_state', { id: 'x', state: 'paused' }), 'actions[0]'],
    ['the finality of no network', action('set_finality', { id: 'x', finality }), 'actions[0]'],
    [
      'a second vault',
      action('add_vault', { ...at(sampleGenesis(), 'vaults', 0), address: address('v') }),
      'actions[0]',
    ],
    [
      'a cap without vault',
      action('set_exposure_cap', { network: 'x', asset: 'EUR', amountMinor: '1' }),
      'exposureCaps[x/EUR]',
    ],
    [
      'a lock without vault',
      action('restore_lock', {
        network: 'alpha',
        asset: 'USD',
        lockId: word('l'),
        depositor: word('d'),
        amountMinor: '1',
      }),
      'actions[0]',
    ],
    ['a node twice', action('add_node', { nodeId: NODE_B }), 'actions[0]'],
    ['a node that is none', action('remove_node', { nodeId: nodeId('node c') }), 'actions[0]'],
    ['the version that is', action('set_protocol_version', { version: 1 }), 'actions[0]'],
    ['a version after the next', action('set_protocol_version', { version: 3 }), 'actions[0]'],
    ['a lane without vault', action('reopen_lane', { network: 'alpha', asset: 'USD' }), 'actions[0]'],
  ])('are refused for %s', (_, json, path) => {
    expect(pathsOf(json)).toContain(path);
  });

  test('do not remove the last node, nor add too many', () => {
    const remove = [NODE_A, NODE_B].map((node) => action('remove_node', { nodeId: node }));
    expect(pathsOf(...remove)).toEqual(['actions[1]']);
    const add = Array.from({ length: 31 }, (_, i) => ({
      name: 'add_node',
      args: { nodeId: nodeId(`n ${i}`) as NodeId },
    }));
    const most = applyActions(registry(), add.slice(1) as Action[]);
    const tooMany = applyActions(registry(), add as Action[]);
    expect([most.ok, tooMany.ok ? [] : tooMany.problems.map(({ path }) => path)]).toEqual([true, ['nodes']]);
  });

  test('do not revive a retired network', () => {
    const retire = action('set_network_state', { id: 'alpha', state: 'retired' });
    expect(pathsOf(retire, action('set_network_state', { id: 'alpha', state: 'active' }))).toEqual(['actions[1]']);
  });

  test('tell all that is wrong', () => {
    const wrong = action('add_asset', { code: 'EUR', scale: 2 });
    expect(pathsOf(wrong, action('remove_participant', { id: 'x' }))).toEqual(['actions[0]', 'actions[1]']);
  });
});
