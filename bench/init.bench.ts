/**
 * `deno task bench`: the initialisers, beside memory that is only filled. They draw PyTorch's own numbers.
 *
 * @module
 */

import { initMatches } from "./init_contestants.ts";
import { Torch } from "./peers/torch.ts";
import { register } from "./register.ts";

const torch = await Torch.start();
globalThis.addEventListener("unload", () => torch?.kill());

for (const { name: group, contestants } of await initMatches(torch)) {
  for (const [i, contestant] of contestants.entries()) {
    register(contestant, { group, baseline: i === 1 });
  }
}
