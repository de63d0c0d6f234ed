/**
 * A checkpoint for the time of one call: opened and closed here, or open already and left open.
 *
 * @module
 */

import type { SourceLike } from "../bytes/open_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import type { StateDictPath } from "../checkpoint/state_dicts.ts";

/** Calls `use` with the checkpoint. What is opened for it is closed again, whatever `use` does. */
export async function withCheckpoint<T>(
  source: SourceLike | Checkpoint,
  use: (checkpoint: Checkpoint) => Promise<T>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<T> {
  // The class comes with the first file.
  const { Checkpoint } = await import("../checkpoint/checkpoint.ts");
  if (source instanceof Checkpoint) return await use(source);
  const checkpoint = await openCheckpoint(source, { signal });
  try {
    return await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** Where the state dict is that `checkpoint.stateDict()` finds by itself. */
export function chosenPath({ stateDictPaths }: Checkpoint): StateDictPath {
  return stateDictPaths.length === 1 ? stateDictPaths[0] : [];
}
