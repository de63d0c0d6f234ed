import { assert, assertEquals } from "@std/assert";
import { UNARY, type UnaryName } from "../../src/core/kernels.ts";
import { DTYPES } from "../../src/dtype.ts";
import integers from "../fixtures/kernels/integers.json" with { type: "json" };
import fixture from "../fixtures/kernels/unary.json" with { type: "json" };
import { decode, type Elements, LENGTHS, Scratch, ulps, VARIANTS } from "./scratch.ts";

/** The numbers that a function takes beside its operand, as in `generators/kernels.py`. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  leakyRelu: [0.01, 0],
  clamp: [-1.25, 2],
  softplus: [0.5, 9],
  elu: [1.5, 0],
};

/** Functions with a byte per element as answer. */
const TESTS = ["logicalNot", "isnan", "isinf", "isfinite"];

/** How far our float32 and PyTorch's may lie apart, in units in the last place; 0 where there is nothing to round. */
const APART: Readonly<Record<string, number>> = {
  ...{ relu: 0, abs: 0, neg: 0, floor: 0, ceil: 0, round: 0, trunc: 0, sign: 0, clamp: 0, square: 0, sqrt: 1 },
  ...{ reciprocal: 0, leakyRelu: 0, rsqrt: 1, sigmoid: 3, tanh: 2, silu: 4, exp: 2, erf: 3 },
};

/** Of the others: both are within a unit of the truth. */
const ELSE_APART = 2;

/** GELU of PyTorch loses its last bits at the left, where it adds -1 and 1 - ε. */
const GELU_APART = 1e-7;

const special = [NaN, Infinity, -Infinity, 0, -0, 1e-40, -3e38, 0.5, -1.5, 2.5];

/** Values of every kind, in an order that brings each to each lane. */
function values(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => i % 3 === 2 ? special[(i / 3 | 0) % 10] : Math.sin(i) * 6);
}

function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** Formulas for the functions that the core computes four at a time, beside the ones a golden value is enough for. */
const REFERENCE: Readonly<Partial<Record<UnaryName, { f: (x: number) => number; within: number }>>> = {
  relu: { f: (x) => x < 0 ? 0 : x, within: 0 },
  sigmoid: { f: sigmoid, within: 2.4 },
  tanh: { f: Math.tanh, within: 1.4 },
  silu: { f: (x) => x * sigmoid(x), within: 3 },
  leakyRelu: { f: (x) => x > 0 ? x : x * Math.fround(0.01), within: 0.5 },
  exp: { f: Math.exp, within: 1.1 },
  sqrt: { f: Math.sqrt, within: 0.5 },
  abs: { f: Math.abs, within: 0 },
  neg: { f: (x) => -x, within: 0 },
  reciprocal: { f: (x) => 1 / x, within: 0.5 },
  rsqrt: { f: (x) => 1 / Math.sqrt(x), within: 1.5 },
  floor: { f: Math.floor, within: 0 },
  ceil: { f: Math.ceil, within: 0 },
  trunc: { f: Math.trunc, within: 0 },
  clamp: { f: (x) => Number.isNaN(x) ? NaN : Math.min(Math.max(x, -1.25), 2), within: 0 },
  square: { f: (x) => x * x, within: 0.5 },
  log: { f: Math.log, within: 0.51 },
  sin: { f: Math.sin, within: 0.51 },
};

function entries<V>(table: Readonly<Partial<Record<string, V>>>): readonly (readonly [UnaryName, V])[] {
  return Object.entries(table).map(([name, value]) => {
    assert(isUnaryName(name) && value !== undefined, name);
    return [name, value] as const;
  });
}

function isUnaryName(name: string): name is UnaryName {
  return name in UNARY;
}

function run<T extends Elements>(scratch: Scratch, name: UnaryName, dtype: keyof typeof DTYPES, x: T): T | Uint8Array {
  const [a, b] = NUMBERS[name] ?? [0, 0];
  const [from, to] = [
    scratch.put(x, 8),
    TESTS.includes(name) ? scratch.put(new Uint8Array(x.length)) : scratch.put(x, 8),
  ];
  const status = scratch.core.unary(UNARY[name], DTYPES[dtype].code, to.address, from.address, x.length, a, b);
  assertEquals(status, 0, `${name} of ${dtype}`);
  const result = to.values();
  scratch.clear();
  return result;
}

