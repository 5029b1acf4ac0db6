/** The agent (`connectors/corda/agent`) as a process, with configuration and secrets in a folder of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { JavaPrograms } from './java-programs.ts';
import { nodeSecrets, type ToolNode } from './vault-tool.ts';

export type AgentProcessOptions = Readonly<{
  programs: JavaPrograms;
  /** Configuration, cursor and log; the same folder goes on where the last agent ended. */
  dir: string;
  network: NetworkId;
  vaults: readonly Bytes32[];
  node: ToolNode;
  broker: Readonly<{ host: string; port: number; user: string; password: string; certificatePem: string }>;
  /** PKCS#8 PEM. */
  sealingKeyPem: string;
  /** SPKI PEM. */
  connectorKeyPem: string;
  /** Over the fields of the configuration and their defaults: `pollMs`, `healthSeconds`, `operations` and the like. */
  settings?: object;
}>;

const OWNER_ONLY = { mode: 0o600 };
/** It ends what was begun, for 30 s at most. */
const STOP_TIMEOUT_MS = 40_000;

/** Ready when it runs; node and broker may come later. Its log lines stand in `recentOutput()` and in `agent.log`. */
export async function startAgentProcess(options: AgentProcessOptions): Promise<ManagedProcess> {
  const { dir, programs, node, broker } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(join(dir, 'mq.secret'), broker.password, OWNER_ONLY);
  await writeFile(join(dir, 'mq.pem'), broker.certificatePem);
  await writeFile(join(dir, 'agent.key.pem'), options.sealingKeyPem, OWNER_ONLY);
  await writeFile(join(dir, 'connector.pub.pem'), options.connectorKeyPem);
  const configuration = {
    network: options.network,
    stateDir: 'state',
    vaults: options.vaults,
    node: { host: node.host, port: node.port, ...(await nodeSecrets(dir, 'node', node)) },
    broker: {
      host: broker.host,
      port: broker.port,
      user: broker.user,
      passwordFile: 'mq.secret',
      certificateFile: 'mq.pem',
    },
    sealingKeyFile: 'agent.key.pem',
    connectorKeyFile: 'connector.pub.pem',
    ...options.settings,
  };
  await writeFile(join(dir, 'agent.json'), JSON.stringify(configuration));
  return startProcess({
    name: 'Corda agent',
    command: programs.java,
    args: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:CompileThresholdScaling=0.1',
      '-jar',
      programs.agentJar,
      join(dir, 'agent.json'),
    ],
    logFile: join(dir, 'agent.log'),
    ready: { line: /"event":"started"/ },
    readyTimeoutMs: 120_000,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
}
