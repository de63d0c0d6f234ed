/**
 * A file into memory: `torch.load` for state dicts.
 *
 * @module
 */

import type { Pattern } from "../outcome.ts";
import { StateDict } from "../state_dict.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import { compilePattern, EVERY_KEY } from "../plan/pattern.ts";
import { settingsOf } from "../plan/settings.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Reader } from "./reading.ts";
import { checkReadable, isTensorLike } from "./values.ts";

/** The options that mean here what they mean in every load. */
const OTHER_OPTIONS: readonly string[] = ["stateDictPath", "signal"];

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
 * Names that are one tensor in the file are one tensor in memory. Other views of the same elements, such as a part of
 * them, are tensors of their own here, where PyTorch's share memory. Values that are no tensors are kept as they are.
 *
 * @throws {CheckpointError} The bytes are not what the format says, or there is not one state dict in the file.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read; leave it out with `filter`.
 * @throws {TypeError} An option is not what it should be.
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
export async function load(source: SourceLike, options: LoadStateDictOptions = {}): Promise<StateDict<unknown>> {
  const { filter, stateDictPath, signal } = checked(options);
  const matches = compilePattern(filter ?? EVERY_KEY);
  signal?.throwIfAborted();
  const checkpoint = await openCheckpoint(source, { signal });
  try {
    const stored = checkpoint.stateDict(stateDictPath);
    const entries: [string, unknown][] = [...stored].filter(([key]) => matches(key));
    const lazy = [...entries.keys()].flatMap((i) => {
      const [, value] = entries[i];
      return isTensorLike(value) ? [{ i, value }] : [];
    });
    for (const { value } of lazy) checkReadable(value);
    const reader = new Reader(lazy.map(({ value }) => value), { signal });
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      for (const { index, tensor } of batch) entries[lazy[index].i][1] = tensor.contiguous();
    }
    return new StateDict(entries, stored.metadata);
  } finally {
    await checkpoint.close();
  }
}

/** The options, once it is sure that each is one. */
function checked(options: LoadStateDictOptions): LoadStateDictOptions {
  const { filter: _, ...rest } = options;
  const strange = Object.keys(rest).find((name) => !OTHER_OPTIONS.includes(name));
  if (strange !== undefined) {
    throw new TypeError(`Unknown option "${strange}": the options of load are filter, ${OTHER_OPTIONS.join(", ")}`);
  }
  settingsOf(rest);
  return options;
}
