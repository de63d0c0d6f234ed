/**
 * Copies: of a tensor, into a tensor, to another dtype.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { sameShape } from "../../shape.ts";
import { cast, copyBytes, gather, scatter } from "../../core/kernels.ts";
import { adoptBytes, adoptFill, readBytes, Storage } from "../../core/memory.ts";
import { arrange, laidOut } from "../layout.ts";
import { expand, flip, requireBroadcast } from "../shaping.ts";
import { contiguous, memoryOrder, uninitialised, uninitialisedLike, View } from "../view.ts";

/** A copy, laid out as its source in its order of dimensions. A value that was never read is copied as what would write it. */
export function clone(source: View): View {
  const { dtype, shape, storage } = source;
  if (source.isWhole && storage.fill !== null) {
    return new View(new Storage(storage.byteLength, storage.fill), dtype, shape);
  }
  if (memoryOrder(source) === null) {
    const arranged = arrange([source]);
    return arranged === null ? dense(source) : arranged.restore(dense(arranged.views[0]));
  }
  const copy = uninitialisedLike(source);
  copyDense(copy, source);
  return copy;
}

/** A row-major copy. */
export function rowMajorCopy(source: View): View {
  return source.isContiguous ? clone(source) : contiguous(source);
}

/** A copy with the order of some dimensions reversed, laid out as its source. */
export function flipped(source: View, dims: readonly number[]): View {
  const copy = laidOut(flip(source, dims), [source]);
  return copy.storage === source.storage ? clone(copy) : copy;
}

/** The same values in `dtype`, laid out alike: the view itself where that is its dtype. */
export function convert(source: View, dtype: DType): View {
  if (source.dtype === dtype) return source;
  const arranged = memoryOrder(source) === null ? arrange([source]) : null;
  const [laid] = arranged?.views ?? [source];
  const operand = memoryOrder(laid) === null ? contiguous(laid) : laid;
  const result = uninitialisedLike(operand, dtype);
  cast(result, operand, source.numel);
  return arranged?.restore(result) ?? result;
}

/**
 * Writes `source`, broadcast and cast, into `target`: PyTorch's `copy_`. They may share memory.
 *
 * @throws {RangeError} Shapes do not broadcast, or elements of the target share a place.
 */
export function copyInto(target: View, source: View): void {
  requireBroadcast(target.shape, source.shape);
  refuseInternalOverlap(target);
  if (target.numel === 0) return;
  const isPlain = target.isContiguous && source.isContiguous && sameShape(target.shape, source.shape);
  if (source.dtype !== target.dtype && isPlain && !overlaps(target, source)) {
    cast(target, source, target.numel);
    return;
  }
  const converted = convert(source, target.dtype);
  const values = sameShape(target.shape, converted.shape) ? converted : expand(converted, target.shape);
  if (target.isContiguous && values.isContiguous) copyDense(target, values);
  else if (target.isContiguous && !overlaps(target, values)) gather(target, values, itemSize(target.dtype));
  else scatter(target, overlaps(target, values) ? dense(values) : contiguous(values), itemSize(target.dtype));
}

/** Writes one value everywhere, also where elements share a place. */
export function fillInto(target: View, value: View): void {
  const once = target.strides.reduce((view, stride, i) => {
    return stride === 0 && view.shape[i] > 1 ? view.restrided(view.shape.with(i, 1), view.strides) : view;
  }, target);
  copyInto(once, value);
}

/** Refuses to write where two elements are one place. */
export function refuseInternalOverlap(target: View): void {
  if (target.strides.some((stride, i) => stride === 0 && target.shape[i] > 1)) {
    throw new RangeError(
      "unsupported operation: more than one element of the written-to tensor refers to a single memory location. " +
        "Please clone() the tensor before performing the operation.",
    );
  }
}

/** A row-major copy, never the view itself. */
function dense(source: View): View {
  const copy = uninitialised(source.dtype, source.shape);
  gather(copy, source, itemSize(source.dtype));
  return copy;
}

/** Whether writing one could change the other before it is read. */
function overlaps(target: View, source: View): boolean {
  return target.storage === source.storage;
}

function copyDense(target: View, source: View): void {
  const byteLength = source.numel * itemSize(source.dtype);
  if (target.isWhole && source.storage !== target.storage) {
    if (source.isWhole && source.storage.fill !== null) {
      adoptFill(target.storage, source.storage.fill);
      return;
    }
    // On the JavaScript side a copy costs no wasm.
    if (source.storage.isPaged && !target.storage.isResident) {
      adoptBytes(target.storage, readBytes(source.storage, source.byteOffset, byteLength));
      return;
    }
  }
  copyBytes(target, source, byteLength);
}
