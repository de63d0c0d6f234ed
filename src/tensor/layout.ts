/**
 * In which order of dimensions an operation writes its result: that of its operands' memory, as PyTorch preserves it.
 *
 * Source: `reorder_dimensions` of ATen/TensorIterator.cpp.
 *
 * @module
 */

import type { DType } from "../dtype.ts";
import { contiguousStrides } from "../shape.ts";
import { broadcastShapes, permute } from "./shaping.ts";
import { contiguous, memoryOrder, uninitialised, uninitialisedLike } from "./view.ts";
import type { View } from "./view.ts";

/** Operands of one rank with the dimensions in the order of memory, and the way back for what is made of them. */
export interface Arrangement {
  /** The operands; sizes of 1 are not yet expanded. */
  readonly views: readonly View[];
  /** A result of that order in the order of the operands. */
  restore(result: View): View;
}

/** The operands so that a row-major result is laid out as PyTorch's; `null` where they are as they stand. */
export function arrange(views: readonly View[]): Arrangement | null {
  if (views.every((view) => view.isContiguous)) return null;
  const shape = views.map((view) => view.shape).reduce(broadcastShapes);
  const wide = views.map((view) => widened(view, shape.length));
  const order = dimensionOrder(shape, wide);
  if (order.every((dim, i) => dim === i)) return null;
  return { views: wide.map((view) => permute(view, order)), restore: (result) => permute(result, inverse(order)) };
}

/**
 * A result laid out as PyTorch's: in the order of the steps of `guides`, which have its shape. It is copied where it is
 * not so yet.
 */
export function laidOut(result: View, guides: readonly View[]): View {
  const order = dimensionOrder(result.shape, guides);
  const dense = contiguous(permute(result, order));
  return permute(dense.restrided(dense.shape, contiguousStrides(dense.shape)), inverse(order));
}

/** The elements in the order in which PyTorch goes through them: that of memory, gaps or not. */
export function inMemoryOrder(view: View): View {
  return arrange([view])?.views[0] ?? view;
}

/** New memory for as many elements, in the order of a view's memory, gaps or not: what PyTorch's `empty_like` gives. */
export function emptyLike(view: View, dtype: DType = view.dtype): View {
  const arranged = memoryOrder(view) === null ? arrange([view]) : null;
  if (arranged === null) return uninitialisedLike(view, dtype);
  return arranged.restore(uninitialised(dtype, arranged.views[0].shape));
}

function inverse(order: readonly number[]): number[] {
  return order.map((_, i) => order.indexOf(i));
}

/** The same elements with sizes of 1 in front. */
function widened(view: View, rank: number): View {
  const added = new Array<number>(rank - view.shape.length);
  return view.restrided([...added.fill(1), ...view.shape], [...added.fill(0), ...view.strides]);
}

/** The dimensions by falling steps, outermost first; a broadcast operand says nothing about its dimension. */
function dimensionOrder(shape: readonly number[], views: readonly View[]): number[] {
  const inner = shape.map((_, i) => shape.length - 1 - i);
  for (let i = 1; i < inner.length; i++) {
    let moving = i;
    for (let at = i - 1; at >= 0; at--) {
      const comparison = compareDimensions(shape, views, [inner[at], inner[moving]]);
      if (comparison < 0) break;
      if (comparison === 0) continue;
      [inner[at], inner[moving]] = [inner[moving], inner[at]];
      moving = at;
    }
  }
  return inner.reverse();
}

function compareDimensions(shape: readonly number[], views: readonly View[], dims: readonly [number, number]): number {
  for (const view of views) {
    const [a, b] = dims.map((dim) => view.shape[dim] === 1 && shape[dim] !== 1 ? 0 : view.strides[dim]);
    if (a === 0 || b === 0) continue;
    if (a !== b) return a - b;
    if (shape[dims[0]] > shape[dims[1]]) return 1;
  }
  return 0;
}
