/**
 * Other shapes of the same elements: operations that return views and move no bytes.
 *
 * Messages are PyTorch's where a PyTorch user would meet them.
 *
 * @module
 */

import { contiguousStrides, numelOf, sameShape } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { typeName } from "./promotion.ts";
import { contiguous } from "./view.ts";
import type { View } from "./view.ts";

/** A dimension counted from the front; negative ones count from the end. */
export function wrapDim(dim: number, rank: number): number {
  // PyTorch lets a 0-d tensor be addressed as if it had one dimension.
  const size = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -size || dim >= size) {
    throw new RangeError(`Dimension out of range (expected to be in range of [${-size}, ${size - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + size : dim;
}

/** The dimensions named, counted from the front, each once. */
export function wrapDims(dims: readonly number[], rank: number): number[] {
  const wrapped = dims.map((dim) => wrapDim(dim, rank));
  for (const [i, dim] of wrapped.entries()) {
    if (wrapped.indexOf(dim) !== i) throw new RangeError(`dim ${dim} appears multiple times in the list of dims`);
  }
  return wrapped;
}

/** A shape in which at most one size is -1, made whole for `numel` elements. */
export function inferShape(shape: Shape, numel: number): number[] {
  const open = shape.indexOf(-1);
  for (const [i, size] of shape.entries()) {
    if (size === -1 && i !== open) throw new RangeError("only one dimension can be inferred");
    if (!Number.isInteger(size) || size < -1) {
      throw new RangeError(`invalid shape dimension ${size} at index ${i} of shape [${shape.join(", ")}]`);
    }
  }
  const known = numelOf(shape.filter((size) => size !== -1));
  if (open === -1) {
    if (known !== numel) throw invalidShape(shape, numel);
    return [...shape];
  }
  if (known === 0 && numel === 0) {
    throw new RangeError(
      `cannot reshape tensor of 0 elements into shape [${
        shape.join(", ")
      }] because the unspecified dimension size -1 ` +
        "can be any value and is ambiguous",
    );
  }
  if (known === 0 || numel % known !== 0) throw invalidShape(shape, numel);
  return shape.map((size) => size === -1 ? numel / known : size);
}

/** The same elements in another shape, without a copy: `view`. */
export function view(source: View, shape: Shape): View {
  const whole = inferShape(shape, source.numel);
  const strides = viewStrides(source, whole);
  if (strides === null) {
    throw new RangeError(
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two " +
        "contiguous subspaces). Use .reshape(...) instead.",
    );
  }
  return source.restrided(whole, strides);
}

/** The same elements in another shape, copied only where no strides describe it. */
export function reshape(source: View, shape: Shape): View {
  const whole = inferShape(shape, source.numel);
  const strides = viewStrides(source, whole);
  return strides === null
    ? contiguous(source).restrided(whole, contiguousStrides(whole))
    : source.restrided(whole, strides);
}

/** The dimensions from `start` to `end`, both included, made one. */
export function flatten(source: View, start: number, end: number): View {
  const rank = source.shape.length;
  const first = wrapDim(start, rank);
  const last = wrapDim(end, rank);
  if (first > last) throw new RangeError("flatten() has invalid args: start_dim cannot come after end_dim");
  if (rank === 0) return source.restrided([1], [1]);
  const middle = numelOf(source.shape.slice(first, last + 1));
  return reshape(source, [...source.shape.slice(0, first), middle, ...source.shape.slice(last + 1)]);
}

/** One dimension made several. */
export function unflatten(source: View, dim: number, sizes: Shape): View {
  const at = wrapDim(dim, source.shape.length);
  if (sizes.length === 0) throw new RangeError("unflatten: sizes must be non-empty");
  if (source.shape.length === 0) {
    throw new RangeError("unflatten got an unexpected error:\nDimension specified as 0 but tensor has no dimensions");
  }
  const size = source.shape[at] ?? 1;
  const open = sizes.filter((part) => part === -1).length;
  const known = numelOf(sizes.filter((part) => part !== -1));
  if (open > 1 || (open === 0 && known !== size) || (open === 1 && (known === 0 || size % known !== 0))) {
    throw new RangeError(
      `unflatten: Provided sizes [${sizes.join(", ")}] don't multiply up to the size of dim ${at} (${size}) in the ` +
        "input tensor",
    );
  }
  return view(source, [...source.shape.slice(0, at), ...inferShape(sizes, size), ...source.shape.slice(at + 1)]);
}

