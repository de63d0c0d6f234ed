import { assert, assertEquals } from "@std/assert";
import { REDUCE, type ReduceName } from "../../src/core/kernels.ts";
import { DTYPES } from "../../src/dtype.ts";
import integers from "../fixtures/kernels/integers.json" with { type: "json" };
import fixture from "../fixtures/kernels/reduce.json" with { type: "json" };
import { decode, type Elements, LENGTHS, noise, Scratch, ulps, VARIANTS } from "./scratch.ts";

/** `[outer, count, inner]`. */
type Extent = readonly [number, number, number];

/** Each dimension of the fixture's shape, as an extent. */
const DIMENSIONS: readonly Extent[] = fixture.shape.map((count, dim) => {
  const size = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
  return [size(fixture.shape.slice(0, dim)), count, size(fixture.shape.slice(dim + 1))];
});

/** How many lines, and how they lie in memory: rows, few columns, and more columns than a block has. */
const LINES: readonly (readonly [number, number])[] = [[1, 1], [2, 1], [2, 3], [1, 130]];

function lines(x: Float32Array, [outer, count, inner]: Extent): Float32Array[] {
  return Array.from({ length: outer * inner }, (_, result) => {
    const [o, i] = [Math.floor(result / inner), result % inner];
    return Float32Array.from({ length: count }, (_, c) => x[(o * count + c) * inner + i]);
  });
}

function run<T extends Elements>(
  scratch: Scratch,
  name: ReduceName,
  dtype: number,
  x: Elements,
  extent: Extent,
  result: T,
): T {
  const y = scratch.put(result);
  assertEquals(scratch.core.reduce(REDUCE[name], dtype, y.address, scratch.put(x).address, ...extent), 0, name);
  const values = y.values();
  scratch.clear();
  return values;
}

function spread(
  scratch: Scratch,
  kernel: "softmax" | "logSoftmax" | "cumsum",
  x: Float32Array,
  extent: Extent,
): Float32Array {
  // In place, not on a vector's boundary.
  const { address, values } = scratch.put(x, 4);
  const status = kernel === "cumsum"
    ? scratch.core.cumsum(0, address, address, ...extent)
    : scratch.core.softmax(0, address, address, ...extent, Number(kernel === "logSoftmax"));
  assertEquals(status, 0);
  const result = values();
  scratch.clear();
  return result;
}

function variance(scratch: Scratch, x: Float32Array, extent: Extent, correction = 1): Float32Array {
  const y = scratch.put(new Float32Array(extent[0] * extent[2]));
  assertEquals(scratch.core.variance(0, y.address, scratch.put(x).address, ...extent, correction), 0);
  const values = y.values();
  scratch.clear();
  return values;
}

