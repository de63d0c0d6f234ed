/**
 * Elements picked by position or by mask, and written there.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import * as kernels from "../../core/kernels.ts";
import { readBytes } from "../../core/memory.ts";
import { readElement, requireFinite } from "../elements.ts";
import { cppName, isComplex, typeName } from "../promotion.ts";
import type { Scalar } from "../promotion.ts";
import { broadcastShapes, expand, requireBroadcast, select, transpose, wrapDim } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { clone, convert, copyInto } from "./copying.ts";
import { compare, where } from "./comparison.ts";
import { binary, scalarView } from "./elementwise.ts";
import { extentAt } from "./reduction.ts";

/** Where `scatter_` writes, and what. */
export interface ScatterSource {
  readonly index: View;
  readonly source: View | Scalar;
}

/** Whole slices along `dim`, by a list of positions. */
export function indexSelect(source: View, dim: number, index: View): View {
  if (index.shape.length > 1) throw new RangeError("index_select(): Index is supposed to be a vector");
  requireIndex("index_select(): Expected dtype int32 or int64 for index", index);
  const at = wrapDim(dim, source.shape.length);
  if (source.shape.length === 0 && index.numel !== 1) {
    throw new RangeError(`index_select(): Index to scalar can have only 1 value, got ${index.numel} value(s)`);
  }
  const { outer, count: size, inner } = extentAt(source.shape, at);
  const count = index.numel;
  const result = uninitialised(source.dtype, source.shape.length === 0 ? [] : source.shape.with(at, count));
  const positions = contiguous(convert(index, "int64"));
  const innerBytes = inner * itemSize(source.dtype);
  const bad = kernels.indexSelect(result, [contiguous(source), positions], { outer, size, innerBytes, count });
  if (bad >= 0) throw new RangeError("index out of range in self");
  return result;
}

/** One element along `dim` for every element of `index`: `torch.gather`. */
export function gather(source: View, dim: number, index: View): View {
  requireIndex("gather(): Expected dtype int32/int64 for index", index);
  const at = wrapDim(dim, source.shape.length);
  requireRank("Index tensor must have the same number of dimensions as input tensor", source, index);
  for (const [i, size] of index.shape.entries()) {
    if (i !== at && size > source.shape[i]) {
      throw new RangeError(
        `Size does not match at dimension ${i} expected index [${index.shape.join(", ")}] to be no larger than self ` +
          `[${source.shape.join(", ")}] apart from dimension ${at}`,
      );
    }
  }
  const result = uninitialised(source.dtype, index.shape);
  const operand = contiguous(leading(source, index.shape, at));
  const { outer, count, inner } = extentAt(index.shape, at);
  const bad = kernels.gatherDim(result, [operand, contiguous(convert(index, "int64"))], {
    item: itemSize(source.dtype),
    outer,
    count,
    inner,
    size: source.shape[at] ?? 1,
  });
  refuseBadIndex(bad, index, { dim: at, size: source.shape[at] ?? 1 });
  return result;
}

/** Writes `values`, a tensor or one number, along `dim` where `index` says: `scatter_`. */
export function scatterInto(target: View, dim: number, { index, source }: ScatterSource): void {
  requireIndex("scatter(): Expected dtype int32/int64 for index", index);
  const isTensor = source instanceof View;
  if (isTensor && source.dtype !== target.dtype) {
    throw new TypeError("scatter(): Expected self.dtype to be equal to src.dtype");
  }
  if (!isTensor) requireFinite(source, target.dtype);
  const values = isTensor ? source : expand(scalarView(source, target.dtype), index.shape);
  const at = wrapDim(dim, target.shape.length);
  requireRank("Index tensor must have the same number of dimensions as self tensor", target, index);
  requireRank("Index tensor must have the same number of dimensions as src tensor", values, index);
  for (const [i, size] of index.shape.entries()) {
    if ((i !== at && size > target.shape[i]) || size > values.shape[i]) {
      throw new RangeError(
        `Expected index [${index.shape.join(", ")}] to be no larger than self [${target.shape.join(", ")}] apart ` +
          `from dimension ${at}` + (isTensor ? ` and to be no larger size than src [${values.shape.join(", ")}]` : ""),
      );
    }
  }
  const region = leading(target, index.shape, at);
  const { outer, count, inner } = extentAt(index.shape, at);
  const dense = contiguous(clone(region));
  const chosen = contiguous(values.restrided(index.shape, values.strides));
  const bad = kernels.scatterDim(dense, [chosen, contiguous(convert(index, "int64"))], {
    item: itemSize(target.dtype),
    outer,
    count,
    inner,
    size: target.shape[at] ?? 1,
  });
  refuseBadIndex(bad, index, { dim: at, size: target.shape[at] ?? 1 });
  copyInto(region, dense);
}

