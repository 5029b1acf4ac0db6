/**
 * The compiled contracts of `connectors/quorum/vault/artifacts`, read when this module loads: ABI and creation code.
 * The vault's README says what the contracts promise; a test recompiles them and compares every byte.
 */
import { readFileSync } from 'node:fs';
import type { JsonFragment } from 'ethers';

/** `bytecode` is `0x…` creation code without constructor arguments. */
export type ContractArtifact = Readonly<{ contractName: string; abi: readonly JsonFragment[]; bytecode: string }>;

export const vaultArtifact: ContractArtifact = read('DrawbridgeVault');
/** ERC-20 that one vault mints and burns. */
export const drawbridgeTokenArtifact: ContractArtifact = read('DrawbridgeToken');
/** Ordinary ERC-20 that anyone mints: development networks and tests only. */
export const testTokenArtifact: ContractArtifact = read('TestToken');
/** A test token that refuses chosen recipients: `setBlocked(address,bool)`. */
export const blockingTokenArtifact: ContractArtifact = read('BlockingToken');

function read(contractName: string): ContractArtifact {
  const file = new URL(`../vault/artifacts/${contractName}.json`, import.meta.url);
  const { abi, bytecode } = JSON.parse(readFileSync(file, 'utf8')) as ContractArtifact;
  return { contractName, abi, bytecode };
}
