/**
 * `deno task bench`: the initialisers, beside memory that is only filled, and building a model. They draw PyTorch's own
 * numbers, when a value is first read, and never if a checkpoint replaces it before.
 *
 * @module
 */

import { constructMatches, initMatches } from "./init_matches.ts";
import { register } from "./match.ts";
import { Torch } from "./peers/torch.ts";

const torch = await Torch.start();
globalThis.addEventListener("unload", () => torch?.kill());

for (const match of [...await initMatches(torch), ...constructMatches(torch)]) register("initialisation", match);
