/**
 * Calls so small that what is around the arithmetic is what they cost.
 *
 * @module
 */

import { Linear, manualSeed, Module, ones, relu, type Tensor } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import type { Match } from "./match.ts";
import type { LinearPeer } from "./peers/peer.ts";
import { linearProblem } from "./linear_problem.ts";

/** The layer of the README's example, and one row. */
const LAYER = { m: 1, k: 10, n: 5, isCached: true };

/** The sizes of the example's model. */
const SIZES = [10, 5, 2, 1] as const;

/** The example's model: three layers with activations between them. */
export class SmallModel extends Module {
  linear1 = new Linear(SIZES[0], SIZES[1]);
  linear2 = new Linear(SIZES[1], SIZES[2]);
  linear3 = new Linear(SIZES[2], SIZES[3]);
  override forward(x: Tensor): Tensor {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}

/** One layer and a small model, beside the same in plain loops over arrays. */
export async function callMatches(peers: readonly LinearPeer[]): Promise<readonly Match[]> {
  manualSeed(0);
  const { m, k, n } = LAYER;
  const [layer, model, x] = [new Linear(k, n), new SmallModel(), ones([m, k])];
  const rivals: Contestant[] = [];
  for (const peer of peers) rivals.push(await peer.prepare(linearProblem(LAYER)));
  const plainLayer = loops([k, n]);
  return [
    {
      work: `Linear(${k}, ${n}), one row`,
      floor: plainLayer,
      ours: { name: "Linear.forward", isAsync: false, run: () => layer.forward(x) },
      peers: rivals,
    },
    {
      work: `${SIZES.join("→")} model, one row`,
      floor: loops(SIZES),
      ours: { name: "Model.forward", isAsync: false, run: () => model.forward(x) },
      // Neither peer runs several layers as a user writes them, one call after the other.
      peers: [],
    },
  ];
}

/** The layers in loops over arrays, each result in a new one: about what a person writes who uses no library. */
function loops(sizes: readonly number[]): Contestant {
  const layers = sizes.slice(1).map((outputs, i) => ({
    weight: new Float32Array(outputs * sizes[i]).fill(0.1),
    bias: new Float32Array(outputs).fill(0.1),
  }));
  const input = new Float32Array(sizes[0]).fill(1);
  const run = () => {
    let x = input;
    for (const { weight, bias } of layers) {
      const y = new Float32Array(bias.length);
      for (let row = 0; row < y.length; row++) {
        let sum = bias[row];
        for (let i = 0; i < x.length; i++) sum += x[i] * weight[row * x.length + i];
        y[row] = Math.max(0, sum);
      }
      x = y;
    }
    return x;
  };
  return { name: "floor: loops over arrays", isAsync: false, run };
}
