/**
 * Casting a tensor that goes by in pieces, and counting what the cast did to its values.
 *
 * @module
 */

import { itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { isLossy } from "../plan/cast.ts";
import { Tensor } from "../tensor/tensor.ts";

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
        : count(before.double().abs().gt(bound));
      this.vanished += lost(before, after, (values) => values.ne(0));
    }
    return after.bytes();
  }
}

/** The pieces cast, one after the other; each holds whole elements. */
export async function* castPieces(
  pieces: AsyncIterable<Uint8Array>,
  tally: CastTally,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += STEP_BYTES) {
      yield tally.cast(piece.subarray(start, start + STEP_BYTES));
    }
  }
}

/** How many values were something that they are not any more. */
function lost(before: Tensor, after: Tensor, is: (values: Tensor) => Tensor): number {
  const now = count(is(after));
  // Mostly all of them still are, and then the others need no counting.
  return now === after.numel ? 0 : Math.max(0, count(is(before)) - now);
}

function count(mask: Tensor): number {
  return Number(mask.sum().item());
}
