/**
 * The linear layers that are timed, and the scalar loop that says whether an answer is right.
 *
 * @module
 */

import type { LinearSize } from "./core.ts";

/** Largest difference from the scalar loop: float32 sums of 4096 products of values below 1 err by less. */
const TOLERANCE = 1e-3;

/** Rows that are compared; the loop is slow, and a kernel does not err in one row of hundreds only. */
const ROWS_CHECKED = 8;

/** The sizes of a layer's forward pass. */
export interface LinearShape extends LinearSize {
  /** Whether the weights fit in a last-level cache of 32 MiB. */
  readonly isCached: boolean;
}

/** A layer and an input, with values in ±1. */
export interface LinearProblem {
  readonly shape: LinearShape;
  /** [m, k]. */
  readonly x: Float32Array<ArrayBuffer>;
  /** [n, k], as PyTorch stores it. */
  readonly w: Float32Array<ArrayBuffer>;
  /** [n]. */
  readonly b: Float32Array<ArrayBuffer>;
}

/** Encoder layers by a batch of tokens, a batch of images, one token, and the layer of the README's example. */
export const LINEAR_SHAPES: readonly LinearShape[] = [
  { m: 60, k: 512, n: 512, isCached: true },
  { m: 60, k: 768, n: 768, isCached: true },
  { m: 120, k: 1024, n: 1024, isCached: true },
  { m: 60, k: 3072, n: 768, isCached: true },
  { m: 512, k: 1024, n: 1024, isCached: true },
  { m: 8, k: 1024, n: 1024, isCached: true },
  { m: 1, k: 768, n: 768, isCached: true },
  { m: 1, k: 3072, n: 768, isCached: true },
  { m: 1000, k: 10, n: 5, isCached: true },
  { m: 1, k: 10, n: 5, isCached: true },
  { m: 1, k: 4096, n: 4096, isCached: false },
];

/** M×K×N. */
export function shapeName({ m, k, n }: LinearSize): string {
  return `${m}×${k}×${n}`;
}

/** Floating-point operations of one forward pass. */
export function operations({ m, k, n }: LinearSize): number {
  return 2 * m * k * n;
}

/** The same problem every time. */
export function linearProblem(shape: LinearShape): LinearProblem {
  const { m, k, n } = shape;
  return { shape, x: values(m * k, 1), w: values(n * k, 2), b: values(n, 3) };
}

/** Compares a result with the scalar loop, in float64, over some of its rows. */
export function checkLinear({ shape, x, w, b }: LinearProblem, result: Float32Array, name: string): void {
  const { m, k, n } = shape;
  if (result.length !== m * n) {
    throw new Error(`${name} gives ${result.length} values for ${shapeName(shape)}`);
  }
  const step = Math.max(1, Math.floor(m / ROWS_CHECKED));
  for (let row = m - 1; row >= 0; row -= step) {
    for (let column = 0; column < n; column++) {
      let expected = b[column];
      for (let i = 0; i < k; i++) {
        expected += x[row * k + i] * w[column * k + i];
      }
      const found = result[row * n + column];
      if (Math.abs(found - expected) <= TOLERANCE) continue;
      throw new Error(`${name} is wrong for ${shapeName(shape)} at [${row}, ${column}]: ${found}, not ${expected}`);
    }
  }
}

/** Values in [-1, 1) from a linear congruential generator (Numerical Recipes' constants). */
function values(count: number, seed: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state / 2 ** 31 - 1;
  }
  return result;
}
