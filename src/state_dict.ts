/**
 * The word in which the two halves of the library meet: a state dict, an ordered map from key to tensor.
 *
 * @module
 */

import type { DType, RareDType } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** PyTorch's `_metadata`: module path (`""` is the root) to what that module recorded, at least `version`. */
export type StateDictMetadata = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/**
 * An ordered map from key to value with PyTorch's `_metadata` beside it. Keys are data: any string, in file order,
 * also where they look like integers. It is a `Map`, so entries may be deleted and set as in PyTorch's scripts.
 *
 * @typeParam T What the keys lead to: tensors in a model, lazy tensors in a checkpoint.
 *
 * @example Dropping a head before loading
 * ```ts
 * import { Linear, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = new Sequential(new Linear(4, 3), new Linear(3, 2)).stateDict();
 * weights.delete("1.weight");
 * weights.delete("1.bias");
 * assertEquals([...weights.keys()], ["0.weight", "0.bias"]);
 * assertEquals(weights.metadata?.get("0")?.get("version"), 1);
 * ```
 */
export class StateDict<T> extends Map<string, T> {
  /** PyTorch's `_metadata`, or `null` where the file or the caller had none. */
  readonly metadata: StateDictMetadata | null;

  /**
   * A state dict of the given entries.
   *
   * @param entries Keys and values, in order.
   * @param metadata What the modules recorded; none by default.
   */
  constructor(entries: Iterable<readonly [string, T]> = [], metadata: StateDictMetadata | null = null) {
    super();
    // A map hands over its entries without making a pair of each.
    if (entries instanceof Map) entries.forEach((value: T, key: string) => this.set(key, value));
    else for (const [key, value] of entries) this.set(key, value);
    this.metadata = metadata;
  }
}

/** A storage as a file has it: tensors with the same `id` in one checkpoint share memory. */
export interface StorageInfo {
  /** The storage's name inside its file. */
  readonly id: string;
  /** Bytes of the whole storage, which a view may use only a part of. */
  readonly byteLength: number;
}

/** A tensor that is known by its description; its bytes are read only when asked for. */
export interface LazyTensor {
  /** The element type. */
  readonly dtype: DType | RareDType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Strides in elements, as the file has them. */
  readonly strides: readonly number[];
  /** The storage it looks into. */
  readonly storage: StorageInfo;
  /** Bytes of the logical tensor: elements times the size of one. */
  readonly byteLength: number;
  /** Whether the file says that it requires gradients. */
  readonly requiresGrad: boolean;
  /**
   * The logical, contiguous, little-endian bytes, freshly allocated and the caller's own.
   *
   * @throws {UnsupportedError} The tensor is of a kind that is listed and not read.
   * @throws {TruncatedError} The source ended early.
   */
  read(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads the same bytes into `target`, which must be exactly `byteLength` long.
   *
   * @throws {RangeError} `target` has another length.
   */
  readInto(target: Uint8Array): Promise<void>;
}

/** The brand by which a lazy tensor is told from other values in a file; its value is the version that made it. */
export const LAZY_TENSOR: unique symbol = Symbol.for("@graft/graft.LazyTensor");

/** Whether a value found in a checkpoint is a tensor. */
export function isLazyTensor(value: unknown): value is LazyTensor {
  return typeof value === "object" && value !== null && LAZY_TENSOR in value;
}

/** An object of a class that Graft does not know: its name and what the file said about it. Nothing was called. */
export interface InertObject {
  /** The module of the class or function, as in the file. */
  readonly module: string;
  /** Its qualified name. */
  readonly name: string;
  /** The arguments it was to be called with; absent for the bare class. */
  readonly args?: readonly Inert[];
  /** What `BUILD` handed to it. */
  readonly state?: Inert;
  /** What was appended to it or set in it, where its class extends `list` or `dict`. */
  readonly items?: readonly Inert[] | ReadonlyMap<Inert, Inert>;
}

/** Any value of a checkpoint, without behaviour. Cycles are kept, so walk it with a set of what was seen. */
export type Inert =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | LazyTensor
  | InertObject
  | readonly Inert[]
  | ReadonlySet<Inert>
  | ReadonlyMap<Inert, Inert>;
