/**
 * Tensors that belong to a module: parameters, which learn, and buffers, which do not.
 *
 * @module
 */

import { isComplex, isFloat } from "../tensor/promotion.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import type { TensorLayout } from "../tensor/tensor.ts";

/** Whether gradients are wanted. */
export interface ParameterOptions {
  /** `true` by default. */
  readonly requiresGrad?: boolean;
}

/** Whether a buffer is part of the state dict. */
export interface BufferOptions {
  /** `true` by default; a buffer that is not persistent is neither saved nor loaded. */
  readonly persistent?: boolean;
}

/**
 * A tensor that a module learns. As a field of a module it is registered under the field's name.
 *
 * @example
 * ```ts
 * import { ones, Parameter } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const scale = new Parameter(ones([2]));
 * assertEquals(String(scale), "Parameter containing:\ntensor([1., 1.], requires_grad=True)");
 * ```
 */
export class Parameter extends Tensor {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Parameter";
  /**
   * A parameter that shares the memory of `source`.
   *
   * @throws {TypeError} It holds integers or booleans and `requiresGrad` is not `false`.
   */
  constructor(source: TensorLayout, options: boolean | ParameterOptions = {}) {
    super(source);
    const requiresGrad = typeof options === "boolean" ? options : options.requiresGrad ?? true;
    if (requiresGrad && !isFloat(this.dtype) && !isComplex(this.dtype)) {
      throw new TypeError("Only Tensors of floating point and complex dtype can require gradients");
    }
    this.requiresGrad = requiresGrad;
    viewOf(this).storage.persistent = true;
  }

  /** What stands before the values when it is printed. */
  protected override get printPrefix(): string {
    return "Parameter containing:\ntensor(";
  }
}

/**
 * A tensor that a module keeps and does not learn, such as a running mean. As a field of a module it is registered under
 * the field's name.
 *
 * @example
 * ```ts
 * import { Buffer, zeros } from "@graft/graft";
 * import { assert } from "@std/assert";
 *
 * assert(!new Buffer(zeros([2]), { persistent: false }).persistent);
 * ```
 */
export class Buffer extends Tensor {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Buffer";
  /** Whether it is part of the state dict. */
  readonly persistent: boolean;

  /** A buffer that shares the memory of `source`. */
  constructor(source: TensorLayout, options: boolean | BufferOptions = {}) {
    super(source);
    this.persistent = typeof options === "boolean" ? options : options.persistent ?? true;
    viewOf(this).storage.persistent = true;
  }
}
