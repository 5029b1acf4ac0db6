/** Sound transactions of vaults as they are judged, and what changes them. */
import { type Bytes32, fromHex, type Hex } from '@drawbridge/protocol/bytes32';
import { inputsHash, type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import type { CordaInstant } from '../corda-facts.ts';
import type { CordaFacts } from '../corda-notary.ts';
import { TYPE } from '../corda-types.ts';
import type { CordaVaultBook } from '../corda-vault-frame.ts';
import type { CordaVaultCheck } from '../corda-vault-refusal.ts';
import type { CordaVaultRoot } from '../corda-vault-root.ts';
import { type CordaVaultEvent, readVaultTransaction } from '../corda-vault-transaction.ts';
import {
  bookFor,
  COMMANDED,
  consumedBy,
  ESCROW,
  ISSUE,
  madeBy,
  vaultFacts,
  withCommand,
  withOutput,
  withState,
} from './corda-vault.ts';
import { recoverSealer } from './secp256k1-signers.ts';

export type Judged = Readonly<{ facts: CordaFacts; root: CordaVaultRoot; book: CordaVaultBook }>;

export const judged = (name: string, vault = ESCROW): Judged => {
  const facts = vaultFacts(name);
  return { facts, root: vault.root, book: bookFor(facts, vault) };
};
/** After the changes of command before it. */
export const commanded = (name: string, after: Pick<typeof COMMANDED, 'ref' | 'state'>): Judged => {
  const facts = vaultFacts(name);
  return { facts, root: COMMANDED.root, book: bookFor(facts, after) };
};
export const read = ({ facts, root, book }: Judged): ReturnType<typeof readVaultTransaction> =>
  readVaultTransaction(facts, root, book, recoverSealer);
export function eventOf(item: Judged): CordaVaultEvent {
  const result = read(item);
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result.event;
}
export const refsOf = ({ facts }: Judged): readonly StateRef[] =>
  facts.inputs.map(({ transactionId, index }) => stateRef(transactionId, index));
export const out = ({ facts }: Judged, index: number): StateRef => stateRef(facts.transactionId, index);

export const LOCK = judged('lock');
export const RELEASE = judged('release');
export const VOID = judged('void');
export const REFUND = judged('refund');
export const TOKENS = judged('issue', ISSUE);
export const BURN = judged('burn', ISSUE);
export const VOID_ISSUE = judged('void-issue', ISSUE);
export const REFUND_BURN = judged('refund-burn', ISSUE);
export const PAUSE = commanded('pause', COMMANDED);
export const ROTATE = commanded('rotate', madeBy('unpause'));
export const PROPOSE = commanded('guard-propose', madeBy('guard-unpause'));
/** The proposal before it was made like the recorded one, over the state that `guard-cancel` made. */
export const PROPOSED = {
  ref: consumedBy('guard-complete'),
  state: {
    ...madeBy('guard-propose').state,
    control: { ...madeBy('guard-propose').state.control, guardianNonce: 5n },
  },
};
export const COMPLETE = commanded('guard-complete', PROPOSED);

export type Forgery = readonly [name: string, check: CordaVaultCheck, forged: Judged];
export const facts = (item: Judged, change: (facts: CordaFacts) => CordaFacts): Judged => ({
  ...item,
  facts: change(item.facts),
});
export const state = (item: Judged, index: number, path: string, value: never): Judged =>
  facts(item, (of) => withState(of, index, path.split('.'), value));
/** Says something else and signs the same: the book takes the forged instruction for its own. */
export const told = (item: Judged, path: string, value: never): Judged => {
  const forged = withCommand(item.facts, [path], value);
  return { ...item, facts: forged, book: { ...item.book, instruction: bookFor(forged, ESCROW).instruction } };
};
export const tip = (item: Judged, control: Partial<CordaVaultBook['tip']['control']>): Judged => ({
  ...item,
  book: { ...item.book, tip: { ...item.book.tip, control: { ...item.book.tip.control, ...control } } },
});
export const root = (item: Judged, change: Partial<CordaVaultRoot>): Judged => ({
  ...item,
  root: { ...item.root, ...change },
});
export const WORD = new Uint8Array(32).fill(7);
export const OTHER_KEY = { type: TYPE.publicKey, content: fromHex('0x302a300506032b6570032100') };
export const ownKey = { type: TYPE.publicKey, content: fromHex(ESCROW.root.party) };
export const any = (value: unknown): never => value as never;
export const window = (item: Judged, timeWindow: CordaFacts['timeWindow']): Judged =>
  facts(item, ({ timeWindow: _before, ...of }) => ({ ...of, ...(timeWindow === undefined ? {} : { timeWindow }) }));
const { timeWindow } = LOCK.facts;
export const from: CordaInstant = timeWindow?.from ?? any(0);
export const until: CordaInstant = timeWindow?.until ?? any(0);
export const more = (item: Judged): Judged =>
  facts(item, (of) => ({ ...of, outputs: [...of.outputs, ...of.outputs.slice(0, 1)] }));
export const less = (item: Judged): Judged => facts(item, (of) => ({ ...of, outputs: of.outputs.slice(0, -1) }));
export const swapped = (item: Judged, a: number, b: number): Judged =>
  facts(item, (of) => {
    const outputs = [...of.outputs];
    [outputs[a], outputs[b]] = [outputs[b] ?? any(0), outputs[a] ?? any(0)];
    return { ...of, outputs };
  });
export const output = (item: Judged, index: number, change: Parameters<typeof withOutput>[2]): Judged =>
  facts(item, (of) => withOutput(of, index, change));
export const signedBy = (item: Judged, ...keys: readonly Hex[]): Judged =>
  facts(item, (of) => ({ ...of, signedBy: keys }));
export const signers = (item: Judged, keep: (key: Hex) => boolean): Judged =>
  facts(item, (of) => ({
    ...of,
    commands: of.commands.map((command) => ({ ...command, signers: command.signers.filter(keep) })),
  }));
/** Consumes one more state, which the instruction names. */
export const consuming = (item: Judged, count: number): Judged => {
  const inputs = Array.from({ length: count }, (_, index) => ({ transactionId: item.facts.transactionId, index }));
  const hash = inputsHash(inputs.map(({ transactionId, index }) => stateRef(transactionId, index)));
  return told(
    facts(item, (of) => ({ ...of, inputs })),
    'inputs',
    any(fromHex(hash)),
  );
};
export const OTHER_CONSTRAINT = { kind: 'hash', attachment: `0x${'ab'.repeat(32)}` as Bytes32 } as const;
export const CASH_JAR = ESCROW.root.cash?.constraint ?? any(0);
export const PARTY = 'vaultParty.owningKey';
