/**
 * Dropout.
 *
 * @module
 */

import type { Tensor } from "../tensor/tensor.ts";
import * as functional from "./functional.ts";
import { Module } from "./module.ts";
import { requireProbability } from "./probability.ts";
import { pythonRepr } from "./repr.ts";

/** The options of {@linkcode Dropout}. */
export interface DropoutOptions {
  /** The probability of an element to become 0; 0.5 by default. */
  readonly p?: number;
  /** Whether it writes into its input. `false` by default. */
  readonly inplace?: boolean;
}

/**
 * In training, zeroes elements with probability `p` and scales the others by 1/(1 − p), with PyTorch's random stream; in
 * evaluation, passes everything through.
 *
 * @example
 * ```ts
 * import { Dropout, ones } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Dropout(0.1).eval().forward(ones([2])).tolist(), [1, 1]);
 * assertEquals(String(new Dropout(0.1)), "Dropout(p=0.1, inplace=False)");
 * ```
 */
export class Dropout extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Dropout";
  /** The probability of an element to become 0. */
  readonly p: number;
  /** Whether it writes into its input. */
  readonly inplace: boolean;

  /** With probability 0.5 unless another is given. */
  constructor(p: number | DropoutOptions = {}, options: DropoutOptions = {}) {
    super();
    const named = typeof p === "number" ? { ...options, p } : p;
    this.p = requireProbability(named.p ?? 0.5);
    this.inplace = named.inplace ?? false;
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return functional.dropout(x, { p: this.p, training: this.training, inplace: this.inplace });
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return `p=${pythonRepr(this.p)}, inplace=${pythonRepr(this.inplace)}`;
  }
}
