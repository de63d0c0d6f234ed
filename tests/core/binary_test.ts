import { assert, assertEquals } from "@std/assert";
import { BINARY, type BinaryName, COMPARE, type CompareName, PAIRING } from "../../src/core/kernels.ts";
import { DTYPES } from "../../src/dtype.ts";
import fixture from "../fixtures/kernels/binary.json" with { type: "json" };
import integers from "../fixtures/kernels/integers.json" with { type: "json" };
import { decode, type Elements, LENGTHS, Scratch, ulps, VARIANTS } from "./scratch.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1e-40, 3e38, 0.5, -1.5, 2.5, 5, -5];

function values(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => special[(i * step + (i / 12 | 0)) % 12]);
}

const REFERENCE = {
  add: (x: number, y: number) => x + y,
  sub: (x: number, y: number) => x - y,
  mul: (x: number, y: number) => x * y,
  div: (x: number, y: number) => x / y,
  maximum: Math.max,
  minimum: Math.min,
} as const;

const COMPARISONS: Readonly<Record<CompareName, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
};

function entries<V>(table: Readonly<Partial<Record<string, V>>>): readonly (readonly [BinaryName, V])[] {
  return Object.entries(table).flatMap(([name, value]) =>
    isBinaryName(name) && value !== undefined ? [[name, value] as const] : []
  );
}

function isBinaryName(name: string): name is BinaryName {
  return name in BINARY;
}

