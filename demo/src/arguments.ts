/** The demonstration's command line. */
import { parseArgs } from 'node:util';

export const USAGE = `npm start                        run the payments of examples/payments.csv and stay up
npm start -- --once              end after the run; exit 0 only if every sum agrees
npm start -- --once --json       also print the result as one JSON object, the last line of stdout
npm start -- --payments FILE     run your own payments (columns: demo/src/payments-file.ts)
npm start -- --out DIR           leave what a third party needs to check the run
npm start -- --nodes 3           run the core as a cluster of three nodes, or of five

REDIS_URL=redis://…              use this Redis instead of finding or unpacking one`;

/** Sizes of a core. Two nodes would be worth less than one: neither could go on without the other. */
const NODES: readonly string[] = ['1', '3', '5'];

export type Arguments = Readonly<{
  once: boolean;
  json: boolean;
  payments: string | undefined;
  out: string | undefined;
  /** Of the core. */
  nodes: number;
  help: boolean;
}>;

export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** @throws UsageError that says what would be right. */
export function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        payments: { type: 'string' },
        out: { type: 'string' },
        nodes: { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { nodes, ...others } = values;
    if (!NODES.includes(nodes)) throw new TypeError(`--nodes takes ${NODES.join(', ')}, not ${nodes}`);
    return { ...others, payments: others.payments, out: others.out, nodes: Number(nodes) };
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : 'wrong arguments'}\n\n${USAGE}`, { cause });
  }
}
