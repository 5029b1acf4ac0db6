/** Calls of contracts: arguments as Cactus's clients write them, outputs as web3.js 1.x gives them. Pure. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import {
  concat,
  Fragment,
  type FunctionFragment,
  getBytes,
  hexlify,
  Interface,
  isError,
  type ParamType,
  Result,
  zeroPadBytes,
} from 'ethers';

/** Members of one interface. */
const MAX_FRAGMENTS = 2_000;

/** @param abi a list of JSON fragments, or its text. @throws CactusError CONTRACT_UNUSABLE */
export function contractInterface(abi: unknown): Interface {
  const list = typeof abi === 'string' ? parsed(abi) : abi;
  if (!Array.isArray(list) || list.length > MAX_FRAGMENTS)
    throw new CactusError('CONTRACT_UNUSABLE', 'the interface (abi) is no list of fragments');
  try {
    // One by one: Interface alone writes what it cannot read to the console and goes on.
    return new Interface(list.map((fragment: unknown) => Fragment.from(fragment)));
  } catch (cause) {
    throw new CactusError('CONTRACT_UNUSABLE', 'the interface (abi) has a fragment that cannot be read', { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CactusError('CONTRACT_UNUSABLE', 'the interface (abi) is no JSON', { cause });
  }
}

export type ContractMethod = Readonly<{ fragment: FunctionFragment; data: string }>;

/**
 * @param name a method's name, or its whole signature where names are shared
 * @throws CactusError ARGUMENTS_INVALID
 */
export function encodeMethod(contract: Interface, name: string, args: readonly unknown[]): ContractMethod {
  const fragment = methodOf(contract, name, args.length);
  return { fragment, data: encoded(() => contract.encodeFunctionData(fragment, coerceAll(fragment.inputs, args))) };
}

function methodOf(contract: Interface, name: string, count: number): FunctionFragment {
  const named: FunctionFragment[] = [];
  contract.forEachFunction((fragment) => {
    if (fragment.format('sighash') === name || fragment.name === name) named.push(fragment);
  });
  if (named.length === 0) throw invalid(`the contract's interface has no method ${name.slice(0, 100)}`);
  const fitting = named.filter(({ inputs }) => inputs.length === count);
  const [only] = fitting;
  if (!only) throw invalid(`${name.slice(0, 100)} takes another number of arguments than ${count}`);
  if (fitting.length > 1) throw invalid(`the contract has several methods ${name.slice(0, 100)}: name the signature`);
  return only;
}

/** Creation code with its arguments. @throws CactusError ARGUMENTS_INVALID, CONTRACT_UNUSABLE */
export function encodeCreation(contract: Interface | undefined, bytecode: string, args: readonly unknown[]): string {
  const code = bytecode.startsWith('0x') ? bytecode : `0x${bytecode}`;
  if (!/^0x([0-9a-fA-F]{2})+$/.test(code)) throw new CactusError('CONTRACT_UNUSABLE', 'the bytecode is no hex');
  if (!contract) {
    if (args.length > 0) throw invalid('constructorArgs need the contract’s interface (abi)');
    return code.toLowerCase();
  }
  const { inputs } = contract.deploy;
  if (inputs.length !== args.length) throw invalid(`the constructor takes ${inputs.length} arguments`);
  return concat([code, encoded(() => contract.encodeDeploy(coerceAll(inputs, args)))]);
}

function encoded(encode: () => string): string {
  try {
    return encode();
  } catch (cause) {
    const why = isError(cause, 'INVALID_ARGUMENT') || isError(cause, 'NUMERIC_FAULT') ? cause.shortMessage : 'unfit';
    throw new CactusError('ARGUMENTS_INVALID', `an argument does not fit its type: ${why}`, { cause });
  }
}

const invalid = (message: string): CactusError => new CactusError('ARGUMENTS_INVALID', message);

const coerceAll = (types: readonly ParamType[], values: readonly unknown[]): unknown[] =>
  values.map((value, index) => {
    const type = types[index];
    return type ? coerce(type, value) : value;
  });

/** web3.js fills short `bytesN` with zeros behind; ethers wants them whole. */
function coerce(type: ParamType, value: unknown): unknown {
  const { arrayChildren, components } = type;
  if (arrayChildren) return Array.isArray(value) ? value.map((item: unknown) => coerce(arrayChildren, item)) : value;
  if (components) {
    if (Array.isArray(value)) return coerceAll(components, value);
    if (typeof value !== 'object' || value === null) return value;
    const members = value as Readonly<Record<string, unknown>>;
    return components.map((part) => coerce(part, members[part.name]));
  }
  const [, size] = /^bytes(\d+)$/.exec(type.type) ?? [];
  if (size === undefined || typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) return value;
  return getBytes(value).length < Number(size) ? zeroPadBytes(value, Number(size)) : value;
}

/** @throws CactusError CONTRACT_UNUSABLE when the data is not of the interface's types */
export function decodeOutput(contract: Interface, { fragment }: ContractMethod, data: string): unknown {
  let result: Result;
  try {
    result = contract.decodeFunctionResult(fragment, data);
    const { outputs } = fragment;
    if (outputs.length <= 1) return outputs[0] ? plain(outputs[0], result[0]) : null;
    return Object.fromEntries(
      outputs.flatMap((type, index) => {
        const value = plain(type, result[index]);
        return [[String(index), value] as const, ...(type.name ? [[type.name, value] as const] : [])];
      }),
    );
  } catch (cause) {
    throw new CactusError('CONTRACT_UNUSABLE', 'what the contract answered is not of its interface’s types', { cause });
  }
}

/** JSON of one value: whole numbers as decimal text, lists and tuples as lists. */
function plain(type: ParamType, value: unknown): unknown {
  const { arrayChildren, components } = type;
  if (value instanceof Result) {
    const items: unknown[] = value.toArray();
    return items.map((item, index) => {
      const inner = arrayChildren ?? components?.[index];
      return inner ? plain(inner, item) : item;
    });
  }
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? hexlify(value) : value;
}
