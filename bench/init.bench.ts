/**
 * `deno task bench`: the initialisers, beside memory that is only filled. They draw PyTorch's own numbers.
 *
 * @module
 */

import { initMatches } from "./init_matches.ts";
import { register } from "./match.ts";
import { Torch } from "./peers/torch.ts";

const torch = await Torch.start();
globalThis.addEventListener("unload", () => torch?.kill());

for (const match of await initMatches(torch)) register(match);
