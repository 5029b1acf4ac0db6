/**
 * Proves that each check of evidence, and of the observers that make it, has a test: takes the checks out one by one, in copies, and demands that the
 * unit tests fail every time. Exit 0 when every mutant was noticed. Half an hour; by hand, after a change of checks.
 *
 *     node scripts/run-source.mjs test/evidence-mutation/main.ts [TEXT]     only mutants whose name or file has TEXT
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORDA_REPLACEMENTS } from './corda-replacements.ts';
import { CORDA_VAULT_REPLACEMENTS } from './corda-vault-replacements.ts';
import { EVENT_REPLACEMENTS } from './event-replacements.ts';
import { type Mutant, withoutEntries, withoutGuards, withReplacement } from './mutants.ts';
import { REPLACEMENTS } from './replacements.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const JEST = join(REPOSITORY, 'node_modules/jest/bin/jest.js');

const VAULT_TESTS = 'evidence/src/corda-vault-(transaction|forgeries|contents|guardians|creation)\\.test\\.ts$';
/** Where checks stand, and which tests must notice that one is gone. */
const SUBJECTS = [
  { file: 'evidence/src/observers.ts', tests: 'evidence/src/observers\\.test\\.ts$' },
  { file: 'evidence/src/trust-root.ts', tests: 'evidence/src/(observers|trust-root)\\.test\\.ts$' },
  { file: 'evidence/src/bounded-rlp.ts', tests: 'evidence/src/ethereum-header\\.test\\.ts$' },
  { file: 'evidence/src/ethereum-header.ts', tests: 'evidence/src/ethereum-header\\.test\\.ts$' },
  { file: 'evidence/src/header-reading.ts', tests: 'evidence/src/(bft|clique)-headers\\.test\\.ts$' },
  { file: 'evidence/src/qbft-header.ts', tests: 'evidence/src/bft-headers\\.test\\.ts$' },
  { file: 'evidence/src/ibft-header.ts', tests: 'evidence/src/bft-headers\\.test\\.ts$' },
  { file: 'evidence/src/ibft2-header.ts', tests: 'evidence/src/bft-headers\\.test\\.ts$' },
  { file: 'evidence/src/clique-header.ts', tests: 'evidence/src/clique-headers\\.test\\.ts$' },
  { file: 'evidence/src/validator-votes.ts', tests: 'evidence/src/validator-votes\\.test\\.ts$' },
  { file: 'evidence/src/sealed-header.ts', tests: 'evidence/src/((bft|clique)-headers|tracked-chain)\\.test\\.ts$' },
  { file: 'evidence/src/tracked-chain.ts', tests: 'evidence/src/((bft|clique)-headers|tracked-chain)\\.test\\.ts$' },
  { file: 'evidence/src/consensus-evidence.ts', tests: 'evidence/src/consensus-evidence\\.test\\.ts$' },
  { file: 'evidence/src/ethereum-receipt.ts', tests: 'evidence/src/ethereum-receipt\\.test\\.ts$' },
  { file: 'evidence/src/ethereum-receipt-proof.ts', tests: 'evidence/src/ethereum-receipt-proof\\.test\\.ts$' },
  { file: 'evidence/src/corda-amqp.ts', tests: 'evidence/src/corda-(amqp|known-schemas)\\.test\\.ts$' },
  { file: 'evidence/src/corda-components.ts', tests: 'evidence/src/corda-(recorded|notary)\\.test\\.ts$' },
  { file: 'evidence/src/corda-facts.ts', tests: 'evidence/src/corda-(facts|transaction)\\.test\\.ts$' },
  { file: 'evidence/src/corda-keys.ts', tests: 'evidence/src/corda-keys\\.test\\.ts$' },
  { file: 'evidence/src/corda-merkle.ts', tests: 'evidence/src/corda-(recorded|notary|known-schemas)\\.test\\.ts$' },
  { file: 'evidence/src/corda-notary.ts', tests: 'evidence/src/corda-notary\\.test\\.ts$' },
  {
    file: 'evidence/src/corda-objects.ts',
    tests: 'evidence/src/corda-(schema|transaction|known-schemas)\\.test\\.ts$',
  },
  { file: 'evidence/src/corda-schema.ts', tests: 'evidence/src/corda-schema\\.test\\.ts$' },
  { file: 'evidence/src/corda-signatures.ts', tests: 'evidence/src/corda-(notary|recorded)\\.test\\.ts$' },
  { file: 'evidence/src/corda-transaction.ts', tests: 'evidence/src/corda-transaction\\.test\\.ts$' },
  { file: 'evidence/src/corda-trust-root.ts', tests: 'evidence/src/corda-trust-root\\.test\\.ts$' },
  { file: 'evidence/src/corda-types.ts', tests: 'evidence/src/corda-trust-root\\.test\\.ts$' },
  { file: 'evidence/src/corda-known-schemas.ts', tests: 'evidence/src/corda-known-schemas\\.test\\.ts$' },
  { file: 'evidence/src/corda-known-components.ts', tests: 'evidence/src/corda-known-components\\.test\\.ts$' },
  { file: 'evidence/src/known-texts.ts', tests: 'evidence/src/known-texts\\.test\\.ts$' },
  { file: 'evidence/src/corda-vault-frame.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-payment.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-lock.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-command.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-states.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-control.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-terms.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-root.ts', tests: VAULT_TESTS },
  { file: 'evidence/src/corda-vault-creation.ts', tests: 'evidence/src/corda-vault-creation\\.test\\.ts$' },
  {
    file: 'evidence/src/corda-vault-guardians.ts',
    tests: 'evidence/src/corda-vault-(guardians|contents)\\.test\\.ts$',
  },
  { file: 'evidence/src/recovered-signer.ts', tests: 'evidence/src/corda-vault-(guardians|history)\\.test\\.ts$' },
  { file: 'evidence/src/corda-vault-history.ts', tests: 'evidence/src/corda-vault-history\\.test\\.ts$' },
  { file: 'protocol/src/canonical-reader.ts', tests: 'protocol/src/canonical-reader\\.test\\.ts$' },
  { file: 'protocol/src/corda-evidence.ts', tests: 'protocol/src/corda-evidence\\.test\\.ts$' },
  { file: 'protocol/src/corda-partial-tree.ts', tests: 'protocol/src/corda-evidence\\.test\\.ts$' },
  { file: 'enclave-core/src/relay/corda-signatures.ts', tests: 'enclave-core/src/relay/corda-signatures\\.test\\.ts$' },
  { file: 'protocol/src/consensus-evidence.ts', tests: 'protocol/src/consensus-evidence\\.test\\.ts$' },
  { file: 'enclave-core/src/relay/secp256k1.ts', tests: 'enclave-core/src/relay/secp256k1\\.test\\.ts$' },
  { file: 'protocol/src/evm-vault-log.ts', tests: 'protocol/src/evm-vault-log\\.test\\.ts$' },
  { file: 'protocol/src/observer-evidence.ts', tests: 'protocol/src/observer-evidence\\.test\\.ts$' },
  { file: 'protocol/src/canonical-cbor.ts', tests: 'protocol/src/(observer-evidence|envelope)\\.test\\.ts$' },
  { file: 'observers/src/attestor.ts', tests: 'observers/src/attestor\\.test\\.ts$' },
  { file: 'observers/src/json-rpc-node.ts', tests: 'observers/src/json-rpc-node\\.test\\.ts$' },
];

