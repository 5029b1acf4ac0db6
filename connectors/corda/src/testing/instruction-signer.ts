/** The core's part for tests: instructions over named states, signed by an authority whose key is drawn here. */
import { randomBytes } from 'node:crypto';
import { fromHex, toBytes32, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, type NetworkId, parseEvmAddress } from '@drawbridge/protocol/ids';
import { assetHash, domainSalt, type Instruction, instructionDigest } from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { inputsHash, type StateRef, sortedRefs } from '@drawbridge/protocol/state-ref';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { LedgerDouble } from './ledger-double.ts';

export type Unsigned = Pick<Instruction, 'kind' | 'subject' | 'notAfterSeconds'> &
  Readonly<{ states: readonly StateRef[] }>;

export class InstructionSigner {
  readonly #key: Uint8Array = secp256k1.utils.randomSecretKey();
  readonly #network: NetworkId;
  readonly authority: EvmAddress;

  constructor(network: NetworkId) {
    this.#network = network;
    const point = secp256k1.getPublicKey(this.#key, false);
    this.authority = parseEvmAddress(toHex(keccak_256(point.subarray(1)).subarray(12)));
  }

  /** @param key in place of the authority's. */
  sign(ledger: LedgerDouble, { states, ...what }: Unsigned, key: Uint8Array = this.#key): InstructionJob {
    const { vaultId, serviceId, genesisHash, asset } = ledger;
    const refs = sortedRefs(states);
    const pays = what.kind !== 'void';
    const instruction: Instruction = {
      ...what,
      id: drawWord(),
      asset: assetHash(asset),
      amountMinor: pays ? 100n : 0n,
      beneficiary: pays ? drawWord() : ZERO_BYTES32,
      inputs: inputsHash(refs),
      epoch: 1,
      trail: toHex(randomBytes(80)),
    };
    const place = { serviceId, networkId: this.#network, genesisHash, vaultAddress: fromHex(vaultId) };
    const digest = fromHex(instructionDigest(domainSalt(place), instruction));
    const bytes = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
    const signature = toHex(Uint8Array.from([...bytes.subarray(1), 27 + (bytes[0] ?? 0)]));
    const network = this.#network;
    return { network, asset, vault: vaultId, serviceId, genesisHash, instruction, signature, states: refs };
  }
}

const drawWord = () => toBytes32(randomBytes(32));
