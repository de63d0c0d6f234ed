/**
 * Random values drawn into a tensor, with PyTorch's stream bit for bit.
 *
 * A draw into all of a storage waits until a value is read; its place in the stream is taken at once.
 *
 * @module
 */

import { DTYPES, itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import * as random from "../../core/random.ts";
import type { RandomStream, Run } from "../../core/random.ts";
import { dirac, nonzeroCount, orthogonal, setFill } from "../../core/kernels.ts";
import { memory } from "../../core/memory.ts";
import type { Fill } from "../../core/memory.ts";
import { largestOf } from "../elements.ts";
import { arrange, inMemoryOrder } from "../layout.ts";
import { cppName, typeName } from "../promotion.ts";
import { expand } from "../shaping.ts";
import { contiguous, memoryOrder, uninitialised } from "../view.ts";
import type { View } from "../view.ts";
import { compare, test } from "./comparison.ts";
import { convert, copyInto, refuseInternalOverlap } from "./copying.ts";
import { binary } from "./elementwise.ts";

/** The dtypes of continuous draws. */
export const FLOATS: readonly DType[] = ["float32", "float64", "float16", "bfloat16"];

/** The dtypes of `bernoulli_`, and of `random_` over all that a dtype holds. */
const DRAWABLE: readonly DType[] = [...FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool"];

/** The dtypes of `random_` between two bounds. */
const BOUNDED: readonly DType[] = [...DRAWABLE, "uint16", "uint32", "uint64"];

/** The dtypes of `randperm`. */
const PERMUTABLE: readonly DType[] = [...FLOATS, "int64", "int32", "int16", "int8", "uint8"];

/** Up to here all integers are floats of these dtypes, and so is the one after. */
const EXACT_INTEGERS: Readonly<Partial<Record<DType, readonly [bigint, string]>>> = {
  float16: [2n ** 11n, "2049"],
  float32: [2n ** 24n, "2^24+1"],
  float64: [2n ** 53n, "2^53+1"],
};

/** What integer dtypes hold. */
const INTEGER_RANGE: Readonly<Partial<Record<DType, readonly [bigint, bigint]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  bool: [0n, 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Values in [from, to). */
export function uniformInto(target: View, stream: RandomStream, from: number, to: number): void {
  requireDtype("check_uniform_bounds", target.dtype, FLOATS);
  const largest = largestOf(target.dtype);
  for (const [name, bound] of Object.entries({ from, to })) {
    if (!(Math.abs(bound) <= largest)) throw new RangeError(`${name} is out of bounds for ${cppName(target.dtype)}`);
  }
  if (!(from <= to)) {
    throw new RangeError(`uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`);
  }
  if (to - from > largest) {
    throw new RangeError(
      `uniform_ expects to-from <= std::numeric_limits<${typeName(target.dtype)}>::max(), but found to=${to} and ` +
        `from=${from} which result in to-from to exceed the limit`,
    );
  }
  draw(target, (run) => random.uniform(stream, run, from, to));
}

/** Normal values. */
export function normalInto(target: View, stream: RandomStream, mean: number, std: number): void {
  requireDtype("normal_kernel_cpu", target.dtype, FLOATS);
  if (!(std >= 0)) throw new RangeError(`normal expects std >= 0.0, but found std ${std}`);
  // A tensor that is not contiguous takes the pairwise algorithm, however large it is.
  const isDense = target.isContiguous;
  draw(target, (run) => random.normal(stream, { ...run, contiguous: isDense }, mean, std));
}

/** Exponential values of rate `lambda`. */
export function exponentialInto(target: View, stream: RandomStream, lambda: number): void {
  if (!FLOATS.includes(target.dtype)) {
    throw new TypeError(
      "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you " +
        `specified ${typeName(target.dtype)}`,
    );
  }
  if (!(lambda > 0)) throw new RangeError(`exponential_ expects lambda > 0.0, but found lambda=${lambda}`);
  draw(target, (run) => random.exponential(stream, run, lambda));
}

/** Where random integers lie. */
export interface IntegerRange {
  readonly from: bigint;
  /** The first one that is not drawn; `null`: none above `from` is left out. */
  readonly to: bigint | null;
}

/** Integers in [from, to), or all that the dtype holds exactly from 0 on. */
export function integersInto(target: View, stream: RandomStream, range: IntegerRange | null): void {
  if (range === null) {
    requireDtype("random_kernel_cpu", target.dtype, DRAWABLE);
    draw(target, (run) => random.fullRange(stream, run));
    return;
  }
  requireDtype("random_update_from_to", target.dtype, BOUNDED);
  const { from } = range;
  const to = range.to ?? lastOf(target.dtype) + 1n;
  if (from >= to) throw new RangeError(`random_ expects 'from' to be less than 'to', but got from=${from} >= to=${to}`);
  requireInDtype(target.dtype, { from, to: to - 1n });
  draw(target, (run) => random.integers(stream, run, from, BigInt.asUintN(64, to - from)));
}

/** 1 with probability `p`, else 0. */
export function bernoulliInto(target: View, stream: RandomStream, p: number): void {
  requireDtype("bernoulli_scalar_cpu_", target.dtype, DRAWABLE);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`bernoulli_ expects p to be in [0, 1], but got p=${p}`);
  draw(target, (run) => random.bernoulli(stream, run, p));
}

/**
 * 1 with the probability that stands at the same place, else 0.
 *
 * @throws {RangeError} A probability is not within [0, 1].
 */
export function bernoulliEachInto(target: View, stream: RandomStream, probabilities: View): void {
  requireDtype("bernoulli_tensor_cpu_self_", target.dtype, DRAWABLE);
  requireDtype("bernoulli_tensor_cpu_p_", probabilities.dtype, FLOATS);
  refuseInternalOverlap(target);
  const each = expand(probabilities, target.shape);
  const [ordered, chances] = arrange([target, each])?.views ?? [target, each];
  const dense = contiguous(convert(chances, probabilities.dtype === "float64" ? "float64" : "float32"));
  requireProbabilities(dense);
  const shares = target.storage === dense.storage;
  const values = ordered.isContiguous && !shares ? ordered : uninitialised(target.dtype, ordered.shape);
  random.bernoulliEach(stream, values, { count: target.numel, dtype: target.dtype }, dense);
  if (values !== ordered) copyInto(ordered, values);
}

/**
 * The integers below the number of elements, in random order.
 *
 * @throws {RangeError} The dtype does not hold them all.
 */
export function permutationInto(target: View, stream: RandomStream): void {
  requireDtype("randperm", target.dtype, PERMUTABLE);
  const count = BigInt(target.numel);
  const [exact, text] = EXACT_INTEGERS[target.dtype] ?? [count, ""];
  if (count > exact + 1n) {
    throw new RangeError(`n cannot be greater than ${text} for ${typeName(target.dtype)} type.`);
  }
  const range = INTEGER_RANGE[target.dtype];
  if (range !== undefined && count > range[1]) {
    throw new RangeError(`value cannot be converted to type ${cppName(target.dtype)} without overflow`);
  }
  draw(target, (run) => random.permutation(stream, run));
}

/** Zeroes `zeros` random rows of every column. */
export function sparsifyInto(target: View, stream: RandomStream, zeros: number): void {
  const [rows, cols] = target.shape;
  const values = target.isContiguous ? target : contiguous(target);
  random.drawNow(stream, values, (engine, address) => {
    memory().exports.init_sparse(engine, address, DTYPES[target.dtype].code, rows, cols, zeros);
    return cols * Math.max(rows - 1, 0);
  });
  if (values !== target) copyInto(target, values);
}

/** The identity of a convolution in each of `groups`: `nn.init.dirac_` for 3 to 5 dimensions. */
export function diracInto(target: View, groups: number): void {
  const values = target.isContiguous ? target : uninitialised(target.dtype, target.shape);
  dirac(values, target.shape, groups);
  if (values !== target) copyInto(target, values);
}

/** Makes a dense matrix of normal draws orthogonal, in place, and multiplies it by `gain`: `nn.init.orthogonal_`. */
export function orthogonalise(matrix: View, gain: number): void {
  const [rows, cols] = matrix.shape;
  orthogonal(matrix, rows, cols, gain);
}

function draw(target: View, fillOf: (run: Run) => Fill): void {
  refuseInternalOverlap(target);
  const fill = fillOf({ count: target.numel, dtype: target.dtype });
  // A permuted tensor is filled in the order of memory (TensorIterator).
  const order = memoryOrder(target);
  if (order !== null) {
    setFill(order, target.numel * itemSize(target.dtype), fill);
    return;
  }
  const ordered = inMemoryOrder(target);
  const values = uninitialised(target.dtype, ordered.shape);
  setFill(values, values.storage.byteLength, fill);
  copyInto(ordered, values);
}

/**
 * Refuses to draw in a dtype that PyTorch does not.
 *
 * @throws {TypeError} It is not among those `allowed`.
 */
export function requireDtype(name: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) throw new TypeError(`"${name}" not implemented for '${typeName(dtype)}'`);
}

function requireProbabilities(dense: View): void {
  const wrong = binary("bitwiseOr", compare("lt", dense, 0), compare("gt", dense, 1));
  const bad = binary("bitwiseOr", wrong, test("isnan", dense));
  if (nonzeroCount(bad, bad.numel) > 0) {
    throw new RangeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
  }
}

/** The largest integer that `random_(from, null)` draws. */
function lastOf(dtype: DType): bigint {
  // PyTorch draws up to 2⁶³ − 1 for int64 and all floats.
  return INTEGER_RANGE[dtype]?.[1] ?? 2n ** 63n - 1n;
}

function requireInDtype(dtype: DType, { from, to }: { from: bigint; to: bigint }): void {
  const [low, high] = integerBounds(dtype);
  if (from < low || from > high) throw new RangeError(`from is out of bounds for ${cppName(dtype)}`);
  if (to < low || to > high) throw new RangeError(`to - 1 is out of bounds for ${cppName(dtype)}`);
}

/** What a dtype holds of integers of 64 bits: floats may round them, as in PyTorch. */
function integerBounds(dtype: DType): readonly [bigint, bigint] {
  const range = INTEGER_RANGE[dtype];
  if (range !== undefined) return range;
  const largest = BigInt(largestOf(dtype));
  return [-largest, largest];
}
