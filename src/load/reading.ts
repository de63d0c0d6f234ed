/**
 * Reading many tensors: each place of a file once, in the order of the file, neighbours together, and a few reads ahead
 * of what is being placed.
 *
 * @module
 */

import { allocate } from "../bytes/allocation.ts";
import { type ByteSource, readInto } from "../bytes/source.ts";
import { itemSize } from "../dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bytesToRead, isCompressed, isStored, needsPreparing, placeOf, readTensor, tensorOf } from "./values.ts";
import type { TensorLike } from "./values.ts";

/** Tensors up to this size are read together with their neighbours; for larger ones a read of their own costs nothing. */
const SMALL_BYTES = 1 << 20;

/** What neighbours have together at most: they stay in memory together, until the last of them is given up. */
const TOGETHER_BYTES = 4 << 20;

/** What lies between neighbours and is read along: in a zip a header, or less. */
const GAP_BYTES = 1 << 10;

/** Reads under way at a time: memory that is new takes as long to get as to fill, on more than one thread. */
const READS_AHEAD = 6;

/** What they may have together, but for one that has more by itself. */
const AHEAD_BYTES = 64 << 20;

/** What is read at once of a tensor that may come in parts: many of them are to be under way. */
const PART_BYTES = 8 << 20;

/** How long reading without waiting may keep everything else from running, in milliseconds. */
const BREATH_EVERY = 50;

/** A value that was read. */
export interface Reading {
  /** Which of the values it is. */
  readonly index: number;
  /**
   * The tensor, with the strides of the file; the same object for every value that is the same elements of the file.
   */
  readonly tensor: Tensor;
  /** Whether nobody else has it: it was read here, and for no other value. */
  readonly owned: boolean;
  /** Bytes that were read for it. */
  readonly bytes: number;
  /** Where in the value it begins, and whether it is the end: a part of it, in one dimension; `null` for the whole. */
  readonly part: Part | null;
}

/** Which elements of a value a part has. */
export interface Part {
  /** The first of them. */
  readonly from: number;
  /** Whether there are none behind it. */
  readonly isLast: boolean;
}

/** How to read. */
export interface ReaderOptions {
  /** Stops reading. */
  readonly signal?: AbortSignal;
  /** Which of the values may come in parts: large ones do then, in their order, where the file has them as they are. */
  readonly inParts?: (index: number) => boolean;
}

/** A place that is wanted, and which of the values are there. */
interface Wanted {
  readonly value: TensorLike;
  readonly indices: number[];
}

/** The same, once it is known where it is in its file; 0 where it is in none. */
interface Placed extends Wanted {
  readonly offset: number;
}

/** What is read at once. */
interface Group {
  readonly wanted: Placed[];
  /** Bytes that are wanted of it. */
  bytes: number;
  /** The range of a file that has them as they are to be; `null` where a single value is read in its own way. */
  readonly range: Range | null;
  /** Which part of the one value it is; `null` where it is whole. */
  readonly part: Part | null;
}

interface Range {
  readonly source: ByteSource;
  readonly offset: number;
  length: number;
}

/** Reads values in the order of their files. */
export class Reader {
  readonly #groups: readonly Group[];
  readonly #signal: AbortSignal | undefined;
  /** What was read to see whether it is good. */
  readonly #kept = new Map<Placed, Tensor>();
  readonly #running: Promise<readonly Tensor[]>[] = [];
  #position = 0;
  #breath = performance.now();

  /** Reads nothing yet. */
  constructor(values: readonly TensorLike[], { signal, inParts = () => false }: ReaderOptions = {}) {
    this.#signal = signal;
    const places = new Map<unknown, Wanted>();
    for (const [index, value] of values.entries()) {
      const place = placeOf(value);
      const wanted = places.get(place);
      if (wanted === undefined) places.set(place, { value, indices: [index] });
      else wanted.indices.push(index);
    }
    this.#groups = groupsOf([...places.values()]).flatMap((group) => divided(group, inParts));
  }

  /** The bytes that are read in all. */
  get bytes(): number {
    return this.#groups.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The most bytes that are read and not yet placed at one time. */
  get peakBytes(): number {
    const compressed = this.#groups.filter(({ wanted }) => isCompressed(wanted[0].value));
    const kept = compressed.reduce((sum, { bytes }) => sum + bytes, 0);
    return kept + this.#groups.reduce((most, _, position) => Math.max(most, this.#aheadOf(position).bytes), 0);
  }

  /** The first of the values that are next; `null` where there are none. */
  get nextIndex(): number | null {
    return this.#groups[this.#position]?.wanted[0].indices[0] ?? null;
  }

  /**
   * Finds what is damaged before anything else is done. What only reading tells (it is compressed) is read and kept.
   *
   * @throws {unknown} What reading would throw, or the signal's reason.
   */
  async prepare(): Promise<void> {
    for (const { wanted } of this.#groups) {
      for (const one of wanted) {
        const { value } = one;
        if (!needsPreparing(value)) continue;
        this.#signal?.throwIfAborted();
        if (isCompressed(value)) this.#kept.set(one, await this.#untilAborted(readTensor(value)));
        else await this.#untilAborted(value.prepare());
      }
    }
  }

  /**
   * The next values, `null` after the last. While the caller places them, those after them are being read.
   *
   * @throws {unknown} What the medium throws, or the signal's reason.
   */
  async next(): Promise<readonly Reading[] | null> {
    this.#signal?.throwIfAborted();
    if (this.#position === this.#groups.length) return null;
    this.#readAhead();
    const running = this.#running.shift();
    const tensors = running === undefined ? [] : await this.#untilAborted(running);
    const group = this.#groups[this.#position++];
    const { wanted, part } = group;
    this.#readAhead();
    await this.#breathe();
    return wanted.flatMap(({ value, indices }, i) => {
      const tensor = tensors[i];
      const owned = tensor !== value && indices.length === 1;
      const bytes = part === null ? bytesToRead(value) : group.bytes;
      return indices.map((index, use) => ({ index, tensor, owned, bytes: use === 0 ? bytes : 0, part }));
    });
  }

  /** Starts as many of the next reads as may run. */
  #readAhead(): void {
    const { count } = this.#aheadOf(this.#position);
    for (let ahead = this.#running.length; ahead < count; ahead++) {
      const reading = this.#read(this.#groups[this.#position + ahead]);
      reading.catch(() => {}); // it is thrown when its turn comes, or nobody waits for it any more
      this.#running.push(reading);
    }
  }

  /** How many reads may run from a position on, and how much they bring. */
  #aheadOf(position: number): { readonly count: number; readonly bytes: number } {
    let bytes = 0;
    for (let count = 0;; count++) {
      const group = this.#groups[position + count];
      const isAllowed = count === 0 || (count < READS_AHEAD && bytes + (group?.bytes ?? 0) <= AHEAD_BYTES);
      if (group === undefined || !isAllowed) return { count, bytes };
      if (!isCompressed(group.wanted[0].value)) bytes += group.bytes;
    }
  }

