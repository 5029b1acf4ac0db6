/** Calls to `DrawbridgeVault`, encoded by its own ABI, and its answers. */

import type { VaultDescription } from '@drawbridge/connector-sdk/ledger-connector';
import { fromHex, type Hex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { type InstructionId, parseEvmAddress } from '@drawbridge/protocol/ids';
import { INSTRUCTION_KINDS } from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { Interface } from 'ethers';
import { vaultArtifact } from './vault-artifact.ts';

const vault = new Interface(vaultArtifact.abi);
const encode = (name: string, values: readonly unknown[] = []): Hex => vault.encodeFunctionData(name, values) as Hex;

/** `void` has a verb of its own; every other kind is executed. */
export function instructionCall({ instruction: i, signature }: InstructionJob): Hex {
  const fields = {
    id: i.id,
    kind: INSTRUCTION_KINDS[i.kind],
    subject: i.subject,
    asset: i.asset,
    amount: i.amountMinor,
    beneficiary: i.beneficiary,
    inputs: i.inputs,
    notAfter: i.notAfterSeconds,
    epoch: i.epoch,
    trail: fromHex(i.trail),
  };
  return encode(i.kind === 'void' ? 'void' : 'execute', [fields, signature]);
}

export const isSpentCall = (id: InstructionId): Hex => encode('isSpent', [id]);

/** What `isSpent` answers; `undefined` for what is no answer of a vault, such as that of an address without code. */
export function isSpentAnswer(data: Hex): 'unspent' | 'executed' | 'voided' | undefined {
  if (data.length !== 66) return undefined;
  return (['unspent', 'executed', 'voided'] as const)[Number(BigInt(data))];
}

/** The views that `vaultDescription` is made of, in this order. */
export const DESCRIPTION_CALLS: readonly Hex[] = [encode('authority'), encode('epoch'), encode('domainSalt')];

/** `undefined` where an address is no initialized vault. */
export function vaultDescription(answers: readonly Hex[]): VaultDescription | undefined {
  const [authority, epoch, salt] = answers;
  if (authority?.length !== 66 || epoch?.length !== 66 || salt?.length !== 66 || BigInt(authority) === 0n) {
    return undefined;
  }
  return {
    authority: parseEvmAddress(parseHex(`0x${authority.slice(-40)}`)),
    epoch: Number(BigInt(epoch)),
    domainSalt: parseBytes32(salt),
  };
}

/** The views that tell what a vault is bound to: service id and domain salt. */
export const BINDING_CALLS: readonly Hex[] = [encode('serviceId'), encode('domainSalt')];
