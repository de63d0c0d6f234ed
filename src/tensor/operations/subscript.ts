/**
 * Python's `x[…]`: integers, slices, new dimensions, an ellipsis, masks and tensors of positions.
 *
 * The rules are those of ATen/TensorIndexing.h: basic parts make a view, from left to right; then all tensors of
 * positions are broadcast together and pick elements, in front if they do not stand side by side.
 *
 * @module
 */

import { sameShape } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import { laidOut } from "../layout.ts";
import { broadcastShapes, expand, narrow, permute, select, slice, unsqueeze } from "../shaping.ts";
import { contiguous, View } from "../view.ts";
import { compare, where } from "./comparison.ts";
import { convert } from "./copying.ts";
import { binary } from "./elementwise.ts";
import { elementOf, indexSelect, nonzero } from "./indexing.ts";

/** Positions of one dimension, as Python's `start:end:step`; `{}` is all of them. */
export interface Slice {
  /** The first; 0 by default, negative ones count from the end. */
  readonly start?: number;
  /** Before which it ends; the size by default. */
  readonly end?: number;
  /** Every how manieth; 1 by default. */
  readonly step?: number;
}

/** One part of a subscript. */
export type Part = number | null | "..." | Slice | View;

/** The elements that a subscript means: a view where it holds no tensors, else a copy. */
export function subscript(source: View, parts: readonly Part[]): View {
  const rank = source.shape.length;
  const named = parts.reduce<number>((sum, part) => sum + dimensionsOf(part), 0);
  if (named > rank) throw new RangeError(`too many indices for tensor of dimension ${rank}`);
  let view = source;
  let dim = 0;
  const positions: (View | null)[] = [];
  const place = (index: View) => {
    while (positions.length < dim) positions.push(null);
    positions.push(index);
    dim++;
  };
  for (const [i, part] of parts.entries()) {
    if (part === null) {
      view = unsqueeze(view, dim++);
    } else if (part === "...") {
      dim += rank - named;
    } else if (typeof part === "number") {
      view = selected(view, part, { dim, part: i });
    } else if (!(part instanceof View)) {
      view = sliced(view, dim++, part);
    } else if (isMask(part)) {
      if (part.shape.length === 0) view = unsqueeze(view, dim);
      for (const index of maskPositions(view, part, dim)) place(index);
    } else if (isPosition(part) && part.shape.length === 0) {
      view = selected(view, Number(elementOf(convert(part, "int64"), 0)), { dim, part: i });
    } else {
      if (!isPosition(part)) throw new TypeError("tensors used as indices must be long, int, byte or bool tensors");
      place(convert(part, "int64"));
    }
  }
  return positions.length === 0 ? view : picked(view, positions);
}

function dimensionsOf(part: Part): number {
  if (part === null || part === "...") return 0;
  return part instanceof View && isMask(part) ? part.shape.length : 1;
}

function isMask(index: View): boolean {
  return index.dtype === "bool" || index.dtype === "uint8";
}

function isPosition(index: View): boolean {
  return index.dtype === "int64" || index.dtype === "int32";
}

/** One position of a dimension. PyTorch's message takes the number of the part for the dimension, and so does ours. */
function selected(view: View, index: number, { dim, part }: { readonly dim: number; readonly part: number }): View {
  const size = view.shape[dim];
  if (!Number.isInteger(index)) {
    throw new TypeError(`only integers, slices, "...", null and tensors are valid indices, got ${index}`);
  }
  if (index < -size || index >= size) throw outOfBounds(index, part, size);
  return select(view, dim, index);
}

function sliced(view: View, dim: number, { start = 0, end = Infinity, step = 1 }: Slice): View {
  if (step === 0) throw new RangeError("slice step cannot be zero");
  if (step < 0) throw new RangeError("step must be greater than zero");
  return slice(view, dim, { start, end, step });
}

