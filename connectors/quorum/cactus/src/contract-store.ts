/**
 * Contracts kept in keychains under their names, as Cactus does: JSON with `abi`, `bytecode`, and the address on each
 * network. An entry that is no such JSON (a key, say) is never shown, and never written over.
 */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import type { IPluginKeychain } from '@hyperledger/cactus-core-api';
import { getAddress } from 'ethers';
import { fields } from './ethereum-rpc.ts';
import { KeyedLock } from './keyed-lock.ts';
import { keychainEntry } from './signing-credential.ts';

export type StoredContract = Readonly<{ abi?: unknown; bytecode?: string; address?: string }>;

export class ContractStore {
  readonly #networkId: string;
  readonly #locks = new KeyedLock();

  constructor(networkId: string) {
    this.#networkId = networkId;
  }

  /** Whoever deploys or looks whether to deploy: one at a time per contract. */
  exclusively<T>(keychain: IPluginKeychain, name: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.run(JSON.stringify([keychain.getKeychainId(), name]), work);
  }

  /** `undefined` where the keychain has no entry of that name. @throws CactusError CONTRACT_UNUSABLE */
  async find(keychain: IPluginKeychain, name: string): Promise<StoredContract | undefined> {
    const json = await this.#read(keychain, name);
    if (!json) return undefined;
    const { abi, bytecode } = json;
    const address = fields(fields(json.networks)?.[this.#networkId])?.address;
    return {
      ...(abi !== undefined && { abi }),
      ...(typeof bytecode === 'string' && { bytecode }),
      ...(typeof address === 'string' &&
        /^0x[0-9a-fA-F]{40}$/.test(address) && { address: getAddress(address.toLowerCase()) }),
    };
  }

  /** Notes where a contract is now. Contracts that the keychain does not have are not added to it. */
  async deployed(keychain: IPluginKeychain, name: string, address: string): Promise<void> {
    const json = await this.#read(keychain, name);
    if (!json) return;
    const networks = { ...fields(json.networks), [this.#networkId]: { address } };
    await keychain.set(name, JSON.stringify({ ...json, networks }));
  }

  async #read(keychain: IPluginKeychain, name: string): Promise<Record<string, unknown> | undefined> {
    if (!(await keychain.has(name))) return undefined;
    const json = parsed(await keychainEntry(keychain, name));
    if (json && (json.abi !== undefined || json.bytecode !== undefined)) return json;
    throw new CactusError('CONTRACT_UNUSABLE', 'the keychain’s entry of that name is no contract');
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return fields(JSON.parse(text));
  } catch {
    return undefined;
  }
}
