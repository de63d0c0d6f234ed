/**
 * What the planner is given and what it answers, as rows: keys, shapes, dtypes and kinds, never a value.
 *
 * `nn` makes the model's rows and carries out the {@linkcode Transfer}s of values in memory; `load` does the same with
 * values that are still to be read.
 *
 * @module
 */

import type { DType, RareDType } from "../dtype.ts";
import type { LoadRefusal, Outcome } from "../outcome.ts";
import type { Shape } from "../shape.ts";
import type { StateDictMetadata } from "../state_dict.ts";
import type { KeyEditor } from "./key_editor.ts";
import type { LoadOptions, RenameRule } from "./options.ts";

/** One parameter or persistent buffer of a module. */
export interface ModelEntry {
  /** The name in its module, which holds no dot. */
  readonly name: string;
  /** Only a parameter is ever initialised. */
  readonly kind: "parameter" | "buffer";
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Whether it requires gradients, which an `assign` of integers cannot. */
  readonly requiresGrad: boolean;
  /** The same object under two names is one tensor with two names: tied. */
  readonly identity: object;
}

/** One module of a model, with what it registers, in order. */
export interface ModelRow {
  /** Where it is: `""` for the root, else names joined by dots. */
  readonly path: string;
  /** The name of its class, as PyTorch's error text says it. */
  readonly className: string;
  /** Its parameters, then its persistent buffers; what is registered as absent (`null`) is left out. */
  readonly entries: readonly ModelEntry[];
  /** Its children; `null` is one registered as absent, below which every key is passed over in silence. */
  readonly children: readonly { readonly name: string; readonly module: ModelRow | null }[];
  /** Which of the two halves of extra state its class has. */
  readonly extraState: { readonly get: boolean; readonly set: boolean };
  /**
   * `Module.upgradeStateDict`: edits the keys below this module before they are matched.
   *
   * @param keys The keys of this module and its children, full.
   * @param prefix What the module's own keys begin with: `""`, or its path and a dot.
   * @param version The version the checkpoint recorded for this module, or `null`.
   * @returns Lines for PyTorch's error text, each an error under every `strict`.
   */
  upgrade?(keys: KeyEditor, prefix: string, version: number | null): readonly string[] | void;
}

/** A tensor without its values. */
export interface TensorRow {
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
}

/** One entry of a checkpoint's state dict. */
export interface CheckpointRow {
  /** The key, as in the file. */
  readonly key: string;
  /** What kind of tensor it is; `null` where it is none. */
  readonly tensor: TensorRow | null;
  /** The Python type in PyTorch's words, for what is no tensor: `"int"`, `"list"`, `"numpy.ndarray"`. */
  readonly typeName: string;
}

/** A checkpoint's state dict. */
export interface CheckpointRows {
  /** Its entries in order; no key twice. */
  readonly rows: readonly CheckpointRow[];
  /** PyTorch's `_metadata`, or `null` where there is none. */
  readonly metadata: StateDictMetadata | null;
}

/** What the three kinds of {@linkcode Transfer} have in common. */
export interface TransferTarget {
  /** The key in the model. */
  readonly key: string;
  /** The path of the module that holds it. */
  readonly modulePath: string;
  /** The name in that module; `"_extra_state"` for extra state. */
  readonly name: string;
}

/** A tensor of the checkpoint that goes, whole or in part, into a tensor of the model. */
export interface TensorTransfer extends TransferTarget {
  /**
   * `"copy"`: all of it. `"overlap"`: the leading {@linkcode TensorTransfer.region}. `"element"`: the one element of a
   * 1-d tensor into a 0-d one, PyTorch's rule for files from before 0.4.
   */
  readonly action: "copy" | "overlap" | "element";
  /** The key in the checkpoint. */
  readonly source: string;
  /** What is written to. */
  readonly kind: "parameter" | "buffer";
  /** Whether the last two dimensions of the checkpoint's tensor are swapped first. */
  readonly transpose: boolean;
  /** Whether the model's tensor is replaced by one of the checkpoint's dtype rather than written into. */
  readonly assign: boolean;
  /** The checkpoint's tensor as the file has it, before any transposition. */
  readonly from: TensorRow;
  /** The model's tensor, with the dtype that it will have. */
  readonly to: { readonly dtype: DType; readonly shape: Shape };
  /** The sizes of what is copied, from the first element of either; the model's shape unless it is an overlap. */
  readonly region: Shape;
}

/** An entry whose key an `upgradeStateDict` declared present: the model keeps the value it has. */
export interface KeepTransfer extends TransferTarget {
  /** Nothing is copied. */
  readonly action: "keep";
  /** There is no key in the checkpoint. */
  readonly source: null;
}

/** A value for the module's `setExtraState`; any value, not only a tensor. */
export interface ExtraStateTransfer extends TransferTarget {
  /** The module's `setExtraState` is called with the value. */
  readonly action: "extra-state";
  /** The key in the checkpoint; `null`: an upgrade declared the key present, and nothing is called. */
  readonly source: string | null;
}

/** One step of a load. */
export type Transfer = TensorTransfer | KeepTransfer | ExtraStateTransfer;

