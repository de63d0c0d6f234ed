/**
 * Activations as modules.
 *
 * @module
 */

import type { Tensor } from "../tensor/tensor.ts";
import type { DimOptions } from "../tensor/arguments.ts";
import * as functional from "./functional.ts";
import { Module } from "./module.ts";
import { pythonFloat, pythonRepr } from "./repr.ts";

/** Whether the module writes into its input. */
export interface InplaceOptions {
  /** `false` by default. */
  readonly inplace?: boolean;
}

/** The options of {@linkcode LeakyReLU}. */
export interface LeakyReLUOptions extends InplaceOptions {
  /** The slope below 0; 0.01 by default. */
  readonly negativeSlope?: number;
}

/** The options of {@linkcode GELU}. */
export interface GELUOptions {
  /** `"none"` (the default) is exact, `"tanh"` the approximation that GPT-2 and BERT's first code use. */
  readonly approximate?: "none" | "tanh";
}

/**
 * max(x, 0).
 *
 * @example
 * ```ts
 * import { ReLU, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ReLU().forward(tensor([-1, 2])).tolist(), [0, 2]);
 * assertEquals(String(new ReLU()), "ReLU()");
 * ```
 */
export class ReLU extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "ReLU";
  /** Whether it writes into its input. */
  readonly inplace: boolean;

  /** In place if so asked. */
  constructor(options: boolean | InplaceOptions = {}) {
    super();
    this.inplace = typeof options === "boolean" ? options : options.inplace ?? false;
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return this.inplace ? x.relu_() : x.relu();
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/**
 * 1/(1 + e^-x).
 *
 * @example
 * ```ts
 * import { Sigmoid, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Sigmoid().forward(tensor([0])).tolist(), [0.5]);
 * assertEquals(String(new Sigmoid()), "Sigmoid()");
 * ```
 */
export class Sigmoid extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Sigmoid";
  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/**
 * The hyperbolic tangent.
 *
 * @example
 * ```ts
 * import { Tanh, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Tanh().forward(tensor([0])).tolist(), [0]);
 * assertEquals(String(new Tanh()), "Tanh()");
 * ```
 */
export class Tanh extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Tanh";
  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/**
 * x·Φ(x), Φ being the distribution function of the normal distribution (Hendrycks and Gimpel).
 *
 * @example
 * ```ts
 * import { GELU, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new GELU().forward(tensor([0])).tolist(), [0]);
 * assertEquals(String(new GELU()), "GELU(approximate='none')");
 * ```
 */
export class GELU extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "GELU";
  /** `"none"` is exact. */
  readonly approximate: "none" | "tanh";

  /** Exact unless `approximate` says otherwise. */
  constructor(approximate: "none" | "tanh" | GELUOptions = {}) {
    super();
    const named = typeof approximate === "string" ? { approximate } : approximate;
    this.approximate = named.approximate ?? "none";
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return functional.gelu(x, { approximate: this.approximate });
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return `approximate=${pythonRepr(this.approximate)}`;
  }
}

/**
 * x·sigmoid(x), also called swish.
 *
 * @example
 * ```ts
 * import { SiLU, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new SiLU().forward(tensor([0])).tolist(), [0]);
 * assertEquals(String(new SiLU()), "SiLU()");
 * ```
 */
export class SiLU extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "SiLU";
  /** Whether it writes into its input. */
  readonly inplace: boolean;

  /** In place if so asked. */
  constructor(options: boolean | InplaceOptions = {}) {
    super();
    this.inplace = typeof options === "boolean" ? options : options.inplace ?? false;
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return functional.silu(x, { inplace: this.inplace });
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/**
 * x where it is positive, else slope·x.
 *
 * @example
 * ```ts
 * import { LeakyReLU, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new LeakyReLU(0.5).forward(tensor([-1, 2])).tolist(), [-0.5, 2]);
 * assertEquals(String(new LeakyReLU(0.5)), "LeakyReLU(negative_slope=0.5)");
 * ```
 */
export class LeakyReLU extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "LeakyReLU";
  /** The slope below 0. */
  readonly negativeSlope: number;
  /** Whether it writes into its input. */
  readonly inplace: boolean;

  /** A slope of 0.01 unless another is given. */
  constructor(negativeSlope: number | LeakyReLUOptions = {}, options: InplaceOptions = {}) {
    super();
    const named = typeof negativeSlope === "number" ? { negativeSlope, ...options } : negativeSlope;
    this.negativeSlope = named.negativeSlope ?? 0.01;
    this.inplace = named.inplace ?? false;
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return functional.leakyRelu(x, this);
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return `negative_slope=${pythonFloat(this.negativeSlope)}${this.inplace ? ", inplace=True" : ""}`;
  }
}

/**
 * e^x over the sum of e^x along a dimension.
 *
 * @example
 * ```ts
 * import { Softmax, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Softmax(1).forward(tensor([[0, 0]])).tolist(), [[0.5, 0.5]]);
 * assertEquals(String(new Softmax(1)), "Softmax(dim=1)");
 * ```
 */
export class Softmax extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Softmax";
  /** The dimension that sums to 1; `null`: 0 for tensors of 0, 1 or 3 dimensions, else 1, as PyTorch guesses. */
  readonly dim: number | null;

  /** Along the given dimension. */
  constructor(dim: number | null | DimOptions = null) {
    super();
    this.dim = typeof dim === "object" && dim !== null ? dim.dim ?? null : dim;
  }

  /** Any shape, kept. */
  override forward(x: Tensor): Tensor {
    return x.softmax(this.dim ?? ([0, 1, 3].includes(x.ndim) ? 0 : 1));
  }

  /** The settings, as they stand in the module's text. */
  override extraRepr(): string {
    return `dim=${pythonRepr(this.dim)}`;
  }
}
