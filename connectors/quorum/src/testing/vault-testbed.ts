/**
 * A vault on a development network with everything that a test needs to play the core for it: the authority's key, a
 * token that can refuse a beneficiary, signed instructions. Development only: the keys are drawn here and thrown away.
 */
import { randomBytes } from 'node:crypto';
import { type AnvilChain, type Mining, startAnvil } from '@drawbridge/devnets/anvil';
import { type Bytes32, fromHex, type Hex, parseBytes32, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type EvmAddress,
  type NetworkId,
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
} from '@drawbridge/protocol/ids';
import {
  addressWord,
  assetHash,
  domainSalt,
  type Instruction,
  instructionDigest,
  networkIdHash,
} from '@drawbridge/protocol/instruction';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { Contract, computeAddress, JsonRpcProvider, Network, NonceManager, SigningKey, Wallet } from 'ethers';
import { deployTokens, deployVault, VAULT_MODE } from '../deploy-vault.ts';
import { RpcNode } from '../rpc-node.ts';
import { blockingTokenArtifact, vaultArtifact } from '../vault-artifact.ts';

export type VaultTestbedOptions = Readonly<{ chainId: number; mining: Mining; assets?: readonly string[] }>;

export type TestVault = Readonly<{ asset: AssetCode; address: EvmAddress; token: EvmAddress; fromBlock: number }>;

export type VaultTestbed = Readonly<{
  anvil: AnvilChain;
  node: RpcNode;
  network: NetworkId;
  serviceId: Bytes32;
  genesisHash: Bytes32;
  /** One per asset; the first is what functions below take by default. */
  vaults: readonly TestVault[];
  /** Private key of an account with ether. */
  feeKey: (index?: number) => string;
  /** A fresh release to a fresh beneficiary, or to one that the token refuses. */
  release: (options?: {
    refused?: boolean;
    notAfterSeconds?: number;
    amountMinor?: bigint;
    epoch?: number;
  }) => InstructionJob;
  voidOf: (target: InstructionJob) => InstructionJob;
  /** Signs anything; another key than the authority's where given. */
  sign: (instruction: Instruction, key?: string) => InstructionJob;
  /** Locks value with the depositor's own key, mined; emits one event. */
  lock: (amountMinor: bigint, reference?: string) => Promise<void>;
  /** What the beneficiary of a release holds, in minor units. */
  paid: (job: InstructionJob) => Promise<bigint>;
  stop: () => Promise<void>;
}>;

const AMOUNT_MINOR = 7n;
const ESCROWED_MINOR = 1_000_000_000n;
const LOCK_GAS = 300_000;
/** Places of the accounts that anvil funds; those of fees go on to the end. */
const [DEPLOYER, DEPOSITOR, GUARDIAN, FEES] = [0, 1, 2, 3];

export async function startVaultTestbed(options: VaultTestbedOptions): Promise<VaultTestbed> {
  // Deployment waits for each of its transactions, so blocks have to come by themselves until it is done.
  const anvil = await startAnvil({ chainId: options.chainId, mining: 'each-transaction' });
  const provider = new JsonRpcProvider(anvil.rpcUrl, undefined, {
    staticNetwork: Network.from(options.chainId),
    pollingInterval: 20,
    cacheTimeout: -1,
  });
  try {
    const bed = await deploy(options, anvil, provider);
    if (options.mining === 'manual') await anvil.pauseMining();
    return bed;
  } catch (error) {
    provider.destroy();
    await anvil.stop();
    throw error;
  }
}

