/** The core as a process: what it prints, what it refuses, what a kill leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BANK_A,
  BANK_B,
  Client,
  depositToBankA,
  type LocalService,
  makeLocalService,
} from './service/testing/local-service.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;
const DEADLINE_MS = 180_000;
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

type Ended = Readonly<{ code: number | null; signal: NodeJS.Signals | null; stderr: string; stdout: string }>;
class CoreProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: { env?: Record<string, string>; flags?: readonly string[] } = {}) {
    const flags = ['--conditions=drawbridge-source', '--import', 'tsx', ...(options.flags ?? [])];
    this.child = spawn(process.execPath, [...flags, MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', ...options.env },
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** The ready line. */
  async ready(): Promise<{ ready: true; url: string; serviceId: string }> {
    const line = new Promise<string>((resolve) => {
      const look = (): void => {
        if (this.stdout.includes('\n')) resolve(this.stdout);
      };
      this.child.stdout?.on('data', look);
      look();
    });
    const ended = this.ended.then(({ stderr }) => {
      throw new Error(`ended before it was ready: ${stderr}`);
    });
    return JSON.parse(await Promise.race([line, ended])) as { ready: true; url: string; serviceId: string };
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

describe('core process', () => {
  let root: string;
  let service: LocalService;
  let processes: CoreProcess[] = [];
  let clients: Client[] = [];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'drawbridge-main-'));
    service = await makeLocalService(join(root, 'core'), root);
  }, DEADLINE_MS);
  afterEach(async () => {
    for (const client of clients) client.close();
    for (const running of processes) if (running.child.exitCode === null) await running.end('SIGKILL');
    processes = [];
    clients = [];
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const run = (args: readonly string[], options: ConstructorParameters<typeof CoreProcess>[1] = {}): CoreProcess => {
    const running = new CoreProcess(args, options);
    processes.push(running);
    return running;
  };
  const startArgs = (dir = service.dir, genesis = service.genesisFile): string[] => [
    ...['start', '--dir', dir, '--genesis', genesis, '--listen', '127.0.0.1:0', '--development'],
  ];
  const create = (vaults: string): string[] => ['create', '--dir', join(root, 'new'), '--vaults', vaults];
  const client = (url: string, who: 'bankA' | 'bankB' | 'relay'): Client => {
    const made = new Client(url, service, who, 8);
    clients.push(made);
    return made;
  };

  it(
    'creates a service, says its public parts in one line, and none of its secrets',
    async () => {
      const { code, stdout } = await run([...create('a/EUR,b/EUR'), '--development']).ended;
      expect(code).toBe(0);
      const said = JSON.parse(stdout) as Record<string, unknown>;
      expect(Object.keys(said)).toEqual(['serviceId', 'authorities', 'sealingKey', 'serviceCertificate', 'nodeId']);
      expect(stdout).not.toContain('PRIVATE');
      const again = await run([...create('a/EUR'), '--development']).ended;
      expect(again.code).toBe(1);
      expect(again.stderr).toContain('KEY_FILE_EXISTS');
    },
    DEADLINE_MS,
  );

  it(
    'says how to call it',
    async () => {
      const help = await run(['--help']).ended;
      expect([help.code, help.stderr]).toEqual([0, '']);
      expect(help.stdout).toContain('--amendments');
      const wrong = await run(['start', '--nonsense', '--development']).ended;
      expect([wrong.code, wrong.stdout]).toEqual([1, '']);
      expect(wrong.stderr).toContain('SERVICE_ARGUMENTS');
      expect(wrong.stderr).toContain('--genesis FILE');
      const often = await run(['start', '--dir', 'x', '--snapshot-entries', '99', '--development']).ended;
      expect([often.code, often.stderr]).toEqual([1, expect.stringContaining('--snapshot-entries must be')]);
      const wide = await run(['start', '--dir', 'x', '--entries-in-flight', '65', '--development']).ended;
      expect([wide.code, wide.stderr]).toEqual([1, expect.stringContaining('--entries-in-flight must be')]);
      const none = await run(['start', '--dir', 'x', '--entry-commands', '0', '--development']).ended;
      expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('--entry-commands must be')]);
    },
    DEADLINE_MS,
  );

  it(
    'makes a node, and says which key to add where nobody lets it in',
    async () => {
      const dir = join(root, 'second');
      const made = await run(['node', '--dir', dir, '--development']).ended;
      const said = JSON.parse(made.stdout) as { nodeId: string };
      expect(Object.keys(said)).toEqual(['nodeId', 'publicKey']);
      const join1 = ['join', '--dir', dir, '--development', '--patience', '0', '--peer', '127.0.0.1:1'];
      const asked = ['--service-cert', join(service.dir, 'service.pem'), '--peer-listen', '127.0.0.1:2'];
      const refused = await run([...join1, ...asked]).ended;
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toContain('JOIN_UNANSWERED');
      expect(refused.stderr).toContain(said.nodeId);
      const incomplete = await run(join1).ended;
      expect(incomplete.stderr).toContain('--service-cert is missing');
      const unplaced = await run(['start', '--dir', dir, '--development']).ended;
      expect(unplaced.stderr).toContain('NOT_JOINED');
    },
    DEADLINE_MS,
  );

  it.each([
    [{ env: { NODE_OPTIONS: '--no-warnings' } }, 'NODE_OPTIONS'],
    [{ env: { NODE_V8_COVERAGE: '/nonexistent' } }, 'NODE_V8_COVERAGE'],
    [{ env: { SSLKEYLOGFILE: '/nonexistent' } }, 'SSLKEYLOGFILE'],
    [{ flags: ['--inspect=127.0.0.1:0'] }, '--inspect'],
    [{ env: { NODE_UNIQUE_ID: '1' } }, 'NODE_UNIQUE_ID'],
    [{ flags: ['--heapsnapshot-signal=SIGUSR2'] }, '--heapsnapshot-signal'],
  ])(
    'refuses hostile surroundings: %j',
    async (options, named) => {
      const args = startArgs().filter((arg) => arg !== '--development');
      const { code, stderr, stdout } = await run(args, options).ended;
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain('ENVIRONMENT_UNSAFE');
      expect(stderr).toContain(named);
    },
    DEADLINE_MS,
  );

  it.each([
    ['create', ['--vaults', 'a/EUR']],
    ['node', []],
    ['join', []],
    ['start', []],
  ])(
    'refuses to %s where it could be looked into, and makes nothing',
    async (command, args) => {
      const dir = join(root, 'looked-into');
      const hostile = { flags: ['--inspect=127.0.0.1:0'], env: { NODE_OPTIONS: '--no-warnings' } };
      const { code, stderr, stdout } = await run([command, '--dir', dir, ...args], hostile).ended;
      expect([code, stdout]).toEqual([1, '']);
      for (const said of ['ENVIRONMENT_UNSAFE', '--inspect', 'NODE_OPTIONS']) expect(stderr).toContain(said);
      await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
    },
    DEADLINE_MS,
  );

  it(
    'does nothing but help where help is asked for, whatever else is',
    async () => {
      const { code, stdout } = await run([...create('a/EUR').with(2, join(root, 'helped')), '-h']).ended;
      expect([code, stdout]).toEqual([0, expect.stringContaining('--vaults')]);
      await expect(readdir(join(root, 'helped'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
    DEADLINE_MS,
  );

  it(
    'serves, stops in order on SIGTERM, and knows its genesis again',
    async () => {
      const first = run(startArgs());
      const { url, serviceId } = await first.ready();
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:[0-9]+$/);
      expect(serviceId).toBe(service.identity.serviceId);
      const bank = client(url, 'bankA');
      await depositToBankA(
        service,
        { bank, relay: client(url, 'relay') },
        { id: idOf(1), amountMinor: 1_000_000n, seq: 1 },
      );
      const second = await run(startArgs()).ended;
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('LOG_LOCKED')]);
      expect((await first.end('SIGTERM')).code).toBe(0);
      expect(first.stdout.split('\n')).toHaveLength(2);

      const other = join(root, 'genesis-other.json');
      const text = await readFile(service.genesisFile, 'utf8');
      await writeFile(other, text.replace('"1000000000000000"', '"2000000000000000"'));
      const refused = await run(startArgs(service.dir, other)).ended;
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('GENESIS_MISMATCH')]);
      const without = run(['start', '--dir', service.dir, '--development']);
      await without.ready();
      expect((await without.end('SIGINT')).code).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'loses nothing that was answered, wherever it is killed, and shows nothing in any file',
    async () => {
      const answered = new Map<string, string>();
      let sent = 100;
      for (let round = 0; round < 4; round++) {
        const core = run(startArgs());
        const { url } = await core.ready();
        const bank = client(url, 'bankA');
        for (const [id, transactionId] of answered) {
          const { status, body } = await bank.send('GET', `/v1/transfers/${id}`);
          expect([status, body, transactionId]).toMatchObject([200, { id, state: 'SETTLED' }, expect.any(String)]);
        }
        // Payments from several loops at once; the kill comes in the middle of them.
        const goal = answered.size + 40 + round * 17;
        let killed: Promise<Ended> | undefined;
        const loop = async (): Promise<void> => {
          while (!killed) {
            const id = idOf(++sent);
            const terms = { id, asset: 'EUR', amountMinor: '7', creditor: BANK_B, remittance: 'canary text' };
            const answer = await bank.send('POST', '/v1/transfers', terms).catch(() => undefined);
            if (answer?.status === 201) answered.set(id, answer.transactionId ?? '');
            if (answered.size >= goal) killed ??= core.end('SIGKILL');
          }
        };
        await Promise.all(Array.from({ length: 8 }, loop));
        expect((await killed)?.signal).toBe('SIGKILL');
      }
      const core = run(startArgs());
      const { url } = await core.ready();
      const bank = client(url, 'bankA');
      const [mine, theirs] = await Promise.all(
        [bank, client(url, 'bankB')].map(async (who) => {
          const { body } = await who.send('GET', '/v1/accounts');
          return BigInt(/"postedMinor":"(-?[0-9]+)"/.exec(JSON.stringify(body))?.[1] ?? '-1');
        }),
      );
      expect((mine ?? 0n) + (theirs ?? 0n)).toBe(1_000_000n);
      expect(theirs).toBeGreaterThanOrEqual(7n * BigInt(answered.size));
      expect((theirs ?? 0n) % 7n).toBe(0n);
      const { stderr } = await core.end('SIGTERM');
      // What is registered can be read in the ledger, as all governance can; elsewhere it does not stand either.
      const registered = [BANK_A, BANK_B, 'Canary'];
      const needles = ['canary text', idOf(101), idOf(101).replaceAll('-', ''), 'SETTLED'];
      for (const needle of [...registered, ...needles]) expect(stderr).not.toContain(needle);
      for (const entry of await readdir(service.dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const bytes = await readFile(join(entry.parentPath, entry.name));
        const sought = entry.name.startsWith('ledger_') ? needles : [...registered, ...needles];
        expect([entry.name, sought.filter((needle) => bytes.includes(needle))]).toEqual([entry.name, []]);
      }
    },
    2 * DEADLINE_MS,
  );
});
