/**
 * What a benchmark needs that users do not: the floor of all arithmetic, the kernel without the tensors around it, and
 * how much memory wasm has. This file is the benchmarks' one way past `mod.ts`.
 *
 * @module
 */

// deno-lint-ignore layers/imports -- the floor is no public function, and should not become one
import { memory } from "../src/core/memory.ts";
// deno-lint-ignore layers/imports -- an instance of its own, so that no tensor is in its way
import { chosenVariant, instantiate } from "../src/core/wasm.ts";

/** Floating-point operations in one turn of `peak_madd`: 12 chains of four lanes, a multiplication and an addition. */
export const PEAK_OPERATIONS = 96;

/** The sizes of one product: y[m, n] = x[m, k] · w[n, k]ᵀ + b[n]. */
export interface LinearSize {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** An instance of the core with nothing but what is placed in it here. */
export class BareCore {
  readonly #exports = instantiate(chosenVariant());
  #scratch = 0;
  #scratchBytes = 0;

  /** Copies values into it and returns their address. */
  place(values: Float32Array): number {
    const address = this.reserve(values.length);
    new Float32Array(this.#exports.memory.buffer, address, values.length).set(values);
    return address;
  }

  /** Room for `count` float32 values. */
  reserve(count: number): number {
    const address = this.#exports.allocate(4 * count);
    if (address === 0) {
      throw new RangeError(`Cannot place ${4 * count} bytes in the memory of a benchmark`);
    }
    return address;
  }

  /** A copy of `count` float32 values. */
  read(address: number, count: number): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, address, count)
      .slice();
  }

  /** The kernel of {@linkcode LinearSize}; x, w, b and y are addresses. */
  linear({ m, k, n }: LinearSize, [x, w, b, y]: readonly [number, number, number, number]): void {
    this.#exports.linear(m, k, n, x, w, b, y, n, this.#scratchOf(this.#exports.linear_scratch(m, k)));
  }

  /** Memory for a kernel while it runs: one block, kept, as large as any needed so far. */
  #scratchOf(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      this.#scratch = this.reserve(bytes / 4);
      this.#scratchBytes = bytes;
    }
    return this.#scratch;
  }

  /** Multiply-adds with nothing between them, {@linkcode PEAK_OPERATIONS} a turn. */
  peak(turns: number): number {
    return this.#exports.peak_madd(turns);
  }
}

/** Bytes of the wasm memory that the library's tensors are in. */
export function wasmBytes(): number {
  return memory().byteLength;
}
