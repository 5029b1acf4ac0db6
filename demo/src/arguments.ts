/** The demonstration's command line. */
import { parseArgs } from 'node:util';

export const USAGE = `npm start                        run the payments of examples/payments.csv and stay up
npm start -- --once              end after the run; exit 0 only if every sum agrees
npm start -- --once --json       also print the result as one JSON object, the last line of stdout
npm start -- --payments FILE     run your own payments (columns: demo/src/payments-file.ts)
npm start -- --out DIR           leave what a third party needs to check the run
npm start -- --nodes 3           run the core as a cluster of three nodes, or of five
npm start -- --with corda        a Corda network too, and the payments of examples/corda-payments.csv; needs Java, see docs/operators/corda.md

REDIS_URL=redis://…              use this Redis instead of finding or unpacking one`;

/** Sizes of a core. Two nodes would be worth less than one: neither could go on without the other. */
const NODES: readonly string[] = ['1', '3', '5'];
const COMPANIONS: readonly string[] = ['corda'];

export type Arguments = Readonly<{
  once: boolean;
  json: boolean;
  payments: string | undefined;
  out: string | undefined;
  /** Of the core. */
  nodes: number;
  /** A Corda network takes part. */
  corda: boolean;
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
        with: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { nodes, with: companions, ...others } = values;
    if (!NODES.includes(nodes)) throw new TypeError(`--nodes takes ${NODES.join(', ')}, not ${nodes}`);
    const unknown = companions.find((name) => !COMPANIONS.includes(name));
    if (unknown !== undefined) throw new TypeError(`--with takes ${COMPANIONS.join(', ')}, not ${unknown}`);
    const { payments, out } = others;
    return { ...others, payments, out, nodes: Number(nodes), corda: companions.includes('corda') };
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : 'wrong arguments'}\n\n${USAGE}`, { cause });
  }
}
