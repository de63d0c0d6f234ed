/**
 * Bringing the elements of a strided view together, and their bytes into the order of this machine. Only bytes are
 * moved here; nothing is computed with them.
 *
 * @module
 */

import type { Shape } from "../shape.ts";

/** From this many words on, one call of `set` beats a loop. */
const LONG_RUN = 16;

/** A view of a storage, counted in elements. */
export interface StridedView {
  /** The sizes, outermost first. */
  readonly shape: Shape;
  /** The steps, one per size; 0 repeats an element. */
  readonly strides: readonly number[];
}

/** How many elements of the storage lie from the first element of a view to its last, both included. */
export function spanOf({ shape, strides }: StridedView): number {
  let last = 0;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 0) return 0;
    last += (shape[i] - 1) * strides[i];
  }
  return last + 1;
}

/**
 * Copies a view's elements in row-major order: `span` begins at its first element, `target` receives all of them.
 * Both begin in memory where an element of `itemBytes` (1, 2, 4, 8 or 16) may begin.
 */
export function gather(span: Uint8Array, target: Uint8Array, view: StridedView & { readonly itemBytes: number }): void {
  const { dims, steps, runItems } = collapse(view);
  const unit = Math.min(view.itemBytes, 4);
  const perItem = view.itemBytes / unit;
  const source = words(span, unit);
  const sink = words(target, unit);
  copyRuns(source, sink, { dims, steps: steps.map((step) => step * perItem), run: runItems * perItem });
}

/** Reverses the bytes of every group of `width`. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  for (let start = 0; width > 1 && start + width <= bytes.length; start += width) {
    for (let low = start, high = start + width - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}

/**
 * Flips the sign bit of the little-endian numbers at `first`, `first + every`, …: their negation, whatever they are.
 */
export function flipSigns(
  bytes: Uint8Array,
  { first, every, width }: { readonly first: number; readonly every: number; readonly width: number },
): void {
  for (let at = first + width - 1; at < bytes.length; at += every) bytes[at] ^= 0x80;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

interface Runs {
  /** How often each step is taken, outermost first. */
  readonly dims: readonly number[];
  /** Words from one run to the next, per dimension. */
  readonly steps: readonly number[];
  /** Words that lie together. */
  readonly run: number;
}

function copyRuns(source: Words, sink: Words, { dims, steps, run }: Runs): void {
  const inner = dims.length - 1;
  const rowLength = dims.at(-1) ?? 1;
  const rowStep = steps.at(-1) ?? 0;
  const index = new Array<number>(dims.length).fill(0);
  let from = 0;
  for (let to = 0; to < sink.length;) {
    for (let i = 0, at = from; i < rowLength; i++, at += rowStep, to += run) {
      if (run >= LONG_RUN) sink.set(source.subarray(at, at + run), to);
      else for (let k = 0; k < run; k++) sink[to + k] = source[at + k];
    }
    for (let d = inner - 1; d >= 0; d--) {
      from += steps[d];
      if (++index[d] < dims[d]) break;
      from -= steps[d] * dims[d];
      index[d] = 0;
    }
  }
}

function words(bytes: Uint8Array, unit: number): Words {
  const { buffer, byteOffset, byteLength } = bytes;
  if (unit === 1) return bytes;
  return unit === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** Merges dimensions that are dense among each other, so that the innermost runs are as long as they can be. */
function collapse({ shape, strides }: StridedView): { dims: number[]; steps: number[]; runItems: number } {
  const dims: number[] = [];
  const steps: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 1) continue;
    const outer = dims.length - 1;
    if (outer >= 0 && steps[outer] === strides[i] * shape[i]) {
      dims[outer] *= shape[i];
      steps[outer] = strides[i];
    } else {
      dims.push(shape[i]);
      steps.push(strides[i]);
    }
  }
  if (steps.at(-1) !== 1) return { dims, steps, runItems: 1 };
  steps.pop();
  return { dims, steps, runItems: dims.pop() ?? 1 };
}
