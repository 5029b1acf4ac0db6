/**
 * A double of a node with its vault, as an agent would see it: states, who spent them, a notary that can be switched off. It checks no
 * signature and no contract; those have tests of their own.
 */
import { randomBytes } from 'node:crypto';
import { type Bytes32, fromHex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress, NetworkId } from '@drawbridge/protocol/ids';
import { type AssetCode, parseAssetCode } from '@drawbridge/protocol/ids';
import { assetHash, INSTRUCTION_KINDS, networkIdHash } from '@drawbridge/protocol/instruction';
import { type StateRef, stateAfter, stateRef, toStateRef } from '@drawbridge/protocol/state-ref';
import type { AgentReply } from '../agent-bodies.ts';
import type { AgentValue } from '../agent-cbor.ts';

export type LedgerDoubleOptions = Readonly<{
  network: NetworkId;
  authority: EvmAddress;
  genesisHash: Bytes32;
  mode?: 'escrow' | 'issue';
}>;

type Recorded = Readonly<{ transaction: Bytes32; consumed: readonly StateRef[]; made: readonly StateRef[] }>;
type Kept = Readonly<{ ref: StateRef; kind: 1 | 2 | 3 | 4 }>;

const drawWord = (): Bytes32 => toBytes32(randomBytes(32));
const refused = (code: string, detail = ''): AgentReply => ({ ok: false, code, detail });
const given = (...result: AgentValue[]): AgentReply => ({ ok: true, result });

export class LedgerDouble {
  readonly vaultId: Bytes32 = drawWord();
  readonly serviceId: Bytes32 = drawWord();
  readonly genesisHash: Bytes32;
  readonly asset: AssetCode = parseAssetCode('EUR');
  readonly vaultState: StateRef = stateRef(drawWord(), 0);
  readonly #options: LedgerDoubleOptions;
  readonly #kept = new Map<StateRef, Kept>();
  readonly #spenders = new Map<StateRef, Bytes32>();
  readonly #done = new Map<string, Bytes32>();
  readonly #recorded = new Map<Bytes32, Recorded>();
  readonly #paid = new Map<string, number>();
  /** Flows that the notary has not answered: by instruction. */
  readonly #pending = new Map<string, () => void>();
  /** Beneficiaries whose node refuses. */
  readonly refusing = new Set<string>();
  notaryUp = true;
  /** Flows that were started: not those that were joined, nor what was found done. */
  flows = 0;

  constructor(options: LedgerDoubleOptions) {
    this.#options = options;
    this.genesisHash = options.genesisHash;
    this.#kept.set(this.vaultState, { ref: this.vaultState, kind: 1 });
  }

  timesPaid(beneficiary: Bytes32): number {
    return this.#paid.get(beneficiary) ?? 0;
  }

  isDone(instruction: Bytes32): boolean {
    return this.#done.has(instruction);
  }

  isConsumed(ref: StateRef): boolean {
    return this.#spenders.has(ref);
  }

  /** A permit and a coin that nobody has used. */
  fresh(): { permit: StateRef; coin: StateRef } {
    const [permit, coin] = [stateRef(drawWord(), 0), stateRef(drawWord(), 0)];
    this.#keep(permit, 2);
    this.#keepCoin(coin);
    return { permit, coin };
  }

  /** As a lock: a coin and its record, or the record of a burn. */
  lock(): Recorded {
    const transaction = drawWord();
    const escrow = this.#options.mode !== 'issue';
    if (escrow) this.#keepCoin(stateRef(transaction, 0));
    this.#keep(stateRef(transaction, escrow ? 2 : 0), 4);
    const made = escrow ? [stateRef(transaction, 0), stateRef(transaction, 2)] : [stateRef(transaction, 0)];
    return this.#record({ transaction, consumed: [], made });
  }

