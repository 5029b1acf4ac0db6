/** What a transaction consumes, refers to, makes and commands, out of components that were proven and signed. */
import type { Hex } from '@drawbridge/protocol/bytes32';
import { AmqpFault } from './corda-amqp.ts';
import { GROUP, type ShownGroup } from './corda-components.ts';
import {
  type CordaOutput,
  type CordaStateRef,
  type CordaTimeWindow,
  outputOf,
  partyOf,
  sameConstraint,
  sameName,
  signersOf,
  stateRefOf,
  timeWindowOf,
} from './corda-facts.ts';
import { knownComponent } from './corda-known-components.ts';
import { type CordaObject, readComponent } from './corda-objects.ts';
import { type CordaCheck, type CordaRefusal, refuse } from './corda-refusal.ts';
import type { CordaTrustRoot } from './corda-trust-root.ts';
import { TYPE } from './corda-types.ts';

/** `signers`: SubjectPublicKeyInfo of the keys that must sign for it. */
export type CordaCommand = Readonly<{ data: CordaObject; signers: readonly Hex[] }>;

export type CordaTransaction = Readonly<{
  inputs: readonly CordaStateRef[];
  references: readonly CordaStateRef[];
  outputs: readonly CordaOutput[];
  commands: readonly CordaCommand[];
  timeWindow?: CordaTimeWindow;
}>;

/** By ordinal. */
export type ShownGroups = ReadonlyMap<number, ShownGroup>;

const WINDOWS = [TYPE.windowFrom, TYPE.windowUntil, TYPE.windowBetween];

/** Every component of one group, or the check that names what is wrong with one. */
function readGroup<Item>(
  check: CordaCheck,
  group: ShownGroup | undefined,
  read: (bytes: Uint8Array) => Item,
): readonly Item[] | CordaRefusal {
  try {
    return group?.components.map(({ bytes }) => read(bytes)) ?? [];
  } catch (error) {
    if (error instanceof AmqpFault) return refuse(check, error.message);
    throw error;
  }
}

/** The groups are whole: an index in a group is the index in the transaction. */
export function readTransaction(shown: ShownGroups, root: CordaTrustRoot): CordaTransaction | CordaRefusal {
  const unnamed = notaryFault(shown, root);
  if (unnamed !== undefined) return unnamed;
  const inputs = stateRefs(shown.get(GROUP.inputs), root);
  if ('ok' in inputs) return inputs;
  const references = stateRefs(shown.get(GROUP.references), root);
  if ('ok' in references) return references;
  const outputs = outputsOf(shown.get(GROUP.outputs), root);
  if ('ok' in outputs) return outputs;
  const commands = commandsOf(shown, root);
  if ('ok' in commands) return commands;
  const windows = readGroup('timeWindow', shown.get(GROUP.timeWindow), (bytes) =>
    timeWindowOf(readComponent(bytes, root.types, WINDOWS)),
  );
  if ('ok' in windows) return windows;
  const [timeWindow, ...more] = windows;
  if (more.length > 0) return refuse('timeWindow', 'there is more than one time window');
  return { inputs, references, outputs, commands, ...(timeWindow === undefined ? {} : { timeWindow }) };
}

/** Without this, a signature of the pinned notary on another notary's transaction would do. */
function notaryFault(shown: ShownGroups, { notary, types }: CordaTrustRoot): CordaRefusal | undefined {
  const named = readGroup('notary', shown.get(GROUP.notary), (bytes) =>
    partyOf(knownComponent(bytes, types, [TYPE.party])),
  );
  if ('ok' in named) return named;
  const [party, ...more] = named;
  if (party === undefined || more.length > 0) return refuse('notary', 'the transaction does not name one notary');
  if (party.key !== notary.key.hex) return refuse('notary', 'the transaction names a notary with another key');
  if (party.name === undefined || !sameName(party.name, notary.name)) {
    return refuse('notary', 'the transaction names a notary of another name');
  }
  return undefined;
}

function stateRefs(group: ShownGroup | undefined, { types }: CordaTrustRoot): readonly CordaStateRef[] | CordaRefusal {
  const refs = readGroup('inputs', group, (bytes) => stateRefOf(readComponent(bytes, types, [TYPE.stateRef])));
  if ('ok' in refs) return refs;
  const distinct = new Set(refs.map(({ transactionId, index }) => `${transactionId}:${index}`));
  return distinct.size === refs.length ? refs : refuse('inputs', 'a state is named twice');
}

function outputsOf(group: ShownGroup | undefined, root: CordaTrustRoot): readonly CordaOutput[] | CordaRefusal {
  const outputs = readGroup('outputs', group, (bytes) =>
    outputOf(readComponent(bytes, root.types, [TYPE.transactionState])),
  );
  if ('ok' in outputs) return outputs;
  for (const [at, output] of outputs.entries()) {
    const fault = outputFault(output, { at, count: outputs.length }, root);
    if (fault !== undefined) return fault;
  }
  return outputs;
}

/** Which rules an output is under: the contract's class alone says nothing, since any jar may have a class of that name. */
function outputFault(
  { data, contract, constraint, notary, encumbrance }: CordaOutput,
  { at, count }: Readonly<{ at: number; count: number }>,
  root: CordaTrustRoot,
): CordaRefusal | undefined {
  const pin = root.contracts.get(contract);
  if (pin === undefined) return refuse('contract', 'an output has a contract that is not registered');
  if (!pin.states.includes(data.type)) return refuse('state', 'an output holds a state of another contract');
  if (!pin.constraints.some((allowed) => sameConstraint(allowed, constraint))) {
    return refuse('constraint', 'an output is not bound to the jar of its contract');
  }
  if (notary.key !== root.notary.key.hex) return refuse('outputNotary', 'an output is under another notary');
  if (encumbrance !== undefined && (encumbrance === at || encumbrance >= count)) {
    return refuse('encumbrance', 'an output is encumbered by no other output');
  }
  return undefined;
}

function commandsOf(shown: ShownGroups, { types, commands }: CordaTrustRoot): readonly CordaCommand[] | CordaRefusal {
  const data = readGroup('commands', shown.get(GROUP.commands), (bytes) => knownComponent(bytes, types, commands));
  if ('ok' in data) return data;
  const signers = readGroup('commands', shown.get(GROUP.signers), (bytes) =>
    signersOf(knownComponent(bytes, types, [TYPE.signers])),
  );
  if ('ok' in signers) return signers;
  if (signers.length !== data.length)
    return refuse('commands', 'there are more commands than lists of signers, or fewer');
  return data.map((command, at) => ({ data: command, signers: signers[at] ?? [] }));
}
