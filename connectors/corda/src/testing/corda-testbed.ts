/**
 * A real Corda network with the vault CorDapp, a RabbitMQ, the operators' tool, and agents on demand: what tests and the
 * demonstration stand on. Development only: keys and passwords are drawn here and thrown away.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManagedProcess } from '@drawbridge/devnets/child-process';
import { type CordaNetwork, type CordaNode, startCordaNetwork } from '@drawbridge/devnets/corda/network';
import { type RabbitMqServer, startRabbitMq } from '@drawbridge/devnets/rabbitmq';
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import { type NetworkId, parseNetworkId } from '@drawbridge/protocol/ids';
import { startAgentProcess } from './agent-process.ts';
import { type JavaPrograms, javaPrograms } from './java-programs.ts';
import { AGENT_PERMISSIONS, TOOL_PERMISSIONS } from './rpc-permissions.ts';
import { type LockRecord, startVaultTool, type ToolNode, type VaultDescription, type VaultTool } from './vault-tool.ts';

const MODULUS_BITS = 2_048;
const AGENT = 'agent';
const CONNECTOR = 'connector';
const OPERATOR = 'operator';

export type CordaTestbedOptions = Readonly<{
  /** Ledgers, messages, logs, secrets; to be removed by whoever made it. */
  dir: string;
  /** Id of the network at the core; default `corda`. */
  network?: string;
  validating?: boolean;
  /** Whether tool and agent speak to nodes over TLS; default false. */
  rpcTls?: boolean;
  /** Nodes that are to run for long; default false. */
  longRun?: boolean;
  /** Of the agent's RPC user, besides `AGENT_PERMISSIONS`. */
  agentPermissions?: readonly string[];
  /** Built now, or found in the cache, when left out. */
  programs?: JavaPrograms;
  cacheDir?: string;
  env?: Readonly<Record<string, string | undefined>>;
  log?: (sentence: string) => void;
}>;

/** RSA, PEM: commands are sealed to the agent's key, all else to the connector's. */
export type SealingKeys = Readonly<{ privateKeyPem: string; publicKeyPem: string }>;

export type NewVault = Readonly<{
  mode: 'escrow' | 'issue';
  /** The core's code of the asset. */
  asset: string;
  /** Address of the core's key for the vault. */
  authority: Hex;
  serviceId: Bytes32;
  guardians: readonly Hex[];
  guardianThreshold?: number;
  /** Default 60. */
  guardianDelaySeconds?: number;
  /** ISO 4217 for escrow; default `EUR`. */
  currency?: string;
  /** Default 1,000,000.00. */
  permitCapMinor?: bigint;
  /** Payments at once; default 4. */
  permits?: number;
  /** Default 3,600. */
  capWindowSeconds?: number;
}>;

export type AgentOptions = Readonly<{
  /** Names its folder and so its cursor; default `agent`. */
  name?: string;
  vaults: readonly Bytes32[];
  settings?: object;
}>;

export type CordaTestbed = Readonly<{
  programs: JavaPrograms;
  network: NetworkId;
  corda: CordaNetwork;
  broker: RabbitMqServer;
  /** Stands for its node's bank; keeps the vaults. */
  vaultParty: CordaNode;
  /** Issues cash, locks value, and is paid. */
  depositor: CordaNode;
  /** Its nodes are `vaultParty` and `depositor`. */
  tool: VaultTool;
  agentKeys: SealingKeys;
  connectorKeys: SealingKeys;
  /** User of the broker for a connector, as docs/corda-agent-protocol.md gives it rights. */
  connectorUser: Readonly<{ user: string; password: string }>;
  createVault: (vault: NewVault) => Promise<VaultDescription>;
  /** Cash of the depositor's own issue, under `CASH_REFERENCE`, to itself. */
  issueCash: (amountMinor: bigint, currency?: string) => Promise<void>;
  /** A lock by the depositor; value of an escrow vault is its own cash, else tokens that it has. */
  lock: (vault: Bytes32, reference: Bytes32, amountMinor: bigint) => Promise<LockRecord>;
  /** Cash of the depositor that no vault guards, in minor units. */
  cashOf: (currency?: string) => Promise<bigint>;
  startAgent: (agent: AgentOptions) => Promise<ManagedProcess>;
  /** Of agents that run too. */
  stop: () => Promise<void>;
}>;

/** How the issuer calls the deposits that vaults of this bed take. */
export const CASH_REFERENCE = '0x01';

/**
 * One to two minutes on two cores.
 * @throws JavaProgramsError, RabbitMqMissingError, and what `startCordaNetwork` throws where this machine lacks something.
 */
export async function startCordaTestbed(options: CordaTestbedOptions): Promise<CordaTestbed> {
  const { dir, log, validating, longRun, rpcTls } = options;
  const place = {
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(log === undefined ? {} : { log }),
  };
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const programs = options.programs ?? (await javaPrograms(place));
  const network = parseNetworkId(options.network ?? 'corda');
  const started = await Promise.allSettled([
    startCordaNetwork({
      ...place,
      ...(validating === undefined ? {} : { validating }),
      ...(longRun === undefined ? {} : { longRun }),
      ...(rpcTls === undefined ? {} : { rpcTls }),
      stateDir: join(dir, 'corda'),
      cordapps: programs.cordapps,
      rpcUsers: [
        { user: AGENT, permissions: [...AGENT_PERMISSIONS, ...(options.agentPermissions ?? [])] },
        { user: OPERATOR, permissions: TOOL_PERMISSIONS },
      ],
    }),
    startRabbitMq({ ...place, dir: join(dir, 'rabbitmq'), users: brokerUsers(network) }),
  ]);
  const [corda, broker] = started;
  const ends = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value.stop] : []));
  try {
    if (corda.status === 'rejected') throw corda.reason;
    if (broker.status === 'rejected') throw broker.reason;
    return await bedOf({ programs, network, dir, corda: corda.value, broker: broker.value });
  } catch (error) {
    await Promise.allSettled(ends.map((end) => end()));
    throw error;
  }
}

