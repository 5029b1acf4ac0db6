import { describe, expect, test } from '@jest/globals';
import type { Action } from './action.ts';
import { applyActions } from './apply-actions.ts';
import { type Genesis, genesisRegistry, parseGenesis } from './genesis.ts';
import { formatProblem, type Problem } from './problem.ts';
import { actionToJson, parseActions } from './read-action.ts';
import { isConsensus, isCordaVault, isFinalByProof } from './registration.ts';
import {
  address,
  at,
  type Json,
  listAt,
  sampleConsensus,
  sampleCordaNetwork,
  sampleCordaVault,
  sampleGenesis,
  sampleNotary,
  word,
} from './testing/sample-genesis.ts';

/** The sample with a Corda network, `networks[2]`, and a vault on it, `vaults[2]`. */
function withCorda(mode?: string): Json {
  const genesis = sampleGenesis();
  listAt(genesis, 'networks').push(sampleCordaNetwork());
  listAt(genesis, 'vaults').push(sampleCordaVault(mode));
  return genesis;
}
function parsed(genesis: Json): Genesis {
  const read = parseGenesis(JSON.stringify(genesis));
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  return read.value;
}
function problemsOf(spoil: (genesis: Json) => void, mode?: string): readonly Problem[] {
  const genesis = withCorda(mode);
  spoil(genesis);
  const read = parseGenesis(JSON.stringify(genesis));
  return read.ok ? [] : read.problems;
}
const set =
  (...path: readonly (string | number)[]) =>
  (value: unknown) =>
  (genesis: Json): void => {
    at(genesis, ...path.slice(0, -1))[path.at(-1) ?? ''] = value;
  };
const drop =
  (...path: readonly (string | number)[]) =>
  (genesis: Json): void => {
    delete at(genesis, ...path.slice(0, -1))[path.at(-1) ?? ''];
  };

const ZERO = `0x${'00'.repeat(20)}`;
function spoilGuardians(genesis: Json, change: (addresses: readonly unknown[]) => readonly unknown[]): void {
  const guardians = at(genesis, 'vaults', 2, 'guardians');
  guardians.addresses = change(listAt(guardians, 'addresses'));
}

