/**
 * New tensors: from values, constant, counted and random.
 *
 * @module
 */

import { DTYPES, itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { numelOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { countFill, eyeFill } from "../core/kernels.ts";
import { Storage } from "../core/memory.ts";
import type { RandomOptions } from "./arguments.ts";
import { writeElement } from "./elements.ts";
import { streamOf } from "./generator.ts";
import { emptyLike } from "./layout.ts";
import * as drawing from "./operations/drawing.ts";
import { binary } from "./operations/elementwise.ts";
import { typeName } from "./promotion.ts";
import { pythonFloat } from "./python_number.ts";
import { Tensor, viewOf } from "./tensor.ts";
import type { Element } from "./tensor.ts";
import { filled, uninitialised, View } from "./view.ts";

/** Wide unsigned integers that PyTorch does not count in. */
const UNCOUNTED: readonly DType[] = ["uint16", "uint32", "uint64"];

/** The dtype whose elements a typed array holds as they are. */
const NATIVE_DTYPES: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [BigInt64Array, "int64"],
  [BigUint64Array, "uint64"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [Int16Array, "int16"],
  [Uint16Array, "uint16"],
  [Int8Array, "int8"],
  [Uint8Array, "uint8"],
]);

/** What every function that makes a tensor takes. */
export interface TensorOptions {
  /** The element type; each function says its default. */
  readonly dtype?: DType;
  /** Whether gradients are wanted for it. `false` by default. */
  readonly requiresGrad?: boolean;
}

/** What every function that makes a random tensor takes. */
export type RandomTensorOptions = TensorOptions & RandomOptions;

/** Numbers, bigints or booleans, alone or in nested arrays of equal lengths; typed arrays count as arrays. */
export type TensorValues = Element | ArrayLike<number> | ArrayLike<bigint> | readonly TensorValues[];

/**
 * A tensor from JavaScript values, which are copied: `torch.tensor`.
 *
 * Numbers give float32, bigints int64, booleans bool, unless `dtype` says otherwise; a typed array counts as the numbers
 * or bigints in it.
 *
 * @throws {RangeError} Arrays of one level differ in length, or a value does not fit the dtype.
 * @throws {TypeError} Something in it is neither a number, a bigint, a boolean nor an array.
 *
 * @example
 * ```ts
 * import { tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tensor([[1, 2], [3, 4]]).shape, [2, 2]);
 * assertEquals(tensor([1n, 2n]).dtype, "int64");
 * assertEquals(tensor(true).dtype, "bool");
 * assertEquals(tensor([1, 2, 3], { dtype: "uint8" }).tolist(), [1, 2, 3]);
 * ```
 */
export function tensor(values: TensorValues, options: TensorOptions = {}): Tensor {
  const ready = typedBytes(values, options.dtype);
  if (ready !== null) {
    return finish(
      new View(Storage.from(ready.bytes), ready.dtype, [ready.bytes.length / itemSize(ready.dtype)]),
      options,
    );
  }
  const flat: Element[] = [];
  const isComplexDtype = options.dtype !== undefined && DTYPES[options.dtype].kind === "complex";
  const shape = collect(values, { flat, pairs: isComplexDtype, dim: 0 });
  const dtype = options.dtype ?? defaultType(flat);
  const step = itemSize(dtype);
  const bytes = new Uint8Array(flat.length * step);
  const writer = new DataView(bytes.buffer);
  for (const [i, value] of flat.entries()) writeElement(writer, i * step, dtype, value);
  return finish(new View(Storage.from(bytes), dtype, shape), options);
}

/**
 * A tensor of zeros; float32 unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(zeros([2]).tolist(), [0, 0]);
 * ```
 */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  if (shape.some((size) => size < 0)) throw new RangeError("zeros: Dimension size must be non-negative.");
  return full(shape, 0, { dtype: "float32", ...options });
}

/**
 * A tensor of ones; float32 unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ones([2], { dtype: "int64" }).tolist(), [1, 1]);
 * ```
 */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, { dtype: "float32", ...options });
}

/**
 * A tensor of one value everywhere. Numbers give float32, bigints int64, booleans bool, unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { full } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(full([2], 0.5).tolist(), [0.5, 0.5]);
 * ```
 */
