/**
 * The clients that Cactus published for Quorum and Besu, unmodified, with the axios that they were published with. They
 * are fetched by `npm pack`, held to the digests below and unpacked into a cache folder: their packages also carry a
 * server with web3 1.2.7, 400 packages in all, which have no business in our lockfile.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMAND_TIMEOUT_MS = 120_000;

/** `integrity` as the registry and lockfiles write it. */
type Published = Readonly<{ name: string; version: string; integrity: string }>;

const QUORUM = '@hyperledger/cactus-plugin-ledger-connector-quorum';
const BESU = '@hyperledger/cactus-plugin-ledger-connector-besu';
const PACKAGES: readonly Published[] = [
  {
    name: QUORUM,
    version: '0.5.0',
    integrity: 'sha512-K2KKfHcwQ7z/5aPuT/XbrkijpXPm8LVxl/Mq/urSOwLjEagH3XydsqBvLlh3FNGqmWAQnwevBqyDSsTn6Vxmgw==',
  },
  {
    name: BESU,
    version: '0.5.0',
    integrity: 'sha512-CZclWu8awClIVq5iitnKWPUHzJfGNeROiL6w7P1j6Wh42oJmFo1zMnauQ9FmXsJ7ICOb2WiIefGX0qPbrCEhyQ==',
  },
  {
    name: 'axios',
    version: '0.21.1',
    integrity: 'sha512-dKQiRHxGD9PPRIUNIWvZhPTPpl1rf/OxTYKsqKUDjBwYylTvV7SjSHJb9ratfyzM6wCdLCOYLzs73qpg5c4iGA==',
  },
  {
    name: 'follow-redirects',
    version: '1.14.9',
    integrity: 'sha512-MQDfihBQYMcyy5dhRDJUHcw7lb2Pv/TuE6xP1vyraLukNDHKbDxDNaOE3NbCAdKQApno+GPRyo1YAp89yCjK4w==',
  },
];
/** The generated API of a package, without the server beside it. */
const GENERATED = 'dist/lib/main/typescript/generated/openapi/typescript-axios/index.js';

type Answer<T> = Promise<Readonly<{ status: number; data: T }>>;
type Body = Readonly<Record<string, unknown>>;
export type ClientReceipt = Readonly<{
  status: boolean;
  transactionHash: string;
  blockNumber: number;
  contractAddress?: string;
  from: string;
}>;
type Transacted = Readonly<{ transactionReceipt: ClientReceipt }>;
type Invoked = Readonly<{ success: boolean; transactionReceipt?: ClientReceipt; callOutput?: unknown }>;

export interface QuorumApi {
  apiV1QuorumDeployContractSolidityBytecode(request: Body): Answer<Transacted>;
  apiV1QuorumInvokeContract(request: Body): Answer<Invoked>;
  apiV1QuorumRunTransaction(request: Body): Answer<Transacted>;
  getPrometheusExporterMetricsV1(): Answer<string>;
}
export interface BesuApi {
  apiV1BesuDeployContractSolidityBytecode(request: Body): Answer<Transacted>;
  apiV1BesuInvokeContract(request: Body): Answer<Invoked>;
  apiV1BesuRunTransaction(request: Body): Answer<Transacted>;
  signTransactionV1(request: Body): Answer<Readonly<{ signature: string }>>;
  getPrometheusExporterMetricsV1(): Answer<string>;
}
type Settings = Readonly<{ basePath: string; baseOptions?: Readonly<{ headers: Readonly<Record<string, string>> }> }>;
type Generated<Api> = Readonly<{
  DefaultApi: new (configuration: object) => Api;
  Configuration: new (settings: Settings) => object;
}>;
export type PublishedClients = Readonly<{
  quorum: (settings: Settings) => QuorumApi;
  besu: (settings: Settings) => BesuApi;
}>;

/** From the cache, or fetched into it now. @throws Error when the registry has none, or something else than was published */
export async function publishedClients(): Promise<PublishedClients> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'drawbridge');
  const key = createHash('sha256').update(JSON.stringify(PACKAGES)).digest('hex').slice(0, 16);
  const home = join(cache, `cactus-clients-${key}`);
  if (!(await exists(home))) await fill(home);
  const load = createRequire(join(home, 'index.js'));
  const quorum = load(`./node_modules/${QUORUM}/${GENERATED}`) as Generated<QuorumApi>;
  const besu = load(`./node_modules/${BESU}/${GENERATED}`) as Generated<BesuApi>;
  return {
    quorum: (settings) => new quorum.DefaultApi(new quorum.Configuration(settings)),
    besu: (settings) => new besu.DefaultApi(new besu.Configuration(settings)),
  };
}

/** Whole or not at all; of two that do it at once the first to rename wins. */
async function fill(home: string): Promise<void> {
  const temporary = `${home}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true });
  try {
    for (const item of PACKAGES) await unpack(item, temporary);
    await rename(temporary, home);
  } catch (error) {
    if (!(await exists(home))) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function unpack({ name, version, integrity }: Published, home: string): Promise<void> {
  const options = { cwd: home, timeout: COMMAND_TIMEOUT_MS };
  const npm = process.env.npm_execpath;
  const pack = ['pack', `${name}@${version}`, '--pack-destination', home, '--json'];
  const { stdout } = npm ? await run(process.execPath, [npm, ...pack], options) : await run('npm', pack, options);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  const file = join(home, (packed?.filename ?? '').replace(/^@/, '').replace('/', '-'));
  const digest = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
  if (digest !== integrity) throw new Error(`${name}@${version} is not what was published: ${digest}`);
  const target = join(home, 'node_modules', name);
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', file, '-C', target, '--strip-components=1'], options);
  await rm(file);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
