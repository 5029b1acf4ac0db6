/** What a genesis file says of Corda networks and of vaults on them, as far as evidence needs it. */
import type { CordaConstraint, CordaName } from '@drawbridge/evidence/corda-facts';
import type { RegisteredCordaNetwork, RegisteredCordaVault } from '@drawbridge/evidence/corda-vault-root';
import { parseAmountMinor } from '@drawbridge/protocol/amount';
import { parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { CORDA_VAULT_CLASSES } from '@drawbridge/protocol/corda-vault-classes';
import { type NetworkId, parseAssetCode, parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { parseStateRef } from '@drawbridge/protocol/state-ref';
import { count, type Fields, list, object, text, wrong } from './genesis-fields.ts';

export type CordaRoots = Readonly<{ network: RegisteredCordaNetwork; vaults: readonly RegisteredCordaVault[] }>;

export const isCordaNetwork = (network: Fields): boolean => network.get('kind') === 'corda';
export const isCordaVault = (vault: Fields): boolean => vault.get('vaultId') !== undefined;

/** @throws CliError or ProtocolError for anything that the core would not take. */
export function readCordaRoots(networks: readonly Fields[], vaults: readonly Fields[]): Map<NetworkId, CordaRoots> {
  const roots = new Map<NetworkId, CordaRoots>();
  const places = vaults.filter(isCordaVault).map((vault) => ({
    network: parseNetworkId(text(vault.get('network'), 'network of a vault')),
    vault: readVault(vault),
  }));
  for (const fields of networks.filter(isCordaNetwork)) {
    const network = readNetwork(fields);
    const own = places.filter((place) => place.network === network.id).map(({ vault }) => vault);
    roots.set(network.id, { network, vaults: own });
  }
  return roots;
}

function readNetwork(fields: Fields): RegisteredCordaNetwork {
  const id = parseNetworkId(text(fields.get('id'), 'network id'));
  const finality = object(fields.get('finality'), `finality of ${id}`);
  if (finality.get('rule') !== 'corda-notary') wrong(`network ${id} is on Corda, and not believed by its notary`);
  const notary = object(finality.get('notary'), `notary of ${id}`);
  const validating = notary.get('validating');
  if (typeof validating !== 'boolean') return wrong(`the notary of ${id} must be validating or not`);
  const fingerprints = object(finality.get('fingerprints'), `fingerprints of ${id}`);
  const print = (name: string): string => text(fingerprints.get(name), `fingerprint of ${name}`);
  return {
    id,
    genesisHash: parseBytes32(text(fields.get('genesisHash'), 'genesisHash'), 'genesisHash'),
    finality: {
      notary: {
        name: readName(object(notary.get('name'), `name of the notary of ${id}`)),
        key: parseHex(text(notary.get('key'), `key of the notary of ${id}`), 'key'),
        validating,
      },
      fingerprints: Object.fromEntries(
        CORDA_VAULT_CLASSES.map((name) => [name, print(name)]),
      ) as RegisteredCordaNetwork['finality']['fingerprints'],
    },
  };
}

function readName(name: Fields): CordaName {
  const required = (part: string): string => text(name.get(part), `${part} of a notary`);
  const optional = (part: string): object => (name.has(part) ? { [part]: required(part) } : {});
  return {
    organisation: required('organisation'),
    locality: required('locality'),
    country: required('country'),
    ...optional('commonName'),
    ...optional('organisationUnit'),
    ...optional('state'),
  };
}

function readVault(vault: Fields): RegisteredCordaVault {
  const vaultId = parseBytes32(text(vault.get('vaultId'), 'vaultId'), 'vaultId');
  const of = (name: string): string => `${name} of the vault ${vaultId}`;
  const said = (name: string): string => text(vault.get(name), of(name));
  const mode = said('mode');
  if (mode !== 'escrow' && mode !== 'issue') return wrong(`${of('mode')} is unknown`);
  const guardians = object(vault.get('guardians'), of('guardians'));
  return {
    vaultId,
    mode,
    asset: parseAssetCode(said('asset')),
    authority: parseEvmAddress(said('authority')),
    party: parseHex(said('party'), 'party'),
    constraint: readConstraint(object(vault.get('constraint'), of('constraint'))),
    currency: said('currency'),
    ...(vault.has('cash') && { cash: readCash(object(vault.get('cash'), of('cash'))) }),
    permitCapMinor: parseAmountMinor(said('permitCapMinor')),
    capWindowSeconds: count(vault.get('capWindowSeconds'), of('capWindowSeconds'), 1),
    guardians: {
      addresses: list(guardians.get('addresses'), of('guardians')).map((one) =>
        parseEvmAddress(text(one, of('a guardian'))),
      ),
      threshold: count(guardians.get('threshold'), of('threshold'), 1),
      delaySeconds: count(guardians.get('delaySeconds'), of('delaySeconds'), 1),
    },
    state: parseStateRef(said('state')),
    permits: list(vault.get('permits'), of('permits')).map((ref) => parseStateRef(text(ref, of('a permit')))),
  };
}

function readConstraint(fields: Fields): CordaConstraint {
  const kind = text(fields.get('kind'), 'kind of a constraint');
  if (kind === 'signature') return { kind, key: parseHex(text(fields.get('key'), 'key of a constraint'), 'key') };
  if (kind !== 'hash') return wrong(`a constraint has the unknown kind ${kind}`);
  return { kind, attachment: parseBytes32(text(fields.get('attachment'), 'attachment'), 'attachment') };
}

const readCash = (cash: Fields): NonNullable<RegisteredCordaVault['cash']> => ({
  constraint: readConstraint(object(cash.get('constraint'), 'constraint of cash')),
  issuerKey: parseHex(text(cash.get('issuerKey'), 'issuerKey'), 'issuerKey'),
  issuerReference: parseHex(text(cash.get('issuerReference'), 'issuerReference'), 'issuerReference'),
});
