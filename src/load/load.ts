/**
 * A file into memory: `torch.load` for state dicts.
 *
 * @module
 */

import type { Pattern } from "../outcome.ts";
import { StateDict } from "../state_dict.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import { StoredTensor } from "../checkpoint/stored_tensor.ts";
import { compilePattern } from "../plan/pattern.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkReadable, isTensorLike, readTensor } from "./values.ts";
import type { TensorLike } from "./values.ts";

/** The options of {@linkcode load}. */
export interface LoadStateDictOptions {
  /** Which keys to read; all by default. */
  readonly filter?: Pattern;
  /** Which state dict inside the file; found by default. */
  readonly stateDictPath?: readonly (string | number)[];
  /** Stops reading. */
  readonly signal?: AbortSignal;
}

/**
 * Reads the state dict of a checkpoint into memory: PyTorch's `torch.load`, for a
 * `model.loadStateDict(await load("x.pt"), { strict: false })`.
 *
 * Names that are one tensor in the file are one tensor in memory. Values that are no tensors are kept as they are.
 *
 * @throws {CheckpointError} The bytes are not what the format says, or there is not one state dict in the file.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read; leave it out with `filter`.
 *
 * @example
 * ```ts
 * import { load } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const biases = await load("examples/data/pretrained.pt", { filter: "*.bias" });
 * assertEquals([...biases.keys()], ["linear1.bias", "linear2.bias"]);
 * ```
 */
export async function load(source: SourceLike, options?: LoadStateDictOptions): Promise<StateDict<Tensor>>;
export async function load(
  source: SourceLike,
  { filter, stateDictPath, signal }: LoadStateDictOptions = {},
): Promise<StateDict<unknown>> {
  const matches = filter === undefined ? () => true : compilePattern(filter);
  const checkpoint = await openCheckpoint(source);
  try {
    const stored = checkpoint.stateDict(stateDictPath);
    const wanted = [...stored].filter(([key]) => matches(key));
    for (const [, value] of wanted) if (isTensorLike(value)) checkReadable(value);
    const read = new Map<string, Tensor>();
    const entries: [string, unknown][] = [];
    for (const [key, value] of wanted) {
      signal?.throwIfAborted();
      entries.push([key, isTensorLike(value) ? await readOnce(value, read) : value]);
    }
    return new StateDict(entries, stored.metadata);
  } finally {
    await checkpoint.close();
  }
}

/** The tensor of the same elements that was read before, or this one. */
async function readOnce(value: TensorLike, read: Map<string, Tensor>): Promise<Tensor> {
  const place = placeOf(value);
  const known = place === null ? undefined : read.get(place);
  if (known !== undefined) return known;
  const tensor = await readTensor(value);
  if (place !== null) read.set(place, tensor);
  return tensor;
}

/** What two tensors of one file have in common exactly when they are the same elements seen the same way. */
function placeOf(value: TensorLike): string | null {
  if (!(value instanceof StoredTensor)) return null;
  const { storage, dtype, shape, strides, description } = value;
  return JSON.stringify([storage.id, description.storageOffset, dtype, shape, strides, description.pending ?? null]);
}
