/**
 * What is different between two checkpoints, as data and as text.
 *
 * @module
 */

import type { DType, RareDType } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import type { TextOptions } from "../plan/table.ts";
import { foldKeys } from "../plan/fold.ts";
import type { Difference } from "./differences.ts";
import { showCount, showNumber, showShape } from "../plan/amount.ts";
import { GREEN, Listing, type ListingRow, RED, YELLOW } from "../plan/listing.ts";

/** Rows of a section about values, beyond which the rest is counted: they do not fold. */
const MOST_VALUES = 20;

/**
 * A key that one checkpoint has and the other has not, and what is there.
 *
 * @example What is missing
 * ```ts
 * import { type ComparedTensor, compareCheckpoints } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const a = "examples/data/pretrained.pt";
 * const { missing } = await compareCheckpoints(a, "examples/data/pretrained_dims.pt");
 * const [{ key, dtype, shape }]: readonly ComparedTensor[] = missing;
 * assertEquals([key, dtype, shape], ["linear2.weight", "float32", [2, 5]]);
 * ```
 */
export interface ComparedTensor {
  /** The key. */
  readonly key: string;
  /** The element type; absent where it is no tensor. */
  readonly dtype?: DType | RareDType;
  /** The sizes; absent where it is no tensor. */
  readonly shape?: Shape;
  /** What Python calls its type; absent where it is a tensor. */
  readonly typeName?: string;
}

/**
 * A key about which the two disagree, and what each of them says.
 *
 * @typeParam T What they say.
 *
 * @example Other shapes
 * ```ts
 * import { compareCheckpoints, type Differing, encodeSafetensors, type Shape, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = await Promise.all([[2], [3]].map((size) =>
 *   new Response(encodeSafetensors({ w: zeros(size) })).bytes()
 * ));
 * const shapes: readonly Differing<Shape>[] = (await compareCheckpoints(a, b)).shapes;
 * assertEquals(shapes, [{ key: "w", a: [2], b: [3] }]);
 * ```
 */
export interface Differing<T> {
  /** The key. */
  readonly key: string;
  /** What the first has. */
  readonly a: T;
  /** What the second has. */
  readonly b: T;
}

/**
 * A tensor whose values are different, and how far.
 *
 * @example The largest difference of all
 * ```ts
 * import { type ComparedValues, compareCheckpoints } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const a = "examples/data/pretrained.pt";
 * const { values } = await compareCheckpoints(a, a, { values: true });
 * const largest = (rows: readonly ComparedValues[]) => Math.max(0, ...rows.map(({ absolute }) => absolute));
 * assertEquals(largest(values ?? []), 0);
 * ```
 */
export interface ComparedValues extends Difference {
  /** The key. */
  readonly key: string;
}

/** What a comparison is made of. */
interface ComparisonContent {
  readonly names: { readonly a: string; readonly b: string };
  readonly missing: readonly ComparedTensor[];
  readonly extra: readonly ComparedTensor[];
  readonly shapes: readonly Differing<Shape>[];
  readonly dtypes: readonly Differing<DType | RareDType>[];
  readonly others: readonly Differing<string>[];
  readonly compared: number;
  readonly values: readonly ComparedValues[] | null;
  readonly unreadable: readonly { readonly key: string; readonly message: string }[];
}

/**
 * What is different between two checkpoints. Printing it shows a verdict and the differences, indices folded.
 *
 * @example Two checkpoints of the examples
 * ```ts
 * import { compareCheckpoints } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const comparison = await compareCheckpoints("examples/data/pretrained.pt", "examples/data/pretrained_dims.pt");
 * assertEquals(comparison.equal, false);
 * assertEquals(comparison.missing.map(({ key }) => key), ["linear2.weight", "linear2.bias"]);
 * ```
 */
