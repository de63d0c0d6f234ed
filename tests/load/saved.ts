/**
 * Models whose tensors all have one value, so that a mixture of two shows.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { full, load, type Tensor } from "../../mod.ts";

/** 12, 20 and 28 bytes: two files where 40 are allowed, three where 20 are. */
export function valued(value: number): Readonly<Record<string, Tensor>> {
  return { a: full([3], value), b: full([5], value), c: full([7], value) };
}

/** The one value that a checkpoint has everywhere. */
export async function valueIn(path: string): Promise<number> {
  const state = await load(path);
  assertEquals([...state.keys()].sort(), ["a", "b", "c"]);
  const values = new Set([...state.values()].flatMap((tensor) => tensor.tolist()));
  assertEquals(values.size, 1);
  return Number([...values][0]);
}

/** What is in a folder, sorted. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** What is in a folder, with the bytes. */
export function filesIn(folder: string): Map<string, Uint8Array> {
  return new Map(namesIn(folder).map((name) => [name, Deno.readFileSync(`${folder}/${name}`)]));
}

/** Calls `use` with an empty folder, and takes it away again. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = Deno.makeTempDirSync();
  try {
    return await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
