import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { stateRef } from '@drawbridge/protocol/state-ref';
import { expect, test } from '@jest/globals';
import type { AgentReply } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';
import { AgentQueries } from './agent-queries.ts';
import { LedgerDouble } from './testing/ledger-double.ts';

const word = parseBytes32(`0x${'07'.repeat(32)}`);
const wordBytes = new Uint8Array(32).fill(7);
const asked: (readonly AgentValue[])[] = [];

function answering(...answers: AgentReply[]): AgentQueries {
  asked.length = 0;
  let at = 0;
  const agent = {
    call: async (_verb: string, args: readonly AgentValue[]) => {
      asked.push(args);
      return answers[Math.min(at++, answers.length - 1)] ?? { ok: false, code: 'AGENT_FAILED', detail: '' };
    },
  };
  return new AgentQueries({ timeoutMs: 1_000, signal: new AbortController().signal }, agent);
}
const given = (...result: AgentValue[]): AgentReply => ({ ok: true, result });

test('a vault, as the agent describes it', async () => {
  const authority = parseEvmAddress(`0x${'ab'.repeat(20)}`);
  const ledger = new LedgerDouble({ network: parseNetworkId('corda-1'), authority, genesisHash: word, mode: 'issue' });
  const vault = await answering(ledger.handle('vault', [])).vault(word);
  const { vaultState, serviceId } = ledger;
  expect(vault).toMatchObject({ vaultState, authority, epoch: 1, mode: 'issue', serviceId, genesisHash: word });
});

test('statuses are asked for in pages of 200', async () => {
  const refs = Array.from({ length: 201 }, (_, at) => stateRef(word, at));
  const queries = answering(given(Array.from({ length: 200 }, () => 1)), given([2]));
  expect((await queries.status(refs)).filter((status) => status === 'consumed')).toHaveLength(1);
  expect(asked.map(([page]) => (page as AgentValue[]).length)).toEqual([200, 1]);
});

test('states are read until there are no more, or too many', async () => {
  const row = [Buffer.from(stateRef(word, 3).slice(2), 'hex'), 3];
  expect(await answering(given([row], true), given([row], false)).states(word, 5)).toHaveLength(2);
  await expect(answering(given([row], true)).states(word, 5)).rejects.toBeInstanceOf(LedgerUnavailableError);
  expect(asked).toHaveLength(5);
});

test('a proof, and why there is none', async () => {
  const evidence = new Uint8Array(4);
  expect(await answering(given(wordBytes, evidence)).proof(word)).toEqual({ type: 'proof', vault: word, evidence });
  const refused: AgentReply = { ok: false, code: 'PROOF_TOO_LARGE', detail: '' };
  expect(await answering(refused).proof(word)).toEqual({ type: 'refused', code: 'PROOF_TOO_LARGE' });
  const down: AgentReply = { ok: false, code: 'NODE_UNAVAILABLE', detail: '' };
  await expect(answering(down).proof(word)).rejects.toBeInstanceOf(LedgerUnavailableError);
});

test.each<[string, (queries: AgentQueries) => Promise<unknown>, AgentReply]>([
  ['an error', (queries) => queries.find(word, word), { ok: false, code: 'AGENT_SILENT', detail: '' }],
  ['a transaction of 31 bytes', (queries) => queries.find(word, word), given(new Uint8Array(31))],
  ['no transaction and no null', (queries) => queries.spender(stateRef(word, 0)), given()],
  ['too few statuses', (queries) => queries.status([stateRef(word, 0)]), given([])],
  ['an unknown status', (queries) => queries.status([stateRef(word, 0)]), given([3])],
  ['an unknown kind', (queries) => queries.states(word, 1), given([[new Uint8Array(36), 5]], false)],
  ['a ref of 35 bytes', (queries) => queries.states(word, 1), given([[new Uint8Array(35), 1]], false)],
  ['no word whether there is more', (queries) => queries.states(word, 1), given([])],
  ['empty evidence', (queries) => queries.proof(word), given(wordBytes, new Uint8Array(0))],
  ['half a vault', (queries) => queries.vault(word), given(new Uint8Array(36), new Uint8Array(33), [], [], [])],
])('%s is no answer', async (_what, ask, answer) => {
  await expect(ask(answering(answer))).rejects.toBeInstanceOf(LedgerUnavailableError);
});
