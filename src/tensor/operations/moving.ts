/**
 * Moves: values that nobody else looks at become another tensor's, without a copy where they can be handed over.
 *
 * @module
 */

import { cast } from "../../core/kernels.ts";
import { adoptBytes, memory } from "../../core/memory.ts";
import type { View } from "../view.ts";
import { copyInto } from "./copying.ts";

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
  if (target.dtype !== source.dtype) return castInto(target, source);
  const bytes = ownBytes(source);
  if (bytes === null) return copyInto(target, source);
  source.storage.chunk = null;
  adoptBytes(target.storage, bytes);
}

function castInto(target: View, source: View): void {
  target.storage.fill = null; // all of it is written now
  cast(target, source, source.numel);
  memory().release(source.storage);
}

/** The bytes of a whole view, where they are in JavaScript and only its own. */
function ownBytes({ storage }: View): Uint8Array | null {
  const { chunk, fill } = storage;
  if (fill !== null || chunk === null || chunk.bytes === null || chunk.address !== 0) return null;
  return chunk.bytes.byteLength === storage.byteLength ? chunk.bytes : null;
}
