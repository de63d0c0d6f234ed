/**
 * PyTorch's `torch.nn.init`: functions that fill a tensor in place and return it, with PyTorch's random stream.
 *
 * @module
 */

import { numelOf } from "../shape.ts";
import type { Shape } from "../shape.ts";
import { eye } from "../tensor/creation.ts";
import type { RandomOptions } from "../tensor/arguments.ts";
import { streamOf } from "../tensor/generator.ts";
import * as drawing from "../tensor/operations/drawing.ts";
import { truncatedNormalInto } from "../tensor/operations/truncated.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { uninitialised } from "../tensor/view.ts";
import { pythonRepr } from "./repr.ts";

/** What a layer's activation is, for the gain that keeps the variance of its output. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "conv_transpose1d"
  | "conv_transpose2d"
  | "conv_transpose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "selu";

/** Whether the variance is kept forward (`"fan_in"`) or backward (`"fan_out"`). */
export type FanMode = "fan_in" | "fan_out";

/** The options of {@linkcode xavierUniform_} and {@linkcode xavierNormal_}. */
export interface GainOptions extends RandomOptions {
  /** A factor on the deviation; 1 by default. {@linkcode calculateGain} gives one for an activation. */
  readonly gain?: number;
}

/** The options of {@linkcode kaimingUniform_} and {@linkcode kaimingNormal_}. */
export interface KaimingOptions extends RandomOptions {
  /** The negative slope of the leaky ReLU that follows; 0 by default. */
  readonly a?: number;
  /** `"fan_in"` by default. */
  readonly mode?: FanMode;
  /** `"leaky_relu"` by default. */
  readonly nonlinearity?: Nonlinearity;
}

/** The options of {@linkcode truncNormal_}. */
export interface TruncNormalOptions extends RandomOptions {
  /** The mean before truncation; 0 by default. */
  readonly mean?: number;
  /** The deviation before truncation; 1 by default. */
  readonly std?: number;
  /** The smallest value; -2 by default. */
  readonly a?: number;
  /** The largest value; 2 by default. */
  readonly b?: number;
}

/** The options of {@linkcode sparse_}. */
export interface SparseOptions extends RandomOptions {
  /** The fraction of every column that becomes 0. */
  readonly sparsity?: number;
  /** The deviation of the others; 0.01 by default. */
  readonly std?: number;
}

/** Gains of activations that need no parameter (the table of `torch.nn.init.calculate_gain`). */
const GAINS: Readonly<Record<Exclude<Nonlinearity, "leaky_relu">, number>> = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  conv_transpose1d: 1,
  conv_transpose2d: 1,
  conv_transpose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.sqrt(2),
  selu: 3 / 4,
};

/** The slope of PyTorch's leaky ReLU where none is given. */
const DEFAULT_SLOPE = 0.01;

/**
 * The factor by which an activation wants the deviation of its inputs raised.
 *
 * @param param The slope of a leaky ReLU.
 * @throws {RangeError} There is no such activation.
 *
 * @example
 * ```ts
 * import { init } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(init.calculateGain("relu"), Math.SQRT2);
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, param: number = DEFAULT_SLOPE): number {
  if (nonlinearity === "leaky_relu") {
    if (typeof param === "boolean") throw new RangeError(`negative_slope ${pythonRepr(param)} not a valid number`);
    if (typeof param !== "number") throw new RangeError(`negative_slope ${param} not a valid number`);
    return Math.sqrt(2 / (1 + param ** 2));
  }
  if (!Object.hasOwn(GAINS, nonlinearity)) throw new RangeError(`Unsupported nonlinearity ${nonlinearity}`);
  return GAINS[nonlinearity];
}

/**
 * Draws from [a, b).
 *
 * @example
 * ```ts
 * import { init, manualSeed, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * assertEquals(init.uniform_(zeros([1])).tolist(), [0.49625658988952637]);
 * ```
 */
export function uniform_(
  tensor: Tensor,
  a?: number | (RandomOptions & { readonly a?: number; readonly b?: number }),
  b?: number,
  options?: RandomOptions,
): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function uniform_(tensor: Tensor, key: string): Tensor;
export function uniform_(
  tensor: Tensor,
  a: number | string | (RandomOptions & { readonly a?: number; readonly b?: number }) = 0,
  b: number = 1,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(a, (a) => ({ a, b, ...options }));
  return tensor.uniform_(named.a ?? 0, named.b ?? 1, named);
}

/** Draws from a normal distribution of the given mean and deviation. */
export function normal_(
  tensor: Tensor,
  mean?: number | (RandomOptions & { readonly mean?: number; readonly std?: number }),
  std?: number,
  options?: RandomOptions,
): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function normal_(tensor: Tensor, key: string): Tensor;
export function normal_(
  tensor: Tensor,
  mean: number | string | (RandomOptions & { readonly mean?: number; readonly std?: number }) = 0,
  std: number = 1,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(mean, (mean) => ({ mean, std, ...options }));
  return tensor.normal_(named.mean ?? 0, named.std ?? 1, named);
}