/** The dimensions in another order. */
export function permute(source: View, dims: readonly number[]): View {
  if (dims.length !== source.shape.length) {
    throw new RangeError(
      "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired " +
        `ordering of dimensions i.e. input.dim() = ${source.shape.length} is not equal to len(dims) = ${dims.length}`,
    );
  }
  const wrapped = dims.map((dim) => wrapDim(dim, source.shape.length));
  if (new Set(wrapped).size !== wrapped.length) throw new RangeError("permute(): duplicate dims are not allowed.");
  return source.restrided(wrapped.map((d) => source.shape[d]), wrapped.map((d) => source.strides[d]));
}

/** Two dimensions swapped. */
export function transpose(source: View, dim0: number, dim1: number): View {
  const a = wrapDim(dim0, source.shape.length);
  const b = wrapDim(dim1, source.shape.length);
  if (source.shape.length === 0) return source;
  const shape = [...source.shape];
  const strides = [...source.strides];
  [shape[a], shape[b]] = [shape[b], shape[a]];
  [strides[a], strides[b]] = [strides[b], strides[a]];
  return source.restrided(shape, strides);
}

/** Rows and columns swapped, in up to two dimensions. */
export function t(source: View): View {
  if (source.shape.length > 2) {
    throw new RangeError(`t() expects a tensor with <= 2 dimensions, but self is ${source.shape.length}D`);
  }
  return source.shape.length < 2 ? source : transpose(source, 0, 1);
}

/** Sizes of 1 repeated by a stride of 0, up to `shape`; -1 keeps a size. */
export function expand(source: View, shape: Shape): View {
  const rank = source.shape.length;
  const added = shape.length - rank;
  if (added < 0) {
    throw new RangeError(
      `expand(torch.${typeName(source.dtype)}Tensor{[${source.shape.join(", ")}]}, size=[${shape.join(", ")}]): the ` +
        `number of sizes provided (${shape.length}) must be greater or equal to the number of dimensions in the ` +
        `tensor (${rank})`,
    );
  }
  const sizes = new Array<number>(shape.length);
  const strides = new Array<number>(shape.length);
  // From the last to the first, as PyTorch does: of several that do not fit, the last one is named.
  for (let i = shape.length - 1; i >= 0; i--) {
    const dim = i - added;
    const size = dim < 0 ? 1 : source.shape[dim];
    if (shape[i] === -1 && dim < 0) {
      throw new RangeError(
        `The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${i}`,
      );
    }
    const target = shape[i] === -1 ? size : shape[i];
    if (size !== target && (size !== 1 || !Number.isInteger(target) || target < 0)) {
      throw new RangeError(
        `The expanded size of the tensor (${target}) must match the existing size (${size}) at non-singleton ` +
          `dimension ${i}.  Target sizes: [${shape.join(", ")}].  Tensor sizes: [${source.shape.join(", ")}]`,
      );
    }
    sizes[i] = target;
    // A new dimension of size 1 steps over what follows it (`inferExpandGeometry` of ATen/ExpandUtils.cpp).
    const outer = i + 1 < shape.length ? sizes[i + 1] * strides[i + 1] : 1;
    const step = dim >= 0 ? source.strides[dim] : rank === 0 ? 0 : outer;
    strides[i] = size === 1 && target !== 1 ? 0 : step;
  }
  return source.restrided(sizes, strides);
}