describe('a Corda network', () => {
  test.each(['escrow', 'issue'])('is read with its vault of mode %s', (mode) => {
    const { networks, vaults } = parsed(withCorda(mode));
    const [, , network] = networks;
    expect(network).toEqual({ ...sampleCordaNetwork(), state: 'active', trustVersion: 1 });
    expect(network && isFinalByProof(network.finality)).toBe(true);
    expect(network && isConsensus(network.finality)).toBe(false);
    expect(vaults[2]).toEqual({ ...sampleCordaVault(mode), permitCapMinor: 1_000_000n, epoch: 1 });
    expect(vaults.map((vault) => isCordaVault(vault))).toEqual([false, false, true]);
  });

  const vault = (...path: readonly (string | number)[]) => set('vaults', 2, ...path);
  const network = (...path: readonly (string | number)[]) => set('networks', 2, ...path);
  const notary = (...path: readonly (string | number)[]) => network('finality', 'notary', ...path);
  const sample = sampleNotary();
  const prints = at(sample, 'fingerprints');
  type Row = readonly [string, (genesis: Json) => void, string];
  test.each<Row>([
    ['a chain id', network('chainId')(1), 'networks[2].chainId'],
    ['another kind', network('kind')('fabric'), 'networks[2].kind'],
    ['a rule of EVM networks', network('finality')(sampleConsensus()), 'networks[2].finality'],
    ['kind evm with a notary', set('networks', 0, 'finality')(sampleNotary()), 'networks[0].finality'],
    [
      'a second network of one root',
      (g) => listAt(g, 'networks').push({ ...sampleCordaNetwork(), id: 'delta' }),
      'networks[delta]',
    ],
    ['a notary without name', drop('networks', 2, 'finality', 'notary', 'name'), 'networks[2].finality.notary.name'],
    ['a notary of two lines', notary('name', 'organisation')('a\nb'), 'networks[2].finality.notary.name.organisation'],
    ['a country in words', notary('name', 'country')('England'), 'networks[2].finality.notary.name.country'],
    ['a notary that may validate', notary('validating')('yes'), 'networks[2].finality.notary.validating'],
    ['an RSA notary', notary('key')('0x30820122300d06092a864886f70d'), 'networks[2].finality.notary.key'],
    [
      'a class without fingerprint',
      drop('networks', 2, 'finality', 'fingerprints', 'Guard'),
      'networks[2].finality.fingerprints.Guard',
    ],
    [
      'a class too many',
      network('finality', 'fingerprints', 'Seed')(prints.Guard),
      'networks[2].finality.fingerprints.Seed',
    ],
    [
      'a fingerprint of 15 bytes',
      network('finality', 'fingerprints', 'Guard')('AAAAAAAAAAAAAAAAAAAA'),
      'networks[2].finality.fingerprints.Guard',
    ],
    [
      'a fingerprint of two classes',
      network('finality', 'fingerprints', 'Guard')(prints.Lock),
      'networks[2].finality.fingerprints',
    ],
    ['a vault without id', drop('vaults', 2, 'vaultId'), 'vaults[2].party'],
    ['a vault with an EVM address', vault('address')(`0x${'11'.repeat(20)}`), 'vaults[2].address'],
    ['a vault id of zeros', vault('vaultId')(`0x${'00'.repeat(32)}`), 'vaults[2].vaultId'],
    ['a party without verified key', vault('party')('0x3000'), 'vaults[2].party'],
    ['a constraint of no kind', vault('constraint', 'kind')('always'), 'vaults[2].constraint.kind'],
    ['a constraint without jar', drop('vaults', 2, 'constraint', 'attachment'), 'vaults[2].constraint.attachment'],
    ['an escrow without cash', drop('vaults', 2, 'cash'), 'vaults[2].cash'],
    ['cash without issuer', drop('vaults', 2, 'cash', 'issuerKey'), 'vaults[2].cash.issuerKey'],
    ['cash of an empty reference', vault('cash', 'issuerReference')('0x'), 'vaults[2].cash.issuerReference'],
    ['a currency of cash in words', vault('currency')('Euro'), 'vaults[2].currency'],
    ['no permit', vault('permits')([]), 'vaults[2].permits'],
    ['a permit twice', vault('permits')([`${word('x')}00000001`, `${word('x')}00000001`]), 'vaults[2].permits'],
    ['a permit that is the vault', (g) => vault('permits')([at(g, 'vaults', 2).state])(g), 'vaults[2].permits'],
    ['a permit of another transaction', vault('permits')([`${word('x')}00000001`]), 'vaults[2].permits'],
    [
      'permits in another order',
      (g) => vault('permits')(listAt(at(g, 'vaults', 2), 'permits').toReversed())(g),
      'vaults[2].permits',
    ],
    ['a state that is no first output', vault('state')(`${word('creation')}00000001`), 'vaults[2].state'],
    ['a cap of less than a minute', vault('capWindowSeconds')(59), 'vaults[2].capWindowSeconds'],
    ['no guardian', vault('guardians', 'addresses')([]), 'vaults[2].guardians.addresses'],
    ['a guardian twice', (g) => spoilGuardians(g, ([one]) => [one, one]), 'vaults[2].guardians.addresses'],
    ['a guardian of zeros', vault('guardians', 'addresses')([ZERO]), 'vaults[2].guardians.addresses[0]'],
    [
      'seventeen guardians',
      vault('guardians', 'addresses')(Array.from({ length: 17 }, (_, n) => address(`guardian ${n}`))),
      'vaults[2].guardians.addresses',
    ],
    ['more signatures than guardians', vault('guardians', 'threshold')(3), 'vaults[2].guardians.threshold'],
    ['guardians who need not sign', vault('guardians', 'threshold')(0), 'vaults[2].guardians.threshold'],
    ['guardians without delay', vault('guardians', 'delaySeconds')(0), 'vaults[2].guardians.delaySeconds'],
    ['a ref without index', vault('state')(word('creation')), 'vaults[2].state'],
    ['a cap of nothing', vault('permitCapMinor')('0'), 'vaults[2].permitCapMinor'],
    ['the notary as vault party', (g) => vault('party')(at(sample, 'notary').key)(g), 'vaults[gamma/EUR].party'],
    [
      'a Corda vault on an EVM network',
      (g) => {
        vault('network')('alpha')(g);
        vault('asset')('EUR')(g);
        listAt(g, 'vaults').shift();
      },
      'vaults[alpha/EUR]',
    ],
    [
      'an EVM vault on Corda',
      (g) => {
        listAt(g, 'vaults').pop();
        set('vaults', 0, 'network')('gamma')(g);
      },
      'vaults[gamma/EUR]',
    ],
  ])('with %s is refused', (_, spoil, path) => {
    expect(problemsOf(spoil).map((problem) => problem.path)).toContain(path);
  });

  test('with cash that an issue vault holds is refused', () => {
    const problems = problemsOf(vault('cash')(sampleCordaVault().cash), 'issue');
    expect(problems.map(({ path }) => path)).toContain('vaults[2].cash');
  });

  test('shares neither vault nor states with another', () => {
    const second = (change: Json) => (genesis: Json) => {
      listAt(genesis, 'assets').push({ code: 'USD', scale: 2 });
      const other = { ...sampleCordaVault(), asset: 'USD', authority: `0x${'ab'.repeat(20)}` };
      const own = { vaultId: word('other'), state: `${word('other')}00000000`, permits: [`${word('other')}00000001`] };
      listAt(genesis, 'vaults').push({ ...other, ...own, ...change });
    };
    expect(problemsOf(second({}))).toEqual([]);
    const { vaultId, state, permits } = sampleCordaVault();
    expect(problemsOf(second({ vaultId })).map(({ path }) => path)).toEqual(['vaults[gamma/USD].vaultId']);
    expect(problemsOf(second({ state, permits })).map(({ path }) => path)).toContain('vaults[gamma/USD].permits');
  });
});

