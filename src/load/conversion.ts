/**
 * What a conversion did, as data and as text.
 *
 * @module
 */

import type { DType } from "../dtype.ts";
import type { CheckpointFormat } from "../checkpoint/detect.ts";
import type { TextOptions } from "../plan/table.ts";
import type { Alias } from "./safetensors_layout.ts";
import { showBytes, showCount, showNumber } from "../plan/amount.ts";
import { GREEN, Listing, type ListingRow, RED, YELLOW } from "../plan/listing.ts";

/** What PyTorch makes of a value that is too large, where the dtype has no infinity. */
const EXCESS: Readonly<Partial<Record<DType, string>>> = {
  float8_e4m3fn: "448, the largest there is",
  float8_e4m3fnuz: "NaN",
  float8_e5m2fnuz: "NaN",
};

/** Rows of a section, beyond which the rest is counted. */
const MOST_ROWS = 10;

/**
 * A tensor whose element type a conversion changed.
 *
 * @example What lost nothing
 * ```ts
 * import type { ConvertedTensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const isHarmless = ({ overflowed, vanished }: ConvertedTensor) => overflowed + vanished === 0;
 * assertEquals(isHarmless({ key: "w", from: "float32", to: "float16", overflowed: 1, vanished: 0 }), false);
 * ```
 */
export interface ConvertedTensor {
  /** Its key in the new file. */
  readonly key: string;
  /** The dtype it had. */
  readonly from: DType;
  /** The dtype it has. */
  readonly to: DType;
  /** How many values were too large: they are infinite, or NaN or the largest value where there is no infinity. */
  readonly overflowed: number;
  /** How many values were not zero and are zero. */
  readonly vanished: number;
}

/** What a conversion is made of. */
interface ConversionContent {
  /** The format of the file that was read. */
  readonly from: CheckpointFormat;
  /** The file that was written, or the index of several: what to open. */
  readonly path: string;
  /** The names of all files that were written, the index last where there are several. */
  readonly files: readonly string[];
  /** How many tensors there are in it. */
  readonly tensors: number;
  /** How many bytes were written. */
  readonly byteLength: number;
  /** Names left out because the same tensor is there under another. */
  readonly aliases: readonly Alias[];
  /** Keys with another name in the new file. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly rule: string }[];
  /** Keys that a rule took out. */
  readonly dropped: readonly { readonly key: string; readonly rule: string }[];
  /** Rules that changed no key. */
  readonly unusedRules: readonly string[];
  /** Tensors whose element type changed. */
  readonly casts: readonly ConvertedTensor[];
}

