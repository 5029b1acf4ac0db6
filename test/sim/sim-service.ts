/** The service that whole nodes begin with: its certificate and its first state. The same in every world. */
import { LedgerKeys } from '@drawbridge/enclave-core/keys/ledger-keys';
import { initialMembership } from '@drawbridge/enclave-core/membership/membership-state';
import type { Genesis } from '@drawbridge/enclave-core/node/core-node';
import { sealGenesis } from '@drawbridge/enclave-core/node/state-image';
import { GENESIS, word } from '@drawbridge/enclave-core/settlement/testing/world';
import { sha256 } from '@drawbridge/enclave-core/sha256';
import { type Bytes32, toHex } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { IDENTITIES, SERVICE_CERTIFICATE } from './identities.ts';
import { firstState } from './ledger-genesis.ts';
import { Random } from './random.ts';

/** By epoch. */
export const FIRST_SECRETS: ReadonlyMap<number, Uint8Array> = new Map([[1, Buffer.alloc(32, 7)]]);

/** To be had before a world begins: making it takes turns of the event loop. */
export async function drawGenesis(): Promise<Genesis> {
  const [first] = IDENTITIES;
  if (!first) throw new RangeError('a service has a first node');
  const row = { ...first.description, raftId: 1 };
  const keys = new LedgerKeys(FIRST_SECRETS, new Random('genesis'));
  const { content, digest } = await sealGenesis(keys, {
    genesisDigest: word('genesis'),
    index: 1,
    settlement: firstState(),
    membership: initialMembership(row),
    views: [{ view: 1, seqno: 1 }],
    frontier: MerkleFrontier.start(sha256),
  });
  const record = {
    genesisDigest: word('genesis'),
    genesis: '{}',
    serviceId: GENESIS.serviceId,
    stateDigest: toHex(digest) as Bytes32,
    serviceCertificate: SERVICE_CERTIFICATE,
    node: row,
  };
  return { content, record };
}
