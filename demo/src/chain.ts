/** One development network: its node, its tokens and vaults, and the wallets of the banks on it. */

import { type DeployedVault, deployTokens, deployVault, VAULT_MODE } from '@drawbridge/connector-quorum/deploy-vault';
import {
  blockingTokenArtifact,
  drawbridgeTokenArtifact,
  vaultArtifact,
} from '@drawbridge/connector-quorum/vault-artifact';
import { type AnvilChain, startAnvil } from '@drawbridge/devnets/anvil';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { assetHash, networkIdHash } from '@drawbridge/protocol/instruction';
import { Contract, JsonRpcProvider, MaxUint256, NonceManager, Wallet } from 'ethers';
import { type AssetSpec, BANKS, OPENING_MINOR } from './cast.ts';
import type { NetworkVault, ValueNetwork } from './value-network.ts';

/** How often ethers looks for a receipt, ms. */
const POLL_MS = 100;
/** What may leave a vault in one window, in minor units, and how long a window is. */
const RELEASE_CAP_MINOR = 2_000_000_000n;
const CAP_WINDOW_SECONDS = 3_600;
const GUARDIAN_DELAY_SECONDS = 86_400;

/** Places of the accounts that the network funds. */
const DEPLOYER = 0;
const FEES = 1;
const FIRST_BANK = 2;
const FIRST_GUARDIAN = 5;
const REFUSED = 8;

/** A node of a development network, with funded accounts. */
export type ChainNode = Readonly<{
  rpcUrl: string;
  /** Where the node announces its blocks, if it does. */
  wsUrl?: string;
  genesisHash: string;
  accounts: readonly Readonly<{ address: string; privateKey: string }>[];
  stop: () => Promise<void>;
  /** Anvil's own verbs, where it is anvil. */
  anvil?: AnvilChain;
  /** How the core and the connector believe it: the registration, and what the connector's file says. Observers when left out. */
  consensus?: Readonly<{ finality: object; connector: object }>;
}>;

export type ChainVault = NetworkVault &
  Readonly<{
    token: string;
    /** Token base units per minor unit. */
    unit: bigint;
    fromBlock: number;
  }>;

export type Chain = Omit<ValueNetwork, 'vaults'> &
  Readonly<{
    refusedAddress: string;
    chainId: number;
    rpcUrl: string;
    wsUrl?: string;
    genesisHash: Bytes32;
    /** @throws RangeError where the node is not anvil */
    anvil: AnvilChain;
    consensus?: ChainNode['consensus'];
    provider: JsonRpcProvider;
    /** Private key that pays the connector's fees. */
    feeKey: string;
    vaults: readonly ChainVault[];
    /** Makes the wallets ask the chain for their nonces again: after a reorganisation that dropped what they sent. */
    forgetNonces: () => void;
    /** Token balance in minor units. */
    balanceOf: (asset: string, address: string) => Promise<bigint>;
    /** Is a lock with this reference on the chain now? */
    hasLock: (asset: string, reference: string) => Promise<boolean>;
    stop: () => Promise<void>;
  }>;

export type ChainOptions = Readonly<{
  network: string;
  chainId: number;
  serviceId: Bytes32;
  assets: readonly AssetSpec[];
  /** Authority address of each vault on this network, by asset. */
  authorities: Readonly<Record<string, string>>;
  node: ChainNode;
}>;

export type StartChainNode = (chainId: number, logFile: string) => Promise<ChainNode>;

export const startAnvilNode: StartChainNode = async (chainId, logFile) => {
  const anvil = await startAnvil({ chainId, blockTimeSeconds: 1, logFile });
  const { rpcUrl, wsUrl, genesisHash, accounts } = anvil;
  return { rpcUrl, wsUrl, genesisHash, accounts, stop: () => anvil.stop(), anvil };
};

