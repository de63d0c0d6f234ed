/**
 * What a benchmark needs that users do not: the floors of arithmetic and of reading, kernels without the tensors around
 * them, either variant of the core, and how much memory wasm has. This file is the benchmarks' one way past `mod.ts`.
 *
 * @module
 */

// deno-lint-ignore layers/imports -- the floor is no public function, and should not become one
import { memory } from "../src/core/memory.ts";
// deno-lint-ignore layers/imports -- an instance of its own, so that no tensor is in its way
import { chosenVariant, instantiate, type Variant } from "../src/core/wasm.ts";
// deno-lint-ignore layers/imports -- kernels know a dtype by its code
import { type DType, DTYPES } from "../src/dtype.ts";
import { streamReader } from "./stream.ts";

/** Floating-point operations in one turn of `peak_madd`: 12 chains of four lanes, a multiplication and an addition. */
export const PEAK_OPERATIONS = 96;

/** The sizes of one product: y[m, n] = x[m, k] · w[n, k]ᵀ + b[n]. */
export interface LinearSize {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** A copy of values of one dtype into another. */
export interface Cast {
  readonly from: DType;
  readonly to: DType;
  /** Values. */
  readonly count: number;
}

/** An instance of the core with nothing but what is placed in it here. */
export class BareCore {
  readonly #exports: ReturnType<typeof instantiate>;
  readonly #readStream: (address: number, bytes: number) => void;
  #meta = 0;
  #scratch = 0;
  #scratchBytes = 0;

  /** Of the variant that the library takes here, unless another is named. */
  constructor(variant: Variant = chosenVariant()) {
    this.#exports = instantiate(variant);
    this.#readStream = streamReader(this.#exports.memory);
  }

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

  /** Gives back room for `count` float32 values. */
  release(address: number, count: number): void {
    this.#exports.release(address, 4 * count);
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

  /** The kernel of casts, on addresses. */
  cast({ from, to, count }: Cast, [source, target]: readonly [number, number]): void {
    this.#exports.cast(target, DTYPES[to].code, source, DTYPES[from].code, count);
  }

  /** The kernel that makes a view contiguous: a matrix of float32 that is transposed, on addresses. */
  transpose([rows, columns]: readonly [number, number], [source, target]: readonly [number, number]): void {
    this.#meta ||= this.reserve(4);
    // Sizes, then strides, as `gather` reads them.
    new Int32Array(this.#exports.memory.buffer, this.#meta, 4).set([columns, rows, 1, columns]);
    this.#exports.gather(target, source, Float32Array.BYTES_PER_ELEMENT, 2, this.#meta);
  }

  /** Reads bytes, a multiple of 256, and nothing else: what no kernel that reads them can be faster than. */
  readStream(address: number, bytes: number): void {
    this.#readStream(address, bytes);
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
