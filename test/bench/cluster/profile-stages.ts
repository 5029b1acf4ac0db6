/** Self time of a V8 CPU profile, by what the code is for. Native code belongs to the stage of the JavaScript that called it. */

type ProfileNode = Readonly<{
  id: number;
  callFrame: Readonly<{ functionName: string; url: string; lineNumber: number }>;
  children?: readonly number[];
}>;
/** Times in µs of the machine's monotonic clock. */
export type CpuProfile = Readonly<{
  nodes: readonly ProfileNode[];
  startTime: number;
  samples: readonly number[];
  timeDeltas: readonly number[];
}>;

/** µs by stage, and by function. */
export type StageTimes = Readonly<{ stages: ReadonlyMap<string, number>; functions: ReadonlyMap<string, number> }>;

const IDLE = '(idle)';
/** Stages that are no work. */
export const NOT_BUSY: ReadonlySet<string> = new Set([IDLE]);

/** By the name that V8 gives to what is no JavaScript. */
const BY_NAME: Readonly<Record<string, string>> = {
  '(idle)': IDLE,
  '(garbage collector)': 'GC',
  '(program)': 'native, called by no JavaScript (TLS in, HTTP parser, event loop)',
};
/** The first whose pattern the file's address has. */
const BY_ADDRESS: readonly (readonly [RegExp, string])[] = [
  [/^wasm:/, 'Raft wasm'],
  [/enclave-core\/dist\/consensus\/(log\/|file-log-store|append-pipeline)/, 'file I/O (log)'],
  [/enclave-core\/dist\/consensus\//, 'Raft binding and driver'],
  [/enclave-core\/dist\/settlement\/codec|\/cborg\//, 'CBOR'],
  [/enclave-core\/dist\/(settlement|membership)\//, 'apply'],
  [/enclave-core\/dist\/history\/|\/lmdb\/|\/msgpackr\//, 'history/LMDB'],
  [
    /enclave-core\/dist\/ledger\/|enclave-core\/dist\/node\/(entry-claims|record-entry|receipt|recent-trees)/,
    'claims/hash/ledger',
  ],
  [/protocol\/dist\/(ledger|cbor|codec)|noble\/hashes/, 'claims/hash/ledger'],
  [/enclave-core\/dist\/keys\//, 'seal'],
  [/enclave-core\/dist\/peers\//, 'peers'],
  [/secure-json-parse|fast-json-stringify/, 'JSON'],
  [/enclave-core\/dist\/api\/|fastify|find-my-way|ajv|secure-json|light-my-request|avvio|pino/, 'HTTP/Fastify'],
  [/protocol\/dist\//, 'protocol forms (ids, terms)'],
  [/enclave-core\/dist\//, 'node (batching, waiters)'],
  [/node:(_tls|internal\/tls|tls|net|internal\/stream_base|internal\/crypto\/x509|crypto)/, 'TLS and sockets'],
  [
    /node:(_http|http|https|internal\/http|internal\/streams|stream|events|internal\/url|url|querystring)/,
    'HTTP/Fastify',
  ],
  [/node:(fs|internal\/fs)/, 'file I/O (log)'],
  [/node:internal\/crypto/, 'seal'],
];
const JSON_FUNCTIONS: ReadonlySet<string> = new Set(['parse', 'stringify']);

function stageOf({ callFrame }: ProfileNode, parent: string): string {
  const { functionName, url } = callFrame;
  const named = BY_NAME[functionName];
  if (named !== undefined && url === '') return named;
  if (url === '') return JSON_FUNCTIONS.has(functionName) ? 'JSON' : parent;
  return BY_ADDRESS.find(([pattern]) => pattern.test(url))?.[1] ?? (url.startsWith('node:') ? parent : 'other');
}

/** Samples between two times alone. */
export function stageTimes(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  from: number,
  to: number,
): StageTimes {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const known = new Map<number, string>();
  const stage = (id: number): string => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const node = byId.get(id);
    const parent = parents.get(id);
    const made = node ? stageOf(node, parent === undefined ? 'event loop' : stage(parent)) : 'other';
    known.set(id, made);
    return made;
  };
  const stages = new Map<string, number>();
  const functions = new Map<string, number>();
  let at = startTime;
  for (const [n, id] of samples.entries()) {
    const micros = timeDeltas[n] ?? 0;
    at += micros;
    if (at < from || at > to) continue;
    const name = stage(id);
    stages.set(name, (stages.get(name) ?? 0) + micros);
    if (NOT_BUSY.has(name)) continue;
    const frame = byId.get(id)?.callFrame;
    const file = frame?.url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, '') ?? '';
    const label = `${frame?.functionName || '(anonymous)'} ${file}${file === '' ? `in ${name}` : `:${frame?.lineNumber}`}`;
    functions.set(label, (functions.get(label) ?? 0) + micros);
  }
  return { stages, functions };
}

/** Largest first. */
export const topOf = (times: ReadonlyMap<string, number>): [string, number][] => [...times].sort((a, b) => b[1] - a[1]);
