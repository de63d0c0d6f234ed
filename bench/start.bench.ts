/**
 * `deno task bench`: what starting costs a program, beside an empty one.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { register } from "./match.ts";
import { startMatches } from "./start_matches.ts";

const folder = Deno.makeTempDirSync({ prefix: "graft-bench-" });
globalThis.addEventListener("unload", () => rmSync(folder, { recursive: true }));

for (const match of await startMatches(folder)) register("start", match);
