/**
 * `deno task bench`: building a model. Its values are drawn when they are first read, and never if a checkpoint
 * replaces them before.
 *
 * @module
 */

import { constructMatches } from "./init_matches.ts";
import { register } from "./match.ts";
import { Torch } from "./peers/torch.ts";

const torch = await Torch.start();
globalThis.addEventListener("unload", () => torch?.kill());

for (const match of constructMatches(torch)) register(match);
