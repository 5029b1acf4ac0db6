/**
 * Types of the vault's CorDapp (docs/adr/0016): fields in the order in which Corda writes them, that of their names. A
 * fingerprint is a digest of the class as it was compiled, so it comes with the registration.
 */
import { type CordaVaultClass, cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { type CordaField, type CordaPrimitive, type CordaType, TYPE } from './corda-types.ts';

/** Base64 of 16 bytes, as after `net.corda:` in a schema. */
export type CordaVaultFingerprints = Readonly<Record<CordaVaultClass, string>>;

const of = (kind: CordaPrimitive, ...names: readonly string[]): readonly CordaField[] =>
  names.map((name) => ({ name, kind }));
const party = (name: string): CordaField => ({ name, kind: [TYPE.party] });
const fieldsByName = (...fields: readonly (readonly CordaField[])[]): readonly CordaField[] =>
  fields.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));

const FIELDS: Readonly<Record<CordaVaultClass, readonly CordaField[]>> = {
  VaultState: fieldsByName(
    [{ name: 'control', kind: [cordaClassName('VaultControl')] }],
    [{ name: 'terms', kind: [cordaClassName('VaultTerms')] }],
    of('binary', 'vaultId'),
    [party('vaultParty')],
  ),
  VaultControl: fieldsByName(
    of('binary', 'authority', 'lastInstruction', 'proposedAuthority'),
    of('long', 'epoch', 'guardianNonce', 'proposalNotBefore'),
    of('boolean', 'pausedByAuthority', 'pausedByGuardian'),
  ),
  VaultTerms: fieldsByName(
    of('binary', 'asset', 'cashConstraint', 'genesisHash', 'guardians', 'issuerKey', 'issuerReference'),
    of('binary', 'networkIdHash', 'serviceId'),
    of('long', 'capWindowSeconds', 'guardianDelaySeconds', 'permitCap'),
    of('int', 'guardianThreshold', 'mode', 'permits'),
    of('string', 'currency'),
  ),
  PermitState: fieldsByName(
    of('long', 'bucket', 'current', 'oldest', 'previous'),
    of('int', 'index'),
    of('binary', 'lastInstruction', 'vaultId'),
    [party('vaultParty')],
  ),
  CoinState: fieldsByName(of('long', 'amount'), of('binary', 'vaultId'), [party('vaultParty')]),
  LockState: fieldsByName(
    of('long', 'amount'),
    of('string', 'currency'),
    of('binary', 'issuerKey', 'issuerReference', 'lockId', 'reference', 'vaultId'),
    [party('depositor'), party('vaultParty')],
  ),
  TokenState: fieldsByName(of('long', 'amount'), of('string', 'currency'), of('binary', 'vaultId'), [
    { name: 'owner', kind: [TYPE.party, TYPE.anonymousParty] },
  ]),
  Instruct: fieldsByName(
    of('long', 'amount', 'epoch', 'notAfter'),
    of('int', 'kind'),
    of('binary', 'asset', 'beneficiary', 'id', 'inputs', 'signature', 'subject', 'trail'),
  ),
  Guard: fieldsByName(of('int', 'action'), of('binary', 'authority', 'signatures')),
  Lock: [],
  Create: [],
};

/** For the `types` of a registration. */
export const cordaVaultTypes = (fingerprints: CordaVaultFingerprints): readonly CordaType[] =>
  (Object.keys(FIELDS) as CordaVaultClass[]).map((name) => ({
    form: 'composite',
    name: cordaClassName(name),
    descriptor: `net.corda:${fingerprints[name]}`,
    fields: FIELDS[name],
  }));
