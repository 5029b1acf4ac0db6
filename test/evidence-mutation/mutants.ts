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
const GUARD = /^ *if \((.+)\) (?=(?:return |throw )?(?:refuse|wrong|new ProtocolError|['`]|\{ ok: false)|\{$)/gm;
/** `return condition ? value : refuse(…);`, where `wrong` is another word for it */
const CHOICE = /(return|=>)\s+[^;?]*?\s+\?\s+([^;?]+?)\s+:\s+(?:refuse|wrong)\([^;]*\);/g;

/** One mutant for each condition on which the source refuses: without that condition. */
export function withoutGuards(source: string): Mutant[] {
  return [
    ...[...source.matchAll(GUARD)].map((match) =>
      without(source, match.index, match[0], match[0].replace(`(${match[1]})`, '(false)')),
    ),
    ...[...source.matchAll(CHOICE)].map((match) => without(source, match.index, match[0], `${match[1]} ${match[2]};`)),
  ].toSorted((a, b) => a.line - b.line);
}
