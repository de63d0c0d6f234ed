/**
 * `deno task bench`: checkpoints into a model, beside a raw read of the same bytes and a copy of them in memory; what
 * must be cast or transposed; and opening a file of many tensors.
 *
 * The files are made here. Not covered: a cold disk. A gigabyte at once is in `deno task bench:report loading`.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { CHECKPOINT_SIZES, writeCheckpoints } from "./checkpoint_files.ts";
import { conversionLoadMatches, conversionMatches } from "./conversion_matches.ts";
import { loadMatches } from "./load_matches.ts";
import { manyMatches } from "./many_tensors.ts";
import { type Match, register } from "./match.ts";
import { Torch } from "./peers/torch.ts";

const torch = await Torch.start();
const folder = Deno.makeTempDirSync({ prefix: "graft-bench-" });
globalThis.addEventListener("unload", () => {
  torch?.kill();
  rmSync(folder, { recursive: true });
});

const matches: Match[] = [];
for (const size of CHECKPOINT_SIZES) {
  for (const file of await writeCheckpoints(size, folder)) matches.push(...await loadMatches(file, torch));
}
for (const { casts, transposes } of [conversionMatches(), await conversionLoadMatches(folder)]) {
  matches.push(...casts, ...transposes);
}
matches.push(...await manyMatches(folder));
for (const match of matches) register("loading", match);