export function full(shape: Shape, value: number | bigint | boolean, options: TensorOptions = {}): Tensor {
  const dtype = options.dtype ?? defaultType([value]);
  return finish(filled(dtype, checkedShape(shape), value), options);
}

/**
 * Zeros with the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { ones, zerosLike } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(zerosLike(ones([2])).tolist(), [0, 0]);
 * ```
 */
export function zerosLike(other: Tensor, options: TensorOptions = {}): Tensor {
  return fullLike(other, 0, options);
}

/**
 * Ones with the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { onesLike, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(onesLike(zeros([2])).tolist(), [1, 1]);
 * ```
 */
export function onesLike(other: Tensor, options: TensorOptions = {}): Tensor {
  return fullLike(other, 1, options);
}

/**
 * One value everywhere, with the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { fullLike, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fullLike(zeros([2]), 3).tolist(), [3, 3]);
 * ```
 */
export function fullLike(other: Tensor, value: number | bigint | boolean, options: TensorOptions = {}): Tensor {
  const view = emptyLike(viewOf(other), options.dtype ?? other.dtype);
  return finish(view, options).fill_(value);
}

/**
 * A tensor that is about to be written: `torch.empty`, whose values PyTorch leaves open and which are 0 here; float32
 * unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { empty, init } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(init.ones_(empty([2])).tolist(), [1, 1]);
 * ```
 */
export function empty(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, { dtype: "float32", ...options });
}

/**
 * The numbers from `start` to before `end` in steps: `torch.arange`. int64, unless a bound is a fraction (float32) or
 * `dtype` says otherwise.
 *
 * @throws {RangeError} The step is 0, or leads away from `end`.
 * @throws {TypeError} `dtype` is bool, complex, or one that PyTorch does not count in.
 *
 * @example
 * ```ts
 * import { arange } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(arange(4).tolist(), [0, 1, 2, 3]);
 * assertEquals(arange(1, 2, 0.5).tolist(), [1, 1.5]);
 * ```
 */
export function arange(end: number | bigint, options?: TensorOptions): Tensor;
/** From `start` to before `end`, in steps of `step`, 1 by default. */
export function arange(start: number | bigint, end: number | bigint, options?: TensorOptions): Tensor;
/** From `start` to before `end`, in steps of `step`. */
export function arange(
  start: number | bigint,
  end: number | bigint,
  step: number | bigint,
  options?: TensorOptions,
): Tensor;
export function arange(...args: readonly (number | bigint | TensorOptions | undefined)[]): Tensor {
  const numbers = args.filter((argument) => typeof argument === "number" || typeof argument === "bigint");
  const options = args.find((argument) => typeof argument === "object") ?? {};
  const [start, end, step = 1] = numbers.length === 1 ? [0, numbers[0]] : numbers;
  const isWhole = [start, end, step].every((x) => typeof x === "bigint" || Number.isInteger(x));
  const dtype = options.dtype ?? (isWhole ? "int64" : "float32");
  return finish(counted(dtype, { start, end, step }), options);
}

/**
 * Ones on the diagonal, zeros elsewhere: `torch.eye`.
 *
 * @param cols As many as rows by default.
 *
 * @example
 * ```ts
 * import { eye } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(eye(2).tolist(), [[1, 0], [0, 1]]);
 * ```
 */
export function eye(rows: number, cols: number | TensorOptions = rows, options: TensorOptions = {}): Tensor {
  const columns = typeof cols === "number" ? cols : rows;
  const named = typeof cols === "number" ? options : cols;
  const dtype = named.dtype ?? "float32";
  for (const [name, size] of Object.entries({ n: rows, m: columns })) {
    if (!Number.isInteger(size) || size < 0) {
      throw new RangeError(`${name} must be greater or equal to 0, got ${size}`);
    }
  }
  const shape = checkedShape([rows, columns]);
  return finish(
    new View(new Storage(numelOf(shape) * itemSize(dtype), eyeFill(dtype, rows, columns)), dtype, shape),
    named,
  );
}

/**
 * Uniform values in [0, 1), with PyTorch's stream bit for bit.
 *
 * @example
 * ```ts
 * import { manualSeed, rand } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(rand([2]).tolist(), [0.49625658988952637, 0.7682217955589294]);
 * ```
 */