async function deploy(
  options: VaultTestbedOptions,
  anvil: AnvilChain,
  provider: JsonRpcProvider,
): Promise<VaultTestbed> {
  const account = (index: number): { address: string; privateKey: string } => {
    const found = anvil.accounts[index];
    if (!found) throw new RangeError(`anvil has no account ${index}`);
    return found;
  };
  const depositor = new NonceManager(new Wallet(account(DEPOSITOR).privateKey, provider));
  const parties: Parties = {
    // Of its own for each run: queues are named after it, and a given Redis may serve several runs.
    network: parseNetworkId(`testbed-${randomBytes(4).toString('hex')}`),
    serviceId: toHex(randomBytes(32)) as Bytes32,
    genesisHash: parseBytes32(anvil.genesisHash),
    authority: new SigningKey(randomBytes(32)),
    refused: parseEvmAddress(toHex(randomBytes(20))),
    deployer: new NonceManager(new Wallet(account(DEPLOYER).privateKey, provider)),
    depositor,
    depositorAddress: account(DEPOSITOR).address,
    guardian: account(GUARDIAN).address,
  };
  const vaults: TestVault[] = [];
  for (const asset of options.assets ?? ['EUR']) vaults.push(await deployOne(parties, parseAssetCode(asset)));
  const [vault] = vaults;
  if (!vault) throw new RangeError('a testbed has at least one vault');
  const contract = new Contract(vault.address, vaultArtifact.abi, depositor);
  const lock = async (amountMinor: bigint, mine: boolean, reference: string): Promise<void> => {
    const transaction = await contract.getFunction('lock').send(reference, amountMinor, { gasLimit: LOCK_GAS });
    if (mine) await anvil.mine();
    await transaction.wait();
  };
  await lock(ESCROWED_MINOR, false, toHex(randomBytes(32)));
  const node = new RpcNode({ url: anvil.rpcUrl, chainId: options.chainId, timeoutMs: 10_000 });
  const token = new Contract(vault.token, blockingTokenArtifact.abi, provider);
  return {
    anvil,
    node,
    network: parties.network,
    serviceId: parties.serviceId,
    genesisHash: parties.genesisHash,
    vaults,
    feeKey: (index = 0) => account(FEES + index).privateKey,
    ...signer(parties, vault),
    lock: (amountMinor, reference = toHex(randomBytes(32))) =>
      lock(amountMinor, options.mining === 'manual', reference),
    paid: async (job) =>
      (await token.getFunction('balanceOf').staticCall(`0x${job.instruction.beneficiary.slice(-40)}`)) as bigint,
    stop: async () => {
      node.close();
      provider.destroy();
      await anvil.stop();
    },
  };
}

type Parties = Readonly<{
  network: NetworkId;
  serviceId: Bytes32;
  genesisHash: Bytes32;
  authority: SigningKey;
  /** An address that the token does not pay. */
  refused: EvmAddress;
  deployer: NonceManager;
  depositor: NonceManager;
  depositorAddress: string;
  guardian: string;
}>;

async function deployOne(parties: Parties, asset: AssetCode): Promise<TestVault> {
  const { network, serviceId, genesisHash, authority, refused, deployer, depositor, depositorAddress, guardian } =
    parties;
  const holdings = { [depositorAddress]: ESCROWED_MINOR * 2n };
  const [token = ''] = await deployTokens(deployer, [
    { name: asset, symbol: asset, decimals: 2, blocking: true, holdings },
  ]);
  await sent(new Contract(token, blockingTokenArtifact.abi, deployer), 'setBlocked', refused, true);
  const vault = await deployVault(deployer, {
    serviceId,
    networkIdHash: networkIdHash(network),
    genesisHash,
    authority: computeAddress(authority),
    token,
    mode: VAULT_MODE.escrow,
    asset: assetHash(asset),
    unit: 1n,
    releaseCap: ESCROWED_MINOR * 4n,
    capWindowSeconds: 3_600,
    guardians: [guardian],
    guardianThreshold: 1,
    guardianDelaySeconds: 3_600,
  });
  await sent(new Contract(token, blockingTokenArtifact.abi, depositor), 'approve', vault.address, ESCROWED_MINOR * 2n);
  return {
    asset,
    address: parseEvmAddress(vault.address),
    token: parseEvmAddress(token),
    fromBlock: vault.blockNumber,
  };
}

function signer(parties: Parties, vault: TestVault): Pick<VaultTestbed, 'sign' | 'release' | 'voidOf'> {
  const { network, serviceId, genesisHash, authority, refused } = parties;
  const salt = domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vault.address) });
  const sign = (instruction: Instruction, key?: string): InstructionJob => {
    const by = key === undefined ? authority : new SigningKey(key);
    const signature = by.sign(instructionDigest(salt, instruction)).serialized.toLowerCase() as Hex;
    return { network, asset: vault.asset, vault: vault.address, serviceId, genesisHash, instruction, signature };
  };
  const fresh = () => ({
    id: toHex(randomBytes(32)) as Bytes32,
    asset: assetHash(vault.asset),
    inputs: ZERO_BYTES32,
    epoch: 1,
    trail: toHex(randomBytes(80)),
  });
  return {
    sign,
    release: ({ refused: blocked = false, notAfterSeconds = 0, amountMinor = AMOUNT_MINOR, epoch = 1 } = {}) => {
      const beneficiary = addressWord(blocked ? refused : parseEvmAddress(toHex(randomBytes(20))));
      const kind = 'release' as const;
      return sign({ ...fresh(), kind, subject: ZERO_BYTES32, amountMinor, beneficiary, notAfterSeconds, epoch });
    },
    voidOf: ({ instruction }) =>
      sign({
        ...fresh(),
        kind: 'void',
        subject: instruction.id,
        amountMinor: 0n,
        beneficiary: ZERO_BYTES32,
        notAfterSeconds: 0,
      }),
  };
}

async function sent(contract: Contract, name: string, ...args: unknown[]): Promise<void> {
  const transaction = await contract.getFunction(name).send(...args);
  await transaction.wait();
}
