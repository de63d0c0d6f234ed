/**
 * Truncated normal values, as `torch.nn.init.trunc_normal_` draws them since torch 2.12: by rejection, whole tensors at
 * a time.
 *
 * @module
 */

import { DTYPES } from "../../dtype.ts";
import { nonzeroCount } from "../../core/kernels.ts";
import { memory } from "../../core/memory.ts";
import { drawNow } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import { emptyLike, inMemoryOrder } from "../layout.ts";
import { memoryOrder, uninitialised } from "../view.ts";
import type { View } from "../view.ts";
import { compare, where } from "./comparison.ts";
import { copyInto } from "./copying.ts";
import { FLOATS, normalInto, requireDtype } from "./drawing.ts";
import { binary, scalarView, unary } from "./elementwise.ts";

/** Above this probability of the interval PyTorch proposes normal values, up to it uniform ones. */
const NORMAL_PROPOSALS = 0.3;

/** A normal distribution, and between which values it is cut off. */
export interface TruncatedNormal {
  readonly mean: number;
  readonly std: number;
  readonly a: number;
  readonly b: number;
}

/** Normal values within [a, b], drawn at once: how many draws they take is not known before. */
export function truncatedNormalInto(target: View, stream: RandomStream, distribution: TruncatedNormal): void {
  requireDtype("trunc_normal_", target.dtype, FLOATS);
  // The kernel draws normals as for a contiguous tensor, which is another algorithm than for one that is not.
  if (!target.isContiguous && proposesNormals(distribution)) return rejectNormals(target, stream, distribution);
  const { mean, std, a, b } = distribution;
  const order = memoryOrder(target);
  const ordered = order ?? inMemoryOrder(target);
  const values = order ?? uninitialised(target.dtype, ordered.shape);
  drawNow(stream, values, (engine, address) => {
    const code = DTYPES[target.dtype].code;
    return memory().exports.random_truncated_normal(engine, address, code, target.numel, mean, std, a, b);
  });
  if (order === null) copyInto(ordered, values);
}

/** Whether Φ((b − mean)/std) − Φ((a − mean)/std), with Φ(x) = (1 + erf(x/√2))/2, is above the limit. */
function proposesNormals({ mean, std, a, b }: TruncatedNormal): boolean {
  const [low, high] = [a, b].map((x) => unary("erf", scalarView((x - mean) / std / Math.SQRT2, "float64")));
  return nonzeroCount(compare("gt", binary("sub", high, low), 2 * NORMAL_PROPOSALS), 1) > 0;
}

/** Normals, and while any lies outside a whole new tensor of them, of which those outside take theirs. */
function rejectNormals(target: View, stream: RandomStream, { mean, std, a, b }: TruncatedNormal): void {
  const [low, high] = [a, b].map((bound) => scalarView(bound, target.dtype));
  normalInto(target, stream, mean, std);
  for (;;) {
    const outside = binary("bitwiseOr", compare("lt", target, low), compare("gt", target, high));
    if (nonzeroCount(outside, outside.numel) === 0) return;
    const others = emptyLike(target);
    normalInto(others, stream, mean, std);
    copyInto(target, where(outside, others, target));
  }
}
