/**
 * Elements picked by position or by mask, and written there.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import { sameShape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import { readBytes } from "../../core/memory.ts";
import { isInteger, typeName } from "../promotion.ts";
import { broadcastShapes, expand, wrapDim } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { clone, convert, copyInto } from "./copying.ts";
import { binary, compare, where } from "./elementwise.ts";
import { extentAt } from "./reduction.ts";

/** Whole slices along `dim`, by a list of positions. */
export function indexSelect(source: View, dim: number, index: View): View {
  if (index.shape.length > 1) throw new RangeError("index_select(): Index is supposed to be a vector");
  requireIndex("index_select(): Expected dtype int32 or int64 for index", index);
  const at = wrapDim(dim, source.shape.length);
  const { outer, count: size, inner } = extentAt(source.shape, at);
  const count = index.numel;
  const result = uninitialised(source.dtype, source.shape.length === 0 ? [] : source.shape.with(at, count));
  const positions = contiguous(convert(index, "int64"));
  const innerBytes = inner * itemSize(source.dtype);
  const bad = kernels.indexSelect(result, [contiguous(source), positions], { outer, size, innerBytes, count });
  if (bad >= 0) throw new RangeError(`index out of range in self: position ${bad} of the index is not below ${size}`);
  return result;
}

/** One element along `dim` for every element of `index`: `torch.gather`. */
export function gather(source: View, dim: number, index: View): View {
  requireIndex("gather(): Expected dtype int32/int64 for index", index);
  const at = wrapDim(dim, source.shape.length);
  requireRank("gather(): Index tensor must have the same number of dimensions as input tensor", source, index);
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
  refuseBadIndex(bad, index, at, source);
  return result;
}

/** Writes `values` along `dim` where `index` says: `scatter_`. */
export function scatterInto(target: View, dim: number, { index, values }: { index: View; values: View }): void {
  requireIndex("scatter(): Expected dtype int32/int64 for index", index);
  if (values.dtype !== target.dtype) {
    throw new TypeError(
      `scatter(): Expected self.dtype to be equal to src.dtype, but got ${typeName(target.dtype)} and ` +
        typeName(values.dtype),
    );
  }
  const at = wrapDim(dim, target.shape.length);
  requireRank("Index tensor must have the same number of dimensions as self tensor", target, index);
  for (const [i, size] of index.shape.entries()) {
    if ((i !== at && size > target.shape[i]) || size > values.shape[i]) {
      throw new RangeError(
        `Expected index [${index.shape.join(", ")}] to be no larger than self [${
          target.shape.join(", ")
        }] apart from ` +
          `dimension ${at} and to be no larger size than src [${values.shape.join(", ")}]`,
      );
    }
  }
  const region = leading(target, index.shape, at);
  const dense = clone(region);
  const { outer, count, inner } = extentAt(index.shape, at);
  const source = contiguous(values.restrided(index.shape, values.strides));
  const bad = kernels.scatterDim(dense, [source, contiguous(convert(index, "int64"))], {
    item: itemSize(target.dtype),
    outer,
    count,
    inner,
    size: target.shape[at] ?? 1,
  });
  refuseBadIndex(bad, index, at, target);
  copyInto(region, dense);
}

/** Where elements are not 0: one row of positions an element, [count, ndim]. */
export function nonzero(source: View): View {
  const flat = flatNonzero(contiguous(convertToBool(source)));
  const rank = source.shape.length;
  const columns = new Array<View>(rank);
  let rest = flat;
  for (let dim = rank - 1; dim >= 0; dim--) {
    const size = source.shape[dim];
    columns[dim] = binary("remainder", rest, size);
    rest = binary("floorDivide", rest, size);
  }
  const result = uninitialised("int64", [flat.numel, rank]);
  for (const [dim, column] of columns.entries()) {
    copyInto(result.restrided([flat.numel], [rank], dim), column);
  }
  return result;
}

/** The elements where `mask` holds, in one dimension. */
export function maskedSelect(source: View, mask: View): View {
  requireMask("masked_select: expected BoolTensor for mask", mask);
  const shape = broadcastShapes(source.shape, mask.shape);
  const elements = contiguous(expand(source, shape));
  const flat = flatNonzero(contiguous(expand(mask, shape)));
  return indexSelect(elements.restrided([elements.numel], [1]), 0, flat);
}

/** Writes one value where `mask` holds. */
export function maskedFillInto(target: View, mask: View, value: View): void {
  requireMask("masked_fill_ only supports boolean masks, but got mask with dtype", mask);
  if (!sameShape(broadcastShapes(target.shape, mask.shape), target.shape)) {
    throw new RangeError(
      `The expanded size of the tensor must match the mask: mask [${mask.shape.join(", ")}] does not broadcast to ` +
        `[${target.shape.join(", ")}]`,
    );
  }
  copyInto(target, where(mask, convert(value, target.dtype), target));
}

/** Elements by their position in row-major order: `torch.take`. */
export function take(source: View, index: View): View {
  requireIndex("take(): Expected a long tensor for index", index);
  const elements = contiguous(source).restrided([source.numel], [1]);
  const flat = contiguous(convert(index, "int64")).restrided([index.numel], [1]);
  const wrapped = where(compare("lt", flat, 0), binary("add", flat, source.numel), flat);
  return indexSelect(elements, 0, wrapped).restrided(
    index.shape,
    new View(source.storage, source.dtype, index.shape).strides,
  );
}

function flatNonzero(mask: View): View {
  const count = kernels.nonzeroCount(mask, mask.numel);
  const result = uninitialised("int64", [count]);
  kernels.nonzero(result, mask, mask.numel);
  return result;
}

function convertToBool(source: View): View {
  return source.dtype === "bool" ? source : convert(source, "bool");
}

/** The leading part of a tensor that an index of this shape can reach: whole along `dim`. */
function leading(source: View, shape: readonly number[], dim: number): View {
  return source.restrided(source.shape.map((size, i) => i === dim ? size : shape[i]), source.strides);
}

function requireIndex(message: string, index: View): void {
  if (index.dtype !== "int64" && index.dtype !== "int32") {
    throw new TypeError(`${message}, but got ${isInteger(index.dtype) ? "" : "dtype "}${typeName(index.dtype)}`);
  }
}

function requireMask(message: string, mask: View): void {
  if (mask.dtype !== "bool") throw new TypeError(`${message} ${typeName(mask.dtype)}`);
}

function requireRank(message: string, source: View, index: View): void {
  if (Math.max(source.shape.length, 1) !== Math.max(index.shape.length, 1)) throw new RangeError(message);
}

function refuseBadIndex(bad: number, index: View, dim: number, source: View): void {
  if (bad < 0) return;
  const place = contiguous(convert(index, "int64"));
  const item = itemSize("int64");
  const bytes = readBytes(place.storage, place.byteOffset + bad * item, item);
  const value = new DataView(bytes.buffer).getBigInt64(0, true);
  throw new RangeError(`index ${value} is out of bounds for dimension ${dim} with size ${source.shape[dim] ?? 1}`);
}