/**
 * What {@linkcode convertCheckpoint} did. Printing it shows what was written, and what became of the values.
 *
 * @example Half the size
 * ```ts
 * import { convertCheckpoint } from "@graft/graft";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const done = await convertCheckpoint("examples/data/pretrained.pt", `${folder}/half.safetensors`, { dtype: "float16" });
 * assertEquals(done.casts[0], { key: "linear1.weight", from: "float32", to: "float16", overflowed: 0, vanished: 0 });
 * assertStringIncludes(done.toString(), "4 tensors");
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class Conversion {
  /** The format of the file that was read. */
  readonly from: CheckpointFormat;
  /** The file that was written, or the index of several: what to open. */
  readonly path: string;
  /** The names of all files that were written, the index last where there are several. */
  readonly files: readonly string[];
  /** How many tensors there are in it. */
  readonly tensors: number;
  /** How many bytes were written. */
  readonly byteLength: number;
  /** Names left out because the same tensor is there under another. */
  readonly aliases: readonly Alias[];
  /** Keys with another name in the new file. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly rule: string }[];
  /** Keys that a rule took out. */
  readonly dropped: readonly { readonly key: string; readonly rule: string }[];
  /** Rules that changed no key. */
  readonly unusedRules: readonly string[];
  /** Tensors whose element type changed. */
  readonly casts: readonly ConvertedTensor[];

  /** Describes what was done. Callers use {@linkcode convertCheckpoint}. */
  constructor(content: ConversionContent) {
    this.from = content.from;
    this.path = content.path;
    this.files = content.files;
    this.tensors = content.tensors;
    this.byteLength = content.byteLength;
    this.aliases = content.aliases;
    this.renamed = content.renamed;
    this.dropped = content.dropped;
    this.unusedRules = content.unusedRules;
    this.casts = content.casts;
  }

  /** How many values were too large for their new dtype, in all tensors. */
  get overflowed(): number {
    return this.casts.reduce((sum, { overflowed }) => sum + overflowed, 0);
  }

  /** How many values were not zero and are zero, in all tensors. */
  get vanished(): number {
    return this.casts.reduce((sum, { vanished }) => sum + vanished, 0);
  }

  /** The text for a person, as wide as `width` (80) and coloured where `color` is set. */
  text(options: TextOptions = {}): string {
    const listing = new Listing(options);
    const shards = this.files.length === 1 ? "" : ` in ${showCount(this.files.length - 1, "shard")}`;
    const size = `${showCount(this.tensors, "tensor")}, ${showBytes(this.byteLength)}${shards}`;
    const color = this.overflowed > 0 ? RED : this.vanished + this.unusedRules.length > 0 ? YELLOW : GREEN;
    listing.sentence(`Wrote ${this.path}: ${size}`, color);
    if (this.overflowed > 0) {
      const verb = this.overflowed === 1 ? "was" : "were";
      listing.sentence(`${showCount(this.overflowed, "value")} ${verb} too large and became ${this.#excess()}`, RED);
    }
    if (this.vanished > 0) {
      const verb = this.vanished === 1 ? "was" : "were";
      listing.sentence(`${showCount(this.vanished, "value")} ${verb} too small and became 0`, YELLOW);
    }
    return listing
      .section("Rules that met no key", this.unusedRules.map((key) => ({ key, cells: [] })))
      .section("Cast", worstFirst(this.casts).map(castRow), { most: MOST_ROWS })
      .section("Written once", this.aliases.map(({ key, to }) => ({ key, cells: [`is ${to}`] })), { most: MOST_ROWS })
      .section("Renamed", this.renamed.map(({ from, rule }) => ({ key: from, cells: [rule] })), { most: MOST_ROWS })
      .section("Dropped", this.dropped.map(({ key, rule }) => ({ key, cells: [rule] })), { most: MOST_ROWS })
      .toString();
  }

  /** The text, 80 characters wide, without colour. */
  toString(): string {
    return this.text();
  }

  /** What becomes of a value that is too large. All that is cast is cast to one dtype. */
  #excess(): string {
    const [{ to }] = this.casts;
    return EXCESS[to] ?? "infinite";
  }

  /** Plain data: the fields, and the two totals. */
  toJSON(): Record<string, unknown> {
    const { from, path, files, tensors, byteLength, aliases, renamed, dropped, unusedRules, casts } = this;
    const { overflowed, vanished } = this;
    return {
      from,
      path,
      files,
      tensors,
      byteLength,
      aliases,
      renamed,
      dropped,
      unusedRules,
      casts,
      overflowed,
      vanished,
    };
  }

  /** What `console.log` shows under Deno. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What `console.log` shows under Node and Bun. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** What lost most, first. */
function worstFirst(casts: readonly ConvertedTensor[]): ConvertedTensor[] {
  return [...casts].sort((a, b) => b.overflowed - a.overflowed || b.vanished - a.vanished);
}

function castRow({ key, from, to, overflowed, vanished }: ConvertedTensor): ListingRow {
  const lost = [
    ...(overflowed === 0 ? [] : [`${showNumber(overflowed)} too large`]),
    ...(vanished === 0 ? [] : [`${showNumber(vanished)} became 0`]),
  ];
  return { key, cells: [`${from} → ${to}`, lost.join(", ")] };
}
