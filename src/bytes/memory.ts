/**
 * Bytes that are in memory already.
 *
 * @module
 */

import type { OpenSource } from "./source.ts";

/** A source over `bytes`, without a copy; the caller leaves them unchanged while it is in use. */
export function openMemory(bytes: Uint8Array, name = "bytes"): OpenSource {
  return {
    size: bytes.length,
    name,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    readSync(offset, into) {
      const found = bytes.subarray(offset, offset + into.length);
      into.set(found);
      return found.length;
    },
    close: () => Promise.resolve(),
  };
}