export class Comparison {
  /** Keys that the second lacks. */
  readonly missing: readonly ComparedTensor[];
  /** Keys that only the second has. */
  readonly extra: readonly ComparedTensor[];
  /** Keys with another shape. */
  readonly shapes: readonly Differing<Shape>[];
  /** Keys with another element type. */
  readonly dtypes: readonly Differing<DType | RareDType>[];
  /** Keys with another value that is no tensor, or that is a tensor on one side only. */
  readonly others: readonly Differing<string>[];
  /** How many keys both have. */
  readonly compared: number;
  /** Tensors of one shape with other values, in the order of the first; `null` where values were not compared. */
  readonly values: readonly ComparedValues[] | null;
  /** Tensors whose values could not be compared, and why. */
  readonly unreadable: readonly { readonly key: string; readonly message: string }[];
  readonly #names: ComparisonContent["names"];

  /** Puts the differences together. Callers use {@linkcode compareCheckpoints}. */
  constructor(content: ComparisonContent) {
    this.missing = content.missing;
    this.extra = content.extra;
    this.shapes = content.shapes;
    this.dtypes = content.dtypes;
    this.others = content.others;
    this.compared = content.compared;
    this.values = content.values;
    this.unreadable = content.unreadable;
    this.#names = content.names;
  }

  /** Whether nothing is different, as far as was looked. */
  get equal(): boolean {
    return [this.missing, this.extra, this.shapes, this.dtypes, this.others, this.values ?? [], this.unreadable]
      .every(({ length }) => length === 0);
  }

  /** The text for a person, as wide as `width` (80) and coloured where `color` is set. */
  text(options: TextOptions = {}): string {
    const { a, b } = shortNames(this.#names);
    const listing = new Listing(options);
    listing.sentence(this.#verdict(), this.equal ? GREEN : RED);
    if (!this.equal) listing.sentence(`In both: ${showCount(this.compared, "key")}`);
    const prefix = this.#sparePrefix();
    if (prefix !== null) listing.sentence(prefix, YELLOW);
    if (this.values === null && this.compared > 0) listing.sentence("Values were not compared");
    return listing
      .section(`Only in ${a}`, this.missing.map(tensorRow))
      .section(`Only in ${b}`, this.extra.map(tensorRow))
      .section("Other shapes", this.shapes.map(({ key, a, b }) => ({ key, cells: arrow(showShape(a), showShape(b)) })))
      .section("Other dtypes", this.dtypes.map(({ key, a, b }) => ({ key, cells: arrow(a, b) })))
      .section("Other values that are no tensors", this.others.map(({ key, a, b }) => ({ key, cells: arrow(a, b) })))
      .section("Cannot be compared", this.unreadable.map(({ key, message }) => ({ key, cells: [message] })))
      .section("Other values, and by how much at most", valueRows(this.values ?? []), {
        most: MOST_VALUES,
        count: this.values?.length,
      })
      .toString();
  }

  /** The text, 80 characters wide, without colour. */
  toString(): string {
    return this.text();
  }

  /** Plain data: `equal` and the fields. What JSON has no number for is `"Infinity"`. */
  toJSON(): Record<string, unknown> {
    const { equal, missing, extra, shapes, dtypes, others, compared, unreadable } = this;
    const values = this.values?.map((row) => {
      return { ...row, absolute: jsonNumber(row.absolute), relative: jsonNumber(row.relative) };
    }) ?? null;
    return { equal, missing, extra, shapes, dtypes, others, compared, values, unreadable };
  }

  /** What `console.log` shows under Deno. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What `console.log` shows under Node and Bun. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Where nothing is in both: the beginning of every key that would have to go. */
  #sparePrefix(): string | null {
    if (this.compared > 0) return null;
    const [missing, extra] = [this.missing, this.extra].map((rows) => rows.map(({ key }) => key));
    for (const [keys, others] of [[missing, extra], [extra, missing]]) {
      const prefix = `${keys[0]?.split(".")[0]}.`;
      const there = new Set(others);
      const count = keys.filter((key) => key.startsWith(prefix) && there.has(key.slice(prefix.length))).length;
      if (count > 0) return `Without "${prefix}" in front, ${showCount(count, "key")} would be in both`;
    }
    return null;
  }

  #verdict(): string {
    if (this.equal) {
      const what = this.values === null ? "same shapes and dtypes" : "same shapes, dtypes and values";
      return `No difference: ${showCount(this.compared, "key")}, ${what}`;
    }
    const counts = [
      countOf(this.missing, "missing key"),
      countOf(this.extra, "extra key"),
      countOf(this.shapes, "other shape"),
      countOf(this.dtypes, "other dtype"),
      countOf(this.others, "other value that is no tensor", "other values that are no tensors"),
      countOf(this.values ?? [], "tensor with other values", "tensors with other values"),
      countOf(this.unreadable, "tensor that cannot be compared", "tensors that cannot be compared"),
    ];
    return `Different: ${counts.flat().join(", ")}`;
  }
}