const PARTS = ['protocol', 'evidence', 'enclave-core', 'observers'] as const;

/** Checks that a later one repeats, so that no test can tell; they are there for their words. */
const REPEATED: Readonly<Record<string, string>> = {
  'without if (observers.length === 0)': 'no threshold lies between 1 and none',
  'without if (version !== 1)': 'the canonical form writes version 1',
  "without if (rule !== 'observers')": 'the canonical form writes the rule',
  'without if (kind !== expected)': 'the canonical form writes the kind',
  "without ?? refuse('evidence rule is not one of consensus')": 'the canonical form writes the rule that was found',
  "with nothing for demandHead(parts, 'headers');": 'the canonical form writes version and kind',
  "with nothing for demandHead(parts, 'event');": 'the canonical form writes version and kind',
  'without if (notations === undefined || transforms === undefined)': 'as many parts are read as are asked for',
  'without if (end > this.#bytes.length)': 'a value beyond the bytes is refused when it is read',
  'without if (length > HASH_BYTES)': 'what is not compared by fours is compared byte by byte',
  'with knownComponent(bytes, types, [...types.byName.keys()]) for knownComponent(bytes, types, [TYPE.signers])':
    'only a list of keys is read as signers',
  'with knownComponent(bytes, types, [...types.byName.keys()]) for knownComponent(bytes, types, [TYPE.party])':
    'only a party with a name is read as the notary',
  'without if (count > size)': 'more values than bytes run beyond the end, or above the most',
  'without if (field === undefined)': 'a list has as many values as its type has fields',
  'with nothing for Array.isArray(value) && ':
    'nothing else has parts of these kinds, and the canonical form is a list',
  'with maxBytes: 2 ** 30 for maxBytes: MAX_CONSENSUS_EVIDENCE_BYTES':
    'the bounds of its parts come to less; it spares decoding',
  'with nothing for && value.length === length': 'the canonical form has that many parts',
  'with item.length !== 3 for !Array.isArray(item) || item.length !== 3': 'three bytes have no address among them',
  'with nothing for || !areStrings(items)': 'RLP of depth 1 has no list in its list',
  'with nothing for part instanceof Uint8Array && ': 'RLP of depth 2 has no list in the lists of its list',
};

