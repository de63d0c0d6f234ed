/**
 * PyTorch's optional arguments, which work by position and as options alike.
 *
 * @module
 */

import type { Generator } from "./generator.ts";

/** Over which dimensions to reduce. */
export interface ReduceOptions {
  /** One dimension or several; all of them by default. */
  readonly dim?: number | readonly number[] | null;
  /** Whether a reduced dimension stays, with size 1. `false` by default. */
  readonly keepdim?: boolean;
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

/** Dimensions and keepdim, from `(dim, keepdim)`, `(dim, { keepdim })` or `({ dim, keepdim })`. */
export function reduceArguments(
  dim: DimArgument,
  keepdim: boolean | ReduceOptions | undefined,
): { readonly dims: readonly number[] | null; readonly keepdim: boolean } {
  const options = optionsOf(dim) ?? {};
  const named = optionsOf(dim) === null ? dim : options.dim;
  const keep = typeof keepdim === "object" ? keepdim.keepdim : keepdim ?? options.keepdim;
  return { dims: dimList(named), keepdim: keep ?? false };
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
