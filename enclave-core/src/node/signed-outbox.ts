/**
 * Which instructions may leave: those whose entry a signature in the ledger covers, so that nothing is signed for a vault that
 * the core could not prove to have decided.
 */
import type { NetworkId } from '@drawbridge/protocol/ids';

type Ends = ReadonlyMap<NetworkId, number>;

export class SignedOutbox {
  /** Ends as they were after an entry that changed them and that no signature covers yet, oldest first. */
  readonly #unsigned: { seqno: number; ends: Ends }[] = [];
  #latest: Ends = new Map();
  #signed: Ends = new Map();

  /** To be called when a state is put in place whose signature is not known. */
  restart(seqno: number, ends: Ends): void {
    this.#unsigned.length = 0;
    this.#signed = new Map();
    this.#latest = new Map();
    this.applied(seqno, ends);
  }

  /** @param ends last place given in each network's outbox, after entry `seqno` */
  applied(seqno: number, ends: Ends): void {
    if (isSame(ends, this.#latest)) return;
    this.#latest = new Map(ends);
    this.#unsigned.push({ seqno, ends: this.#latest });
  }

  /** A signature covers all entries up to `seqno`. */
  signedThrough(seqno: number): void {
    while (this.#unsigned[0] && this.#unsigned[0].seqno <= seqno) {
      this.#signed = this.#unsigned[0].ends;
      this.#unsigned.shift();
    }
  }

  /** Newest entry that an instruction waits for to be covered; nothing when none waits. */
  get waitsFor(): number | undefined {
    return this.#unsigned.at(-1)?.seqno;
  }

  /** Place in the outbox up to which instructions may be signed and sealed. */
  end(network: NetworkId): number {
    return this.#signed.get(network) ?? 0;
  }
}

function isSame(a: Ends, b: Ends): boolean {
  if (a.size !== b.size) return false;
  for (const [network, end] of a) if (b.get(network) !== end) return false;
  return true;
}
