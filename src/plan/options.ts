/**
 * The options of a load, the same everywhere: `loadStateDict`, `planLoad`, `loadCheckpoint` and the command line.
 *
 * @module
 */

import type { MismatchAction, Pattern } from "../outcome.ts";
import type { Shape } from "../shape.ts";

/** How keys may differ from the model's: a boolean is PyTorch's, the object is strict about all it does not name. */
export type Strictness = boolean | {
  /** Model keys that the checkpoint need not have. */
  readonly allowMissing?: readonly Pattern[];
  /** Checkpoint keys that the model need not have. */
  readonly allowUnexpected?: readonly Pattern[];
};

/** A key present on both sides with different shapes, as a {@linkcode MismatchRules} function sees it. */
export interface MismatchAt {
  /** The key in the model. */
  readonly key: string;
  /** The shape in the checkpoint, after any transposition. */
  readonly checkpointShape: Shape;
  /** The shape in the model. */
  readonly modelShape: Shape;
}

/**
 * What to do about other shapes, key by key. The first pattern that matches decides; where none does, it is an error.
 * A record's patterns are globs, in the order written; the list form also takes a `RegExp`.
 */
export type MismatchRules =
  | Readonly<Record<string, MismatchAction>>
  | readonly (readonly [Pattern, MismatchAction])[]
  | ((at: MismatchAt) => MismatchAction);

/**
 * One step from a checkpoint's keys towards the model's. `strip` and `add` are about the beginning of a key. `replace`
 * with a string replaces every occurrence and takes `with` as it stands; with a `RegExp` it is `String.replace`, `$1`
 * and the `g` flag included. `drop` takes the keys out. A function answers the new key, or `null` to take it out.
 */
export type RenameRule =
  | { readonly strip: string }
  | { readonly add: string }
  | { readonly replace: string | RegExp; readonly with: string }
  | { readonly drop: Pattern }
  | ((key: string) => string | null);

/** What is done to a tensor of the checkpoint before it is looked at: `"transpose"` swaps its last two dimensions. */
export type TransformRule = readonly [Pattern, "transpose"];

/** Which changes of element type are let pass. */
export type CastPolicy = "allow" | "widen" | "error";

/** A function that fills a parameter in place; {@linkcode LoadOptions.initMissing} says when it is called. */
export interface MissingInitialiser<T> {
  /** Fills `tensor`, whose name in the model is `key`. What it returns is ignored. */
  (tensor: T, key: string): unknown;
  /** How many dimensions it needs. With fewer, a `bias` is zeroed and anything else left as constructed. */
  readonly minDimensions?: number;
}

/** How far a load has come, in bytes. */
export interface LoadProgress {
  /** Bytes read so far. */
  readonly done: number;
  /** Bytes to read in all. */
  readonly total: number;
}

/**
 * The options of a load.
 *
 * @typeParam T What `initMissing` is given: the tensor class of the caller. The planner never looks at it.
 */
export interface LoadOptions<T = never> {
  /**
   * Whether keys must be the same on both sides. `true`, the default, and `false` are PyTorch's. The object form is
   * the recommended one: strict about everything that was not named, and a pattern that names nothing is reported.
   */
  readonly strict?: Strictness;
  /**
   * What to do where a key is on both sides with different shapes. `"error"`, the default, is PyTorch's under either
   * `strict`. `"skip"` keeps what the model has. `"overlap"` copies the common leading region and keeps what the model
   * has elsewhere; where the numbers of dimensions differ there is no such region, and it stays an error.
   */
  readonly mismatch?: MismatchAction | MismatchRules;
  /**
   * What the checkpoint's keys are called in the model: rules, applied in order to every key. `"auto"` strips what
   * wrappers such as `DataParallel` and `torch.compile` add, only where that makes a key match. Two keys that end up
   * with one name are refused. None by default.
   */
  readonly rename?: readonly RenameRule[] | "auto";
  /** Weights that the checkpoint stores the other way round, by the model's keys (after renames). None by default. */
  readonly transform?: readonly TransformRule[];
  /**
   * Called once for every *parameter* that receives no element, because it is missing or skipped: never for a buffer,
   * once for tied names, never where a part was loaded. Without it they keep what their constructors gave them.
   */
  readonly initMissing?: MissingInitialiser<T>;
  /**
   * Which changes of element type are let pass: all (`"allow"`, the default and PyTorch's), only those that keep every
   * value (`"widen"`), or none (`"error"`).
   */
  readonly cast?: CastPolicy;
  /**
   * PyTorch's `assign`: tensors loaded whole take the checkpoint's dtype, so that nothing is cast. What is loaded in
   * part keeps the model's dtype. `false` by default.
   */
  readonly assign?: boolean;
  /** Refuse when less than this fraction of the model's elements would be loaded, 0 (the default) to 1. */
  readonly minCoverage?: number;
  /** Let a load pass in which no key of the checkpoint is one of the model's. `false` by default. */
  readonly allowNoMatch?: boolean;
  /** Which state dict inside the file; found by itself where there is one. */
  readonly stateDictPath?: readonly (string | number)[];
  /** Ends the load when aborted. What was loaded by then is in the error. */
  readonly signal?: AbortSignal;
  /** Told how far the reading has come. */
  readonly onProgress?: (progress: LoadProgress) => void;
}
