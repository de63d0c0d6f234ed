/**
 * `deno task bench`: checkpoints into a model, beside a raw read of the same bytes and a copy of them in memory.
 *
 * The files are made here. Not covered: a cold disk, and files whose tensors must be cast or gathered.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCheckpoints } from "./checkpoint_files.ts";
import { LOAD_CHECKPOINT, loadContestants } from "./load_contestants.ts";
import { Torch } from "./peers/torch.ts";
import { register } from "./register.ts";

/** About 1 MB and 200 MB. */
const SIZES = [{ layers: 4, features: 256 }, { layers: 12, features: 2048 }];

const folder = mkdtempSync(join(tmpdir(), "graft-bench-"));
globalThis.addEventListener("unload", () => rmSync(folder, { recursive: true }));

for (const size of SIZES) {
  for (const file of writeCheckpoints(size, folder)) {
    const group = `load ${file.name}`;
    for (const contestant of await loadContestants(file, torch)) {
      register(contestant, { group, baseline: contestant.name === LOAD_CHECKPOINT });
    }
  }
}
