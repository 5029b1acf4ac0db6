/** Who takes part in the demonstration: three banks, an auditor, an operator, and what runs between them. */

export type BankSpec = Readonly<{ name: string; lei: string; bic: string; short: string }>;

/** The LEIs carry valid check digits and belong to nobody. */
export const BANKS: readonly BankSpec[] = [
  { short: 'aurora', name: 'Aurora Bank', lei: '984500AURORA0BANK027', bic: 'AURBDEFFXXX' },
  { short: 'boreal', name: 'Boreal Bank', lei: '984500BOREAL0BANK053', bic: 'BORLFRPPXXX' },
  { short: 'corvid', name: 'Corvid Bank', lei: '984500CORVID0BANK017', bic: 'CORVGB2LXXX' },
];

/** Supervises every bank. */
export const AUDITOR = 'supervisor';
/** Supervises Boreal Bank alone. */
export const BOREAL_AUDITOR = 'supervisor-of-boreal';
export const OPERATOR = 'operations';
export const HUB = 'hub-1';
export const OBSERVERS: readonly string[] = ['observer-1', 'observer-2', 'observer-3'];
export const OBSERVER_THRESHOLD = 2;
/** Blocks, the event's own counted, before anybody vouches for it. */
export const DEPTH_BLOCKS = 3;

/** `decimals`: of its tokens on EVM networks. */
export type AssetSpec = Readonly<{ code: string; scale: number; home: string; decimals: number }>;

export const CORDA_NETWORK = 'corda';
/** The bank that has a node there; a second node keeps the vault. */
export const CORDA_BANK = 'aurora';

/** Each asset is native to one network (escrow) and represented on the EVM networks that are not its home (issue). */
export const ASSETS: readonly AssetSpec[] = [
  { code: 'EUR', scale: 2, home: 'quorum-a', decimals: 6 },
  { code: 'USD', scale: 2, home: 'quorum-b', decimals: 18 },
  { code: 'GBP', scale: 2, home: CORDA_NETWORK, decimals: 6 },
];
/** The EVM networks. */
export const NETWORKS: readonly Readonly<{ id: string; chainId: number }>[] = [
  { id: 'quorum-a', chainId: 1_337_001 },
  { id: 'quorum-b', chainId: 1_337_002 },
];

/** The most that one network may cost in one asset, in minor units: 10 million. */
export const EXPOSURE_CAP_MINOR = 1_000_000_000n;
/** What each bank holds of each asset on its home network at the start, in minor units: 1 million. */
export const OPENING_MINOR = 100_000_000n;

/** What one run has: its networks, and the assets at home on one of them. */
export type Scene = Readonly<{ networks: readonly string[]; assets: readonly AssetSpec[] }>;

export function sceneOf({ corda }: Readonly<{ corda: boolean }>): Scene {
  const networks = [...NETWORKS.map(({ id }) => id), ...(corda ? [CORDA_NETWORK] : [])];
  return { networks, assets: ASSETS.filter(({ home }) => networks.includes(home)) };
}

/** Assets that have a vault on a network: all on an EVM network, and on Corda those at home there. */
export const assetsOn = (network: string, { assets }: Scene): readonly AssetSpec[] =>
  assets.filter(({ home }) => network !== CORDA_NETWORK || home === CORDA_NETWORK);