function mutantsOf(file: string, source: string): Mutant[] {
  const entries = source.includes('const CHECKS') ? withoutEntries(source, 'const CHECKS: readonly Check[] = [') : [];
  const replacements = [
    ...REPLACEMENTS,
    ...EVENT_REPLACEMENTS,
    ...CORDA_REPLACEMENTS,
    ...CORDA_VAULT_REPLACEMENTS,
  ].filter((replacement) => replacement.file === file);
  return [...entries, ...withoutGuards(source), ...replacements.map((one) => withReplacement(source, one))];
}

/** A copy of what the tests load, with modules resolved into the copy. */
function copyRepository(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'drawbridge-mutation-')));
  for (const part of PARTS) {
    cpSync(join(REPOSITORY, part), join(root, part), {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|dist)$/.test(path),
    });
  }
  for (const part of ['connectors', 'test']) symlinkSync(join(REPOSITORY, part), join(root, part));
  const modules = join(REPOSITORY, 'node_modules');
  mkdirSync(join(root, 'node_modules/@drawbridge'), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (!name.startsWith('.') && name !== '@drawbridge')
      symlinkSync(join(modules, name), join(root, 'node_modules', name));
  }
  for (const part of PARTS) symlinkSync(join(root, part), join(root, 'node_modules/@drawbridge', part));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  return root;
}

/** `protocol` tests read the contract's ABI and the vectors, which stay where they are. */
async function jestConfig(root: string): Promise<string> {
  const module = (await import(join(REPOSITORY, 'jest.config.mjs'))) as { default: { projects: object[] } };
  const unit = { ...module.default.projects[0], displayName: 'mutant', testPathIgnorePatterns: ['/node_modules/'] };
  const path = join(root, 'jest.config.json');
  writeFileSync(
    path,
    JSON.stringify({ ...unit, testMatch: ['<rootDir>/**/src/**/*.test.ts'], haste: { enableSymlinks: false } }),
  );
  return path;
}

/** Whether the tests fail. */
function noticed(root: string, config: string, tests: string): boolean {
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    JEST,
    '--config',
    config,
    '--rootDir',
    root,
    '--bail',
    '--runInBand',
    '--silent',
    '--testPathPatterns',
    tests,
  ];
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore' });
  if (error) throw error;
  return status !== 0;
}

async function main(only: string): Promise<number> {
  const root = copyRepository();
  let unnoticed = 0;
  try {
    const config = await jestConfig(root);
    for (const { file, tests } of SUBJECTS) {
      const path = join(root, file);
      const source = readFileSync(path, 'utf8');
      const mutants = mutantsOf(file, source).filter(({ name }) => `${file} ${name}`.includes(only));
      if (mutants.length > 0 && noticed(root, config, tests))
        throw new Error(`the tests of ${file} fail without a mutant`);
      for (const mutant of mutants) {
        writeFileSync(path, mutant.source);
        const repeated = REPEATED[mutant.name];
        const seen = noticed(root, config, tests);
        if (!seen && repeated === undefined) unnoticed++;
        const verdict = seen ? 'noticed  ' : repeated === undefined ? 'UNNOTICED' : 'repeated ';
        console.log(
          `${verdict} ${file}:${mutant.line} ${mutant.name}${seen ? '' : ` (${repeated ?? 'no test fails'})`}`,
        );
      }
      writeFileSync(path, source);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  console.log(unnoticed === 0 ? 'every check has a test' : `${unnoticed} checks have no test`);
  return unnoticed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? '');
