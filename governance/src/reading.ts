/**
 * Reads a JSON value field by field and notes everything that is wrong, not only the first. A reader that fails notes a
 * problem and gives a stand-in of the right type; whoever reads throws all values away when any problem was noted.
 */
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import type { Checked, Problem } from './problem.ts';

/** Longest list that any file of governance may hold. */
export const MAX_LIST_ITEMS = 4_096;

export class Reading {
  readonly value: unknown;
  readonly path: string;
  readonly #problems: Problem[];

  constructor(value: unknown, path: string, problems: Problem[]) {
    this.value = value;
    this.path = path;
    this.#problems = problems;
  }

  fail(problem: string, expected: string): void {
    this.#problems.push({ path: this.path, problem, expected });
  }

  /** Refuses anything but an object of these fields. Fields in `optional` may be absent, none may be `null`. */
  object(required: readonly string[], optional: readonly string[] = []): void {
    const expected = `an object with ${[...required, ...optional.map((name) => `${name} (optional)`)].join(', ')}`;
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      this.fail(`is ${kindName(this.value)}`, expected);
      return;
    }
    for (const name of required) if (!this.has(name)) this.at(name).fail('is missing', expected);
    for (const name of Object.keys(this.value)) {
      if (!required.includes(name) && !optional.includes(name)) this.at(name).fail('is not a known field', expected);
    }
  }

  has(name: string): boolean {
    return typeof this.value === 'object' && this.value !== null && Object.hasOwn(this.value, name);
  }

  #child(value: unknown, path: string): Reading {
    return new Reading(value, path, this.#problems);
  }

  at(name: string): Reading {
    const value = this.has(name) ? (this.value as Record<string, unknown>)[name] : undefined;
    return this.#child(value, this.path === '' ? name : `${this.path}.${name}`);
  }

  /** Reads a field that `object` has noted if it is missing. */
  field<T>(name: string, read: (reading: Reading) => T, standIn: T): T {
    return this.has(name) ? read(this.at(name)) : standIn;
  }

  list<T>(read: (reading: Reading) => T, size: { min: number; max?: number } = { min: 0 }): T[] {
    const max = size.max ?? MAX_LIST_ITEMS;
    const expected = `a list of ${size.min} to ${max}`;
    if (!Array.isArray(this.value)) {
      this.fail(`is ${kindName(this.value)}`, expected);
      return [];
    }
    if (this.value.length < size.min || this.value.length > max) {
      this.fail(`has ${this.value.length} items`, expected);
      return [];
    }
    return this.value.map((item: unknown, i) => read(this.#child(item, `${this.path}[${i}]`)));
  }

  text(pattern: RegExp, expected: string): string {
    if (typeof this.value === 'string' && pattern.test(this.value)) return this.value;
    this.fail(typeof this.value === 'string' ? 'has another form' : `is ${kindName(this.value)}`, expected);
    return '';
  }

  flag(): boolean {
    if (typeof this.value !== 'boolean') this.fail(`is ${kindName(this.value)}`, 'true or false');
    return this.value === true;
  }

  whole(min: number, max: number): number {
    const { value } = this;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    this.fail(typeof value === 'number' ? `is ${value}` : `is ${kindName(value)}`, `a whole number ${min} to ${max}`);
    return min;
  }

  oneOf<T extends string>(choices: readonly T[], standIn: T): T {
    const found = choices.find((choice) => choice === this.value);
    if (found === undefined) this.fail('is none of the choices', choices.join(', '));
    return found ?? standIn;
  }

  /** Text in the form of one of protocol's parsers. */
  parsed<T extends string | bigint>(parse: (text: string) => T, standIn: T): T {
    if (typeof this.value !== 'string') {
      this.fail(`is ${kindName(this.value)}`, 'text');
      return standIn;
    }
    try {
      return parse(this.value);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.fail('has another form', error.message);
      return standIn;
    }
  }
}

/** Runs `read` over a value. @returns what was read only if nothing was wrong. */
export function readChecked<T>(value: unknown, read: (reading: Reading) => T, path = ''): Checked<T> {
  const problems: Problem[] = [];
  const result = read(new Reading(value, path, problems));
  return problems.length === 0 ? { ok: true, value: result } : { ok: false, problems };
}

/** Parses JSON, then reads it. Text that is no JSON is one problem of the whole file. */
export function readJson<T>(text: string, read: (reading: Reading) => T): Checked<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, problems: [{ path: '', problem: 'is not JSON', expected: 'one JSON object' }] };
  }
  return readChecked(value, read);
}

function kindName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}