/** Where elements are not 0: one row of positions an element, [count, ndim]; laid out by columns, as PyTorch's is. */
export function nonzero(source: View): View {
  const flat = flatNonzero(contiguous(convert(source, "bool")));
  const rank = source.shape.length;
  const columns = uninitialised("int64", [rank, flat.numel]);
  let rest = flat;
  for (let dim = rank - 1; dim >= 0; dim--) {
    const size = Math.max(source.shape[dim], 1);
    copyInto(select(columns, 0, dim), binary("remainder", rest, size));
    rest = binary("floorDivide", rest, size);
  }
  return transpose(columns, 0, 1);
}

/** The elements where `mask` holds, in one dimension. */
export function maskedSelect(source: View, mask: View): View {
  if (mask.dtype !== "bool") throw new TypeError("masked_select: expected BoolTensor for mask");
  const shape = broadcastShapes(mask.shape, source.shape);
  const elements = contiguous(expand(source, shape));
  const flat = flatNonzero(contiguous(expand(mask, shape)));
  return indexSelect(elements.restrided([elements.numel], [1]), 0, flat);
}

/** Writes one value where `mask` holds; a tensor of no dimensions counts as one. */
export function maskedFillInto(target: View, mask: View, value: View | Scalar): void {
  if (mask.dtype !== "bool") {
    throw new TypeError(`masked_fill_ only supports boolean masks, but got mask with dtype ${cppName(mask.dtype)}`);
  }
  if (value instanceof View && value.shape.length > 0) {
    throw new RangeError(
      "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with " +
        `${value.shape.length} dimension(s).`,
    );
  }
  requireBroadcast(target.shape, mask.shape);
  const number = value instanceof View && !isComplex(value.dtype) ? numberOf(value) : value;
  if (!(number instanceof View)) requireFinite(number, target.dtype);
  const view = number instanceof View ? convert(number, target.dtype) : scalarView(number, target.dtype);
  copyInto(target, where(mask, view, target));
}

/** Elements by their position in row-major order: `torch.take`. */
export function take(source: View, index: View): View {
  if (index.dtype !== "int64") {
    throw new TypeError(`take(): Expected a long tensor for index, but got ${typeName(index.dtype)}`);
  }
  const { numel } = source;
  if (numel === 0 && index.numel > 0) throw new RangeError("take(): tried to take from an empty tensor");
  const elements = contiguous(source).restrided([numel], [1]);
  const flat = contiguous(index).restrided([index.numel], [1]);
  const result = uninitialised(source.dtype, index.shape);
  const wrapped = where(compare("lt", flat, 0), binary("add", flat, numel), flat);
  const extent = { outer: 1, size: numel, innerBytes: itemSize(source.dtype), count: index.numel };
  const bad = kernels.indexSelect(result, [elements, wrapped], extent);
  if (bad < 0) return result;
  throw new RangeError(
    `out of range: tried to access index ${elementOf(flat, bad)} on a tensor of ${numel} elements.`,
  );
}

/** The one number of a tensor. */
function numberOf(view: View): number | bigint | boolean {
  const bytes = readBytes(view.storage, view.byteOffset, itemSize(view.dtype));
  const number = readElement(new DataView(bytes.buffer), 0, view.dtype);
  if (typeof number === "object") throw new TypeError(`Expected a real number, got one of ${view.dtype}`);
  return number;
}

/** The number at a row-major place of an int64 tensor. */
export function elementOf(index: View, place: number): bigint {
  const dense = contiguous(index);
  const item = itemSize("int64");
  const bytes = readBytes(dense.storage, dense.byteOffset + place * item, item);
  return new DataView(bytes.buffer).getBigInt64(0, true);
}

function flatNonzero(mask: View): View {
  const count = kernels.nonzeroCount(mask, mask.numel);
  const result = uninitialised("int64", [count]);
  kernels.nonzero(result, mask, mask.numel);
  return result;
}

/** The leading part of a tensor that an index of this shape can reach: whole along `dim`. */
function leading(source: View, shape: readonly number[], dim: number): View {
  return source.restrided(source.shape.map((size, i) => i === dim ? size : shape[i]), source.strides);
}

function requireIndex(message: string, index: View): void {
  if (index.dtype !== "int64" && index.dtype !== "int32") throw new TypeError(message);
}

function requireRank(message: string, source: View, index: View): void {
  if (Math.max(source.shape.length, 1) !== Math.max(index.shape.length, 1)) throw new RangeError(message);
}

function refuseBadIndex(bad: number, index: View, { dim, size }: { readonly dim: number; readonly size: number }) {
  if (bad < 0) return;
  const value = elementOf(convert(index, "int64"), bad);
  throw new RangeError(`index ${value} is out of bounds for dimension ${dim} with size ${size}`);
}
