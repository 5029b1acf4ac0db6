/** Everybody's keys, made in the run's folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTlsIdentity, type TlsIdentity } from '@drawbridge/devnets/tls-identity';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { AUDITOR, BANKS, BOREAL_AUDITOR, HUB, OBSERVERS, OPERATOR } from './cast.ts';
import type { Chain } from './chain.ts';
import { connectorId } from './genesis-file.ts';
import { createSealingKey, createSigningKey } from './identities.ts';

export type CastKeys = Readonly<{
  identity: (name: string) => TlsIdentity;
  /** Public sealing key (PEM) by network. */
  sealingKeys: Readonly<Record<string, string>>;
  sealingKeyFile: (network: string) => string;
  feeKeyFile: (network: string) => string;
  observers: readonly Readonly<{ id: string; publicKey: Hex }>[];
  attestationKeyFile: (observer: string) => string;
  bootstrapKeys: readonly Hex[];
}>;

type GivenKey = Readonly<{ privateKeyPem: string; publicKeyPem: string }>;

/** How many hold a bootstrap key. */
const BOOTSTRAP_HOLDERS = 3;

/** @param networks ids of all of them; of the chains the fee keys are kept. @param given connectors' sealing keys that exist */
export async function makeCastKeys(
  keys: string,
  networks: readonly string[],
  chains: readonly Chain[],
  given: Readonly<Record<string, GivenKey>> = {},
): Promise<CastKeys> {
  const sealingKeyFile = (network: string): string => join(keys, `${network}.sealing.key`);
  const feeKeyFile = (network: string): string => join(keys, `${network}.fee.key`);
  const attestationKeyFile = (observer: string): string => join(keys, `${observer}.attestation.key`);
  const banks = BANKS.map((bank) => bank.short);
  const connectors = networks.map(connectorId);
  const identities = new Map<string, TlsIdentity>();
  for (const name of [...banks, AUDITOR, BOREAL_AUDITOR, OPERATOR, HUB, ...connectors, ...OBSERVERS]) {
    identities.set(name, await createTlsIdentity(keys, name));
  }
  const sealingKeys: Record<string, string> = {};
  for (const id of networks) {
    const known = given[id];
    if (known) await writeFile(sealingKeyFile(id), known.privateKeyPem, { mode: 0o600 });
    sealingKeys[id] = known?.publicKeyPem ?? (await createSealingKey(sealingKeyFile(id))).publicKey;
  }
  const observers: { id: string; publicKey: Hex }[] = [];
  for (const id of OBSERVERS) observers.push({ id, ...(await createSigningKey(attestationKeyFile(id))) });
  const bootstrapKeys: Hex[] = [];
  for (let n = 1; n <= BOOTSTRAP_HOLDERS; n += 1) {
    bootstrapKeys.push((await createSigningKey(join(keys, `bootstrap-${n}.key`))).publicKey);
  }
  for (const { network, feeKey } of chains) await writeFile(feeKeyFile(network), `${feeKey}\n`, { mode: 0o600 });
  return {
    identity: (name) => {
      const found = identities.get(name);
      if (!found) throw new RangeError(`nobody is called ${name}`);
      return found;
    },
    sealingKeys,
    sealingKeyFile,
    feeKeyFile,
    observers,
    attestationKeyFile,
    bootstrapKeys,
  };
}
