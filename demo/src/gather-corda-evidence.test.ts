import { recording } from '@drawbridge/evidence/testing/corda-recordings';
import { recordedEvidence } from '@drawbridge/evidence/testing/corda-transactions';
import { ESCROW, vaultFacts } from '@drawbridge/evidence/testing/corda-vault';
import { encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';
import { type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { expect, test } from '@jest/globals';
import { provenTransactions } from './gather-corda-evidence.ts';

const NAMES = ['create', 'lock', 'lock-whole', 'release'] as const;
const bytesOf = (name: string): Uint8Array =>
  encodeCordaEvidence(recordedEvidence(recording(`corda-classes/vault/${name}`)));
const proofs = new Map(NAMES.map((name) => [vaultFacts(name).transactionId, bytesOf(name)]));

const { vaultId } = ESCROW.root;
const gathered = (...unspent: readonly StateRef[]) =>
  provenTransactions(vaultId, {
    states: async () => unspent.map((ref) => ({ ref, kind: 'permit' })),
    proof: async (transaction) => {
      const evidence = proofs.get(transaction);
      return evidence ? { type: 'proof', vault: vaultId, evidence } : { type: 'refused', code: 'NOT_OF_A_VAULT' };
    },
  });
const output = (name: string, index: number): StateRef => stateRef(vaultFacts(name).transactionId, index);

test('what stands unspent leads back to the creation, each transaction once', async () => {
  const all = await gathered(output('release', 0), output('release', 3), output('create', 2));
  expect(all).toContainEqual(bytesOf('release'));
  expect(all).toContainEqual(bytesOf('create'));
  expect(all.length).toBe(new Set(all.map((bytes) => bytes.join())).size);
  expect(all.length).toBeGreaterThan(2);
});

test('transactions that are none of the vault lead nowhere', async () => {
  expect(await gathered(stateRef(vaultId, 0))).toEqual([]);
});
