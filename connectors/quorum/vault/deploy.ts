/**
 * Puts one vault on an EVM network: `node scripts/run-source.mjs connectors/quorum/vault/deploy.ts --config vault.json`.
 * Prints one line of JSON: what the genesis file, or a `set_network` and an `add_vault` action, must say of it.
 */
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { deployVault, VAULT_MODE, VaultDeployError } from '@drawbridge/connector-quorum/deploy-vault';
import { testTokenArtifact } from '@drawbridge/connector-quorum/vault-artifact';
import { ConfigError, parseConfig, readJson, readKey } from '@drawbridge/connector-sdk/connector-files';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { assetHash, networkIdHash } from '@drawbridge/protocol/instruction';
import { Type } from '@sinclair/typebox';
import { Contract, isError, JsonRpcProvider, NonceManager, Wallet } from 'ethers';

const POLL_MS = 250;
const ANSWER_TIMEOUT_MS = 10_000;
const EXIT_CONFIG = 64;

const closed = { additionalProperties: false };
const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });
const Count = (maximum: number) => Type.Integer({ minimum: 1, maximum });
const Config = Type.Object(
  {
    rpcUrl: Type.String({ pattern: '^https?://' }),
    /** secp256k1 private key, 0x and 64 hex digits, mode 0600: pays for the deployment and has no rights after it. */
    deployerKeyFile: Type.String(),
    network: Type.String(),
    /** Of the service, as `service create` printed them. */
    serviceId: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
    authority: Address,
    asset: Type.String(),
    /** Decimal places of the asset: 2 where 100 minor units are 1.00. The token needs at least as many. */
    scale: Type.Integer({ minimum: 0, maximum: 18 }),
    mode: Type.Union([Type.Literal('escrow'), Type.Literal('issue')]),
    /** Escrow: the ERC-20 to hold. Issue: a token to deploy, which only this vault mints and burns. */
    token: Type.Union([
      Address,
      Type.Object(
        { name: Type.String(), symbol: Type.String(), decimals: Type.Integer({ minimum: 0, maximum: 36 }) },
        closed,
      ),
    ]),
    /** The most that may leave in any window, in minor units. */
    releaseCapMinor: Type.String({ pattern: '^[1-9][0-9]{0,18}$' }),
    capWindowSeconds: Count(31_536_000),
    guardians: Type.Array(Address, { minItems: 1, maxItems: 32 }),
    guardianThreshold: Count(32),
    guardianDelaySeconds: Count(31_536_000),
  },
  closed,
);

async function main(): Promise<object> {
  const file = configFile();
  const config = parseConfig(Config, await readJson(file));
  const { mode, scale, token } = config;
  const network = parseNetworkId(config.network);
  const asset = parseAssetCode(config.asset);
  if (mode === 'escrow' && typeof token !== 'string')
    throw new ConfigError('CONFIG_INVALID', 'an escrow vault needs the address of its token');
  const key = (await readKey(resolve(dirname(file), config.deployerKeyFile))).trim();
  const chainId = await askChainId(config.rpcUrl);
  const provider = new JsonRpcProvider(config.rpcUrl, chainId, { staticNetwork: true, pollingInterval: POLL_MS });
  try {
    const genesisHash = (await provider.getBlock(0))?.hash ?? '';
    const decimals = typeof token === 'string' ? await decimalsOf(token, provider) : token.decimals;
    if (decimals < scale)
      throw new ConfigError('CONFIG_INVALID', `the token has ${decimals} decimals, fewer than scale`);
    const unit = 10n ** BigInt(decimals - scale);
    const deployed = await deployVault(walletOf(key, provider), {
      ...config,
      networkIdHash: networkIdHash(network),
      genesisHash,
      mode: VAULT_MODE[mode],
      asset: assetHash(asset),
      unit,
      releaseCap: BigInt(config.releaseCapMinor),
    });
    const address = deployed.address.toLowerCase();
    const authority = config.authority.toLowerCase();
    return {
      network: { id: network, kind: 'evm', chainId, genesisHash },
      vault: { network, asset, mode, address, authority, fromBlock: deployed.blockNumber },
      token: deployed.token.toLowerCase(),
      unit: unit.toString(),
    };
  } finally {
    provider.destroy();
  }
}

function configFile(): string {
  try {
    const { config } = parseArgs({ options: { config: { type: 'string' } } }).values;
    if (config !== undefined) return config;
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${(cause as Error).message}; the only argument is --config FILE`, { cause });
  }
  throw new ConfigError(
    'CONFIG_FILE',
    'say which vault: --config FILE (connectors/quorum/vault/README.md has its form)',
  );
}

/** Asked first and once: ethers would go on asking a node that is not there. */
async function askChainId(rpcUrl: string): Promise<number> {
  try {
    const answer = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const { result } = (await answer.json()) as { result?: string };
    return Number(BigInt(result ?? ''));
  } catch (cause) {
    throw new ConfigError('CONFIG_INVALID', 'no EVM node answers at rpcUrl', { cause });
  }
}

const decimalsOf = async (token: string, provider: JsonRpcProvider): Promise<number> =>
  Number(await new Contract(token, testTokenArtifact.abi, provider).getFunction('decimals').staticCall());

function walletOf(key: string, provider: JsonRpcProvider): NonceManager {
  if (!/^0x[0-9a-fA-F]{64}$/.test(key))
    throw new ConfigError('CONFIG_INVALID', 'the deployer key is 0x and 64 hex digits');
  return new NonceManager(new Wallet(key, provider));
}

/** Ethers' long texts repeat whole transactions. */
function chainWords(error: unknown): string {
  if (isError(error, 'CALL_EXCEPTION')) return `the chain refuses: ${error.shortMessage}`;
  const { shortMessage, message } = error as Error & { shortMessage?: string };
  return shortMessage ?? message;
}

main().then(
  (result) => void process.stdout.write(`${JSON.stringify(result)}\n`),
  (error: unknown) => {
    const known = error instanceof ConfigError || error instanceof VaultDeployError;
    process.stderr.write(`${known ? error.message : chainWords(error)}\n`);
    process.exitCode = known ? EXIT_CONFIG : 1;
  },
);
