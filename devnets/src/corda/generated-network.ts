/**
 * A network as Corda's bootstrapper makes it, kept in the cache: keys, certificates and network parameters of its nodes, and
 * databases whose tables exist. Making it takes minutes; a network that runs is a copy of it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, copyFile, link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withCacheLock } from '../cache-lock.ts';
import { withFreePorts } from '../free-port.ts';
import { type CordaArtefacts, verifyGeneratorJars } from './artefacts.ts';
import { runBootstrapper } from './bootstrapper.ts';
import type { CordaPrograms } from './corda-node.ts';
import { type CordaNodeTerms, folderNameOf, nodeConf, runsContracts } from './node-conf.ts';
import { portCountOf, portsAt, startNodeSet } from './node-set.ts';

/** To be raised when what is kept changes in form. */
const FORM = 2;
const LOCK_WAIT_MS = 30 * 60_000;
/** All that a node needs of what the bootstrapper and a first start leave. */
const KEPT = new Set(['additional-node-infos', 'certificates', 'cordapps', 'network-parameters', 'persistence.mv.db']);
const NOBODY = [{ user: 'nobody', password: 'nothing', permissions: [] }];

export type GeneratedNetworkOptions = Readonly<{
  nodes: readonly CordaNodeTerms[];
  programs: CordaPrograms;
  cacheDir: string;
  log: (sentence: string) => void;
}>;

/**
 * Folder with one folder for each node, by `folderNameOf`; to be copied, never run. From the cache, or made now.
 * @throws BootstrapperError, ProcessError or DeadlineError when it cannot be made.
 */
export async function generatedNetwork(options: GeneratedNetworkOptions): Promise<string> {
  const { cacheDir, nodes } = options;
  const key = createHash('sha256')
    .update(JSON.stringify([FORM, nodes]))
    .digest('hex')
    .slice(0, 16);
  const home = join(cacheDir, `corda-4.10-network-${key}`);
  if (await exists(home)) return home;
  await mkdir(cacheDir, { recursive: true });
  await withCacheLock(`${home}.lock`, LOCK_WAIT_MS, async () => {
    if (!(await exists(home))) await generate(home, options);
  });
  return home;
}

async function generate(home: string, { nodes, programs, log }: GeneratedNetworkOptions): Promise<void> {
  const temporary = `${home}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  try {
    log('making a Corda network, once: this takes minutes');
    await verifyGeneratorJars(programs.artefacts);
    await withFreePorts(portCountOf(nodes.length), async (ports) => {
      await layOut(temporary, nodes, ports, programs.artefacts);
    });
    await runBootstrapper(temporary, programs);
    await keepNodesOnly(temporary, nodes);
    // A notary that runs no contracts starts sooner without them.
    for (const { legalName } of nodes.filter((node) => !runsContracts(node))) {
      const cordapps = join(temporary, folderNameOf(legalName), 'cordapps');
      await rm(cordapps, { recursive: true });
      await mkdir(cordapps);
    }
    log('starting it for the first time');
    // What takes long in a first start, making tables, is then done for all that follow.
    const set = await startNodeSet({ dir: temporary, terms: nodes, programs, rpc: { users: NOBODY } });
    await set.stopAll();
    await keepNodesOnly(temporary, nodes);
    await rename(temporary, home);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** What the bootstrapper reads: the node's jar, CorDapps for all nodes, and a file of settings for each. */
async function layOut(
  dir: string,
  nodes: readonly CordaNodeTerms[],
  ports: readonly number[],
  artefacts: CordaArtefacts,
): Promise<void> {
  await link(artefacts.nodeJar, join(dir, 'corda.jar'));
  for (const [index, jar] of artefacts.financeJars.entries()) await copyFile(jar, join(dir, `finance-${index}.jar`));
  for (const [index, terms] of nodes.entries()) {
    const text = nodeConf(terms, portsAt(ports, index), { users: NOBODY });
    await writeFile(join(dir, `${folderNameOf(terms.legalName)}_node.conf`), text, { mode: 0o600 });
  }
}

async function keepNodesOnly(dir: string, nodes: readonly CordaNodeTerms[]): Promise<void> {
  const folders = new Set(nodes.map(({ legalName }) => folderNameOf(legalName)));
  for (const name of await readdir(dir)) {
    if (!folders.has(name)) await rm(join(dir, name), { recursive: true });
  }
  for (const folder of folders) {
    for (const name of await readdir(join(dir, folder))) {
      if (!KEPT.has(name)) await rm(join(dir, folder, name), { recursive: true });
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
