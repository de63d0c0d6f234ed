/**
 * PyTorch's functions of tensors, flat as in `torch.*`: what is a method is a function too.
 *
 * @module
 */

import { dimArgument } from "./arguments.ts";
import type { DimKeepOptions, DimOptions, DimTypeOptions, SumArgument, SumOptions } from "./arguments.ts";
import * as comparison from "./operations/comparison.ts";
import * as elementwise from "./operations/elementwise.ts";
import * as joining from "./operations/joining.ts";
import { Tensor, viewOf } from "./tensor.ts";
import type { AlphaOptions, ClampOptions, CloseOptions, Operand } from "./tensor.ts";
import type { View } from "./view.ts";

/**
 * Tensors one after the other along a dimension, 0 by default.
 *
 * @throws {RangeError} They differ in another dimension.
 *
 * @example
 * ```ts
 * import { cat, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cat([tensor([[1], [2]]), tensor([[3], [4]])], 1).tolist(), [[1, 3], [2, 4]]);
 * ```
 */
export function cat(tensors: readonly Tensor[], dim: number | DimOptions = 0): Tensor {
  return new Tensor(joining.cat(tensors.map(viewOf), dimArgument(dim, 0)));
}

/**
 * Tensors of one shape along a new dimension, 0 by default.
 *
 * @throws {RangeError} Their shapes differ.
 *
 * @example
 * ```ts
 * import { stack, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(stack([tensor([1, 2]), tensor([3, 4])]).tolist(), [[1, 2], [3, 4]]);
 * ```
 */
export function stack(tensors: readonly Tensor[], dim: number | DimOptions = 0): Tensor {
  return new Tensor(joining.stack(tensors.map(viewOf), dimArgument(dim, 0)));
}

/**
 * The product of vectors, matrices, or batches of matrices.
 *
 * @throws {RangeError} The inner sizes differ.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(matmul(tensor([[1, 2]]), tensor([[3], [4]])).tolist(), [[11]]);
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return a.matmul(b);
}

/**
 * `a` where `condition` holds, else `b`, all three broadcast.
 *
 * @example
 * ```ts
 * import { tensor, where } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([-1, 2]);
 * assertEquals(where(x.gt(0), x, 0).tolist(), [0, 2]);
 * ```
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return new Tensor(comparison.where(viewOf(condition), operand(a), operand(b)));
}

/**
 * max(x, 0), element by element.
 *
 * @example
 * ```ts
 * import { relu, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(relu(tensor([-1, 2])).tolist(), [0, 2]);
 * ```
 */
export function relu(x: Tensor): Tensor {
  return x.relu();
}

/**
 * 1/(1 + e^-x), element by element.
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sigmoid(tensor([0])).tolist(), [0.5]);
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/**
 * The hyperbolic tangent, element by element.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tanh(tensor([0])).tolist(), [0]);
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}

/**
 * e^x, element by element.
 *
 * @example
 * ```ts
 * import { exp, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(exp(tensor([0])).tolist(), [1]);
 * ```
 */
export function exp(x: Tensor): Tensor {
  return x.exp();
}

/**
 * The natural logarithm, element by element.
 *
 * @example
 * ```ts
 * import { log, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(log(tensor([1])).tolist(), [0]);
 * ```
 */
export function log(x: Tensor): Tensor {
  return x.log();
}

/**
 * The square root, element by element.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sqrt(tensor([4])).tolist(), [2]);
 * ```
 */
export function sqrt(x: Tensor): Tensor {
  return x.sqrt();
}

/**
 * The values without their sign.
 *
 * @example
 * ```ts
 * import { abs, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(abs(tensor([-4])).tolist(), [4]);
 * ```
 */
export function abs(x: Tensor): Tensor {
  return x.abs();
}

/**
 * `a` + `alpha`·`b`, broadcast; either may be a number.
 *
 * @example
 * ```ts
 * import { add, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(add(tensor([1]), 2).tolist(), [3]);
 * ```
 */
export function add(a: Operand, b: Operand, { alpha = 1 }: AlphaOptions = {}): Tensor {
  return new Tensor(elementwise.scaledSum("add", [operand(a), operand(b)], alpha));
}

/**
 * `a` - `alpha`·`b`, broadcast; either may be a number.
 *
 * @example
 * ```ts
 * import { sub, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sub(tensor([1]), 2).tolist(), [-1]);
 * assertEquals(sub(1, tensor([0.25])).tolist(), [0.75]);
 * ```
 */
export function sub(a: Operand, b: Operand, { alpha = 1 }: AlphaOptions = {}): Tensor {
  return new Tensor(elementwise.scaledSum("sub", [operand(a), operand(b)], alpha));
}

/**
 * `a` · `b`, broadcast; either may be a number.
 *
 * @example
 * ```ts
 * import { mul, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mul(tensor([3]), 2).tolist(), [6]);
 * ```
 */
export function mul(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("mul", operand(a), operand(b)));
}