/** Equal, or both NaN, or both zero: of two zeros PyTorch's own vector and scalar code pick differently. */
function same(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

for (const variant of VARIANTS) {
  const scratch = new Scratch(variant);

  Deno.test(`binary() (${variant}) computes with every pair of float32 as PyTorch does`, () => {
    const list = decode(fixture.values, Float32Array);
    const [a, b] = [(i: number) => list[i / list.length | 0], (i: number) => list[i % list.length]];
    const count = list.length ** 2;
    for (const [name, text] of entries(fixture.float32)) {
      const [pa, pb] = [a, b].map((of) => scratch.put(Float32Array.from({ length: count }, (_, i) => of(i))).address);
      const y = scratch.put(new Float32Array(count));
      assertEquals(scratch.core.binary(BINARY[name], 0, y.address, pa, pb, count, PAIRING.each), 0);
      const got = y.values();
      decode(text, Float32Array).forEach((want, i) => {
        const apart = ulps(got[i], want);
        const allowed = name === "pow" || name === "atan2" ? 2 : 0;
        assert(apart <= allowed, `${name}(${a(i)}, ${b(i)}) = ${got[i]}, not ${want}`);
        if (name !== "maximum" && name !== "minimum") assert(want !== 0 || Object.is(got[i], want), `${name}: sign`);
      });
      scratch.clear();
    }
  });

  Deno.test(`binary() (${variant}) computes at every length, in every pairing`, () => {
    for (const length of LENGTHS) {
      for (const [name, f] of entries(REFERENCE)) {
        for (const mode of [PAIRING.each, PAIRING.rightOne, PAIRING.leftOne]) {
          const [a, b] = [values(Math.max(1, length), 1), values(Math.max(1, length), 5)];
          const y = scratch.put(new Float32Array(length), 4);
          const [pa, pb] = [scratch.put(a, 8).address, scratch.put(b, 12).address];
          assertEquals(scratch.core.binary(BINARY[name], 0, y.address, pa, pb, length, mode), 0);
          y.values().forEach((value, i) => {
            const [left, right] = [a[mode === PAIRING.leftOne ? 0 : i], b[mode === PAIRING.rightOne ? 0 : i]];
            assert(same(value, Math.fround(f(left, right))), `${name}(${left}, ${right}) = ${value}`);
          });
          scratch.clear();
        }
      }
    }
  });

  Deno.test(`binary() (${variant}) writes over either operand`, () => {
    for (const length of LENGTHS) {
      const want = values(length, 1).map((x, i) => x - values(length, 5)[i]);
      for (const over of [0, 1]) {
        const blocks = [scratch.put(values(length, 1)), scratch.put(values(length, 5))];
        const [pa, pb] = blocks.map(({ address }) => address);
        assertEquals(scratch.core.binary(BINARY.sub, 0, blocks[over].address, pa, pb, length, PAIRING.each), 0);
        assertEquals(blocks[over].values(), want);
        scratch.clear();
      }
    }
  });

  Deno.test(`binary_rows() and compare_rows() (${variant}) repeat the short operand, on either side`, () => {
    for (const [rows, cols] of [[0, 3], [3, 0], [1, 1], [5, 7], [3, 200]]) {
      for (const swap of [0, 1]) {
        const [a, b] = [values(rows * cols, 1), values(cols, 5)];
        const [pa, pb] = [scratch.put(a).address, scratch.put(b).address];
        const y = scratch.put(new Float32Array(rows * cols), 4);
        const truths = scratch.put(new Uint8Array(rows * cols), 1);
        const pair = (i: number): [number, number] => swap === 1 ? [b[i % cols], a[i]] : [a[i], b[i % cols]];
        assertEquals(scratch.core.binary_rows(BINARY.sub, 0, y.address, pa, pb, rows, cols, swap), 0);
        assertEquals(scratch.core.compare_rows(COMPARE.lt, 0, truths.address, pa, pb, rows, cols, swap), 0);
        y.values().forEach((value, i) => assert(same(value, Math.fround(REFERENCE.sub(...pair(i))))));
        truths.values().forEach((value, i) => assertEquals(value, Number(COMPARISONS.lt(...pair(i)))));
        scratch.clear();
      }
    }
  });

  Deno.test(`compare() (${variant}) is right for every outcome and length`, () => {
    for (const length of LENGTHS) {
      const [a, b] = [values(length, 1), values(length, 5)];
      const [pa, pb] = [scratch.put(a, 4).address, scratch.put(b).address];
      for (const [name, f] of Object.entries(COMPARISONS)) {
        const y = scratch.put(new Uint8Array(length), 3);
        const code = Object.entries(COMPARE).find(([other]) => other === name)?.[1] ?? -1;
        assertEquals(scratch.core.compare(code, 0, y.address, pa, pb, length, PAIRING.each), 0);
        assertEquals(y.values(), Uint8Array.from(a, (x, i) => Number(f(x, b[i]))), name);
      }
      scratch.clear();
    }
  });

  for (const [dtype, view] of [["int8", Int8Array], ["uint8", Uint8Array], ["int64", BigInt64Array]] as const) {
    Deno.test(`binary() and compare() (${variant}) compute with ${dtype} as PyTorch does`, () => {
      const [a, b] = [decode<Elements>(integers[dtype].a, view), decode<Elements>(integers[dtype].b, view)];
      const { code } = DTYPES[dtype];
      const [pa, pb] = [scratch.put(a).address, scratch.put(b).address];
      for (const [name, text] of entries(integers[dtype].binary)) {
        const y = scratch.put(a);
        assertEquals(scratch.core.binary(BINARY[name], code, y.address, pa, pb, a.length, PAIRING.each), 0, name);
        assertEquals(y.values(), decode<Elements>(text, view), name);
      }
      const y = scratch.put(new Uint8Array(a.length));
      assertEquals(scratch.core.compare(COMPARE.lt, code, y.address, pa, pb, a.length, PAIRING.each), 0);
      assertEquals(y.values(), decode(integers[dtype].binary.lt, Uint8Array));
      scratch.clear();
    });
  }

  Deno.test(`binary() (${variant}) refuses to divide integers by zero, and writes nothing`, () => {
    const a = Array.from({ length: 300 }, (_, i) => i);
    for (const zero of [0, 150, 299]) {
      for (const name of ["remainder", "fmod", "floorDivide"] as const) {
        const y = scratch.put(Int32Array.from(a));
        const [pa, pb] = [a, a.map((_, i) => i === zero ? 0 : 1)].map((list) =>
          scratch.put(Int32Array.from(list)).address
        );
        const { code } = DTYPES.int32;
        assertEquals(scratch.core.binary(BINARY[name], code, y.address, pa, pb, a.length, PAIRING.each), 2);
        assertEquals(y.values(), Int32Array.from(a));
        scratch.clear();
      }
    }
  });

  Deno.test(`binary() (${variant}) refuses one negative power of integers, and what a dtype does not have`, () => {
    const [a, b] = [scratch.put(BigInt64Array.of(2n)), scratch.put(BigInt64Array.of(-1n))].map(({ address }) =>
      address
    );
    const { code } = DTYPES.int64;
    assertEquals(scratch.core.binary(BINARY.pow, code, a, a, b, 1, PAIRING.rightOne), 3);
    assertEquals(scratch.core.binary(BINARY.div, code, a, a, b, 1, PAIRING.each), 1);
    assertEquals(scratch.core.binary(BINARY.bitwiseAnd, DTYPES.float32.code, a, a, b, 1, PAIRING.each), 1);
    assertEquals(scratch.core.binary(BINARY.sub, DTYPES.bool.code, a, a, b, 1, PAIRING.each), 1);
    assertEquals(scratch.core.binary(BINARY.add, DTYPES.bfloat16.code, a, a, b, 1, PAIRING.each), 1);
    assertEquals(scratch.core.binary(99, code, a, a, b, 1, PAIRING.each), 1);
    assertEquals(scratch.core.compare(6, code, a, a, b, 1, PAIRING.each), 1);
    scratch.clear();
  });

  Deno.test(`binary() (${variant}) takes PyTorch's short ways for one exponent`, () => {
    const power = (x: number, exponent: number) => {
      const y = scratch.put(new Float32Array(1));
      const [px, pe] = [x, exponent].map((value) => scratch.put(Float32Array.of(value)).address);
      assertEquals(scratch.core.binary(BINARY.pow, 0, y.address, px, pe, 1, PAIRING.rightOne), 0);
      const [value] = y.values();
      scratch.clear();
      return value;
    };
    assertEquals([power(-Infinity, 0.5), power(-0, 0.5), power(-0, -0.5)], [NaN, -0, -Infinity]);
    assertEquals([power(NaN, 0), power(3, 2), power(-3, 3), power(4, -1), power(2, -2), power(2, 10)], [
      1,
      9,
      -27,
      0.25,
      0.25,
      1024,
    ]);
  });

  Deno.test(`choose() (${variant}) takes from either side, for every item size and pairing`, () => {
    for (const item of [1, 2, 4, 8, 16]) {
      for (const mode of Object.values(PAIRING)) {
        for (const count of [0, 1, 2, 3, 17]) {
          const [a, b] = [1, 2].map((seed) => Uint8Array.from({ length: 17 * item }, (_, i) => i * 7 + seed * 101));
          const cond = Uint8Array.from({ length: count }, (_, i) => Number(i % 3 === 1));
          const [pc, pa, pb] = [cond, a, b].map((bytes) => scratch.put(bytes).address);
          const y = scratch.put(new Uint8Array(count * item));
          scratch.core.choose(y.address, pc, pa, pb, count, item, mode);
          const want = Array.from(cond).flatMap((yes, i) => {
            const single = yes ? mode === 2 || mode === 3 : mode === 1 || mode === 3;
            const from = single ? 0 : i * item;
            return Array.from((yes ? a : b).subarray(from, from + item));
          });
          assertEquals(Array.from(y.values()), want);
          scratch.clear();
        }
      }
    }
  });
}
