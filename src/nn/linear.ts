/**
 * Affine maps.
 *
 * @module
 */

import type { DType } from "../dtype.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { uninitialised } from "../tensor/view.ts";
import { linear } from "../tensor/operations/matrix.ts";
import { kaimingUniform_, uniform_ } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { pythonRepr } from "./repr.ts";

/** The options of {@linkcode Linear}. */
export interface LinearOptions {
  /** Whether it adds a bias. `true` by default. */
  readonly bias?: boolean;
  /** The element type of weight and bias. float32 by default. */
  readonly dtype?: DType;
}

/**
 * y = x·Wᵀ + b over the last dimension: [*, inFeatures] → [*, outFeatures].
 *
 * Starts as PyTorch's does, with the same numbers under `manualSeed`: the weight is Kaiming uniform with a = √5 — not
 * Xavier, as is often said — and the bias uniform in ±1/√inFeatures.
 *
 * @example
 * ```ts
 * import { Linear, ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new Linear(10, 5);
 * assertEquals(layer.weight.shape, [5, 10]);
 * assertEquals(layer.forward(ones([3, 10])).shape, [3, 5]);
 * assertEquals(String(layer), "Linear(in_features=10, out_features=5, bias=True)");
 * ```
 */
export class Linear extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Linear";
  /** Size of the last dimension of the input. */
  readonly inFeatures: number;
  /** Size of the last dimension of the output. */
  readonly outFeatures: number;
  /** [outFeatures, inFeatures]. */
  weight: Parameter;
  /** [outFeatures], or `null` without a bias. */
  bias: Parameter | null;

  /** Draws weight and bias from the default random stream. */
  constructor(inFeatures: number, outFeatures: number, options: boolean | LinearOptions = {}) {
    super();
    const { bias = true, dtype = "float32" } = typeof options === "boolean" ? { bias: options } : options;
    this.inFeatures = requireSize("inFeatures", inFeatures);
    this.outFeatures = requireSize("outFeatures", outFeatures);
    this.weight = new Parameter(uninitialised(dtype, [outFeatures, inFeatures]));
    this.bias = bias ? new Parameter(uninitialised(dtype, [outFeatures])) : null;
    this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    uniform_(this.bias, -bound, bound);
  }

  /** [*, inFeatures] → [*, outFeatures]. */
  override forward(x: Tensor): Tensor {
    return new Tensor(linear(viewOf(x), viewOf(this.weight), this.bias === null ? null : viewOf(this.bias)));
  }

  /** The sizes, as they stand in the module's text. */
  override extraRepr(): string {
    const bias = pythonRepr(this.bias !== null);
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${bias}`;
  }
}

function requireSize(name: string, size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RangeError(`Cannot make a Linear layer: ${name} is an integer from 0 on, got ${size}`);
}
