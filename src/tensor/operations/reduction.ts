/**
 * Reductions: sums, extremes and what is made of them, over some dimensions or all.
 *
 * @module
 */

import { DTYPES } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { numelOf } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import type { Extent, ReduceName } from "../../core/kernels.ts";
import { computeType, isComplex, isFloat, isInteger, typeName } from "../promotion.ts";
import { permute, wrapDim, wrapDims } from "../shaping.ts";
import { contiguous, uninitialised, type View } from "../view.ts";
import { convert } from "./copying.ts";
import { binary, unary } from "./elementwise.ts";
import { requireComputable } from "./refusal.ts";

/** Over which dimensions, and whether they stay as sizes of 1. */
export interface Over {
  /** The dimensions; `null` is all of them. */
  readonly dims: readonly number[] | null;
  /** Whether a reduced dimension stays, with size 1. */
  readonly keepdim: boolean;
}

/** What has no answer for no elements. */
const NEEDS_ELEMENTS: ReadonlySet<ReduceName> = new Set(["max", "min", "argmax", "argmin"] as const);

/**
 * A reduction by one kernel.
 *
 * @param label How PyTorch calls the operation in a message; the kernel's name by default.
 */
export function reduce(name: ReduceName, source: View, over: Over, label: string = name): View {
  const dtype = reducedType(name, source.dtype);
  const operand = convert(source, operandType(name, source.dtype));
  requireComputable(name, operand.dtype);
  if (NEEDS_ELEMENTS.has(name)) requireElements(label, source.shape, over.dims);
  const arranged = arrange(operand, over);
  const result = uninitialised(computeType(name === "any" || name === "all" ? "bool" : dtype), arranged.shape);
  kernels.reduce(name, result, arranged.operand, arranged.extent);
  return convert(result, dtype);
}

/** Whether any element is not 0, or all are not, of every dtype. An empty list of dimensions reduces nothing. */
export function truth(name: "any" | "all", source: View, over: Over): View {
  if (over.dims?.length === 0) return convert(convert(source, "bool"), reducedType(name, source.dtype));
  return reduce(name, source, over);
}

/** The mean; of floating point numbers only. */
export function mean(source: View, over: Over): View {
  requireMean(source.dtype, "Input");
  const wide = convert(source, computeType(source.dtype));
  const total = reduce("sum", wide, over);
  return convert(binary("div", total, countOf(source, over)), source.dtype);
}

/** @throws {TypeError} Numbers of `dtype` have no mean in it: it is of the input, or one that was asked for. */
export function requireMean(dtype: DType, role: "Input" | "Optional"): void {
  if (isFloat(dtype) || isComplex(dtype)) return;
  throw new TypeError(
    `mean(): could not infer output dtype. ${role} dtype must be either a floating point or complex dtype. Got: ` +
      typeName(dtype),
  );
}

/** The variance, with `correction` degrees of freedom taken off the count. */
export function variance(source: View, over: Over & { readonly correction: number }): View {
  return convert(wideVariance(source, over), source.dtype);
}

/** The square root of {@linkcode variance}. */
export function standardDeviation(source: View, over: Over & { readonly correction: number }): View {
  // In float64, as PyTorch: the square may be beyond float32 where its root is not. That of a float16 never is.
  const isWide = source.dtype === "float32" || source.dtype === "bfloat16";
  const wide = isWide ? convert(source, "float64") : source;
  return convert(unary("sqrt", wideVariance(wide, over)), source.dtype);
}

/** The largest or smallest elements along one dimension, and where they are. */
export function extreme(name: "max" | "min", source: View, dim: number, keepdim: boolean): [View, View] {
  const over = { dims: [dim], keepdim };
  const ordered = source.dtype === "bool" ? convert(source, "uint8") : source;
  const values = reduce(name, source, over);
  return [values, reduce(name === "max" ? "argmax" : "argmin", ordered, over)];
}

