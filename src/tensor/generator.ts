/**
 * Random number generators with PyTorch's CPU stream.
 *
 * @module
 */

import { RandomStream } from "../core/random.ts";

/** The seed of a `torch.Generator()` that nobody seeded (c10/core/GeneratorImpl.h, `default_rng_seed_val`). */
const DEFAULT_SEED = 67280421310721n;

/** Seeds are 64 bits; negative ones are their two's complement. */
const SEED_RANGE = { from: -(2n ** 63n), to: 2n ** 64n - 1n };

/** The bits that the CPU stream depends on. */
const STREAM_BITS = 32;

/** Where the stream of a generator, or else of the default one, is. Asking draws nothing. */
export let streamOf: (options: { readonly generator?: Generator }) => RandomStream;

/**
 * A random stream of its own, beside the default one: PyTorch's CPU generator, mt19937.
 *
 * Two generators with one seed give the same values, and the same as `torch.Generator().manual_seed(seed)`.
 *
 * @example A stream that leaves the default one alone
 * ```ts
 * import { Generator, rand } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const generator = new Generator().manualSeed(0);
 * // torch.rand(1, generator=torch.Generator().manual_seed(0))
 * assertEquals(rand([1], { generator }).item(), 0.49625658988952637);
 * ```
 */
export class Generator {
  #seed: bigint;
  readonly #stream: RandomStream;

  static {
    streamOf = ({ generator }) => (generator ?? defaultGenerator()).#stream;
  }

  /** Starts with PyTorch's default seed, 67280421310721. */
  constructor() {
    this.#seed = DEFAULT_SEED;
    this.#stream = new RandomStream(streamSeed(DEFAULT_SEED));
  }

  /**
   * Starts the stream of `seed`.
   *
   * @param seed An integer from −2⁶³ to 2⁶⁴ − 1. Only its low 32 bits matter, as in PyTorch.
   * @throws {RangeError} It is not an integer, or beyond 64 bits.
   */
  manualSeed(seed: number | bigint): this {
    if (typeof seed === "number" && !Number.isInteger(seed)) {
      throw new RangeError(`Cannot seed with ${seed}: a seed is an integer`);
    }
    const whole = BigInt(seed);
    if (whole < SEED_RANGE.from || whole > SEED_RANGE.to) throw new RangeError("Overflow when unpacking long long");
    this.#seed = BigInt.asUintN(64, whole);
    this.#stream.reseed(streamSeed(this.#seed));
    return this;
  }

  /** Starts a stream that cannot be foreseen, and returns its seed. */
  seed(): bigint {
    const [low, high] = crypto.getRandomValues(new Uint32Array(2));
    this.manualSeed((BigInt(high) << 32n) | BigInt(low));
    return this.#seed;
  }

  /** The seed the stream began with, all 64 bits. */
  initialSeed(): bigint {
    return this.#seed;
  }
}

let shared: Generator | null = null;

/** The generator used where none is named; it starts unforeseeable, as PyTorch's does. */
export function defaultGenerator(): Generator {
  if (shared === null) {
    shared = new Generator();
    shared.seed();
  }
  return shared;
}

/**
 * Starts the default random stream anew, as `torch.manual_seed` does.
 *
 * @param seed An integer from −2⁶³ to 2⁶⁴ − 1; negative ones count as in PyTorch.
 * @returns The default generator.
 *
 * @example PyTorch's own numbers
 * ```ts
 * import { Linear, manualSeed } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * manualSeed(0);
 * // torch.manual_seed(0); torch.nn.Linear(10, 5).weight[0, 0]
 * assertEquals(new Linear(10, 5).weight.select(0, 0).select(0, 0).item(), -0.002367540495470166);
 * ```
 */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator().manualSeed(seed);
}

/** The seed the default stream began with: `torch.initial_seed`. */
export function initialSeed(): bigint {
  return defaultGenerator().initialSeed();
}

function streamSeed(seed: bigint): number {
  return Number(BigInt.asUintN(STREAM_BITS, seed));
}
