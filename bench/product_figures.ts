/**
 * The figures of the other products that the linear kernels compute: by 16-bit weights, in `matmul` and `bmm`, and those
 * of a backward pass. All of a row have the same number of operations as the forward pass beside them.
 *
 * @module
 */

import { Linear, Tensor } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import { digits, type Figure } from "./figure.ts";
import { inputOf, layerOf } from "./linear_contestants.ts";
import { linearProblem, type LinearShape, shapeName } from "./linear_problem.ts";
import { progress } from "./progress.ts";
import { timeInTurns } from "./rounds.ts";
import { type SectionOptions, speedup } from "./section.ts";

/** A batch of tokens by encoder layers, a few tokens, one, and one by weights that do not fit in a cache. */
const SHAPES: readonly LinearShape[] = [
  { m: 60, k: 768, n: 768, isCached: true },
  { m: 60, k: 3072, n: 768, isCached: true },
  { m: 120, k: 1024, n: 1024, isCached: true },
  { m: 8, k: 1024, n: 1024, isCached: true },
  { m: 1, k: 768, n: 768, isCached: true },
  { m: 1, k: 4096, n: 4096, isCached: false },
];

/** Attention scores by values: 12 heads of 64 features. */
const HEADS = { batch: 12, m: 60, k: 64, n: 64 };

/** A product may take 15 % more time than the forward pass: 1 / 1.15. */
const BAR = { least: 0.87 };

/** Bytes of a float32. */
const FLOAT = 4;

/** The dtypes of 16 bits. */
const HALVES = ["bfloat16", "float16"] as const;

/** Times every product. */
export async function productFigures(options: SectionOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const halves: Figure[] = [];
  for (const shape of SHAPES) {
    const name = shapeName(shape);
    await progress(`products ${name}`);
    const [forward, ...others] = await timeInTurns(contestants(shape), options);
    const parts = others.map((timing) => ({ ...speedup(timing, forward), name: timing.name }));
    const [weights, [product, gradient, ofWeights]] = [parts.slice(0, HALVES.length), parts.slice(HALVES.length)];
    const { value, isQuiet } = partOf(gradient) < partOf(product) ? gradient : product;
    const note = `${product.name} ${digits(partOf(product))}, ${gradient.name} ${digits(partOf(gradient))}`;
    const { n, k } = shape;
    figures.push(
      { what: `${name}, by a matrix that is not transposed: × the forward's speed`, value, isQuiet, bar: BAR, note },
      {
        what: `${name}, ${ofWeights.name}: × the forward's speed`,
        value: ofWeights.value,
        isQuiet: ofWeights.isQuiet,
        bar: BAR,
        note: `its result has ${digits(n * k * FLOAT / 1e6)} MB, the forward's ${digits(shape.m * n * FLOAT / 1e6)}`,
      },
    );
    for (const { name: dtype, value, isQuiet } of weights) {
      halves.push({ what: `${name}, ${dtype} weights: × float32's speed`, value, isQuiet });
    }
  }
  await progress("products of a batch");
  const [forward, batched] = await timeInTurns(batchContestants(), options);
  const { batch, m, k, n } = HEADS;
  figures.push({
    what: `bmm of ${batch} × ${m}×${k}×${n}: × the forward's speed`,
    ...speedup(batched, forward),
    bar: BAR,
  });
  return [...figures, ...halves];
}

function partOf({ value }: Pick<Figure, "value">): number {
  return value ?? 0;
}

/** The forward pass, the same by weights of 16 bits, `matmul`, and what a backward pass computes. */
function contestants(shape: LinearShape): readonly Contestant[] {
  const problem = linearProblem(shape);
  const { m, k, n } = shape;
  const [x, layer] = [inputOf(problem), layerOf(problem)];
  const [b, grad] = [noise([k, n]), noise([m, n])];
  const halves = HALVES.map((dtype): readonly [string, () => Tensor] => {
    const [half, x16] = [new Linear(k, n, { dtype }), x.to(dtype)];
    half.loadStateDict(layer.stateDict());
    return [dtype, () => half.forward(x16)];
  });
  const runs: readonly (readonly [string, () => Tensor])[] = [
    ["forward", () => layer.forward(x)],
    ...halves,
    ["x · B", () => x.matmul(b)],
    ["grad · W", () => grad.matmul(layer.weight)],
    ["gradᵀ · x", () => grad.t().matmul(x)],
  ];
  return runs.map(([name, run]) => ({ name, isAsync: false, run }));
}

/** The forward pass of a layer as wide as a head, with the rows of all heads; then the batch. */
function batchContestants(): readonly Contestant[] {
  const { batch, m, k, n } = HEADS;
  const problem = linearProblem({ m: batch * m, k, n, isCached: true });
  const [x, layer] = [inputOf(problem), layerOf(problem)];
  const [a, b] = [noise([batch, m, k]), noise([batch, k, n])];
  return [
    { name: "forward", isAsync: false, run: () => layer.forward(x) },
    { name: "bmm", isAsync: false, run: () => a.matmul(b) },
  ];
}

function noise(shape: readonly number[]): Tensor {
  const { x } = linearProblem({ m: shape.reduce((product, size) => product * size, 1), k: 1, n: 1, isCached: true });
  return Tensor.fromBytes(new Uint8Array(x.buffer), { dtype: "float32", shape });
}
