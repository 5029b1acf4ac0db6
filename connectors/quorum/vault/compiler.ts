/**
 * Compiles the vault's Solidity with the pinned `solc` from npm. Deterministic: the same sources give the same bytes on
 * every machine, and comments do not change the bytecode, since no metadata hash is appended.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { JsonFragment } from 'ethers';
import solc from 'solc';

/** One contract, as its artifact file holds it. `bytecode` is the creation code, `0x…`, without constructor arguments. */
export type Artifact = Readonly<{
  contractName: string;
  compiler: string;
  evmVersion: string;
  optimizerRuns: number;
  abi: readonly JsonFragment[];
  bytecode: string;
  deployedBytecode: string;
}>;

type Diagnostic = { severity: string; formattedMessage: string };
type Contract = {
  abi: JsonFragment[];
  evm: { bytecode: { object: string }; deployedBytecode: { object: string } };
};
type Output = { errors?: Diagnostic[]; contracts?: Record<string, Record<string, Contract>> };

const SOURCES: URL = new URL('./contracts/', import.meta.url);
/** GoQuorum 24.4.1 and geth 1.13 run it: no PUSH0, no transient storage; a test walks the opcodes. */
const EVM_VERSION = 'london';
const OPTIMIZER_RUNS = 200;
/** Artifacts to keep, by the name of the contract, and where: the empty folder is the root of `artifacts/`. */
const KEPT: Readonly<Record<string, string>> = {
  DrawbridgeVault: '',
  DrawbridgeToken: '',
  TestToken: '',
  BlockingToken: '',
  FeeToken: 'test/',
  FalseToken: 'test/',
  LyingToken: 'test/',
  ShortAnswerToken: 'test/',
  ReentrantToken: 'test/',
  SilentToken: 'test/',
  CrookedMintToken: 'test/',
};

export class CompileError extends Error {
  override readonly name = 'CompileError';
  readonly code = 'SOLIDITY_REFUSED' as const;
}

/** Path under `artifacts/` → artifact. Throws CompileError on any diagnostic, warnings included. */
export function compileContracts(): Map<string, Artifact> {
  const input = {
    language: 'Solidity',
    sources: readSources(),
    settings: {
      evmVersion: EVM_VERSION,
      optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const complaints = (output.errors ?? []).map((error) => error.formattedMessage);
  if (complaints.length > 0) throw new CompileError(complaints.join('\n'));
  const artifacts = new Map<string, Artifact>();
  for (const contracts of Object.values(output.contracts ?? {})) {
    for (const [contractName, contract] of Object.entries(contracts)) {
      const folder = KEPT[contractName];
      if (folder !== undefined) artifacts.set(`${folder}${contractName}.json`, artifact(contractName, contract));
    }
  }
  const missing = Object.keys(KEPT).length - artifacts.size;
  if (missing > 0) throw new CompileError(`${missing} contracts to keep were not compiled`);
  return artifacts;
}

/** The bytes of an artifact's file. */
export function artifactText(value: Artifact): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function readSources(): Record<string, { content: string }> {
  const names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sol'));
  return Object.fromEntries(
    names.sort().map((name) => [name, { content: readFileSync(new URL(name, SOURCES), 'utf8') }]),
  );
}

function artifact(contractName: string, contract: Contract): Artifact {
  return {
    contractName,
    compiler: solc.version(),
    evmVersion: EVM_VERSION,
    optimizerRuns: OPTIMIZER_RUNS,
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
  };
}