/** A mask as one vector of positions a dimension. */
function maskPositions(view: View, mask: View, dim: number): View[] {
  for (const [i, size] of mask.shape.entries()) {
    if (size !== view.shape[dim + i]) {
      throw new RangeError(
        `The shape of the mask [${mask.shape.join(", ")}] at index ${i} does not match the shape of the indexed ` +
          `tensor [${view.shape.join(", ")}] at index ${dim + i}`,
      );
    }
  }
  const rows = nonzero(mask.shape.length === 0 ? unsqueeze(mask, 0) : mask);
  return Array.from({ length: rows.shape[1] }, (_, i) => select(rows, 1, i));
}

/** The elements at the positions: [...before, ...index, ...after], or the index in front. */
function picked(source: View, positions: readonly (View | null)[]): View {
  const dims = positions.flatMap((index, dim) => index === null ? [] : [dim]);
  const indices = positions.filter((index) => index !== null);
  const shape = commonShape(indices);
  const others = source.shape.map((_, dim) => dim).filter((dim) => !dims.includes(dim));
  const rows = dims.map((dim) => source.shape[dim]);
  const kept = others.map((dim) => source.shape[dim]);
  const flat = contiguous(permute(source, [...dims, ...others]));
  const count = rows.reduce((product, size) => product * size, 1);
  const table = new View(flat.storage, flat.dtype, [count, ...kept], undefined, flat.byteOffset);
  const position = indices
    .map((index, i) => expand(wrappedIndex(index, { dim: i, size: rows[i] }), shape))
    .reduce((sum, index, i) => binary("add", binary("mul", sum, rows[i]), index));
  const dense = contiguous(position);
  const chosen = indexSelect(
    table,
    0,
    new View(dense.storage, dense.dtype, [dense.numel], undefined, dense.byteOffset),
  );
  const result = new View(chosen.storage, chosen.dtype, [...shape, ...kept]);
  const together = dims.every((dim, i) => i === 0 || dim === dims[i - 1] + 1);
  const before = together ? dims[0] : 0;
  const order = kept.map((_, i) => shape.length + i);
  const placed = permute(result, [...order.slice(0, before), ...shape.map((_, i) => i), ...order.slice(before)]);
  const spread = (strides: readonly number[], kept: readonly number[]) =>
    placed.restrided(placed.shape, [...kept.slice(0, before), ...strides, ...kept.slice(before)]);
  // An index is broadcast over the dimensions that it does not have, but where their size is 1.
  return laidOut(placed, [
    spread(shape.map(() => 0), others.map((dim) => source.strides[dim])),
    ...indices.map((index) =>
      spread(expand(index, shape).strides, kept.map((size, i) => size !== 1 ? 0 : i < before ? index.numel : 1))
    ),
  ]);
}

function commonShape(indices: readonly View[]): Shape {
  try {
    return indices.map((index) => index.shape).reduce(broadcastShapes);
  } catch (cause) {
    const shapes = indices.map((index) => `[${index.shape.join(", ")}]`).join(", ");
    throw new RangeError(
      `shape mismatch: indexing tensors could not be broadcast together with shapes ${shapes}`,
      { cause },
    );
  }
}

/** Positions counted from the front, all within the dimension; PyTorch names it by its place among those indexed. */
function wrappedIndex(index: View, { dim, size }: { readonly dim: number; readonly size: number }): View {
  const wrapped = where(compare("lt", index, 0), binary("add", index, size), index);
  const bad = nonzero(binary("bitwiseOr", compare("lt", wrapped, 0), compare("ge", wrapped, size)));
  if (bad.shape[0] === 0) return wrapped;
  if (size === 0) throw new RangeError("index is out of bounds for dimension with size 0");
  const first = narrow(bad, 0, 0, 1);
  const at = sameShape(index.shape, []) ? 0 : flatPosition(first, index.shape);
  throw outOfBounds(elementOf(index, at), dim, size);
}

function flatPosition(row: View, shape: Shape): number {
  return shape.reduce((at, size, i) => at * size + Number(elementOf(row, i)), 0);
}

function outOfBounds(index: number | bigint, dim: number, size: number): RangeError {
  return new RangeError(`index ${index} is out of bounds for dimension ${dim} with size ${size}`);
}
