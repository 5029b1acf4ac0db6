/** Checks of sealed headers by name, in the order in which each rule runs them, and the refusal that names the first that fails. */

/** Code of each check. Cheap checks come first, signatures last; a rule runs those that apply to it. */
const CODES = {
  batch: 'BATCH_INVALID',
  form: 'HEADER_INVALID',
  fields: 'FIELD_COUNT_WRONG',
  remembered: 'BLOCK_TOO_OLD',
  conflict: 'BLOCK_NOT_CONFLICTING',
  constants: 'CONSTANT_WRONG',
  extra: 'EXTRA_INVALID',
  listed: 'VALIDATORS_NOT_LISTED',
  seal: 'SEAL_INVALID',
  number: 'HEADER_GAP',
  parent: 'PARENT_MISMATCH',
  timestamp: 'TIMESTAMP_INVALID',
  proposer: 'PROPOSER_UNKNOWN',
  recent: 'SEALED_TOO_SOON',
  turn: 'DIFFICULTY_WRONG',
  setSize: 'SET_SIZE_INVALID',
  votes: 'VOTES_TOO_MANY',
  set: 'SET_MISMATCH',
  sealCount: 'SEALS_TOO_MANY',
  quorum: 'QUORUM_UNMET',
  sealer: 'SEALER_UNKNOWN',
  distinctSealers: 'SEALER_DUPLICATE',
  finality: 'NOT_FINAL_YET',
} as const;

export type ConsensusCheck = keyof typeof CODES;
export type ConsensusRefusalCode = (typeof CODES)[ConsensusCheck];

export type ConsensusRefusal = Readonly<{
  ok: false;
  /** The first check that failed. */
  check: ConsensusCheck;
  code: ConsensusRefusalCode;
  /** In words, without confidential content. */
  detail: string;
}>;

/** Names of the checks in their order. */
export const CONSENSUS_CHECKS: readonly ConsensusCheck[] = Object.keys(CODES) as ConsensusCheck[];

export const refuse = (check: ConsensusCheck, detail: string): ConsensusRefusal => ({
  ok: false,
  check,
  code: CODES[check],
  detail,
});
