/**
 * A gigabyte of weights from a warm file into a model, every load in a process of its own, because memory that was in use
 * before is faster than memory that is new.
 *
 * Beside it, in processes of their own as well: a raw read into memory that was touched before and one into new memory
 * (the machine's price of a page is in it, which every loader pays), and `torch.load` with `load_state_dict` where
 * `GRAFT_TORCH_PYTHON` names a Python that has it. The peak of memory is the kernel's own figure, on Linux alone.
 *
 * @module
 */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { convertCheckpoint, loadCheckpoint } from "../mod.ts";
import type { Figure } from "./figure.ts";
import { GIGABYTE_MODELS, Shapes } from "./gigabyte_models.ts";
import { type Entry, largeFile } from "./large_file.ts";
import { VARIABLE } from "./peers/torch.ts";
import { peakMemory, run, runScript } from "./process.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";

/** Turns of everyone; the median counts. */
const ROUNDS = 3;

/** What raw reads ask for at once. */
const READ_BYTES = 8 << 20;

/** How many times as fast as PyTorch, and per cent of a raw read into touched memory. */
const TORCH_BAR = { least: 5 };
const READ_BAR = { least: 70 };

/** What the process may hold: this part more than the tensors, and so many MiB. */
const PEAK_PART = 1.05;
const PEAK_BAR = { most: 64 };

/** A load by PyTorch into a model that was there before, each of whose values was written. */
const TORCH = `
import sys, time, torch
torch.set_num_threads(1)
def model(entries):
    root = torch.nn.Module()
    for key, shape in entries:
        module = root
        *path, name = key.split(".")
        for part in path:
            if part not in module._modules: module.add_module(part, torch.nn.Module())
            module = module._modules[part]
        module.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))
    return root
with torch.serialization.skip_data():
    shapes = [(key, value.shape) for key, value in torch.load(sys.argv[1], weights_only=True).items()]
target = model(shapes)
start = time.perf_counter()
target.load_state_dict(torch.load(sys.argv[1], weights_only=True))
print((time.perf_counter() - start) * 1000)
`;

/** How long everyone took, and what ours held. */
interface Measured {
  readonly load: number;
  readonly touched: number;
  readonly fresh: number;
  readonly torch: number | null;
  /** MiB. */
  readonly peak: number;
}

/** What a process that loads says. */
interface Loaded {
  readonly milliseconds: number;
  /** MiB. */
  readonly peak: number;
}

if (import.meta.main) {
  const [role, path, kind] = Deno.args;
  if (role === "--load") await loadAlone(path, kind);
  else readAlone(path, { isTouched: kind === "touched" });
}

/** Loads every model from both formats, of files that are written into a folder. */
export async function gigabyteFigures(folder: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, entries] of Object.entries(GIGABYTE_MODELS)) {
    for (const extension of ["safetensors", "pt"]) {
      const path = join(folder, `gigabyte.${extension}`);
      await progress(`${name}, .${extension}`);
      await convertCheckpoint(largeFile(entries()), path, { overwrite: true });
      figures.push(...figuresOf(`${name}, .${extension}`, { ...await measure(name, path), bytes: bytesOf(entries()) }));
      Deno.removeSync(path);
    }
  }
  return figures;
}

function figuresOf(name: string, measured: Measured & { readonly bytes: number }): readonly Figure[] {
  const { load, touched, fresh, torch, peak, bytes } = measured;
  const size = bytes / 2 ** 20;
  const figures: Figure[] = [
    {
      what: `${name}: % of a read into touched memory`,
      value: 100 * touched / load,
      bar: READ_BAR,
      note: `${load.toFixed(0)} ms; ${(100 * fresh / load).toFixed(0)} % of a read into new memory`,
    },
    { what: `${name}: peak MiB over ${PEAK_PART} × the tensors`, value: peak - PEAK_PART * size, bar: PEAK_BAR },
  ];
  if (!name.endsWith(".pt")) return figures;
  return [{ what: `${name}: × torch`, value: torch === null ? null : torch / load, bar: TORCH_BAR }, ...figures];
}

async function measure(name: string, path: string): Promise<Measured> {
  const [loads, touched, fresh, torch]: [Loaded[], number[], number[], number[]] = [[], [], [], []];
  const python = path.endsWith(".pt") ? process.env[VARIABLE] : undefined;
  for (let round = 0; round < ROUNDS; round++) {
    touched.push(Number(await runScript("load_gigabyte.ts", ["--read", path, "touched"])));
    loads.push(JSON.parse(await runScript("load_gigabyte.ts", ["--load", path, name])));
    fresh.push(Number(await runScript("load_gigabyte.ts", ["--read", path, "new"])));
    if (python !== undefined) torch.push(Number(await run(python, ["-c", TORCH, path])));
  }
  return {
    load: median(loads.map(({ milliseconds }) => milliseconds)),
    touched: median(touched),
    fresh: median(fresh),
    torch: torch.length === 0 ? null : median(torch),
    peak: median(loads.map((load) => load.peak)),
  };
}

async function loadAlone(path: string, name: string): Promise<void> {
  const model = new Shapes(GIGABYTE_MODELS[name]());
  const started = performance.now();
  await loadCheckpoint(model, path);
  const milliseconds = performance.now() - started;
  console.log(JSON.stringify({ milliseconds, peak: peakMemory() }));
}

function readAlone(path: string, { isTouched }: { readonly isTouched: boolean }): void {
  const file = openSync(path, "r");
  const { size } = statSync(path);
  const into = new Uint8Array(size);
  if (isTouched) into.fill(1);
  const started = performance.now();
  for (let done = 0; done < size;) done += readSync(file, into, done, Math.min(READ_BYTES, size - done), done);
  console.log(performance.now() - started);
  closeSync(file);
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, [, shape]) => sum + 4 * shape.reduce((product, size) => product * size, 1), 0);
}
