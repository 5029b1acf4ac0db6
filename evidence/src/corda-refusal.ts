/** Checks of rule `corda-notary` by name, in the order in which they run, and the refusal that names the first that fails. */

/** Code of each check. Hashes come first, then signatures; only what is truly signed is decoded. */
const CODES = {
  form: 'FORM_INVALID',
  network: 'NETWORK_MISMATCH',
  groupHashes: 'GROUP_HASHES_INVALID',
  unknownGroup: 'GROUP_UNKNOWN',
  groupOrder: 'GROUP_ORDER_INVALID',
  components: 'COMPONENT_UNPROVEN',
  complete: 'GROUP_INCOMPLETE',
  knownSigners: 'SIGNER_UNKNOWN',
  distinctSigners: 'SIGNER_DUPLICATE',
  notarySignature: 'NOTARY_SIGNATURE_MISSING',
  vaultSignature: 'VAULT_SIGNATURE_MISSING',
  scheme: 'SCHEME_MISMATCH',
  signatureForm: 'SIGNATURE_MALFORMED',
  batch: 'BATCH_INVALID',
  signatures: 'SIGNATURE_INVALID',
  notary: 'NOTARY_MISMATCH',
  inputs: 'INPUTS_INVALID',
  outputs: 'OUTPUT_INVALID',
  contract: 'CONTRACT_UNKNOWN',
  state: 'STATE_MISPLACED',
  constraint: 'CONSTRAINT_MISMATCH',
  outputNotary: 'OUTPUT_NOTARY_MISMATCH',
  encumbrance: 'ENCUMBRANCE_INVALID',
  commands: 'COMMAND_INVALID',
  timeWindow: 'TIME_WINDOW_INVALID',
} as const;

export type CordaCheck = keyof typeof CODES;
export type CordaRefusalCode = (typeof CODES)[CordaCheck];

export type CordaRefusal = Readonly<{
  ok: false;
  /** The first check that failed. */
  check: CordaCheck;
  code: CordaRefusalCode;
  /** In words, without confidential content. */
  detail: string;
}>;

/** Names of the checks in their order. */
export const CORDA_CHECKS: readonly CordaCheck[] = Object.keys(CODES) as CordaCheck[];

export const refuse = (check: CordaCheck, detail: string): CordaRefusal => ({
  ok: false,
  check,
  code: CODES[check],
  detail,
});
