/**
 * Opening a file of 50,000 tensors. `deno run -R bench/many_tensors.ts PATH` opens one in a process of its own, as a user
 * does: once, with nothing compiled yet.
 *
 * @module
 */

import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { convertCheckpoint, openCheckpoint } from "../mod.ts";
import type { Figure } from "./figure.ts";
import { type Entry, largeFile } from "./large_file.ts";
import type { Match } from "./match.ts";
import { runScript } from "./process.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";

/** Tensors. */
const COUNT = 50_000;

/** Processes of each format; the median counts. */
const ROUNDS = 5;

/** Milliseconds. */
const BAR = { most: 250 };

/** The formats, by their extensions. */
const EXTENSIONS = ["safetensors", "pt"] as const;

/** What the process that opens a file says. */
interface Opened {
  readonly milliseconds: number;
  /** What the heap grew by, in MB. */
  readonly grown: number;
}

if (import.meta.main) console.log(JSON.stringify(await openAlone(Deno.args[0])));

/** Opens a file of each format in new processes. */
export async function manyFigures(folder: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const path of await write(folder)) {
    await progress(`openCheckpoint ${path}`);
    const opened: Opened[] = [];
    for (let i = 0; i < ROUNDS; i++) opened.push(JSON.parse(await runScript("many_tensors.ts", [path])));
    figures.push({
      what: `openCheckpoint of ${COUNT} tensors, ${path.slice(path.lastIndexOf("."))}: ms`,
      value: median(opened.map(({ milliseconds }) => milliseconds)),
      bar: BAR,
      note: `heap +${median(opened.map(({ grown }) => grown)).toFixed(0)} MB`,
    });
  }
  return figures;
}

/** Opening them again and again, beside a read of the whole file. */
export async function manyMatches(folder: string): Promise<readonly Match[]> {
  return (await write(folder)).map((path) => {
    const bytes = statSync(path).size;
    const whole = new Uint8Array(bytes);
    return {
      work: `${COUNT} tensors, ${path.slice(path.lastIndexOf("."))}: open`,
      floor: { name: "floor: raw read of the file", isAsync: false, run: () => readInto(path, whole) },
      ours: { name: "openCheckpoint", isAsync: true, isElsewhere: true, run: () => open(path) },
      peers: [],
    };
  });
}

async function write(folder: string): Promise<readonly string[]> {
  const paths = EXTENSIONS.map((extension) => join(folder, `many.${extension}`));
  for (const path of paths) await convertCheckpoint(largeFile(entries()), path, { overwrite: true });
  return paths;
}

/** The tensors, of 64 values each, named as the layers of a model are; made only where the file is written. */
function entries(): Entry[] {
  return Array.from({ length: COUNT }, (_, i): Entry => [`layers.${i >> 1}.norm${i & 1}.weight`, [64]]);
}

async function openAlone(path: string): Promise<Opened> {
  // Warms the system's cache of the file.
  readFileSync(path);
  const { heapUsed } = Deno.memoryUsage();
  const started = performance.now();
  const size = await open(path);
  const milliseconds = performance.now() - started;
  if (size !== COUNT) throw new Error(`"${path}" has ${size} tensors`);
  return { milliseconds, grown: (Deno.memoryUsage().heapUsed - heapUsed) / 1e6 };
}

/** How many tensors there are. */
async function open(path: string): Promise<number> {
  const checkpoint = await openCheckpoint(path);
  const { size } = checkpoint.stateDict();
  await checkpoint.close();
  return size;
}

function readInto(path: string, target: Uint8Array): void {
  const file = openSync(path, "r");
  readSync(file, target);
  closeSync(file);
}
