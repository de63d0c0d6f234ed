/**
 * Lists of keys for a person: keys that differ only in their indices on one line, columns that fit the width, numbers
 * with their units.
 *
 * @module
 */

import { showBytes, showNumber } from "./amount.ts";
import { foldedGlob, foldKeys } from "./fold.ts";
import { alignColumns, printable, type TextOptions, wrapText } from "./table.ts";

/** Columns of a text where nobody says how many. */
export const DEFAULT_WIDTH = 80;
/** Columns below which nothing can be told apart any more. */
export const LEAST_WIDTH = 40;
/** Spaces before the rows of a section. */
const INDENT = "  ";

/** A key, and what is said about it; rows that say the same become one line. */
export interface ListingRow {
  /** The key. */
  readonly key: string;
  /** Another key that belongs to the first: its name after a rename. */
  readonly to?: string;
  /** What is said about it, a column each. */
  readonly cells: readonly string[];
  /** Bytes of it, which a line adds up for a column of its own. */
  readonly byteLength?: number;
}

/** Text that is put together line by line. */
export class Listing {
  readonly #width: number;
  readonly #paint: (code: number, text: string) => string;
  readonly #lines: string[] = [];

  /** An empty text. */
  constructor({ width = DEFAULT_WIDTH, color = false }: TextOptions) {
    this.#width = Math.max(LEAST_WIDTH, width);
    this.#paint = painter(color);
  }

  /** Adds a sentence, wrapped; its first line in `code`, an ANSI colour, where there is colour. */
  sentence(text: string, code: number | null = null): this {
    const [first, ...rest] = wrapText(printable(text), this.#width - INDENT.length);
    this.#lines.push(code === null ? first : this.#paint(code, first), ...rest.map((line) => INDENT + line));
    return this;
  }

  /** Adds a title with the number of rows, or what it counts instead, and the rows below it; nothing where there are none. */
  section(
    title: string,
    rows: readonly ListingRow[],
    { most = Infinity, count = rows.length }: { readonly most?: number; readonly count?: number } = {},
  ): this {
    if (rows.length === 0) return this;
    const folded = foldRows(rows);
    const shown = folded.slice(0, most);
    const hidden = folded.slice(most).reduce((sum, { keys }) => sum + keys.length, 0);
    this.#lines.push("", this.#paint(BOLD, `${title} (${showNumber(count)})`));
    const lines = alignColumns(shown.map(({ cells }) => cells), this.#width - INDENT.length);
    this.#lines.push(...lines.map((line) => INDENT + line));
    if (hidden > 0) this.#lines.push(`${INDENT}… and ${showNumber(hidden)} more`);
    return this;
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** The text. */
  toString(): string {
    return this.#lines.join("\n");
  }
}

/** ANSI codes, for what needs attention and what does not. */
export const RED = 31;
/** All is well. */
export const GREEN = 32;
/** Worth a look. */
export const YELLOW = 33;
/** What may be copied out of the text. */
export const CYAN = 36;
/** A title. */
export const BOLD = 1;

/** Puts colours around texts, or leaves them as they are. */
export function painter(color: boolean): (code: number, text: string) => string {
  return (code, text) => color ? `\x1b[${code}m${text}\x1b[0m` : text;
}

interface FoldedRow {
  readonly keys: readonly string[];
  readonly cells: readonly string[];
}

/** Rows that say the same on as few lines as their keys fold to, in the order of their first keys. */
function foldRows(rows: readonly ListingRow[]): FoldedRow[] {
  const groups = new Map<string, ListingRow[]>();
  for (const row of rows) {
    const saying = [row.to === undefined ? "" : foldedGlob(row.to), ...row.cells].join("\n");
    const group = groups.get(saying);
    if (group === undefined) groups.set(saying, [row]);
    else group.push(row);
  }
  const order = new Map(rows.map(({ key }, i) => [key, i]));
  const sizes = new Map(rows.flatMap(({ key, byteLength }) => byteLength === undefined ? [] : [[key, byteLength]]));
  return [...groups.values()].flatMap((group) => {
    const names = new Map(group.flatMap(({ key, to }) => to === undefined ? [] : [[key, to]]));
    return foldKeys(group.map(({ key }) => key)).map(({ text, keys }) => {
      const to = foldKeys(keys.flatMap((key) => names.get(key) ?? [])).map((fold) => fold.text).join(", ");
      const bytes = sizes.has(keys[0]) ? [showBytes(keys.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0))] : [];
      const arrow = to === "" ? [] : [`→ ${printable(to)}`];
      return { keys, cells: [printable(text), ...arrow, ...group[0].cells.map(printable), ...bytes] };
    });
  }).sort((a, b) => (order.get(a.keys[0]) ?? 0) - (order.get(b.keys[0]) ?? 0));
}
