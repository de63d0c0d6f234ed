/**
 * `deno run -A bench/window.ts [folder]`: a model of 6 GiB, more than wasm memory can hold, in a process of its own. It
 * is loaded from a file that is made for it, and run; what a layer costs that has to be brought in stands beside a
 * `memcpy` of its bytes.
 *
 * @module
 */

import { join } from "node:path";
import { convertCheckpoint, Linear, loadCheckpoint, ones, Sequential } from "../mod.ts";
import { wasmBytes } from "./core.ts";
import type { Figure } from "./figure.ts";
import { type Entry, largeFile } from "./large_file.ts";
import { runScript } from "./process.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";

/** Layers of 64 MiB. */
const LAYERS = 96;
const FEATURES = 4096;
const LAYER_BYTES = 4 * FEATURES * FEATURES;

/** Forward passes; the first brings everything in for the first time, and does not count. */
const PASSES = 4;

/** What the process says. */
interface Windowed {
  /** Seconds. */
  readonly load: number;
  /** Milliseconds of a layer that is brought in, of one that is there, and of a copy of its bytes. */
  readonly paged: number;
  readonly resident: number;
  readonly memcpy: number;
  /** GiB. */
  readonly wasm: number;
  readonly process: number;
}

if (import.meta.main) {
  console.log(JSON.stringify(await measure(Deno.args[0] ?? Deno.makeTempDirSync({ prefix: "graft-window-" }))));
}

/** Loads and runs the model in a process of its own. */
export async function windowFigures(): Promise<readonly Figure[]> {
  await progress("6 GiB");
  const { load, paged, resident, memcpy, wasm, process }: Windowed = JSON.parse(await runScript("window.ts", []));
  const memory = `${wasm.toFixed(1)} GiB of wasm, ${process.toFixed(1)} GiB in all`;
  return [
    { what: "6 GiB in 96 layers: s to load", value: load, note: memory },
    {
      what: "a layer that is brought in: time over memcpy's",
      value: paged / memcpy,
      note: `${paged.toFixed(1)} ms; in place ${resident.toFixed(1)}`,
    },
  ];
}

async function measure(folder: string): Promise<Windowed> {
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  try {
    const entries = Array.from({ length: LAYERS }, (_, i): Entry => [`${i}.weight`, [FEATURES, FEATURES]]);
    await convertCheckpoint(largeFile(entries), path, { overwrite: true });
    const layers = Array.from({ length: LAYERS }, () => new Linear(FEATURES, FEATURES, { bias: false }));
    const started = performance.now();
    const report = await loadCheckpoint(new Sequential(...layers), path);
    const load = (performance.now() - started) / 1000;
    if (report.coverage.model.elements !== 1) throw new Error("The model was not loaded whole");

    const x = ones([1, FEATURES]);
    const expected = layers[0].forward(x).sum().item();
    const passes = times(PASSES, () => {
      let y = x;
      for (const layer of layers) y = layer.forward(y).mul(0).add(1);
    });
    if (layers[0].forward(x).sum().item() !== expected) throw new Error("The first layer changed on its way");
    return {
      load,
      paged: median(passes.slice(1)) / LAYERS,
      resident: median(times(9, () => layers[0].forward(x))),
      memcpy: median(copies()),
      wasm: wasmBytes() / 2 ** 30,
      process: Deno.memoryUsage().rss / 2 ** 30,
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function copies(): number[] {
  const [from, to] = [new Uint8Array(LAYER_BYTES).fill(1), new Uint8Array(LAYER_BYTES).fill(2)];
  return times(9, () => to.set(from));
}

function times(count: number, work: () => unknown): number[] {
  return Array.from({ length: count }, () => {
    const before = performance.now();
    work();
    return performance.now() - before;
  });
}