  setNotary(up: boolean): void {
    this.notaryUp = up;
    if (!up) return;
    for (const finish of [...this.#pending.values()]) finish();
  }

  evidenceOf(transaction: Bytes32): Uint8Array {
    return Buffer.from(`evidence of ${transaction}`);
  }

  handle(verb: string, args: readonly AgentValue[]): AgentReply {
    switch (verb) {
      case 'vault':
        return given(...this.#vault());
      case 'find':
        return given(wordOrNull(this.#done.get(hexOf(args[1]))));
      case 'status':
        return given((args[0] as Uint8Array[]).map((ref) => this.#status(toStateRef(ref))));
      case 'spender':
        return given(wordOrNull(this.#spenders.get(toStateRef(args[0] as Uint8Array))));
      case 'states':
        return given(
          [...this.#kept.values()].map(({ ref, kind }) => [fromHex(ref), kind]),
          false,
        );
      case 'proof':
        return this.#proof(toBytes32(args[0] as Uint8Array));
      case 'execute':
        return this.#execute(args[1] as AgentValue[], (args[3] as Uint8Array[]).map(toStateRef));
      default:
        return refused('COMMAND_INVALID');
    }
  }

  #execute(fields: readonly AgentValue[], refs: readonly StateRef[]): AgentReply {
    const [id, beneficiary] = [hexOf(fields[0]), hexOf(fields[5])];
    const done = this.#done.get(id);
    if (done !== undefined) return given(fromHex(done));
    if (this.#pending.has(id)) return refused('FLOW_PENDING');
    const notAfter = Number(fields[7]);
    if (notAfter > 0 && notAfter * 1_000 < Date.now()) return refused('REFUSED', 'EXPIRED');
    this.flows += 1;
    const pays = Number(fields[1]) <= INSTRUCTION_KINDS.refund;
    if (pays && this.refusing.has(beneficiary)) return refused('FLOW_FAILED');
    const finish = (): Bytes32 | undefined => this.#notarise({ id, pays, beneficiary, refs });
    if (!this.notaryUp) {
      this.#pending.set(id, finish);
      return refused('FLOW_PENDING');
    }
    const made = finish();
    return made === undefined ? refused('NOTARY_REFUSED') : given(fromHex(made));
  }

  #notarise(flow: { id: string; pays: boolean; beneficiary: string; refs: readonly StateRef[] }): Bytes32 | undefined {
    const { id, pays, beneficiary, refs } = flow;
    this.#pending.delete(id);
    if (refs.some((ref) => this.#spenders.has(ref))) return undefined;
    const transaction = drawWord();
    for (const ref of refs) {
      this.#spenders.set(ref, transaction);
      this.#kept.delete(ref);
      this.#kept.delete(stateAfter(ref, 1));
    }
    this.#done.set(id, transaction);
    if (pays) this.#paid.set(beneficiary, this.timesPaid(beneficiary as Bytes32) + 1);
    this.#keep(stateRef(transaction, 0), 2);
    this.#record({ transaction, consumed: refs, made: [stateRef(transaction, 0)] });
    return transaction;
  }

  #record(recorded: Recorded): Recorded {
    this.#recorded.set(recorded.transaction, recorded);
    return recorded;
  }

  #keep(ref: StateRef, kind: Kept['kind']): void {
    this.#kept.set(ref, { ref, kind });
  }

  /** The cash is the vault party's own; what is kept is its guard. */
  #keepCoin(cash: StateRef): void {
    this.#keep(stateAfter(cash, 1), 3);
  }

  #status(ref: StateRef): number {
    if (this.#spenders.has(ref)) return 2;
    return this.#kept.has(ref) || this.#kept.has(stateAfter(ref, 1)) ? 1 : 0;
  }

  #proof(transaction: Bytes32): AgentReply {
    if (!this.#recorded.has(transaction)) return refused('TRANSACTION_UNKNOWN');
    return given(fromHex(this.vaultId), this.evidenceOf(transaction));
  }

  #vault(): AgentValue[] {
    const { authority, network, mode } = this.#options;
    const nothing = new Uint8Array(0);
    const control = [fromHex(authority), 1, 0, new Uint8Array(32), false, false, 0, nothing];
    const asset = fromHex(assetHash(this.asset));
    const terms: AgentValue[] = [
      asset,
      3_600,
      nothing,
      'EUR',
      fromHex(this.genesisHash),
      0,
      0,
      nothing,
      nothing,
      nothing,
    ];
    terms.push(mode === 'issue' ? 2 : 1, fromHex(networkIdHash(network)), 1_000_000, 4, fromHex(this.serviceId));
    return [fromHex(this.vaultState), new Uint8Array(33), [], [], control, terms];
  }
}

const hexOf = (value: AgentValue | undefined): string => toHex(value as Uint8Array);
const wordOrNull = (word: Bytes32 | undefined): AgentValue => (word === undefined ? null : fromHex(word));
