/**
 * Modules without parameters that compute nothing: one passes its input through, one changes its shape.
 *
 * @module
 */

import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * Passes its input through: what takes the place of a layer that is removed.
 *
 * @example
 * ```ts
 * import { Identity, ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Identity().forward(ones([2])).tolist(), [1, 1]);
 * ```
 */
export class Identity extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Identity";
  /** Takes any arguments and ignores them, as PyTorch's does. */
  constructor(..._ignored: readonly unknown[]) {
    super();
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** The options of {@linkcode Flatten}. */
export interface FlattenOptions {
  /** The first dimension; 1 by default. */
  readonly startDim?: number;
  /** The last dimension, included; -1 by default. */
  readonly endDim?: number;
}

/**
 * Makes the dimensions from `startDim` to `endDim` one.
 *
 * @example
 * ```ts
 * import { Flatten, ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Flatten().forward(ones([2, 3, 4])).shape, [2, 12]);
 * assertEquals(String(new Flatten()), "Flatten(start_dim=1, end_dim=-1)");
 * ```
 */
export class Flatten extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Flatten";
  /** The first dimension. */
  readonly startDim: number;
  /** The last dimension, included. */
  readonly endDim: number;

  /** From dimension 1 to the last one unless others are given. */
  constructor(startDim: number | FlattenOptions = {}, endDim: number = -1) {
    super();
    const named = typeof startDim === "number" ? { startDim, endDim } : startDim;
    this.startDim = named.startDim ?? 1;
    this.endDim = named.endDim ?? -1;
  }

  /** The dimensions named become one. */
  override forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}
