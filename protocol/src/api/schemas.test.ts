import { describe, expect, test } from '@jest/globals';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { AccountListSchema, StatementPageSchema } from './account.ts';
import { EventPageSchema } from './event.ts';
import { AmountForm, SignedAmountForm, TimeForm, wordForm } from './forms.ts';
import { LockPageSchema } from './lock.ts';
import { NodeNetworkSchema, NodeStateSchema } from './node.ts';
import { PROBLEMS, type ProblemCode, ProblemSchema, problemDocument } from './problem.ts';
import { AssetListSchema, NetworkListSchema, ParticipantSchema } from './registry.ts';
import { CursorSchema, EvidenceRequestSchema, EvidenceResponseSchema, OutboxPageSchema } from './relay.ts';
import { BatchResponseSchema, TransferPageSchema, TransferRequestSchema } from './transfer.ts';

const SCHEMAS: readonly TSchema[] = [
  AccountListSchema,
  StatementPageSchema,
  EventPageSchema,
  LockPageSchema,
  NodeNetworkSchema,
  NodeStateSchema,
  ProblemSchema,
  AssetListSchema,
  NetworkListSchema,
  ParticipantSchema,
  CursorSchema,
  EvidenceRequestSchema,
  EvidenceResponseSchema,
  OutboxPageSchema,
  BatchResponseSchema,
  TransferPageSchema,
  TransferRequestSchema,
];

/** Every schema inside a schema, itself included. */
function* parts(schema: TSchema): Iterable<TSchema> {
  yield schema;
  for (const property of Object.values((schema.properties ?? {}) as Record<string, TSchema>)) yield* parts(property);
  if (schema.items) yield* parts(schema.items as TSchema);
}

test('every example satisfies the schema that it stands in', () => {
  const examples = SCHEMAS.flatMap((schema) => [...parts(schema)]).flatMap((schema) =>
    ((schema.examples ?? []) as unknown[]).map((example) => ({ schema, example })),
  );
  expect(examples.length).toBeGreaterThan(100);
  for (const { schema, example } of examples) expect([example, Value.Check(schema, example)]).toEqual([example, true]);
});

describe('problem documents', () => {
  test.each(Object.keys(PROBLEMS) as ProblemCode[])('%s', (code) => {
    const document = problemDocument(code, 'what happened', [{ path: '/a', message: 'must be b' }]);
    expect(Value.Check(ProblemSchema, document)).toBe(true);
    expect(document).toMatchObject({ code, type: `urn:drawbridge:problem:${code}`, status: PROBLEMS[code].status });
    expect(document.detail).toBe(`what happened. ${PROBLEMS[code].todo}`);
    expect(document.status).toBeGreaterThanOrEqual(400);
  });
});

test.each([
  ['0', false],
  ['1', true],
  ['9223372036854775807', true],
  ['01', false],
  ['-1', false],
  ['1e3', false],
  ['1\n', false],
  ['12345678901234567890', false],
])('amount %j: %s', (text, valid) => expect(Value.Check(AmountForm, text)).toBe(valid));

test.each([
  ['0', true],
  ['-0', false],
  ['-5', true],
  [`-${2n ** 100n}`, true],
])('balance %j: %s', (text, valid) => expect(Value.Check(SignedAmountForm, text)).toBe(valid));

test.each([
  ['2031-05-06T07:08:09Z', true],
  ['2031-05-06T07:08:09.123+02:00', true],
  ['2031-05-06T07:08:09', false],
  ['2031-05-06', false],
  ['2031-05-06T07:08:09.1234Z', false],
])('time %j: %s', (text, valid) => expect(Value.Check(TimeForm, text)).toBe(valid));

test('a word outside its list is refused, also where a validator knows no enum', () => {
  const form = wordForm(['return', 'refund']);
  expect(['return', 'refund', 'returns', 'xrefund', ''].map((word) => Value.Check(form, word))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
