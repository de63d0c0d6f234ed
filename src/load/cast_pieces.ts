/**
 * Casting a tensor that goes by in pieces, and counting what the cast did to its values.
 *
 * @module
 */

import { free } from "../bytes/allocation.ts";
import { cast, lostCount, valueCount } from "../core/kernels.ts";
import { memory, readBytes, Storage, writeBytes } from "../core/memory.ts";
import { itemSize } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { isLossy } from "../plan/cast.ts";

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
  /** Where every step takes place. */
  readonly #before = new Storage(STEP_BYTES);
  readonly #after: Storage;

  /** Nothing counted yet. */
  constructor(from: DType, to: DType) {
    this.from = from;
    this.to = to;
    this.#isLossy = isLossy(from, to);
    this.#after = new Storage(STEP_BYTES / itemSize(from) * itemSize(to));
  }

  /** Casts some values, not more than a step, and counts. */
  cast(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const count = bytes.length / itemSize(this.from);
    const before = { storage: this.#before, byteOffset: 0, dtype: this.from };
    const after = { storage: this.#after, byteOffset: 0, dtype: this.to };
    writeBytes(this.#before, 0, bytes);
    cast(after, before, count);
    if (this.#isLossy) {
      const bound = SATURATES_ABOVE[this.to];
      this.overflowed += bound === undefined
        ? lostCount([before, after], count, "finite")
        : valueCount(before, count, { test: "above", bound });
      this.vanished += lostCount([before, after], count, "nonzero");
    }
    return readBytes(this.#after, 0, count * itemSize(this.to));
  }

  /** Gives back where the steps took place. */
  close(): void {
    memory().release(this.#before);
    memory().release(this.#after);
  }
}

/** The pieces cast, one after the other; each holds whole elements, and is used up. */
export async function* castPieces(
  pieces: AsyncIterable<Uint8Array>,
  tally: CastTally,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    for await (const piece of pieces) {
      for (let start = 0; start < piece.length; start += STEP_BYTES) {
        yield tally.cast(piece.subarray(start, start + STEP_BYTES));
      }
      free(piece);
    }
  } finally {
    tally.close();
  }
}
