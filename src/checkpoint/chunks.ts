/**
 * A tensor that is stored in chunks: boxes that lie side by side in it. Their bytes as if they lay together.
 *
 * @module
 */

import { HEADERS_AT_ONCE, inGroups } from "../bytes/groups.ts";
import type { ByteSource } from "../bytes/source.ts";
import { contiguousStrides, isContiguous, numelOf, type Shape } from "../shape.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { StoredTensor } from "./stored_tensor.ts";

/**
 * Dimensions along which a tensor may be cut. Device meshes have up to 5 or so; a box has two to the power of this many
 * corners, each of which is looked at.
 */
const MAX_CUT_DIMENSIONS = 8;

/** A box in a tensor. */
export interface Box {
  /** The first element of it in each dimension. */
  readonly offsets: readonly number[];
  /** Its sizes. */
  readonly sizes: Shape;
}

/** A box whose elements can be had. */
export interface Chunk extends Box {
  /** The tensor that holds its elements: of the box's sizes, and of the dtype of the whole. */
  readonly open: () => Promise<StoredTensor>;
}

/**
 * Why boxes are not a tensor's parts: together they must have every element of it, and each of them once. `null` where
 * they do.
 *
 * Counting elements would miss an overlap that makes up for a gap. Instead: a box is known by its corners, each with a
 * sign that changes from one to the next along an edge. Boxes cover a tensor exactly once if and only if their signed
 * corners add up to those of the tensor, because the step function that counts how often an element is covered has no
 * other jumps.
 */
export function tilingFault(shape: Shape, boxes: readonly Box[]): string | null {
  for (const { offsets, sizes } of boxes) {
    const fits = offsets.length === shape.length && sizes.length === shape.length &&
      shape.every((size, d) => offsets[d] + sizes[d] <= size);
    if (!fits) return `the chunk ${formatBox({ offsets, sizes })} is not inside of [${shape.join(", ")}]`;
  }
  const parts = boxes.filter(({ sizes }) => numelOf(sizes) > 0);
  const found = parts.reduce((sum, { sizes }) => sum + numelOf(sizes), 0);
  const count = `its ${parts.length} chunks have ${found} elements, [${shape.join(", ")}] has ${numelOf(shape)}`;
  if (found !== numelOf(shape)) return `${count}: they ${found < numelOf(shape) ? "leave a gap" : "overlap"}`;
  if (found === 0) return null;
  const cut = [...shape.keys()].filter((d) => parts.some(({ sizes }) => sizes[d] !== shape[d]));
  if (cut.length > MAX_CUT_DIMENSIONS) return `it is cut along more than ${MAX_CUT_DIMENSIONS} dimensions`;
  const corners = new Map<string, number>();
  for (const part of parts) addCorners(corners, part, { cut, sign: 1 });
  addCorners(corners, { offsets: shape.map(() => 0), sizes: shape }, { cut, sign: -1 });
  return corners.size === 0 ? null : `${count}, but they overlap, and leave a gap`;
}

/** `[2, 0] of [2, 4]`: where a box begins, and its sizes. */
export function formatBox({ offsets, sizes }: Box): string {
  return `[${offsets.join(", ")}] of [${sizes.join(", ")}]`;
}

/** Corners that cancel out are forgotten at once. */
function addCorners(
  corners: Map<string, number>,
  { offsets, sizes }: Box,
  { cut, sign }: { readonly cut: readonly number[]; readonly sign: number },
): void {
  for (let corner = 0; corner < 2 ** cut.length; corner++) {
    let signed = sign;
    const at = cut.map((d, i) => {
      if ((corner >> i & 1) === 0) return offsets[d];
      signed = -signed;
      return offsets[d] + sizes[d];
    });
    const key = at.join();
    const sum = (corners.get(key) ?? 0) + signed;
    if (sum === 0) corners.delete(key);
    else corners.set(key, sum);
  }
}

/**
 * The bytes of a tensor of `shape` in row-major order, out of chunks that cover it exactly once. A read asks each chunk
 * for the elements that it has of the range, and for no others, where the chunk's own elements lie together.
 */
export class ChunkedSource implements ByteSource {
  /** Bytes of the whole tensor. */
  readonly size: number;
  readonly #itemBytes: number;
  readonly #pieces: readonly Piece[];

  /** Reads nothing yet. */
  constructor(chunks: readonly Chunk[], { shape, itemBytes }: { readonly shape: Shape; readonly itemBytes: number }) {
    this.size = numelOf(shape) * itemBytes;
    this.#itemBytes = itemBytes;
    this.#pieces = chunks.filter(({ sizes }) => numelOf(sizes) > 0).map((chunk) => new Piece(chunk, shape));
  }

