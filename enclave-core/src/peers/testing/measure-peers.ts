/**
 * Two processes that send each other messages, as Raft does: one sends, the other sends back. Measures round trips and
 * processor time. `node scripts/run-source.mjs enclave-core/src/peers/testing/measure-peers.ts [round trips]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { systemEntropy } from '../../consensus/node-host.ts';
import { PeerNetwork } from '../peer-network.ts';
import { systemTimers } from '../peer-timers.ts';
import type { Peer, PeerHandlers, PeerIdentity } from '../peer-types.ts';
import { TestDirectory } from './peer-group.ts';
import { type TestIdentity, TestService } from './test-pki.ts';

type Setting = Readonly<{ bodyBytes: number; inFlight: number; count: number }>;
export type Figures = Setting &
  Readonly<{ roundTripsPerSecond: number; p50Us: number; p99Us: number; cpuUsPerMessage: number }>;

type ChildTask = Readonly<{ identity: PeerIdentity; serviceCertificate: string; parent: Peer }>;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Runs TypeScript from its source, whoever starts it. */
const SOURCE = ['--conditions=drawbridge-source', '--import', import.meta.resolve('tsx')];
const LOOPBACK = { host: '127.0.0.1', port: 0 };

function handlers(messages: PeerHandlers['messages']): PeerHandlers {
  const refused = (): Promise<never> => Promise.reject(new TypeError('not asked for'));
  return {
    messages,
    snapshot: () => undefined,
    unreachable: () => undefined,
    request: refused,
    join: refused,
    clock: () => undefined,
  };
}

async function listen(
  identity: PeerIdentity,
  serviceCertificate: string,
  directory: TestDirectory,
  messages: PeerHandlers['messages'],
): Promise<PeerNetwork> {
  return PeerNetwork.listen(
    { ...LOOPBACK, identity, life: NO_LIFE, serviceCertificate },
    {
      directory,
      handlers: handlers(messages),
      log: silent,
      timers: systemTimers,
      entropy: systemEntropy,
      nowMs: Date.now,
    },
  );
}

/** The other process: sends back what it gets, and says on request how much processor time it has used. */
async function echo({ identity, serviceCertificate, parent }: ChildTask): Promise<void> {
  const directory = new TestDirectory();
  const network = await listen(identity, serviceCertificate, directory, (from, messages) =>
    network.send(messages.map((bytes) => ({ to: from, type: 3, snapshotIndex: 0, bytes }))),
  );
  directory.members.set(1, parent);
  network.directoryChanged();
  process.send?.(network.address);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
}

/** One setting after another over the same pair of processes. */
export async function measurePeers(settings: readonly Setting[]): Promise<Figures[]> {
  const service = await TestService.create();
  const [own, other] = [await service.node(), await service.node()];
  const directory = new TestDirectory();
  let arrived: PeerHandlers['messages'] = () => undefined;
  const network = await listen(own, service.certificate, directory, (from, messages) => arrived(from, messages));
  const child = fork(fileURLToPath(import.meta.url), ['--echo'], { execArgv: SOURCE });
  try {
    const parent = { raftId: 1, nodeId: own.nodeId, address: network.address, life: NO_LIFE };
    child.send({ identity: plain(other), serviceCertificate: service.certificate, parent } satisfies ChildTask);
    const [address] = (await once(child, 'message')) as [string];
    directory.members.set(2, { raftId: 2, nodeId: other.nodeId as NodeId, address, life: NO_LIFE });
    network.directoryChanged();
    const childCpuUs = async (): Promise<number> => {
      child.send('cpu');
      const [used] = (await once(child, 'message')) as [number];
      return used;
    };
    const figures: Figures[] = [];
    for (const setting of settings) {
      await exchange({ ...setting, count: Math.ceil(setting.count / 4) }, network, (handler) => {
        arrived = handler;
      });
      const before = (await childCpuUs()) + ownCpuUs();
      const { times, ms } = await exchange(setting, network, (handler) => {
        arrived = handler;
      });
      const used = (await childCpuUs()) + ownCpuUs() - before;
      times.sort((a, b) => a - b);
      const at = (share: number): number => Math.round((times[Math.floor(share * (times.length - 1))] ?? 0) * 1_000);
      figures.push({
        ...setting,
        roundTripsPerSecond: Math.round((times.length / ms) * 1_000),
        p50Us: at(0.5),
        p99Us: at(0.99),
        cpuUsPerMessage: Math.round((used / times.length / 2) * 10) / 10,
      });
    }
    return figures;
  } finally {
    child.kill();
    await network.close();
  }
}

const plain = ({ key, certificate }: TestIdentity): PeerIdentity => ({ key, certificate });

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Sends `count` messages, `inFlight` of them under way: those that return together are followed by as many. */
function exchange(
  { bodyBytes, inFlight, count }: Setting,
  network: PeerNetwork,
  onMessages: (handler: PeerHandlers['messages']) => void,
): Promise<{ times: number[]; ms: number }> {
  const bytes = Buffer.alloc(bodyBytes, 7);
  const sentAt: number[] = [];
  const times: number[] = [];
  const begun = performance.now();
  const send = (most: number): void => {
    const now = performance.now();
    const length = Math.min(most, count - sentAt.length);
    for (let i = 0; i < length; i++) sentAt.push(now);
    network.send(Array.from({ length }, () => ({ to: 2, type: 3, snapshotIndex: 0, bytes })));
  };
  return new Promise((resolve) => {
    onMessages((_from, messages) => {
      const now = performance.now();
      for (const _ of messages) times.push(now - (sentAt[times.length] ?? now));
      if (times.length === count) resolve({ times, ms: now - begun });
      else send(messages.length);
    });
    send(inFlight);
  });
}

if (process.argv.includes('--echo')) {
  process.once('message', (task: ChildTask) => void echo(task));
} else if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const count = Number(process.argv[2] ?? '20000');
  for (const setting of [
    { bodyBytes: 200, inFlight: 1, count },
    { bodyBytes: 200, inFlight: 16, count: 4 * count },
    { bodyBytes: 200, inFlight: 256, count: 16 * count },
    { bodyBytes: 65_536, inFlight: 1, count: count / 4 },
    { bodyBytes: 65_536, inFlight: 16, count: count / 4 },
  ])
    console.log(JSON.stringify((await measurePeers([setting]))[0]));
}
