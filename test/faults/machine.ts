/** What only root can do to a machine, undone again; and what this machine has not, in words. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unpackDebianProgram } from '@drawbridge/devnets/debian-unpack';

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;

async function call(command: string, ...args: string[]): Promise<string> {
  return (await run(command, args, { timeout: TIMEOUT_MS })).stdout;
}

const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';

/** Why there can be no network namespaces here; undefined where they can be had. */
export async function namespacesMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `dbtry-${randomBytes(3).toString('hex')}`;
  try {
    await call('ip', 'netns', 'add', name);
    await call('ip', 'netns', 'del', name);
    return undefined;
  } catch (error) {
    return `network namespaces need iproute2 and their capability: ${lastLine(error)}`;
  }
}

/** One host in a namespace of its own for each node, on a bridge that this process reaches too. */
export class Hosts {
  readonly addresses: readonly string[];
  readonly #tag: string;

  private constructor(tag: string, addresses: readonly string[]) {
    this.#tag = tag;
    this.addresses = addresses;
  }

  /** @throws where the machine does not let it; what was made is removed */
  static async make(count: number): Promise<Hosts> {
    const tag = randomBytes(3).toString('hex');
    // A network of our own among 10.128.0.0 to 10.255.255.255; the last byte is the host.
    const [second = 0, third = 0] = randomBytes(2);
    const prefix = `10.${128 + (second % 128)}.${third}`;
    const hosts = new Hosts(
      tag,
      Array.from({ length: count }, (_, n) => `${prefix}.${n + 1}`),
    );
    try {
      await call('ip', 'link', 'add', hosts.#bridge, 'type', 'bridge');
      await call('ip', 'addr', 'add', `${prefix}.254/24`, 'dev', hosts.#bridge);
      await call('ip', 'link', 'set', hosts.#bridge, 'up');
      for (const n of hosts.addresses.keys()) await hosts.#plug(n);
      return hosts;
    } catch (error) {
      await hosts.remove();
      throw error;
    }
  }

  get #bridge(): string {
    return `db${this.#tag}`;
  }
  #namespace(n: number): string {
    return `db${this.#tag}-${n}`;
  }
  #cable(n: number): string {
    return `db${this.#tag}v${n}`;
  }

  async #plug(n: number): Promise<void> {
    const [namespace, cable] = [this.#namespace(n), this.#cable(n)];
    await call('ip', 'netns', 'add', namespace);
    await call('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await call('ip', 'link', 'set', cable, 'master', this.#bridge, 'up');
    await this.#inside(n, 'addr', 'add', `${this.addresses[n]}/24`, 'dev', 'eth0');
    await this.#inside(n, 'link', 'set', 'eth0', 'up');
    await this.#inside(n, 'link', 'set', 'lo', 'up');
  }

  #inside(n: number, ...args: string[]): Promise<string> {
    return call('ip', '-n', this.#namespace(n), ...args);
  }

  /** Put in front of a command that is to run there; it keeps its process id. */
  prefix(n: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespace(n)];
  }

  /** What `from` sends to `to` goes nowhere. */
  async cutOneWay(from: number, to: number): Promise<void> {
    await this.#inside(from, 'route', 'add', 'blackhole', `${this.addresses[to]}/32`);
  }
  async cut(a: number, b: number): Promise<void> {
    await this.cutOneWay(a, b);
    await this.cutOneWay(b, a);
  }
  /** No cable: not even clients reach it. */
  async unplug(n: number): Promise<void> {
    await call('ip', 'link', 'set', this.#cable(n), 'down');
  }

  /** All is as at first. */
  async heal(): Promise<void> {
    for (const n of this.addresses.keys()) {
      await call('ip', 'link', 'set', this.#cable(n), 'up');
      await this.#inside(n, 'route', 'flush', 'type', 'blackhole');
    }
  }

  /** Goes on where a part is not there. */
  async remove(): Promise<void> {
    for (const n of this.addresses.keys()) {
      await call('ip', 'link', 'del', this.#cable(n)).catch(() => '');
      await call('ip', 'netns', 'del', this.#namespace(n)).catch(() => '');
    }
    await call('ip', 'link', 'del', this.#bridge).catch(() => '');
  }
}

/** Why no file system can be mounted here; undefined where one can. */
export async function mountsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'a disk of its own size needs root';
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-mount-'));
  try {
    await mountMemory(dir, 1);
    await unmount(dir);
    return undefined;
  } catch (error) {
    return `tmpfs cannot be mounted: ${lastLine(error)}`;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A disk of its own at `dir`, which is made. */
export async function mountMemory(dir: string, mebibytes: number): Promise<void> {
  await mkdir(dir, { recursive: true });
  await call('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'drawbridge-test', dir);
}
export async function unmount(dir: string): Promise<void> {
  await call('umount', dir);
}

export type Faketime = Readonly<{ library: string }> | Readonly<{ missing: string }>;

/** The library that steps a process's clock: of the system, or unpacked from Debian's package. */
export async function findFaketime(): Promise<Faketime> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'drawbridge');
  try {
    const { command } = await unpackDebianProgram(
      { name: 'faketime', packages: ['faketime', 'libfaketime'], program: 'usr/bin/faketime' },
      { cacheDir, env: process.env, log: () => undefined },
    );
    for (const triplet of ['x86_64-linux-gnu', 'aarch64-linux-gnu']) {
      const library = join(command, '../../lib', triplet, 'faketime/libfaketimeMT.so.1');
      const there = await access(library).then(
        () => true,
        () => false,
      );
      if (there) return { library };
    }
    return { missing: 'the package libfaketime has no library for this architecture' };
  } catch (error) {
    return { missing: `libfaketime cannot be had: ${lastLine(error)}` };
  }
}