export function rand(shape: Shape, options: RandomTensorOptions = {}): Tensor {
  return drawn(shape, options, (t) => t.uniform_(0, 1, options));
}

/**
 * Normal values of mean 0 and deviation 1, with PyTorch's stream bit for bit in float32, float16 and bfloat16; in
 * float64, and for fewer than 16 values, to the last bit or one beside it.
 *
 * @example
 * ```ts
 * import { manualSeed, randn } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(randn([2]).tolist(), [1.5409960746765137, -0.293428897857666]);
 * ```
 */
export function randn(shape: Shape, options: RandomTensorOptions = {}): Tensor {
  return drawn(shape, options, (t) => t.normal_(0, 1, options));
}

/**
 * Uniform values in [0, 1), with the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { manualSeed, randLike, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(randLike(zeros([2])).tolist(), [0.49625658988952637, 0.7682217955589294]);
 * ```
 */
export function randLike(other: Tensor, options: RandomTensorOptions = {}): Tensor {
  return finish(emptyLike(viewOf(other), options.dtype ?? other.dtype), options).uniform_(0, 1, options);
}

/**
 * Normal values of mean 0 and deviation 1, with the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { manualSeed, randnLike, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(randnLike(zeros([2])).tolist(), [1.5409960746765137, -0.293428897857666]);
 * ```
 */
export function randnLike(other: Tensor, options: RandomTensorOptions = {}): Tensor {
  return finish(emptyLike(viewOf(other), options.dtype ?? other.dtype), options).normal_(0, 1, options);
}

/**
 * Integers in [low, high), with PyTorch's stream; int64 unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { manualSeed, randint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(randint(0, 100, [4]).tolist(), [44, 39, 33, 60]);
 * ```
 */
export function randint(
  low: number | bigint,
  high: number | bigint,
  shape: Shape,
  options?: RandomTensorOptions,
): Tensor;
/** Integers in [0, high). */
export function randint(high: number | bigint, shape: Shape, options?: RandomTensorOptions): Tensor;
export function randint(...args: readonly unknown[]): Tensor {
  const bounds = args.filter((argument) => typeof argument === "number" || typeof argument === "bigint").map(BigInt);
  const shape = args.find(isShape);
  const named = args.find((argument) => typeof argument === "object" && !Array.isArray(argument));
  if (shape === undefined || bounds.length === 0) {
    throw new TypeError("Expected randint(low, high, shape) or randint(high, shape)");
  }
  const options = isRandomOptions(named) ? named : {};
  const [low, high] = bounds.length === 1 ? [0n, bounds[0]] : bounds;
  return drawn(shape, { dtype: "int64", ...options }, (t) => t.random_(low, high, options));
}

/**
 * The integers below `n` in random order, with PyTorch's stream; int64 unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { manualSeed, randperm } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(randperm(5).tolist(), [4, 0, 1, 3, 2]);
 * ```
 */
export function randperm(n: number, options: RandomTensorOptions = {}): Tensor {
  const view = uninitialised(options.dtype ?? "int64", checkedShape([n]));
  drawing.permutationInto(view, streamOf(options));
  return finish(view, options);
}

/** Start, step and how many, as `torch.arange` finds them. */
function counted(
  dtype: DType,
  { start, end, step }: {
    readonly start: number | bigint;
    readonly end: number | bigint;
    readonly step: number | bigint;
  },
): View {
  const { kind } = DTYPES[dtype];
  if (kind === "bool" || kind === "complex" || dtype.startsWith("float8") || UNCOUNTED.includes(dtype)) {
    throw new TypeError(`"arange_cpu" not implemented for '${typeName(dtype)}'`);
  }
  const [from, to, by] = [start, end, step].map(Number);
  if (!Number.isFinite(from) || !Number.isFinite(to)) {
    throw new RangeError(`unsupported range: ${pythonNumber(from)} -> ${pythonNumber(to)}`);
  }
  if (!Number.isFinite(by)) throw new RangeError(`step must be finite but got ${pythonNumber(by)}`);
  if (by === 0) throw new RangeError("step must be nonzero");
  if ((to - from) / by < 0) throw new RangeError("upper bound and lower bound inconsistent with step sign");
  // Integers are counted exactly; with a fraction among them, in float64, whatever the dtype.
  const exact = [start, end, step].every((value) => typeof value === "bigint" || Number.isInteger(value));
  const count = exact ? wholeSteps(BigInt(start), BigInt(end), BigInt(step)) : Math.ceil((to - from) / by);
  if (kind !== "integer") {
    return new View(new Storage(count * itemSize(dtype), countFill(dtype, count, { start: from, step: by })), dtype, [
      count,
    ]);
  }
  const first = typeof start === "bigint" ? start : BigInt(Math.trunc(start));
  const isSafe = [start, end].every((bound) => Number.isSafeInteger(Math.trunc(Number(bound))));
  const origin = isSafe ? Number(first) : 0;
  const fill = countFill(dtype, count, { start: origin, step: Math.trunc(by) });
  const view = new View(new Storage(count * itemSize(dtype), fill), dtype, [count]);
  return isSafe ? view : binary("add", view, first);
}

