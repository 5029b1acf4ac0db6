/** What a command prints, and where: people get aligned lines, programs get JSON with `--json`. */

export type Output = Readonly<{ out: (text: string) => void; err: (text: string) => void }>;

export type Line = readonly [label: string, value: string];

/** What moves the cursor, begins a line or turns the direction of writing: half surrogates besides, which are no text. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text of others as one line that shows all of it: so nobody can write lines of ours, or send a terminal commands. */
export const printable = (text: string): string =>
  text.replace(NOT_PRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** `label   value`, the values in one column. */
export function aligned(lines: readonly Line[]): string {
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, value]) => `${label.padEnd(width)}  ${printable(value)}`.trimEnd()).join('\n');
}

/** A table with a head; numbers, named by their column, to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  toTheRight: readonly string[] = [],
): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        toTheRight.includes(head[column] ?? '') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

export const json = (value: unknown): string => JSON.stringify(value, null, 2);
