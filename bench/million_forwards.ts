/**
 * `deno run -R bench/million_forwards.ts [forwards] [warm-up]`: a small model in one synchronous loop, in which no
 * finaliser runs and nobody disposes of anything. Memory has to stay flat. With `--json`, what it grew by, in MB.
 *
 * The warm-up fills the ring of results and lets V8 find the size of heap it wants.
 *
 * @module
 */

import { manualSeed, ones, type Tensor } from "../mod.ts";
import { SmallModel } from "./call_matches.ts";
import { wasmBytes } from "./core.ts";
import { median } from "./rounds.ts";
import { table } from "./table.ts";

/** Forward passes that are watched. */
const FORWARDS = 1_000_000;

/** Forward passes before. */
const WARM_UP = 2_500_000;

/** Lines of the table. */
const LINES = 10;

/** What the process may grow by, in bytes: 16 bytes a forward pass would be as much. V8 takes young pages as it likes. */
const FLAT = 8e6;

/** Memory at one moment. */
interface Moment {
  readonly done: number;
  readonly wasm: number;
  readonly process: number;
}

if (import.meta.main) {
  const [forwards = FORWARDS, warmUp = WARM_UP] = Deno.args.map(Number).filter((number) => number > 0);
  const watched = watch(forwards, warmUp);
  if (Deno.args.includes("--json")) printJson(watched);
  else print(watched);
}

/** What a million forward passes took. */
interface Watched {
  readonly nanoseconds: number;
  readonly moments: readonly Moment[];
}

function watch(forwards: number, warmUp: number): Watched {
  manualSeed(0);
  const model = new SmallModel();
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
  return { nanoseconds, moments };
}

function print({ nanoseconds, moments }: Watched): void {
  const rows = moments.map(({ done, wasm, process }) => [String(done), megabytes(wasm), megabytes(process)]);
  console.log(table(["forwards", "wasm MB", "process MB"], rows));
  const { wasm, process } = growth(moments);
  const verdict = wasm === 0 && process <= FLAT ? "flat" : "NOT flat";
  console.log(`\n${nanoseconds.toFixed(0)} ns a forward pass, with three layers and two activations`);
  console.log(`growth after warm-up: wasm ${megabytes(wasm)} MB, process ${megabytes(process)} MB: ${verdict}`);
}

/** What the report reads. */
function printJson({ moments }: Watched): void {
  const { wasm, process } = growth(moments);
  console.log(JSON.stringify({ wasm: wasm / 1e6, process: process / 1e6 }));
}

/** From the middle of the first half of the moments to that of the last, in bytes. */
function growth(moments: readonly Moment[]): Omit<Moment, "done"> {
  const half = moments.length >> 1;
  const between = (valueOf: (moment: Moment) => number) =>
    median(moments.slice(-half).map(valueOf)) - median(moments.slice(0, half).map(valueOf));
  return { wasm: between(({ wasm }) => wasm), process: between(({ process }) => process) };
}

function forward(model: SmallModel, x: Tensor, count: number): Tensor {
  let y = x;
  for (let i = 0; i < count; i++) y = model.forward(x);
  return y;
}

function now(done: number): Moment {
  return { done, wasm: wasmBytes(), process: Deno.memoryUsage().rss };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
