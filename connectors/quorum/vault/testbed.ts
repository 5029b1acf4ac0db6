/** A real EVM (anvil, rules of London) with vaults on it, and what signs and calls in the tests of this folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import {
  Contract,
  ContractFactory,
  HDNodeWallet,
  id as hashText,
  type Interface,
  isError,
  JsonRpcProvider,
  type Log,
  type Provider,
  Signature,
  type Signer,
  SigningKey,
  type TransactionReceipt,
  TypedDataEncoder,
  Wallet,
  ZeroHash,
  zeroPadValue,
} from 'ethers';
import type { Artifact } from './compiler.ts';

/** First block's time, Unix seconds: fixed, so that nothing here depends on today. */
export const START_SECONDS = 1_700_000_000;
const START_DEADLINE_MS = 20_000;
/** Fixed, so that no transaction asks the node for gas or fees first. */
const FEES = { gasLimit: 5_000_000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n };
const MNEMONIC = 'test test test test test test test test test test test junk';

export type Chain = Readonly<{
  provider: JsonRpcProvider;
  /** Funded accounts: 0 deploys. */
  accounts: readonly HDNodeWallet[];
  stop(): Promise<void>;
}>;

/** Starts anvil on a random loopback port. */
export async function startChain(): Promise<Chain> {
  const require = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const binary = require.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`);
  const options = ['--host', '127.0.0.1', '--port', '0', '--hardfork', 'london', '--timestamp', `${START_SECONDS}`];
  const child = spawn(binary, [...options, '--mnemonic', MNEMONIC], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await listeningPort(child);
  const provider = new JsonRpcProvider(`http://127.0.0.1:${port}`, 31337, {
    staticNetwork: true,
    cacheTimeout: -1,
    batchMaxCount: 1,
    pollingInterval: 10,
  });
  const accounts = Array.from({ length: 6 }, (_, n) =>
    HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${n}`).connect(provider),
  );
  const stop = async (): Promise<void> => {
    provider.destroy();
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  };
  return { provider, accounts, stop };
}

function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('anvil does not listen'));
    }, START_DEADLINE_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code}`)));
    if (!child.stdout) return reject(new Error('anvil has no output'));
    createInterface(child.stdout).on('line', (line) => {
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(Number(port));
    });
  });
}

export const KIND = { release: 1, issue: 2, refund: 3, void: 4, rotate: 5, pause: 6, unpause: 7, migrate: 8 } as const;
export const AUTHORITY: SigningKey = new SigningKey(hashText('vault tests: authority'));
export const AUTHORITY_ADDRESS: string = new Wallet(AUTHORITY.privateKey).address;
/** Ten keys, of which a vault takes the first five. */
export const GUARDIANS: readonly Wallet[] = Array.from(
  { length: 10 },
  (_, n) => new Wallet(hashText(`vault tests: guardian ${n}`)),
);
export const EUR: string = hashText('EUR');
/** Base units in a minor unit: a token of four decimals for an asset of two. */
export const UNIT = 100n;

const FIELDS = [
  { name: 'id', type: 'bytes32' },
  { name: 'kind', type: 'uint8' },
  { name: 'subject', type: 'bytes32' },
  { name: 'asset', type: 'bytes32' },
  { name: 'amount', type: 'uint64' },
  { name: 'beneficiary', type: 'bytes32' },
  { name: 'inputs', type: 'bytes32' },
  { name: 'notAfter', type: 'uint64' },
  { name: 'epoch', type: 'uint32' },
  { name: 'trail', type: 'bytes' },
];

export type Instruction = Readonly<{
  id: string;
  kind: number;
  subject: string;
  asset: string;
  amount: bigint;
  beneficiary: string;
  inputs: string;
  notAfter: bigint;
  epoch: number;
  trail: string;
}>;

export const word = (address: string): string => zeroPadValue(address, 32);

export function loadArtifact(path: string): Artifact {
  return JSON.parse(readFileSync(new URL(`./artifacts/${path}.json`, import.meta.url), 'utf8')) as Artifact;
}

/** Deploys an artifact (path without `.json`) and waits for it. */
export async function deploy(signer: Signer, path: string, args: readonly unknown[] = []): Promise<Contract> {
  const { abi, bytecode } = loadArtifact(path);
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args, FEES);
  await contract.waitForDeployment();
  return new Contract(await contract.getAddress(), abi, signer);
}

const as = (contract: Contract, signer: Signer | undefined): Contract =>
  signer ? new Contract(contract.target, contract.interface, signer) : contract;