/** As the table of docs/corda-agent-protocol.md, "Queues". */
function brokerUsers(
  network: NetworkId,
): Readonly<Record<string, Readonly<Record<'configure' | 'write' | 'read', string>>>> {
  const own = `^drawbridge\\.corda\\.${network}\\.`;
  return {
    [AGENT]: { configure: '^$', write: `${own}to-connector$`, read: `${own}commands$` },
    [CONNECTOR]: { configure: own, write: own, read: own },
  };
}

type Parts = Readonly<{
  programs: JavaPrograms;
  network: NetworkId;
  dir: string;
  corda: CordaNetwork;
  broker: RabbitMqServer;
}>;

async function bedOf(parts: Parts): Promise<CordaTestbed> {
  const { programs, network, dir, corda, broker } = parts;
  const [depositor, vaultParty] = corda.parties;
  if (depositor === undefined || vaultParty === undefined) throw new TypeError('a testbed has two parties');
  const nodes = { vaultParty: toolNode(corda, vaultParty, OPERATOR), depositor: toolNode(corda, depositor, OPERATOR) };
  const toolDir = join(dir, 'tool');
  await mkdir(toolDir, { recursive: true, mode: 0o700 });
  const tool = await startVaultTool({ programs, dir: toolDir, nodes });
  const agents = new Set<ManagedProcess>();
  const [agentKeys, connectorKeys] = [sealingKeys(), sealingKeys()];
  const startAgent = async ({ name = AGENT, vaults, settings = {} }: AgentOptions): Promise<ManagedProcess> => {
    const agent = await startAgentProcess({
      programs,
      dir: join(dir, name),
      network,
      vaults,
      node: toolNode(corda, vaultParty, AGENT),
      broker: { ...broker, user: AGENT, password: passwordOf(broker, AGENT) },
      sealingKeyPem: agentKeys.privateKeyPem,
      connectorKeyPem: connectorKeys.publicKeyPem,
      settings,
    });
    agents.add(agent);
    void agent.exited.then(() => agents.delete(agent));
    return agent;
  };
  return {
    ...{ programs, network, corda, broker, vaultParty, depositor, tool, agentKeys, connectorKeys, startAgent },
    connectorUser: { user: CONNECTOR, password: passwordOf(broker, CONNECTOR) },
    ...flowsOf(tool, { network, depositor, vaultParty }),
    stop: async () => {
      await Promise.all([...agents].map((agent) => agent.stop()));
      await tool.stop();
      await Promise.all([corda.stop(), broker.stop()]);
    },
  };
}

type Places = Readonly<{ network: NetworkId; depositor: CordaNode; vaultParty: CordaNode }>;

function flowsOf(
  tool: VaultTool,
  { network, depositor, vaultParty }: Places,
): Pick<CordaTestbed, 'createVault' | 'issueCash' | 'lock' | 'cashOf'> {
  return {
    createVault: async ({ permitCapMinor = 100_000_000n, ...vault }) => {
      const escrow = vault.mode === 'escrow' ? { issuer: depositor.legalName, issuerReference: CASH_REFERENCE } : {};
      const usual = {
        currency: 'EUR',
        capWindowSeconds: 3_600,
        permits: 4,
        guardianThreshold: 1,
        guardianDelaySeconds: 60,
      };
      const terms = { ...usual, ...escrow, ...vault, network, permitCap: String(permitCapMinor) };
      return (await tool.call('vaultParty', 'create', terms)) as VaultDescription;
    },
    issueCash: async (amountMinor, currency = 'EUR') => {
      const cash = { currency, issuerReference: CASH_REFERENCE, amountMinor: String(amountMinor) };
      await tool.call('depositor', 'issue-cash', { ...cash, to: depositor.legalName });
    },
    lock: async (vault, reference, amountMinor) => {
      const terms = { vaultParty: vaultParty.legalName, vault, reference, amountMinor: String(amountMinor) };
      return (await tool.call('depositor', 'lock', terms)) as LockRecord;
    },
    cashOf: async (currency = 'EUR') => {
      const { cash } = await tool.balance('depositor');
      return cash.filter((each) => each.currency === currency).reduce((sum, each) => sum + BigInt(each.freeMinor), 0n);
    },
  };
}

function toolNode(corda: CordaNetwork, node: CordaNode, user: string): ToolNode {
  const [host = '', port = ''] = node.rpcAddress.split(':');
  const account = corda.rpcUsers.find((each) => each.user === user);
  if (account === undefined) throw new TypeError(`the network has no RPC user ${user}`);
  const { rpcTls: trust } = corda;
  return { host, port: Number(port), user, password: account.password, ...(trust && { trust }) };
}

function passwordOf(broker: RabbitMqServer, user: string): string {
  const found = broker.users.find(({ name }) => name === user);
  if (found === undefined) throw new TypeError(`the broker has no user ${user}`);
  return found.password;
}

function sealingKeys(): SealingKeys {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: MODULUS_BITS,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { privateKeyPem: privateKey, publicKeyPem: publicKey };
}

/** 32 bytes drawn at random: references, service ids, instruction ids. */
export const drawnWord = (): Bytes32 => `0x${randomBytes(32).toString('hex')}` as Bytes32;