/**
 * `a` / `b`, broadcast; either may be a number. A number divided by a tensor is rounded once, where Python's operator
 * multiplies the number by the rounded reciprocal.
 *
 * @example
 * ```ts
 * import { div, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(div(tensor([3]), 2).tolist(), [1.5]);
 * ```
 */
export function div(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("div", operand(a), operand(b)));
}

/**
 * `a` to the power of `b`, broadcast; either may be a number.
 *
 * @example
 * ```ts
 * import { pow, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pow(2, tensor([1, 3])).tolist(), [2, 8]);
 * ```
 */
export function pow(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("pow", operand(a), operand(b)));
}

/**
 * The remainder of `a` / `b` with the sign of `b`, as Python's `%`; either may be a number.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(remainder(tensor([-3]), 2).tolist(), [1]);
 * ```
 */
export function remainder(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("remainder", operand(a), operand(b)));
}

/**
 * The quotient of `a` / `b` rounded down; either may be a number.
 *
 * @example
 * ```ts
 * import { floorDivide, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(floorDivide(tensor([-3]), 2).tolist(), [-2]);
 * ```
 */
export function floorDivide(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("floorDivide", operand(a), operand(b)));
}

/**
 * The larger one of `a` and `b`, element by element; NaN wins.
 *
 * @example
 * ```ts
 * import { maximum, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(maximum(tensor([1, 4]), 2).tolist(), [2, 4]);
 * ```
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("maximum", operand(a), operand(b)));
}

/**
 * The smaller one of `a` and `b`, element by element; NaN wins.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(minimum(tensor([1, 4]), 2).tolist(), [1, 2]);
 * ```
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return new Tensor(elementwise.binary("minimum", operand(a), operand(b)));
}

/**
 * The values of `x` limited to [min, max].
 *
 * @example
 * ```ts
 * import { clamp, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(clamp(tensor([-1, 0.5, 2]), 0, 1).tolist(), [0, 0.5, 1]);
 * assertEquals(clamp(tensor([-1, 0.5, 2]), { max: 1 }).tolist(), [-1, 0.5, 1]);
 * ```
 */
export function clamp(x: Tensor, min?: Operand | null | ClampOptions, max?: Operand | null): Tensor {
  return x.clamp(min, max);
}

/**
 * The sum over some dimensions or all.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sum(tensor([[1, 2], [3, 4]]), 0).tolist(), [4, 6]);
 * ```
 */
export function sum(x: Tensor, dim?: SumArgument, keepdim?: boolean | SumOptions): Tensor {
  return x.sum(dim, keepdim);
}

/**
 * The mean over some dimensions or all.
 *
 * @example
 * ```ts
 * import { mean, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(mean(tensor([[1, 2], [3, 4]]), 1).tolist(), [1.5, 3.5]);
 * ```
 */
export function mean(x: Tensor, dim?: SumArgument, keepdim?: boolean | SumOptions): Tensor {
  return x.mean(dim, keepdim);
}

/**
 * Where the largest element is, along a dimension or in row-major order.
 *
 * @example
 * ```ts
 * import { argmax, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(argmax(tensor([[1, 2], [4, 3]]), 1).tolist(), [1, 0]);
 * ```
 */
export function argmax(x: Tensor, dim?: number | null | DimKeepOptions, keepdim?: boolean): Tensor {
  return x.argmax(dim, keepdim);
}

/**
 * e^x over the sum of e^x along a dimension.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softmax(tensor([0, 0]), 0).tolist(), [0.5, 0.5]);
 * ```
 */
export function softmax(x: Tensor, dim: number | DimTypeOptions, options: DimTypeOptions = {}): Tensor {
  return x.softmax(dim, options);
}

/**
 * The natural logarithm of {@linkcode softmax}.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from "@graft/graft";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(Number(logSoftmax(tensor([0, 0]), 0).select(0, 0).item()), -Math.LN2, 1e-6);
 * ```
 */
export function logSoftmax(x: Tensor, dim: number | DimTypeOptions, options: DimTypeOptions = {}): Tensor {
  return x.logSoftmax(dim, options);
}

/**
 * Whether two tensors are as close as {@linkcode Tensor.allclose} asks.
 *
 * @example
 * ```ts
 * import { allclose, tensor } from "@graft/graft";
 * import { assert } from "@std/assert";
 *
 * assert(allclose(tensor([1]), tensor([1 + 1e-7])));
 * ```
 */
export function allclose(a: Tensor, b: Tensor, options: CloseOptions = {}): boolean {
  return a.allclose(b, options);
}

/**
 * Whether two tensors have one shape and the same values.
 *
 * @example
 * ```ts
 * import { equal, tensor } from "@graft/graft";
 * import { assert } from "@std/assert";
 *
 * assert(equal(tensor([1, 2]), tensor([1, 2])));
 * ```
 */
export function equal(a: Tensor, b: Tensor): boolean {
  return a.equal(b);
}

function operand(value: Operand): View | number | bigint | boolean {
  return typeof value === "object" ? viewOf(value) : value;
}
