/**
 * Random engines in wasm, sought to any place of any stream.
 *
 * A place in PyTorch's CPU stream is (seed, draws taken, cached normal). All three are known without drawing, so a
 * fill can wait: when its values are needed, an engine is brought to its place. Engines move forward only; a place
 * behind all of them is reached from the seed again.
 *
 * @module
 */

import { DTYPES } from "../dtype.ts";
import type { CoreExports } from "./wasm.ts";

/** Engines kept: one for the draws that go on, one or two for fills that waited, one to spare. */
const ENGINES = 4;

/** 32-bit draws that one Box–Muller pair of float64 normals takes. */
export const DRAWS_PER_PAIR = 4;

/** A place in a random stream. */
export interface StreamPosition {
  /** The low 32 bits of the seed; CPU streams depend on no others. */
  readonly seed: number;
  /** 32-bit draws taken since seeding. */
  readonly position: number;
  /** Where the pair began whose second normal is still to be used, or `null`. */
  readonly pairAt: number | null;
}

/** An engine and the place it is at. */
export interface Engine {
  /** Its state in wasm. */
  readonly address: number;
  /** Records where a kernel left it. */
  moved(position: number, pairAt: number | null): void;
}

class SeekableEngine implements Engine {
  readonly address: number;
  seed = -1;
  position = 0;
  pairAt: number | null = null;
  used = 0;

  constructor(address: number) {
    this.address = address;
  }

  moved(position: number, pairAt: number | null): void {
    this.position = position;
    this.pairAt = pairAt;
  }

  /** Whether it can reach a place by going forward. */
  reaches(place: StreamPosition): boolean {
    if (this.seed !== place.seed) return false;
    const start = place.pairAt === null || place.pairAt === this.pairAt ? place.position : place.pairAt;
    return this.position <= start;
  }
}

/** The engines of one wasm instance. */
export class Engines {
  #exports: CoreExports;
  #reserve: () => number;
  #scratch: number;
  #engines: SeekableEngine[] = [];
  #uses = 0;

  /**
   * @param exports The kernels.
   * @param reserve Allocates the state of one engine.
   * @param scratch 16 bytes that nobody keeps anything in.
   */
  constructor(exports: CoreExports, reserve: () => number, scratch: number) {
    this.#exports = exports;
    this.#reserve = reserve;
    this.#scratch = scratch;
  }

  /** An engine at `place`. */
  at(place: StreamPosition): Engine {
    const engine = this.#nearest(place) ?? this.#seeded(place.seed);
    engine.used = ++this.#uses;
    if (place.pairAt === null) this.#exports.random_forget_normal(engine.address);
    else if (engine.pairAt !== place.pairAt) this.#drawPair(engine, place.pairAt);
    this.#skipTo(engine, place.position);
    engine.pairAt = place.pairAt;
    return engine;
  }

  #nearest(place: StreamPosition): SeekableEngine | undefined {
    let best: SeekableEngine | undefined;
    for (const engine of this.#engines) {
      if (engine.reaches(place) && (best === undefined || engine.position > best.position)) best = engine;
    }
    return best;
  }

  #seeded(seed: number): SeekableEngine {
    let engine = this.#engines.reduce<SeekableEngine | undefined>(
      (oldest, e) => oldest === undefined || e.used < oldest.used ? e : oldest,
      undefined,
    );
    if (engine === undefined || this.#engines.length < ENGINES) {
      engine = new SeekableEngine(this.#reserve());
      this.#engines.push(engine);
    }
    this.#exports.random_seed(engine.address, seed);
    engine.seed = seed;
    engine.moved(0, null);
    return engine;
  }

  /** Draws one normal, so that the engine has the pair's second one cached. */
  #drawPair(engine: SeekableEngine, pairAt: number): void {
    this.#skipTo(engine, pairAt);
    this.#exports.random_forget_normal(engine.address);
    this.#exports.random_normal(engine.address, this.#scratch, DTYPES.float64.code, 1, 0, 1, 0);
    engine.moved(pairAt + DRAWS_PER_PAIR, pairAt);
  }

  #skipTo(engine: SeekableEngine, position: number): void {
    if (position > engine.position) this.#exports.random_skip(engine.address, position - engine.position);
    engine.position = position;
  }
}
