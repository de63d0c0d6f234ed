/**
 * The tensor: an ordinary value with a dtype, a shape and PyTorch's methods.
 *
 * @module
 */

import { DTYPES, itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { numelOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { brandOf, TENSOR_BRAND, VERSION } from "../version.ts";
import { allClose, setFill } from "../core/kernels.ts";
import type { BinaryName, CompareName, UnaryName } from "../core/kernels.ts";
import { readBytes, Storage } from "../core/memory.ts";
import { dimArgument, dtypeArgument, reduceArguments } from "./arguments.ts";
import type {
  DimArgument,
  DimKeepOptions,
  DimOptions,
  DimTypeOptions,
  NormOptions,
  RandomOptions,
  ReduceOptions,
  SumArgument,
  SumOptions,
  VarianceOptions,
} from "./arguments.ts";
import { readElement, requireFinite } from "./elements.ts";
import { streamOf } from "./generator.ts";
import { clamp, clampInPlace } from "./operations/clamp.ts";
import type { Limits } from "./operations/clamp.ts";
import * as comparison from "./operations/comparison.ts";
import { clone, convert, copyInto, fillInto, flipped, rowMajorCopy } from "./operations/copying.ts";
import * as drawing from "./operations/drawing.ts";
import * as elementwise from "./operations/elementwise.ts";
import type { UnaryParameters } from "./operations/elementwise.ts";
import * as indexing from "./operations/indexing.ts";
import * as joining from "./operations/joining.ts";
import * as matrix from "./operations/matrix.ts";
import * as reduction from "./operations/reduction.ts";
import { subscript } from "./operations/subscript.ts";
import type { Slice } from "./operations/subscript.ts";
import { printTensor } from "./print.ts";
import type { PrintOptions } from "./print.ts";
import { computeType, isComplex, isComputable, isFloat, typeName } from "./promotion.ts";
import * as shaping from "./shaping.ts";
import { contiguous, filling, View } from "./view.ts";

/** Integers up to here are exact as JavaScript numbers. */
const LARGEST_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * A tensor, or a number that stands for one. An integer counts as Python's `int`, any other number as `float`.
 *
 * A number that the integers of the other operand do not hold wraps in sums, differences, products and bits, as in
 * PyTorch. Elsewhere PyTorch wraps it too, and compares what is left of it, for example: here it is a RangeError. An
 * operand that shares memory with what is changed in place is read before anything is written, where PyTorch refuses
 * it; and where an operation fails, nothing was written.
 */
export type Operand = Tensor | number | bigint | boolean;

/** How a tensor lies in its memory. A {@linkcode Tensor} is one. */
export interface TensorLayout {
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first; `[]` is a single element. */
  readonly shape: Shape;
  /** Steps between neighbours in each dimension, in elements. */
  readonly strides: readonly number[];
}

/** A value of one element: complex ones are `[real, imaginary]`. */
export type Element = number | bigint | boolean | readonly [number, number];

/** A tensor's values as nested arrays; a single element stands alone. */
export type NestedList = Element | readonly NestedList[];

/** How integers are handed out. */
export interface IntegerOptions {
  /** Whether elements of `int64` and `uint64` are bigints. By default they are numbers, and a RangeError beyond 2⁵³. */
  readonly bigint?: boolean;
}

/** The element type and sizes of values given as bytes. */
export interface BytesOptions {
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
}

/** How closely {@linkcode Tensor.allclose} compares. */
export interface CloseOptions {
  /** Relative to the other value: 1e-5 by default. */
  readonly rtol?: number;
  /** Absolute: 1e-8 by default. */
  readonly atol?: number;
  /** Whether NaN equals NaN. `false` by default. */
  readonly equalNan?: boolean;
}

/** The limits of {@linkcode Tensor.clamp}. */
export interface ClampOptions {
  /** The smallest value let through. */
  readonly min?: Operand | null;
  /** The largest value let through. */
  readonly max?: Operand | null;
}

/** The bounds of {@linkcode Tensor.random_}. */
export interface RandomRange {
  /** The smallest integer; 0 by default. */
  readonly from?: number | bigint;
  /** The first integer that is not drawn; `null`: no upper bound. */
  readonly to?: number | bigint | null;
}

/** How {@linkcode Tensor.add} and {@linkcode Tensor.sub} scale their operand. */
export interface AlphaOptions {
  /**
   * What the operand is multiplied by; 1 by default. Product and sum of float32 are rounded once, as by PyTorch's vectors;
   * of float64 each is.
   */
  readonly alpha?: number | bigint;
}

/** One part of a subscript, see {@linkcode Tensor.at}: Python's `i`, `None`, `...`, `start:end:step` and tensors. */
export type IndexPart = number | null | "..." | Slice | Tensor;

/** A typed array with a tensor's values. */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** The view of a tensor: what the operations of this library work on. */
export let viewOf: (tensor: Tensor) => View;

/** Gives a tensor values of another dtype while it stays the same object, as a module's `to` does. */
export let convertInPlace: (tensor: Tensor, dtype: DType) => void;

/**
 * A multi-dimensional array of one element type, with PyTorch's behaviour.
 *
 * It is an ordinary value: nobody disposes of one, and it never becomes invalid. Methods whose name ends in an
 * underscore change the tensor in place and return it; the others leave it alone. Shape methods such as `view` and
 * `transpose` share memory with their tensor, as in PyTorch. An operand that shares memory with what is written in place
 * is read before anything is written; PyTorch refuses most such calls.
 *
 * Values are computed in float32; int64, int32 and bool index, compare, gather, sum and calculate; float16 and bfloat16
 * compute through float32; the rest are stored, cast, read and written.
 *
 * @example Arithmetic with broadcasting
 * ```ts
 * import { tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(x.mul(10).add(tensor([0.5, 0])).tolist(), [[10.5, 20], [30.5, 40]]);
 * assertEquals(x.sum(0).tolist(), [4, 6]);
 * assertEquals(String(x), "tensor([[1., 2.],\n        [3., 4.]])");
 * ```
 */
export class Tensor implements TensorLayout {
  /** The name of the class, kept from bundlers, which shorten names. */
  static readonly name: string = "Tensor";
  #view: View;
  #requiresGrad = false;
  /** The gradient, once one was accumulated. */
  grad: Tensor | null = null;

  static {
    viewOf = (tensor) => ours(tensor).#view;
    convertInPlace = (tensor, dtype) => {
      const view = convert(tensor.#view, dtype);
      view.storage.persistent = tensor.#view.storage.persistent;
      tensor.#view = view;
    };
  }

  /**
   * A tensor that shares the memory of another.
   *
   * @param source A tensor of this library. To make one from values, use `tensor(…)` or {@linkcode Tensor.fromBytes}.
   * @throws {TypeError} `source` is no tensor, or one of another copy of this library.
   */
  constructor(source: TensorLayout) {
    this.#view = source instanceof View ? source : ours(source).#view;
  }

  /** The version of the copy of this library that made it. */
  get [TENSOR_BRAND](): string {
    return VERSION;
  }

  /**
   * A tensor from little-endian bytes in row-major order, which are copied.
   *
   * @throws {RangeError} There are not as many bytes as dtype and shape need.
   *
   * @example
   * ```ts
   * import { Tensor } from "@graft/graft";
   * import { assertEquals } from "@std/assert";
   *
   * const bytes = new Uint8Array([0x80, 0x3f, 0x00, 0x40]);
   * assertEquals(Tensor.fromBytes(bytes, { dtype: "bfloat16", shape: [2] }).tolist(), [1, 2]);
   * ```
   */
  static fromBytes(bytes: Uint8Array, { dtype, shape }: BytesOptions): Tensor {
    const needed = numelOf(shape) * itemSize(dtype);
    if (bytes.byteLength !== needed) {
      throw new RangeError(
        `Cannot make a ${dtype} tensor of shape [${shape.join(", ")}]: needs ${needed} bytes, got ${bytes.byteLength}`,
      );
    }
    return new Tensor(new View(Storage.from(new Uint8Array(bytes)), dtype, [...shape]));
  }

  /** The element type. */
  get dtype(): DType {
    return this.#view.dtype;
  }

  /** The sizes, outermost first; `[]` is a single element. */
  get shape(): Shape {
    return this.#view.shape;
  }

  /** Steps between neighbours in each dimension, in elements. */
  get strides(): readonly number[] {
    return this.#view.strides;
  }

  /** Where the first element is in the tensor's memory, in elements. */
  get storageOffset(): number {
    return this.#view.byteOffset / itemSize(this.dtype);
  }

  /** How many dimensions it has. */
  get ndim(): number {
    return this.#view.shape.length;
  }

  /** How many elements it has. */
  get numel(): number {
    return this.#view.numel;
  }

  /** Bytes of one element. */
  get itemSize(): number {
    return itemSize(this.dtype);
  }

  /** The matrix with rows and columns swapped; the same memory. */
  get T(): Tensor {
    return this.t();
  }

  /**
   * Whether gradients are wanted for it.
   *
   * @throws {TypeError} Set to `true` on a tensor of integers or booleans.
   */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (value && !isFloat(this.dtype) && !isComplex(this.dtype)) {
      throw new TypeError("only Tensors of floating point dtype can require gradients");
    }
    this.#requiresGrad = value;
  }

  /** Sets {@linkcode Tensor.requiresGrad} and returns the tensor. */
  requiresGrad_(value: boolean = true): this {
    this.requiresGrad = value;
    return this;
  }

  /** Whether its elements lie in row-major order without gaps. */
  isContiguous(): boolean {
    return this.#view.isContiguous;
  }

  /** Whether its elements are floating point numbers. */
  isFloatingPoint(): boolean {
    return isFloat(this.dtype);
  }

  /** All sizes, or the one of a dimension. */
  size(): Shape;
  /** The size of one dimension. */
  size(dim: number): number;
  size(dim?: number): Shape | number {
    return dim === undefined ? this.shape : this.shape[shaping.wrapDim(dim, this.ndim)];
  }

  /** The values as little-endian bytes in row-major order; the caller's own. */
  bytes(): Uint8Array<ArrayBuffer> {
    const dense = contiguous(this.#view);
    return readBytes(dense.storage, dense.byteOffset, dense.numel * itemSize(dense.dtype));
  }

  /**
   * The values as a flat typed array; the caller's own.
   *
   * Every dtype has the array of its name; `bool` is bytes of 0 and 1. Floats without an array of their own (`float16`,
   * `bfloat16`, `float8_…`) come exactly, as float32. Complex numbers alternate real and imaginary parts.
   */
  data(): TensorData {
    return typedArray(this);
  }

  /**
   * The values as nested arrays, a single element as itself.
   *
   * @throws {RangeError} An integer beyond 2⁵³ that a JavaScript number cannot hold; pass `{ bigint: true }`.
   */
  tolist(options: IntegerOptions = {}): NestedList {
    const bytes = this.bytes();
    const reader = new DataView(bytes.buffer);
    const step = itemSize(this.dtype);
    let at = 0;
    const read = (dim: number): NestedList => {
      if (dim === this.ndim) return element(readElement(reader, step * at++, this.dtype), options);
      return Array.from({ length: this.shape[dim] }, () => read(dim + 1));
    };
    return read(0);
  }

  /** The one element as a bigint where its dtype is `int64` or `uint64`, as {@linkcode Tensor.item} otherwise. */
  item(options: { readonly bigint: true }): Element;
  /**
   * The one element of a tensor with exactly one.
   *
   * @throws {RangeError} It has more or fewer elements, or an integer beyond 2⁵³.
   */
  item(options?: IntegerOptions): number | boolean;
  item(options: IntegerOptions = {}): Element {
    if (this.numel !== 1) {
      throw new RangeError(`a Tensor with ${this.numel} elements cannot be converted to Scalar`);
    }
    return element(elementAt(this.#view, 0), options);
  }

  /** What PyTorch prints for it. */
  toString(options?: PrintOptions): string {
    return printTensor(
      {
        dtype: this.dtype,
        shape: this.shape,
        requiresGrad: this.requiresGrad,
        prefix: this.printPrefix,
        at: (index) => elementAt(this.#view, index),
      },
      options,
    );
  }

  /** What stands before the values when it is printed. */
  protected get printPrefix(): string {
    return "tensor(";
  }

  /** As {@linkcode Tensor.toString}, for Deno's `console.log`. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** As {@linkcode Tensor.toString}, for Node's and Bun's `console.log`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** A copy with memory of its own. */
  clone(): Tensor {
    return new Tensor(clone(this.#view));
  }

  /** The same memory, without wanting gradients. */
  detach(): Tensor {
    return new Tensor(this.#view);
  }

  /** The tensor itself where its elements lie in row-major order, else a dense copy. */
  contiguous(): Tensor {
    return this.isContiguous() ? this : new Tensor(contiguous(this.#view));
  }

  /**
   * The values in another dtype, by the rules of PyTorch's `copy_`; the tensor itself where it has that dtype.
   *
   * @example Rounding to 16 bits
   * ```ts
   * import { tensor } from "@graft/graft";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(tensor([1.00390625, 300]).to("bfloat16").tolist(), [1, 300]);
   * assertEquals(tensor([2.87, -1.9]).to("int64").tolist(), [2, -1]);
   * ```
   */
  to(dtype: DType): Tensor {
    return dtype === this.dtype ? this : new Tensor(convert(this.#view, dtype));
  }

  /** The values as float32. */
  float(): Tensor {
    return this.to("float32");
  }

  /** The values as float64. */
  double(): Tensor {
    return this.to("float64");
  }

  /** The values as float16. */
  half(): Tensor {
    return this.to("float16");
  }

  /** The values as bfloat16. */
  bfloat16(): Tensor {
    return this.to("bfloat16");
  }

  /** The values as int64. */
  long(): Tensor {
    return this.to("int64");
  }

  /** The values as int32. */
  int(): Tensor {
    return this.to("int32");
  }

  /** Whether each value is not 0. */
  bool(): Tensor {
    return this.to("bool");
  }

  /**
   * Writes the values of `source`, broadcast and cast, into this tensor.
   *
   * @throws {RangeError} The shapes do not broadcast, or elements of this tensor share a place.
   */
  copy_(source: Tensor): this {
    copyInto(this.#view, viewOf(source));
    return this;
  }

  /**
   * Writes one value everywhere.
   *
   * @throws {RangeError} The dtype does not hold it, or a tensor that stands for it has dimensions.
   */
  fill_(value: Operand): this {
    if (value instanceof Tensor) {
      if (value.ndim > 0) {
        throw new RangeError(
          `fill_ only supports 0-dimension value tensor but got tensor with ${value.ndim} dimensions.`,
        );
      }
      fillInto(this.#view, viewOf(value));
    } else if (this.#view.isWhole) {
      setFill(this.#view, this.numel * this.itemSize, filling(this.dtype, this.numel, value));
    } else {
      requireFinite(value, this.dtype);
      fillInto(this.#view, elementwise.scalarView(value, this.dtype));
    }
    return this;
  }

  /** Writes 0 everywhere. */
  zero_(): this {
    return this.fill_(0);
  }

  /**
   * Whether shape and values are the same; NaN is not equal to itself. Tensors of two dtypes compare in the one that they
   * have in common.
   *
   * @throws {TypeError} They have none in common, as float8 and any other.
   */
  equal(other: Tensor): boolean {
    return comparison.equal(this.#view, viewOf(other));
  }

  /**
   * Whether |this − other| ≤ atol + rtol·|other| everywhere: `torch.allclose`.
   *
   * @throws {TypeError} The dtypes differ.
   * @throws {RangeError} The shapes do not broadcast.
   */
  allclose(other: Tensor, { rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseOptions = {}): boolean {
    if (this.dtype !== other.dtype) {
      throw new TypeError(`${typeName(this.dtype)} did not match ${typeName(other.dtype)}`);
    }
    const shape = shaping.broadcastShapes(this.shape, other.shape);
    const dtype = isComputable(this.dtype) ? computeType(this.dtype) : "float64";
    requireReal(this.dtype);
    const [a, b] = [this.#view, viewOf(other)].map((v) => contiguous(shaping.expand(convert(v, dtype), shape)));
    return allClose(a, b, { count: a.numel, rtol, atol, equalNan });
  }

  /**
   * The same memory in another shape; one size may be -1.
   *
   * @throws {RangeError} The number of elements differs, or no strides describe it; `reshape` copies then.
   */
  view(shape: Shape): Tensor {
    return new Tensor(shaping.view(this.#view, shape));
  }

  /** The same elements in another shape, copied only where memory does not allow otherwise; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return new Tensor(shaping.reshape(this.#view, shape));
  }

  /** The dimensions from `startDim` to `endDim`, both included, made one. */
  flatten(
    startDim: number | { readonly startDim?: number; readonly endDim?: number } = 0,
    endDim: number = -1,
  ): Tensor {
    const [start, end] = typeof startDim === "object"
      ? [startDim.startDim ?? 0, startDim.endDim ?? -1]
      : [startDim, endDim];
    return new Tensor(shaping.flatten(this.#view, start, end));
  }

  /** One dimension made several; one size may be -1. */
  unflatten(dim: number, sizes: Shape): Tensor {
    return new Tensor(shaping.unflatten(this.#view, dim, sizes));
  }

  /** The dimensions in another order. */
  permute(dims: readonly number[]): Tensor {
    return new Tensor(shaping.permute(this.#view, dims));
  }

  /** Two dimensions swapped. */
  transpose(dim0: number, dim1: number): Tensor {
    return new Tensor(shaping.transpose(this.#view, dim0, dim1));
  }

  /** Rows and columns swapped; tensors with fewer than two dimensions stay as they are. */
  t(): Tensor {
    return new Tensor(shaping.t(this.#view));
  }

  /** Sizes of 1 repeated up to `shape`, without a copy; -1 keeps a size. */
  expand(shape: Shape): Tensor {
    return new Tensor(shaping.expand(this.#view, shape));
  }

  /** Expanded to the shape of `other`. */
  expandAs(other: Tensor): Tensor {
    return this.expand(other.shape);
  }

  /** Dimensions of size 1 taken out: all, or those named. */
  squeeze(dim?: number | readonly number[]): Tensor {
    const dims = dim === undefined ? null : typeof dim === "number" ? [dim] : dim;
    return new Tensor(shaping.squeeze(this.#view, dims));
  }

  /** A dimension of size 1 put in before `dim`. */
  unsqueeze(dim: number): Tensor {
    return new Tensor(shaping.unsqueeze(this.#view, dim));
  }

  /** One position of a dimension, which goes away: Python's `x[index]` for `dim` 0. */
  select(dim: number, index: number): Tensor {
    return new Tensor(shaping.select(this.#view, dim, index));
  }

  /** `length` positions of a dimension from `start` on; the same memory. */
  narrow(dim: number, start: number, length: number): Tensor {
    return new Tensor(shaping.narrow(this.#view, dim, start, length));
  }

  /** Positions `start` to before `end` of a dimension, every `step`th, as Python's `x[start:end:step]` for `dim` 0. */
  slice(dim: number, start: number = 0, end: number = Infinity, step: number = 1): Tensor {
    return new Tensor(shaping.slice(this.#view, dim, { start, end, step }));
  }

  /**
   * Python's `x[…]`: a number takes one position, `{ start, end, step }` some of them, `{}` all (Python's `:`), `null`
   * puts in a dimension, `"..."` stands for what is left out, a boolean tensor is a mask, and int64 or int32 tensors are
   * positions. Without tensors it is a view of the same memory, so `x.at(0).fill_(1)` writes into `x`.
   *
   * @throws {RangeError} A position is out of bounds, or there are more parts than dimensions.
   *
   * @example
   * ```ts
   * import { arange } from "@graft/graft";
   * import { assertEquals } from "@std/assert";
   *
   * const x = arange(6).view([2, 3]);
   * assertEquals(x.at(-1).tolist(), [3, 4, 5]); // x[-1]
   * assertEquals(x.at({}, 0).tolist(), [0, 3]); // x[:, 0]
   * assertEquals(x.at("...", { start: 1 }).tolist(), [[1, 2], [4, 5]]); // x[..., 1:]
   * assertEquals(x.at(x.gt(3)).tolist(), [4, 5]); // x[x > 3]
   * ```
   */
  at(...parts: readonly IndexPart[]): Tensor {
    return new Tensor(subscript(this.#view, parts.map((part) => part instanceof Tensor ? viewOf(part) : part)));
  }

  /** A copy with the order of some dimensions reversed. */
  flip(dims: number | readonly number[]): Tensor {
    return new Tensor(flipped(this.#view, typeof dims === "number" ? [dims] : dims));
  }

  /** The whole tensor side by side with itself: `counts[i]` times along dimension `i`; more counts add dimensions. */
  repeat(counts: readonly number[]): Tensor {
    const repeated = shaping.repeat(this.#view, counts);
    // Where every count is 1 nothing was copied yet.
    return new Tensor(repeated.storage === this.#view.storage ? clone(repeated) : repeated);
  }

  /**
   * The diagonal of a matrix, `offset` places to the right; the same memory. More dimensions than two are many matrices
   * of `dim1` and `dim2`, whose diagonals are the last dimension of the result.
   */
  diagonal(offset: number = 0, dim1: number = 0, dim2: number = 1): Tensor {
    return new Tensor(shaping.diagonal(this.#view, offset, [dim1, dim2]));
  }

  /** Pieces of `size` along a dimension, or of the sizes listed. */
  split(size: number | readonly number[], dim: number | DimOptions = 0): Tensor[] {
    return joining.split(this.#view, size, dimArgument(dim, 0)).map((piece) => new Tensor(piece));
  }

  /** At most `count` pieces of one size along a dimension. */
  chunk(count: number, dim: number | DimOptions = 0): Tensor[] {
    return joining.chunk(this.#view, count, dimArgument(dim, 0)).map((piece) => new Tensor(piece));
  }

  /** Every slice along a dimension. */
  unbind(dim: number | DimOptions = 0): Tensor[] {
    return joining.unbind(this.#view, dimArgument(dim, 0)).map((piece) => new Tensor(piece));
  }

  /** This plus `alpha`·`other`, broadcast. */
  add(other: Operand, { alpha = 1 }: AlphaOptions = {}): Tensor {
    return new Tensor(elementwise.scaledSum("add", [this.#view, operand(other)], alpha));
  }

  /** The same as {@linkcode Tensor.add}, in place. */
  add_(other: Operand, { alpha = 1 }: AlphaOptions = {}): this {
    elementwise.scaledSumInPlace("add", [this.#view, operand(other)], alpha);
    return this;
  }

  /** This less `alpha`·`other`, broadcast. */
  sub(other: Operand, { alpha = 1 }: AlphaOptions = {}): Tensor {
    return new Tensor(elementwise.scaledSum("sub", [this.#view, operand(other)], alpha));
  }

  /** The same as {@linkcode Tensor.sub}, in place. */
  sub_(other: Operand, { alpha = 1 }: AlphaOptions = {}): this {
    elementwise.scaledSumInPlace("sub", [this.#view, operand(other)], alpha);
    return this;
  }

  /** This times `other`, broadcast. */
  mul(other: Operand): Tensor {
    return this.#binary("mul", other);
  }

  /** The same as {@linkcode Tensor.mul}, in place. */
  mul_(other: Operand): this {
    return this.#binaryInPlace("mul", other);
  }

  /** This divided by `other`, broadcast; integers give float32. */
  div(other: Operand): Tensor {
    return this.#binary("div", other);
  }

  /** The same as {@linkcode Tensor.div}, in place. */
  div_(other: Operand): this {
    return this.#binaryInPlace("div", other);
  }

  /** This to the power of `other`, broadcast. */
  pow(other: Operand): Tensor {
    return this.#binary("pow", other);
  }

  /** The same as {@linkcode Tensor.pow}, in place. */
  pow_(other: Operand): this {
    return this.#binaryInPlace("pow", other);
  }

  /** The remainder with the sign of `other`, as Python's `%`. */
  remainder(other: Operand): Tensor {
    return this.#binary("remainder", other);
  }

  /** The same as {@linkcode Tensor.remainder}, in place. */
  remainder_(other: Operand): this {
    return this.#binaryInPlace("remainder", other);
  }

  /** The remainder with the sign of this, as C's `fmod`. */
  fmod(other: Operand): Tensor {
    return this.#binary("fmod", other);
  }

  /** The same as {@linkcode Tensor.fmod}, in place. */
  fmod_(other: Operand): this {
    return this.#binaryInPlace("fmod", other);
  }

  /** The quotient rounded down. */
  floorDivide(other: Operand): Tensor {
    return this.#binary("floorDivide", other);
  }

  /** The same as {@linkcode Tensor.floorDivide}, in place. */
  floorDivide_(other: Operand): this {
    return this.#binaryInPlace("floorDivide", other);
  }

  /** The larger one, element by element; NaN wins. */
  maximum(other: Operand): Tensor {
    return this.#binary("maximum", other);
  }

  /** The smaller one, element by element; NaN wins. */
  minimum(other: Operand): Tensor {
    return this.#binary("minimum", other);
  }

  /** The angle of the point (other, this), in radians. */
  atan2(other: Operand): Tensor {
    return this.#binary("atan2", other);
  }

  /** Bits set in both; of integers and booleans. */
  bitwiseAnd(other: Operand): Tensor {
    return this.#binary("bitwiseAnd", other);
  }

  /** The same as {@linkcode Tensor.bitwiseAnd}, in place. */
  bitwiseAnd_(other: Operand): this {
    return this.#binaryInPlace("bitwiseAnd", other);
  }

  /** Bits set in either; of integers and booleans. */
  bitwiseOr(other: Operand): Tensor {
    return this.#binary("bitwiseOr", other);
  }

  /** The same as {@linkcode Tensor.bitwiseOr}, in place. */
  bitwiseOr_(other: Operand): this {
    return this.#binaryInPlace("bitwiseOr", other);
  }

  /** Bits set in one only; of integers and booleans. */
  bitwiseXor(other: Operand): Tensor {
    return this.#binary("bitwiseXor", other);
  }

  /** The same as {@linkcode Tensor.bitwiseXor}, in place. */
  bitwiseXor_(other: Operand): this {
    return this.#binaryInPlace("bitwiseXor", other);
  }

  /** Whether each element is equal to `other`; NaN is unequal to everything. */
  eq(other: Operand): Tensor {
    return this.#compare("eq", other);
  }

  /** Whether each element is not equal to `other`; NaN is unequal to everything. */
  ne(other: Operand): Tensor {
    return this.#compare("ne", other);
  }

  /** Whether each element is less than `other`; NaN is not ordered with everything. */
  lt(other: Operand): Tensor {
    return this.#compare("lt", other);
  }

  /** Whether each element is less than or equal to `other`; NaN is not ordered with everything. */
  le(other: Operand): Tensor {
    return this.#compare("le", other);
  }

  /** Whether each element is greater than `other`; NaN is not ordered with everything. */
  gt(other: Operand): Tensor {
    return this.#compare("gt", other);
  }

  /** Whether each element is greater than or equal to `other`; NaN is not ordered with everything. */
  ge(other: Operand): Tensor {
    return this.#compare("ge", other);
  }

  /** Whether both are not 0. */
  logicalAnd(other: Tensor): Tensor {
    return this.bool().bitwiseAnd(other.bool());
  }

  /** Whether either is not 0. */
  logicalOr(other: Tensor): Tensor {
    return this.bool().bitwiseOr(other.bool());
  }

  /** Whether exactly one is not 0. */
  logicalXor(other: Tensor): Tensor {
    return this.bool().bitwiseXor(other.bool());
  }

  /** These values where `condition` holds, else those of `other`. */
  where(condition: Tensor, other: Operand): Tensor {
    return new Tensor(comparison.where(viewOf(condition), this.#view, operand(other)));
  }

  /** The values with the other sign. */
  neg(): Tensor {
    return this.#unary("neg");
  }

  /** The same as {@linkcode Tensor.neg}, in place. */
  neg_(): this {
    return this.#unaryInPlace("neg");
  }

  /** The values without their sign. */
  abs(): Tensor {
    return this.#unary("abs");
  }

  /** The same as {@linkcode Tensor.abs}, in place. */
  abs_(): this {
    return this.#unaryInPlace("abs");
  }

  /** -1, 0 or 1. */
  sign(): Tensor {
    return this.#unary("sign");
  }

  /** The squares. */
  square(): Tensor {
    return this.#unary("square");
  }

  /** The square roots; NaN below 0. */
  sqrt(): Tensor {
    return this.#unary("sqrt");
  }

  /** The same as {@linkcode Tensor.sqrt}, in place. */
  sqrt_(): this {
    return this.#unaryInPlace("sqrt");
  }

  /** One over the square roots. */
  rsqrt(): Tensor {
    return this.#unary("rsqrt");
  }

  /** One over the values. */
  reciprocal(): Tensor {
    return this.#unary("reciprocal");
  }

  /** The same as {@linkcode Tensor.reciprocal}, in place. */
  reciprocal_(): this {
    return this.#unaryInPlace("reciprocal");
  }

  /** e to the power of the values. */
  exp(): Tensor {
    return this.#unary("exp");
  }

  /** The same as {@linkcode Tensor.exp}, in place. */
  exp_(): this {
    return this.#unaryInPlace("exp");
  }

  /** e to the power of the values, less 1, exact near 0. */
  expm1(): Tensor {
    return this.#unary("expm1");
  }

  /** The natural logarithms. */
  log(): Tensor {
    return this.#unary("log");
  }

  /** The same as {@linkcode Tensor.log}, in place. */
  log_(): this {
    return this.#unaryInPlace("log");
  }

  /** The natural logarithms of 1 plus the values, exact near 0. */
  log1p(): Tensor {
    return this.#unary("log1p");
  }

  /** The logarithms to base 2. */
  log2(): Tensor {
    return this.#unary("log2");
  }

  /** The logarithms to base 10. */
  log10(): Tensor {
    return this.#unary("log10");
  }

  /** The sines, of radians. */
  sin(): Tensor {
    return this.#unary("sin");
  }

  /** The cosines, of radians. */
  cos(): Tensor {
    return this.#unary("cos");
  }

  /** The tangents, of radians. */
  tan(): Tensor {
    return this.#unary("tan");
  }

  /** The error function. */
  erf(): Tensor {
    return this.#unary("erf");
  }

  /** The values rounded down. */
  floor(): Tensor {
    return this.#unary("floor");
  }

  /** The same as {@linkcode Tensor.floor}, in place. */
  floor_(): this {
    return this.#unaryInPlace("floor");
  }

  /** The values rounded up. */
  ceil(): Tensor {
    return this.#unary("ceil");
  }

  /** The same as {@linkcode Tensor.ceil}, in place. */
  ceil_(): this {
    return this.#unaryInPlace("ceil");
  }

  /** The values rounded to the nearest integer, halves to the even one. */
  round(): Tensor {
    return this.#unary("round");
  }

  /** The same as {@linkcode Tensor.round}, in place. */
  round_(): this {
    return this.#unaryInPlace("round");
  }

  /** The values without their fractions. */
  trunc(): Tensor {
    return this.#unary("trunc");
  }

  /** The same as {@linkcode Tensor.trunc}, in place. */
  trunc_(): this {
    return this.#unaryInPlace("trunc");
  }

  /** The values, and 0 for those below it. */
  relu(): Tensor {
    return this.#unary("relu");
  }

  /** The same as {@linkcode Tensor.relu}, in place. */
  relu_(): this {
    return this.#unaryInPlace("relu");
  }

  /** 1/(1 + e^-x). */
  sigmoid(): Tensor {
    return this.#unary("sigmoid");
  }

  /** The same as {@linkcode Tensor.sigmoid}, in place. */
  sigmoid_(): this {
    return this.#unaryInPlace("sigmoid");
  }

  /** The hyperbolic tangents. */
  tanh(): Tensor {
    return this.#unary("tanh");
  }

  /** The same as {@linkcode Tensor.tanh}, in place. */
  tanh_(): this {
    return this.#unaryInPlace("tanh");
  }

  /** Whether each element is 0. */
  logicalNot(): Tensor {
    return new Tensor(comparison.test("logicalNot", this.#view));
  }

  /** All bits inverted; of integers and booleans. */
  bitwiseNot(): Tensor {
    return this.#unary("bitwiseNot");
  }

  /** Whether each element is not a number. */
  isnan(): Tensor {
    return new Tensor(comparison.test("isnan", this.#view));
  }

  /** Whether each element is infinite. */
  isinf(): Tensor {
    return new Tensor(comparison.test("isinf", this.#view));
  }

  /** Whether each element is neither infinite nor NaN. */
  isfinite(): Tensor {
    return new Tensor(comparison.test("isfinite", this.#view));
  }

  /**
   * The values limited to [min, max]; NaN stays. Limits are numbers or tensors, by position or as `{ min, max }`; where
   * `min` is above `max`, all values become `max`. A limit beyond all values of the dtype limits nothing on its side,
   * where PyTorch refuses it for 16-bit floats.
   *
   * @throws {TypeError} Neither limit is given.
   */
  clamp(min?: Operand | null | ClampOptions, max?: Operand | null): Tensor {
    return new Tensor(clamp(this.#view, limits(min, max)));
  }

  /** The same as {@linkcode Tensor.clamp}, in place. */
  clamp_(min?: Operand | null | ClampOptions, max?: Operand | null): this {
    clampInPlace(this.#view, limits(min, max));
    return this;
  }

  /** The sum over some dimensions or all; integers and booleans add up in int64 unless `dtype` says otherwise. */
  sum(dim?: SumArgument, keepdim?: boolean | SumOptions): Tensor {
    return this.#accumulate(dim, keepdim, (view, over) => reduction.reduce("sum", view, over));
  }

  /** The product over some dimensions or all; of integers and booleans in int64 unless `dtype` says otherwise. */
  prod(dim?: SumArgument, keepdim?: boolean | SumOptions): Tensor {
    return this.#accumulate(dim, keepdim, (view, over) => reduction.reduce("prod", view, over));
  }

  /**
   * The mean over some dimensions or all.
   *
   * @throws {TypeError} Neither the tensor nor `dtype` is of floating point numbers.
   */
  mean(dim?: SumArgument, keepdim?: boolean | SumOptions): Tensor {
    const dtype = dtypeArgument(dim, keepdim);
    if (dtype !== undefined) reduction.requireMean(dtype, "Optional");
    return this.#accumulate(dim, keepdim, reduction.mean);
  }

  /** The variance over some dimensions or all, with Bessel's correction unless `correction` says otherwise. */
  var(dim?: number | readonly number[] | null | VarianceOptions, options: VarianceOptions = {}): Tensor {
    return new Tensor(reduction.variance(this.#view, varianceArguments(dim, options)));
  }

  /** The standard deviation: the square root of {@linkcode Tensor.var}. */
  std(dim?: number | readonly number[] | null | VarianceOptions, options: VarianceOptions = {}): Tensor {
    return new Tensor(reduction.standardDeviation(this.#view, varianceArguments(dim, options)));
  }

  /**
   * The p-norm over some dimensions or all: by default the square root of the sum of squares, which is taken in float64
   * and does not overflow where PyTorch's in float32 does.
   */
  norm(p?: number | "fro" | NormOptions, dim?: DimArgument, keepdim?: boolean | ReduceOptions): Tensor {
    const named = typeof p === "object" ? p : { p };
    const power = named.p === undefined || named.p === "fro" ? 2 : named.p;
    const over = reduceArguments(typeof p === "object" ? p : dim, keepdim);
    return new Tensor(reduction.norm(this.#view, power, over));
  }

  /** Whether any element is not 0. */
  any(dim?: DimArgument, keepdim?: boolean | ReduceOptions): Tensor {
    return new Tensor(reduction.truth("any", this.#view, reduceArguments(dim, keepdim)));
  }

  /** Whether all elements are not 0. */
  all(dim?: DimArgument, keepdim?: boolean | ReduceOptions): Tensor {
    return new Tensor(reduction.truth("all", this.#view, reduceArguments(dim, keepdim)));
  }

  /** The largest elements over some dimensions or all; NaN wins. */
  amax(dim?: DimArgument, keepdim?: boolean | ReduceOptions): Tensor {
    return this.#reduce("max", { dim, keepdim, label: "amax" });
  }

  /** The smallest elements over some dimensions or all; NaN wins. */
  amin(dim?: DimArgument, keepdim?: boolean | ReduceOptions): Tensor {
    return this.#reduce("min", { dim, keepdim, label: "amin" });
  }

  /** The largest element. */
  max(): Tensor;
  /** The largest elements along a dimension, and their positions. */
  max(dim: number | DimKeepOptions, keepdim?: boolean): [values: Tensor, indices: Tensor];
  max(dim?: number | DimKeepOptions, keepdim?: boolean): Tensor | [Tensor, Tensor] {
    return this.#extreme("max", dim, keepdim);
  }

  /** The smallest element. */
  min(): Tensor;
  /** The smallest elements along a dimension, and their positions. */
  min(dim: number | DimKeepOptions, keepdim?: boolean): [values: Tensor, indices: Tensor];
  min(dim?: number | DimKeepOptions, keepdim?: boolean): Tensor | [Tensor, Tensor] {
    return this.#extreme("min", dim, keepdim);
  }

  /** Where the largest element is: the first of equal ones; in row-major order without a dimension. */
  argmax(dim?: number | null | DimKeepOptions, keepdim?: boolean): Tensor {
    return this.#reduce("argmax", { dim, keepdim });
  }

  /** Where the smallest element is: the first of equal ones; in row-major order without a dimension. */
  argmin(dim?: number | null | DimKeepOptions, keepdim?: boolean): Tensor {
    return this.#reduce("argmin", { dim, keepdim });
  }

  /** Running sums along a dimension; of integers and booleans in int64 unless `dtype` says otherwise. */
  cumsum(dim: number | DimTypeOptions, options: DimTypeOptions = {}): Tensor {
    const view = convert(this.#view, dtypeArgument(dim, options) ?? this.dtype);
    const sums = reduction.cumsum(view, dimArgument(dim, 0));
    return new Tensor(convert(sums, dtypeArgument(dim, options) ?? sums.dtype));
  }

  /** e^x over the sum of e^x along a dimension. */
  softmax(dim: number | DimTypeOptions, options: DimTypeOptions = {}): Tensor {
    const view = convert(this.#view, dtypeArgument(dim, options) ?? this.dtype);
    return new Tensor(reduction.softmax(view, dimArgument(dim, -1), false));
  }

  /** The natural logarithm of {@linkcode Tensor.softmax}, exact where that is close to 0. */
  logSoftmax(dim: number | DimTypeOptions, options: DimTypeOptions = {}): Tensor {
    const view = convert(this.#view, dtypeArgument(dim, options) ?? this.dtype);
    return new Tensor(reduction.softmax(view, dimArgument(dim, -1), true));
  }

  /** The product of vectors, matrices, or batches of matrices. */
  matmul(other: Tensor): Tensor {
    return new Tensor(matrix.matmul(this.#view, viewOf(other)));
  }

  /** Whole slices along a dimension, by an int32 or int64 vector of positions. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return new Tensor(indexing.indexSelect(this.#view, dim, viewOf(index)));
  }

  /** One element along a dimension for every element of `index`. */
  gather(dim: number, index: Tensor): Tensor {
    return new Tensor(indexing.gather(this.#view, dim, viewOf(index)));
  }

  /** A copy with `source`, a tensor or one number, along a dimension where `index` says. */
  scatter(dim: number, index: Tensor, source: Operand): Tensor {
    return new Tensor(rowMajorCopy(this.#view)).scatter_(dim, index, source);
  }

  /** The same as {@linkcode Tensor.scatter}, in place. */
  scatter_(dim: number, index: Tensor, source: Operand): this {
    indexing.scatterInto(this.#view, dim, { index: viewOf(index), source: operand(source) });
    return this;
  }

  /** The elements where a boolean mask holds, in one dimension. */
  maskedSelect(mask: Tensor): Tensor {
    return new Tensor(indexing.maskedSelect(this.#view, viewOf(mask)));
  }

  /** A copy with one value where a boolean mask holds. */
  maskedFill(mask: Tensor, value: Operand): Tensor {
    const shape = shaping.broadcastShapes(mask.shape, this.shape);
    return new Tensor(rowMajorCopy(shaping.expand(this.#view, shape))).maskedFill_(mask, value);
  }

  /** Writes one value where a boolean mask holds. */
  maskedFill_(mask: Tensor, value: Operand): this {
    indexing.maskedFillInto(this.#view, viewOf(mask), operand(value));
    return this;
  }

  /** The positions of the elements that are not 0: int64, [count, ndim]. */
  nonzero(): Tensor {
    return new Tensor(indexing.nonzero(this.#view));
  }

  /** Elements by their position in row-major order. */
  take(index: Tensor): Tensor {
    return new Tensor(indexing.take(this.#view, viewOf(index)));
  }

  /** Draws every element from [from, to), as PyTorch's stream has them. */
  uniform_(
    from: number | (RandomOptions & { readonly from?: number; readonly to?: number }) = 0,
    to: number = 1,
    options: RandomOptions = {},
  ): this {
    const named = typeof from === "object" ? from : { from, to, ...options };
    drawing.uniformInto(this.#view, streamOf(named), named.from ?? 0, named.to ?? 1);
    return this;
  }

  /** Draws every element from a normal distribution, as PyTorch's stream has them. */
  normal_(
    mean: number | (RandomOptions & { readonly mean?: number; readonly std?: number }) = 0,
    std: number = 1,
    options: RandomOptions = {},
  ): this {
    const named = typeof mean === "object" ? mean : { mean, std, ...options };
    drawing.normalInto(this.#view, streamOf(named), named.mean ?? 0, named.std ?? 1);
    return this;
  }

  /** Draws every element from an exponential distribution of rate `lambd`. */
  exponential_(lambd: number | (RandomOptions & { readonly lambd?: number }) = 1, options: RandomOptions = {}): this {
    const named = typeof lambd === "object" ? lambd : { lambd, ...options };
    drawing.exponentialInto(this.#view, streamOf(named), named.lambd ?? 1);
    return this;
  }

  /** Draws 1 with probability `p`, else 0; `p` may be a tensor of probabilities. */
  bernoulli_(
    p: number | Tensor | (RandomOptions & { readonly p?: number | Tensor }) = 0.5,
    options: RandomOptions = {},
  ): this {
    const named = p instanceof Tensor || typeof p === "number" ? { p, ...options } : p;
    const chance = named.p ?? 0.5;
    if (chance instanceof Tensor) drawing.bernoulliEachInto(this.#view, streamOf(named), viewOf(chance));
    else drawing.bernoulliInto(this.#view, streamOf(named), chance);
    return this;
  }

  /**
   * Draws integers: from [0, to) with one argument, [from, to) with two, and without any from 0 up to the largest that
   * the dtype holds exactly. `null` as the second means no upper bound.
   */
  random_(
    from?: number | bigint | (RandomOptions & RandomRange),
    to?: number | bigint | null | RandomOptions,
    options: RandomOptions = {},
  ): this {
    const named = typeof from === "object"
      ? from
      : isRandomOptions(to)
      ? { to: from, ...to }
      : { from, to, ...options };
    drawing.integersInto(this.#view, streamOf(named), integerRange(named));
    return this;
  }

  #binary(name: BinaryName, other: Operand): Tensor {
    return new Tensor(elementwise.binary(name, this.#view, operand(other)));
  }

  #binaryInPlace(name: BinaryName, other: Operand): this {
    elementwise.binaryInPlace(name, this.#view, operand(other));
    return this;
  }

  #compare(name: CompareName, other: Operand): Tensor {
    return new Tensor(comparison.compare(name, this.#view, operand(other)));
  }

  #unary(name: UnaryName, parameters?: UnaryParameters): Tensor {
    return new Tensor(elementwise.unary(name, this.#view, parameters));
  }

  #unaryInPlace(name: UnaryName, parameters?: UnaryParameters): this {
    elementwise.unaryInPlace(name, this.#view, parameters);
    return this;
  }

  #accumulate(
    dim: SumArgument,
    keepdim: boolean | SumOptions | undefined,
    run: (view: View, over: reduction.Over) => View,
  ): Tensor {
    const dtype = dtypeArgument(dim, keepdim);
    const result = run(convert(this.#view, dtype ?? this.dtype), reduceArguments(dim, keepdim));
    return new Tensor(convert(result, dtype ?? result.dtype));
  }

  #reduce(
    name: Parameters<typeof reduction.reduce>[0],
    { dim, keepdim, label }: {
      readonly dim: DimArgument;
      readonly keepdim?: boolean | ReduceOptions;
      readonly label?: string;
    },
  ): Tensor {
    return new Tensor(reduction.reduce(name, this.#view, reduceArguments(dim, keepdim), label));
  }

  #extreme(
    name: "max" | "min",
    dim: number | DimKeepOptions | undefined,
    keepdim: boolean | undefined,
  ): Tensor | [Tensor, Tensor] {
    if (dim === undefined) return this.#reduce(name, { dim: null });
    const keep = typeof dim === "object" ? dim.keepdim : keepdim;
    const [values, indices] = reduction.extreme(name, this.#view, dimArgument(dim, 0), keep ?? false);
    return [new Tensor(values), new Tensor(indices)];
  }
}

/** A tensor of this copy of the library, or an error that says what it is instead. */
function ours(source: unknown): Tensor {
  if (source instanceof Tensor) return source;
  const version = brandOf(source, TENSOR_BRAND);
  if (version !== null) {
    throw new TypeError(
      `Cannot use a tensor of another copy of @graft/graft: it is of version ${version}, this is ${VERSION}`,
    );
  }
  throw new TypeError(`Expected a Tensor, got ${source === null ? "null" : typeof source}`);
}

function operand(value: Operand): View | number | bigint | boolean {
  return typeof value === "object" ? viewOf(value) : value;
}

function limits(min: Operand | null | undefined | ClampOptions, max: Operand | null | undefined): Limits {
  const named = isClampOptions(min) ? min : { min, max };
  const [low, high] = [named.min ?? null, named.max ?? null];
  return { min: low === null ? null : operand(low), max: high === null ? null : operand(high) };
}

function isRandomOptions(value: number | bigint | null | undefined | RandomOptions): value is RandomOptions {
  return typeof value === "object" && value !== null;
}

/** PyTorch's `random_(to)` and `random_(from, to)`: a lone bound is the upper one. */
function integerRange({ from, to }: RandomRange): drawing.IntegerRange | null {
  if (from === undefined && (to === undefined || to === null)) return null;
  if (from === undefined || to === undefined) return { from: 0n, to: BigInt(from ?? to ?? 0) };
  return { from: BigInt(from), to: to === null ? null : BigInt(to) };
}

function isClampOptions(min: Operand | null | undefined | ClampOptions): min is ClampOptions {
  return typeof min === "object" && min !== null && !(min instanceof Tensor);
}

function requireReal(dtype: DType): void {
  if (isComplex(dtype)) {
    throw new UnsupportedError(
      `Cannot compute "allclose" in ${dtype}: complex tensors are stored, cast and compared for equality only`,
      `allclose in ${dtype}`,
    );
  }
}

function varianceArguments(
  dim: number | readonly number[] | null | undefined | VarianceOptions,
  options: VarianceOptions,
) {
  const named = typeof dim === "object" && dim !== null && "correction" in dim ? dim.correction : undefined;
  return { ...reduceArguments(dim, options), correction: named ?? options.correction ?? 1 };
}

/** The element at a row-major position, wherever it lies. */
function elementAt(view: View, index: number): Element {
  let rest = index;
  let offset = 0;
  for (let dim = view.shape.length - 1; dim >= 0; dim--) {
    offset += (rest % view.shape[dim]) * view.strides[dim];
    rest = Math.floor(rest / view.shape[dim]);
  }
  const step = itemSize(view.dtype);
  const bytes = readBytes(view.storage, view.byteOffset + offset * step, step);
  return readElement(new DataView(bytes.buffer), 0, view.dtype);
}

function element(value: Element, { bigint = false }: IntegerOptions): Element {
  if (typeof value !== "bigint" || bigint) return value;
  if (value > LARGEST_EXACT || value < -LARGEST_EXACT) {
    throw new RangeError(`Cannot return ${value} as a number without losing digits: pass { bigint: true }`);
  }
  return Number(value);
}

function typedArray(tensor: Tensor): TensorData {
  switch (tensor.dtype) {
    case "float32":
    case "complex64":
      return new Float32Array(tensor.bytes().buffer);
    case "float64":
    case "complex128":
      return new Float64Array(tensor.bytes().buffer);
    case "int64":
      return new BigInt64Array(tensor.bytes().buffer);
    case "uint64":
      return new BigUint64Array(tensor.bytes().buffer);
    case "int32":
      return new Int32Array(tensor.bytes().buffer);
    case "uint32":
      return new Uint32Array(tensor.bytes().buffer);
    case "int16":
      return new Int16Array(tensor.bytes().buffer);
    case "uint16":
      return new Uint16Array(tensor.bytes().buffer);
    case "int8":
      return new Int8Array(tensor.bytes().buffer);
    case "uint8":
    case "bool":
      return tensor.bytes();
    default:
      return typedArray(tensor.to(DTYPES[tensor.dtype].kind === "complex" ? "complex64" : "float32"));
  }
}
