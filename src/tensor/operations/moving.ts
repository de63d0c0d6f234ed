/**
 * Moves: values that nobody else looks at become another tensor's, without a copy where they can be handed over.
 *
 * @module
 */

import { DTYPES, itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { cast, lostCount } from "../../core/kernels.ts";
import { adoptBytes, memory, readBytes, Storage, writeBytes } from "../../core/memory.ts";
import type { Fill } from "../../core/memory.ts";
import type { View } from "../view.ts";
import { copyInto } from "./copying.ts";

/** Bytes that are cast at once: with what they become, they stay in a core's own cache. */
const STEP_BYTES = 256 * 1024;

/**
 * Writes `source` into `target` as `copyInto` does, for a source that is not used afterwards. Bytes on the JavaScript
 * side that are the whole value become the target's own; values of another dtype are cast into their place.
 *
 * @throws {RangeError} Shapes do not broadcast, or elements of the target share a place.
 */
export function moveInto(target: View, source: View): void {
  const isWhole = target.isWhole && source.isWhole && target.numel === source.numel && target.numel > 0;
  if (target.storage === source.storage) return copyInto(target, source);
  if (!isWhole) {
    copyInto(target, source);
    return memory().release(source.storage);
  }
  if (target.dtype !== source.dtype) {
    target.storage.fill = null; // all of it is written now
    cast(target, source, source.numel);
    return memory().release(source.storage);
  }
  const bytes = ownBytes(source);
  if (bytes === null) return copyInto(target, source);
  source.storage.chunk = null;
  adoptBytes(target.storage, bytes);
}

/** Whether real numbers of one dtype become those of another. */
export function isCast({ dtype: to }: Pick<View, "dtype">, { dtype: from }: Pick<View, "dtype">): boolean {
  return from !== to && [from, to].every((dtype) => DTYPES[dtype].kind !== "complex");
}

/**
 * Casts a value that is not used afterwards, whole and not in wasm, into all of a tensor.
 *
 * @returns How many finite values are infinite or NaN now, where `counts` says that they be counted; `null` where it is
 * no such value, and nothing was done.
 */
export function castInto(target: View, source: View, { counts }: { readonly counts: boolean }): number | null {
  const bytes = ownBytes(source);
  const isWhole = target.isWhole && source.isWhole && target.numel === source.numel;
  if (bytes === null || !isWhole || !isCast(target, source)) return null;
  return castInSteps(target, { dtype: source.dtype, bytes }, { counts });
}

/** A cast into a tensor part by part. Where it ends early, the tensor is as it was. */
export class CastInParts {
  readonly #target: View;
  /** What the tensor had: what would write its values, or those. */
  readonly #fill: Fill | null;
  readonly #bytes: Uint8Array | null;
  readonly #counts: boolean;
  /** How many finite values are infinite or NaN, where `counts` says that they be counted. */
  overflowed = 0;

  /** Nothing is written yet. The target is all of its storage. */
  constructor(target: View, { counts }: { readonly counts: boolean }) {
    this.#target = target;
    const { chunk, fill, byteLength } = target.storage;
    this.#fill = fill;
    // Nearly never: it was used since the load began.
    this.#bytes = chunk === null ? null : readBytes(target.storage, 0, byteLength);
    this.#counts = counts;
  }

  /** Writes neighbouring elements from one on. In the end each has to have been written. */
  write(source: View, from: number): void {
    const part = this.#target.restrided(source.shape, source.strides, from);
    const { storage, byteOffset, dtype, numel } = source;
    const bytes = ownBytes(source) ?? readBytes(storage, byteOffset, numel * itemSize(dtype));
    this.overflowed += castInSteps(part, { dtype, bytes }, { counts: this.#counts });
  }

  /** Takes back what was written. */
  undo(): void {
    const { storage } = this.#target;
    if (this.#bytes !== null) return adoptBytes(storage, this.#bytes);
    memory().release(storage);
    storage.fill = this.#fill;
  }
}

/**
 * Casts values on the JavaScript side into a dense tensor, through a block of wasm memory that is as large as a step,
 * however many they are. All of the tensor's storage is written, now or by later calls. Returns how many were lost.
 */
function castInSteps(
  target: View,
  { dtype, bytes }: { readonly dtype: DType; readonly bytes: Uint8Array },
  { counts }: { readonly counts: boolean },
): number {
  const step = new Storage(Math.min(STEP_BYTES, bytes.length));
  const before = { storage: step, dtype, byteOffset: 0 };
  let { byteOffset } = target;
  let lost = 0;
  target.storage.fill = null;
  for (let start = 0; start < bytes.length; start += STEP_BYTES) {
    const part = bytes.subarray(start, start + STEP_BYTES);
    const count = part.length / itemSize(dtype);
    const after = { storage: target.storage, dtype: target.dtype, byteOffset };
    writeBytes(step, 0, part);
    cast(after, before, count);
    if (counts) lost += lostCount([before, after], count, "finite");
    byteOffset += count * itemSize(target.dtype);
  }
  memory().release(step);
  return lost;
}

/** The bytes of a whole view, where they are in JavaScript and only its own. */
function ownBytes({ storage }: View): Uint8Array | null {
  const { chunk, fill } = storage;
  if (fill !== null || chunk === null || chunk.bytes === null || chunk.address !== 0) return null;
  return chunk.bytes.byteLength === storage.byteLength ? chunk.bytes : null;
}
