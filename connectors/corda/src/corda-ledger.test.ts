import { randomBytes } from 'node:crypto';
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { toBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { beforeEach, expect, test } from '@jest/globals';
import type { AgentReply } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';
import { AgentQueries } from './agent-queries.ts';
import { CordaLedger } from './corda-ledger.ts';
import { InstructionSigner } from './testing/instruction-signer.ts';
import { LedgerDouble } from './testing/ledger-double.ts';

const network = parseNetworkId('corda-1');
const { signal } = new AbortController();
const during = { signal, onStage: () => undefined };
const waiting = { timeoutMs: 1_000, signal };
const failed = (code: string, detail = ''): AgentReply => ({ ok: false, code, detail });

let signer: InstructionSigner;
let double: LedgerDouble;
let ledger: CordaLedger;
let verbs: string[];
/** In place of the double's answer. */
let instead: (verb: string, args: readonly AgentValue[]) => AgentReply | undefined;

beforeEach(() => {
  signer = new InstructionSigner(network);
  double = new LedgerDouble({ network, authority: signer.authority, genesisHash: toBytes32(randomBytes(32)) });
  verbs = [];
  instead = () => undefined;
  ledger = over(network);
});

function over(named: typeof network): CordaLedger {
  const agent = {
    call: async (verb: string, args: readonly AgentValue[]) => {
      verbs.push(verb);
      return instead(verb, args) ?? double.handle(verb, args);
    },
  };
  const queries = new AgentQueries({ timeoutMs: 1_000, signal }, agent);
  const times = { executeTimeoutMs: 1_000, maxExecutes: 1, pollMs: 1, longestPollMs: 4 };
  return new CordaLedger({ network: named, ...times }, { agent, queries, now: () => performance.now() });
}

function release(): InstructionJob {
  const { permit, coin } = double.fresh();
  return signer.sign(double, { kind: 'release', subject: ZERO_BYTES32, notAfterSeconds: 0, states: [permit, coin] });
}
const voidOf = ({ instruction: { id }, states = [] }: InstructionJob) =>
  signer.sign(double, { kind: 'void', subject: id, notAfterSeconds: 0, states });

test('what a vault showed is told without asking again, but to who wants it fresh; its salt is computed', async () => {
  const { authority, epoch, domainSalt } = await ledger.describeVault(double.vaultId);
  expect([authority, epoch]).toEqual([signer.authority, 1]);
  expect(domainSalt).toMatch(/^0x[0-9a-f]{64}$/);
  await ledger.describeVault(double.vaultId);
  expect(verbs).toEqual(['vault']);
  await ledger.describeVault(double.vaultId, 'fresh');
  expect(verbs).toEqual(['vault', 'vault']);
});

test('a vault of another network is none of ours', async () => {
  const other = over(parseNetworkId('corda-2'));
  await expect(other.describeVault(double.vaultId)).rejects.toBeInstanceOf(LedgerUnavailableError);
  // It is asked for again, not remembered as a failure.
  await expect(other.describeVault(double.vaultId)).rejects.toBeInstanceOf(LedgerUnavailableError);
  expect(verbs).toEqual(['vault', 'vault']);
});

test('a vault that cannot be read anew is told as it was known, but to who wants it fresh', async () => {
  const known = await ledger.describeVault(double.vaultId);
  instead = (verb) => (verb === 'vault' ? failed('NODE_UNAVAILABLE') : undefined);
  await expect(ledger.describeVault(double.vaultId, 'fresh')).rejects.toBeInstanceOf(LedgerUnavailableError);
  expect(await ledger.describeVault(double.vaultId)).toBe(known);
});

test('an instruction is looked for by id and by what it consumes, and executed without a look before', async () => {
  const job = release();
  await ledger.lookUp(job);
  expect([...verbs].sort()).toEqual(['find', 'status']);
  await ledger.execute(job, during);
  expect(verbs.slice(2)).toEqual(['execute']);
  expect(ledger.looksFirst).toBe(true);
});

test('open, executed, voided, overtaken', async () => {
  const [paid, voided] = [release(), release()];
  expect(await ledger.lookUp(paid)).toEqual({ state: 'open' });
  expect(await ledger.execute(paid, during)).toEqual({ type: 'final', as: 'executed' });
  expect(await ledger.lookUp(paid)).toEqual({ state: 'spent', as: 'executed', final: true });
  expect(await ledger.execute(voidOf(voided), during)).toEqual({ type: 'final', as: 'executed' });
  expect(await ledger.lookUp(voided)).toEqual({ state: 'spent', as: 'voided', final: true });
  expect(await ledger.lookUp(voidOf(paid))).toEqual({ state: 'spent', as: 'overtaken', final: true });
});

test('what is executed between two questions is not taken for voided', async () => {
  const job = release();
  let finds = 0;
  instead = (verb) => {
    if (verb === 'find' && ++finds === 1) {
      const before = double.handle('find', [new Uint8Array(32), Buffer.from(job.instruction.id.slice(2), 'hex')]);
      execute(job);
      return before;
    }
    return undefined;
  };
  expect(await ledger.lookUp(job)).toEqual({ state: 'spent', as: 'executed', final: true });
});

function execute({ instruction, states = [] }: InstructionJob): void {
  const bytes = (hex: string) => Buffer.from(hex.slice(2), 'hex');
  const fields = [bytes(instruction.id), 1, ZERO, ZERO, 100, bytes(instruction.beneficiary), ZERO, 0, 1, ZERO];
  double.handle('execute', [ZERO, fields, ZERO, states.map(bytes)]);
}
const ZERO = new Uint8Array(32);

test('the command has the instruction, its signature and what it consumes, as the core wrote them', async () => {
  const job = release();
  let sent: readonly AgentValue[] = [];
  instead = (verb, args) => {
    if (verb === 'execute') sent = args;
    return undefined;
  };
  await ledger.execute(job, during);
  const hex = (value: AgentValue | undefined) => `0x${Buffer.from(value as Uint8Array).toString('hex')}`;
  const [vault, fields, signature, states] = sent;
  const { id, subject, asset, amountMinor, beneficiary, inputs, trail } = job.instruction;
  expect([hex(vault), hex(signature)]).toEqual([job.vault, job.signature]);
  expect((states as Uint8Array[]).map(hex)).toEqual(job.states);
  const plain = (fields as AgentValue[]).map((value) => (value instanceof Uint8Array ? hex(value) : value));
  expect(plain).toEqual([id, 1, subject, asset, amountMinor, beneficiary, inputs, 0, 1, trail]);
});

test('without states there is nothing to execute', async () => {
  const { states: _, ...job } = release();
  expect(await ledger.execute(job, during)).toMatchObject({ type: 'never', code: 'STATES_MISSING' });
  expect(verbs).toEqual([]);
});

test.each([
  ['FLOW_PENDING', '', { type: 'submitted' }],
  ['ABORTED', '', { type: 'submitted' }],
  ['REFUSED', 'EXPIRED', { type: 'expired' }],
  ['REFUSED', 'PAUSED', { type: 'later', code: 'VAULT_PAUSED' }],
  ['REFUSED', '', { type: 'later', code: 'VAULT_REFUSED' }],
  ['REFUSED', 'SIGNATURE_HIGH_S', { type: 'never', code: 'VAULT_SIGNATURE_HIGH_S' }],
  ['NOTARY_REFUSED', '', { type: 'later', code: 'NOTARY_REFUSED' }],
  ['FLOW_FAILED', '', { type: 'later', code: 'FLOW_FAILED' }],
  ['PAYEE_UNKNOWN', '', { type: 'later', code: 'PAYEE_UNKNOWN' }],
  ['VAULT_NOT_SERVED', '', { type: 'later', code: 'VAULT_NOT_SERVED' }],
  ['COMMAND_INVALID', '', { type: 'never', code: 'COMMAND_INVALID' }],
  ['AGENT_FAILED', '', { type: 'later', code: 'AGENT_FAILED' }],
  ['A_CODE_OF_TOMORROW', '', { type: 'later', code: 'AGENT_FAILED' }],
])('%s %s', async (code, detail, execution) => {
  instead = (verb) => (verb === 'execute' ? failed(code, detail) : undefined);
  expect(await ledger.execute(release(), during)).toMatchObject(execution);
});

test.each(['NO_ANSWER', 'AGENT_SILENT', 'TOO_MANY_CALLS', 'NODE_UNAVAILABLE'])('%s is no answer', async (code) => {
  instead = (verb) => (verb === 'execute' ? failed(code) : undefined);
  await expect(ledger.execute(release(), during)).rejects.toBeInstanceOf(LedgerUnavailableError);
});

test.each(['REFUSED', 'NOTARY_REFUSED', 'FLOW_FAILED'])(
  '%s after the instruction took effect is its echo',
  async (code) => {
    const job = release();
    instead = (verb) => {
      if (verb !== 'execute') return undefined;
      execute(job);
      return failed(code, code === 'REFUSED' ? 'EXPIRED' : '');
    };
    expect(await ledger.execute(job, during)).toEqual({ type: 'final', as: 'executed' });
  },
);

test('a flow that goes on is waited for, for as long as asked', async () => {
  const job = release();
  double.setNotary(false);
  expect(await ledger.execute(job, during)).toEqual({ type: 'submitted' });
  expect(await ledger.awaitFinality(job, { timeoutMs: 10, signal })).toBeUndefined();
  let finds = 0;
  instead = (verb) => {
    if (verb === 'find' && ++finds === 3) double.setNotary(true);
    return undefined;
  };
  expect(await ledger.awaitFinality(job, waiting)).toBe('executed');
  expect(await ledger.awaitFinality(release(), { timeoutMs: 60_000, signal: AbortSignal.abort() })).toBeUndefined();
});

test('flows that hang hold up flows, and no questions', async () => {
  const answers: (() => void)[] = [];
  const hanging = {
    call: (verb: string, args: readonly AgentValue[]) =>
      verb === 'execute'
        ? new Promise<AgentReply>((resolve) => answers.push(() => resolve(double.handle(verb, args))))
        : Promise.resolve(double.handle(verb, args)),
  };
  const queries = new AgentQueries({ timeoutMs: 1_000, signal }, hanging);
  const times = { executeTimeoutMs: 1_000, maxExecutes: 1, pollMs: 1, longestPollMs: 4 };
  const slow = new CordaLedger({ network, ...times }, { agent: hanging, queries, now: () => 0 });
  const ends = [slow.execute(release(), during), slow.execute(release(), during)];
  expect(await slow.lookUp(release())).toEqual({ state: 'open' });
  expect(answers).toHaveLength(1);
  const stopping = new AbortController();
  const given = slow.execute(release(), { ...during, signal: stopping.signal });
  stopping.abort();
  expect(await given).toEqual({ type: 'submitted' });
  answers[0]?.();
  await ends[0];
  for (let turns = 0; turns < 100 && answers.length < 2; turns += 1) await Promise.resolve();
  answers[1]?.();
  expect(await Promise.all(ends)).toEqual([
    { type: 'final', as: 'executed' },
    { type: 'final', as: 'executed' },
  ]);
});
