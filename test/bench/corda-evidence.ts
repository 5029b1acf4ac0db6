/**
 * Transactions of Corda under rule `corda-notary`: bytes in, facts out. Each has one input, two outputs of cash, a command and
 * both signatures, all components shown (some 16 kB).
 */
import { cordaDigest, cordaSignatureVerifier } from '@drawbridge/enclave-core/relay/corda-signatures';
import { type CordaScheme, ECDSA_SECP256K1, ECDSA_SECP256R1, ED25519 } from '@drawbridge/evidence/corda-keys';
import { verifyCordaEvidenceBytes } from '@drawbridge/evidence/corda-notary';
import { cordaSigner, hexOf } from '@drawbridge/evidence/testing/corda-keys';
import { NOTARY, payment, REGISTRATION } from '@drawbridge/evidence/testing/corda-payment';
import { rootOf } from '@drawbridge/evidence/testing/corda-recordings';
import { notarySignature, partySignature } from '@drawbridge/evidence/testing/corda-transactions';
import { encodeCordaEvidence } from '@drawbridge/protocol/corda-evidence';

/** Of the vault party; the notary has Ed25519, as Corda's notaries do unless they are told otherwise. */
const SCHEMES: Readonly<Record<string, CordaScheme>> = {
  ed25519: ED25519,
  secp256k1: ECDSA_SECP256K1,
  secp256r1: ECDSA_SECP256R1,
};
const BATCHES = [1, 64] as const;
const ITEMS = 16;

export type CordaCase = Readonly<{ name: string; run: () => number }>;

export const CORDA_CASES: readonly CordaCase[] = Object.entries(SCHEMES).flatMap(([name, scheme]) =>
  BATCHES.map((batch): CordaCase => ({ name: `evidence.corda-notary.${name}.${batch}b`, run: runOf(scheme, batch) })),
);

/** One run verifies every item, and returns how many. */
function runOf(scheme: CordaScheme, batch: number): () => number {
  const vault = cordaSigner(scheme, 21);
  const root = rootOf({ ...REGISTRATION, vaultParty: { key: hexOf(vault) } });
  const others = Array.from({ length: batch - 1 }, (_, i) => new Uint8Array(32).fill(i + 1));
  let items: readonly Uint8Array[] | undefined;
  const verify = cordaSignatureVerifier();
  return () => {
    items ??= Array.from({ length: ITEMS }, (_, i) =>
      encodeCordaEvidence(
        payment({
          draft: { salt: new Uint8Array(32).fill(i + 1) },
          signatures: (id) => [partySignature(vault, id), notarySignature(NOTARY, id, { others })],
        }),
      ),
    );
    for (const item of items) {
      const proven = verifyCordaEvidenceBytes(item, root, verify, cordaDigest);
      if (!proven.ok) throw new Error(`evidence was refused: ${proven.detail}`);
    }
    return items.length;
  };
}
