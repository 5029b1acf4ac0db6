/** What a real network and Corda's own classes made, under the verifiers. */
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { describe, expect, test } from '@jest/globals';
import { shownGroup, transactionId } from './corda-components.ts';
import { cashOf } from './corda-facts.ts';
import { parseCordaKey } from './corda-keys.ts';
import { type CordaFacts, verifyCordaEvidence, verifyCordaEvidenceBytes } from './corda-notary.ts';
import { signableBytes } from './corda-signable.ts';
import { isSigned, notarisedHash, partyHash } from './corda-signatures.ts';
import { cordaVerifier } from './testing/corda-keys.ts';
import {
  CLASS_RECORDINGS,
  keysOf,
  NETWORK_RECORDINGS,
  recording,
  registrationOf,
  rootOf,
} from './testing/corda-recordings.ts';
import { recordedEvidence, recordedGroups, signatureOf } from './testing/corda-transactions.ts';

const ALL = [...NETWORK_RECORDINGS, ...CLASS_RECORDINGS];

function factsOf(name: string, constraint?: Parameters<typeof registrationOf>[1]): CordaFacts {
  const recorded = recording(name);
  const result = verifyCordaEvidence(
    recordedEvidence(recorded),
    rootOf(registrationOf(keysOf(recorded), constraint)),
    cordaVerifier,
  );
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

describe.each(ALL)('%s', (name) => {
  const recorded = recording(name);

  test('components and nonces lead to the recorded id', () => {
    const { groupHashes } = recordedEvidence(recorded);
    expect(groupHashes.map((hash) => toHex(hash).slice(2))).toEqual(recorded.filtered.groupHashes);
    expect(toHex(transactionId(groupHashes)).slice(2)).toBe(recorded.txId);
  });

  test('the tear-off shows components at the places where they are', () => {
    for (const group of recordedGroups(recorded)) {
      const shown = shownGroup(group, fromHex(recorded.filtered.groupHashes[group.groupIndex] ?? ''));
      if (typeof shown === 'string') throw new Error(shown);
      const all = recorded.componentGroups.find(({ groupIndex }) => groupIndex === group.groupIndex)?.components ?? [];
      expect(shown.components.map(({ index }) => all[index])).toEqual(
        group.components.map(({ bytes }) => toHex(bytes).slice(2)),
      );
      expect(shown.complete).toBe(group.components.length === all.length);
    }
  });

  test('signatures are over the bytes that are made here', () => {
    for (const each of recorded.sigs) {
      const signature = signatureOf(each);
      expect(toHex(signableBytes(fromHex(each.signedHash), signature)).slice(2)).toBe(each.signedBytes);
      const key = parseCordaKey(signature.key);
      const id = fromHex(recorded.txId);
      const hash = each.isNotary ? notarisedHash(signature, id) : partyHash(signature, id);
      if (key === undefined || hash === undefined) throw new Error('there is no key or no hash');
      expect(key.scheme).toBe(each.schemeNumberID);
      expect(isSigned(signature, key, hash, cordaVerifier)).toBe(true);
      expect(isSigned({ ...signature, platformVersion: signature.platformVersion + 1 }, key, hash, cordaVerifier)).toBe(
        false,
      );
    }
  });
});

test('a payment of the network is read whole', () => {
  const { inputs, references, outputs, commands, timeWindow, transactionId: id, signedBy } = factsOf('corda/payment');
  expect(id).toBe('0x068441bc34eabab07d74bd64549b032571997a120dc447c2c77d3b66bd17fdf5');
  expect(inputs).toEqual([
    { transactionId: '0x60324d67dce01b74775d30ed40aab8085af3a5b17fff8d0c9f1765587e3022f1', index: 1 },
  ]);
  expect(references).toEqual([]);
  expect(timeWindow).toBeUndefined();
  expect(commands.map(({ data, signers }) => [data.type.split('$').at(-1), signers.length])).toEqual([['Move', 1]]);
  expect(signedBy).toHaveLength(2);
  const issuer = { name: { organisation: 'PartyA', locality: 'London', country: 'GB' } };
  const cash = outputs.map(({ data }) => cashOf(data));
  expect(cash).toMatchObject([
    { quantity: 199n, currency: 'GBP', displayTokenSize: '0.01', issuerReference: '0x01', issuer },
    { quantity: 990_630n, currency: 'GBP', issuer },
  ]);
  expect(cash[0]?.owner.name?.organisation).toBe('PartyB');
  // A reference to a key that was read before: an anonymous party is the change key.
  expect(cash[1]?.owner).toEqual({
    key: '0x302a300506032b6570032100939a5a548eb3ad263616c10da0580f3018bed4b9c6ae1f0dd93f7d8cee016d08',
  });
});

test('ECDSA keys, batches, constraints, windows and encumbrances of Corda classes are read', () => {
  const r1 = recording('corda-classes/r1-platform-140');
  const attachment = '0x50bb2b8aec819566e42f784c80638ee55127207f4cc1de1977609fd4ec9c13ea';
  const hashed = factsOf('corda-classes/r1-platform-140', { kind: 'hash', attachment: attachment as never });
  expect(hashed.transactionId).toBe(`0x${r1.txId}`);
  expect(hashed.inputs.map(({ index }) => index)).toEqual([0, 200, 400]);
  expect(hashed.timeWindow).toEqual({
    from: { epochSeconds: 1_772_366_400, nanos: 0 },
    until: { epochSeconds: 1_772_366_490, nanos: 500_000_000 },
  });
  const owner = cashOf(hashed.outputs[0]?.data ?? ({} as never)).owner.name;
  expect(owner).toEqual({
    commonName: 'Vault',
    organisationUnit: 'Payments',
    organisation: 'Bank A',
    locality: 'Zürich',
    state: 'ZH',
    country: 'CH',
  });
  const key =
    '0x3059301306072a8648ce3d020106082a8648ce3d03010703420004f669c306dae596ccc42e8045a8b878ce4395bc11a22eea226abf25b91205031ffff1c15716ff0ed227336aa37e5de00798e95da8abb4fa62c8a328f72ee79f94';
  const batch = factsOf('corda-classes/k1-batch', { kind: 'signature', key });
  expect(batch.timeWindow).toEqual({ until: { epochSeconds: 1_772_366_400, nanos: 0 } });
  const from = factsOf('corda-classes/ed25519-platform-1000', { kind: 'signature', key });
  expect(from.timeWindow).toEqual({ from: { epochSeconds: 1_772_366_400, nanos: 0 } });
  expect(from.outputs.map(({ encumbrance }) => encumbrance)).toEqual([1, undefined, undefined, undefined, undefined]);
  expect(from.outputs.map(({ data }) => cashOf(data).quantity)).toEqual(
    [0n, 1n, 2n, 3n, 4n].map((i) => 5_000_000_000n + i),
  );
});

test.each(['k1-notary-platform-127', 'r1-notary-platform-128'])(
  '%s: a constraint that binds no jar is refused',
  (name) => {
    expect(() => factsOf(`corda-classes/${name}`)).toThrow('OUTPUT_INVALID');
  },
);

test('bytes of an item give the same as the item', () => {
  const recorded = recording('corda/payment');
  const root = rootOf(registrationOf(keysOf(recorded)));
  const evidence = recordedEvidence(recorded);
  const ofBytes = verifyCordaEvidenceBytes(encodeCordaEvidence(evidence), root, cordaVerifier);
  expect(ofBytes).toEqual(verifyCordaEvidence(evidence, root, cordaVerifier));
  expect(ofBytes.ok).toBe(true);
});
