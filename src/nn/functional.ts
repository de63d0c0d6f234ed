/**
 * PyTorch's `torch.nn.functional`: layers as functions.
 *
 * @module
 */

import type { RandomOptions } from "../tensor/arguments.ts";
import { zerosLike } from "../tensor/creation.ts";
import { unary, unaryInPlace } from "../tensor/operations/elementwise.ts";
import { linear as linearView } from "../tensor/operations/matrix.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { requireProbability } from "./probability.ts";

export { logSoftmax, relu, sigmoid, softmax, tanh } from "../tensor/functions.ts";

/** Whether a function writes into its input. */
interface InplaceOptions {
  /** `false` by default. */
  readonly inplace?: boolean;
}

/** How {@linkcode dropout} behaves. */
interface DropoutSettings extends RandomOptions, InplaceOptions {
  /** Whether anything is dropped. `true` by default. */
  readonly training?: boolean;
}

/** The options of {@linkcode softplus}. */
interface SoftplusOptions {
  /** 1 by default. */
  readonly beta?: number;
  /** 20 by default. */
  readonly threshold?: number;
}

/**
 * y = x·Wᵀ + b over the last dimension: [*, in] → [*, out], the weight [out, in].
 *
 * @throws {RangeError} The sizes do not fit.
 * @throws {TypeError} The dtypes differ.
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const y = functional.linear(tensor([[1, 2]]), tensor([[3, 4]]), tensor([0.5]));
 * assertEquals(y.tolist(), [[11.5]]);
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return new Tensor(linearView(viewOf(x), viewOf(weight), bias === null ? null : viewOf(bias)));
}

/**
 * x·Φ(x): exact, or the approximation by tanh.
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(Number(functional.gelu(tensor([1])).item()), 0.8413447, 1e-6);
 * ```
 */
export function gelu(x: Tensor, { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {}): Tensor {
  if (approximate !== "none" && approximate !== "tanh") {
    throw new RangeError("approximate argument must be either none or tanh.");
  }
  return new Tensor(unary(approximate === "tanh" ? "geluTanh" : "gelu", viewOf(x)));
}

/**
 * x·sigmoid(x).
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(Number(functional.silu(tensor([1])).item()), 0.7310586, 1e-6);
 * ```
 */
export function silu(x: Tensor, { inplace = false }: InplaceOptions = {}): Tensor {
  if (!inplace) return new Tensor(unary("silu", viewOf(x)));
  unaryInPlace("silu", viewOf(x));
  return x;
}

/**
 * x where it is positive, else slope·x.
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(functional.leakyRelu(tensor([-2, 2]), 0.5).tolist(), [-1, 2]);
 * ```
 */
export function leakyRelu(
  x: Tensor,
  negativeSlope: number | (InplaceOptions & { readonly negativeSlope?: number }) = {},
  options: InplaceOptions = {},
): Tensor {
  const named = typeof negativeSlope === "number" ? { negativeSlope, ...options } : negativeSlope;
  const a = named.negativeSlope ?? 0.01;
  if (named.inplace !== true) return new Tensor(unary("leakyRelu", viewOf(x), { a }));
  unaryInPlace("leakyRelu", viewOf(x), { a });
  return x;
}

/**
 * ln(1 + e^(beta·x))/beta, and x itself where beta·x is above the threshold.
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(Number(functional.softplus(tensor([0])).item()), Math.LN2, 1e-6);
 * ```
 */
export function softplus(x: Tensor, beta: number | SoftplusOptions = {}, threshold: number = 20): Tensor {
  const named = typeof beta === "number" ? { beta, threshold } : beta;
  return new Tensor(unary("softplus", viewOf(x), { a: named.beta ?? 1, b: named.threshold ?? 20 }));
}

/**
 * x where it is positive, else alpha·(e^x − 1).
 *
 * @example
 * ```ts
 * import { functional, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(functional.elu(tensor([-Infinity, 2])).tolist(), [-1, 2]);
 * ```
 */
export function elu(
  x: Tensor,
  alpha: number | (InplaceOptions & { readonly alpha?: number }) = {},
  options: InplaceOptions = {},
): Tensor {
  const named = typeof alpha === "number" ? { alpha, ...options } : alpha;
  const a = named.alpha ?? 1;
  if (named.inplace !== true) return new Tensor(unary("elu", viewOf(x), { a }));
  unaryInPlace("elu", viewOf(x), { a });
  return x;
}

/**
 * In training, zeroes elements with probability `p` and scales the others by 1/(1 − p); else passes `x` through.
 *
 * @throws {RangeError} `p` is not within [0, 1].
 *
 * @example
 * ```ts
 * import { functional, ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(functional.dropout(ones([2]), { p: 0.5, training: false }).tolist(), [1, 1]);
 * ```
 */
export function dropout(
  x: Tensor,
  p: number | (DropoutSettings & { readonly p?: number }) = {},
  options: DropoutSettings = {},
): Tensor {
  const named = typeof p === "number" ? { ...options, p } : p;
  const chance = requireProbability(named.p ?? 0.5);
  if (named.training === false || chance === 0 || x.numel === 0) return x;
  const draw = { generator: named.generator };
  const kept = chance === 1 ? zerosLike(x) : zerosLike(x).bernoulli_(1 - chance, draw).div_(1 - chance);
  return named.inplace === true ? x.mul_(kept) : x.mul(kept);
}
