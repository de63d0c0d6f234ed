/**
 * Reading what does not say how long it is, as pickles do not.
 *
 * @module
 */

import { type ByteSource, readExactly } from "../bytes/source.ts";
import { CheckpointError, TruncatedError } from "../errors.ts";
import { enforce, type Limits } from "./limits.ts";

/** Where it begins, and what is known of it. */
export interface GrowingRead {
  /** The first byte. */
  readonly offset: number;
  /** Where it ends at the latest. */
  readonly end: number;
  /** Bytes that are read at first: mostly enough. */
  readonly first: number;
  /** What errors call it. */
  readonly what: string;
  /** `metadataBytes` is what it may have. */
  readonly limits: Limits;
}

/**
 * The result of `parse` over as many bytes as it takes: where it fails on what was read, it is run again on twice as
 * much, until there is no more. So it is run a few times, and on no more than four times the bytes in all.
 *
 * @throws {unknown} What `parse` throws over everything there is.
 * @throws {LimitError} It goes beyond the limit.
 */
export async function readGrowing<T>(
  source: ByteSource,
  { offset, end, first, what, limits }: GrowingRead,
  parse: (bytes: Uint8Array) => T,
): Promise<T> {
  const left = end - offset;
  const most = Math.min(left, limits.metadataBytes);
  for (let length = Math.min(first, most);; length = Math.min(2 * length, most)) {
    const bytes = await readExactly(source, { offset, length, what });
    try {
      return parse(bytes);
    } catch (error) {
      const isShort = error instanceof TruncatedError || error instanceof CheckpointError;
      if (!isShort || length === left) throw error;
      if (length === most) enforce(limits, "metadataBytes", { found: left, what });
    }
  }
}
