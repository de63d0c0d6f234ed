/**
 * Views whose elements lie far apart in their storage, a few columns of a wide matrix or a part of a transposed one:
 * which bytes to read for them, and where those go.
 *
 * @module
 */

import type { ByteSource } from "../bytes/source.ts";
import { contiguousStrides, numelOf } from "../shape.ts";
import { gather, spanOf, type StridedView } from "./gather.ts";

/** The longest that is read at once: large enough that the number of reads does not matter, and small beside a tensor. */
const WINDOW_BYTES = 8 << 20;

/** Reading this much too much takes about as long as a read of its own does: from a disk, and from elsewhere. */
const SYNC_GAP_BYTES = 4 << 10;
const GAP_BYTES = 128 << 10;

/** A range of the storage, and the elements in it that belong to the view. */
export interface Window extends StridedView {
  /** The first element of the range, counted from that of the view. */
  readonly first: number;
  /** Where its elements go: their place in {@linkcode Scattered.shape}, row-major. */
  readonly to: number;
}

/** A view brought together: its elements in the order of the storage, and how the view lies in them. */
export interface Scattered {
  /** How many elements there are in all. */
  readonly elements: number;
  /** The steps of the view in them, one per size. */
  readonly strides: readonly number[];
  /** What to read, in the order of the storage. */
  readonly windows: Iterable<Window>;
}

/** Whether reading everything from its first element to its last would read mostly what does not belong to it. */
export function isScattered(view: StridedView): boolean {
  return spanOf(view) > 2 * numelOf(view.shape);
}

/** Plans to read a view from `source` without what lies between its elements, where that is long. */
export function scattered(
  { shape, strides }: StridedView,
  { itemBytes, source }: { readonly itemBytes: number; readonly source: ByteSource },
): Scattered {
  const gapBytes = source.readSync === undefined ? GAP_BYTES : SYNC_GAP_BYTES;
  // Repeated elements are read once.
  const dims = shape.map((_, d) => d).filter((d) => strides[d] > 0).sort((a, b) => strides[b] - strides[a]);
  const ordered = { shape: dims.map((d) => shape[d]), strides: dims.map((d) => strides[d]) };
  const dense = contiguousStrides(ordered.shape);
  return {
    elements: numelOf(ordered.shape),
    strides: shape.map((_, d) => dense[dims.indexOf(d)] ?? 0),
    windows: windowsOf(ordered, { first: 0, to: 0 }, { window: WINDOW_BYTES / itemBytes, gap: gapBytes / itemBytes }),
  };
}

/** The windows of a view whose strides descend. Its outermost steps are taken several at a time, or one by one. */
function* windowsOf(
  { shape, strides }: StridedView,
  { first, to }: { readonly first: number; readonly to: number },
  most: { readonly window: number; readonly gap: number },
): Generator<Window> {
  if (shape.length === 0) return yield { shape, strides, first, to };
  const rest = { shape: shape.slice(1), strides: strides.slice(1) };
  const span = spanOf(rest);
  const elements = numelOf(rest.shape);
  const isApart = strides[0] - span > most.gap;
  const together = isApart ? 1 : Math.max(1, Math.floor((most.window - span) / strides[0]) + 1);
  for (let i = 0; i < shape[0]; i += together) {
    const at = { first: first + i * strides[0], to: to + i * elements };
    const count = Math.min(together, shape[0] - i);
    if (count > 1) yield { shape: [count, ...rest.shape], strides, ...at };
    else if (span === elements && span <= most.window) yield { ...rest, ...at };
    else yield* windowsOf(rest, at, most);
  }
}

/** One read, and where its bytes go. */
export interface Read {
  readonly into: Uint8Array;
  /** The first byte in the storage. */
  readonly offset: number;
}

/** The reads that bring a view together in `target`: what one of them brought is in its place when the next is asked for. */
export function* scatteredReads(
  { windows }: Scattered,
  target: Uint8Array,
  { first, itemBytes }: { readonly first: number; readonly itemBytes: number },
): Generator<Read> {
  let staging = new Uint8Array(0);
  for (const window of windows) {
    const offset = first + window.first * itemBytes;
    const start = window.to * itemBytes;
    const place = target.subarray(start, start + numelOf(window.shape) * itemBytes);
    const length = spanOf(window) * itemBytes;
    if (length === place.length) {
      yield { into: place, offset };
      continue;
    }
    if (staging.length < length) staging = new Uint8Array(length);
    const into = staging.subarray(0, length);
    yield { into, offset };
    gather(into, place, { ...window, itemBytes });
  }
}
