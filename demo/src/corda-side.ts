/**
 * The Corda network of a demonstration: a notary, the node of one bank, the node that keeps the vault with the agent beside
 * it, and the RabbitMQ between agent and connector. All of it is real; keys and passwords are drawn for the run.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CordaTestbed,
  type SealingKeys,
  startCordaTestbed,
} from '@drawbridge/connector-corda/testing/corda-testbed';
import type { JavaPrograms } from '@drawbridge/connector-corda/testing/java-programs';
import type { LockRecord, VaultDescription } from '@drawbridge/connector-corda/testing/vault-tool';
import type { ManagedProcess } from '@drawbridge/devnets/child-process';
import { type Bytes32, type Hex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { assetsOn, CORDA_BANK, CORDA_NETWORK, OPENING_MINOR, type Scene } from './cast.ts';
import type { RunFolder } from './run-folder.ts';
import type { ValueNetwork } from './value-network.ts';

/** Who may overrule the keeper of a vault. */
export type Guardianship = Readonly<{
  /** Addresses. */
  guardians: readonly Hex[];
  threshold: number;
  /** Between a proposal of another authority and its completion. */
  delaySeconds: number;
}>;

/** In a demonstration nobody does. */
const NOBODY: Guardianship = {
  guardians: ['0x00000000000000000000000000000000000000a1', '0x00000000000000000000000000000000000000a2'],
  threshold: 2,
  delaySeconds: 60,
};

export type CordaSide = ValueNetwork &
  Readonly<{
    testbed: CordaTestbed;
    /** As genesis names the network and its vaults, without connectors and authorities. */
    registration: Readonly<{ network: object; vaults: readonly (Readonly<{ asset: string }> & object)[] }>;
    /** What the connector's file says beside what that of every connector says. */
    connector: Readonly<Record<string, unknown>>;
    /** Instructions and the agent's answers are sealed to it. */
    sealing: SealingKeys;
    /** Begins to relay. Agents of one name go on where the last of them ended; two names are two agents. */
    startAgent: (name?: string, settings?: object) => Promise<ManagedProcess>;
  }>;

/** What the network is to be. */
export type CordaTerms = Readonly<{
  /** False: everything of it runs, and the core is told of it later, by an amendment. Default true. */
  registered?: boolean;
  /** Whether its notary runs the contracts itself; default false. */
  validating?: boolean;
  /** Whether its nodes speak RPC over TLS; default false. */
  rpcTls?: boolean;
  /** Its nodes compile as thoroughly as a bank's: longer to start, faster after many payments. Default false. */
  longRun?: boolean;
  /** Of every vault; nobody who could act when absent. */
  guardianship?: Guardianship;
  /** Its jars, agent and tool; built from the sources here when absent. */
  programs?: JavaPrograms;
}>;

export type CordaSideOptions = Readonly<{
  run: RunFolder;
  serviceId: Bytes32;
  scene: Scene;
  /** Authority address of each vault, by `<network>/<asset>`. */
  authorities: Readonly<Record<string, string>>;
  terms: CordaTerms;
  progress: (sentence: string) => void;
}>;

type Registered = Readonly<{ genesisHash: string }> & object;