/** A parameter that receives no element from the checkpoint, and what is to be done about it. */
export interface Initialisation {
  /** The first of its keys. */
  readonly key: string;
  /** All of its keys: more than one where it is tied. */
  readonly keys: readonly string[];
  /** The path of the module that holds it under {@linkcode Initialisation.key}. */
  readonly modulePath: string;
  /** The name in that module. */
  readonly name: string;
  /** `"call"`: `initMissing(tensor, key)`. `"zero"`: fill with zeros. `"keep"`: leave what the constructor gave it. */
  readonly action: "call" | "zero" | "keep";
  /** The same for a reader: the function's name, `"zeros_"` or `"constructor"`. */
  readonly by: string;
}

/**
 * What kind of thing stands in the way of a load.
 *
 * @example Telling problems apart
 * ```ts
 * import { Linear, planLoad, type ProblemKind } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const plan = planLoad(new Linear(4, 3), new Linear(4, 2).stateDict());
 * const kinds: ProblemKind[] = plan.problems.map(({ kind }) => kind);
 * assertEquals(kinds, ["mismatch", "mismatch"]);
 * ```
 */
export type ProblemKind =
  | "missing"
  | "unexpected"
  | "mismatch"
  | "not-a-tensor"
  | "upgrade"
  | "assign"
  | "unsupported"
  | "unreadable"
  | LoadRefusal;

/**
 * Something that stands in the way of a load.
 *
 * @example What stands in the way
 * ```ts
 * import { Linear, planLoad, type Problem } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const [problem]: readonly Problem[] = planLoad(new Linear(4, 3, { bias: false }), new Linear(4, 3).stateDict()).problems;
 * assertEquals(problem, { kind: "unexpected", message: 'Unexpected key(s) in state_dict: "bias". ', keys: ["bias"] });
 * ```
 */
export interface Problem {
  /** What kind of thing it is. */
  readonly kind: ProblemKind;
  /** The problem in a sentence: PyTorch's own, where it is PyTorch's. */
  readonly message: string;
  /** The keys it is about. */
  readonly keys: readonly string[];
}

/**
 * A guess at what would help. None is ever applied by itself.
 *
 * @example Applying a guess that was looked at
 * ```ts
 * import { Linear, planLoad, Sequential, type Suggestion } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const wrapped = new Sequential({ module: new Linear(4, 3) }).stateDict();
 * const [guess]: readonly Suggestion[] = planLoad(new Linear(4, 3), wrapped).suggestions;
 * assertEquals(guess.option, 'rename: [{ strip: "module." }]');
 * assertEquals(planLoad(new Linear(4, 3), wrapped, guess.options).ok, true);
 * ```
 */
export interface Suggestion {
  /** What kind of guess it is. */
  readonly kind: "rename" | "wrapper" | "transpose" | "mismatch" | "allow";
  /** The guess in a sentence. */
  readonly message: string;
  /** The option to paste, as TypeScript: `rename: [{ strip: "module." }]`. */
  readonly option: string;
  /** The same as a value, to spread over the options of the next load. */
  readonly options: SuggestedOptions;
  /** The rules themselves where the guess is a rename, else none. */
  readonly rename: readonly RenameRule[];
  /** The keys it would help: in the checkpoint, and in the model (`""` on a side that has none). */
  readonly keys: readonly { readonly from: string; readonly to: string }[];
}

/** The options that a guess may propose. */
export type SuggestedOptions = Pick<LoadOptions, "rename" | "stateDictPath" | "transform" | "mismatch" | "strict">;

/** Tensors and elements, counted. */
export interface Count {
  /** How many tensors. */
  readonly tensors: number;
  /** How many elements in them. */
  readonly elements: number;
}

/** What takes part, of how much. */
export interface Share {
  /** What takes part in the load. */
  readonly part: Count;
  /** All there is. */
  readonly whole: Count;
}

/** The data of an {@linkcode Outcome}, without its text. */
export type OutcomeData = Omit<Outcome, "toString" | "toJSON">;

/** What {@linkcode planRows} answers: the outcome of the load, and everything needed to carry it out or refuse it. */
export interface PlanRows extends OutcomeData {
  /** Whether the load may start. */
  readonly ok: boolean;
  /** What stands in the way; empty exactly when it may start. */
  readonly problems: readonly Problem[];
  /** The text that PyTorch would raise, byte for byte, or `null`. It goes before {@linkcode PlanRows.refusal}. */
  readonly errorText: string | null;
  /** Why Graft refuses a load that PyTorch would let pass, or `null`. */
  readonly refusal: { readonly reason: LoadRefusal; readonly message: string } | null;
  /** The counts behind {@linkcode Outcome.coverage}. */
  readonly counts: { readonly model: Share; readonly checkpoint: Share };
  /** The shapes behind the keys: the model's by its keys, the checkpoint's by the names that its keys have now. */
  readonly shapes: { readonly model: ReadonlyMap<string, Shape>; readonly checkpoint: ReadonlyMap<string, Shape> };
  /** What is copied where, in PyTorch's order: modules before their children, parameters before buffers. */
  readonly transfers: readonly Transfer[];
  /** Parameters that receive no element, in the model's order, tied ones once. */
  readonly initialisations: readonly Initialisation[];
  /** Checkpoint keys that a rename rule or an upgrade took out. */
  readonly dropped: readonly { readonly key: string; readonly rule: string }[];
  /** Checkpoint keys below a child that is registered as absent, which PyTorch passes over in silence. */
  readonly passedOver: readonly string[];
  /** Rules of `rename`, `transform` and `mismatch` that met no key. */
  readonly unusedRules: readonly { readonly option: "rename" | "transform" | "mismatch"; readonly rule: string }[];
  /** What would help, worked out when first asked for. */
  readonly suggestions: readonly Suggestion[];
}
