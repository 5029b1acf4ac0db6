/** A genesis file as JSON that is right in every field. Not loaded by the node. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export const seed = (name: string): Uint8Array => sha256(utf8ToBytes(name));
export const word = (name: string): string => `0x${bytesToHex(seed(name))}`;
export const nodeId = (name: string): string => word(name).slice(2);
export const address = (name: string): string => `0x${word(name).slice(26)}`;
export const publicKey = (name: string): string => `0x${bytesToHex(ed25519.getPublicKey(seed(name)))}`;

export const LEI_A = '529900T8BM49AURSDO55';
export const LEI_B = '7LTWFZYICNSX8D621K86';
const SEALING_KEY = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';

export type Json = Record<string, unknown>;

const observer = (id: string): Json => ({
  id,
  role: 'observer',
  name: id,
  certificates: [],
  attestationKey: publicKey(id),
});
const network = (id: string, chainId: number): Json => ({
  id,
  kind: 'evm',
  chainId,
  genesisHash: word(`genesis of ${id}`),
  finality: { rule: 'observers', observers: ['observer-1', 'observer-2', 'observer-3'], threshold: 2, depthBlocks: 3 },
  connectors: ['connector'],
});
/** Finality by consensus, right in every field. */
export const sampleConsensus = (rule = 'qbft'): Json => ({
  rule,
  checkpoint: {
    blockNumber: 30_000,
    blockHash: word('checkpoint'),
    timestampS: 1_790_000_000,
    validators: ['v1', 'v2', 'v3', 'v4'].map(address),
  },
  epochLength: 30_000,
  headerFields: [
    { fromBlock: 0, count: 15 },
    { fromBlock: 50_000, count: 16 },
  ],
  trustingPeriodS: 1_209_600,
  maxGapBlocks: 4_096,
  ...(rule === 'clique' && { periodS: 1 }),
});
const vault = (networkId: string, mode: string): Json => ({
  network: networkId,
  asset: 'EUR',
  mode,
  address: address(`vault ${networkId}`),
  authority: address(`authority ${networkId}`),
  fromBlock: 0,
});

/** DER of an Ed25519 public key. */
const partyKey = (name: string): string => `0x302a300506032b6570032100${word(name).slice(2)}`;
const stateOf = (name: string, index: number): string => `${word(name)}${index.toString(16).padStart(8, '0')}`;
const CLASSES =
  'VaultState VaultControl VaultTerms PermitState CoinState LockState TokenState Instruct Guard Lock Create'.split(' ');
const fingerprint = (name: string): string => Buffer.from(seed(name).subarray(0, 16)).toString('base64');
/** Finality by a notary, right in every field. */
export const sampleNotary = (): Json => ({
  rule: 'corda-notary',
  notary: {
    name: { organisation: 'Notary', locality: 'London', country: 'GB' },
    key: partyKey('notary'),
    validating: true,
  },
  fingerprints: Object.fromEntries(CLASSES.map((name) => [name, fingerprint(name)])),
});
export const sampleCordaNetwork = (): Json => ({
  id: 'gamma',
  kind: 'corda',
  genesisHash: word('root certificate'),
  finality: sampleNotary(),
  connectors: ['connector'],
});
/** A vault on it, right in every field. */
export const sampleCordaVault = (mode = 'escrow'): Json => ({
  network: 'gamma',
  asset: 'EUR',
  mode,
  authority: address('authority gamma'),
  vaultId: word('vault gamma'),
  party: partyKey('vault party'),
  constraint: { kind: 'hash', attachment: word('contracts.jar') },
  currency: 'EUR',
  ...(mode === 'escrow' && {
    cash: {
      constraint: { kind: 'signature', key: partyKey('signer of the finance jar') },
      issuerKey: partyKey('issuer'),
      issuerReference: '0x01',
    },
  }),
  permitCapMinor: '1000000',
  capWindowSeconds: 7200,
  guardians: { addresses: ['guardian 1', 'guardian 2'].map(address), threshold: 2, delaySeconds: 3600 },
  state: stateOf('creation', 0),
  permits: [1, 2, 3].map((index) => stateOf('creation', index)),
});

/** A fresh copy each time, so that a test can spoil it. */
export const sampleGenesis = (): Json => ({
  version: 1,
  serviceId: word('service'),
  bootstrap: { keys: ['key 1', 'key 2', 'key 3'].map(publicKey), threshold: 2 },
  assets: [{ code: 'EUR', scale: 2 }],
  participants: [
    { id: LEI_A, role: 'bank', name: 'Bank A', lei: LEI_A, bic: 'DEUTDEFF', certificates: [word('certificate a')] },
    { id: LEI_B, role: 'bank', name: 'Bank B', lei: LEI_B, bic: 'DEUTDEFF500', certificates: [word('certificate b')] },
    { id: 'auditor', role: 'auditor', name: 'Auditor', certificates: [word('certificate c')], supervises: [LEI_A] },
    {
      id: 'connector',
      role: 'connector',
      name: 'Connector',
      certificates: [word('certificate d')],
      sealingKey: SEALING_KEY,
    },
    { id: 'hub', role: 'relay', name: 'Hub', certificates: [word('certificate e')] },
    observer('observer-1'),
    observer('observer-2'),
    observer('observer-3'),
  ],
  networks: [network('alpha', 1), network('beta', 2)],
  vaults: [vault('alpha', 'escrow'), vault('beta', 'issue')],
  exposureCaps: [
    { network: 'alpha', asset: 'EUR', amountMinor: '1000000' },
    { network: 'beta', asset: 'EUR', amountMinor: '0' },
  ],
});

/** Reaches into the sample: `at(genesis, 'networks', 0, 'finality')`. */
export function at(value: unknown, ...path: readonly (string | number)[]): Json {
  let found = value;
  for (const step of path) found = (found as Record<string | number, unknown>)[step];
  return found as Json;
}

export function listAt(genesis: Json, name: string): Json[] {
  const list = genesis[name];
  if (!Array.isArray(list)) throw new Error(`${name} is a list`);
  return list;
}