  /**
   * Looks into every chunk.
   *
   * @throws {CheckpointError} One of them is not what it should be, or its bytes are not there.
   */
  async prepare(): Promise<void> {
    await inGroups(this.#pieces, { size: HEADERS_AT_ONCE, work: (piece) => piece.prepare() });
  }

  /** Reads `length` bytes at `offset`. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const item = this.#itemBytes;
    const first = Math.floor(offset / item);
    const end = Math.ceil(Math.min(offset + length, this.size) / item);
    const bytes = new Uint8Array(Math.max(0, end - first) * item);
    for (const piece of this.#pieces) await piece.copy(bytes, { first, end, item });
    return bytes.subarray(offset - first * item, offset - first * item + length);
  }
}

/** A range of elements, and how many bytes one has. */
interface ElementRange {
  readonly first: number;
  readonly end: number;
  readonly item: number;
}

/** One chunk as the runs of elements that lie together both in it and in the tensor. */
class Piece {
  readonly #chunk: Chunk;
  readonly #run: number;
  readonly #runs: number;
  /** The dimensions that count runs, and the tensor's strides in them. */
  readonly #outer: readonly { readonly size: number; readonly stride: number }[];
  readonly #start: number;
  #gathered: Promise<Uint8Array<ArrayBuffer>> | null = null;

  constructor(chunk: Chunk, shape: Shape) {
    const { offsets, sizes } = chunk;
    const strides = contiguousStrides(shape);
    // The innermost dimension that the chunk has only a part of: from there on inwards its elements lie together.
    const cut = Math.max(0, sizes.findLastIndex((size, d) => size !== shape[d]));
    this.#chunk = chunk;
    this.#run = numelOf(sizes.slice(cut));
    this.#outer = sizes.slice(0, cut).map((size, d) => ({ size, stride: strides[d] }));
    this.#runs = numelOf(sizes.slice(0, cut));
    this.#start = offsets.reduce((sum, at, d) => sum + at * strides[d], 0);
  }

  /** Looks into the chunk. */
  async prepare(): Promise<void> {
    (await this.#chunk.open()).check();
  }

  /** Copies what the chunk has of a range into `target`, which begins with the range's first element. */
  async copy(target: Uint8Array, { first, end, item }: ElementRange): Promise<void> {
    // Runs are in the order of the tensor's elements, so those that touch the range follow each other.
    const from = this.#firstRun((start) => start + this.#run > first);
    const to = this.#firstRun((start) => start >= end);
    if (from >= to) return;
    const begin = from * this.#run + Math.max(0, first - this.#startOf(from));
    const stop = (to - 1) * this.#run + Math.min(this.#run, end - this.#startOf(to - 1));
    const bytes = await this.#elements({ first: begin, end: stop, item });
    for (let run = from, at = begin; run < to; run++) {
      const count = Math.min((run + 1) * this.#run, stop) - at;
      const place = this.#startOf(run) + (at - run * this.#run) - first;
      target.set(bytes.subarray((at - begin) * item, (at - begin + count) * item), place * item);
      at += count;
    }
  }

  /** A range of the chunk's elements, counted in row-major order. */
  async #elements({ first, end, item }: ElementRange): Promise<Uint8Array> {
    const tensor = await this.#chunk.open();
    const { description, name } = tensor;
    const { shape, strides, storage, storageOffset } = description;
    const elements = numelOf(shape);
    if (first === 0 && end === elements) return await tensor.read();
    if (isContiguous(shape, strides) && storage.inflate === undefined) {
      const range = { ...description, shape: [end - first], strides: [1], storageOffset: storageOffset + first };
      // The limits were those of the whole chunk; a part is below every one of them.
      const part = new StoredTensor(range, { format: "torch-distributed", limits: DEFAULT_LIMITS });
      part.name = name;
      return await part.read();
    }
    return (await this.#gather(tensor, { isLast: end === elements })).subarray(first * item, end * item);
  }

  /** What has to be gathered or inflated is read as a whole, and kept until its end was asked for. */
  async #gather(tensor: StoredTensor, { isLast }: { readonly isLast: boolean }): Promise<Uint8Array> {
    const gathered = this.#gathered ?? tensor.read();
    this.#gathered = gathered;
    let done = true;
    try {
      const bytes = await gathered;
      done = isLast;
      return bytes;
    } finally {
      if (done && this.#gathered === gathered) this.#gathered = null;
    }
  }

  /** The first run whose start satisfies what later ones satisfy too; the number of runs if none does. */
  #firstRun(holds: (start: number) => boolean): number {
    let low = 0;
    let high = this.#runs;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (holds(this.#startOf(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The place of a run's first element in the tensor. */
  #startOf(run: number): number {
    let start = this.#start;
    for (let d = this.#outer.length - 1, rest = run; d >= 0; d--) {
      const { size, stride } = this.#outer[d];
      start += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return start;
  }
}
