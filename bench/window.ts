/**
 * `deno run -A bench/window.ts [folder]`: a model of 6 GiB, more than wasm memory can hold. It is loaded from a file
 * that is made for it, and run; what a layer costs that has to be brought in stands beside a `memcpy` of its bytes.
 *
 * @module
 */

import { join } from "node:path";
import { convertCheckpoint, Linear, loadCheckpoint, ones, Sequential } from "../mod.ts";
import { wasmBytes } from "./core.ts";
import { type Entry, largeFile } from "./large_file.ts";
import { median } from "./rounds.ts";
import { table } from "./table.ts";

/** Layers of 64 MiB. */
const LAYERS = 96;
const FEATURES = 4096;
const LAYER_BYTES = 4 * FEATURES * FEATURES;

/** Forward passes; the first brings everything in for the first time. */
const PASSES = 4;

if (import.meta.main) await main(Deno.args[0] ?? Deno.makeTempDirSync({ prefix: "graft-window-" }));

async function main(folder: string): Promise<void> {
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  try {
    const entries = Array.from({ length: LAYERS }, (_, i): Entry => [`${i}.weight`, [FEATURES, FEATURES]]);
    await convertCheckpoint(largeFile(entries), path, { overwrite: true });
    const layers = Array.from({ length: LAYERS }, () => new Linear(FEATURES, FEATURES, { bias: false }));
    const model = new Sequential(...layers);
    const started = performance.now();
    const report = await loadCheckpoint(model, path);
    const loaded = performance.now() - started;
    if (report.coverage.model.elements !== 1) throw new Error("The model was not loaded whole");

    const x = ones([1, FEATURES]);
    const expected = layers[0].forward(x).sum().item();
    const passes = Array.from({ length: PASSES }, () => {
      const before = performance.now();
      let y = x;
      for (const layer of layers) y = layer.forward(y).mul(0).add(1);
      return (performance.now() - before) / LAYERS;
    });
    if (layers[0].forward(x).sum().item() !== expected) throw new Error("The first layer changed on its way");

    const rows = [
      ["load, s", (loaded / 1000).toFixed(1)],
      ...passes.map((milliseconds, i) => [`a layer in pass ${i + 1}, ms`, milliseconds.toFixed(1)]),
      ["the same layer, resident, ms", median(times(() => layers[0].forward(x))).toFixed(1)],
      ["memcpy of its bytes, ms", median(copies()).toFixed(1)],
      ["wasm memory, GiB", (wasmBytes() / 2 ** 30).toFixed(2)],
      ["process, GiB", (Deno.memoryUsage().rss / 2 ** 30).toFixed(2)],
    ];
    console.log(table(["6 GiB in 96 layers, one row of input", ""], rows));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function copies(): number[] {
  const [from, to] = [new Uint8Array(LAYER_BYTES).fill(1), new Uint8Array(LAYER_BYTES).fill(2)];
  return times(() => to.set(from));
}

function times(work: () => unknown): number[] {
  return Array.from({ length: 9 }, () => {
    const before = performance.now();
    work();
    return performance.now() - before;
  });
}
