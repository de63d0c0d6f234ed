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
import { setFill } from "../../core/kernels.ts";
import { memory } from "../../core/memory.ts";
import type { Fill } from "../../core/memory.ts";
import { typeName } from "../promotion.ts";
import { expand } from "../shaping.ts";
import { contiguous, memoryOrder, uninitialised } from "../view.ts";
import type { View } from "../view.ts";
import { convert, copyInto, refuseInternalOverlap } from "./copying.ts";

/** The dtypes of continuous draws. */
const FLOATS: readonly DType[] = ["float32", "float64", "float16", "bfloat16"];

/** The dtypes of `random_` and `bernoulli_`. */
const DRAWABLE: readonly DType[] = [...FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool"];

/** What integer dtypes hold. */
const INTEGER_RANGE: Readonly<Partial<Record<DType, readonly [bigint, bigint]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  bool: [0n, 1n],
};

/** Values in [from, to). */
export function uniformInto(target: View, stream: RandomStream, from: number, to: number): void {
  requireDtype("uniform_", target.dtype, FLOATS);
  if (!(from <= to)) {
    throw new RangeError(`uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`);
  }
  draw(target, (run) => random.uniform(stream, run, from, to));
}

/** Normal values. */
export function normalInto(target: View, stream: RandomStream, mean: number, std: number): void {
  requireDtype("normal_", target.dtype, FLOATS);
  if (!(std >= 0)) throw new RangeError(`normal expects std >= 0.0, but found std ${std}`);
  // A tensor that is not contiguous takes the pairwise algorithm, however large it is.
  const isDense = target.isContiguous;
  draw(target, (run) => random.normal(stream, { ...run, contiguous: isDense }, mean, std));
}

/** Exponential values of rate `lambda`. */
export function exponentialInto(target: View, stream: RandomStream, lambda: number): void {
  requireDtype("exponential_", target.dtype, FLOATS);
  if (!(lambda > 0)) throw new RangeError(`exponential_ expects lambda > 0.0, but found lambda=${lambda}`);
  draw(target, (run) => random.exponential(stream, run, lambda));
}

/** Integers in [from, to), or all that the dtype holds exactly from 0 on. */
export function integersInto(target: View, stream: RandomStream, range: { from: bigint; to: bigint } | null): void {
  requireDtype("random_", target.dtype, DRAWABLE);
  if (range === null) {
    draw(target, (run) => random.fullRange(stream, run));
    return;
  }
  const { from, to } = range;
  if (from >= to) throw new RangeError(`random_ expects 'from' to be less than 'to', but got from=${from} >= to=${to}`);
  requireInDtype(target.dtype, { from, to: to - 1n });
  draw(target, (run) => random.integers(stream, run, from, BigInt.asUintN(64, to - from)));
}

/** 1 with probability `p`, else 0. */
export function bernoulliInto(target: View, stream: RandomStream, p: number): void {
  requireDtype("bernoulli_", target.dtype, DRAWABLE);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`bernoulli_ expects p to be in [0, 1], but got p=${p}`);
  draw(target, (run) => random.bernoulli(stream, run, p));
}

/** 1 with the probability that stands at the same place, else 0. */
export function bernoulliEachInto(target: View, stream: RandomStream, probabilities: View): void {
  requireDtype("bernoulli_", target.dtype, DRAWABLE);
  const each = expand(probabilities, target.shape);
  const dense = contiguous(convert(each, probabilities.dtype === "float64" ? "float64" : "float32"));
  const values = target.isContiguous ? target : uninitialised(target.dtype, target.shape);
  refuseInternalOverlap(target);
  random.bernoulliEach(stream, values, { count: target.numel, dtype: target.dtype }, dense);
  if (values !== target) copyInto(target, values);
}

/** The integers below the number of elements, in random order. */
export function permutationInto(target: View, stream: RandomStream): void {
  draw(target, (run) => random.permutation(stream, run));
}

/** Normal values within [a, b] by rejection, as `nn.init.trunc_normal_` draws them since torch 2.12. */
export function truncatedNormalInto(
  target: View,
  stream: RandomStream,
  { mean, std, a, b }: { readonly mean: number; readonly std: number; readonly a: number; readonly b: number },
): void {
  requireDtype("trunc_normal_", target.dtype, FLOATS);
  const values = target.isContiguous ? target : uninitialised(target.dtype, target.shape);
  random.drawNow(stream, values, (engine, address) => {
    const code = DTYPES[target.dtype].code;
    return memory().exports.random_truncated_normal(engine, address, code, target.numel, mean, std, a, b);
  });
  if (values !== target) copyInto(target, values);
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

function draw(target: View, fillOf: (run: Run) => Fill): void {
  refuseInternalOverlap(target);
  const fill = fillOf({ count: target.numel, dtype: target.dtype });
  // A permuted dense tensor is filled in the order of memory (TensorIterator), any other in row-major order.
  const order = memoryOrder(target);
  if (order !== null) {
    setFill(order, target.numel * itemSize(target.dtype), fill);
    return;
  }
  const values = uninitialised(target.dtype, target.shape);
  setFill(values, values.storage.byteLength, fill);
  copyInto(target, values);
}

function requireDtype(name: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) throw new TypeError(`"${name}" not implemented for '${typeName(dtype)}'`);
}

function requireInDtype(dtype: DType, { from, to }: { from: bigint; to: bigint }): void {
  const [low, high] = INTEGER_RANGE[dtype] ?? [from, to];
  if (from < low || from > high) throw new RangeError(`from is out of bounds for ${dtype}`);
  if (to < low || to > high) throw new RangeError(`to - 1 is out of bounds for ${dtype}`);
}
