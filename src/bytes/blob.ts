/**
 * A `Blob` or `File`, as browsers hand over what a person chose.
 *
 * @module
 */

import type { OpenSource } from "./source.ts";

/** A source over `blob`; only the slices that are asked for are brought into memory. */
export function openBlob(blob: Blob): OpenSource {
  return {
    size: blob.size,
    name: blob instanceof File ? blob.name : "blob",
    async read(offset, length) {
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    close: () => Promise.resolve(),
  };
}
