/**
 * What a load will do, or did: the data that a plan, a report and an error have in common.
 *
 * @module
 */

import type { DType, RareDType } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/**
 * A pattern for keys. A string is a glob over the whole key: `*` is any run of characters, dots included, `?` one
 * character, `{a,b}` either. A `RegExp` searches.
 */
export type Pattern = string | RegExp;

/** What to do where a key matches and its shape does not. */
export type MismatchAction = "error" | "skip" | "overlap";

/** Why Graft refuses a load that PyTorch would let pass. */
export type LoadRefusal = "no-match" | "coverage" | "cast" | "collision";

/** A key present on both sides with different shapes, and what is done about it. */
export interface Mismatch {
  /** The key in the model. */
  readonly key: string;
  /** The shape in the checkpoint. */
  readonly checkpointShape: Shape;
  /** The shape in the model. */
  readonly modelShape: Shape;
  /** What is done. */
  readonly action: MismatchAction;
}

/** A fraction of tensors and of elements, 0 to 1. */
export interface Coverage {
  /** Fraction of the tensors. */
  readonly tensors: number;
  /** Fraction of the elements. */
  readonly elements: number;
}

/** What a {@linkcode LoadPlan} says before a load and a {@linkcode LoadReport} after it. */
export interface Outcome {
  /** PyTorch's list, in its order: model keys that the checkpoint does not have. */
  readonly missingKeys: readonly string[];
  /** PyTorch's list, in its order: checkpoint keys that the model does not have. */
  readonly unexpectedKeys: readonly string[];
  /** Which of these were named in `strict.allowMissing` and `strict.allowUnexpected`, and patterns that named nothing. */
  readonly allowed: {
    readonly missing: readonly string[];
    readonly unexpected: readonly string[];
    readonly unusedPatterns: readonly Pattern[];
  };
  /** Keys whose value is taken from the checkpoint, whole or in part. */
  readonly loaded: readonly string[];
  /** Keys with another shape in the checkpoint. */
  readonly mismatched: readonly Mismatch[];
  /** Keys that receive only some of their elements. */
  readonly partial: readonly { readonly key: string; readonly elements: number; readonly of: number }[];
  /** Keys of the checkpoint that were looked up under another name. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly rule: string }[];
  /**
   * Keys whose element type changes; lossy where a value may change with it. After a load, `overflowed` says how many
   * finite values became infinite or NaN, where any did.
   */
  readonly casts: readonly {
    readonly key: string;
    readonly from: DType | RareDType;
    readonly to: DType;
    readonly lossy: boolean;
    readonly overflowed?: number;
  }[];
  /** Keys that share their tensor with another name. */
  readonly tied: readonly { readonly key: string; readonly to: string }[];
  /** Parameters that received nothing from the checkpoint, and what `initMissing` did to them. */
  readonly initialised: readonly { readonly key: string; readonly by: string }[];
  /** How much of either side takes part. */
  readonly coverage: { readonly model: Coverage; readonly checkpoint: Coverage };
  /** A report to read. */
  toString(): string;
  /** The same as plain data. */
  toJSON(): unknown;
}
