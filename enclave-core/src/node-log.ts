/** Structured log of the node, as pino has it. Never holds parties, amounts, ids of transfers, or payloads. */
export type NodeLog = Readonly<{
  info: (fields: object, message: string) => void;
  warn: (fields: object, message: string) => void;
  error: (fields: object, message: string) => void;
}>;
