/**
 * PyTorch's CPU random stream as values: each function takes its draws from a {@linkcode RandomStream} at once and
 * returns a fill that writes the numbers when they are needed, now or later, with the same bits.
 *
 * How many 32-bit draws a function takes is known beforehand (ATen/native/cpu/DistributionTemplates.h; the same table
 * stands in `rust/src/random.rs`), except for truncated normals, which reject and so must run at once.
 *
 * @module
 */

import { DTYPES } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { DRAWS_PER_PAIR } from "./engines.ts";
import type { Engine, StreamPosition } from "./engines.ts";
import { memory } from "./memory.ts";
import type { Fill, Storage } from "./memory.ts";

export type { StreamPosition } from "./engines.ts";

/** From this many contiguous elements on, PyTorch transforms uniforms in blocks of this size. */
const NORMAL_BLOCK = 16;

/** Ranges from here on take 64 bits a value (torch 2.13 to 2.15). */
const WIDE_RANGE = 1n << 28n;

/** From this many elements on, a permutation takes 64 bits a step: the largest 32-bit number over 20. */
const WIDE_PERMUTATION = Math.floor(0xffffffff / 20);

/** A random stream: a seed and how far it was used. */
export class RandomStream implements StreamPosition {
  /** The low 32 bits of the seed. */
  seed: number;
  /** 32-bit draws taken. */
  position = 0;
  /** Where the pair began whose second normal is still to be used. */
  pairAt: number | null = null;

  /** Starts at the beginning of the stream of `seed`. */
  constructor(seed: number) {
    this.seed = seed;
  }

  /** Starts anew. */
  reseed(seed: number): void {
    this.seed = seed;
    this.position = 0;
    this.pairAt = null;
  }

  /** Where it is. */
  here(): StreamPosition {
    return { seed: this.seed, position: this.position, pairAt: this.pairAt };
  }
}

/** Values in [from, to). */
export function uniform(stream: RandomStream, run: Run, from: number, to: number): Fill {
  const draws = run.count * (run.dtype === "float64" ? 2 : 1);
  return deferred(stream, draws, ({ exports }, engine, address) => {
    exports.random_uniform(engine, address, DTYPES[run.dtype].code, run.count, from, to);
  });
}

/** Normal values. PyTorch has two algorithms: blocks for 16 contiguous elements or more, pairs otherwise. */
export function normal(
  stream: RandomStream,
  run: Run & { readonly contiguous: boolean },
  mean: number,
  std: number,
): Fill {
  const { count, dtype } = run;
  const inBlocks = count >= NORMAL_BLOCK && run.contiguous;
  const before = stream.here();
  if (inBlocks) stream.position += blockDraws(count, dtype);
  else takePairs(stream, count);
  const after = stream.here();
  return (wasm, address) => {
    const engine = wasm.engines.at(before);
    wasm.exports.random_normal(engine.address, address, DTYPES[dtype].code, count, mean, std, run.contiguous ? 1 : 0);
    engine.moved(after.position, after.pairAt);
  };
}

/** Integers in [from, from + range); a range of 0 is 2⁶⁴. */
export function integers(stream: RandomStream, run: Run, from: bigint, range: bigint): Fill {
  const wide = range === 0n || range >= WIDE_RANGE;
  return deferred(stream, run.count * (wide ? 2 : 1), ({ exports }, engine, address) => {
    exports.random_integers(engine, address, DTYPES[run.dtype].code, run.count, from, range);
  });
}

/** Integers over everything the dtype holds exactly: `random_()` without arguments. */
export function fullRange(stream: RandomStream, run: Run): Fill {
  const wide = run.dtype === "int64" || run.dtype === "float64";
  return deferred(stream, run.count * (wide ? 2 : 1), ({ exports }, engine, address) => {
    exports.random_full(engine, address, DTYPES[run.dtype].code, run.count);
  });
}

