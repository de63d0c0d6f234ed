/**
 * `deno task bench`: the forward pass of linear layers.
 *
 * The floor is the time the same multiply-adds would take with nothing between them. `Deno.bench` runs one contestant
 * after the other; `deno task bench:report` takes turns, and is the one to quote on a machine that others use too.
 *
 * @module
 */

import { warmUp } from "./contestant.ts";
import { BareCore, PEAK_OPERATIONS } from "./core.ts";
import { linearContestants, linearPeers } from "./linear_contestants.ts";
import { LINEAR_SHAPES, linearProblem, operations, shapeName } from "./linear_problem.ts";
import { register } from "./match.ts";

/** Milliseconds each contestant runs before it is timed; V8 has compiled a hot function for speed by then. */
const WARM_UP = 100;

const core = new BareCore();
const peers = await linearPeers();

for (const shape of LINEAR_SHAPES) {
  const turns = Math.max(1, Math.round(operations(shape) / PEAK_OPERATIONS));
  const floor = { name: "floor: madd peak", isAsync: false, run: () => core.peak(turns) };
  const [ours, ...others] = await linearContestants(linearProblem(shape), { core, peers });
  for (const contestant of [floor, ours, ...others]) await warmUp(contestant, WARM_UP);
  register("linear forward", { work: shapeName(shape), floor, ours, peers: others });
}
