/**
 * Columns of text that fit a width, and text that is safe to print.
 *
 * @module
 */

/**
 * How text is laid out.
 *
 * @example Colour for a terminal
 * ```ts
 * import { Linear, type TextOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: TextOptions = { color: true, width: 100 };
 * const report = new Linear(2, 2).loadStateDict(new Linear(2, 2).stateDict());
 * assertEquals(report.text(options).startsWith("\x1b[32mLoaded all of the model"), true);
 * ```
 */
export interface TextOptions {
  /** Characters in a line, at least 40; 80 by default. */
  readonly width?: number;
  /** Whether to colour with ANSI escapes; `false` by default. */
  readonly color?: boolean;
}

/** The fewest characters of a key that still tell something. */
const LEAST_COLUMN = 8;
const GAP = "  ";

/** What would move the cursor or change colours when printed, and what reverses the direction of writing. */
// deno-lint-ignore no-control-regex -- finding control characters is the purpose
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** Text from a file as it may be printed: control characters as `\u…` escapes. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Rows of cells, each column as wide as its widest cell. Where a row does not fit the width, the cells of the widest
 * column are shortened in the middle; the last column is not padded.
 */
export function alignColumns(rows: readonly (readonly string[])[], width: number): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, i) => rows.reduce((most, row) => Math.max(most, lengthOf(row[i])), 0),
  );
  const used = widths.filter((w) => w > 0);
  let excess = used.reduce((sum, w) => sum + w, 0) + GAP.length * (used.length - 1) - width;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const rest = widths.filter((_, i) => i !== widest);
    const target = Math.max(LEAST_COLUMN, ...rest, widths[widest] - excess);
    const least = target < widths[widest] ? target : Math.max(LEAST_COLUMN, widths[widest] - excess);
    if (least >= widths[widest]) break;
    excess -= widths[widest] - least;
    widths[widest] = least;
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => ({ cell: shorten(cell, widths[i]), width: widths[i] })).filter((c) =>
      c.width > 0
    );
    return cells.map(({ cell, width }) => cell + " ".repeat(width - lengthOf(cell))).join(GAP).trimEnd();
  });
}

/** Text in lines of at most `width` characters, broken at spaces; a longer word is a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The text, its middle replaced by `…` where it is longer than `width`. */
export function shorten(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  // The end of a key says more than its beginning.
  const head = Math.floor((width - 1) / 3);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (width - 1 - head)).join("")}`;
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : [...text].length;
}
