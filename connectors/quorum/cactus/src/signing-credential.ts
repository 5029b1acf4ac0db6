/**
 * Who signs. Keys come by reference to a keychain of the registry; keys and passwords in requests are refused unless
 * the operator allowed them for development.
 */
import { createPrivateKey } from 'node:crypto';
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import type { PluginRegistry } from '@hyperledger/cactus-core';
import type { IPluginKeychain } from '@hyperledger/cactus-core-api';
import { computeAddress, getAddress, SigningKey } from 'ethers';

/** `Web3SigningCredential` of Cactus; the schema has checked that what its type needs is there. */
export type Web3SigningCredential = Readonly<{
  type: string;
  ethAccount?: string;
  keychainEntryKey?: string;
  keychainId?: string;
  secret?: string;
}>;

export type Signer =
  | Readonly<{ kind: 'key'; address: string; key: SigningKey }>
  /** The transaction comes signed. */
  | Readonly<{ kind: 'presigned' }>
  /** The node signs with a key of its own: development only. */
  | Readonly<{ kind: 'node'; address: string; password: string }>;

export type CredentialRules = Readonly<{
  privateKeyHex: boolean;
  nodeKeys: boolean;
  /** Accounts that no request may sign for, such as the one that pays the relay's fees. Checksummed. */
  reservedAccounts: ReadonlySet<string>;
}>;

export class SigningCredentials {
  readonly #rules: CredentialRules;
  readonly #registry: PluginRegistry;

  constructor(rules: CredentialRules, registry: PluginRegistry) {
    this.#rules = rules;
    this.#registry = registry;
  }

  /** @throws CactusError CREDENTIAL_REFUSED, KEYCHAIN_… */
  async signer(credential: Web3SigningCredential): Promise<Signer> {
    const { type, ethAccount = '', secret = '' } = credential;
    switch (type) {
      case 'NONE':
        return { kind: 'presigned' };
      case 'CACTUS_KEYCHAIN_REF':
        return this.#own(await this.keyOf(credential), ethAccount);
      case 'PRIVATE_KEY_HEX':
        if (!this.#rules.privateKeyHex) throw refusedType(type);
        return this.#own(signingKey(secret), ethAccount);
      case 'GETH_KEYCHAIN_PASSWORD':
        if (!this.#rules.nodeKeys) throw refusedType(type);
        return { kind: 'node', address: this.nodeAccount(ethAccount), password: secret };
      default:
        throw new CactusError('CREDENTIAL_REFUSED', 'there is no such type of signing credential');
    }
  }

  /** An account whose key the node holds. @throws CactusError CREDENTIAL_REFUSED unless configured for development */
  nodeAccount(account: string): string {
    if (!this.#rules.nodeKeys)
      throw new CactusError(
        'CREDENTIAL_REFUSED',
        'the node is not asked to sign: this connector takes CACTUS_KEYCHAIN_REF',
      );
    if (!/^0x[0-9a-fA-F]{40}$/.test(account)) throw new CactusError('ARGUMENTS_INVALID', 'the account is no address');
    return this.#allowed(getAddress(account.toLowerCase()));
  }

  /** The key that a keychain holds under a name. @throws CactusError CREDENTIAL_REFUSED for a reserved account */
  async keyOf({ keychainId, keychainEntryKey = '' }: Web3SigningCredential): Promise<SigningKey> {
    const keychain = this.keychain(keychainId);
    const key = signingKey(await keychainEntry(keychain, keychainEntryKey));
    this.#allowed(computeAddress(key));
    return key;
  }

  /** Left out, it is the only one that there is. @throws CactusError KEYCHAIN_NOT_FOUND */
  keychain(keychainId: string | undefined): IPluginKeychain {
    const keychains = this.#registry.getPlugins().filter(isKeychain);
    const found =
      keychainId === undefined
        ? keychains.length === 1 && keychains[0]
        : keychains.find((keychain) => keychain.getKeychainId() === keychainId);
    if (found) return found;
    throw new CactusError('KEYCHAIN_NOT_FOUND', 'there is no such keychain');
  }

  #own(key: SigningKey, ethAccount: string): Signer {
    const address = computeAddress(key);
    if (!namesKey(ethAccount, key, address))
      throw new CactusError('CREDENTIAL_REFUSED', 'ethAccount is not the account of the key');
    return { kind: 'key', address: this.#allowed(address), key };
  }

  #allowed(address: string): string {
    if (!this.#rules.reservedAccounts.has(address)) return address;
    throw new CactusError('CREDENTIAL_REFUSED', 'this account is the connector’s own');
  }
}

const isKeychain = (plugin: object): plugin is IPluginKeychain => 'getKeychainId' in plugin && 'get' in plugin;

/** @throws CactusError KEYCHAIN_ENTRY_NOT_FOUND; what else a keychain says stays unsaid */
export async function keychainEntry(keychain: IPluginKeychain, name: string): Promise<string> {
  if (!(await keychain.has(name))) throw new CactusError('KEYCHAIN_ENTRY_NOT_FOUND', 'the keychain has no such entry');
  const value: unknown = await keychain.get(name);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Old clients name the public key instead of the address. */
function namesKey(ethAccount: string, key: SigningKey, address: string): boolean {
  const named = ethAccount.toLowerCase().replace(/^0x/, '');
  const { publicKey, compressedPublicKey } = key;
  const full = publicKey.slice(2);
  return [address.slice(2), full, full.slice(2), compressedPublicKey.slice(2)].some(
    (name) => name.toLowerCase() === named,
  );
}

/** A secp256k1 key as hex, with or without `0x`, or as PEM. No part of it is in any error. */
function signingKey(secret: string): SigningKey {
  const trimmed = secret.trim();
  try {
    if (/^(0x)?[0-9a-fA-F]{64}$/.test(trimmed)) return new SigningKey(`0x${trimmed.slice(-64)}`);
    if (trimmed.startsWith('-----BEGIN')) {
      const { crv, d } = createPrivateKey(trimmed).export({ format: 'jwk' });
      if (crv === 'secp256k1' && d !== undefined)
        return new SigningKey(`0x${Buffer.from(d, 'base64url').toString('hex').padStart(64, '0')}`);
    }
  } catch {
    throw unusable();
  }
  throw unusable();
}

const unusable = (): CactusError => new CactusError('KEYCHAIN_ENTRY_UNUSABLE', 'the entry is no secp256k1 private key');

const refusedType = (type: string): CactusError =>
  new CactusError(
    'CREDENTIAL_REFUSED',
    `this connector takes no ${type}: keep the key in a keychain and send CACTUS_KEYCHAIN_REF`,
  );
