/** A service for tests: real keys and certificates, the registrations of the settlement tests, and a first state. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { toHex } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import type { NodeDescription } from '@drawbridge/protocol/ledger/service-entry';
import { LedgerKeys } from '../../keys/ledger-keys.ts';
import { initialMembership } from '../../membership/membership-state.ts';
import { endorseNode } from '../../service/node-certificate.ts';
import { createServiceCertificate } from '../../service/service-certificate.ts';
import { initialState } from '../../settlement/genesis-state.ts';
import { DEFAULT_LIMITS } from '../../settlement/limits.ts';
import { GENESIS, SECRETS, START_MS, word } from '../../settlement/testing/world.ts';
import { sha256 } from '../../sha256.ts';
import type { Genesis } from '../core-node.ts';
import { sealGenesis } from '../state-image.ts';

export type TestIdentity = Readonly<{
  nodeId: NodeId;
  sign: (message: Uint8Array) => Promise<Uint8Array>;
  description: NodeDescription;
}>;

/** What every node of one test service shares. */
export class TestService {
  readonly certificate: string;
  readonly #serviceKey: string;
  readonly secret: Uint8Array;
  readonly first: TestIdentity;
  readonly #registrations: typeof GENESIS;
  #genesis: Promise<Genesis> | undefined;

  /** @param registrations what settlement begins with */
  constructor(
    versions: readonly number[] = [1],
    secret: Uint8Array = createHash('sha256').update('test').digest(),
    registrations: typeof GENESIS = GENESIS,
  ) {
    this.#registrations = registrations;
    const { key, certificate } = createServiceCertificate({
      commonName: 'Drawbridge test',
      nowMs: Date.now(),
      validityDays: 1,
    });
    this.#serviceKey = key;
    this.certificate = certificate;
    this.secret = secret;
    this.first = this.identity(versions);
  }

  /** Of a further node. */
  identity(versions: readonly number[] = [1]): TestIdentity {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const nodeId = createHash('sha256').update(spki).digest('hex') as NodeId;
    const certificate = endorseNode({
      serviceKey: this.#serviceKey,
      serviceCertificate: this.certificate,
      nodePublicKey: publicKey,
      nodeId,
      platform: 'virtual',
      hosts: ['localhost', '127.0.0.1'],
      nowMs: Date.now(),
      validityDays: 1,
    });
    const description = {
      nodeId,
      certificate,
      encryptionKey: 'none',
      peerAddress: '127.0.0.1:1',
      apiAddress: '127.0.0.1:2',
      platform: 'virtual',
      versions,
      life: NO_LIFE,
    };
    return { nodeId, sign: async (message) => sign('sha256', message, privateKey), description };
  }

  keys(secret: Uint8Array = this.secret): LedgerKeys {
    return new LedgerKeys(new Map([[1, secret]]));
  }

  genesis(): Promise<Genesis> {
    this.#genesis ??= this.#drawGenesis();
    return this.#genesis;
  }

  async #drawGenesis(): Promise<Genesis> {
    const row = { ...this.first.description, raftId: 1 };
    const { content, digest } = await sealGenesis(this.keys(), {
      genesisDigest: word('genesis'),
      index: 1,
      settlement: initialState(this.#registrations, SECRETS, START_MS, DEFAULT_LIMITS, this.first.nodeId),
      membership: initialMembership(row),
      views: [{ view: 1, seqno: 1 }],
      frontier: MerkleFrontier.start(sha256),
    });
    const record = {
      genesisDigest: word('genesis'),
      genesis: '{}',
      serviceId: GENESIS.serviceId,
      stateDigest: toHex(digest) as ReturnType<typeof word>,
      serviceCertificate: this.certificate,
      node: row,
    };
    return { content, record };
  }
}
