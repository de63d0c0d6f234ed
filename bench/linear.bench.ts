/**
 * `deno task bench`: the forward pass of linear layers.
 *
 * The floor is the time the same multiply-adds would take with nothing between them. `Deno.bench` runs one contestant
 * after the other; `deno task bench:report` takes turns, and is the one to quote on a machine that others use too.
 *
 * @module
 */

import { type Contestant, warmUp } from "./contestant.ts";
import { BareCore, PEAK_OPERATIONS } from "./core.ts";
import { linearContestants, linearPeers, OURS } from "./linear_contestants.ts";
import { LINEAR_SHAPES, linearProblem, operations, shapeName } from "./linear_problem.ts";

/** Milliseconds each contestant runs before it is timed; V8 has compiled a hot function for speed by then. */
const WARM_UP = 100;

const core = new BareCore();
const peers = await linearPeers();

for (const shape of LINEAR_SHAPES) {
  const turns = Math.max(1, Math.round(operations(shape) / PEAK_OPERATIONS));
  const floor: Contestant = {
    name: "floor: madd peak",
    isAsync: false,
    run: () => core.peak(turns),
  };
  for (
    const contestant of [floor, ...await linearContestants(linearProblem(shape), { core, peers })]
  ) {
    await warmUp(contestant, WARM_UP);
    register(contestant, { group: `linear ${shapeName(shape)}`, baseline: contestant.name === OURS });
  }
}
