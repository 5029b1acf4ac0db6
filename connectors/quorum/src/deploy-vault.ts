/**
 * Puts vaults, and the test tokens of development networks, on an EVM chain. Transactions go out one after another and
 * each is mined before the next; the chain's block time sets the pace (ethers polls at the provider's `pollingInterval`).
 */
import { Contract, ContractFactory, type Signer } from 'ethers';
import {
  blockingTokenArtifact,
  type ContractArtifact,
  drawbridgeTokenArtifact,
  testTokenArtifact,
  vaultArtifact,
} from './vault-artifact.ts';

export const VAULT_MODE: Readonly<{ escrow: 1; issue: 2 }> = { escrow: 1, issue: 2 };

/** A representation token to deploy with an issue vault; `decimals` is at least the asset's scale. */
export type IssuedToken = Readonly<{ name: string; symbol: string; decimals: number }>;

/** What `initialize` takes: 32-byte values and addresses as `0x…`, amounts in minor units. */
export type VaultConfig = Readonly<{
  serviceId: string;
  /** keccak256 of the network id in UTF-8. */
  networkIdHash: string;
  genesisHash: string;
  authority: string;
  /** Address of the ERC-20 token; in issue mode also a token to deploy. */
  token: string | IssuedToken;
  mode: 1 | 2;
  /** keccak256 of the asset code in UTF-8. */
  asset: string;
  /** Token base units in one minor unit: 10^(token decimals − asset scale). */
  unit: bigint;
  releaseCap: bigint;
  capWindowSeconds: number;
  guardians: readonly string[];
  guardianThreshold: number;
  guardianDelaySeconds: number;
}>;

/** `blockNumber` is the first block that can hold an event of the vault. */
export type DeployedVault = Readonly<{ address: string; token: string; domainSalt: string; blockNumber: number }>;

/** `holdings` maps an address to base units; a `blocking` token can refuse recipients. */
export type TestTokenSpec = Readonly<{
  name: string;
  symbol: string;
  decimals: number;
  blocking?: boolean;
  holdings?: Readonly<Record<string, bigint>>;
}>;

/** A contract that is not what was asked for: do not use it. */
export class VaultDeployError extends Error {
  override readonly name = 'VaultDeployError';
  readonly code: 'VAULT_TOKEN_FOREIGN' | 'VAULT_TRANSACTION_LOST' | 'VAULT_CONFIG';
  constructor(code: VaultDeployError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Deploys a vault, in issue mode its token too, and initializes it. The signer is the vault's deployer, which after this
 * has no rights. Throws VaultDeployError, or ethers' own error when the chain refuses (for instance `InvalidConfig`).
 */
export async function deployVault(signer: Signer, config: VaultConfig): Promise<DeployedVault> {
  const { contract, blockNumber } = await deploy(signer, vaultArtifact, []);
  const address = await contract.getAddress();
  const token = await tokenFor(signer, config, address);
  await mined(contract.getFunction('initialize').send({ ...config, token }));
  if (config.mode === VAULT_MODE.issue) await demandOwnToken(signer, token, address);
  const domainSalt: string = await contract.getFunction('domainSalt').staticCall();
  return { address, token, domainSalt, blockNumber };
}

/** Deploys test tokens and mints their holdings; addresses come in the order of `specs`. */
export async function deployTokens(signer: Signer, specs: readonly TestTokenSpec[]): Promise<string[]> {
  const addresses: string[] = [];
  for (const { name, symbol, decimals, blocking, holdings } of specs) {
    const artifact = blocking ? blockingTokenArtifact : testTokenArtifact;
    const { contract } = await deploy(signer, artifact, [name, symbol, decimals]);
    for (const [holder, amount] of Object.entries(holdings ?? {})) {
      await mined(contract.getFunction('mint').send(holder, amount));
    }
    addresses.push(await contract.getAddress());
  }
  return addresses;
}

async function tokenFor(signer: Signer, config: VaultConfig, vault: string): Promise<string> {
  if (typeof config.token === 'string') return config.token;
  if (config.mode !== VAULT_MODE.issue)
    throw new VaultDeployError('VAULT_CONFIG', 'an escrow vault needs a token address');
  const { name, symbol, decimals } = config.token;
  const { contract } = await deploy(signer, drawbridgeTokenArtifact, [name, symbol, decimals, vault]);
  return contract.getAddress();
}

async function demandOwnToken(signer: Signer, token: string, vault: string): Promise<void> {
  const owner: string = await new Contract(token, drawbridgeTokenArtifact.abi, signer)
    .getFunction('vault')
    .staticCall();
  if (owner.toLowerCase() === vault.toLowerCase()) return;
  throw new VaultDeployError('VAULT_TOKEN_FOREIGN', `token ${token} is minted by ${owner}, not by vault ${vault}`);
}

async function deploy(
  signer: Signer,
  artifact: ContractArtifact,
  constructorArguments: readonly unknown[],
): Promise<{ contract: Contract; blockNumber: number }> {
  const factory = new ContractFactory(artifact.abi, artifact.bytecode, signer);
  const deployed = await factory.deploy(...constructorArguments);
  const transaction = deployed.deploymentTransaction();
  if (!transaction) throw new VaultDeployError('VAULT_TRANSACTION_LOST', `${artifact.contractName} was not sent`);
  const blockNumber = await mined(Promise.resolve(transaction));
  return { contract: new Contract(await deployed.getAddress(), artifact.abi, signer), blockNumber };
}

/** Waits until the transaction is in a block, and gives its number. A reverted one throws ethers' CALL_EXCEPTION. */
async function mined(sent: Promise<{ wait(): Promise<{ blockNumber: number } | null> }>): Promise<number> {
  const receipt = await (await sent).wait();
  if (!receipt) throw new VaultDeployError('VAULT_TRANSACTION_LOST', 'a transaction has no receipt');
  return receipt.blockNumber;
}