/** @throws what this machine lacks, in words */
export async function startCordaSide(options: CordaSideOptions): Promise<CordaSide> {
  const { run, scene, serviceId, authorities, progress } = options;
  const { guardianship = NOBODY, validating = false, rpcTls = false, longRun = false, programs } = options.terms;
  const testbed = await startCordaTestbed({
    dir: await run.folder(CORDA_NETWORK),
    network: CORDA_NETWORK,
    ...{ validating, rpcTls, longRun },
    ...(programs && { programs }),
    log: progress,
  });
  run.onStop(() => testbed.stop());
  const vaults: { asset: string; made: VaultDescription }[] = [];
  for (const { code } of assetsOn(CORDA_NETWORK, scene)) {
    progress(`creating the vault of ${code} on Corda, and cash for ${CORDA_BANK}`);
    const made = await testbed.createVault({
      mode: 'escrow',
      asset: code,
      currency: code,
      authority: parseHex(authorities[`${CORDA_NETWORK}/${code}`] ?? '') as Hex,
      serviceId,
      guardians: guardianship.guardians,
      guardianThreshold: guardianship.threshold,
      guardianDelaySeconds: guardianship.delaySeconds,
    });
    await testbed.issueCash(OPENING_MINOR, code);
    vaults.push({ asset: code, made });
  }
  const [registered, { word }] = await Promise.all([
    testbed.tool.call('vaultParty', 'registration') as Promise<Registered>,
    testbed.tool.about('depositor'),
  ]);
  return {
    ...valueNetworkOf(testbed, vaults, word),
    testbed,
    registration: {
      network: registered,
      vaults: vaults.map(({ asset, made }) => ({ asset, ...registrationOf(made) })),
    },
    connector: await connectorSettings(run, testbed, registered.genesisHash),
    sealing: testbed.connectorKeys,
    startAgent: (name = 'agent', settings = {}) =>
      testbed.startAgent({ name, settings, vaults: vaults.map(({ made }) => made.vaultId) }),
  };
}

type MadeVault = Readonly<{ asset: string; made: VaultDescription }>;

function valueNetworkOf(testbed: CordaTestbed, vaults: readonly MadeVault[], word: Bytes32): ValueNetwork {
  const idOf = (asset: string): Bytes32 => {
    const found = vaults.find((vault) => vault.asset === asset);
    if (!found) throw new RangeError(`${CORDA_NETWORK} has no vault of ${asset}`);
    return found.made.vaultId;
  };
  // One after another: they all spend the bank's one coin, and the change of a lock is there when the lock is final.
  let lastLock: Promise<void> = Promise.resolve();
  return {
    network: CORDA_NETWORK,
    vaults: vaults.map(({ asset, made }) => ({ asset, mode: made.mode, address: made.vaultId })),
    wallet: (bank) => {
      if (bank !== CORDA_BANK) throw new RangeError(`${bank} has no node on ${CORDA_NETWORK}`);
      return word;
    },
    lock: (_bank, asset, reference, amountMinor) => {
      const lock = lastLock.then(async () => {
        await testbed.lock(idOf(asset), parseBytes32(reference), amountMinor);
      });
      lastLock = lock.catch(() => undefined);
      return lock;
    },
    lockedAmount: async (_asset, lock) => {
      const found = (await testbed.tool.call('vaultParty', 'find-lock', { lock })) as LockRecord;
      return BigInt(found.amountMinor);
    },
    vaultTotal: async (asset) => {
      const { coins } = await testbed.tool.describe('vaultParty', idOf(asset));
      return coins.reduce((total, { amountMinor }) => total + BigInt(amountMinor), 0n);
    },
  };
}

/** What the core is told of a vault (governance/README.md), from what the node says of it. */
function registrationOf(made: VaultDescription): object {
  const { vaultId, party, constraint, mode, currency, cash, permitCapMinor, capWindowSeconds, guardians } = made;
  const limits = { permitCapMinor, capWindowSeconds, guardians };
  const { state, permits } = made;
  return { vaultId, party, constraint, mode, currency, ...(cash && { cash }), ...limits, state, permits };
}

async function connectorSettings(
  run: RunFolder,
  { agentKeys, broker, connectorUser }: CordaTestbed,
  genesisHash: string,
): Promise<CordaSide['connector']> {
  const keys = await run.keys();
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(keys, name), content, { mode: 0o600 });
    return join(keys, name);
  };
  return {
    genesisHash,
    agent: { sealingKeyFile: await file('corda-agent.sealing.pub.pem', agentKeys.publicKeyPem) },
    broker: {
      url: `amqps://${broker.host}:${broker.port}/`,
      user: connectorUser.user,
      passwordFile: await file('corda-broker.password', connectorUser.password),
      caFile: await file('corda-broker.pem', broker.certificatePem),
    },
  };
}
