/**
 * Checks requests against their schemas: compiled once, no coercion in bodies, unknown fields refused. What comes out
 * names places and says what would be right there; it never repeats what was sent.
 */
import type { FieldError } from '@drawbridge/protocol/api/problem';
import type { Wire } from '@drawbridge/protocol/api/wire';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';

/** Most places named in one problem document. */
const MAX_FIELD_ERRORS = 20;
/** Longest place named; names of fields come from the caller. */
const MAX_PATH_CHARS = 80;

/** The request does not have the form of its route. */
export class RequestInvalidError extends Error {
  override readonly name = 'RequestInvalidError';
  readonly code = 'REQUEST_INVALID';
  readonly statusCode = 400;
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    super('request does not have the form of its route');
    this.errors = errors;
  }
}

export type Checker<T> = Readonly<{
  accepts: (value: unknown) => value is T;
  /** What is wrong; empty for an accepted value. */
  errors: (value: unknown) => FieldError[];
}>;

export function checkerOf<T>(schema: Wire<T>): Checker<T> {
  const compiled = TypeCompiler.Compile(schema as TSchema);
  return {
    accepts: (value): value is T => compiled.Check(value),
    errors: (value) => fieldErrors(compiled.Errors(value)),
  };
}

function fieldErrors(found: Iterable<ValueError>): FieldError[] {
  const byPath = new Map<string, string>();
  for (const error of found) {
    const path = error.path.slice(0, MAX_PATH_CHARS).replaceAll(/[^\x20-\x7e]/g, '?');
    if (byPath.has(path)) continue;
    if (byPath.size === MAX_FIELD_ERRORS) break;
    byPath.set(path, messageOf(error));
  }
  return Array.from(byPath, ([path, message]) => ({ path, message }));
}

function messageOf({ type, schema }: ValueError): string {
  const form = typeof schema.description === 'string' ? schema.description : `of type ${String(schema.type)}`;
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'is not a field of this request';
  return type === ValueErrorType.ObjectRequiredProperty ? `is required and must be ${form}` : `must be ${form}`;
}

type FastifyCheck = (data: unknown) => { error: RequestInvalidError } | { value: unknown };

/** Digits only. 2⁵³ − 1 has 16; what is above it the schema's own maximum refuses. */
const DIGITS = /^[0-9]{1,16}$/;

/** The compiler that Fastify calls for each part of each route. Query numbers are texts and are read as such here. */
export function compileForFastify({ schema, httpPart }: { schema: unknown; httpPart?: string }): FastifyCheck {
  const checker = checkerOf<unknown>(schema as Wire<unknown>);
  const counts = httpPart === 'querystring' ? integerFields(schema as TSchema) : [];
  return (data) => {
    const value = counts.length > 0 ? withIntegers(data as Record<string, unknown>, counts) : data;
    return checker.accepts(value) ? { value } : { error: new RequestInvalidError(checker.errors(value)) };
  };
}

function integerFields(schema: TSchema): string[] {
  const properties = (schema.properties ?? {}) as Record<string, TSchema>;
  return Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
}

function withIntegers(query: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  for (const name of names) {
    const text = query[name];
    if (typeof text === 'string' && DIGITS.test(text)) query[name] = Number(text);
  }
  return query;
}