/** Writes one value everywhere. */
export function constant_(
  tensor: Tensor,
  value: number | bigint | boolean | { readonly val: number | bigint | boolean },
): Tensor {
  return tensor.fill_(typeof value === "object" ? value.val : value);
}

/** Writes 1 everywhere. */
export function ones_(tensor: Tensor): Tensor {
  return tensor.fill_(1);
}

/** Writes 0 everywhere. */
export function zeros_(tensor: Tensor): Tensor {
  return tensor.fill_(0);
}

/**
 * The identity: ones on the diagonal of a matrix.
 *
 * @throws {RangeError} The tensor is no matrix.
 */
export function eye_(tensor: Tensor): Tensor {
  requireMatrix(tensor);
  return tensor.copy_(eye(tensor.shape[0], tensor.shape[1], { dtype: tensor.dtype }));
}

/**
 * The identity of a convolution, as far as channels allow: [out, in, …kernel].
 *
 * @param groups The number of groups; 1 by default.
 * @throws {RangeError} The tensor has not 3 to 5 dimensions, or `groups` does not divide the first.
 */
export function dirac_(tensor: Tensor, groups?: number | { readonly groups?: number }): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function dirac_(tensor: Tensor, key: string): Tensor;
export function dirac_(tensor: Tensor, options: number | string | { readonly groups?: number } = 1): Tensor {
  const { groups = 1 } = byPosition<{ readonly groups?: number }>(options, (groups) => ({ groups }));
  if (tensor.ndim < 3 || tensor.ndim > 5) throw new RangeError("Only tensors with 3, 4, or 5 dimensions are supported");
  if (tensor.shape[0] % groups !== 0) throw new RangeError("dim 0 must be divisible by groups");
  drawing.diracInto(viewOf(tensor), groups);
  return tensor;
}

/**
 * Glorot and Bengio's uniform draw: U(−a, a) with a = gain·√(6/(fanIn + fanOut)).
 *
 * @throws {RangeError} The tensor has fewer than 2 dimensions.
 *
 * @example
 * ```ts
 * import { init, manualSeed, zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * // torch.manual_seed(0); torch.nn.init.xavier_uniform_(torch.zeros(1, 2))
 * assertEquals(init.xavierUniform_(zeros([1, 2])).tolist(), [[-0.010587962344288826, 0.75864577293396]]);
 * ```
 */
export function xavierUniform_(tensor: Tensor, gain?: number | GainOptions, options?: RandomOptions): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function xavierUniform_(tensor: Tensor, key: string): Tensor;
export function xavierUniform_(
  tensor: Tensor,
  gain: number | string | GainOptions = 1,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(gain, (gain) => ({ gain, ...options }));
  const { fanIn, fanOut } = fans(tensor.shape);
  const std = (named.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
  const a = Math.sqrt(3) * std;
  return tensor.uniform_(-a, a, named);
}

/** Glorot and Bengio's normal draw: N(0, gain²·2/(fanIn + fanOut)). */
export function xavierNormal_(tensor: Tensor, gain?: number | GainOptions, options?: RandomOptions): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function xavierNormal_(tensor: Tensor, key: string): Tensor;
export function xavierNormal_(
  tensor: Tensor,
  gain: number | string | GainOptions = 1,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(gain, (gain) => ({ gain, ...options }));
  const { fanIn, fanOut } = fans(tensor.shape);
  return tensor.normal_(0, (named.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)), named);
}

/**
 * He's uniform draw: U(−bound, bound) with bound = gain·√(3/fan).
 *
 * @throws {RangeError} The tensor has fewer than 2 dimensions, or the mode or nonlinearity does not exist.
 */
export function kaimingUniform_(
  tensor: Tensor,
  a?: number | KaimingOptions,
  mode?: FanMode,
  nonlinearity?: Nonlinearity,
  options?: RandomOptions,
): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function kaimingUniform_(tensor: Tensor, key: string): Tensor;
export function kaimingUniform_(
  tensor: Tensor,
  a: number | string | KaimingOptions = 0,
  mode: FanMode = "fan_in",
  nonlinearity: Nonlinearity = "leaky_relu",
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(a, (a) => ({ a, mode, nonlinearity, ...options }));
  if (tensor.shape.includes(0)) return tensor;
  const bound = Math.sqrt(3) * kaimingDeviation(tensor.shape, named);
  return tensor.uniform_(-bound, bound, named);
}

/** He's normal draw: N(0, gain²/fan). */
export function kaimingNormal_(
  tensor: Tensor,
  a?: number | KaimingOptions,
  mode?: FanMode,
  nonlinearity?: Nonlinearity,
  options?: RandomOptions,
): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function kaimingNormal_(tensor: Tensor, key: string): Tensor;
export function kaimingNormal_(
  tensor: Tensor,
  a: number | string | KaimingOptions = 0,
  mode: FanMode = "fan_in",
  nonlinearity: Nonlinearity = "leaky_relu",
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(a, (a) => ({ a, mode, nonlinearity, ...options }));
  if (tensor.shape.includes(0)) return tensor;
  return tensor.normal_(0, kaimingDeviation(tensor.shape, named), named);
}

