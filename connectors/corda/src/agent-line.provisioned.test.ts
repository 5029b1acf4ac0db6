/** The line to agents over a real RabbitMQ. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testWithRabbitMq } from '@drawbridge/devnets/testing/with-rabbitmq';
import { createTlsIdentity } from '@drawbridge/devnets/tls-identity';
import { until } from '@drawbridge/devnets/until';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { AgentReply } from './agent-bodies.ts';
import type { AgentValue } from './agent-cbor.ts';
import { brokerNames } from './broker-topology.ts';
import type { AgentDouble } from './testing/agent-double.ts';
import { LineBed, type OpenLine } from './testing/line-bed.ts';

const DEADLINE_MS = 60_000;
jest.setTimeout(180_000);
const withRabbitMq = await testWithRabbitMq();
const available = withRabbitMq === test;

let bed: LineBed;
beforeAll(async () => {
  if (available) bed = await LineBed.start();
});
afterEach(async () => {
  await bed?.clear();
});
afterAll(async () => {
  await bed?.stop();
});

const { signal } = new AbortController();
const call = (line: OpenLine, verb: string, timeoutMs = DEADLINE_MS) =>
  line.agent.call(verb, [], { timeoutMs, signal });
const echo = (verb: string): AgentReply => ({ ok: true, result: [verb] });
const REJECTIONS = ['TOO_LARGE', 'MESSAGE_ID', 'CORRELATION_ID', 'SEALED_NOT_OPENED', 'BODY_INVALID'];
const id = () => randomBytes(16).toString('hex');

/** Up at both ends, and heard of. */
async function meet(line: OpenLine, agent: AgentDouble): Promise<void> {
  await until('line and agent are up', DEADLINE_MS, async () => line.link.up && agent.up);
  await until('the agent was heard of', DEADLINE_MS, async () => line.health.agents().length > 0);
}
async function metric(line: OpenLine, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const found = (await line.registry.getMetricsAsJSON()).find((each) => each.name === `drawbridge_connector_${name}`);
  const values = (found?.values ?? []) as { value: number; labels: Record<string, string> }[];
  const wanted = values.filter((each) => Object.entries(labels).every(([key, value]) => each.labels[key] === value));
  return wanted.reduce((sum, { value }) => sum + value, 0);
}
async function strangersCertificate(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-stranger-'));
  const { certFile } = await createTlsIdentity(dir, 'stranger');
  const pem = await readFile(certFile, 'utf8');
  await rm(dir, { recursive: true });
  return pem;
}
const newlyDead = async (body: () => Promise<void>, count: number): Promise<void> => {
  const before = await bed.waiting('dead-letters');
  await body();
  await until('they are dead', DEADLINE_MS, async () => (await bed.waiting('dead-letters')) === before + count);
};

withRabbitMq('commands have their replies, errors too, and every connector gets its own', async () => {
  const [one, two] = [bed.openLine(), bed.openLine()];
  const agent = await bed.startAgent((verb) =>
    verb === 'refused' ? { ok: false, code: 'REFUSED', detail: 'EPOCH' } : echo(verb),
  );
  await Promise.all([one.link.start(), two.link.start()]);
  await Promise.all([meet(one, agent), meet(two, agent)]);
  const verbs = Array.from({ length: 20 }, (_, at) => `verb-${at}`);
  const answers = await Promise.all([...verbs.map((verb) => call(one, verb)), ...verbs.map((verb) => call(two, verb))]);
  expect(answers).toEqual([...verbs, ...verbs].map(echo));
  expect(await call(one, 'refused')).toEqual({ ok: false, code: 'REFUSED', detail: 'EPOCH' });
  // Each saw the other's replies and dropped them unopened.
  await until('strays are counted', DEADLINE_MS, async () => (await metric(one, 'agent_stray_replies_total')) >= 20);
  expect(agent.verbs).toHaveLength(41);
});

withRabbitMq('the broker restarts with commands in flight: each is answered, on both sides', async () => {
  const line = bed.openLine({ confirmMs: 500 });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const agent = await bed.startAgent(async (verb) => {
    await held;
    return echo(verb);
  });
  await line.link.start();
  await meet(line, agent);
  const before = Array.from({ length: 30 }, (_, at) => call(line, `before-${at}`));
  await until('the agent has some', DEADLINE_MS, async () => agent.verbs.length >= 8);
  const restarted = bed.place.server.restart();
  await until('the line is down', DEADLINE_MS, async () => !line.link.up);
  const meanwhile = Array.from({ length: 30 }, (_, at) => call(line, `meanwhile-${at}`));
  await restarted;
  release();
  for (const [at, answer] of (await Promise.all(before)).entries()) expect(answer).toEqual(echo(`before-${at}`));
  for (const [at, answer] of (await Promise.all(meanwhile)).entries()) expect(answer).toEqual(echo(`meanwhile-${at}`));
  expect(await metric(line, 'broker_connected')).toBe(1);
});

withRabbitMq('the broker is killed: what was published and not confirmed goes out again under its id', async () => {
  const line = bed.openLine({ confirmMs: 500 });
  const agent = await bed.startAgent(echo);
  await line.link.start();
  await meet(line, agent);
  await bed.place.server.kill9();
  const answers = Array.from({ length: 10 }, (_, at) => call(line, `verb-${at}`));
  await bed.place.server.restart();
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 10 }, (_, at) => echo(`verb-${at}`)));
});