/** Dimensions of size 1 taken out: all, or those named. */
export function squeeze(source: View, dims: readonly number[] | null): View {
  const named = dims === null ? null : wrapDims(dims, source.shape.length);
  const kept = source.shape.map((_, i) => i).filter((i) =>
    source.shape[i] !== 1 || (named !== null && !named.includes(i))
  );
  return source.restrided(kept.map((i) => source.shape[i]), kept.map((i) => source.strides[i]));
}

/** A dimension of size 1 put in before `dim`. */
export function unsqueeze(source: View, dim: number): View {
  const at = wrapDim(dim, source.shape.length + 1);
  const step = at < source.shape.length ? source.shape[at] * source.strides[at] : 1;
  return source.restrided(source.shape.toSpliced(at, 0, 1), source.strides.toSpliced(at, 0, step));
}

/** One position of a dimension, which goes away. */
export function select(source: View, dim: number, index: number): View {
  if (source.shape.length === 0) throw new RangeError("select() cannot be applied to a 0-dim tensor.");
  const at = wrapDim(dim, source.shape.length);
  const size = source.shape[at];
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new RangeError(
      `select(): index ${index} out of range for tensor of size [${source.shape.join(", ")}] at dimension ${at}`,
    );
  }
  const position = index < 0 ? index + size : index;
  return source.restrided(
    source.shape.toSpliced(at, 1),
    source.strides.toSpliced(at, 1),
    position * source.strides[at],
  );
}

/** `length` positions of a dimension from `start` on. */
export function narrow(source: View, dim: number, start: number, length: number): View {
  if (source.shape.length === 0) throw new RangeError("narrow() cannot be applied to a 0-dim tensor.");
  if (length < 0) throw new RangeError("narrow(): length must be non-negative.");
  const at = wrapDim(dim, source.shape.length);
  const size = source.shape[at];
  if (!Number.isInteger(start) || start < -size || start > size) {
    throw new RangeError(`start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`);
  }
  const first = start < 0 ? start + size : start;
  if (!Number.isInteger(length) || first + length > size) {
    throw new RangeError(`start (${first}) + length (${length}) exceeds dimension size (${size}).`);
  }
  return source.restrided(source.shape.with(at, length), source.strides, first * source.strides[at]);
}

/** Every `step`th position of a dimension from `start` to before `end`, clamped as Python's slices are. */
export function slice(
  source: View,
  dim: number,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
): View {
  if (source.shape.length === 0) throw new RangeError("slice() cannot be applied to a 0-dim tensor.");
  const at = wrapDim(dim, source.shape.length);
  if (!Number.isInteger(step) || step <= 0) throw new RangeError("slice step must be positive");
  for (const bound of [start, end]) {
    if (!Number.isInteger(bound) && Number.isFinite(bound) || Number.isNaN(bound)) {
      throw new RangeError(`slice() expects whole bounds, got ${bound}`);
    }
  }
  const size = source.shape[at];
  const first = clampIndex(start, size);
  const length = Math.max(Math.ceil((clampIndex(end, size) - first) / step), 0);
  const strides = source.strides.with(at, source.strides[at] * step);
  return source.restrided(source.shape.with(at, length), strides, first * source.strides[at]);
}

/** The order of some dimensions reversed. Its strides are negative: a dense copy is what users see. */
export function flip(source: View, dims: readonly number[]): View {
  const wrapped = wrapDims(dims, source.shape.length);
  if (source.shape.length === 0 || source.numel === 0) return source;
  const strides = source.strides.map((stride, i) => wrapped.includes(i) ? -stride : stride);
  const last = wrapped.reduce((offset, dim) => offset + (source.shape[dim] - 1) * source.strides[dim], 0);
  return source.restrided(source.shape, strides, last);
}

