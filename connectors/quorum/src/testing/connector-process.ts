/** The connector as a process, from its source, with keys and configuration in a folder of the test's own. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ManagedProcess, startProcess } from '@drawbridge/devnets/child-process';
import { sourceProgram } from '@drawbridge/devnets/source-program';
import type { VaultTestbed } from './vault-testbed.ts';

export type ConnectorProcessOptions = Readonly<{
  dir: string;
  bed: VaultTestbed;
  rpcUrl: string;
  redisUrl: string;
  depthBlocks: number;
  sealingKeyPem: string;
  /** Over the defaults of the configuration. */
  limits: Readonly<Record<string, number>>;
  /** Folder of the journal: the same name goes on where the last process ended. */
  state: string;
}>;

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const OWNER_ONLY = { mode: 0o600 };

/** Worker only: nobody is needed on the core's side. */
export async function startConnectorProcess(options: ConnectorProcessOptions): Promise<ManagedProcess> {
  const { dir, bed, state } = options;
  const folder = join(dir, state);
  await mkdir(folder, { recursive: true });
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(join(folder, 'tls.key'), privateKey, OWNER_ONLY);
  await writeFile(join(folder, 'tls.pem'), '');
  await writeFile(join(folder, 'sealing.key'), options.sealingKeyPem, OWNER_ONLY);
  await writeFile(join(folder, 'fee.key'), bed.feeKey(), OWNER_ONLY);
  const config = {
    network: bed.network,
    chainId: bed.anvil.chainId,
    genesisHash: bed.genesisHash,
    rpcUrl: options.rpcUrl,
    redisUrl: options.redisUrl,
    coreUrl: 'https://127.0.0.1:9',
    stateDir: 'state',
    tls: { keyFile: 'tls.key', certFile: 'tls.pem', serviceCertFile: 'tls.pem' },
    sealingKeyFile: 'sealing.key',
    feeKeyFile: 'fee.key',
    observers: [{ id: 'observer-1', url: 'https://127.0.0.1:9', publicKey: `0x${'11'.repeat(32)}` }],
    threshold: 1,
    depthBlocks: options.depthBlocks,
    vaults: bed.vaults.map(({ asset, address }) => ({ asset, address })),
    roles: ['worker'],
    limits: options.limits,
  };
  const file = join(folder, `config-${randomBytes(4).toString('hex')}.json`);
  await writeFile(file, JSON.stringify(config));
  return startProcess({
    name: `connector ${state}`,
    ...sourceProgram(MAIN, ['--config', file]),
    logFile: join(folder, 'log'),
    ready: { line: /^\{"ready":true/ },
    readyTimeoutMs: 60_000,
  });
}
