/**
 * Recorded transactions of vaults (test/vectors/corda-classes/vault): verified, with the registration that fits. Forgeries change
 * what is proven: a notarised transaction with such content would give the same facts.
 */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import { type CordaVaultClass, cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { parseAssetCode, parseEvmAddress } from '@drawbridge/protocol/ids';
import { type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { type CordaConstraint, type CordaOutput, outputOf, stateRefOf } from '../corda-facts.ts';
import { type CordaFacts, verifyCordaEvidence } from '../corda-notary.ts';
import { type CordaObject, type CordaValue, readComponent } from '../corda-objects.ts';
import { CORDA_TYPES, cordaTypes, TYPE, transactionStateOf } from '../corda-types.ts';
import type { CordaVaultBook } from '../corda-vault-frame.ts';
import {
  type CordaVaultRoot,
  cordaVaultRoot,
  cordaVaultTrust,
  type RegisteredCordaNetwork,
  type RegisteredCordaVault,
} from '../corda-vault-root.ts';
import { type CordaVaultState, instructionOf, vaultStateOf } from '../corda-vault-states.ts';
import { type CordaVaultFingerprints, cordaVaultTypes } from '../corda-vault-types.ts';
import { cordaVerifier } from './corda-keys.ts';
import { keysOf, NOTARY_NAME, recording } from './corda-recordings.ts';
import { componentsOf, NETWORK, recordedEvidence } from './corda-transactions.ts';

/** Of contracts version 1, as Corda 4.10 computed them. */
export const VAULT_FINGERPRINTS: CordaVaultFingerprints = {
  VaultState: 'z722yBnAMcz6uBvTqZqttg==',
  VaultControl: 'qZzxyiiFrb+3fQtsOAqfXg==',
  VaultTerms: '9DLK14D14j8PqTbnQRISYQ==',
  PermitState: 'jicmRyd5D+Dsiqg8OJneyA==',
  CoinState: 'c91iwhaGLn6C7TqBhky/xQ==',
  LockState: 'l4T1qt3MZKhcJNo/yyQOEA==',
  TokenState: 'FfORj3dtbes0MGC9uvcyNQ==',
  Instruct: 'lHH2eapNRNjZC9DgXxxvIA==',
  Guard: 'zuf8IHD0y8zjIGjmxiid/Q==',
  Lock: 'OhYpAZvrRA2Qq6JgD0OCKQ==',
  Create: 'BHsKFPsBN6MuMDrGlClprg==',
};

const vaultRecording = (name: string): ReturnType<typeof recording> => recording(`corda-classes/vault/${name}`);
const STATES: readonly CordaVaultClass[] = ['VaultState', 'PermitState', 'CoinState', 'LockState'];
const ALL_STATES = [...STATES.map(cordaClassName), cordaClassName('TokenState'), TYPE.cash];
const TYPES = cordaTypes([...CORDA_TYPES, ...cordaVaultTypes(VAULT_FINGERPRINTS), transactionStateOf(ALL_STATES)]);

type Vault = Readonly<{
  state: CordaVaultState;
  ref: StateRef;
  constraint: CordaConstraint;
  /** As governance would register it. */
  registered: RegisteredCordaVault;
  root: CordaVaultRoot;
}>;

/** The vaults were made for a network of this name, and for this asset. */
const ASSET = parseAssetCode('GBP');
const ADDRESS_DIGITS = 40;

/** What the creation `name` made. */
function createdVault(name: string): Vault {
  const recorded = vaultRecording(name);
  const [bytes] = componentsOf(recorded).get(1) ?? [];
  if (bytes === undefined) throw new Error('nothing was made');
  const { data, constraint } = outputOf(readComponent(bytes, TYPES, [TYPE.transactionState]));
  const state = vaultStateOf(data);
  const { terms, control, vaultId, vaultParty } = state;
  const escrow = terms.mode === 1;
  const cash = {
    constraint: { kind: 'hash', attachment: `0x${terms.cashConstraint.slice(4)}` as CordaVaultRoot['vaultId'] },
    issuerKey: terms.issuerKey,
    issuerReference: terms.issuerReference,
  } as const;
  const transactionId = `0x${recorded.txId}` as CordaVaultRoot['vaultId'];
  const guardians = terms.guardians.slice(2).match(new RegExp(`.{${ADDRESS_DIGITS}}`, 'g')) ?? [];
  const registered: RegisteredCordaVault = {
    vaultId,
    mode: escrow ? 'escrow' : 'issue',
    asset: ASSET,
    authority: control.authority,
    party: vaultParty.key,
    constraint,
    currency: terms.currency,
    ...(escrow ? { cash } : {}),
    permitCapMinor: terms.permitCap,
    capWindowSeconds: Number(terms.capWindowSeconds),
    guardians: {
      addresses: guardians.map((digits) => parseEvmAddress(`0x${digits}`)),
      threshold: terms.guardianThreshold,
      delaySeconds: Number(terms.guardianDelaySeconds),
    },
    state: stateRef(transactionId, 0),
    permits: Array.from({ length: terms.permits }, (_, index) => stateRef(transactionId, 1 + index)),
  };
  const network = registeredNetwork(keysOf(recorded).notary, terms.genesisHash);
  const root = cordaVaultRoot(terms.serviceId, network, registered);
  return { state, ref: registered.state, constraint, registered, root };
}

/** The network of the recordings, believed by this notary. */
export const registeredNetwork = (notary: Hex, genesisHash: Bytes32): RegisteredCordaNetwork => ({
  id: NETWORK,
  genesisHash,
  finality: { notary: { name: NOTARY_NAME, key: notary, validating: false }, fingerprints: VAULT_FINGERPRINTS },
});

export const ESCROW: Vault = createdVault('create');
export const ISSUE: Vault = createdVault('create-issue');
export const COMMANDED: Vault = createdVault('create-command');

/** What is proven of a recording. */
export function vaultFacts(name: string): CordaFacts {
  const recorded = vaultRecording(name);
  const { notary, party } = keysOf(recorded);
  const trust = cordaVaultTrust(registeredNetwork(notary, ESCROW.root.genesisHash), { ...ESCROW.registered, party });
  if (!trust.ok) throw new Error(trust.detail);
  const facts = verifyCordaEvidence(recordedEvidence(recorded), trust.root, cordaVerifier);
  if (!facts.ok) throw new Error(`${facts.code}: ${facts.detail}`);
  return facts;
}

/** The book of a vault whose state is the created one, and that signed what `facts` instructs. */
export function bookFor(facts: CordaFacts, { ref, state }: Pick<Vault, 'ref' | 'state'>): CordaVaultBook {
  const told = facts.commands.filter(({ data }) => data.type === cordaClassName('Instruct'));
  const signed = told.map(({ data }) => instructionOf(data));
  return {
    tip: { ref, control: state.control },
    wasTip: () => false,
    instruction: (id) => signed.find((instruction) => instruction.id === id),
  };
}

/** The vault's state that `name` made. */
export function madeBy(name: string): Pick<Vault, 'ref' | 'state'> {
  const facts = vaultFacts(name);
  const [output] = facts.outputs;
  if (output === undefined) throw new Error('nothing was made');
  return { ref: stateRef(facts.transactionId, 0), state: vaultStateOf(output.data) };
}

/** The state that a recording consumed first. */
export function consumedBy(name: string): StateRef {
  const [bytes] = componentsOf(vaultRecording(name)).get(0) ?? [];
  if (bytes === undefined) throw new Error('nothing was consumed');
  const { transactionId, index } = stateRefOf(readComponent(bytes, TYPES, [TYPE.stateRef]));
  return stateRef(transactionId, index);
}

export const withField = (object: CordaObject, path: readonly string[], value: CordaValue): CordaObject => {
  const [name, ...rest] = path;
  if (name === undefined) throw new Error('a path has a name');
  const fields = new Map(object.fields);
  if (!fields.has(name)) throw new Error(`there is no ${name}`);
  fields.set(name, rest.length === 0 ? value : withField(fields.get(name) as CordaObject, rest, value));
  return { ...object, fields };
};

export const withOutput = (facts: CordaFacts, index: number, change: Partial<CordaOutput>): CordaFacts => ({
  ...facts,
  outputs: facts.outputs.map((output, at) => (at === index ? { ...output, ...change } : output)),
});

/** An output of other content; `path` leads to a field of its state. */
export function withState(facts: CordaFacts, index: number, path: readonly string[], value: CordaValue): CordaFacts {
  const data = facts.outputs[index]?.data;
  if (data === undefined) throw new Error('there is no such output');
  return withOutput(facts, index, { data: withField(data, path, value) });
}

/** The first command of other content. */
export const withCommand = (facts: CordaFacts, path: readonly string[], value: CordaValue): CordaFacts => ({
  ...facts,
  commands: facts.commands.map((command, at) =>
    at === 0 ? { ...command, data: withField(command.data, path, value) } : command,
  ),
});

/** Without what encumbers it. */
export function freed(facts: CordaFacts, index: number): CordaFacts {
  const outputs = facts.outputs.map((output, at) => {
    if (at !== index) return output;
    const { encumbrance: _encumbrance, ...free } = output;
    return free;
  });
  return { ...facts, outputs };
}