function countOf(rows: readonly unknown[], one: string, several = `${one}s`): string[] {
  return rows.length === 0 ? [] : [`${showNumber(rows.length)} ${rows.length === 1 ? one : several}`];
}

function tensorRow({ key, dtype, shape, typeName }: ComparedTensor): ListingRow {
  return { key, cells: typeName === undefined ? [showShape(shape ?? []), dtype ?? ""] : [typeName, ""] };
}

function arrow(a: string, b: string): string[] {
  return [`${a} → ${b}`];
}

/** Keys that differ only in their indices on one line, with the largest difference of any of them. */
function valueRows(values: readonly ComparedValues[]): ListingRow[] {
  const byKey = new Map(values.map((row) => [row.key, row]));
  const folded = foldKeys(values.map(({ key }) => key)).map(({ text, keys }) => ({
    key: text,
    rows: keys.flatMap((key) => byKey.get(key) ?? []),
  }));
  const merged = folded.map(({ key, rows }) => ({
    key,
    absolute: rows.reduce((most, { absolute }) => Math.max(most, absolute), 0),
    relative: rows.reduce((most, { relative }) => Math.max(most, relative), 0),
    different: rows.reduce((sum, { different }) => sum + different, 0),
    of: rows.reduce((sum, { of }) => sum + of, 0),
    nan: rows.reduce((sum, { nan }) => sum + nan, 0),
  }));
  return merged.sort((a, b) => b.absolute - a.absolute || b.nan - a.nan).map((row) => ({
    key: row.key,
    cells: [
      `by ${showDifference(row.absolute)}`,
      `relative ${showDifference(row.relative)}`,
      showShare(row.different, row.of),
      row.nan === 0 ? "" : `${showNumber(row.nan)} NaN on one side`,
    ],
  }));
}

/** Counts where they are small enough to mean something. */
function showShare(part: number, whole: number): string {
  if (part === whole) return `all ${showNumber(whole)}`;
  if (whole < 10_000) return `${showNumber(part)} of ${showNumber(whole)}`;
  const percent = Math.floor(1000 * part / whole) / 10;
  return percent === 0 ? `${showNumber(part)} elements` : `${percent} %`;
}

function showDifference(n: number): string {
  if (!Number.isFinite(n)) return "∞";
  return n === 0 || (n >= 1e-3 && n < 1e6) ? String(Number(n.toPrecision(3))) : n.toExponential(2);
}

function jsonNumber(n: number): number | string {
  return Number.isFinite(n) ? n : String(n);
}

/** File names without their folders, where that tells them apart. */
function shortNames({ a, b }: ComparisonContent["names"]): ComparisonContent["names"] {
  const [shortA, shortB] = [a, b].map((name) => name.slice(name.lastIndexOf("/") + 1));
  if (shortA !== shortB) return { a: shortA, b: shortB };
  return a === b ? { a: "the first", b: "the second" } : { a, b };
}
