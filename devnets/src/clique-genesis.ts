/** What a Clique network agrees on before its first block: EIP-225, and geth's genesis file. */

/** Blocks between checkpoints, as on networks in use. */
export const DEFAULT_EPOCH_LENGTH = 30_000;
const GAS_LIMIT = 30_000_000;
const VANITY_BYTES = 32;
const SEAL_BYTES = 65;

export type CliqueTerms = Readonly<{
  chainId: number;
  /** Least whole seconds between blocks. */
  periodS: number;
  /** Blocks between checkpoints, which list the signers and clear all votes. */
  epochLength: number;
  /** 0x addresses, in any order. */
  signers: readonly string[];
  /** Wei by 0x address. */
  alloc: Readonly<Record<string, bigint>>;
  timestampSeconds: number;
}>;

/** geth's genesis file; every fork up to London holds from block 0, and none after it. */
export type CliqueGenesis = Readonly<{
  config: Readonly<Record<string, number | Readonly<{ period: number; epoch: number }>>>;
  difficulty: string;
  gasLimit: string;
  timestamp: string;
  extraData: string;
  alloc: Readonly<Record<string, Readonly<{ balance: string }>>>;
}>;

const FORKS = [
  'homesteadBlock',
  'eip150Block',
  'eip155Block',
  'eip158Block',
  'byzantiumBlock',
  'constantinopleBlock',
  'petersburgBlock',
  'istanbulBlock',
  'muirGlacierBlock',
  'berlinBlock',
  'londonBlock',
] as const;

export function cliqueGenesis(terms: CliqueTerms): CliqueGenesis {
  return {
    config: {
      chainId: terms.chainId,
      ...Object.fromEntries(FORKS.map((fork) => [fork, 0])),
      clique: { period: terms.periodS, epoch: terms.epochLength },
    },
    difficulty: '0x1',
    gasLimit: hex(GAS_LIMIT),
    timestamp: hex(terms.timestampSeconds),
    extraData: genesisExtraData(terms.signers),
    alloc: Object.fromEntries(
      Object.entries(terms.alloc).map(([address, wei]) => [address, { balance: `0x${wei.toString(16)}` }]),
    ),
  };
}

/** 32 bytes of vanity, the signers in ascending order, 65 bytes where later headers have the seal. */
function genesisExtraData(signers: readonly string[]): string {
  const ascending = signers.map((signer) => signer.slice(2).toLowerCase()).sort();
  return `0x${'00'.repeat(VANITY_BYTES)}${ascending.join('')}${'00'.repeat(SEAL_BYTES)}`;
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