/**
 * Draws from a normal distribution, again and again until every value is within [a, b] (torch 2.12 and later).
 *
 * It takes an unforeseeable number of draws, so it runs at once.
 *
 * @throws {RangeError} `a` is not below `b`, or `std` is not positive.
 */
export function truncNormal_(
  tensor: Tensor,
  mean?: number | TruncNormalOptions,
  std?: number,
  a?: number,
  b?: number,
  options?: RandomOptions,
): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function truncNormal_(tensor: Tensor, key: string): Tensor;
export function truncNormal_(
  tensor: Tensor,
  mean: number | string | TruncNormalOptions = 0,
  std: number = 1,
  a: number = -2,
  b: number = 2,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(mean, (mean) => ({ mean, std, a, b, ...options }));
  const bounds = { mean: named.mean ?? 0, std: named.std ?? 1, a: named.a ?? -2, b: named.b ?? 2 };
  if (!(bounds.a < bounds.b) || !(bounds.std > 0)) {
    throw new RangeError(
      `Cannot draw a truncated normal: needs a < b and std > 0, got a=${bounds.a}, b=${bounds.b}, std=${bounds.std}`,
    );
  }
  truncatedNormalInto(viewOf(tensor), streamOf(named), bounds);
  return tensor;
}

/**
 * Orthonormal rows or columns times `gain` (Saxe et al.), by a QR factorisation of a normal draw in float64.
 *
 * The draw is PyTorch's own; the factorisation is LAPACK's up to rounding: within 1e-5 of PyTorch's values in float32.
 *
 * @throws {RangeError} The tensor has fewer than 2 dimensions.
 */
export function orthogonal_(tensor: Tensor, gain?: number | GainOptions, options?: RandomOptions): Tensor;
/** As a load's `initMissing`, which passes the key of the parameter; it is not looked at. */
export function orthogonal_(tensor: Tensor, key: string): Tensor;
export function orthogonal_(
  tensor: Tensor,
  gain: number | string | GainOptions = 1,
  options: RandomOptions = {},
): Tensor {
  const named = byPosition(gain, (gain) => ({ gain, ...options }));
  if (tensor.ndim < 2) throw new RangeError("Only tensors with 2 or more dimensions are supported");
  if (tensor.numel === 0) return tensor;
  const rows = tensor.shape[0];
  const cols = tensor.numel / rows;
  const draw = new Tensor(uninitialised(tensor.dtype, [rows, cols])).normal_(0, 1, named);
  drawing.orthogonalise(viewOf(draw), named.gain ?? 1);
  return tensor.copy_(draw.view(tensor.shape));
}

/**
 * A normal draw in which a fraction of every column is 0.
 *
 * @throws {RangeError} The tensor is no matrix.
 */
export function sparse_(
  tensor: Tensor,
  sparsity: number | SparseOptions,
  std: number = 0.01,
  options: RandomOptions = {},
): Tensor {
  const named = typeof sparsity === "number" ? { sparsity, std, ...options } : sparsity;
  requireMatrix(tensor);
  tensor.normal_(0, named.std ?? 0.01, named);
  // PyTorch draws the rows from the default generator, whichever the values came from.
  drawing.sparsifyInto(viewOf(tensor), streamOf({}), Math.ceil((named.sparsity ?? 0) * tensor.shape[0]));
  return tensor;
}

// A load that is to initialise what is missing asks each function how many dimensions it needs, and its report names it
// as here, whatever a bundler made of its name.
const FROM_DIMENSIONS = [
  [0, { uniform_, normal_, ones_, zeros_, truncNormal_ }],
  [2, { eye_, xavierUniform_, xavierNormal_, kaimingUniform_, kaimingNormal_, orthogonal_ }],
  [3, { dirac_ }],
] as const;

for (const [minDimensions, functions] of FROM_DIMENSIONS) {
  for (const [name, fn] of Object.entries(functions)) {
    Object.defineProperties(fn, { name: { value: name }, minDimensions: { value: minDimensions } });
  }
}

/** The first optional argument as options: by position, or an options object already; a key says nothing. */
function byPosition<Options extends object>(
  first: number | string | Options,
  named: (first: number | undefined) => Options,
): Options {
  if (typeof first === "object") return first;
  return named(typeof first === "number" ? first : undefined);
}

/** Inputs and outputs that one unit has: sizes 1 and 0, each times the kernel's size. */
function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new RangeError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
  }
  const receptive = numelOf(shape.slice(2));
  return { fanIn: shape[1] * receptive, fanOut: shape[0] * receptive };
}

function kaimingDeviation(
  shape: Shape,
  { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" }: KaimingOptions,
): number {
  if (mode !== "fan_in" && mode !== "fan_out") {
    throw new RangeError(`Mode ${mode} not supported, please use one of ['fan_in', 'fan_out']`);
  }
  const { fanIn, fanOut } = fans(shape);
  return calculateGain(nonlinearity, a) / Math.sqrt(mode === "fan_in" ? fanIn : fanOut);
}

function requireMatrix(tensor: Tensor): void {
  if (tensor.ndim !== 2) throw new RangeError("Only tensors with 2 dimensions are supported");
}