for (const variant of VARIANTS) {
  const scratch = new Scratch(variant);

  DIMENSIONS.forEach((extent, dim) => {
    const x = decode(fixture.input, Float32Array);
    const results = extent[0] * extent[2];
    const { answers } = fixture;

    Deno.test(`reduce() (${variant}) over dimension ${dim} answers as PyTorch does`, () => {
      for (
        const [name, ours] of [["sum", "sum"], ["prod", "prod"], ["max", "max"], ["min", "min"], [
          "norm",
          "norm2",
        ]] as const
      ) {
        const got = run(scratch, ours, 0, x, extent, new Float32Array(results));
        decode(answers[name][dim], Float32Array).forEach((want, i) =>
          assert(ulps(got[i], want) <= 3, `${name}: ${got[i]}, not ${want}`)
        );
      }
      for (const name of ["argmax", "argmin"] as const) {
        const want = decode(answers[name][dim], BigInt64Array);
        assertEquals(run(scratch, name, 0, x, extent, new BigInt64Array(results)), want, name);
      }
      for (const name of ["any", "all"] as const) {
        const want = decode(answers[name][dim], Uint8Array);
        assertEquals(run(scratch, name, 0, x, extent, new Uint8Array(results)), want, name);
      }
    });

    Deno.test(`variance(), softmax() and cumsum() (${variant}) over dimension ${dim} answer as PyTorch do`, () => {
      const computed = {
        var: variance(scratch, x, extent),
        softmax: spread(scratch, "softmax", x, extent),
        logSoftmax: spread(scratch, "logSoftmax", x, extent),
        cumsum: spread(scratch, "cumsum", x, extent),
      };
      for (const name of ["var", "softmax", "logSoftmax", "cumsum"] as const) {
        const got = computed[name];
        decode(answers[name][dim], Float32Array).forEach((want, i) => {
          // Each difference from the peak is rounded, in PyTorch too.
          const close =
            Math.abs(got[i] - want) <= 8 * 2 ** -24 * Math.max(Math.abs(want), name === "logSoftmax" ? 1 : 0);
          assert(close || Object.is(got[i], want), `${name}: ${got[i]}, not ${want}`);
        });
      }
    });
  });

  Deno.test(`reduce() (${variant}) sums float32 to half a unit in the last place at every length`, () => {
    for (const count of [...LENGTHS, 10_007]) {
      for (const [outer, inner] of LINES) {
        const x = noise(outer * count * inner, count + 1);
        const got = run(scratch, "sum", 0, x, [outer, count, inner], new Float32Array(outer * inner));
        lines(x, [outer, count, inner]).forEach((line, i) => {
          // Exact: the terms are multiples of 2^-23 below 1.
          assertEquals(got[i], Math.fround(line.reduce((sum, x) => sum + x, 0)), `${count} terms`);
        });
      }
    }
  });

  Deno.test(`reduce() (${variant}) finds extremes and their first place at every length`, () => {
    for (const count of LENGTHS.slice(1)) {
      for (const [outer, inner] of LINES) {
        for (const nan of [false, true]) {
          const extent: Extent = [outer, count, inner];
          // Few different values, so that extremes repeat.
          const x = noise(outer * count * inner, count).map((x, i) => nan && i % 17 === 5 ? NaN : Math.round(x * 4));
          const [max, min] = (["max", "min"] as const).map((name) =>
            run(scratch, name, 0, x, extent, new Float32Array(outer * inner))
          );
          const [high, low] = (["argmax", "argmin"] as const).map((name) =>
            run(scratch, name, 0, x, extent, new BigInt64Array(outer * inner))
          );
          lines(x, extent).forEach((line, i) => {
            const place = line.findIndex((x) => Number.isNaN(x));
            const first = (value: number) => place >= 0 ? place : line.indexOf(value);
            assertEquals([max[i], min[i]], [Math.max(...line), Math.min(...line)]);
            assertEquals([Number(high[i]), Number(low[i])], [first(Math.max(...line)), first(Math.min(...line))]);
          });
        }
      }
    }
  });

  Deno.test(`softmax() (${variant}) is right at every length`, () => {
    for (const count of LENGTHS) {
      for (const [outer, inner] of LINES) {
        const extent: Extent = [outer, count, inner];
        const x = noise(outer * count * inner, 7).map((x) => x * 5);
        const [soft, log] = [spread(scratch, "softmax", x, extent), spread(scratch, "logSoftmax", x, extent)];
        const [softs, logs] = [lines(soft, extent), lines(log, extent)];
        lines(x, extent).forEach((line, i) => {
          const peak = Math.max(...line);
          const sum = line.reduce((sum, x) => sum + Math.exp(x - peak), 0);
          line.forEach((x, c) => {
            // The difference from the peak, at most 10, is rounded.
            const want = Math.exp(x - peak) / sum;
            assert(Math.abs(softs[i][c] - want) <= (3 + 10 / 2) * 2 ** -23 * want, `softmax ${count}`);
            assert(Math.abs(logs[i][c] - (x - peak - Math.log(sum))) <= 3e-6, `log_softmax ${count}`);
          });
        });
      }
    }
  });

  Deno.test(`softmax() (${variant}) gives NaN for a line without a finite value, as PyTorch does`, () => {
    const rows = [[-Infinity, 0, 1], [-Infinity, -Infinity, -Infinity], [NaN, 1, 2], [Infinity, 1, 2]];
    const x = Float32Array.from(rows.flat());
    const y = spread(scratch, "softmax", x, [4, 3, 1]);
    assertEquals(y[0], 0);
    assert(ulps(y[1], 1 / (1 + Math.E)) <= 3);
    assert(y.slice(3).every(Number.isNaN));
    const log = spread(scratch, "logSoftmax", x, [4, 3, 1]);
    assertEquals(log[0], -Infinity);
    assert(log.slice(3).every(Number.isNaN));
  });

  Deno.test(`variance() (${variant}) keeps small differences beside a large mean, and has PyTorch's edges`, () => {
    assertEquals(variance(scratch, Float32Array.of(4194301, 4194302, 4194303), [1, 3, 1]), Float32Array.of(1));
    assertEquals(variance(scratch, Float32Array.of(1), [1, 1, 1]), Float32Array.of(NaN));
    assertEquals(variance(scratch, Float32Array.of(1, 2), [1, 2, 1], 2), Float32Array.of(Infinity));
    assertEquals(variance(scratch, Float32Array.of(1, 2), [1, 2, 1], 0), Float32Array.of(0.25));
    assertEquals(variance(scratch, new Float32Array(), [2, 0, 1]), Float32Array.of(NaN, NaN));
  });

  for (const [dtype, view] of [["int8", Int8Array], ["uint8", Uint8Array], ["int64", BigInt64Array]] as const) {
    Deno.test(`reduce() and cumsum() (${variant}) compute with ${dtype} as PyTorch do`, () => {
      const x = decode<Elements>(integers[dtype].a, view);
      const { code } = DTYPES[dtype];
      const extent: Extent = [1, x.length, 1];
      const { reduce } = integers[dtype];
      for (const name of ["sum", "prod", "argmax", "argmin"] as const) {
        const want = decode(reduce[name], BigInt64Array);
        assertEquals(run(scratch, name, code, x, extent, new BigInt64Array(1)), want, name);
      }
      for (const name of ["max", "min"] as const) {
        const want = decode<Elements>(reduce[name], view);
        assertEquals(run<Elements>(scratch, name, code, x, extent, want.slice()), want, name);
      }
      const y = scratch.put(new BigInt64Array(x.length));
      assertEquals(scratch.core.cumsum(code, y.address, scratch.put(x).address, ...extent), 0);
      assertEquals(y.values(), decode(reduce.cumsum, BigInt64Array));
      scratch.clear();
    });
  }

  Deno.test(`reduce() (${variant}) gives the neutral element of nothing, and refuses its extremes`, () => {
    const empty = new Float32Array();
    const extents: readonly Extent[] = [[2, 0, 1], [1, 0, 2]];
    for (const extent of extents) {
      assertEquals(run(scratch, "sum", 0, empty, extent, Float32Array.of(9, 9)), Float32Array.of(0, 0));
      assertEquals(run(scratch, "prod", 0, empty, extent, Float32Array.of(9, 9)), Float32Array.of(1, 1));
      assertEquals(run(scratch, "all", 0, empty, extent, Uint8Array.of(9, 9)), Uint8Array.of(1, 1));
      assertEquals(run(scratch, "any", 0, empty, extent, Uint8Array.of(9, 9)), Uint8Array.of(0, 0));
      for (const name of ["max", "min", "argmax", "argmin"] as const) {
        assertEquals(scratch.core.reduce(REDUCE[name], 0, 16, 16, ...extent), 1);
      }
    }
    assertEquals(scratch.core.reduce(REDUCE.norm2, DTYPES.int64.code, 16, 16, 0, 1, 1), 1);
    assertEquals(scratch.core.reduce(REDUCE.argmax, DTYPES.bool.code, 16, 16, 0, 1, 1), 1);
    assertEquals(scratch.core.reduce(REDUCE.sum, DTYPES.float16.code, 16, 16, 0, 1, 1), 1);
  });

  Deno.test(`all_close() (${variant}) answers as PyTorch does`, () => {
    const close = (a: Elements, b: Elements, dtype: number, tolerance: readonly [number, number], equalNaN = 0) => {
      const [pa, pb] = [scratch.put(a).address, scratch.put(b).address];
      const answer = scratch.core.all_close(dtype, pa, pb, a.length, ...tolerance, equalNaN);
      scratch.clear();
      return answer === 1;
    };
    const one = (a: number, b: number, equalNaN = 0) =>
      close(Float32Array.of(a), Float32Array.of(b), 0, [1e-5, 1e-8], equalNaN);
    assertEquals([one(Infinity, Infinity), one(Infinity, -Infinity), one(1, Infinity)], [true, false, false]);
    assertEquals([one(NaN, NaN), one(NaN, NaN, 1), one(NaN, 1, 1)], [false, true, false]);
    assertEquals([one(1, 1.000009), one(1, 1.000011)], [true, false]);
    const [a, b] = [BigInt64Array.of(2n ** 53n + 1n), BigInt64Array.of(2n ** 53n)];
    assertEquals([[1e-5, 1e-8], [0, 0]].map(([r, t]) => close(a, b, DTYPES.int64.code, [r, t])), [true, false]);
    for (const length of LENGTHS) {
      const x = noise(length, 3);
      assert(close(x, x, 0, [0, 0]));
      const y = x.map((x, i) => i === length - 1 ? x + 1 : x);
      assertEquals(close(x, y, 0, [1e-5, 1e-8]), length === 0);
    }
  });
}