/** How many steps lead from `first` to before `last`. */
function wholeSteps(first: bigint, last: bigint, step: bigint): number {
  const towards = step > 0n ? 1n : -1n;
  return Math.max(0, Number((last - first + step - towards) / step));
}

function pythonNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : pythonFloat(value);
}

/** The bytes of a typed array whose elements need no conversion, and the dtype they have. */
function typedBytes(
  values: unknown,
  dtype: DType | undefined,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly dtype: DType } | null {
  if (!ArrayBuffer.isView(values) || values instanceof DataView) return null;
  if (values instanceof Float64Array && (dtype === undefined || dtype === "float32")) {
    return { bytes: new Uint8Array(new Float32Array(values).buffer), dtype: "float32" };
  }
  const native = NATIVE_DTYPES.get(values.constructor);
  const inferred = native === "float32" || native === "int64" ? native : undefined;
  if (native === undefined || native !== (dtype ?? inferred)) return null;
  return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice(), dtype: native };
}

function drawn(shape: Shape, options: RandomTensorOptions, draw: (tensor: Tensor) => Tensor): Tensor {
  const empty = new Tensor(uninitialised(options.dtype ?? "float32", checkedShape(shape)));
  return draw(empty).requiresGrad_(options.requiresGrad ?? false);
}

function finish(view: View, options: TensorOptions): Tensor {
  return new Tensor(view).requiresGrad_(options.requiresGrad ?? false);
}

/** The values in row-major order into `flat`, and the lengths of the arrays around them. */
function collect(
  values: unknown,
  at: { readonly flat: Element[]; readonly pairs: boolean; readonly dim: number },
): number[] {
  if (isElement(values)) {
    at.flat.push(values);
    return [];
  }
  if (!isArrayLike(values)) throw new TypeError(`Could not infer dtype of ${values === null ? "null" : typeof values}`);
  if (at.pairs && isPair(values)) {
    at.flat.push(values);
    return [];
  }
  let inner: number[] | null = null;
  for (let i = 0; i < values.length; i++) {
    const shape = collect(values[i], { ...at, dim: at.dim + 1 });
    if (inner === null) {
      inner = shape;
    } else if (inner.length !== shape.length || inner.some((size, d) => size !== shape[d])) {
      if (shape.length === 0) throw new TypeError("not a sequence");
      if (inner.length === 0) throw new TypeError(`expected a number at dim ${at.dim + 1}, got an array`);
      throw new RangeError(
        `expected sequence of length ${inner[0]} at dim ${at.dim + 1} (got ${shape[0]})`,
      );
    }
  }
  return [values.length, ...inner ?? []];
}

function defaultType(values: readonly Element[]): DType {
  if (values.some((value) => typeof value === "object")) return "complex64";
  if (values.length === 0 || values.some((value) => typeof value === "number")) return "float32";
  return values.some((value) => typeof value === "bigint") ? "int64" : "bool";
}

function checkedShape(shape: Shape): number[] {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(
        `Trying to create tensor with negative dimension ${size}: [${shape.join(", ")}]`,
      );
    }
  }
  return [...shape];
}

function isElement(value: unknown): value is number | bigint | boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isPair(value: ArrayLike<unknown>): value is readonly [number, number] {
  return value.length === 2 && typeof value[0] === "number" && typeof value[1] === "number";
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => typeof size === "number");
}

function isRandomOptions(value: unknown): value is RandomTensorOptions {
  return typeof value === "object" && value !== null;
}
