/**
 * The ways to initialise a million values, and to build a model that initialises itself.
 *
 * Graft draws when a value is first read, so that each of ours reads one.
 *
 * @module
 */

import { init, Linear, manualSeed, Sequential, type Tensor, zeros } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import type { Torch } from "./peers/torch.ts";
import { startTfjs } from "./peers/tfjs.ts";

/** [1000, 1000]. */
const SIDE = 1000;

/** The model: as large as the linear layers of a small encoder. */
const MODEL = { layers: 12, features: 768 };

/** Contestants for the same work, floor first, then ours. */
export interface Match {
  /** The work. */
  readonly name: string;
  /** Whoever does it. */
  readonly contestants: readonly Contestant[];
}

/** A million values by each initialiser. */
export async function initMatches(torch: Torch | null): Promise<readonly Match[]> {
  manualSeed(0);
  const tfjs = await startTfjs();
  const names = ["xavierUniform_", "kaimingUniform_", "normal_"] as const;
  return names.map((name) => {
    const tensor = zeros([SIDE, SIDE]);
    const initialise = init[name];
    const contestants: Contestant[] = [floor(SIDE * SIDE), {
      name,
      isAsync: false,
      run() {
        initialise(tensor);
        return firstValue(tensor);
      },
    }];
    // Uniform values are the only ones that tfjs draws without rejecting some.
    if (tfjs !== null && name !== "normal_") {
      contestants.push({
        name: "tfjs randomUniform",
        isAsync: false,
        run: () => tfjs.randomUniform([SIDE, SIDE], -1, 1).dispose(),
      });
    }
    if (torch !== null) contestants.push(torch.contestant(name));
    return { name: `${name} of 1M values`, contestants };
  });
}

/** A model whose values are not read, and one whose values are. */
export function constructMatches(torch: Torch | null): readonly Match[] {
  const { layers, features } = MODEL;
  const make = () => new Sequential(...Array.from({ length: layers }, () => new Linear(features, features)));
  const values = layers * (features + 1) * features;
  const peers = torch === null ? [] : [torch.contestant(`construct ${layers} ${features}`)];
  const deferred = { name: "new model", isAsync: false, run: make };
  const read = {
    name: "new model, all values drawn",
    isAsync: false,
    run() {
      for (const parameter of make().parameters()) firstValue(parameter);
    },
  };
  const name = `${layers} layers ${features}→${features}`;
  return [
    { name: `${name}: constructed`, contestants: [floor(values), deferred, ...peers] },
    { name: `${name}: constructed and drawn`, contestants: [floor(values), read, ...peers] },
  ];
}

/** Fresh memory with something in it. */
function floor(count: number): Contestant {
  return { name: "floor: allocate and fill", isAsync: false, run: () => new Float32Array(count).fill(0.5) };
}

function firstValue(tensor: Tensor): unknown {
  let first = tensor;
  while (first.ndim > 0) first = first.select(0, 0);
  return first.item();
}
