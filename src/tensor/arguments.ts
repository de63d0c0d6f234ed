/**
 * PyTorch's optional arguments, which work by position and as options alike.
 *
 * @module
 */

import { isDType } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import type { Generator } from "./generator.ts";

/** Over which dimensions to reduce. */
export interface ReduceOptions {
  /** One dimension or several; all of them by default. */
  readonly dim?: number | readonly number[] | null;
  /** Whether a reduced dimension stays, with size 1. `false` by default. */
  readonly keepdim?: boolean;
}

/** Over which dimensions to add up or multiply, and in which dtype. */
export interface SumOptions extends ReduceOptions {
  /** The dtype that values are converted to before, and the result has. */
  readonly dtype?: DType;
}

/** Which norm, over which dimensions. */
export interface NormOptions extends ReduceOptions {
  /** 2 by default. `Infinity` is the largest magnitude, `-Infinity` the smallest, 0 counts what is not 0. */
  readonly p?: number | "fro";
}

/** Over which dimensions to take a variance, and how it is normalised. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken off the number of elements: 1, the default, is Bessel's correction. */
  readonly correction?: number;
}

/** Along which single dimension. */
export interface DimOptions {
  /** The dimension; negative ones count from the end. */
  readonly dim?: number;
}

/** Along which single dimension, and in which dtype. */
export interface DimTypeOptions extends DimOptions {
  /** The dtype that values are converted to before, and the result has. */
  readonly dtype?: DType;
}

/** One dimension, and whether it stays. */
export interface DimKeepOptions extends DimOptions {
  /** Whether the reduced dimension stays, with size 1. `false` by default. */
  readonly keepdim?: boolean;
}

/** Which generator random values come from. */
export interface RandomOptions {
  /** The default generator, unless another is named. */
  readonly generator?: Generator;
}

/** A dimension argument in one of PyTorch's forms. */
export type DimArgument = number | readonly number[] | null | ReduceOptions | undefined;

/** The same, where the options may name a dtype. */
export type SumArgument = number | readonly number[] | null | SumOptions | undefined;

/** Dimensions and keepdim, from `(dim, keepdim)`, `(dim, { keepdim })` or `({ dim, keepdim })`. */
export function reduceArguments(
  dim: DimArgument,
  keepdim: boolean | ReduceOptions | undefined,
): { readonly dims: readonly number[] | null; readonly keepdim: boolean } {
  const options = optionsOf(dim) ?? {};
  const named = optionsOf(dim) === null ? dim : options.dim;
  const keep = typeof keepdim === "object" ? keepdim.keepdim : keepdim;
  return { dims: dimList(named), keepdim: keep ?? options.keepdim ?? false };
}

/** The dtype among arguments that may be options. */
export function dtypeArgument(...args: readonly unknown[]): DType | undefined {
  for (const argument of args) {
    if (typeof argument === "object" && argument !== null && "dtype" in argument) {
      const { dtype } = argument;
      if (typeof dtype === "string" && isDType(dtype)) return dtype;
      if (dtype !== undefined) throw new TypeError(`Expected the name of a dtype, got ${String(dtype)}`);
    }
  }
  return undefined;
}

/** A dimension from `(dim)` or `({ dim })`. */
export function dimArgument(dim: number | DimOptions | undefined, missing: number): number {
  return (typeof dim === "object" ? dim.dim : dim) ?? missing;
}

function optionsOf(dim: DimArgument): ReduceOptions | null {
  return typeof dim === "object" && dim !== null && !isList(dim) ? dim : null;
}

function dimList(dim: DimArgument): readonly number[] | null {
  if (dim === undefined || dim === null) return null;
  if (typeof dim === "number") return [dim];
  return isList(dim) ? dim : null;
}

function isList(value: readonly number[] | ReduceOptions): value is readonly number[] {
  return Array.isArray(value);
}
