/**
 * The ways to initialise a large weight, and to build a model that initialises itself.
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

/** [4096, 4096]: larger than any cache. */
const SIDE = 4096;

/** The model that is drawn: as large as the linear layers of a small encoder. */
const MODEL = { layers: 12, features: 768 };

/** A model of 1 GiB. */
const LARGE = { layers: 16, features: 4096 };

/** The initialisers, as they are without options. */
const INITIALISERS: Readonly<Record<string, (tensor: Tensor) => Tensor>> = {
  xavierUniform_: (tensor) => init.xavierUniform_(tensor),
  kaimingUniform_: (tensor) => init.kaimingUniform_(tensor),
  normal_: (tensor) => init.normal_(tensor),
};

/** A weight by each initialiser. */
export async function initMatches(torch: Torch | null): Promise<readonly Match[]> {
  manualSeed(0);
  const tfjs = await startTfjs();
  const written = new Float32Array(SIDE * SIDE);
  const floor = { name: "floor: fill", isAsync: false, run: () => written.fill(0.5) };
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
    return { work: `${name} of ${SIDE}×${SIDE}`, floor, ours, peers };
  });
}

/** A model whose values are read; a large one whose values are not; and one of which only the last layer is. */
export function constructMatches(torch: Torch | null): readonly Match[] {
  const drawn = {
    name: "new model, drawn",
    isAsync: false,
    run() {
      for (const parameter of modelOf(MODEL).parameters()) firstValue(parameter);
    },
  };
  const deferred = { name: "new model", isAsync: false, run: () => modelFromSeed(LARGE) };
  const last = {
    name: "new model, last layer drawn",
    isAsync: false,
    run() {
      // The bias, behind all the draws of all the weights.
      const bias = Array.from(modelFromSeed(LARGE).parameters()).at(-1);
      return bias === undefined ? bias : firstValue(bias);
    },
  };
  const large = { floor: fillingModel(LARGE), peers: constructPeers(torch, LARGE) };
  return [
    {
      work: `${titleOf(MODEL)}: construct and draw`,
      floor: fillingModel(MODEL),
      ours: drawn,
      peers: constructPeers(torch, MODEL),
    },
    { work: "1 GiB: construct", ours: deferred, ...large },
    { work: "1 GiB: construct, draw the last", ours: last, ...large },
  ];
}

/** Linear layers of one size. */
interface ModelSize {
  readonly layers: number;
  readonly features: number;
}

function modelOf({ layers, features }: ModelSize): Sequential {
  return new Sequential(...Array.from({ length: layers }, () => new Linear(features, features)));
}

/** At the start of the random stream: behind a thousand models that were not drawn, a draw would skip all of theirs. */
function modelFromSeed(size: ModelSize): Sequential {
  manualSeed(0);
  return modelOf(size);
}

function titleOf({ layers, features }: ModelSize): string {
  return `${layers} layers ${features}→${features}`;
}

function constructPeers(torch: Torch | null, { layers, features }: ModelSize): readonly Contestant[] {
  return torch === null ? [] : [torch.contestant(`construct ${layers} ${features}`)];
}

/** What a model takes in memory, filled: a skip passes over it without writing it. */
function fillingModel({ layers, features }: ModelSize): Contestant {
  return filling(layers * (features + 1) * features);
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
