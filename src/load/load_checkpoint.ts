/**
 * A file into a model, in one call.
 *
 * @module
 */

import { openCheckpoint } from "../checkpoint/open.ts";
import type { SourceLike } from "../bytes/open_source.ts";
import type { Module } from "../nn/module.ts";
import type { LoadOptions } from "../plan/options.ts";
import type { LoadReport } from "../plan/report.ts";
import { settingsOf } from "../plan/settings.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { planLoad } from "./plan_load.ts";

/**
 * Opens a checkpoint, plans, loads, closes: PyTorch's `load_state_dict(torch.load(path))`, decided before anything is
 * touched.
 *
 * @param source A path, a URL (`file:`, `http:`, `https:`), a `Blob`, bytes, a stream, a `Response`, or a source of one's
 * own.
 * @throws {LoadStateDictError} What PyTorch would raise, in its own words; nothing was changed.
 * @throws {LoadRefusedError} What Graft refuses: no key in common, say; nothing was changed.
 * @throws {CheckpointError} The bytes are not what the format says, or there is not one state dict in the file.
 * @throws {PartialLoadError} The medium failed after the first tensor was written.
 * @throws {TypeError} An option is not what it should be.
 *
 * @example
 * ```ts
 * import { init, Linear, loadCheckpoint, Module, relu, type Tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * class Model extends Module {
 *   linear1 = new Linear(10, 5);
 *   linear2 = new Linear(5, 2);
 *   linear3 = new Linear(2, 1); // not in the checkpoint
 *   override forward(x: Tensor): Tensor {
 *     return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
 *   }
 * }
 *
 * const report = await loadCheckpoint(new Model(), "examples/data/pretrained.pt", {
 *   strict: false,
 *   initMissing: init.xavierUniform_,
 * });
 * assertEquals(report.missingKeys, ["linear3.weight", "linear3.bias"]);
 * ```
 */
export async function loadCheckpoint(
  model: Module,
  source: SourceLike,
  options: LoadOptions<Tensor> = {},
): Promise<LoadReport> {
  settingsOf(options); // what is wrong about the call is said before a file is opened
  options.signal?.throwIfAborted();
  const checkpoint = await openCheckpoint(source, { signal: options.signal });
  try {
    return await planLoad(model, checkpoint.stateDict(options.stateDictPath), options).apply();
  } finally {
    await checkpoint.close();
  }
}
