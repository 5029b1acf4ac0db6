/** Copies of a source with one check taken out each. Works on text, so that the code under test needs no hooks. */

/** `line`: of the check in the source, from 1. */
export type Mutant = Readonly<{ name: string; line: number; source: string }>;

const lineOf = (source: string, index: number): number => source.slice(0, index).split('\n').length;

const without = (source: string, index: number, text: string, replacement: string): Mutant => ({
  name: `without ${text.trim().replaceAll(/\s+/g, ' ').slice(0, 100)}`,
  line: lineOf(source, index),
  source: source.slice(0, index) + replacement + source.slice(index + text.length),
});

/** One mutant for each object, indented by two, of the list that `opening` opens: without that object. */
export function withoutEntries(source: string, opening: string): Mutant[] {
  const start = source.indexOf(opening) + opening.length;
  const end = source.indexOf('\n];', start);
  if (start < opening.length || end < 0) throw new Error(`no list ${opening}`);
  const entries = source.slice(start, end + 1).matchAll(/^ {2}\{(?:.*|\n(?: {3}.*\n)+ {2})\},$/gm);
  return [...entries].map((match) => without(source, start + match.index, match[0], ''));
}

/** An `if` whose body refuses, on one line or opening a block. */
const GUARD = /^ *if \((.+)\) (?=(?:return |throw )?(?:refuse|wrong|new \w+Error|['`]|\{ ok: false)|\{$)/gm;
/** `return condition ? value : refuse(…);`, where `wrong` is another word for it */
const CHOICE = /(return|=>)\s+[^;?]*?\s+\?\s+([^;?]+?)\s+:\s+(?:refuse|wrong)\([^;]*\);/g;

/** What a check that stands elsewhere found, handed on. */
const HANDED_ON = /^ *if \((fault !== undefined|!(\w+)\.ok)\) return (?:fault|\2);$/gm;
/** `return value ?? refuse(…);` */
const FALLBACK = / \?\? refuse\([^;]*\)(?=;)/g;

/** One mutant for each condition on which the source refuses: without that condition. */
export function withoutGuards(source: string): Mutant[] {
  return [
    ...[...source.matchAll(GUARD)].map((match) =>
      without(source, match.index, match[0], match[0].replace(`(${match[1]})`, '(false)')),
    ),
    ...[...source.matchAll(HANDED_ON)].map((match) => without(source, match.index, match[0], '')),
    ...[...source.matchAll(FALLBACK)].map((match) => without(source, match.index, match[0], '')),
    ...[...source.matchAll(CHOICE)].map((match) => without(source, match.index, match[0], `${match[1]} ${match[2]};`)),
  ].toSorted((a, b) => a.line - b.line);
}

/** A part of a check that no pattern finds: `from`, which stands in `file` once, becomes `to`. */
export type Replacement = Readonly<{ file: string; from: string; to: string }>;

export function withReplacement(source: string, { file, from, to }: Replacement): Mutant {
  const at = source.indexOf(from);
  if (at < 0 || source.includes(from, at + 1)) throw new Error(`${file} does not have once: ${from}`);
  return { ...without(source, at, from, to), name: `with ${to || 'nothing'} for ${from}`.replaceAll(/\s+/g, ' ') };
}