/** Deploys tokens and vaults on a running node and opens the banks' wallets. */
export async function prepareChain(options: ChainOptions): Promise<Chain> {
  const { network, chainId, node } = options;
  const provider = new JsonRpcProvider(node.rpcUrl, chainId, { staticNetwork: true, pollingInterval: POLL_MS });
  const account = (index: number) => {
    const found = node.accounts[index];
    if (!found) throw new RangeError(`${network} has no account ${index}`);
    return found;
  };
  const deployer = new NonceManager(new Wallet(account(DEPLOYER).privateKey, provider));
  const walletOf = (bank: string) => account(FIRST_BANK + BANKS.findIndex((known) => known.short === bank));
  const genesisHash = parseBytes32(node.genesisHash);
  const guardians = [0, 1, 2].map((i) => account(FIRST_GUARDIAN + i).address);
  const vaults: ChainVault[] = [];
  for (const asset of options.assets) {
    const native = asset.home === network;
    const unit = 10n ** BigInt(asset.decimals - asset.scale);
    const token = native
      ? await deployNative(
          deployer,
          asset,
          Object.fromEntries(BANKS.map((bank) => [walletOf(bank.short).address, OPENING_MINOR * unit])),
          account(REFUSED).address,
        )
      : { name: `Drawbridge ${asset.code}`, symbol: `d${asset.code}`, decimals: asset.decimals };
    const deployed: DeployedVault = await deployVault(deployer, {
      serviceId: options.serviceId,
      networkIdHash: networkIdHash(parseNetworkId(network)),
      genesisHash,
      authority: options.authorities[asset.code] ?? '',
      token,
      mode: native ? VAULT_MODE.escrow : VAULT_MODE.issue,
      asset: assetHash(parseAssetCode(asset.code)),
      unit,
      releaseCap: RELEASE_CAP_MINOR,
      capWindowSeconds: CAP_WINDOW_SECONDS,
      guardians,
      guardianThreshold: 2,
      guardianDelaySeconds: GUARDIAN_DELAY_SECONDS,
    });
    vaults.push({
      asset: asset.code,
      mode: native ? 'escrow' : 'issue',
      address: deployed.address,
      token: deployed.token,
      unit,
      fromBlock: deployed.blockNumber,
    });
  }
  const vaultOf = (asset: string): ChainVault => {
    const found = vaults.find((vault) => vault.asset === asset);
    if (!found) throw new RangeError(`${network} has no vault of ${asset}`);
    return found;
  };
  const tokenOf = (asset: string) => new Contract(vaultOf(asset).token, drawbridgeTokenArtifact.abi, provider);
  const balanceOf = async (asset: string, address: string): Promise<bigint> =>
    ((await tokenOf(asset).getFunction('balanceOf').staticCall(address)) as bigint) / vaultOf(asset).unit;
  const signers = new Map(
    BANKS.map((bank) => [bank.short, new NonceManager(new Wallet(walletOf(bank.short).privateKey, provider))]),
  );
  const approvals = new Map<string, Promise<void>>();
  return {
    network,
    chainId,
    rpcUrl: node.rpcUrl,
    ...(node.wsUrl !== undefined && { wsUrl: node.wsUrl }),
    genesisHash,
    get anvil() {
      if (!node.anvil) throw new RangeError(`${network} is not anvil`);
      return node.anvil;
    },
    ...(node.consensus && { consensus: node.consensus }),
    provider,
    feeKey: account(FEES).privateKey,
    vaults,
    wallet: (bank) => walletOf(bank).address,
    refusedAddress: account(REFUSED).address,
    balanceOf,
    lock: (bank, asset, reference, amountMinor) =>
      lock({ signer: signers.get(bank), vault: vaultOf(asset), reference, amountMinor, approvals }),
    forgetNonces: () => {
      for (const signer of signers.values()) signer.reset();
    },
    hasLock: async (asset, reference) => {
      const { address, fromBlock } = vaultOf(asset);
      const topics = [VAULT_TOPICS.locked, null, null, reference];
      return (await provider.getLogs({ address, fromBlock, toBlock: 'latest', topics })).length > 0;
    },
    lockedAmount: async (asset, lockId) => {
      const vault = new Contract(vaultOf(asset).address, vaultArtifact.abi, provider);
      const [, amount] = (await vault.getFunction('lockOf').staticCall(lockId)) as [string, bigint];
      return amount;
    },
    vaultTotal: async (asset) => {
      const vault = vaultOf(asset);
      if (vault.mode === 'escrow') return balanceOf(asset, vault.address);
      return ((await tokenOf(asset).getFunction('totalSupply').staticCall()) as bigint) / vault.unit;
    },
    stop: async () => {
      provider.destroy();
      await node.stop();
    },
  };
}

async function deployNative(
  deployer: NonceManager,
  asset: AssetSpec,
  holdings: Record<string, bigint>,
  refused: string,
): Promise<string> {
  const spec = {
    name: `Development ${asset.code}`,
    symbol: asset.code,
    decimals: asset.decimals,
    blocking: true,
    holdings,
  };
  const [token = ''] = await deployTokens(deployer, [spec]);
  const contract = new Contract(token, blockingTokenArtifact.abi, deployer);
  await (await contract.getFunction('setBlocked').send(refused, true)).wait();
  return token;
}

/**
 * What a bank's own software does with the core's answer. It approves the vault once for all its locks, since an
 * allowance set anew for each would be overwritten by the next.
 */
async function lock(input: {
  signer: NonceManager | undefined;
  vault: ChainVault;
  reference: string;
  amountMinor: bigint;
  /** One approval per wallet and token. */
  approvals: Map<string, Promise<void>>;
}): Promise<void> {
  const { signer, vault, reference, approvals } = input;
  if (!signer) throw new RangeError('unknown bank');
  const key = `${await signer.getAddress()}/${vault.token}`;
  const approved = approvals.get(key) ?? approve(signer, vault);
  approvals.set(key, approved);
  await approved;
  const amount = input.amountMinor * vault.unit;
  const sent = await new Contract(vault.address, vaultArtifact.abi, signer).getFunction('lock').send(reference, amount);
  await sent.wait();
}

async function approve(signer: NonceManager, vault: ChainVault): Promise<void> {
  const token = new Contract(vault.token, drawbridgeTokenArtifact.abi, signer);
  await (await token.getFunction('approve').send(vault.address, MaxUint256)).wait();
}
