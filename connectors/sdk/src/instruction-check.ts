/**
 * What a worker demands of an instruction before it spends a fee. Sealing authenticates nobody: anyone who knows the
 * connector's public key can put a job into its queue, so that only the signature of the vault's authority counts.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import type { AssetCode, EvmAddress, NetworkId, VaultAddress } from '@drawbridge/protocol/ids';
import { assetHash, domainSalt, instructionDigest } from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { recoverKey } from './key-recovery.ts';
import type { VaultDescription } from './ledger-connector.ts';

/** A vault that this connector serves; `authority`, where given, must also be what the ledger shows. */
export type ServedVault = Readonly<{ asset: AssetCode; address: VaultAddress; authority?: EvmAddress }>;
export type ServedNetwork = Readonly<{ network: NetworkId; genesisHash: Bytes32; vaults: readonly ServedVault[] }>;

export type RefusalCode =
  | 'INSTRUCTION_NETWORK'
  | 'INSTRUCTION_VAULT'
  | 'INSTRUCTION_ASSET'
  | 'INSTRUCTION_DOMAIN'
  | 'INSTRUCTION_SUPERSEDED'
  | 'INSTRUCTION_SIGNATURE'
  | 'VAULT_AUTHORITY';
/** `never`: this very job will not pass later either. */
export type Refusal = Readonly<{ code: RefusalCode | 'INSTRUCTION_EARLY'; words: string; never: boolean }>;

const refuse = (code: RefusalCode, words: string): Refusal => ({ code, words, never: true });

/** What the job alone shows, before the ledger is asked. */
export function checkJob(job: InstructionJob, served: ServedNetwork): Refusal | undefined {
  if (job.network !== served.network || job.genesisHash !== served.genesisHash) {
    return refuse('INSTRUCTION_NETWORK', 'the instruction is for another network');
  }
  const vault = served.vaults.find(({ address }) => address === job.vault);
  if (!vault) return refuse('INSTRUCTION_VAULT', 'the instruction is for a vault that this connector does not serve');
  if (vault.asset !== job.asset || job.instruction.asset !== assetHash(job.asset)) {
    return refuse('INSTRUCTION_ASSET', 'the instruction names another asset than its vault holds');
  }
  return undefined;
}

/** Who signed a job, and for which domain: what takes time and needs no ledger. */
export type SignedJob = Readonly<{ domainSalt: Bytes32; signer: EvmAddress | undefined }>;

export function signedJob({
  serviceId,
  network,
  genesisHash,
  vault,
  instruction,
  signature,
}: InstructionJob): SignedJob {
  const salt = domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vault) });
  return { domainSalt: salt, signer: recoverSigner(instructionDigest(salt, instruction), signature) };
}

/** Whether the vault's authority signed exactly this; `vault` is what the ledger shows of `job.vault`. */
export function checkSignature(
  job: InstructionJob,
  signed: SignedJob,
  vault: VaultDescription,
  configuredAuthority?: EvmAddress,
): Refusal | undefined {
  if (configuredAuthority !== undefined && configuredAuthority !== vault.authority) {
    return refuse('VAULT_AUTHORITY', 'the vault obeys another authority than the one configured here');
  }
  if (signed.domainSalt !== vault.domainSalt)
    return refuse('INSTRUCTION_DOMAIN', 'the instruction belongs to another service');
  const { epoch } = job.instruction;
  if (epoch < vault.epoch) {
    return refuse('INSTRUCTION_SUPERSEDED', 'the authority was rotated since; the core signs such instructions again');
  }
  if (epoch > vault.epoch) {
    return {
      code: 'INSTRUCTION_EARLY',
      words: 'signed by an authority that the vault does not have yet',
      never: false,
    };
  }
  if (signed.signer !== vault.authority) {
    return refuse('INSTRUCTION_SIGNATURE', "the signature is not the vault's authority's");
  }
  return undefined;
}

/** The address whose key signed `digest`, or `undefined` for 65 bytes that are no signature with low s. */
export function recoverSigner(digest: Bytes32, signature: string): EvmAddress | undefined {
  const bytes = fromHex(signature);
  const v = bytes[64];
  if (bytes.length !== 65 || (v !== 27 && v !== 28)) return undefined;
  try {
    const compact = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact');
    if (compact.hasHighS()) return undefined;
    const key = recoverKey(bytes.subarray(0, 64), v - 27, fromHex(digest));
    return toHex(keccak_256(key.subarray(1)).subarray(12)) as EvmAddress;
  } catch {
    // Numbers outside the curve's order, or no point there: such bytes are nobody's signature.
    return undefined;
  }
}