withRabbitMq(
  'what cannot be opened, is too large or bears no proper id goes to the dead letters; the rest goes on',
  async () => {
    const line = bed.openLine({ maxMessageBytes: 65_536 });
    const agent = await bed.startAgent(echo);
    await line.link.start();
    await meet(line, agent);
    // A reply is opened only where its command waits: this one does.
    agent.mayReply = () => false;
    const waiting = call(line, 'waits');
    await until('the command came', DEADLINE_MS, async () => agent.verbs.at(-1) === 'waits');
    const correlationId = agent.ids.at(-1) ?? '';
    const reply = (sealedFor: string, body: readonly AgentValue[]) =>
      agent.publish({
        routingKey: 'reply',
        ...agent.sealed('agent-reply', sealedFor, body),
        properties: { messageId: id(), correlationId },
      });
    const { toConnector } = brokerNames(bed.network, '');
    await newlyDead(async () => {
      await bed.publishRaw(toConnector, 'reply', randomBytes(65_537), id());
      await bed.publishRaw(toConnector, 'reply', randomBytes(64), 'not an id');
      await bed.publishRaw(toConnector, 'reply', randomBytes(64));
      // Of no command at all.
      await bed.publishRaw(toConnector, 'reply', randomBytes(64), id());
      await reply(id(), [1, true, []]);
      await reply(correlationId, [1, 'yes', []]);
      await reply(correlationId, [2, true, []]);
    }, 7);
    const rejected = (code: string) => metric(line, 'broker_rejected_total', { queue: 'replies', code });
    expect(await Promise.all(REJECTIONS.map(rejected))).toEqual([1, 2, 1, 1, 2]);
    // Health that cannot be opened is gone: anybody could fill the dead letters with it.
    await bed.publishRaw(toConnector, 'health', randomBytes(64), id());
    const badHealth = () => metric(line, 'broker_rejected_total', { queue: 'health', code: 'ENVELOPE_INVALID' });
    await until('it was rejected', DEADLINE_MS, async () => (await badHealth()) === 1);
    agent.mayReply = () => true;
    expect(await call(line, 'still')).toEqual(echo('still'));
    await reply(correlationId, [1, true, ['at last']]);
    expect(await waiting).toEqual(echo('at last'));
  },
);

withRabbitMq('replies twice, and replies that come too late, are dropped', async () => {
  const line = bed.openLine();
  const agent = await bed.startAgent(echo);
  agent.copies = 3;
  await line.link.start();
  await meet(line, agent);
  // A command that an agent of the test before had not acknowledged may come again, with replies of its own.
  const strays = () => metric(line, 'agent_stray_replies_total');
  expect(await call(line, 'thrice')).toEqual(echo('thrice'));
  await until('two are stray', DEADLINE_MS, async () => (await strays()) >= 2);
  let release: (may: boolean) => void = () => undefined;
  agent.mayReply = () => new Promise<boolean>((resolve) => (release = resolve));
  expect(await call(line, 'late', 200)).toEqual({ ok: false, code: 'NO_ANSWER', detail: '' });
  await until('the command came', DEADLINE_MS, async () => agent.verbs.includes('late'));
  const before = await strays();
  release(true);
  await until('it is stray', DEADLINE_MS, async () => (await strays()) >= before + agent.copies);
  agent.mayReply = () => true;
  expect(await call(line, 'next')).toEqual(echo('next'));
});

withRabbitMq('an agent that falls silent is not asked, until it is heard of again', async () => {
  const line = bed.openLine({ silenceMs: 1_000 });
  const agent = await bed.startAgent(echo);
  await line.link.start();
  await meet(line, agent);
  agent.silence();
  await until('it counts as silent', DEADLINE_MS, async () => line.health.isSilent());
  expect(await call(line, 'unasked')).toEqual({ ok: false, code: 'AGENT_SILENT', detail: '' });
  expect(agent.verbs).not.toContain('unasked');
  await agent.sendHealth();
  await until('it is heard of', DEADLINE_MS, async () => !line.health.isSilent());
  expect(await call(line, 'asked')).toEqual(echo('asked'));
});

withRabbitMq('two agents share the commands, and when one dies the other answers', async () => {
  const line = bed.openLine();
  const [one, two] = await Promise.all([bed.startAgent(echo), bed.startAgent(echo)]);
  await line.link.start();
  await Promise.all([meet(line, one), meet(line, two)]);
  await until('both were heard of', DEADLINE_MS, async () => line.health.agents().length === 2);
  await Promise.all(Array.from({ length: 40 }, (_, at) => call(line, `verb-${at}`)));
  expect(one.verbs.length).toBeGreaterThan(0);
  expect(two.verbs.length).toBeGreaterThan(0);
  // It took commands and dies with them.
  one.mayReply = () => new Promise<boolean>(() => undefined);
  const answers = Array.from({ length: 20 }, (_, at) => call(line, `again-${at}`));
  await until('it has some', DEADLINE_MS, async () => one.verbs.some((verb) => verb.startsWith('again')));
  await one.stop();
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, (_, at) => echo(`again-${at}`)));
});

withRabbitMq('another certificate than the pinned one is refused, and nothing of a body is logged', async () => {
  const line = bed.openLine();
  const agent = await bed.startAgent(echo);
  await line.link.start();
  await meet(line, agent);
  await call(line, 'very-secret-verb');
  expect(line.logged.join()).not.toMatch(/very-secret-verb|password/);
  expect(line.logged.join()).not.toContain(bed.place.broker.password);
  const stranger = bed.openLine({}, await strangersCertificate());
  await stranger.link.start();
  await until('it was refused', DEADLINE_MS, async () => stranger.logged.join().includes('broker not reached'));
  expect(stranger.link.up).toBe(false);
});
