/** What rule `corda-notary` is checked against. It comes from what governance registered, never from the evidence. */
import { fromHex, type Hex } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { CordaConstraint, CordaName } from './corda-facts.ts';
import { type CordaKey, parseCordaKey } from './corda-keys.ts';
import {
  CORDA_TYPES,
  type CordaType,
  type CordaTypes,
  cordaTypes,
  cordaTypesFault,
  transactionStateOf,
} from './corda-types.ts';

/** A contract that outputs of the vault's transactions may have, the states it governs, and under which constraints. */
export type CordaContractPin = Readonly<{
  /** Name of the contract's class. */
  contract: string;
  /** Names of the classes of its states. */
  states: readonly string[];
  /** Any of them will do. */
  constraints: readonly CordaConstraint[];
}>;

/** Keys are SubjectPublicKeyInfo, DER. */
export type CordaRegistration = Readonly<{
  network: NetworkId;
  notary: Readonly<{ name: CordaName; key: Hex; validating: boolean }>;
  /** Its node ran the contracts before it signed. */
  vaultParty: Readonly<{ key: Hex }>;
  contracts: readonly CordaContractPin[];
  /** Names of the classes of commands. */
  commands: readonly string[];
  /** Types besides Corda's own: the states and commands of the vault's CorDapp. */
  types: readonly CordaType[];
}>;

/** A registration that was checked. */
export type CordaTrustRoot = Readonly<{
  network: NetworkId;
  notary: Readonly<{ name: CordaName; key: CordaKey; validating: boolean }>;
  vaultParty: CordaKey;
  contracts: ReadonlyMap<string, CordaContractPin>;
  commands: readonly string[];
  types: CordaTypes;
}>;

export type CordaTrustRootResult =
  | Readonly<{ ok: true; root: CordaTrustRoot }>
  | Readonly<{ ok: false; detail: string }>;

const refuse = (detail: string): CordaTrustRootResult => ({ ok: false, detail });

/** Deny by default: a gap in the registration is refused here, so that verification finds none. */
export function cordaTrustRoot(registration: CordaRegistration): CordaTrustRootResult {
  const { network, notary, contracts, commands } = registration;
  const notaryKey = parseCordaKey(fromHex(notary.key));
  if (notaryKey === undefined) return refuse('the notary has no key of a scheme that is verified');
  const vaultParty = parseCordaKey(fromHex(registration.vaultParty.key));
  if (vaultParty === undefined) return refuse('the vault party has no key of a scheme that is verified');
  if (notaryKey.hex === vaultParty.hex) return refuse('notary and vault party have one key');
  const detail = contractsFault(contracts);
  if (detail !== undefined) return refuse(detail);
  const states = contracts.flatMap((pin) => pin.states);
  const types = [...CORDA_TYPES, ...registration.types, transactionStateOf(states)];
  const typesFault = cordaTypesFault(types);
  if (typesFault !== undefined) return refuse(typesFault);
  const pinned = cordaTypes(types);
  const unknown = [...states, ...commands].find((name) => !pinned.byName.has(name));
  if (unknown !== undefined) return refuse(`type ${unknown} is not pinned`);
  return {
    ok: true,
    root: {
      network,
      notary: { name: notary.name, key: notaryKey, validating: notary.validating },
      vaultParty,
      contracts: new Map(contracts.map((pin) => [pin.contract, pin])),
      commands,
      types: pinned,
    },
  };
}

function contractsFault(contracts: readonly CordaContractPin[]): string | undefined {
  if (contracts.length === 0) return 'no contract is registered';
  if (new Set(contracts.map(({ contract }) => contract)).size !== contracts.length) return 'a contract is pinned twice';
  if (contracts.some(({ states }) => states.length === 0)) return 'a contract has no states';
  if (contracts.some(({ constraints }) => constraints.length === 0)) return 'a contract has no constraint';
  return undefined;
}