for (const variant of VARIANTS) {
  const scratch = new Scratch(variant);

  for (const [name, text] of entries(fixture.float32)) {
    Deno.test(`unary() (${variant}) computes ${name} of float32 as PyTorch does`, () => {
      const x = decode(fixture.input, Float32Array);
      const got = run(scratch, name, "float32", x);
      if (got instanceof Uint8Array) return assertEquals(got, decode(text, Uint8Array));
      decode(text, Float32Array).forEach((want, i) => {
        const close = name.startsWith("gelu") && Math.abs(got[i] - want) <= GELU_APART * Math.max(1, Math.abs(want));
        const apart = close ? 0 : ulps(got[i], want);
        assert(apart <= (APART[name] ?? ELSE_APART), `${name}(${x[i]}) = ${got[i]}, not ${want}: ${apart} ulp`);
        if (want === 0) assert(Object.is(got[i], want), `${name}(${x[i]}) = ${got[i]}, not ${want}`);
      });
    });
  }

  for (const [name, text] of entries(fixture.float64)) {
    Deno.test(`unary() (${variant}) computes ${name} of float64 as PyTorch does`, () => {
      const x = Float64Array.from(decode(fixture.input, Float32Array));
      const got = run(scratch, name, "float64", x);
      decode(text, Float64Array).forEach((want, i) => {
        const close =
          Math.abs(Number(got[i]) - want) <= 4e-15 * Math.max(Math.abs(want), name.startsWith("gelu") ? 0.1 : 0);
        assert(close || Object.is(got[i], want), `${name}(${x[i]}) = ${got[i]}, not ${want}`);
      });
    });
  }

  for (const [name, reference] of entries(REFERENCE)) {
    Deno.test(`unary() (${variant}) computes ${name} of float32 at every length`, () => {
      for (const length of LENGTHS) {
        const x = values(length);
        const y = run(scratch, name, "float32", x);
        x.forEach((x, i) => {
          const apart = ulps(Number(y[i]), reference.f(x));
          assert(apart <= reference.within, `${name}(${x}) = ${y[i]}, not ${reference.f(x)}: ${apart} ulp`);
        });
      }
    });
  }

  for (const [dtype, view] of [["int8", Int8Array], ["uint8", Uint8Array], ["int64", BigInt64Array]] as const) {
    Deno.test(`unary() (${variant}) computes with ${dtype} as PyTorch does`, () => {
      const x = decode<Elements>(integers[dtype].a, view);
      for (const [name, text] of entries(integers[dtype].unary)) {
        const [a, b] = name === "clamp" ? [-3, 100] : [0, 0];
        const bytes = TESTS.includes(name);
        const to = bytes ? scratch.put(new Uint8Array(x.length)) : scratch.put(x);
        const from = scratch.put(x).address;
        assertEquals(scratch.core.unary(UNARY[name], DTYPES[dtype].code, to.address, from, x.length, a, b), 0);
        assertEquals(to.values(), decode<Elements>(text, bytes ? Uint8Array : view), name);
      }
      scratch.clear();
    });
  }

  Deno.test(`unary() (${variant}) works in place`, () => {
    for (const length of LENGTHS) {
      const block = scratch.put(values(length), 4);
      const want = values(length).map((x) => x < 0 ? 0 : x);
      assertEquals(scratch.core.unary(UNARY.relu, 0, block.address, block.address, length, 0, 0), 0);
      assertEquals(block.values(), want);
      scratch.clear();
    }
  });

  Deno.test(`unary() (${variant}) refuses what a dtype does not have`, () => {
    const refused: readonly [UnaryName, keyof typeof DTYPES][] = [
      ["exp", "int64"],
      ["neg", "bool"],
      ["bitwiseNot", "float32"],
      ["relu", "float16"],
      ["relu", "complex64"],
      ["relu", "uint16"],
    ];
    for (const [name, dtype] of refused) {
      assertEquals(scratch.core.unary(UNARY[name], DTYPES[dtype].code, 16, 16, 0, 0, 0), 1, `${name} of ${dtype}`);
    }
    assertEquals(scratch.core.unary(99, 0, 16, 16, 0, 0, 0), 1);
    assertEquals(scratch.core.unary(0, 99, 16, 16, 0, 0, 0), 1);
  });
}

Deno.test("unary() gives the same bits in both variants", () => {
  const x = values(1001);
  const bits = (name: UnaryName) =>
    VARIANTS.map((variant) => {
      const scratch = new Scratch(variant);
      const block = scratch.put(x);
      scratch.core.unary(UNARY[name], 0, block.address, block.address, x.length, 0.5, 1);
      return new Int32Array(block.values().buffer);
    });
  for (const name of ["sigmoid", "tanh", "gelu", "geluTanh", "silu", "exp", "erf"] as const) {
    const [simd, relaxed] = bits(name);
    assertEquals(simd, relaxed, name);
  }
});
