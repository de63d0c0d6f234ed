/**
 * `deno run bench/million_forwards.ts [forwards] [warm-up]`: a small model in one synchronous loop, in which no
 * finaliser runs and nobody disposes of anything. Memory has to stay flat.
 *
 * The warm-up fills the ring of results and lets V8 find the size of heap it wants.
 *
 * @module
 */

import { Linear, manualSeed, Module, ones, relu, type Tensor } from "../mod.ts";
import { wasmBytes } from "./core.ts";
import { table } from "./table.ts";

/** Forward passes that are watched. */
const FORWARDS = 1_000_000;

/** Forward passes before. */
const WARM_UP = 2_500_000;

/** Lines of the table. */
const LINES = 10;

/** What the process may vary by; V8 takes and returns young pages of its heap as it likes. */
const FLAT = 16 * 2 ** 20;

class Model extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
  linear3 = new Linear(2, 1);
  override forward(x: Tensor): Tensor {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}

/** Memory at one moment. */
interface Moment {
  readonly done: number;
  readonly wasm: number;
  readonly process: number;
}

if (import.meta.main) main(Number(Deno.args[0] ?? FORWARDS), Number(Deno.args[1] ?? WARM_UP));

function main(forwards: number, warmUp: number): void {
  manualSeed(0);
  const model = new Model();
  const x = ones([1, 10]);
  const expected = model.forward(x).item();
  forward(model, x, warmUp);

  const moments = [now(0)];
  let last = x;
  const started = performance.now();
  for (let line = 1; line <= LINES; line++) {
    last = forward(model, x, forwards / LINES);
    moments.push(now(line * forwards / LINES));
  }
  const nanoseconds = 1e6 * (performance.now() - started) / forwards;
  if (last.item() !== expected) throw new Error(`The last forward pass gives ${last.item()}, the first ${expected}`);

  const rows = moments.map(({ done, wasm, process }) => [String(done), megabytes(wasm), megabytes(process)]);
  console.log(table(["forwards", "wasm MB", "process MB"], rows));
  const wasm = spread(moments.map((moment) => moment.wasm));
  const process = spread(moments.map((moment) => moment.process));
  const verdict = wasm === 0 && process <= FLAT ? "flat" : "NOT flat";
  console.log(`\n${nanoseconds.toFixed(0)} ns a forward pass, with three layers and two activations`);
  console.log(`max - min after warm-up: wasm ${megabytes(wasm)} MB, process ${megabytes(process)} MB: ${verdict}`);
}

function forward(model: Model, x: Tensor, count: number): Tensor {
  let y = x;
  for (let i = 0; i < count; i++) y = model.forward(x);
  return y;
}

function now(done: number): Moment {
  return { done, wasm: wasmBytes(), process: Deno.memoryUsage().rss };
}

function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
