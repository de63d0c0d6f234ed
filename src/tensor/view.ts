/**
 * A strided view of a storage: what operations take and return. It has a shape and a dtype and no behaviour of its own;
 * `Tensor` is a view with a public face.
 *
 * @module
 */

import { DTYPES, itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { contiguousStrides, isContiguous, numelOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { constantFill, gather } from "../core/kernels.ts";
import { Storage } from "../core/memory.ts";
import type { Fill } from "../core/memory.ts";
import { readElement, requireFinite, writeElement } from "./elements.ts";

/** Elements of a storage, addressed by strides. */
export class View {
  /** The memory it looks into. */
  readonly storage: Storage;
  /** The element type. */
  readonly dtype: DType;
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** Steps between neighbours in each dimension, in elements. */
  readonly strides: readonly number[];
  /** Where the first element is, in bytes from the storage's start. */
  readonly byteOffset: number;
  /** How many elements there are. */
  readonly numel: number;

  /** Describes elements of `storage`; dense from its start unless strides and offset say otherwise. */
  constructor(
    storage: Storage,
    dtype: DType,
    shape: Shape,
    strides: readonly number[] = contiguousStrides(shape),
    byteOffset: number = 0,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.byteOffset = byteOffset;
    this.numel = numelOf(shape);
  }

  /** Whether its elements lie in row-major order without gaps. */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /** Whether it is all of its storage, in order. */
  get isWhole(): boolean {
    return this.byteOffset === 0 && this.storage.byteLength === this.numel * itemSize(this.dtype) && this.isContiguous;
  }

  /** The same elements with other sizes and strides. */
  restrided(shape: Shape, strides: readonly number[], elementOffset: number = 0): View {
    const byteOffset = this.byteOffset + elementOffset * itemSize(this.dtype);
    return new View(this.storage, this.dtype, shape, strides, byteOffset);
  }
}

/** A dense view of memory that is about to be written. */
export function uninitialised(dtype: DType, shape: Shape): View {
  return new View(new Storage(numelOf(shape) * itemSize(dtype)), dtype, shape);
}

/**
 * New memory laid out as `view` is, where that fills its memory without gaps, else row-major: what PyTorch calls the
 * preserved memory format.
 */
export function uninitialisedLike(view: View, dtype: DType = view.dtype): View {
  const strides = view.isContiguous || memoryOrder(view) === null ? contiguousStrides(view.shape) : view.strides;
  return new View(new Storage(view.numel * itemSize(dtype)), dtype, view.shape, strides);
}

/** The dimensions in the order of memory, where the elements fill it without gaps; `null` where they do not. */
export function memoryOrder(view: View): View | null {
  if (view.isContiguous) return view;
  const dims = view.shape.map((_, i) => i).sort((i, j) => view.strides[j] - view.strides[i]);
  const sorted = view.restrided(dims.map((i) => view.shape[i]), dims.map((i) => view.strides[i]));
  return sorted.isContiguous ? sorted : null;
}

/** A dense view of one value, written when it is first needed. */
export function filled(dtype: DType, shape: Shape, value: number | bigint | boolean): View {
  const count = numelOf(shape);
  return new View(new Storage(count * itemSize(dtype), filling(dtype, count, value)), dtype, shape);
}

/**
 * What writes one value `count` times.
 *
 * @throws {RangeError} The dtype does not hold it.
 */
export function filling(dtype: DType, count: number, value: number | bigint | boolean): Fill {
  const element = new DataView(new ArrayBuffer(itemSize(dtype)));
  writeElement(element, 0, dtype, value);
  requireFinite(value, dtype);
  const isWhole = DTYPES[dtype].kind === "integer";
  const written = isWhole ? readElement(element, 0, dtype) : value;
  if (typeof written === "object") throw new TypeError(`Cannot fill ${dtype} with a pair`);
  return constantFill(dtype, count, isWhole ? BigInt(written) : Number(written));
}

/** The same values, dense: the view itself where it is dense already. */
export function contiguous(view: View): View {
  if (view.isContiguous) return view;
  const dense = uninitialised(view.dtype, view.shape);
  gather(dense, view, itemSize(view.dtype));
  return dense;
}