/** 1 with probability `p`, else 0. */
export function bernoulli(stream: RandomStream, run: Run, p: number): Fill {
  return deferred(stream, run.count * 2, ({ exports }, engine, address) => {
    exports.random_bernoulli(engine, address, DTYPES[run.dtype].code, run.count, p);
  });
}

/** 1 with the probability that stands at the same place of `probabilities` (dense, float32 or float64). */
export function bernoulliEach(
  stream: RandomStream,
  target: { readonly storage: Storage; readonly byteOffset: number },
  run: Run,
  probabilities: { readonly storage: Storage; readonly byteOffset: number; readonly dtype: DType },
): void {
  const wasm = memory();
  wasm.begin();
  const source = wasm.place(probabilities.storage) + probabilities.byteOffset;
  const address = wasm.target(target.storage) + target.byteOffset;
  const engine = wasm.engines.at(stream.here());
  wasm.exports.random_bernoulli_each(
    engine.address,
    address,
    DTYPES[run.dtype].code,
    source,
    DTYPES[probabilities.dtype].code,
    run.count,
  );
  stream.position += run.count * (probabilities.dtype === "float64" ? 2 : 1);
  engine.moved(stream.position, stream.pairAt);
}

/** Exponential values of rate `lambda`. */
export function exponential(stream: RandomStream, run: Run, lambda: number): Fill {
  return deferred(stream, run.count * 2, ({ exports }, engine, address) => {
    exports.random_exponential(engine, address, DTYPES[run.dtype].code, run.count, lambda);
  });
}

/** The integers below `count`, in random order. */
export function permutation(stream: RandomStream, run: Run): Fill {
  const draws = run.count < WIDE_PERMUTATION ? Math.max(run.count - 1, 0) : 2 * run.count;
  return deferred(stream, draws, ({ exports }, engine, address) => {
    exports.random_permutation(engine, address, DTYPES[run.dtype].code, run.count);
  });
}

/** Runs a kernel that takes an engine and says afterwards how many 32-bit draws it took. */
export function drawNow(
  stream: RandomStream,
  target: { readonly storage: Storage; readonly byteOffset: number },
  kernel: (engine: number, address: number) => number,
): void {
  const wasm = memory();
  wasm.begin();
  const address = wasm.target(target.storage) + target.byteOffset;
  const engine = wasm.engines.at(stream.here());
  const before = wasm.exports.random_cached_normal(engine.address);
  stream.position += kernel(engine.address, address);
  const after = wasm.exports.random_cached_normal(engine.address);
  // It may have taken the normal that was left of a pair, or have left one of the last pair it drew.
  if (!Object.is(after, before)) stream.pairAt = Number.isNaN(after) ? null : stream.position - DRAWS_PER_PAIR;
  engine.moved(stream.position, stream.pairAt);
}

/** How many elements of which dtype a function fills. */
export interface Run {
  readonly count: number;
  readonly dtype: DType;
}

function deferred(
  stream: RandomStream,
  draws: number,
  kernel: (wasm: Parameters<Fill>[0], engine: Engine["address"], address: number) => void,
): Fill {
  const before = stream.here();
  stream.position += draws;
  return (wasm, address) => {
    const engine = wasm.engines.at(before);
    kernel(wasm, engine.address, address);
    engine.moved(before.position + draws, before.pairAt);
  };
}

/** Whole blocks and, where some elements are left over, a last block over the last 16. */
function blockDraws(count: number, dtype: DType): number {
  const rest = count % NORMAL_BLOCK === 0 ? 0 : NORMAL_BLOCK;
  if (dtype === "float16" || dtype === "bfloat16") return count - (count % NORMAL_BLOCK) + rest;
  return (count + rest) * (dtype === "float64" ? 2 : 1);
}

function takePairs(stream: RandomStream, count: number): void {
  if (count > 0 && stream.pairAt !== null) {
    stream.pairAt = null;
    count--;
  }
  const pairs = Math.ceil(count / 2);
  stream.position += pairs * DRAWS_PER_PAIR;
  if (count % 2 === 1) stream.pairAt = stream.position - DRAWS_PER_PAIR;
}
