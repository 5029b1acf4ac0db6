/** A double of the agent, by rote: what each verb answers, and what was asked. */
import type { AgentReply } from '../../agent-bodies.ts';
import type { AgentValue } from '../../agent-cbor.ts';
import type { AgentCaller, CallOptions } from '../../agent-client.ts';

type Rote = (args: readonly AgentValue[]) => AgentReply | Promise<AgentReply>;

export class RoteAgent implements AgentCaller {
  readonly asked: Readonly<{ verb: string; args: readonly AgentValue[]; timeoutMs: number }>[] = [];
  readonly #rote = new Map<string, Rote>();

  on(verb: string, rote: Rote): this {
    this.#rote.set(verb, rote);
    return this;
  }

  answer(verb: string, ...result: AgentValue[]): this {
    return this.on(verb, () => ({ ok: true, result }));
  }

  refuse(verb: string, code: string, detail = ''): this {
    return this.on(verb, () => ({ ok: false, code, detail }));
  }

  async call(verb: string, args: readonly AgentValue[], { timeoutMs, signal }: CallOptions): Promise<AgentReply> {
    this.asked.push({ verb, args, timeoutMs });
    if (signal.aborted) return { ok: false, code: 'ABORTED', detail: '' };
    return this.#rote.get(verb)?.(args) ?? { ok: false, code: 'AGENT_SILENT', detail: '' };
  }

  of(verb: string): readonly (readonly AgentValue[])[] {
    return this.asked.filter((each) => each.verb === verb).map(({ args }) => args);
  }
}
