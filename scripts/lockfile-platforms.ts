/**
 * Entries of package-lock.json for native packages of other platforms. `npm install` leaves out those that the
 * registry in reach does not have; `npm ci` of npm 11 then refuses the lockfile, also where none of them is needed.
 * What an entry needs follows from the packages that name it in `optionalDependencies`, and from its name.
 */
export type LockEntry = Readonly<{
  version?: string;
  resolved?: string;
  integrity?: string;
  cpu?: readonly string[];
  /** Shipped inside the package that it lies in. */
  inBundle?: boolean;
  dev?: boolean;
  libc?: readonly string[];
  optional?: boolean;
  peer?: boolean;
  os?: readonly string[];
  link?: boolean;
  optionalDependencies?: Readonly<Record<string, string>>;
}>;

/** The `packages` of a lockfile, by path from the root; the root itself is ''. */
export type LockPackages = Readonly<Record<string, LockEntry>>;

export type Platform = Readonly<{ os?: string; cpu?: string; libc?: string }>;

/** `packages` is the lockfile as it should be; `problems` are what no entry can put right, in words. */
export type Completion = Readonly<{ packages: LockPackages; problems: readonly string[] }>;

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
/** Words for processors in packages' names, with Node's own. */
const PROCESSORS: Readonly<Record<string, string>> = {
  amd64: 'x64',
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasm32: 'wasm32',
  x64: 'x64',
};
const C_LIBRARIES: Readonly<Record<string, string>> = {
  gnu: 'glibc',
  gnueabihf: 'glibc',
  musl: 'musl',
  musleabihf: 'musl',
};
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;

/** The platform that a package's name tells, such as `@swc/core-linux-arm-gnueabihf`; undefined if it tells none. */
export function platformOf(name: string): Platform | undefined {
  const words = name.split(/[/-]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const processor = words.find((word) => word in PROCESSORS);
  const library = words.find((word) => word in C_LIBRARIES);
  const cpu = processor === undefined ? undefined : PROCESSORS[processor];
  const libc = library === undefined || os !== 'linux' ? undefined : C_LIBRARIES[library];
  if (os === undefined && cpu !== 'wasm32') return undefined;
  return { ...(os && { os }), ...(cpu && { cpu }), ...(libc && { libc }) };
}

/** All entries that are made here are made anew. O(packages × their optional dependencies). */
export function completeLockfile(given: LockPackages): Completion {
  const packages: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(given)) if (!isMade(entry)) packages[path] = entry;
  const problems: string[] = [];
  for (const [path, { resolved, link }] of Object.entries(packages)) {
    if (resolved !== undefined && !link) problems.push(`${path} names where it was fetched from: ${resolved}`);
  }
  const fetched = Object.entries(packages);
  for (const [parentPath, parent] of fetched) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const problem = enterOptional(packages, { parentPath, parent, name, version });
      if (problem !== undefined) problems.push(`${parentPath} wants ${name} ${version}: ${problem}`);
    }
  }
  const sorted = Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en'));
  return { packages: Object.fromEntries(sorted), problems };
}

/** The paths of entries that were added, removed or changed, in order. */
export function differences(before: LockPackages, after: LockPackages): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => fieldsOf(before[path]) !== fieldsOf(after[path])).sort();
}

function fieldsOf(entry: LockEntry | undefined): string {
  return JSON.stringify(Object.entries(entry ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)));
}

type Wish = Readonly<{ parentPath: string; parent: LockEntry; name: string; version: string }>;

/** Enters what `parent` wants where Node will look for it, unless it is there; the reason where it cannot be. */
function enterOptional(
  packages: Record<string, LockEntry>,
  { parentPath, parent, name, version }: Wish,
): string | undefined {
  const found = resolve(packages, parentPath, name);
  const entry = found === undefined ? undefined : packages[found];
  if (found !== undefined && entry !== undefined && (entry.version === version || !EXACT_VERSION.test(version))) {
    if (isMade(entry)) packages[found] = withFlagsOf(parent, entry);
    return undefined;
  }
  const made = entryFor(parent, name, version);
  if (typeof made === 'string') return made;
  // npm puts a package at the root if the root has none of that name, otherwise below the one that wants it.
  packages[`${found === undefined ? '' : `${parentPath}/`}node_modules/${name}`] = made;
  return undefined;
}

/** Entries of this module: no registry gave them a digest. */
function isMade({ optional, integrity, resolved, link, inBundle }: LockEntry): boolean {
  return optional === true && integrity === undefined && resolved === undefined && !link && !inBundle;
}

/** Where Node finds `name` from the package at `from`. */
function resolve(packages: LockPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = enclosing(folder)) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

/** `a/node_modules/b` → `a`; `a`, and `node_modules/b` → ''. */
function enclosing(folder: string): string {
  const at = folder.lastIndexOf('node_modules/');
  return at <= 0 ? '' : folder.slice(0, at - 1);
}

function entryFor(parent: LockEntry, name: string, version: string): LockEntry | string {
  if (!EXACT_VERSION.test(version)) return 'only an exact version can be entered without the registry';
  const platform = platformOf(name);
  if (platform === undefined) return 'its name tells no platform';
  return {
    version,
    ...(platform.cpu && { cpu: [platform.cpu] }),
    ...(parent.dev && { dev: true }),
    ...(platform.libc && { libc: [platform.libc] }),
    optional: true,
    ...(platform.os && { os: [platform.os] }),
    ...(parent.peer && { peer: true }),
  };
}

/** A package is for development or a peer only if all that want it are. */
function withFlagsOf(parent: LockEntry, entry: LockEntry): LockEntry {
  const { dev, peer, ...rest } = entry;
  return { ...rest, ...(dev && parent.dev && { dev }), ...(peer && parent.peer && { peer }) };
}