/** Sends a transaction and waits until it is mined; a revert throws. */
export async function send(
  contract: Contract,
  name: string,
  args: readonly unknown[],
  signer?: Signer,
): Promise<TransactionReceipt> {
  const response = await as(contract, signer)
    .getFunction(name)
    .send(...args, FEES);
  const receipt = await response.wait();
  if (!receipt) throw new Error(`${name} was not mined`);
  return receipt as TransactionReceipt;
}

export function read<T>(contract: Contract, name: string, ...args: readonly unknown[]): Promise<T> {
  return contract.getFunction(name).staticCall(...args) as Promise<T>;
}

/** Why the chain would refuse the call: `Name` or `Name(a,b)`; throws when it would accept. */
export async function refusal(
  contract: Contract,
  name: string,
  args: readonly unknown[],
  signer?: Signer,
): Promise<string> {
  try {
    await as(contract, signer)
      .getFunction(name)
      .staticCall(...args);
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION')) throw error;
    const parsed = error.data === null || error.data === '0x' ? null : contract.interface.parseError(error.data);
    if (!parsed) return error.reason ?? error.data ?? 'unnamed';
    return parsed.args.length > 0 ? `${parsed.name}(${parsed.args.join(',')})` : parsed.name;
  }
  throw new Error(`${name} is not refused`);
}

export type Bed = Readonly<{ chain: Chain; vault: Contract; address: string; token: Contract; salt: string }>;

/** A valid configuration, to be changed field by field. */
export function vaultConfig(token: string, change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    serviceId: hashText('service'),
    networkIdHash: hashText('alpha'),
    genesisHash: hashText('genesis'),
    authority: AUTHORITY_ADDRESS,
    token,
    mode: 1,
    asset: EUR,
    unit: UNIT,
    releaseCap: 1_000_000n,
    capWindowSeconds: 3600,
    guardians: GUARDIANS.slice(0, 5).map((guardian) => guardian.address),
    guardianThreshold: 3,
    guardianDelaySeconds: 86_400,
    ...change,
  };
}

type BedOptions = { token?: string; tokenArguments?: readonly unknown[]; config?: Readonly<Record<string, unknown>> };

/** An escrow vault over `token` (an artifact), of which accounts 1 and 2 hold and allowed 10^12 base units. */
export async function escrowBed(chain: Chain, options: BedOptions = {}): Promise<Bed> {
  const [deployer, alice, bob] = people(chain);
  const path = options.token ?? 'TestToken';
  const named = path === 'TestToken' || path === 'BlockingToken';
  const token = await deploy(deployer, path, options.tokenArguments ?? (named ? ['Euro', 'EURT', 4] : []));
  const vault = await deploy(deployer, 'DrawbridgeVault');
  await send(vault, 'initialize', [vaultConfig(await token.getAddress(), options.config)]);
  for (const holder of [alice, bob]) {
    await send(token, 'mint', [holder.address, 10n ** 12n]);
    await send(token, 'approve', [vault.target, 10n ** 12n], holder);
  }
  return bedOf(chain, vault, token);
}

/** An issue vault and its own token; account 1 was issued 1,000 minor units and allowed the vault all. */
export async function issueBed(chain: Chain, config: Readonly<Record<string, unknown>> = {}): Promise<Bed> {
  const [deployer, alice] = people(chain);
  const vault = await deploy(deployer, 'DrawbridgeVault');
  const token = await deploy(deployer, 'DrawbridgeToken', ['Euro on Beta', 'EURB', 4, vault.target]);
  await send(vault, 'initialize', [vaultConfig(await token.getAddress(), { mode: 2, ...config })]);
  const bed = await bedOf(chain, vault, token);
  await execute(bed, { kind: KIND.issue, amount: 1_000n, beneficiary: word(alice.address) });
  await send(token, 'approve', [vault.target, 2n ** 255n], alice);
  return bed;
}

async function bedOf(chain: Chain, vault: Contract, token: Contract): Promise<Bed> {
  return { chain, vault, address: await vault.getAddress(), token, salt: await read<string>(vault, 'domainSalt') };
}

/** Deployer, Alice and Bob (depositors), Carol (beneficiary), a courier. */
export function people(chain: Chain): [HDNodeWallet, HDNodeWallet, HDNodeWallet, HDNodeWallet, HDNodeWallet] {
  const [deployer, alice, bob, carol, courier] = chain.accounts;
  if (!deployer || !alice || !bob || !carol || !courier) throw new Error('too few accounts');
  return [deployer, alice, bob, carol, courier];
}

