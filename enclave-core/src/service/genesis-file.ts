/** Reads a genesis file and holds it against the service that it is for. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Genesis, parseGenesis } from '@drawbridge/governance/genesis';
import { formatProblem } from '@drawbridge/governance/problem';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { vaultKey } from '@drawbridge/protocol/ids';
import { digestOfGenesis } from '@drawbridge/protocol/ledger/service-entry';
import type { PublicService } from './create-service.ts';
import { ServiceError } from './service-error.ts';

/** Largest genesis file, in bytes. */
export const MAX_GENESIS_BYTES: number = 16 * 2 ** 20;

/** A genesis file, the text that the ledger holds of it, and the digest by which it is known again. */
export type CheckedGenesis = Readonly<{ genesis: Genesis; text: string; digest: Bytes32 }>;

/**
 * JSON of the parsed content with sorted fields and without spaces, so that spaces, comments of a formatter and the order of
 * fields do not matter.
 */
export const genesisText = (genesis: Genesis): string =>
  JSON.stringify(genesis, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

export const genesisDigest = (genesis: Genesis): Bytes32 =>
  toBytes32(digestOfGenesis(genesisText(genesis), (bytes) => createHash('sha256').update(bytes).digest()));

/** @throws ServiceError `GENESIS_MISSING` or `GENESIS_INVALID`, naming everything that is wrong */
export async function readGenesisFile(path: string): Promise<CheckedGenesis> {
  let text: string;
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_GENESIS_BYTES) {
      throw new ServiceError('GENESIS_INVALID', `${path} has over ${MAX_GENESIS_BYTES} bytes`);
    }
    text = bytes.toString('utf8');
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw new ServiceError('GENESIS_MISSING', `genesis file ${path} cannot be read`, { cause });
  }
  const parsed = parseGenesis(text);
  if (!parsed.ok) {
    throw new ServiceError(
      'GENESIS_INVALID',
      [`${path} is not a genesis:`, ...parsed.problems.map(formatProblem)].join('\n'),
    );
  }
  return { genesis: parsed.value, text: genesisText(parsed.value), digest: genesisDigest(parsed.value) };
}

/** @throws ServiceError `GENESIS_MISMATCH`, naming everything that is not true of the service */
export function demandOwnGenesis({ genesis }: CheckedGenesis, identity: PublicService): void {
  const faults = mismatches(genesis, identity);
  if (faults.length === 0) return;
  throw new ServiceError('GENESIS_MISMATCH', ['the genesis file is not for this service:', ...faults].join('\n'));
}

/** What a genesis says that is not true of the service, in words. */
export function mismatches(genesis: Genesis, identity: PublicService): string[] {
  const faults: string[] = [];
  if (genesis.serviceId !== identity.serviceId) {
    faults.push(`serviceId is ${genesis.serviceId}; this service was created as ${identity.serviceId}`);
  }
  for (const { network, asset, authority } of genesis.vaults) {
    const key = vaultKey(network, asset);
    const own = identity.authorities[key];
    if (own === undefined) {
      faults.push(`vault ${key} has no authority key here; name it with --vaults when the service is created`);
    } else if (own !== authority) {
      faults.push(`vault ${key} has authority ${authority}; the key made here for it has ${own}`);
    }
  }
  return faults;
}
