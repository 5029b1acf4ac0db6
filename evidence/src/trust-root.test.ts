import { parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { LOCK_LOG, wordOf } from './testing/observed-lock.ts';
import { type ObserverRegistration, trustRootFrom } from './trust-root.ts';

const [a, b, bank] = ['obs-a', 'obs-b', 'BANKA'].map(parseParticipantId) as [
  ReturnType<typeof parseParticipantId>,
  ReturnType<typeof parseParticipantId>,
  ReturnType<typeof parseParticipantId>,
];
const alpha = parseNetworkId('alpha');
const registration: ObserverRegistration = {
  serviceId: wordOf(1),
  network: {
    id: alpha,
    genesisHash: wordOf(2),
    finality: { rule: 'observers', observers: [a, b], threshold: 2, depthBlocks: 3 },
  },
  vault: { network: alpha, address: LOCK_LOG.address },
  participants: [
    { id: bank, role: 'bank' },
    { id: b, role: 'observer', attestationKey: wordOf(4) },
    { id: a, role: 'observer', attestationKey: wordOf(3) },
  ],
};

test('a registration gives its trust root, observers in the order of the rule', () => {
  expect(trustRootFrom(registration)).toEqual({
    ok: true,
    root: {
      serviceId: wordOf(1),
      network: alpha,
      genesisHash: wordOf(2),
      vault: LOCK_LOG.address,
      observers: [
        { id: a, publicKey: wordOf(3) },
        { id: b, publicKey: wordOf(4) },
      ],
      threshold: 2,
      depthBlocks: 3,
    },
  });
});

describe('a registration that has no sound root is refused', () => {
  const { network } = registration;
  const finality = (change: object) => ({ network: { ...network, finality: { ...network.finality, ...change } } });
  test.each<[string, Partial<ObserverRegistration>]>([
    ['another rule', finality({ rule: 'qbft' })],
    ['a vault of another network', { vault: { ...registration.vault, network: parseNetworkId('beta') } }],
    ['an observer that is not registered', finality({ observers: [a, b, parseParticipantId('obs-c')] })],
    [
      'an observer that is a bank',
      {
        ...finality({ observers: [a, b, bank] }),
        participants: [...registration.participants, { id: bank, role: 'bank', attestationKey: wordOf(5) }],
      },
    ],
    [
      'an observer without a key',
      { participants: [{ id: a, role: 'observer' }, ...registration.participants].slice(0, 3) },
    ],
    ['one observer named twice', finality({ observers: [a, a, b] })],
    ['a threshold above the observers', finality({ threshold: 3 })],
    ['no observers', finality({ observers: [] })],
  ])('%s', (_, change) => {
    expect(trustRootFrom({ ...registration, ...change })).toEqual({ ok: false, detail: expect.any(String) });
  });
});
