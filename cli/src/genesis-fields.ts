/** Readers of the parts of a genesis file, each with words for what is wrong. */
import { CliError } from './cli-error.ts';

export type Fields = ReadonlyMap<string, unknown>;

/** @throws CliError always */
export const wrong = (what: string): never => {
  throw new CliError('FILE', `the genesis file is wrong: ${what}`);
};
export const text = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : wrong(`${what} must be text`);
export const count = (value: unknown, what: string, least = 0): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least
    ? value
    : wrong(`${what} must be a whole number${least === 0 ? '' : ` from ${least} on`}`);
export const list = (value: unknown, what: string): readonly unknown[] =>
  Array.isArray(value) ? value : wrong(`${what} must be a list`);
export const object = (value: unknown, what: string): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : wrong(`${what} must be an object`);
export const objects = (value: unknown, what: string): Fields[] =>
  list(value, what).map((item, i) => object(item, `${what}[${i}]`));
