import { readFile } from 'node:fs/promises';
import { AccountSchema } from '@drawbridge/protocol/api/account';
import { PROBLEMS, type ProblemCode } from '@drawbridge/protocol/api/problem';
import { TransferRequestSchema, TransferSchema } from '@drawbridge/protocol/api/transfer';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type InjectedApi, injectedApi } from './testing/inject-api.ts';
import { checkerOf } from './validation.ts';

type Operation = Readonly<{
  summary?: string;
  responses: Record<string, { description: string }>;
  requestBody?: { content: Record<string, { example?: unknown }> };
}>;
type Document = Readonly<{
  openapi: string;
  info: { description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { examples?: unknown[] }> };
}>;

let api: InjectedApi;
let text: string;
let document: Document;
beforeAll(async () => {
  api = await injectedApi();
  text = (await api.as(undefined, { method: 'GET', url: '/docs' })).body;
  document = JSON.parse(text) as Document;
});
afterAll(() => api.app.close());

test('the committed document is what is served', async () => {
  const committed = await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
  expect(JSON.parse(committed)).toEqual(document);
});

test('it is OpenAPI 3.1; each operation has a summary, its errors and, with a body, an example', () => {
  expect(document.openapi).toBe('3.1.0');
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const operation of Object.values(operations)) {
      expect(operation.summary).toMatch(/\w+/);
      expect(Object.keys(operation.responses)).toContain('500');
      if (path.startsWith('/v1/'))
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']));
    }
  }
  const body = document.paths['/v1/transfers']?.post?.requestBody?.content['application/json'];
  expect(checkerOf(TransferRequestSchema).accepts(body?.example)).toBe(true);
});

test('every reference has its component', () => {
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '');
  expect(names.length).toBeGreaterThan(50);
  for (const name of new Set(names)) expect(document.components.schemas).toHaveProperty([name]);
});

test('every code is in the documentation with its status', () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    expect(document.info.description).toContain(`| \`${code}\` | ${PROBLEMS[code].status} |`);
  }
});

test('examples satisfy their schemas', () => {
  for (const [name, schema] of [
    ['Account', AccountSchema],
    ['Transfer', TransferSchema],
  ] as const) {
    const [example] = document.components.schemas[name]?.examples ?? [];
    expect([name, checkerOf<unknown>(schema).errors(example)]).toEqual([name, []]);
  }
});