describe('actions', () => {
  const registry = () => genesisRegistry(parsed(withCorda()));
  const read = (...json: readonly unknown[]): readonly Action[] => {
    const actions = parseActions(json, 10);
    if (!actions.ok) throw new Error(actions.problems.map(formatProblem).join('\n'));
    return actions.value;
  };
  const apply = (...json: readonly unknown[]) => applyActions(registry(), read(...json));

  test('add a Corda network and its vault, and come back from their JSON', () => {
    const actions = read(
      { name: 'set_network', args: sampleCordaNetwork() },
      { name: 'add_vault', args: sampleCordaVault() },
    );
    expect(parseActions(JSON.parse(JSON.stringify(actions.map(actionToJson))), 10)).toEqual({
      ok: true,
      value: actions,
    });
    expect(applyActions(genesisRegistry(parsed(sampleGenesis())), actions)).toMatchObject({ ok: true });
  });

  test('another notary raises the trust version', () => {
    const finality = { ...sampleNotary(), notary: { ...at(sampleNotary(), 'notary'), validating: false } };
    const applied = apply({ name: 'set_finality', args: { id: 'gamma', finality } });
    expect(applied.ok && applied.value.networks.get('gamma' as never)).toMatchObject({ trustVersion: 2, finality });
    const same = apply({ name: 'set_finality', args: { id: 'gamma', finality: sampleNotary() } });
    expect(same.ok && same.value.networks.get('gamma' as never)).toMatchObject({ trustVersion: 1 });
  });

  test.each([
    ['a rule of another kind', { name: 'set_finality', args: { id: 'gamma', finality: sampleConsensus() } }],
    ['a notary for a chain', { name: 'set_finality', args: { id: 'alpha', finality: sampleNotary() } }],
    ['a chain that becomes a Corda network', { name: 'set_network', args: { ...sampleCordaNetwork(), id: 'alpha' } }],
    ['another root certificate', { name: 'set_network', args: { ...sampleCordaNetwork(), genesisHash: word('x') } }],
  ])('%s is refused', (_, action) => {
    expect(apply(action)).toMatchObject({ ok: false, problems: [{ path: 'actions[0]' }] });
  });
});
