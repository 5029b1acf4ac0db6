/** How many items of evidence one thread verifies per second: bytes in, event out, two Ed25519 signatures each. */
import { verifyObserverEvidenceBytes } from '@drawbridge/evidence/observers';
import { signingObserver, verifier } from '@drawbridge/evidence/testing/ed25519-keys';
import { LOCK_LOG, observerRoot, signedLock } from '@drawbridge/evidence/testing/observed-lock';
import { encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';

const ITEMS = 256;
const WARM_UP_MS = 500;
const MEASURED_MS = 3_000;

export type EvidenceBench = Readonly<{ name: 'evidence.observers'; value: number; unit: '1/s' }>;

export async function benchEvidence(): Promise<EvidenceBench> {
  const signers = [1, 2, 3].map(signingObserver);
  const root = observerRoot(signers);
  const items = Array.from({ length: ITEMS }, (_, logIndex) =>
    encodeObserverEvidence(signedLock(signers, root, { log: { ...LOCK_LOG, logIndex } })),
  );
  const rounds = (forMs: number): number => {
    const start = performance.now();
    let verified = 0;
    for (;;) {
      for (const item of items) {
        const result = verifyObserverEvidenceBytes(item, root, verifier);
        if (!result.ok) throw new Error(`evidence was refused: ${result.code}`);
        verified++;
      }
      const elapsedMs = performance.now() - start;
      if (elapsedMs >= forMs) return (verified * 1_000) / elapsedMs;
    }
  };
  rounds(WARM_UP_MS);
  return { name: 'evidence.observers', value: Math.round(rounds(MEASURED_MS)), unit: '1/s' };
}