let instructions = 0;
/** An instruction in EUR, epoch 1, with a fresh id. */
export function instruction(change: Partial<Instruction> & { kind: number }): Instruction {
  instructions += 1;
  return {
    id: hashText(`instruction ${instructions}`),
    subject: ZeroHash,
    asset: EUR,
    amount: 0n,
    beneficiary: ZeroHash,
    inputs: ZeroHash,
    notAfter: 0n,
    epoch: 1,
    trail: `0x${'ab'.repeat(80)}`,
    ...change,
  };
}

export function digestOf(salt: string, of: Instruction): string {
  return TypedDataEncoder.hash({ name: 'Drawbridge', version: '1', salt }, { Instruction: FIELDS }, of);
}
export function sign(salt: string, of: Instruction, key: SigningKey = AUTHORITY): string {
  return key.sign(digestOf(salt, of)).serialized;
}
/** The arguments of `execute` and `void`: a signed instruction. */
export function signed(bed: Bed, change: Partial<Instruction> & { kind: number }): [Instruction, string] {
  const made = instruction(change);
  return [made, sign(bed.salt, made)];
}

/** Executes (or voids) a fresh instruction, submitted by the courier, and gives it back. */
export async function execute(bed: Bed, change: Partial<Instruction> & { kind: number }): Promise<Instruction> {
  const [made, signature] = signed(bed, change);
  await send(bed.vault, made.kind === KIND.void ? 'void' : 'execute', [made, signature], people(bed.chain)[4]);
  return made;
}

/** Why the vault would refuse a correctly signed fresh instruction. */
export async function refusedInstruction(bed: Bed, change: Partial<Instruction> & { kind: number }): Promise<string> {
  return refusal(bed.vault, change.kind === KIND.void ? 'void' : 'execute', signed(bed, change));
}

/** The event of a receipt as `{ name, …arguments }`; the vault emits one per call. */
export function eventOf(bed: Bed, receipt: TransactionReceipt): Record<string, unknown> {
  const events = receipt.logs.filter((log) => log.address === bed.address);
  const [event] = events;
  if (events.length !== 1 || !event) throw new Error(`${events.length} events`);
  return parseEvent(bed.vault.interface, event);
}
export function parseEvent(abi: Interface, log: Pick<Log, 'topics' | 'data'>): Record<string, unknown> {
  const parsed = abi.parseLog(log);
  if (!parsed) throw new Error('unknown event');
  return { name: parsed.name, ...parsed.args.toObject() };
}

/** Locks and returns the lock's id. */
export async function lock(
  bed: Bed,
  depositor: Signer,
  tokenAmount: bigint,
  reference: string = hashText('ref'),
): Promise<string> {
  const receipt = await send(bed.vault, 'lock', [reference, tokenAmount], depositor);
  return String(eventOf(bed, receipt).lockId);
}

/** Mines a block `seconds` later than the last one. */
export async function pass(chain: Chain, seconds: number): Promise<void> {
  await chain.provider.send('evm_increaseTime', [seconds]);
  await chain.provider.send('evm_mine', []);
}
export async function blockTime(provider: Provider): Promise<number> {
  return (await provider.getBlock('latest'))?.timestamp ?? 0;
}

/** Signatures of `signers` on a guardian action, under the vault's present nonce unless told otherwise. */
export async function guardianSignatures(
  bed: Bed,
  action: string,
  values: Readonly<Record<string, string>> = {},
  options: { signers?: readonly Wallet[]; nonce?: bigint; salt?: string } = {},
): Promise<string[]> {
  const nonce = options.nonce ?? (await read<bigint>(bed.vault, 'guardianNonce'));
  const addresses = Object.keys(values).map((name) => ({ name, type: 'address' }));
  const types = { [action]: [...addresses, { name: 'nonce', type: 'uint64' }] };
  const domain = { name: 'Drawbridge', version: '1', salt: options.salt ?? bed.salt };
  const signers = options.signers ?? GUARDIANS.slice(0, 3);
  return Promise.all(signers.map((signer) => signer.signTypedData(domain, types, { ...values, nonce })));
}

/** The same signature with s in the upper half of the order. */
export function highS(signature: string): string {
  const { r, s, v } = Signature.from(signature);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const mirrored = (order - BigInt(s)).toString(16).padStart(64, '0');
  return `${r}${mirrored}${v === 27 ? '1c' : '1b'}`;
}
