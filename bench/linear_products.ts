/**
 * The other products that the linear kernels compute: 16-bit weights, and the matrix products of a backward pass.
 *
 * @module
 */

import { Linear, Tensor } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import { type BareCore, PEAK_OPERATIONS } from "./core.ts";
import { inputOf, layerOf } from "./linear_contestants.ts";
import { linearProblem, type LinearShape, operations, shapeName } from "./linear_problem.ts";
import type { LinearPeer } from "./peers/peer.ts";
import { timeInTurns, type Timing, type TurnOptions } from "./rounds.ts";
import { figure, table } from "./table.ts";

/** Turns of one sample of the peak. */
const PEAK_TURNS = 500_000;

/** A batch of tokens by encoder layers, a few tokens, and one by weights that do not fit in a cache. */
const SHAPES: readonly LinearShape[] = [
  { m: 60, k: 768, n: 768, isCached: true },
  { m: 60, k: 3072, n: 768, isCached: true },
  { m: 120, k: 1024, n: 1024, isCached: true },
  { m: 8, k: 1024, n: 1024, isCached: true },
  { m: 1, k: 768, n: 768, isCached: true },
  { m: 1, k: 4096, n: 4096, isCached: false },
];

/** The products, as they stand in the table. All have the same number of operations. */
const NAMES = ["float32", "bfloat16", "float16", "x · B", "grad · W", "gradᵀ · x"] as const;

/** A batch of attention scores by values: 12 heads. */
const HEADS = { batch: 12, m: 60, k: 64, n: 64 };

/** Times every product and gives the table. */
export async function productsReport(
  core: BareCore,
  { peers, ...options }: TurnOptions & { readonly peers: readonly LinearPeer[] },
): Promise<string> {
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const rivals: Contestant[] = [];
    for (const peer of peers) rivals.push(await peer.prepare(linearProblem(shape)));
    const timings = await timeInTurns([peakOf(core), ...productsOf(shape), ...rivals], options);
    const [peak, ...ours] = timings;
    const parts = ours.slice(0, NAMES.length).map((timing) => partOfPeak(operations(shape), timing, peak));
    const best = ours.slice(NAMES.length).toSorted((a, b) => a.milliseconds - b.milliseconds).at(0);
    rows.push([shapeName(shape), ...parts, best === undefined ? "not installed" : ratioText(ours[1], best)]);
  }
  const heads = await timeInTurns([peakOf(core), headsProduct()], options);
  const { batch, m, k, n } = HEADS;
  const part = partOfPeak(batch * operations(HEADS), heads[1], heads[0]);
  return [
    "The same kernels by 16-bit weights and in matrix products, in % of the madd peak\n",
    table(["M×K×N", ...NAMES, "bfloat16 / better peer's float32"], rows),
    `\nmatmul of ${batch} pairs of matrices, ${m}×${k} by ${k}×${n}: ${part} %.`,
  ].join("\n");
}

function peakOf(core: BareCore): Contestant {
  return { name: "madd peak", isAsync: false, run: () => core.peak(PEAK_TURNS) };
}

function productsOf(shape: LinearShape): readonly Contestant[] {
  const problem = linearProblem(shape);
  const { m, k, n } = shape;
  const [x, layer] = [inputOf(problem), layerOf(problem)];
  const [b, grad] = [noise([k, n]), noise([m, n])];
  const halves = (["bfloat16", "float16"] as const).map((dtype) => {
    const [half, x16] = [new Linear(k, n, { dtype }), x.to(dtype)];
    half.loadStateDict(layer.stateDict());
    return () => half.forward(x16);
  });
  const runs = [
    () => layer.forward(x),
    ...halves,
    () => x.matmul(b),
    () => grad.matmul(layer.weight),
    () => grad.t().matmul(x),
  ];
  return runs.map((run, i) => ({ name: NAMES[i], isAsync: false, run }));
}

function headsProduct(): Contestant {
  const { batch, m, k, n } = HEADS;
  const [a, b] = [noise([batch, m, k]), noise([batch, k, n])];
  return { name: "bmm", isAsync: false, run: () => a.matmul(b) };
}

function noise(shape: readonly number[]): Tensor {
  const { x } = linearProblem({ m: shape.reduce((product, size) => product * size, 1), k: 1, n: 1, isCached: true });
  return Tensor.fromBytes(new Uint8Array(x.buffer), { dtype: "float32", shape });
}

function partOfPeak(count: number, timing: Timing, peak: Timing): string {
  const most = PEAK_TURNS * PEAK_OPERATIONS / peak.milliseconds;
  return figure(100 * count / timing.milliseconds / most, timing.isQuiet && peak.isQuiet);
}

function ratioText(ours: Timing, theirs: Timing): string {
  return figure(theirs.milliseconds / ours.milliseconds, ours.isQuiet && theirs.isQuiet);
}
