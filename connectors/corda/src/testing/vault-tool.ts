/** The operators' tool (`connectors/corda/tool`) as one process that many commands go through: a Java starts once. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { CordaVaultClass } from '@drawbridge/protocol/corda-vault-classes';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import type { JavaPrograms } from './java-programs.ts';

/** What the tool refuses: its own code, or the flow's, such as `NO_FUNDS`. */
export class VaultToolError extends Error {
  override readonly name = 'VaultToolError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A node by RPC, as the tool's file of nodes has it. */
export type ToolNode = Readonly<{
  host: string;
  port: number;
  user: string;
  password: string;
  /** A JKS file, where RPC is over TLS. */
  trust?: Readonly<{ trustStoreFile: string; password: string }>;
}>;

export type VaultToolOptions = Readonly<{
  programs: JavaPrograms;
  /** Gets the file of nodes and their passwords. */
  dir: string;
  nodes: Readonly<Record<string, ToolNode>>;
}>;

type PartyFields = Readonly<{ x500: string; name: Readonly<Record<string, string>>; key: Hex; word: Bytes32 }>;

/** Answer of `about`. */
export type NodeFacts = PartyFields &
  Readonly<{
    platformVersion: number;
    genesisHash: Bytes32;
    notaries: readonly PartyFields[];
    parties: readonly PartyFields[];
  }>;

/** Answer of `registration`: the network as a genesis file has it, but for its id and connectors. */
export type NetworkRegistration = Readonly<{
  kind: 'corda';
  genesisHash: Bytes32;
  finality: Readonly<{
    rule: 'corda-notary';
    notary: Readonly<{ name: PartyFields['name']; key: Hex; validating: boolean }>;
    fingerprints: Readonly<Record<CordaVaultClass, string>>;
  }>;
}>;

type Constraint = Readonly<{ kind: 'hash'; attachment: Bytes32 }> | Readonly<{ kind: 'signature'; key: Hex }>;

/** Answer of `create` and `describe`. Amounts are texts of minor units. */
export type VaultDescription = Readonly<{
  vaultId: Bytes32;
  /** Key of the vault party, SubjectPublicKeyInfo. */
  party: Hex;
  constraint: Constraint;
  mode: 'escrow' | 'issue';
  currency: string;
  cash?: Readonly<{ constraint: Constraint; issuerKey: Hex; issuerReference: Hex }>;
  permitCapMinor: string;
  capWindowSeconds: number;
  guardians: Readonly<{ addresses: readonly Hex[]; threshold: number; delaySeconds: number }>;
  genesisHash: Bytes32;
  serviceId: Bytes32;
  state: StateRef;
  permits: readonly StateRef[];
  /** Refs of the guarded cash; each guard is the next index. */
  coins: readonly Readonly<{ ref: StateRef; amountMinor: string }>[];
  /** `proposalNotBefore`: Unix seconds, 0 when nothing is proposed. */
  control: Readonly<{
    authority: Hex;
    epoch: number;
    pausedByAuthority: boolean;
    pausedByGuardian: boolean;
    proposalNotBefore: number;
  }>;
}>;

/** Answer of `lock` and `find-lock`. */
export type LockRecord = Readonly<{
  lock: Bytes32;
  ref: StateRef;
  vault: Bytes32;
  reference: Bytes32;
  amountMinor: string;
}>;

/** Answer of `balance`: by currency and issuer; what a vault holds is guarded. */
export type NodeBalance = Readonly<{
  cash: readonly Readonly<{
    currency: string;
    issuerKey: Hex;
    issuerReference: Hex;
    freeMinor: string;
    guardedMinor: string;
  }>[];
  tokens: readonly Readonly<{ currency: string; vaultId: Bytes32; amountMinor: string }>[];
}>;

export type VaultTool = Readonly<{
  pid: number;
  /** Any command of the tool's README. @throws VaultToolError */
  call: (node: string, command: string, args?: object) => Promise<unknown>;
  about: (node: string) => Promise<NodeFacts>;
  registration: (node: string) => Promise<NetworkRegistration>;
  describe: (node: string, vault: Bytes32) => Promise<VaultDescription>;
  balance: (node: string) => Promise<NodeBalance>;
  stop: () => Promise<void>;
}>;

type Waiting = Readonly<{ resolve: (result: unknown) => void; reject: (error: VaultToolError) => void }>;

/** Ends with this process, since its input does. */
export async function startVaultTool({ programs, dir, nodes }: VaultToolOptions): Promise<VaultTool> {
  const file = await writeNodesFile(dir, nodes);
  const quick = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const child = spawn(programs.java, [...quick, '-jar', programs.toolJar, file, 'serve'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const waiting = new Map<number, Waiting>();
  const ended = once(child, 'exit');
  void ended.then(() => {
    for (const each of waiting.values()) each.reject(new VaultToolError('TOOL_ENDED', 'the tool has ended'));
    waiting.clear();
  });
  await ready(child, ended, waiting);
  let last = 0;
  const call = (node: string, command: string, args: object = {}): Promise<unknown> => {
    last += 1;
    const id = last;
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
    child.stdin.write(`${JSON.stringify({ id, node, command, arguments: args })}\n`);
    return answer;
  };
  const { pid } = child;
  if (pid === undefined) throw new VaultToolError('TOOL_ENDED', 'the tool did not start');
  return {
    pid,
    call,
    about: async (node) => (await call(node, 'about')) as NodeFacts,
    registration: async (node) => (await call(node, 'registration')) as NetworkRegistration,
    describe: async (node, vault) => (await call(node, 'describe', { vault })) as VaultDescription,
    balance: async (node) => (await call(node, 'balance')) as NodeBalance,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

async function writeNodesFile(dir: string, nodes: Readonly<Record<string, ToolNode>>): Promise<string> {
  const listed: Record<string, object> = {};
  for (const [name, { host, port, ...secrets }] of Object.entries(nodes)) {
    listed[name] = { host, port, ...(await nodeSecrets(dir, name, secrets)) };
  }
  const file = join(dir, 'nodes.json');
  await writeFile(file, JSON.stringify({ nodes: listed }));
  return file;
}

/** Who calls a node, as the tool's file and the agent's have it; secrets stand in files of `dir` whose names begin with `name`. */
export async function nodeSecrets(
  dir: string,
  name: string,
  { user, password, trust }: Pick<ToolNode, 'user' | 'password' | 'trust'>,
): Promise<object> {
  const secret = async (file: string, text: string): Promise<string> => {
    await writeFile(join(dir, file), text, { mode: 0o600 });
    return file;
  };
  return {
    user,
    passwordFile: await secret(`${name}.secret`, password),
    ...(trust && {
      trustStoreFile: trust.trustStoreFile,
      trustStorePasswordFile: await secret(`${name}.trust.secret`, trust.password),
    }),
  };
}

async function ready(
  child: ChildProcessByStdio<Writable, Readable, null>,
  ended: Promise<unknown>,
  waiting: Map<number, Waiting>,
): Promise<void> {
  // A tool that has ended takes no more lines; who asked is told by its end.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const isReady = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      const answer = JSON.parse(line) as Readonly<{
        ready?: true;
        id: number;
        result?: unknown;
        code?: string;
        message?: string;
      }>;
      if (answer.ready) {
        resolve();
        return;
      }
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.code === undefined) asked?.resolve(answer.result);
      else asked?.reject(new VaultToolError(answer.code, String(answer.message)));
    });
  });
  const outcome = await Promise.race([isReady, ended.then(() => 'ended')]);
  if (outcome === 'ended') throw new VaultToolError('TOOL_ENDED', 'the tool ended before it was ready');
}
