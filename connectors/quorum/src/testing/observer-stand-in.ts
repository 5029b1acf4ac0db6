/** Observers in memory, with keys of their own; each can be made to lie, to lag or to fall silent. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Hex, toHex } from '@drawbridge/protocol/bytes32';
import { type ParticipantId, parseParticipantId } from '@drawbridge/protocol/ids';
import { type EvmLog, observerStatement } from '@drawbridge/protocol/observer-evidence';
import type { WitnessContext } from '../observer-client.ts';

export type Behaviour =
  | 'honest'
  | 'shallow'
  | 'silent'
  | 'other-log'
  | 'bad-signature'
  | 'other-name'
  | 'garbage'
  | 'too-little-depth';

export class ObserverStandIn {
  readonly id: ParticipantId;
  readonly publicKey: Hex;
  behaviour: Behaviour = 'honest';
  asked = 0;
  readonly #key: KeyObject;
  readonly #context: WitnessContext;

  constructor(id: string, context: WitnessContext) {
    this.id = parseParticipantId(id);
    this.#context = context;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.#key = privateKey;
    this.publicKey = toHex(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
  }

  /** What it answers to a question about `log`: status and body, or nothing at all. */
  answer(log: EvmLog): { status: number; data: unknown } {
    this.asked += 1;
    const { behaviour } = this;
    if (behaviour === 'silent') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    if (behaviour === 'shallow') return { status: 425, data: { code: 'TOO_SHALLOW' } };
    if (behaviour === 'garbage') return { status: 200, data: { hello: 'world' } };
    const seen: EvmLog = behaviour === 'other-log' ? { ...log, data: `${log.data}00` } : log;
    const depthBlocks = behaviour === 'too-little-depth' ? this.#context.depthBlocks - 1 : this.#context.depthBlocks;
    const signature = sign(null, observerStatement({ ...this.#context, log: seen, depthBlocks }), this.#key);
    if (behaviour === 'bad-signature') signature[0] = (signature[0] ?? 0) ^ 1;
    const observer = behaviour === 'other-name' ? 'somebody' : this.id;
    return { status: 200, data: { observer, depthBlocks, signature: toHex(signature), log: seen } };
  }
}
