import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { describe, expect, test } from '@jest/globals';
import { type Genesis, genesisRegistry, parseGenesis } from './genesis.ts';
import { formatProblem, type Problem } from './problem.ts';
import {
  address,
  at,
  type Json,
  LEI_A,
  listAt,
  nodeId,
  publicKey,
  sampleGenesis,
  word,
} from './testing/sample-genesis.ts';

function problemsOf(spoil: (genesis: Json) => void): readonly Problem[] {
  const genesis = sampleGenesis();
  spoil(genesis);
  const parsed = parseGenesis(JSON.stringify(genesis));
  return parsed.ok ? [] : parsed.problems;
}
const set =
  (...path: readonly (string | number)[]) =>
  (value: unknown) =>
  (genesis: Json): void => {
    const last = path.at(-1);
    if (last !== undefined) at(genesis, ...path.slice(0, -1))[last] = value;
  };
const drop =
  (...path: readonly (string | number)[]) =>
  (genesis: Json): void => {
    const last = path.at(-1);
    if (last !== undefined) delete at(genesis, ...path.slice(0, -1))[last];
  };

describe('a genesis file', () => {
  test('that is right is read, with the defaults of the core', () => {
    const parsed = parseGenesis(JSON.stringify(sampleGenesis()));
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const { value } = parsed;
    expect(value.networks[0]).toMatchObject({ id: 'alpha', state: 'active', trustVersion: 1 });
    expect(value.vaults[0]).toMatchObject({ network: 'alpha', epoch: 1 });
    expect(value.exposureCaps.map(({ amountMinor }) => amountMinor)).toEqual([1_000_000n, 0n]);
    expect(genesisRegistry(value)).toMatchObject({ nextAmendment: 1, amendmentsClosed: false });
  });

  test('folds the case of addresses and takes keys without 0x', () => {
    const genesis = sampleGenesis();
    set('vaults', 0, 'address')(address('vault alpha').toUpperCase().replace('0X', '0x'))(genesis);
    set('bootstrap', 'keys', 0)(publicKey('key 1').slice(2))(genesis);
    const parsed = parseGenesis(JSON.stringify(genesis));
    expect(parsed).toMatchObject({ ok: true, value: { vaults: [{ address: address('vault alpha') }, {}] } });
  });

  test('may name nodes, and begins with its own', () => {
    const read = (nodes?: unknown): Genesis => {
      const parsed = parseGenesis(JSON.stringify({ ...sampleGenesis(), ...(nodes !== undefined && { nodes }) }));
      if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
      return parsed.value;
    };
    const [first, other] = [nodeId('first') as NodeId, nodeId('other') as NodeId];
    expect(Object.hasOwn(read(), 'nodes')).toBe(false);
    expect([...genesisRegistry(read(), first).nodes]).toEqual([first]);
    expect([...genesisRegistry(read([other]), first).nodes]).toEqual([first, other]);
    expect([...genesisRegistry(read([other, first]), first).nodes]).toEqual([first, other]);
    expect(genesisRegistry(read())).toMatchObject({ protocolVersion: 1, rekeyDue: 0 });
  });

  test.each([
    ['text'],
    [['x']],
    [[nodeId('twice'), nodeId('twice')]],
    [Array.from({ length: 32 }, (_, i) => nodeId(`${i}`))],
  ])('with wrong nodes is refused (%#)', (nodes) => {
    expect(problemsOf(set('nodes')(nodes)).some(({ path }) => path.startsWith('nodes'))).toBe(true);
  });

  test('that is no JSON is one problem', () => {
    expect(parseGenesis('{')).toEqual({
      ok: false,
      problems: [{ path: '', problem: 'is not JSON', expected: 'one JSON object' }],
    });
  });

  test('tells all that is wrong, not only the first', () => {
    const problems = problemsOf((genesis) => {
      set('version')(2)(genesis);
      set('participants', 0, 'lei')('529900T8BM49AURSDO56')(genesis);
      set('vaults', 1, 'mode')('burn')(genesis);
      set('extra')(1)(genesis);
    });
    expect(problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['version', 'participants[0].lei', 'vaults[1].mode', 'extra']),
    );
  });

  test.each([
    [null, 'is null'],
    [[], 'is a list'],
    [1, 'is of type number'],
  ])('names what stands in a wrong place: %j', (value, problem) => {
    expect(problemsOf(set('bootstrap')(value))).toContainEqual(expect.objectContaining({ path: 'bootstrap', problem }));
  });

  test('says where, what, and what would be right', () => {
    const [problem] = problemsOf(set('networks', 0, 'finality', 'threshold')(4));
    expect(problem && formatProblem(problem)).toBe(
      'networks[alpha].finality.threshold: is 4; expected 1 to 3, the number of observers',
    );
  });

  type Row = readonly [string, (genesis: Json) => void, string];
  const FORM: readonly Row[] = [
    ['a list', (g) => Object.assign(g, { assets: {} }), 'assets'],
    ['an unknown version', set('version')('1'), 'version'],
    ['no service id', drop('serviceId'), 'serviceId'],
    ['a short service id', set('serviceId')('0x12'), 'serviceId'],
    ['a zero service id', set('serviceId')(`0x${'00'.repeat(32)}`), 'serviceId'],
    ['a null', set('bootstrap')(null), 'bootstrap'],
    ['a field that is not known', set('participants', 0, 'phone')('1'), 'participants[0].phone'],
    ['no bootstrap key', set('bootstrap', 'keys')([]), 'bootstrap.keys'],
    ['a bootstrap key of small order', set('bootstrap', 'keys', 0)(`0x01${'00'.repeat(31)}`), 'bootstrap.keys[0]'],
    ['a bootstrap key off the curve', set('bootstrap', 'keys', 0)(`0x02${'00'.repeat(31)}`), 'bootstrap.keys[0]'],
    ['a threshold of none', set('bootstrap', 'threshold')(0), 'bootstrap.threshold'],
    ['half a threshold', set('bootstrap', 'threshold')(1.5), 'bootstrap.threshold'],
    ['a scale of 19', set('assets', 0, 'scale')(19), 'assets[0].scale'],
    ['a negative scale', set('assets', 0, 'scale')(-1), 'assets[0].scale'],
    ['an asset code in small letters', set('assets', 0, 'code')('eur'), 'assets[0].code'],
    ['an asset twice', set('assets', 1)({ code: 'EUR', scale: 3 }), 'assets'],
    ['a role that is none', set('participants', 0, 'role')('member'), 'participants[0].role'],
    ['a bank without LEI', drop('participants', 0, 'lei'), 'participants[0].lei'],
    ['wrong check digits', set('participants', 0, 'lei')('529900T8BM49AURSDO56'), 'participants[0].lei'],
    ['another id than the LEI', set('participants', 0, 'id')('BANKA'), 'participants[0].id'],
    ['a BIC that is none', set('participants', 0, 'bic')('DEUT'), 'participants[0].bic'],
    ['no name', set('participants', 0, 'name')(''), 'participants[0].name'],
    ['half a character in a name', set('participants', 0, 'name')('Bank \ud800'), 'participants[0].name'],
    ['a name that begins with nothing to see', set('participants', 0, 'name')('\ufeffBank'), 'participants[0].name'],
    ['no certificate', set('participants', 0, 'certificates')([]), 'participants[0].certificates'],
    ['half a fingerprint', set('participants', 0, 'certificates')(['0x12']), 'participants[0].certificates[0]'],
    ['an auditor of nobody', drop('participants', 2, 'supervises'), 'participants[2].supervises'],
    ['a bank that supervises', set('participants', 0, 'supervises')([LEI_A]), 'participants[0].supervises'],
    ['a connector without sealing key', drop('participants', 3, 'sealingKey'), 'participants[3].sealingKey'],
    ['a sealing key that is none', set('participants', 3, 'sealingKey')('key'), 'participants[3].sealingKey'],
    ['an observer without key', drop('participants', 5, 'attestationKey'), 'participants[5].attestationKey'],
    [
      'a connector that attests',
      set('participants', 3, 'attestationKey')(publicKey('x')),
      'participants[3].attestationKey',
    ],
    ['an id twice', (g) => set('participants', 1)(at(g, 'participants', 0))(g), 'participants'],
    ['another kind', set('networks', 0, 'kind')('fabric'), 'networks[0].kind'],
    ['another rule', set('networks', 0, 'finality', 'rule')('trust'), 'networks[0].finality.rule'],
    ['a depth of none', set('networks', 0, 'finality', 'depthBlocks')(0), 'networks[0].finality.depthBlocks'],
    ['no observers', set('networks', 0, 'finality', 'observers')([]), 'networks[0].finality.observers'],
    ['no connectors', set('networks', 0, 'connectors')([]), 'networks[0].connectors'],
    ['a zero genesis hash', set('networks', 0, 'genesisHash')(`0x${'00'.repeat(32)}`), 'networks[0].genesisHash'],
    ['a network id in capitals', set('networks', 0, 'id')('Alpha'), 'networks[0].id'],
    ['a network twice', (g) => set('networks', 1)(at(g, 'networks', 0))(g), 'networks'],
    ['a state in the file', set('networks', 0, 'state')('paused'), 'networks[0].state'],
    ['an epoch in the file', set('vaults', 0, 'epoch')(2), 'vaults[0].epoch'],
    ['another mode', set('vaults', 0, 'mode')('mint'), 'vaults[0].mode'],
    ['an address of 32 bytes', set('vaults', 0, 'address')(word('x')), 'vaults[0].address'],
    ['a zero authority', set('vaults', 0, 'authority')(`0x${'00'.repeat(20)}`), 'vaults[0].authority'],
    ['a vault twice', (g) => set('vaults', 1)(at(g, 'vaults', 0))(g), 'vaults'],
    ['a block before the first', set('vaults', 0, 'fromBlock')(-1), 'vaults[0].fromBlock'],
    ['a cap as a number', set('exposureCaps', 0, 'amountMinor')(5), 'exposureCaps[0].amountMinor'],
    ['a cap below zero', set('exposureCaps', 0, 'amountMinor')('-5'), 'exposureCaps[0].amountMinor'],
    ['a cap of 2^63', set('exposureCaps', 0, 'amountMinor')('9223372036854775808'), 'exposureCaps[0].amountMinor'],
    ['a cap twice', (g) => set('exposureCaps', 1)(at(g, 'exposureCaps', 0))(g), 'exposureCaps'],
  ];
  const FIT: readonly Row[] = [
    ['a bootstrap key twice', set('bootstrap', 'keys', 1)(publicKey('key 1')), 'bootstrap.keys'],
    ['more signatures than keys', set('bootstrap', 'threshold')(4), 'bootstrap.threshold'],
    [
      'one certificate for two',
      set('participants', 1, 'certificates')([word('certificate a')]),
      'participants[7LTWFZYICNSX8D621K86].certificates',
    ],
    [
      'an observer with a connector’s certificate',
      set('participants', 5, 'certificates')([word('certificate d')]),
      'participants[observer-1].certificates',
    ],
    [
      'one attestation key for two',
      set('participants', 6, 'attestationKey')(publicKey('observer-1')),
      'participants[observer-2].attestationKey',
    ],
    [
      'an observer with a bootstrap key',
      set('participants', 5, 'attestationKey')(publicKey('key 1')),
      'participants[observer-1].attestationKey',
    ],
    ['an auditor of no bank', set('participants', 2, 'supervises')(['hub']), 'participants[auditor].supervises'],
    ['an auditor of nobody known', set('participants', 2, 'supervises')(['X']), 'participants[auditor].supervises'],
    [
      'an auditor of one bank twice',
      set('participants', 2, 'supervises')([LEI_A, LEI_A]),
      'participants[auditor].supervises',
    ],
    [
      'a threshold above the observers',
      set('networks', 0, 'finality', 'threshold')(4),
      'networks[alpha].finality.threshold',
    ],
    [
      'a connector that observes',
      set('networks', 0, 'finality', 'observers', 0)('connector'),
      'networks[alpha].finality.observers',
    ],
    [
      'one observer twice',
      set('networks', 0, 'finality', 'observers', 0)('observer-2'),
      'networks[alpha].finality.observers',
    ],
    [
      'an observer that nobody knows',
      set('networks', 0, 'finality', 'observers', 0)('x'),
      'networks[alpha].finality.observers',
    ],
    ['a bank as connector', set('networks', 0, 'connectors')([LEI_A]), 'networks[alpha].connectors'],
    ['one connector twice', set('networks', 0, 'connectors')(['connector', 'connector']), 'networks[alpha].connectors'],
    [
      'connectors of different sealing keys',
      (g) => {
        const second = { ...at(g, 'participants', 3), id: 'other', certificates: [word('certificate f')] };
        const sealingKey = '-----BEGIN PUBLIC KEY-----\nBBBB\n-----END PUBLIC KEY-----\n';
        listAt(g, 'participants').push({ ...second, sealingKey });
        set('networks', 0, 'connectors')(['connector', 'other'])(g);
      },
      'networks[alpha].connectors',
    ],
    [
      'one chain twice',
      (g) => {
        set('networks', 1, 'chainId')(1)(g);
        set('networks', 1, 'genesisHash')(word('genesis of alpha'))(g);
      },
      'networks[beta]',
    ],
    ['a vault on an unknown network', set('vaults', 0, 'network')('gamma'), 'vaults[gamma/EUR].network'],
    ['a vault of an unknown asset', set('vaults', 0, 'asset')('USD'), 'vaults[alpha/USD].asset'],
    [
      'one address for two vaults of a network',
      (g) => {
        listAt(g, 'assets').push({ code: 'USD', scale: 2 });
        const twin = { ...at(g, 'vaults', 0), asset: 'USD', authority: address('third') };
        listAt(g, 'vaults').push(twin);
      },
      'vaults[alpha/USD].address',
    ],
    [
      'one authority for two vaults',
      set('vaults', 1, 'authority')(address('authority alpha')),
      'vaults[beta/EUR].authority',
    ],
    ['a cap without vault', set('exposureCaps', 0, 'asset')('USD'), 'exposureCaps[alpha/USD]'],
  ];

  test.each([...FORM, ...FIT])('with %s is refused', (_, spoil, path) => {
    expect(problemsOf(spoil).map((problem) => problem.path)).toContain(path);
  });

  test('two networks may have vaults at the same address', () => {
    expect(problemsOf(set('vaults', 1, 'address')(address('vault alpha')))).toEqual([]);
  });

  test('a list longer than any file needs is refused without reading it', () => {
    const [problem] = problemsOf(set('assets')(Array(5000).fill(1)));
    expect(problem).toMatchObject({ path: 'assets', problem: 'has 5000 items' });
  });

  test('names of what every object has are no fields', () => {
    expect(
      problemsOf((genesis) => Object.defineProperty(genesis, 'constructor', { value: 1, enumerable: true })),
    ).toMatchObject([{ path: 'constructor', problem: 'is not a known field' }]);
  });
});
