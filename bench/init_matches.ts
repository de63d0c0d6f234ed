/**
 * The ways to initialise a million values, and to build a model that initialises itself.
 *
 * Graft draws when a value is first read, so that each of ours reads one.
 *
 * @module
 */

import { init, Linear, manualSeed, Sequential, type Tensor, zeros } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import type { Match } from "./match.ts";
import type { Torch } from "./peers/torch.ts";
import { startTfjs } from "./peers/tfjs.ts";

/** [1000, 1000]. */
const SIDE = 1000;

/** The model: as large as the linear layers of a small encoder. */
const MODEL = { layers: 12, features: 768 };

/** The initialisers, as they are without options. */
const INITIALISERS: Readonly<Record<string, (tensor: Tensor) => Tensor>> = {
  xavierUniform_: (tensor) => init.xavierUniform_(tensor),
  kaimingUniform_: (tensor) => init.kaimingUniform_(tensor),
  normal_: (tensor) => init.normal_(tensor),
};

/** A million values by each initialiser. */
export async function initMatches(torch: Torch | null): Promise<readonly Match[]> {
  manualSeed(0);
  const tfjs = await startTfjs();
  return Object.entries(INITIALISERS).map(([name, initialise]) => {
    const tensor = zeros([SIDE, SIDE]);
    const ours = {
      name,
      isAsync: false,
      run() {
        initialise(tensor);
        return firstValue(tensor);
      },
    };
    const peers: Contestant[] = [];
    if (torch !== null) peers.push(torch.contestant(name));
    // tfjs has no other distribution in its core that is drawn the same way.
    if (tfjs !== null && name !== "normal_") {
      const run = () => tfjs.randomUniform([SIDE, SIDE], -1, 1).dispose();
      peers.push({ name: "tfjs randomUniform", isAsync: false, run });
    }
    return { work: `${name} of 1M values`, floor: filling(SIDE * SIDE), ours, peers };
  });
}

/** A model whose values are not read, and one whose values are. */
export function constructMatches(torch: Torch | null): readonly Match[] {
  const { layers, features } = MODEL;
  const make = () => new Sequential(...Array.from({ length: layers }, () => new Linear(features, features)));
  const floor = filling(layers * (features + 1) * features);
  const peers = torch === null ? [] : [torch.contestant(`construct ${layers} ${features}`)];
  const deferred = { name: "new model", isAsync: false, run: make };
  const drawn = {
    name: "new model, drawn",
    isAsync: false,
    run() {
      for (const parameter of make().parameters()) firstValue(parameter);
    },
  };
  const model = `${layers} layers ${features}→${features}`;
  return [
    { work: `${model}: construct`, floor, ours: deferred, peers },
    { work: `${model}: construct and draw`, floor, ours: drawn, peers },
  ];
}

/** Fresh memory with something in it. */
function filling(count: number): Contestant {
  return { name: "floor: allocate and fill", isAsync: false, run: () => new Float32Array(count).fill(0.5) };
}

function firstValue(tensor: Tensor): unknown {
  let first = tensor;
  while (first.ndim > 0) first = first.select(0, 0);
  return first.item();
}
