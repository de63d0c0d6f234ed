/**
 * Tensors put together and taken apart along a dimension.
 *
 * @module
 */

import { sameShape } from "../../shape.ts";
import { resultType } from "../promotion.ts";
import { narrow, select, unsqueeze, wrapDim } from "../shaping.ts";
import { uninitialised } from "../view.ts";
import type { View } from "../view.ts";
import { copyInto } from "./copying.ts";

/** One tensor after the other along an existing dimension: `torch.cat`. */
export function cat(sources: readonly View[], dim: number): View {
  if (sources.length === 0) throw new RangeError("torch.cat(): expected a non-empty list of Tensors");
  for (const [i, source] of sources.entries()) {
    if (source.shape.length === 0) {
      throw new RangeError(`zero-dimensional tensor (at position ${i}) cannot be concatenated`);
    }
  }
  // PyTorch lets tensors of shape [0] stand beside any others.
  const parts = sources.filter((source) => !sameShape(source.shape, [0]));
  const dtype = resultType(sources);
  if (parts.length === 0) return uninitialised(dtype, [0]);
  const [first] = parts;
  const at = wrapDim(dim, first.shape.length);
  for (const part of parts) requireFit(first, part, { dim: at, position: sources.indexOf(part) });
  const total = parts.reduce((sum, part) => sum + part.shape[at], 0);
  const result = uninitialised(dtype, first.shape.with(at, total));
  let start = 0;
  for (const part of parts) {
    copyInto(narrow(result, at, start, part.shape[at]), part);
    start += part.shape[at];
  }
  return result;
}

/** Tensors of one shape along a new dimension: `torch.stack`. */
export function stack(sources: readonly View[], dim: number): View {
  if (sources.length === 0) throw new RangeError("stack expects a non-empty TensorList");
  const [first] = sources;
  for (const [i, source] of sources.entries()) {
    if (!sameShape(source.shape, first.shape)) {
      throw new RangeError(
        `stack expects each tensor to be equal size, but got [${first.shape.join(", ")}] at entry 0 and ` +
          `[${source.shape.join(", ")}] at entry ${i}`,
      );
    }
  }
  const at = wrapDim(dim, first.shape.length + 1);
  return cat(sources.map((source) => unsqueeze(source, at)), at);
}

/** Pieces of `size` along a dimension, the last one smaller where it does not divide: `torch.split`. */
export function split(source: View, size: number | readonly number[], dim: number): View[] {
  if (source.shape.length === 0) throw new RangeError("split expects at least a 1-dimensional tensor");
  const at = wrapDim(dim, source.shape.length);
  const total = source.shape[at];
  const sizes = typeof size === "number" ? evenSizes(total, size) : size;
  const sum = sizes.reduce((a, b) => a + b, 0);
  if (sum !== total) {
    throw new RangeError(
      `split_with_sizes expects split_sizes to sum exactly to ${total} (input tensor's size at dimension ${at}), but ` +
        `got split_sizes=[${sizes.join(", ")}]`,
    );
  }
  let start = 0;
  return sizes.map((length) => {
    const piece = narrow(source, at, start, length);
    start += length;
    return piece;
  });
}

/** At most `count` pieces of one size along a dimension: `torch.chunk`. */
export function chunk(source: View, count: number, dim: number): View[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError("chunk expects `chunks` to be greater than 0, got: " + count);
  }
  if (source.shape.length === 0) throw new RangeError("chunk expects at least a 1-dimensional tensor");
  const total = source.shape[wrapDim(dim, source.shape.length)];
  // What has no elements is still cut into as many pieces as were asked for.
  if (total === 0) return split(source, new Array<number>(count).fill(0), dim);
  return split(source, Math.ceil(total / count), dim);
}

/** Every slice along a dimension, which goes away: `torch.unbind`. */
export function unbind(source: View, dim: number): View[] {
  const at = wrapDim(dim, source.shape.length);
  if (source.shape.length === 0) throw new RangeError("Dimension specified as 0 but tensor has no dimensions");
  return Array.from({ length: source.shape[at] }, (_, i) => select(source, at, i));
}

function evenSizes(total: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 0) {
    throw new RangeError(`split expects split_size be non-negative, but got split_size=${size}`);
  }
  if (size === 0 && total > 0) {
    throw new RangeError(`split_size can only be 0 if dimension size is 0, but got dimension size of ${total}`);
  }
  if (total === 0) return [0];
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));
}

function requireFit(first: View, part: View, { dim, position }: { dim: number; position: number }): void {
  if (part.shape.length !== first.shape.length) {
    throw new RangeError(
      `Tensors must have same number of dimensions: got ${first.shape.length} and ${part.shape.length}`,
    );
  }
  for (const [i, size] of part.shape.entries()) {
    if (i !== dim && size !== first.shape[i]) {
      throw new RangeError(
        `Sizes of tensors must match except in dimension ${dim}. Expected size ${
          first.shape[i]
        } but got size ${size} ` +
          `for tensor number ${position} in the list.`,
      );
    }
  }
}
