/**
 * `deno run -A bench/load_gigabyte.ts [folder] [rounds]`: a gigabyte of weights from a warm file into a model, every
 * load in a process of its own, because memory that was in use before is faster than memory that is new.
 *
 * Beside it, in processes of their own as well: a raw read into memory that was touched before and one into new memory
 * (the machine's price of a page is in it, which every loader pays), and `torch.load` with `load_state_dict` where
 * `GRAFT_TORCH_PYTHON` names a Python that has it. The peak of memory is the kernel's own figure (`VmHWM`, Linux alone).
 *
 * @module
 */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { convertCheckpoint, loadCheckpoint, Module, Parameter, zeros } from "../mod.ts";
import { type Entry, largeFile } from "./large_file.ts";
import { table } from "./table.ts";

/** Turns of everyone; the median counts. */
const ROUNDS = 5;

/** What raw reads ask for at once. */
const READ_BYTES = 8 << 20;

/** The Python that has PyTorch. */
const VARIABLE = "GRAFT_TORCH_PYTHON";

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

/** Models of about a gigabyte. */
const MODELS: Readonly<Record<string, () => Entry[]>> = {
  "BERT-shaped": bert,
  "ResNet-shaped": resnet,
  "10,000 small": () => Array.from({ length: 10_000 }, (_, i): Entry => [`${i}.weight`, [160, 160]]),
};

/** A module of nothing but entries. */
class Shapes extends Module {
  constructor(entries: readonly Entry[]) {
    super();
    const modules = new Map<string, Module>([["", this]]);
    for (const [key, shape] of entries) {
      const parts = key.split(".");
      const name = parts.pop() ?? "";
      moduleAt(modules, parts).registerParameter(name, new Parameter(zeros(shape)));
    }
  }
  override forward(): never {
    throw new Error("This model is loaded, not run");
  }
}

function moduleAt(modules: Map<string, Module>, parts: readonly string[]): Module {
  const path = parts.join(".");
  const known = modules.get(path);
  if (known !== undefined) return known;
  const made = new Shapes([]);
  moduleAt(modules, parts.slice(0, -1)).registerModule(parts[parts.length - 1], made);
  modules.set(path, made);
  return made;
}

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === "--load") await loadAlone(rest[0], rest[1]);
  else if (first === "--read") readAlone(rest[0], { isTouched: rest[1] === "touched" });
  else await main(first ?? Deno.makeTempDirSync({ prefix: "graft-load-" }), Number(rest[0] ?? ROUNDS));
}

async function main(folder: string, rounds: number): Promise<void> {
  Deno.mkdirSync(folder, { recursive: true });
  try {
    const rows: string[][] = [];
    for (const [name, entries] of Object.entries(MODELS)) {
      for (const extension of ["safetensors", "pt"]) {
        const path = join(folder, `model.${extension}`);
        await convertCheckpoint(largeFile(entries()), path, { overwrite: true });
        rows.push([`${name}, .${extension}`, ...await measure(name, path, rounds)]);
      }
    }
    const headings = ["1 GiB", "ms", "× touched read", "× new read", "torch / ours", "peak / tensors"];
    console.log(table(headings, rows));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function measure(name: string, path: string, rounds: number): Promise<string[]> {
  const loads: Loaded[] = [];
  const touched: number[] = [];
  const fresh: number[] = [];
  const torch: number[] = [];
  const python = process.env[VARIABLE];
  for (let round = 0; round < rounds; round++) {
    touched.push(Number(await run(Deno.execPath(), ["run", "-A", script(), "--read", path, "touched"])));
    loads.push(JSON.parse(await run(Deno.execPath(), ["run", "-A", script(), "--load", name, path])));
    fresh.push(Number(await run(Deno.execPath(), ["run", "-A", script(), "--read", path, "new"])));
    if (python !== undefined && path.endsWith(".pt")) torch.push(Number(await run(python, ["-c", TORCH, path])));
  }
  const ours = middle(loads.map(({ milliseconds }) => milliseconds));
  const size = statSync(path).size / 2 ** 20;
  const peak = middle(loads.map((load) => load.peak));
  return [
    ours.toFixed(0),
    (middle(touched) / ours).toFixed(2),
    (middle(fresh) / ours).toFixed(2),
    torch.length === 0 ? "-" : (middle(torch) / ours).toFixed(1),
    `${(peak / size).toFixed(2)} (+${(peak - size).toFixed(0)} MiB)`,
  ];
}

/** What a process that loads says. */
interface Loaded {
  readonly milliseconds: number;
  /** MiB. */
  readonly peak: number;
}

async function loadAlone(name: string, path: string): Promise<void> {
  const model = new Shapes(MODELS[name]());
  const started = performance.now();
  await loadCheckpoint(model, path);
  const milliseconds = performance.now() - started;
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]) / 1024;
  console.log(JSON.stringify({ milliseconds, peak }));
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

async function run(command: string, args: string[]): Promise<string> {
  const { stdout, success } = await new Deno.Command(command, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`${command} failed`);
  return new TextDecoder().decode(stdout);
}

function script(): string {
  return fileURLToPath(import.meta.url);
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** 18 blocks of width 1024, with embeddings. */
function bert(): Entry[] {
  const blocks = Array.from({ length: 18 }, (_, i): Entry[] => {
    const linear = (name: string, out: number, inputs: number): Entry[] => {
      return [[`layer.${i}.${name}.weight`, [out, inputs]], [`layer.${i}.${name}.bias`, [out]]];
    };
    const norm = (name: string): Entry[] => ["weight", "bias"].map((part) => [`layer.${i}.${name}.${part}`, [1024]]);
    return [
      ...["query", "key", "value", "output"].flatMap((name) => linear(name, 1024, 1024)),
      ...norm("norm1"),
      ...linear("up", 4096, 1024),
      ...linear("down", 1024, 4096),
      ...norm("norm2"),
    ];
  });
  return [["word.weight", [30_522, 1024]], ["position.weight", [512, 1024]], ...blocks.flat()];
}

/** Bottleneck blocks of four widths, with batch norms. */
function resnet(): Entry[] {
  return Array.from({ length: 260 }, (_, i): Entry[] => {
    const width = [64, 128, 256, 512][i % 4];
    const norm = (name: string, size: number): Entry[] => {
      return ["weight", "bias", "running_mean", "running_var"].map((part) => [`block.${i}.${name}.${part}`, [size]]);
    };
    return [
      [`block.${i}.conv1.weight`, [width, 4 * width, 1, 1]],
      ...norm("bn1", width),
      [`block.${i}.conv2.weight`, [width, width, 3, 3]],
      ...norm("bn2", width),
      [`block.${i}.conv3.weight`, [4 * width, width, 1, 1]],
      ...norm("bn3", 4 * width),
    ];
  }).flat();
}
