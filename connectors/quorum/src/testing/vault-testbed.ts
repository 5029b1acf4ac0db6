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
const [DEPLOYER, DEPOSITOR, FEES] = [0, 1, 2];

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
  const deployer = new NonceManager(new Wallet(account(DEPLOYER).privateKey, provider));
  const depositor = new NonceManager(new Wallet(account(DEPOSITOR).privateKey, provider));
  // Of its own for each run: queues are named after it, and a given Redis may serve several runs.
  const network = parseNetworkId(`testbed-${randomBytes(4).toString('hex')}`);
  const serviceId = toHex(randomBytes(32)) as Bytes32;
  const genesisHash = parseBytes32(anvil.genesisHash);
  const authority = new SigningKey(randomBytes(32));
  const refused = parseEvmAddress(toHex(randomBytes(20)));
  const vaults: TestVault[] = [];
  for (const asset of (options.assets ?? ['EUR']).map(parseAssetCode)) {
    const [token = ''] = await deployTokens(deployer, [
      {
        name: asset,
        symbol: asset,
        decimals: 2,
        blocking: true,
        holdings: { [account(DEPOSITOR).address]: ESCROWED_MINOR * 2n },
      },
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
      guardians: [account(3).address],
      guardianThreshold: 1,
      guardianDelaySeconds: 3_600,
    });
    await sent(
      new Contract(token, blockingTokenArtifact.abi, depositor),
      'approve',
      vault.address,
      ESCROWED_MINOR * 2n,
    );
    vaults.push({
      asset,
      address: parseEvmAddress(vault.address),
      token: parseEvmAddress(token),
      fromBlock: vault.blockNumber,
    });
  }
  const [vault] = vaults;
  if (!vault) throw new RangeError('a testbed has at least one vault');
  const contract = new Contract(vault.address, vaultArtifact.abi, depositor);
  const lock = async (amountMinor: bigint, reference: string = toHex(randomBytes(32))): Promise<void> => {
    const transaction = await contract.getFunction('lock').send(reference, amountMinor, { gasLimit: 300_000 });
    if (options.mining === 'manual') await anvil.mine();
    await transaction.wait();
  };
  const seed = await contract.getFunction('lock').send(toHex(randomBytes(32)), ESCROWED_MINOR, { gasLimit: 300_000 });
  await seed.wait();

  const sign = (instruction: Instruction, key?: string): InstructionJob => {
    const salt = domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vault.address) });
    const signer = key === undefined ? authority : new SigningKey(key);
    const signature = parseSignature(signer.sign(instructionDigest(salt, instruction)).serialized);
    return { network, asset: vault.asset, vault: vault.address, serviceId, genesisHash, instruction, signature };
  };
  const blank = { asset: assetHash(vault.asset), inputs: ZERO_BYTES32, epoch: 1, trail: toHex(randomBytes(80)) };
  const node = new RpcNode({ url: anvil.rpcUrl, chainId: options.chainId, timeoutMs: 10_000 });
  const token = new Contract(vault.token, blockingTokenArtifact.abi, provider);
  return {
    anvil,
    node,
    network,
    serviceId,
    genesisHash,
    vaults,
    feeKey: (index = 0) => account(FEES + index).privateKey,
    release: ({ refused: blocked = false, notAfterSeconds = 0, amountMinor = AMOUNT_MINOR, epoch = 1 } = {}) =>
      sign({
        ...blank,
        id: toHex(randomBytes(32)) as Bytes32,
        kind: 'release',
        subject: ZERO_BYTES32,
        amountMinor,
        beneficiary: addressWord(blocked ? refused : parseEvmAddress(toHex(randomBytes(20)))),
        notAfterSeconds,
        epoch,
      }),
    voidOf: (target) =>
      sign({
        ...blank,
        id: toHex(randomBytes(32)) as Bytes32,
        kind: 'void',
        subject: target.instruction.id,
        amountMinor: 0n,
        beneficiary: ZERO_BYTES32,
        notAfterSeconds: 0,
      }),
    sign,
    lock,
    paid: async (job) =>
      (await token.getFunction('balanceOf').staticCall(`0x${job.instruction.beneficiary.slice(-40)}`)) as bigint,
    stop: async () => {
      node.close();
      provider.destroy();
      await anvil.stop();
    },
  };
}

const parseSignature = (serialized: string): Hex => serialized.toLowerCase() as Hex;

async function sent(contract: Contract, name: string, ...args: unknown[]): Promise<void> {
  const transaction = await contract.getFunction(name).send(...args);
  await transaction.wait();
}
