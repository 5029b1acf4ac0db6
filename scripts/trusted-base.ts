/** Which packages a workspace loads in production, from the lockfile alone: the tree that npm installs without dev tools. */

export type LockedPackage = Readonly<{
  version?: string;
  link?: boolean;
  resolved?: string;
  os?: readonly string[];
  dependencies?: Readonly<Record<string, string>>;
  optionalDependencies?: Readonly<Record<string, string>>;
  peerDependencies?: Readonly<Record<string, string>>;
  peerDependenciesMeta?: Readonly<Record<string, Readonly<{ optional?: boolean }>>>;
}>;
export type Lockfile = Readonly<{ packages: Readonly<Record<string, LockedPackage>> }>;

/** `path` is where npm puts it. `platforms`: operating systems that it is for, where it is not for all. */
export type TrustedPackage = Readonly<{ name: string; version: string; path: string; platforms?: readonly string[] }>;

const FORBIDDEN = [/^@hyperledger(-cacti)?\//, /^express$/, /^axios$/, /^bullmq$/];

/** Packages that must never be reachable from the core. */
export const forbiddenAmong = (packages: readonly TrustedPackage[]): TrustedPackage[] =>
  packages.filter(({ name }) => FORBIDDEN.some((pattern) => pattern.test(name)));

/** Where Node finds `name` from `from`: the nearest `node_modules` upwards. */
function locate(lockfile: Lockfile, from: string, name: string): string | undefined {
  const parts = from.split('/');
  for (let depth = parts.length; depth >= 0; depth--) {
    if (parts[depth - 1] === 'node_modules') continue;
    const path = [...parts.slice(0, depth), 'node_modules', name].join('/');
    if (lockfile.packages[path]) return path;
  }
  return undefined;
}

function requirements(locked: LockedPackage): readonly { name: string; optional: boolean }[] {
  const peers = Object.keys(locked.peerDependencies ?? {});
  const optional = new Set([
    ...Object.keys(locked.optionalDependencies ?? {}),
    ...peers.filter((name) => locked.peerDependenciesMeta?.[name]?.optional),
  ]);
  const needed = new Set([...Object.keys(locked.dependencies ?? {}), ...peers]);
  return [...new Set([...needed, ...optional])].map((name) => ({ name, optional: optional.has(name) }));
}

/**
 * Every package of others that `workspace` needs, itself or through our own workspaces, by name and version.
 * @throws Error if the lockfile lacks a package that is needed
 */
export function trustedPackages(lockfile: Lockfile, workspace: string): TrustedPackage[] {
  const found = new Map<string, TrustedPackage>();
  const seen = new Set<string>();
  const waiting = [workspace];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const locked = lockfile.packages[path];
    if (!locked) throw new Error(`the lockfile has no ${path}`);
    if (locked.link) {
      waiting.push(locked.resolved ?? '');
      continue;
    }
    const at = path.lastIndexOf('node_modules/');
    if (at >= 0) {
      const name = path.slice(at + 'node_modules/'.length);
      found.set(path, { name, version: locked.version ?? '', path, ...(locked.os && { platforms: locked.os }) });
    }
    for (const { name, optional } of requirements(locked)) {
      const next = locate(lockfile, path, name);
      if (next !== undefined) waiting.push(next);
      else if (!optional) throw new Error(`the lockfile lacks ${name}, which ${path} needs`);
    }
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}