  async #read({ wanted, range, part }: Group): Promise<readonly Tensor[]> {
    if (range === null) {
      const kept = this.#kept.get(wanted[0]);
      this.#kept.delete(wanted[0]);
      return [kept ?? await readTensor(wanted[0].value)];
    }
    const { source, offset, length } = range;
    const what = titleOf(wanted);
    const block = allocate(length, what);
    await readInto(source, block, { offset, what });
    if (part !== null) {
      const { dtype } = wanted[0].value;
      return [tensorOf({ dtype, shape: [length / itemSize(dtype)] }, block)];
    }
    return wanted.map(({ value, offset: start }) => {
      const bytes = block.subarray(start - offset, start - offset + bytesToRead(value));
      return isStored(value) && value.turned !== null ? tensorOf(value, bytes, value.strides) : tensorOf(value, bytes);
    });
  }

  /** Lets timers, and with them abort signals, have their turn. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath < BREATH_EVERY) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#breath = performance.now();
  }

  /** A medium that never answers does not hold up an abort. */
  #untilAborted<T>(work: Promise<T>): Promise<T> {
    const signal = this.#signal;
    if (signal === undefined) return work;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }
}

/** The places in the order of their files, neighbours together; then what has no place in a file. */
function groupsOf(places: readonly Wanted[]): Group[] {
  const ranks = new Map<ByteSource, number>();
  const found = places.map(({ value, indices }) => {
    const range = rangeOf(value);
    const span = range ?? (isStored(value) ? value.span : null);
    if (span === null) return { wanted: { value, indices, offset: 0 }, range, rank: Infinity };
    const rank = ranks.get(span.source) ?? ranks.size;
    ranks.set(span.source, rank);
    return { wanted: { value, indices, offset: span.offset }, range, rank };
  });
  found.sort((a, b) => a.rank === b.rank ? a.wanted.offset - b.wanted.offset : a.rank - b.rank);
  const groups: Group[] = [];
  for (const { wanted, range } of found) {
    const bytes = bytesToRead(wanted.value);
    const last = groups.at(-1);
    if (last?.range && range !== null && joins(last, range, itemSize(wanted.value.dtype))) {
      last.wanted.push(wanted);
      last.bytes += bytes;
      last.range.length = Math.max(last.range.length, range.offset + range.length - last.range.offset);
    } else {
      groups.push({ wanted: [wanted], bytes, range, part: null });
    }
  }
  return groups;
}

/** The parts of a group that is one large value, in the file in its order, which may come so; else the group. */
function divided(group: Group, may: (index: number) => boolean): Group[] {
  const { wanted, range } = group;
  const [{ value, indices }] = wanted;
  const isOne = wanted.length === 1 && indices.length === 1 && isStored(value) && value.location !== null;
  if (!isOne || range === null || range.length <= PART_BYTES || !may(indices[0])) return [group];
  const { source, offset, length } = range;
  return Array.from({ length: Math.ceil(length / PART_BYTES) }, (_, i) => {
    const start = i * PART_BYTES;
    const bytes = Math.min(PART_BYTES, length - start);
    const part = { from: start / itemSize(value.dtype), isLast: start + bytes === length };
    return { wanted, bytes, range: { source, offset: offset + start, length: bytes }, part };
  });
}

/** Where the bytes of a value lie as they are to be, in any order of its elements, if there are any. */
function rangeOf(value: TensorLike): Range | null {
  const location = isStored(value) ? value.location ?? value.turned : null;
  if (location === null || location.byteLength === 0) return null;
  const { source, offset, byteLength: length } = location;
  return { source, offset, length };
}

/** Whether a range is read with those before it. An element that begins at a multiple of its size goes on doing so. */
function joins({ wanted, range }: Group, next: Range, itemBytes: number): boolean {
  if (range === null || range.source !== next.source) return false;
  const isSmall = Math.max(bytesToRead(wanted[0].value), next.length) <= SMALL_BYTES;
  const isNear = next.offset <= range.offset + range.length + GAP_BYTES;
  const length = next.offset + next.length - range.offset;
  return isSmall && isNear && length <= TOGETHER_BYTES && (next.offset - range.offset) % itemBytes === 0;
}

function titleOf(wanted: readonly Wanted[]): string {
  const [first, last] = [wanted[0], wanted[wanted.length - 1]].map(({ value }) => isStored(value) ? value.title : "");
  return wanted.length === 1 ? first : `${wanted.length} tensors, from ${first} to ${last}`;
}
