/**
 * Casting a tensor that goes by in pieces, and counting what the cast did to its values.
 *
 * @module
 */

import { free } from "../bytes/free.ts";
import { memory } from "../core/memory.ts";
import { itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { isLossy } from "../plan/cast.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";

/** Bytes that are cast at once: what a step leaves behind is small, and gone before it adds up. */
const STEP_BYTES = 1 << 20;

/** Where PyTorch's cast saturates instead: the first magnitude that would round to more than the largest value. */
const SATURATES_ABOVE: Readonly<Partial<Record<DType, number>>> = { float8_e4m3fn: 464 };

/** What a cast did to the values of one tensor. */
export class CastTally {
  /** What they were. */
  readonly from: DType;
  /** What they are. */
  readonly to: DType;
  /** How many were too large: they are infinite, or NaN or the largest value where the dtype has no infinity. */
  overflowed = 0;
  /** How many were not zero and are zero. */
  vanished = 0;
  readonly #isLossy: boolean;

  /** Nothing counted yet. */
  constructor(from: DType, to: DType) {
    this.from = from;
    this.to = to;
    this.#isLossy = isLossy(from, to);
  }

  /** Casts some values, and counts. */
  cast(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const before = Tensor.fromBytes(bytes, { dtype: this.from, shape: [bytes.length / itemSize(this.from)] });
    const after = before.to(this.to);
    if (this.#isLossy) {
      const bound = SATURATES_ABOVE[this.to];
      this.overflowed += bound === undefined
        ? lost(before, after, (values) => values.isfinite())
        : countOf(magnitudes(before, (values) => values.gt(bound)));
      this.vanished += lost(before, after, (values) => values.ne(0));
    }
    const cast = after.bytes();
    discard(before);
    discard(after);
    return cast;
  }
}

/** The pieces cast, one after the other; each holds whole elements, and is used up. */
export async function* castPieces(
  pieces: AsyncIterable<Uint8Array>,
  tally: CastTally,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += STEP_BYTES) {
      yield tally.cast(piece.subarray(start, start + STEP_BYTES));
    }
    free(piece);
  }
}

/** How many values were something that they are not any more. */
function lost(before: Tensor, after: Tensor, is: (values: Tensor) => Tensor): number {
  const now = countOf(is(after));
  // Mostly all of them still are, and then the others need no counting.
  return now === after.numel ? 0 : Math.max(0, countOf(is(before)) - now);
}

/** What a test says of the magnitudes, which are compared where nothing is rounded. */
function magnitudes(values: Tensor, is: (magnitudes: Tensor) => Tensor): Tensor {
  const doubles = values.double();
  const absolute = doubles.abs();
  const found = is(absolute);
  if (doubles !== values) discard(doubles);
  discard(absolute);
  return found;
}

/** How many are true of a tensor that nobody needs any more. */
function countOf(mask: Tensor): number {
  const found = Number(mask.sum().item());
  discard(mask);
  return found;
}

/** Frees a tensor that nobody else has. Waiting for the ring to come round would keep the last of many steps. */
function discard(tensor: Tensor): void {
  memory().release(viewOf(tensor).storage);
}
