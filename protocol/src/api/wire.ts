/**
 * Wire types and their schemas, kept equal by the compiler: each exported type is written out for readers, each schema
 * is checked against it in both directions. The server validates, serialises and documents from the schemas.
 * Rule for descriptions: a noun phrase, so that "must be " + description tells a caller what would be right.
 */
import type { TSchema } from '@sinclair/typebox';

/** A schema whose values are exactly `T`. */
export type Wire<T> = TSchema & { readonly static: T };

/** `T` with plain arrays and fields, through and through: `readonly` is for readers and no part of the form. */
type Plain<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Plain<T[Key]> }
      : T;
type SameKeys<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : false) : false;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? SameKeys<A, B> : false) : false;

/** Names the type of a schema. Does not compile where the two differ, optional properties included. */
export function wire<T>(): <S extends TSchema>(
  schema: Same<Plain<S['static']>, Plain<T>> extends true ? S : never,
) => Wire<T> {
  return (schema) => schema as TSchema as Wire<T>;
}

/** Items of one page of a list: `limit` when absent, and at most. */
export const DEFAULT_PAGE_ITEMS = 100;
export const MAX_PAGE_ITEMS = 1_000;

/** `view.seqno` of the ledger entry that holds what was answered; the name is that of CCF's own header. */
export const TRANSACTION_ID_HEADER = 'x-ms-ccf-transaction-id';
