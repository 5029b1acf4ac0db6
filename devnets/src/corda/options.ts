/** What a Corda network is asked to be. */
import { type CordaNodeTerms, folderNameOf } from './node-conf.ts';
import { CordaError } from './node-set.ts';

const DEFAULT_NOTARY = 'O=Notary,L=Zurich,C=CH';
const DEFAULT_PARTIES = ['O=Aurora Bank,L=London,C=GB', 'O=Boreal Bank,L=Paris,C=FR'] as const;
const DEFAULT_HEAP_MIB = 512;
/** Each is a process of more than half a gigabyte when busy. */
const MAX_PARTIES = 8;
/** Below the first a node does not start; above the second no development network needs it. */
const HEAP_LIMITS_MIB = [256, 8_192] as const;

export type CordaOptions = Readonly<{
  /** X.500 names of the parties, each with O, L and C, and an O of its own; default two banks. */
  parties?: readonly string[];
  /** X.500 name; default `O=Notary,L=Zurich,C=CH`. */
  notary?: string;
  /** Whether the notary runs the contracts itself; default false. Another network than one whose notary does not. */
  validating?: boolean;
  /** Jars for all nodes that run contracts, beside the finance CorDapp. */
  cordapps?: readonly string[];
  /**
   * Where ledgers, keys and logs are kept between runs: a network found there goes on, on other ports. A temporary folder,
   * removed by `stop`, when left out.
   */
  stateDir?: string;
  /** Further users for RPC of every node, with the permissions that each is given; passwords are drawn. */
  rpcUsers?: readonly Readonly<{ user: string; permissions: readonly string[] }>[];
  /** Whether nodes speak RPC over TLS alone; default false. */
  rpcTls?: boolean;
  /** Greatest heap of each node, default 512; its process takes some 150 MiB more. */
  heapMiB?: number;
  /** Nodes compile with both of the JVM's compilers, as those of a bank: longer to start, faster after many flows. Default false. */
  longRun?: boolean;
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Where Java, Maven and their settings are looked for; default this process's own. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Told about downloads and what else takes long, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

/** Nodes of a network, the notary first. */
export type CordaShape = Readonly<{ nodes: readonly CordaNodeTerms[]; heapMiB: number; longRun: boolean }>;

/** @throws CordaError `CORDA_OPTIONS` */
export function shapeOf(options: CordaOptions): CordaShape {
  const parties = options.parties ?? DEFAULT_PARTIES;
  if (parties.length < 1 || parties.length > MAX_PARTIES) refuse(`there are 1 to ${MAX_PARTIES} parties`);
  const heapMiB = options.heapMiB ?? DEFAULT_HEAP_MIB;
  const [least, most] = HEAP_LIMITS_MIB;
  if (!Number.isInteger(heapMiB) || heapMiB < least || heapMiB > most) {
    refuse(`heapMiB is a whole number from ${least} to ${most}`);
  }
  const notary = { legalName: options.notary ?? DEFAULT_NOTARY, notary: { validating: options.validating ?? false } };
  const nodes: CordaNodeTerms[] = [notary, ...parties.map((legalName) => ({ legalName }))];
  const folders = new Set<string>();
  for (const { legalName } of nodes) {
    for (const part of ['O', 'L', 'C']) {
      if (!new RegExp(`(?:^|,)\\s*${part}=[^,="\\\\]+`).test(legalName)) refuse(`${legalName} has no ${part}`);
    }
    const folder = folderNameOf(legalName);
    if (folder === '' || folders.has(folder)) refuse(`the O of ${legalName} does not tell it from others`);
    folders.add(folder);
  }
  return { nodes, heapMiB, longRun: options.longRun ?? false };
}

function refuse(message: string): never {
  throw new CordaError('CORDA_OPTIONS', message);
}
