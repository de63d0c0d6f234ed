/**
 * `deno run -R -W --allow-run bench/convert_memory.ts [folder]`: the most memory that converting a 2 GiB file takes,
 * each conversion in a process of its own. It writes 9 GiB into a folder that is removed at the end.
 *
 * The peak is the kernel's own figure (`VmHWM`), so it runs on Linux alone.
 *
 * @module
 */

import { join } from "node:path";
import { arange, convertCheckpoint, type DType, encodeTorch, type Tensor } from "../mod.ts";
import { type Entry, largeFile } from "./large_file.ts";
import { peakMemory, runScript } from "./process.ts";
import { table } from "./table.ts";

/** Square layers of float32. */
const LAYERS = 8;
const FEATURES = 8192;
const ENTRIES = Array.from({ length: LAYERS }, (_, i): Entry => [`${i}.weight`, [FEATURES, FEATURES]]);

/** A storage that is one matrix, seen transposed; two of them, for one storage cannot have 2 GiB. */
const TRANSPOSED_FEATURES = 16_384;

/** What a conversion may take, in MiB. */
const BAR = 200;

/** One conversion. */
interface Case {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly dtype?: DType;
}

const CASES: readonly Case[] = [
  { name: "safetensors to .pt", from: "large.safetensors", to: "large.pt" },
  { name: ".pt to safetensors", from: "large.pt", to: "out.safetensors" },
  { name: "safetensors to float16", from: "large.safetensors", to: "out.safetensors", dtype: "float16" },
  { name: ".pt to bfloat16 .pt", from: "large.pt", to: "out.pt", dtype: "bfloat16" },
  { name: "transposed .pt to safetensors", from: "transposed.pt", to: "out.safetensors" },
  { name: "transposed .pt to float16", from: "transposed.pt", to: "out.safetensors", dtype: "float16" },
  { name: "deflated .pt to safetensors", from: "deflated.pt", to: "out.safetensors" },
];

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === "--convert") await convertAlone(rest);
  else await main(first ?? Deno.makeTempDirSync({ prefix: "graft-convert-" }));
}

async function main(folder: string): Promise<void> {
  Deno.mkdirSync(folder, { recursive: true });
  try {
    await convertCheckpoint(largeFile(ENTRIES), join(folder, "large.safetensors"));
    await write(join(folder, "transposed.pt"), encodeTorch(new Map([["a", transposed()], ["b", transposed()]])));
    const rows: string[][] = [];
    for (const [i, { name, from }] of CASES.entries()) {
      if (from === "deflated.pt" && !await deflate(join(folder, "large.pt"), join(folder, from))) {
        rows.push([name, "no python3", "", ""]);
        continue;
      }
      const { peak, seconds } = JSON.parse(await runScript("convert_memory.ts", ["--convert", folder, String(i)]));
      rows.push([name, peak.toFixed(0), seconds.toFixed(1), peak <= BAR ? "yes" : "NO"]);
    }
    console.log(table(["2 GiB", "peak MiB", "seconds", `under ${BAR}`], rows));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** What the process that is measured does. */
async function convertAlone([folder, index]: readonly string[]): Promise<void> {
  const { from, to, dtype } = CASES[Number(index)];
  const started = performance.now();
  await convertCheckpoint(join(folder, from), join(folder, to), { dtype, overwrite: true });
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ peak: peakMemory(), seconds }));
}

function transposed(): Tensor {
  return arange(TRANSPOSED_FEATURES ** 2, { dtype: "float32" }).reshape([TRANSPOSED_FEATURES, TRANSPOSED_FEATURES]).t();
}

/** Packs an archive again with compression; `false` where there is no Python to do it. */
async function deflate(from: string, to: string): Promise<boolean> {
  const script = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
    for name in old.namelist():
        with old.open(name) as source, new.open(name, "w") as target:
            shutil.copyfileobj(source, target, 1 << 20)
`;
  try {
    return (await new Deno.Command("python3", { args: ["-c", script, from, to], stderr: "inherit" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function write(path: string, stream: ReadableStream<Uint8Array>): Promise<void> {
  await stream.pipeTo((await Deno.open(path, { write: true, create: true, truncate: true })).writable);
}
