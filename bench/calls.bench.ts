/**
 * `deno task bench`: small calls, beside plain loops over arrays.
 *
 * @module
 */

import { callMatches } from "./call_matches.ts";
import { warmUp } from "./contestant.ts";
import { linearPeers } from "./linear_contestants.ts";
import { register } from "./match.ts";

/** Milliseconds each contestant runs before it is timed; V8 has compiled a hot function for speed by then. */
const WARM_UP = 100;

for (const match of await callMatches(await linearPeers())) {
  for (const contestant of [match.floor, match.ours, ...match.peers]) await warmUp(contestant, WARM_UP);
  register("small calls", match);
}
