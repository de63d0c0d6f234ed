/**
 * `deno task bench`: building a model. Its values are drawn when they are first read, and never if a checkpoint
 * replaces them before.
 *
 * @module
 */

import { constructMatches } from "./init_contestants.ts";
import { Torch } from "./peers/torch.ts";
import { register } from "./register.ts";

const torch = await Torch.start();
globalThis.addEventListener("unload", () => torch?.kill());

for (const { name: group, contestants } of constructMatches(torch)) {
  for (const [i, contestant] of contestants.entries()) {
    register(contestant, { group, baseline: i === 1 });
  }
}
