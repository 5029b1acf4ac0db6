/** Reads a genesis file and holds it against the service that it is for. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Genesis, parseGenesis } from '@drawbridge/governance/genesis';
import { formatProblem } from '@drawbridge/governance/problem';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { vaultKey } from '@drawbridge/protocol/ids';
import { type PublicIdentity, publicIdentity, type ServiceBundle } from './service-bundle.ts';
import { ServiceError } from './service-error.ts';

/** Largest genesis file, in bytes. */
export const MAX_GENESIS_BYTES: number = 16 * 2 ** 20;

/** A genesis that fits the service, and the digest by which it is known again. */
export type CheckedGenesis = Readonly<{ genesis: Genesis; digest: Bytes32 }>;

/** SHA-256 over the parsed content, so that spaces, comments of a formatter and the order of fields do not matter. */
export function genesisDigest(genesis: Genesis): Bytes32 {
  const text = JSON.stringify(genesis, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return toBytes32(createHash('sha256').update('drawbridge/genesis/1\0').update(text).digest());
}

/** @throws ServiceError `GENESIS_MISSING`, `GENESIS_INVALID` or `GENESIS_MISMATCH`, naming everything that is wrong */
export async function readGenesisFile(path: string, bundle: ServiceBundle): Promise<CheckedGenesis> {
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
  const faults = mismatches(parsed.value, publicIdentity(bundle));
  if (faults.length > 0) {
    throw new ServiceError('GENESIS_MISMATCH', [`${path} is not for this service:`, ...faults].join('\n'));
  }
  return { genesis: parsed.value, digest: genesisDigest(parsed.value) };
}

/** What a genesis says that is not true of the service, in words. */
export function mismatches(genesis: Genesis, identity: PublicIdentity): string[] {
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
