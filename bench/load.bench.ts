/**
 * `deno task bench`: checkpoints into a model, beside a raw read of the same bytes and a copy of them in memory.
 *
 * The files are made here. Not covered: a cold disk, and files whose tensors must be cast or gathered.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { CHECKPOINT_SIZES, writeCheckpoints } from "./checkpoint_files.ts";
import { loadMatches } from "./load_matches.ts";
import { register } from "./match.ts";
import { Torch } from "./peers/torch.ts";

const torch = await Torch.start();
const folder = Deno.makeTempDirSync({ prefix: "graft-bench-" });
globalThis.addEventListener("unload", () => {
  torch?.kill();
  rmSync(folder, { recursive: true });
});

for (const size of CHECKPOINT_SIZES) {
  for (const file of writeCheckpoints(size, folder)) (await loadMatches(file, torch)).forEach(register);
}
