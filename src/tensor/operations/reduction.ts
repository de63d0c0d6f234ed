/**
 * Reductions: sums, extremes and what is made of them, over some dimensions or all.
 *
 * @module
 */

import type { DType } from "../../dtype.ts";
import { UnsupportedError } from "../../errors.ts";
import { numelOf } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import type { Extent, ReduceName } from "../../core/kernels.ts";
import { computeType, isComputable, isFloat, isInteger, typeName } from "../promotion.ts";
import { permute, wrapDim, wrapDims } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { convert } from "./copying.ts";
import { binary, unary } from "./elementwise.ts";

/** Over which dimensions, and whether they stay as sizes of 1. */
export interface Over {
  /** The dimensions; `null` is all of them. */
  readonly dims: readonly number[] | null;
  /** Whether a reduced dimension stays, with size 1. */
  readonly keepdim: boolean;
}

/** What has no answer for no elements. */
const NEEDS_ELEMENTS: ReadonlySet<ReduceName> = new Set(["max", "min", "argmax", "argmin"] as const);

/** A reduction by one kernel. */
export function reduce(name: ReduceName, source: View, over: Over): View {
  const dtype = reducedType(name, source.dtype);
  if (!isComputable(source.dtype)) {
    throw new UnsupportedError(
      `Cannot compute "${name}" in ${source.dtype}: convert to float32 first`,
      `${name} in ${source.dtype}`,
    );
  }
  const { operand, extent, shape } = arrange(convert(source, computeType(source.dtype)), over);
  if (extent.count === 0 && NEEDS_ELEMENTS.has(name)) {
    throw new RangeError(
      `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the ` +
        "'dim' argument.",
    );
  }
  const result = uninitialised(computeType(dtype), shape);
  kernels.reduce(name, result, operand, extent);
  return convert(result, dtype);
}

/** The mean; of floating point numbers only. */
export function mean(source: View, over: Over): View {
  if (!isFloat(source.dtype)) {
    throw new TypeError(
      "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: " +
        typeName(source.dtype),
    );
  }
  const wide = convert(source, computeType(source.dtype));
  const total = reduce("sum", wide, over);
  return convert(binary("div", total, countOf(source, over)), source.dtype);
}

/** The variance, with `correction` degrees of freedom taken off the count. */
export function variance(source: View, over: Over & { readonly correction: number }): View {
  if (!isFloat(source.dtype)) {
    throw new TypeError("std and var only support floating point and complex dtypes");
  }
  const { operand, extent, shape } = arrange(convert(source, computeType(source.dtype)), over);
  const result = uninitialised(operand.dtype, shape);
  kernels.variance(result, operand, { ...extent, correction: over.correction });
  return convert(result, source.dtype);
}

/** The square root of {@linkcode variance}. */
export function standardDeviation(source: View, over: Over & { readonly correction: number }): View {
  return unary("sqrt", variance(source, over));
}

/** The largest or smallest elements along one dimension, and where they are. */
export function extreme(name: "max" | "min", source: View, dim: number, keepdim: boolean): [View, View] {
  const over = { dims: [dim], keepdim };
  return [reduce(name, source, over), reduce(name === "max" ? "argmax" : "argmin", source, over)];
}

/** Softmax or its logarithm along one dimension. */
export function softmax(source: View, dim: number, log: boolean): View {
  if (!isFloat(source.dtype)) {
    throw new TypeError(
      `"${log ? "log_softmax" : "softmax"}_lastdim_kernel_impl" not implemented for '${typeName(source.dtype)}'`,
    );
  }
  const operand = contiguous(convert(source, computeType(source.dtype)));
  const result = uninitialised(operand.dtype, source.shape);
  kernels.softmax(result, operand, { ...extentAt(source.shape, wrapDim(dim, source.shape.length)), log });
  return convert(result, source.dtype);
}

/** Running sums along one dimension. */
export function cumsum(source: View, dim: number): View {
  const operand = contiguous(convert(source, computeType(source.dtype)));
  const dtype = isFloat(source.dtype) ? operand.dtype : "int64";
  const result = uninitialised(dtype, source.shape);
  kernels.cumsum(result, operand, extentAt(source.shape, wrapDim(dim, source.shape.length)));
  return isFloat(source.dtype) ? convert(result, source.dtype) : result;
}

/** A shape seen from one of its dimensions. */
export function extentAt(shape: Shape, dim: number): Extent {
  return { outer: numelOf(shape.slice(0, dim)), count: shape[dim] ?? 1, inner: numelOf(shape.slice(dim + 1)) };
}

function reducedType(name: ReduceName, dtype: DType): DType {
  switch (name) {
    case "sum":
    case "prod":
      return isInteger(dtype) || dtype === "bool" ? "int64" : dtype;
    case "argmax":
    case "argmin":
      return "int64";
    case "any":
    case "all":
      return "bool";
    case "norm2":
      if (!isFloat(dtype)) {
        throw new TypeError(
          `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${typeName(dtype)}`,
        );
      }
      return dtype;
    default:
      return dtype;
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
