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
import { expand } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";

/** A dense copy. A value that was never read is copied as what would write it. */
export function clone(source: View): View {
  const { dtype, shape, storage } = source;
  if (source.isWhole && storage.fill !== null) {
    return new View(new Storage(storage.byteLength, storage.fill), dtype, shape);
  }
  const copy = uninitialised(dtype, shape);
  if (source.isContiguous) copyDense(copy, source);
  else gather(copy, source, itemSize(dtype));
  return copy;
}

/** The same values in `dtype`: the view itself where that is its dtype. */
export function convert(source: View, dtype: DType): View {
  if (source.dtype === dtype) return source;
  const result = uninitialised(dtype, source.shape);
  cast(result, contiguous(source), source.numel);
  return result;
}

/**
 * Writes `source`, broadcast and cast, into `target`: PyTorch's `copy_`.
 *
 * @throws {RangeError} Shapes do not broadcast, or elements of the target share a place.
 */
export function copyInto(target: View, source: View): void {
  refuseInternalOverlap(target);
  const values = sameShape(target.shape, source.shape) ? source : expand(source, target.shape);
  if (target.numel === 0) return;
  const converted = convert(values, target.dtype);
  if (target.isContiguous && converted.isContiguous) copyDense(target, converted);
  else if (target.isContiguous && !overlaps(target, converted)) gather(target, converted, itemSize(target.dtype));
  else scatter(target, overlaps(target, converted) ? clone(converted) : contiguous(converted), itemSize(target.dtype));
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
