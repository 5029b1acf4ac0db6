/**
 * Port for the API's log lines. Fields are names, codes, counts and times; bodies, ids, amounts and parties are never
 * passed to it. Fastify's own logger stays off, because it would write URLs.
 */
export type ApiLog = Readonly<{
  info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  error: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}>;
