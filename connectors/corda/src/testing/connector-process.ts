/** The connector as a process, from its source, with keys and configuration in a folder of its own. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId, VaultAddress } from '@drawbridge/protocol/ids';

export type ConnectorProcessOptions = Readonly<{
  /** Made when absent; holds keys, configuration and log. */
  dir: string;
  network: NetworkId;
  genesisHash: Bytes32;
  redisUrl: string;
  broker: Readonly<{ url: string; user: string; password: string; ca: string }>;
  /** PEM, this connector's. */
  sealingKey: string;
  /** PEM, of the agents. */
  agentKey: string;
  vaults: readonly Readonly<{ asset: string; address: VaultAddress }>[];
  roles?: readonly ('worker' | 'follower')[];
  /** The core, and who this connector is there; needed by a follower. */
  core?: Readonly<{ url: string | readonly string[]; key: string; cert: string; serviceCert: string }>;
  /** Over the defaults of the configuration. */
  limits?: Readonly<Record<string, number>>;
}>;

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const OWNER_ONLY = { mode: 0o600 };
/** For a worker alone: nobody is asked there. */
const NO_CORE = { url: 'https://127.0.0.1:9', key: '', cert: '', serviceCert: '' };

export async function startCordaConnectorProcess(options: ConnectorProcessOptions): Promise<ManagedProcess> {
  const { dir, broker, core = NO_CORE } = options;
  await mkdir(dir, { recursive: true });
  const files: Readonly<Record<string, string>> = {
    'tls.key': core.key,
    'tls.pem': core.cert,
    'service.pem': core.serviceCert,
    'sealing.key': options.sealingKey,
    'agent.pem': options.agentKey,
    'broker.password': broker.password,
    'broker.pem': broker.ca,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, OWNER_ONLY);
  const config = {
    network: options.network,
    genesisHash: options.genesisHash,
    redisUrl: options.redisUrl,
    coreUrl: core.url,
    tls: { keyFile: 'tls.key', certFile: 'tls.pem', serviceCertFile: 'service.pem' },
    sealingKeyFile: 'sealing.key',
    agent: { sealingKeyFile: 'agent.pem' },
    broker: { url: broker.url, user: broker.user, passwordFile: 'broker.password', caFile: 'broker.pem' },
    vaults: options.vaults,
    roles: options.roles ?? ['worker', 'follower'],
    limits: options.limits ?? {},
  };
  const file = join(dir, `config-${randomBytes(4).toString('hex')}.json`);
  await writeFile(file, JSON.stringify(config));
  return startProcess({
    name: `connector of ${options.network}`,
    ...sourceProgram(MAIN, ['--config', file]),
    logFile: join(dir, 'log'),
    ready: { line: /^\{"ready":true/ },
    readyTimeoutMs: 60_000,
  });
}
