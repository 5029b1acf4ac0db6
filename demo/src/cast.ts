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

/** Each asset is native to one network (escrow) and represented on the other (issue). */
export const ASSETS: readonly Readonly<{ code: string; scale: number; home: string; decimals: number }>[] = [
  { code: 'EUR', scale: 2, home: 'quorum-a', decimals: 6 },
  { code: 'USD', scale: 2, home: 'quorum-b', decimals: 18 },
];
export const NETWORKS: readonly Readonly<{ id: string; chainId: number }>[] = [
  { id: 'quorum-a', chainId: 1_337_001 },
  { id: 'quorum-b', chainId: 1_337_002 },
];

/** The most that one network may cost in one asset, in minor units: 10 million. */
export const EXPOSURE_CAP_MINOR = 1_000_000_000n;
/** What each bank holds of each asset on its home network at the start, in minor units: 1 million. */
export const OPENING_MINOR = 100_000_000n;