/** The whole tensor side by side with itself, `counts[i]` times along a dimension; more counts add dimensions. */
export function repeat(source: View, counts: readonly number[]): View {
  const added = counts.length - source.shape.length;
  if (added < 0) {
    throw new RangeError(
      "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
    );
  }
  const sizes = [...new Array<number>(added).fill(1), ...source.shape];
  const shape = sizes.map((size, i) => size * counts[i]);
  const wrong = counts.findIndex((count) => !Number.isInteger(count) || count < 0);
  if (wrong >= 0) {
    throw new RangeError(
      `Trying to create tensor with negative dimension ${shape[wrong]}: [${shape.join(", ")}]`,
    );
  }
  const apart = sizes.flatMap((size) => [1, size]);
  const wide = expand(
    source.restrided(apart, apartStrides(source, added)),
    sizes.flatMap((size, i) => [counts[i], size]),
  );
  return contiguous(wide).restrided(shape, contiguousStrides(shape));
}

/** The diagonals of the matrices that two dimensions make, `offset` places to the right, as a last dimension. */
export function diagonal(source: View, offset: number, [dim1, dim2]: readonly [number, number]): View {
  const [down, right] = [dim1, dim2].map((dim) => wrapDim(dim, source.shape.length));
  if (down === right) throw new RangeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
  const [rows, cols] = [source.shape[down], source.shape[right]];
  const [below, beside] = [source.strides[down], source.strides[right]];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, cols - offset) : Math.min(rows + offset, cols));
  const first = length === 0 ? 0 : offset >= 0 ? offset * beside : -offset * below;
  const kept = (_: number, dim: number) => dim !== down && dim !== right;
  return source.restrided(
    [...source.shape.filter(kept), length],
    [...source.strides.filter(kept), below + beside],
    first,
  );
}

/** The common shape of operands whose sizes are equal or 1. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = rank - 1; i >= 0; i--) {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new RangeError(
        `The size of tensor a (${left}) must match the size of tensor b (${right}) at non-singleton dimension ${i}`,
      );
    }
    shape[i] = left === 1 ? right : left;
  }
  return shape;
}

/**
 * Refuses to write into `target` what does not broadcast to its shape.
 *
 * @throws {RangeError} The sizes differ, or the target would have to grow.
 */
export function requireBroadcast(target: Shape, source: Shape): void {
  const shape = broadcastShapes(target, source);
  if (!sameShape(shape, target)) {
    throw new RangeError(
      `output with shape [${target.join(", ")}] doesn't match the broadcast shape [${shape.join(", ")}]`,
    );
  }
}

/**
 * Strides that show `source` in another shape of as many elements, or `null` where there are none: each run of
 * dimensions that is contiguous in itself is divided anew (ATen/TensorUtils.cpp, `computeStride`).
 */
function viewStrides(source: View, shape: Shape): number[] | null {
  if (source.numel === 0) {
    return source.shape.length === shape.length && source.shape.every((size, i) => size === shape[i])
      ? [...source.strides]
      : contiguousStrides(shape);
  }
  const strides = new Array<number>(shape.length);
  let target = shape.length - 1;
  let base = source.strides.at(-1) ?? 1;
  let run = 1;
  let covered = 1;
  for (let dim = source.shape.length - 1; dim >= 0; dim--) {
    run *= source.shape[dim];
    const ends = dim === 0 || (source.shape[dim - 1] !== 1 && source.strides[dim - 1] !== run * base);
    if (!ends) continue;
    while (target >= 0 && (covered < run || shape[target] === 1)) {
      strides[target] = covered * base;
      covered *= shape[target];
      target--;
    }
    if (covered !== run) return null;
    if (dim > 0) {
      base = source.strides[dim - 1];
      run = 1;
      covered = 1;
    }
  }
  for (; target >= 0; target--) strides[target] = base * covered;
  return strides;
}

/** A stride before each dimension for its repetitions, which expanding sets to 0. */
function apartStrides(source: View, added: number): number[] {
  return [...new Array<number>(2 * added).fill(0), ...source.strides.flatMap((stride) => [0, stride])];
}

function clampIndex(index: number, size: number): number {
  const position = index < 0 ? index + size : index;
  return Math.min(Math.max(position, 0), size);
}

function invalidShape(shape: Shape, numel: number): RangeError {
  return new RangeError(`shape '[${shape.join(", ")}]' is invalid for input of size ${numel}`);
}
