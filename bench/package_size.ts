/**
 * How large everything is that `mod.ts` pulls in, as it is published: compressed with gzip, in one piece.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { run } from "./process.ts";

/** What a graph of `deno info --json` has that is used here. */
interface Graph {
  readonly modules: readonly { readonly specifier: string }[];
}

/** Bytes of both parts, compressed. */
export interface PackageSize {
  /** TypeScript, with its comments. */
  readonly source: number;
  /** Both variants of the core, as text. */
  readonly wasm: number;
}

/** Measures what a user's `import` of the library pulls in. */
export async function packageSize(): Promise<PackageSize> {
  const entry = fileURLToPath(new URL("../mod.ts", import.meta.url));
  const { modules }: Graph = JSON.parse(await run(Deno.execPath(), ["info", "--json", entry]));
  const files = modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith("file:"));
  const isWasm = (specifier: string) => specifier.startsWith(new URL("../wasm/", import.meta.url).href);
  return {
    source: compressed(files.filter((specifier) => !isWasm(specifier))),
    wasm: compressed(files.filter(isWasm)),
  };
}

function compressed(files: readonly string[]): number {
  return gzipSync(files.map((file) => readFileSync(fileURLToPath(file), "utf8")).join("")).length;
}
