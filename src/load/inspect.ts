/**
 * What is in a checkpoint, as data and as text, without reading a tensor.
 *
 * @module
 */

import { itemSize } from "../dtype.ts";
import type { DType, RareDType } from "../dtype.ts";
import type { Pattern } from "../outcome.ts";
import { pythonTypeName } from "../python_type.ts";
import { isContiguous, numelOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { Inert, LazyTensor } from "../state_dict.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { CheckpointFormat } from "../checkpoint/detect.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";
import { compilePattern, EVERY_KEY } from "../plan/pattern.ts";
import { WRAPPER_SEGMENTS } from "../plan/rename.ts";
import type { TextOptions } from "../plan/table.ts";
import { showBytes, showCount, showNumber, showShape } from "../plan/amount.ts";
import { Listing } from "../plan/listing.ts";
import type { ListingRow } from "../plan/listing.ts";
import { chosenPath, withCheckpoint } from "./opened.ts";
import { faultOf, placeOf } from "./values.ts";

/** Rows of a section about oddities, beyond which the rest is counted; the list of tensors is always whole. */
const MOST_ODDITIES = 10;

/** Names of what lies beside the state dict, beyond which the rest is counted. */
const MOST_BESIDE = 12;

/** Characters of such a name. */
const MOST_CHARACTERS = 40;

/** What DeepSpeed writes beside the weights, by which its files are known. */
const DEEPSPEED_KEY = "ds_version";

/**
 * What `inspectCheckpoint` takes.
 *
 * @example Only the biases
 * ```ts
 * import { inspectCheckpoint, type InspectOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: InspectOptions = { filter: "*.bias" };
 * const { parameters } = await inspectCheckpoint("examples/data/pretrained.pt", options);
 * assertEquals(parameters, 7);
 * ```
 */
export interface InspectOptions {
  /** Which keys; all by default. */
  readonly filter?: Pattern;
  /** Which state dict inside the file; found by default. */
  readonly stateDictPath?: StateDictPath;
}

/**
 * A tensor of a checkpoint as {@linkcode Inspection} lists it.
 *
 * @example
 * ```ts
 * import { type InspectedTensor, inspectCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const { tensors } = await inspectCheckpoint("examples/data/pretrained.pt");
 * const [{ name, dtype, shape, strides, byteLength }]: readonly InspectedTensor[] = tensors;
 * assertEquals([name, dtype, shape, strides, byteLength], ["linear1.weight", "float32", [5, 10], [10, 1], 200]);
 * ```
 */
export interface InspectedTensor {
  /** Its key. */
  readonly name: string;
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Strides in elements, as the file has them. */
  readonly strides: readonly number[];
  /** Bytes of the logical tensor. */
  readonly byteLength: number;
  /** The storage it looks into: tensors with the same one share memory. */
  readonly storage: string;
}

/** What an inspection is made of. */
interface InspectionContent {
  readonly format: CheckpointFormat;
  readonly path: StateDictPath;
  /** Where else in the file there are state dicts. */
  readonly otherPaths: readonly StateDictPath[];
  readonly metadata: ReadonlyMap<string, string>;
  /** The whole object in the file. */
  readonly root: Inert;
  readonly entries: readonly (readonly [string, Inert])[];
}

/**
 * What is in a checkpoint. Printing it shows the tensors with their indices folded, and whatever is odd about them.
 *
 * @example As data
 * ```ts
 * import { inspectCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const inspection = await inspectCheckpoint("examples/data/pretrained.pt");
 * assertEquals([inspection.format, inspection.path, inspection.parameters], ["torch-zip", [], 67]);
 * assertEquals(Object.keys(inspection.toJSON()), ["format", "path", "tensors", "parameters", "byteLength"]);
 * ```
 */
export class Inspection {
  /** The format of the file. */
  readonly format: CheckpointFormat;
  /** The keys that lead to the state dict; `[]` where the file is one. */
  readonly path: StateDictPath;
  /** Its tensors, in the order of the file. */
  readonly tensors: readonly InspectedTensor[];
  /** How many elements they have; what two names share is counted once. */
  readonly parameters: number;
  /** How many bytes they have; what two names share is counted once. */
  readonly byteLength: number;
  /** Names that are the same elements as another name before them. */
  readonly tied: readonly { readonly key: string; readonly to: string }[];
  /** Values that are no tensors, with the name of their Python type. */
  readonly others: readonly { readonly key: string; readonly typeName: string }[];
  /** Tensors that cannot be read, as far as that is known without reading, and why. */
  readonly unreadable: readonly { readonly key: string; readonly message: string }[];
  readonly #content: InspectionContent;
  readonly #lazy: readonly (readonly [string, LazyTensor])[];

  /** Looks at the values of a state dict. Callers use `inspectCheckpoint`. */
  constructor(content: InspectionContent) {
    const { format, path, entries } = content;
    this.format = format;
    this.path = path;
    this.#content = content;
    this.#lazy = entries.flatMap(([key, value]) => isLazyTensor(value) ? [[key, value] as const] : []);
    this.tensors = this.#lazy.map(([name, { dtype, shape, strides, byteLength, storage }]) => {
      return { name, dtype, shape, strides, byteLength, storage: storage.id };
    });
    this.others = entries.flatMap(([key, value]) =>
      isLazyTensor(value) ? [] : [{ key, typeName: pythonTypeName(value) }]
    );
    const { firsts, tied } = tiesOf(this.#lazy);
    this.tied = tied;
    this.parameters = firsts.reduce((sum, { shape }) => sum + numelOf(shape), 0);
    this.byteLength = firsts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.unreadable = this.#lazy.flatMap(([key, tensor]) => {
      const message = faultOf(tensor);
      return message === null ? [] : [{ key, message }];
    });
  }

  /** The text for a person, as wide as `width` (80) and coloured where `color` is set. */
  text(options: TextOptions = {}): string {
    const listing = new Listing(options);
    listing.sentence(`${this.format}, ${this.#place()}`);
    listing.sentence(this.#totals());
    for (const sentence of this.#remarks()) listing.sentence(sentence);
    const ties = this.tied.map(({ key, to }) => ({ key, cells: [`is ${to}`] }));
    return listing
      .section("Tensors", this.#lazy.map(([key, tensor]) => tensorRow(key, tensor)))
      .section("Tied", ties, { most: MOST_ODDITIES })
      .section("Cannot be read", faultRows(this.#lazy))
      .section("Parts of a larger storage", partRows(this.#lazy), { most: MOST_ODDITIES })
      .section("Not in row-major order", stridedRows(this.#lazy), { most: MOST_ODDITIES })
      .section("Not tensors", this.others.map(({ key, typeName }) => ({ key, cells: [typeName] })))
      .toString();
  }

  /** The text, 80 characters wide, without colour. */
  toString(): string {
    return this.text();
  }

  /** Plain data: `format`, `path`, `tensors`, `parameters` and `byteLength`. */
  toJSON(): {
    readonly format: CheckpointFormat;
    readonly path: StateDictPath;
    readonly tensors: readonly InspectedTensor[];
    readonly parameters: number;
    readonly byteLength: number;
  } {
    const { format, path, tensors, parameters, byteLength } = this;
    return { format, path, tensors, parameters, byteLength };
  }

  /** What `console.log` shows under Deno. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What `console.log` shows under Node and Bun. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  #place(): string {
    return this.path.length === 0 ? "the file is the state dict" : `the state dict is at ${this.path.join(".")}`;
  }

  /** Whether a file of DeepSpeed's has parameters without a value. */
  #isPlaceholder(): boolean {
    const { root } = this.#content;
    return root instanceof Map && root.has(DEEPSPEED_KEY) && this.tensors.some(({ byteLength }) => byteLength === 0);
  }

  #totals(): string {
    const dtypes = new Map<string, number>();
    for (const { dtype } of this.tensors) dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + 1);
    const counts = [...dtypes].sort((a, b) => b[1] - a[1]).map(([dtype, count]) => `${showNumber(count)} ${dtype}`);
    const kinds = dtypes.size === 1 ? `all ${[...dtypes.keys()]}` : counts.join(", ");
    const totals = [
      showCount(this.tensors.length, "tensor"),
      showCount(this.parameters, "parameter"),
      showBytes(this.byteLength),
    ].join(", ");
    return dtypes.size === 0 ? totals : `${totals}: ${kinds}`;
  }

  /** What is worth a sentence: texts of the file, other state dicts, a wrapper around every key. */
  #remarks(): string[] {
    const { metadata, otherPaths, entries } = this.#content;
    const texts = [...metadata].filter(([name]) => this.format.startsWith("safetensors") || name === "byteorder")
      .filter(([name, text]) => name !== "byteorder" || text !== "little");
    const [first = ""] = entries.map(([key]) => key.split(".")[0]);
    const isWrapped = WRAPPER_SEGMENTS.includes(first) && entries.every(([key]) => key.startsWith(`${first}.`));
    return [
      ...texts.map(([name, text]) => `${name}: ${text}`),
      ...(otherPaths.length === 0 ? [] : [`Also there: ${otherPaths.map((path) => path.join(".")).join(", ")}`]),
      ...besideOf(this.#content),
      ...(this.#isPlaceholder()
        ? ["Tensors are empty: DeepSpeed's ZeRO-3 keeps them in other files, which its zero_to_fp32.py joins"]
        : []),
      ...(isWrapped ? [`Every key begins with "${first}.", which a wrapper put there`] : []),
    ];
  }
}

/** `inspectCheckpoint`, which loads this with the first call. */
export async function inspect(
  source: SourceLike | Checkpoint,
  options: InspectOptions = {},
): Promise<Inspection> {
  const matches = compilePattern(options.filter ?? EVERY_KEY);
  return await withCheckpoint(source, (checkpoint) => {
    const { format, metadata, root } = checkpoint;
    const stateDict = checkpoint.stateDict(options.stateDictPath);
    const path = options.stateDictPath ?? chosenPath(checkpoint);
    const otherPaths = checkpoint.stateDictPaths.filter((other) => JSON.stringify(other) !== JSON.stringify(path));
    const entries = [...stateDict].filter(([key]) => matches(key));
    return Promise.resolve(new Inspection({ format, path, otherPaths, metadata, root, entries }));
  });
}

/** What else the file holds than state dicts: the epoch, the optimiser. */
function besideOf({ root, path, otherPaths }: InspectionContent): string[] {
  if (path.length === 0 || !(root instanceof Map)) return [];
  const taken = new Set<unknown>([path, ...otherPaths].map(([first]) => first));
  const keys = [...root.keys()].filter((key) => !taken.has(key));
  if (keys.length === 0) return [];
  const more = keys.length > MOST_BESIDE ? `, … and ${showNumber(keys.length - MOST_BESIDE)} more` : "";
  const names = keys.slice(0, MOST_BESIDE).map(keyName);
  return [`Beside it: ${names.join(", ")}${more}`];
}

function keyName(key: unknown): string {
  if (typeof key === "object") return `a key of type ${pythonTypeName(key)}`;
  const name = String(key);
  return name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}…` : name;
}

/** The first name of everything, and the later names with it. */
function tiesOf(
  tensors: readonly (readonly [string, LazyTensor])[],
): { readonly firsts: readonly LazyTensor[]; readonly tied: readonly { readonly key: string; readonly to: string }[] } {
  const names = new Map<unknown, string>();
  const firsts: LazyTensor[] = [];
  const tied: { key: string; to: string }[] = [];
  for (const [key, tensor] of tensors) {
    const place = tensor.byteLength === 0 ? tensor : placeOf(tensor);
    const to = names.get(place);
    if (to === undefined) {
      names.set(place, key);
      firsts.push(tensor);
    } else tied.push({ key, to });
  }
  return { firsts, tied };
}

function tensorRow(key: string, { dtype, shape, byteLength }: LazyTensor): ListingRow {
  return { key, cells: [showShape(shape), dtype], byteLength };
}

/** What is wrong with each, without what its row says already. */
function faultRows(tensors: readonly (readonly [string, LazyTensor])[]): ListingRow[] {
  return tensors.flatMap(([key, tensor]) => {
    const message = faultOf(tensor);
    if (message === null) return [];
    const end = ` from "${tensor.storage.id}": `;
    const at = message.startsWith("Cannot read ") ? message.indexOf(end) : -1;
    return [{ key, cells: [at < 0 ? message : message.slice(at + end.length)] }];
  });
}

function partRows(tensors: readonly (readonly [string, LazyTensor])[]): ListingRow[] {
  return tensors.flatMap(([key, tensor]) => {
    const used = Math.min(usedBytes(tensor), tensor.storage.byteLength);
    if (used === 0 || used === tensor.storage.byteLength) return [];
    return [{ key, cells: [`${showBytes(used)} of ${showBytes(tensor.storage.byteLength)}`] }];
  });
}

/** Bytes of the storage that the elements take: a repeated element takes them once. */
function usedBytes({ dtype, shape, strides }: LazyTensor): number {
  return numelOf(shape.filter((_, i) => strides[i] !== 0)) * itemSize(dtype);
}

function stridedRows(tensors: readonly (readonly [string, LazyTensor])[]): ListingRow[] {
  return tensors.flatMap(([key, { shape, strides }]) =>
    isContiguous(shape, strides) ? [] : [{ key, cells: [showShape(shape), `strides ${showShape(strides)}`] }]
  );
}