/** The p-norm: (Σ|x|^p)^(1/p), the largest or smallest magnitude for ±∞, and how many are not 0 for 0. */
export function norm(source: View, p: number, over: Over): View {
  if (!isFloat(source.dtype) && !isComplex(source.dtype)) {
    throw new TypeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${typeName(source.dtype)}`,
    );
  }
  requireComputable("norm2", computeType(source.dtype));
  if (p === 2) return reduce("norm2", source, over);
  const sizes = unary("abs", convert(source, computeType(source.dtype)));
  const total = powerSum(sizes, p, over);
  return convert(total, source.dtype);
}

/** Softmax or its logarithm along one dimension. */
export function softmax(source: View, dim: number, log: boolean): View {
  const at = wrapDim(dim, source.shape.length);
  if (!isFloat(source.dtype) || source.dtype.startsWith("float8")) {
    const isLast = at === Math.max(source.shape.length, 1) - 1;
    throw new TypeError(
      `"${log ? "log_softmax" : "softmax"}_${isLast ? "lastdim_" : ""}kernel_impl" not implemented for ` +
        `'${typeName(source.dtype)}'`,
    );
  }
  const operand = contiguous(convert(source, computeType(source.dtype)));
  const result = uninitialised(operand.dtype, source.shape);
  kernels.softmax(result, operand, { ...extentAt(source.shape, at), log });
  return convert(result, source.dtype);
}

/** Running sums along one dimension; those of integers are int64. */
export function cumsum(source: View, dim: number): View {
  const at = wrapDim(dim, source.shape.length);
  const operand = contiguous(convert(source, operandType("sum", source.dtype)));
  requireComputable("cumsum", operand.dtype);
  const dtype = reducedType("sum", source.dtype);
  const result = uninitialised(computeType(dtype), source.shape);
  kernels.cumsum(result, operand, extentAt(source.shape, at));
  return convert(result, dtype);
}

/** A shape seen from one of its dimensions. */
export function extentAt(shape: Shape, dim: number): Extent {
  return { outer: numelOf(shape.slice(0, dim)), count: shape[dim] ?? 1, inner: numelOf(shape.slice(dim + 1)) };
}

function wideVariance(source: View, over: Over & { readonly correction: number }): View {
  if (!isFloat(source.dtype) && !isComplex(source.dtype)) {
    throw new TypeError("std and var only support floating point and complex dtypes");
  }
  const wide = convert(source, computeType(source.dtype));
  requireComputable("var", wide.dtype);
  const { operand, extent, shape } = arrange(wide, over);
  const result = uninitialised(operand.dtype, shape);
  kernels.variance(result, operand, { ...extent, correction: over.correction });
  return result;
}

/** @throws {RangeError} A norm that no elements have is to be taken of none. */
function requireIdentity(shape: Shape, p: number, dims: readonly number[] | null): void {
  const named = dims === null || dims.length === 0 ? null : wrapDims(dims, shape.length);
  const dim = named?.find((at) => shape[at] === 0);
  if (named === null ? !shape.includes(0) : dim === undefined) return;
  // The missing space is PyTorch's.
  const place = named === null ? "an empty tensor because" : `the dimension ${dim}because this dimension is empty and`;
  const name = Number.isFinite(p) ? p : p < 0 ? "-inf" : "inf";
  throw new RangeError(
    `linalg.vector_norm cannot compute the ${name} norm on ${place} the operation does not have an identity`,
  );
}

function powerSum(sizes: View, p: number, over: Over): View {
  if (p === 1) return reduce("sum", sizes, over);
  if (p === 0) return reduce("sum", convert(convert(sizes, "bool"), sizes.dtype), over);
  if (p < 0 || p === Infinity) requireIdentity(sizes.shape, p, over.dims);
  if (p === Infinity || p === -Infinity) return reduce(p > 0 ? "max" : "min", sizes, over);
  return binary("pow", reduce("sum", binary("pow", sizes, p), over), 1 / p);
}

function reducedType(name: ReduceName, dtype: DType): DType {
  switch (name) {
    case "sum":
    case "prod":
      return isInteger(dtype) || dtype === "bool" ? "int64" : dtype;
    case "argmax":
    case "argmin":
      if (dtype === "bool" || isComplex(dtype)) {
        throw new TypeError(`${name}(): does not support ${dtype === "bool" ? "bool" : "complex"} input`);
      }
      return "int64";
    case "any":
    case "all":
      return dtype === "uint8" ? "uint8" : "bool";
    default:
      return dtype;
  }
}

/** The dtype of a kernel's operand: what has a kernel of its own, or int64 and bool where only they are needed. */
function operandType(name: ReduceName, dtype: DType): DType {
  const isWide = dtype === "uint16" || dtype === "uint32" || dtype === "uint64";
  if ((name === "sum" || name === "prod") && isWide) return "int64";
  if ((name === "any" || name === "all") && DTYPES[dtype].kind !== "bool") return "bool";
  return computeType(dtype);
}

/** @throws {RangeError} A reduced dimension has no elements, so there is no extreme. */
function requireElements(label: string, shape: Shape, dims: readonly number[] | null): void {
  if (dims === null || dims.length === 0) {
    if (!shape.includes(0)) return;
    const advice = label.startsWith("arg") ? "" : " Specify the reduction dim with the 'dim' argument.";
    throw new RangeError(
      `${label}(): Expected reduction dim to be specified for input.numel() == 0.${advice}`,
    );
  }
  for (const [i, dim] of wrapDims(dims, shape.length).entries()) {
    if (shape[dim] !== 0) continue;
    const named = label.startsWith("am") ? dims[i] : dim;
    throw new RangeError(`${label}(): Expected reduction dim ${named} to have non-zero size.`);
  }
}

/** The operand dense with the reduced dimensions together, and the shape of the result. */
function arrange(source: View, over: Over): { operand: View; extent: Extent; shape: Shape } {
  const rank = source.shape.length;
  // PyTorch takes an empty list of dimensions for all of them.
  const dims = over.dims === null || over.dims.length === 0
    ? source.shape.map((_, i) => i)
    : wrapDims(over.dims, rank).sort((a, b) => a - b);
  const shape = over.keepdim
    ? source.shape.map((size, i) => dims.includes(i) ? 1 : size)
    : source.shape.filter((_, i) => !dims.includes(i));
  if (rank === 0) return { operand: contiguous(source), extent: { outer: 1, count: 1, inner: 1 }, shape };
  const together = dims.every((dim, i) => i === 0 || dim === dims[i - 1] + 1);
  const count = numelOf(dims.map((dim) => source.shape[dim]));
  if (together) {
    const outer = numelOf(source.shape.slice(0, dims[0]));
    const inner = numelOf(source.shape.slice(dims[dims.length - 1] + 1));
    return { operand: contiguous(source), extent: { outer, count, inner }, shape };
  }
  const kept = source.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const operand = contiguous(permute(source, [...kept, ...dims]));
  return { operand, extent: { outer: numelOf(kept.map((dim) => source.shape[dim])), count, inner: 1 }, shape };
}

function countOf(source: View, over: Over): number {
  if (over.dims === null || over.dims.length === 0) return source.numel;
  return numelOf(wrapDims(over.dims, source.shape.length).map((dim) => source.shape[dim] ?? 1));
}
