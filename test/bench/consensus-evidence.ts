/**
 * `npm run bench:evidence`: how many blocks with one vault event each a core verifies per second of one processor core, by
 * rule, size of the set and receipts in the block. Bytes in, tracked chain and event out: a batch of headers is decoded and
 * verified, seals included, then an event of each block that became final. Transactions of Corda come after. `--json` gives one object a line;
 * `--only TEXT` runs what has TEXT in its name. Nothing is asserted; docs/performance.md says how figures were taken.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { RECOVERY_LIBRARY, recoverSealer } from '@drawbridge/enclave-core/relay/secp256k1';
import { verifyConsensusEvidenceBytes } from '@drawbridge/evidence/consensus-evidence';
import { LOCK_LOG_INDEX, LOCK_RECEIPT, VAULT } from '@drawbridge/evidence/testing/proven-lock';
import { encodeReceipt, receiptTrie } from '@drawbridge/evidence/testing/receipt-trie';
import { SealedChain } from '@drawbridge/evidence/testing/sealed-chain';
import { chainFrom, verifyHeaders } from '@drawbridge/evidence/tracked-chain';
import {
  CONSENSUS_RULES,
  type ConsensusRule,
  decodeHeaderBatch,
  encodeConsensusEvidence,
  encodeHeaderBatch,
} from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { CORDA_CASES } from './corda-evidence.ts';

const VALIDATORS = [4, 7, 21] as const;
const RECEIPTS = [1, 12, 300] as const;
/** Of a batch. With `clique` the last of them only vouch for those before, and are not counted. */
const HEADERS: Readonly<Record<ConsensusRule, number>> = { qbft: 16, ibft: 16, ibft2: 16, clique: 96 };
/** Before the first case; the others find the code compiled. */
const FIRST_WARM_UP_MS = 4_000;
const WARM_UP_MS = 200;
const MEASURED_MS = 800;
const NETWORK = parseNetworkId('alpha');
/** What is wanted, for these. A ratio above 1 is better. */
const MARK = 1_000;
const hasMark = (name: string): boolean => name.endsWith('.4v.12r') || name.includes('.corda-notary.');

type Case = Readonly<{ rule: ConsensusRule; validators: number; receipts: number }>;
const nameOf = ({ rule, validators, receipts }: Case): string => `evidence.${rule}.${validators}v.${receipts}r`;

/** One run: a batch and the events of its blocks. Returns how many blocks it verified with their event. */
async function runOf({ rule, validators, receipts }: Case): Promise<() => number> {
  const trie = await receiptTrie(
    Array.from({ length: receipts }, (_, i) => encodeReceipt({ ...LOCK_RECEIPT, cumulativeGasUsed: BigInt(i + 1) })),
  );
  const sealed = new SealedChain({ rule, validators, maxGapBlocks: 1_024 });
  for (let i = 0; i < HEADERS[rule]; i++) sealed.add({ receiptsRoot: trie.root });
  const { finality } = sealed;
  const batch = encodeHeaderBatch({ version: 1, rule, kind: 'headers', network: NETWORK, headers: sealed.headers });
  const items: Uint8Array[] = [];
  for (const [at, header] of sealed.headers.entries()) {
    const transactionIndex = (at * 7) % receipts;
    const proof = await trie.proofOf(transactionIndex);
    const logIndexInReceipt = LOCK_LOG_INDEX;
    items.push(
      encodeConsensusEvidence({
        version: 1,
        rule,
        kind: 'event',
        network: NETWORK,
        header,
        transactionIndex,
        proof,
        logIndexInReceipt,
      }),
    );
  }
  const start = chainFrom(finality);
  return () => {
    const tracked = verifyHeaders(start, finality, decodeHeaderBatch(batch).headers, recoverSealer);
    if (!tracked.ok) throw new Error(`headers were refused: ${tracked.detail}`);
    const { blocks, chain } = tracked;
    const root = { network: NETWORK, vaults: [VAULT], chain, finality };
    for (const item of items.slice(0, blocks.length)) {
      const proven = verifyConsensusEvidenceBytes(item, root);
      if (!proven.ok) throw new Error(`evidence was refused: ${proven.detail}`);
    }
    return blocks.length;
  };
}

/** Blocks per second of processor time, so that what else the machine does counts as little as it can. */
function rateOf(run: () => number, warmUpMs: number): number {
  const rounds = (forMs: number): number => {
    const before = process.cpuUsage();
    const start = performance.now();
    let verified = 0;
    while (performance.now() - start < forMs) verified += run();
    const { user, system } = process.cpuUsage(before);
    return (verified * 1e6) / (user + system);
  };
  rounds(warmUpMs);
  return Math.round(rounds(MEASURED_MS));
}

const USAGE = `npm run bench:evidence                    every rule, set and block
npm run bench:evidence -- --only TEXT     what has TEXT in its name, such as qbft.4v
npm run bench:evidence -- --json          one object a line: {"name","value","unit"}`;

function readArguments() {
  try {
    const options = {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

function line(name: string, value: number, json: boolean): string {
  const unit = '1/s';
  if (json) return JSON.stringify({ name, value, unit });
  const against = hasMark(name) ? `   ${(value / MARK).toFixed(2)} × the mark of ${MARK} ${unit}` : '';
  return `${name.padEnd(36)} ${String(value).padStart(7)} ${unit}${against}`;
}

const values = readArguments();
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const blocks = CONSENSUS_RULES.flatMap((rule) =>
    VALIDATORS.flatMap((validators) => RECEIPTS.map((receipts): Case => ({ rule, validators, receipts }))),
  ).map((item) => ({ name: nameOf(item), prepare: () => runOf(item) }));
  const transactions = CORDA_CASES.map(({ name, run }) => ({ name, prepare: async () => run }));
  const cases = [...blocks, ...transactions].filter(({ name }) => name.includes(values.only ?? ''));
  process.stderr.write(
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}, ` +
      `secp256k1 by ${RECOVERY_LIBRARY}\n`,
  );
  if (cases.length === 0) {
    process.stderr.write(`nothing has ${values.only} in its name\n`);
    process.exitCode = 2;
  }
  for (const [at, item] of cases.entries()) {
    const rate = rateOf(await item.prepare(), at === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS);
    process.stdout.write(`${line(item.name, rate, values.json)}\n`);
  }
}
