/**
 * The options of a load, the same everywhere: `loadStateDict`, `planLoad`, `loadCheckpoint` and the command line.
 *
 * @module
 */

import type { MismatchAction, Pattern } from "../outcome.ts";
import type { Shape } from "../shape.ts";

/**
 * How keys may differ from the model's: a boolean is PyTorch's, the object is strict about all it does not name.
 *
 * @example Strict about everything but the new head
 * ```ts
 * import { Linear, Sequential, type Strictness } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const strict: Strictness = { allowMissing: ["1.*"] };
 * const pretrained = new Sequential(new Linear(4, 3)).stateDict();
 * const report = new Sequential(new Linear(4, 3), new Linear(3, 2)).loadStateDict(pretrained, { strict });
 * assertEquals(report.allowed.missing, ["1.weight", "1.bias"]);
 * ```
 */
export type Strictness = boolean | {
  /** Model keys that the checkpoint need not have. */
  readonly allowMissing?: readonly Pattern[];
  /** Checkpoint keys that the model need not have. */
  readonly allowUnexpected?: readonly Pattern[];
};

/**
 * A key present on both sides with different shapes, as a {@linkcode MismatchRules} function sees it.
 *
 * @example Deciding by size
 * ```ts
 * import { Linear, type MismatchAt } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const growsOnly = ({ checkpointShape, modelShape }: MismatchAt) =>
 *   checkpointShape.every((size, i) => size <= modelShape[i]) ? "overlap" : "skip";
 * const report = new Linear(4, 3).loadStateDict(new Linear(4, 2).stateDict(), { mismatch: growsOnly });
 * assertEquals(report.partial.map(({ elements, of }) => [elements, of]), [[8, 12], [2, 3]]);
 * ```
 */
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
 *
 * @example Grafting biases, keeping weights
 * ```ts
 * import { Linear, type MismatchRules } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const mismatch: MismatchRules = { bias: "overlap", "*": "skip" };
 * const report = new Linear(12, 6).loadStateDict(new Linear(10, 5).stateDict(), { mismatch });
 * assertEquals(report.mismatched.map(({ key, action }) => [key, action]), [["weight", "skip"], ["bias", "overlap"]]);
 * ```
 */
export type MismatchRules =
  | Readonly<Record<string, MismatchAction>>
  | readonly (readonly [Pattern, MismatchAction])[]
  | ((at: MismatchAt) => MismatchAction);

/**
 * One step from a checkpoint's keys towards the model's. `strip` and `add` are about the beginning of a key. `replace`
 * with a string replaces every occurrence and takes `with` as it stands; with a `RegExp` it is `String.replace`, `$1`
 * and the `g` flag included. `drop` takes the keys out. A function answers the new key, or `null` to take it out.
 *
 * @example From a wrapped classifier to a model of one's own
 * ```ts
 * import { Linear, type RenameRule, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const rename: RenameRule[] = [{ strip: "module." }, { replace: "classifier.", with: "0." }, { drop: "ema.*" }];
 * const { weight, bias } = new Linear(4, 3);
 * const old = { "module.classifier.weight": weight, "module.classifier.bias": bias, "module.ema.bias": bias };
 * const report = new Sequential(new Linear(4, 3)).loadStateDict(old, { rename });
 * assertEquals(report.renamed[0].rule, 'strip "module.", then replace "classifier." with "0."');
 * ```
 */
export type RenameRule =
  | { readonly strip: string }
  | { readonly add: string }
  | { readonly replace: string | RegExp; readonly with: string }
  | { readonly drop: Pattern }
  | ((key: string) => string | null);

/**
 * What is done to a tensor of the checkpoint before it is looked at: `"transpose"` swaps its last two dimensions.
 *
 * @example Weights of GPT-2's Conv1D
 * ```ts
 * import { Linear, type TransformRule, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const transform: TransformRule[] = [["weight", "transpose"]];
 * const report = new Linear(4, 3).loadStateDict({ weight: zeros([4, 3]), bias: zeros([3]) }, { transform });
 * assertEquals(report.loaded, ["weight", "bias"]);
 * ```
 */
export type TransformRule = readonly [Pattern, "transpose"];

/**
 * Which changes of element type are let pass.
 *
 * @example Refusing what would lose digits
 * ```ts
 * import { type CastPolicy, Linear, LoadRefusedError } from "@graft/graft";
 * import { assertThrows } from "@std/assert";
 *
 * const cast: CastPolicy = "widen";
 * const double = new Linear(4, 3).to("float64").stateDict();
 * assertThrows(() => new Linear(4, 3).loadStateDict(double, { cast }), LoadRefusedError, "from float64 to float32");
 * ```
 */
export type CastPolicy = "allow" | "widen" | "error";

/**
 * A function that fills a parameter in place; {@linkcode LoadOptions.initMissing} says when it is called.
 *
 * @example Filling with a constant
 * ```ts
 * import { init, Linear, type MissingInitialiser, type Tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const sevens: MissingInitialiser<Tensor> = (tensor) => init.constant_(tensor, 7);
 * const layer = new Linear(1, 1);
 * layer.loadStateDict({}, { strict: false, initMissing: sevens });
 * assertEquals(layer.bias?.tolist(), [7]);
 * ```
 */
export interface MissingInitialiser<T> {
  /** Fills `tensor`, whose name in the model is `key`. What it returns is ignored. */
  (tensor: T, key: string): unknown;
  /** How many dimensions it needs. With fewer, a `bias` is zeroed and anything else left as constructed. */
  readonly minDimensions?: number;
}

/**
 * How far a load has come, in bytes.
 *
 * @example A percentage
 * ```ts
 * import type { LoadProgress } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const percent = ({ done, total }: LoadProgress) => `${Math.floor(100 * done / total)} %`;
 * assertEquals(percent({ done: 512, total: 2048 }), "25 %");
 * ```
 */
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
 *
 * @example The options together
 * ```ts
 * import { init, Linear, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const pretrained = new Sequential(new Linear(10, 5), new Linear(5, 2)).stateDict();
 * const model = new Sequential(new Linear(12, 5), new Linear(5, 2), new Linear(2, 1));
 * const report = model.loadStateDict(pretrained, {
 *   strict: { allowMissing: ["2.*"] },
 *   mismatch: { "0.*": "overlap" },
 *   initMissing: init.xavierUniform_,
 *   minCoverage: 0.8,
 * });
 * assertEquals(report.partial, [{ key: "0.weight", elements: 50, of: 60 }]);
 * ```
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
  /** Told how far the reading has come: after every tensor, and every few MiB of a large one. */
  readonly onProgress?: (progress: LoadProgress) => void;
}
