import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { DTYPES, itemSize } from "../../src/dtype.ts";
import type { DType } from "../../src/dtype.ts";
import { fromHex, KernelMemory, readFixture, toHex, VARIANTS } from "./kernel_memory.ts";

interface Case {
  readonly op: string;
  readonly seed: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly args: Readonly<Record<string, number>>;
  readonly pick?: readonly number[];
  readonly bits: string;
  readonly then: number;
}

interface Fixture {
  readonly cases: readonly Case[];
}

/** Largest difference from LAPACK's decomposition, which itself works in the dtype: a few units of 1. */
const ORTHOGONAL_TOLERANCE = { float32: 3e-6, float64: 1e-14 };

for (const variant of VARIANTS) {
  const core = new KernelMemory(variant);
  const engine = core.exports.allocate(core.exports.random_engine_bytes());

  const seed = (value: number) => core.exports.random_seed(engine, Number(BigInt.asUintN(32, BigInt(value))));

  const nextInteger = (): number => {
    const address = core.reserve(8);
    core.exports.random_integers(engine, address, DTYPES.int64.code, 1, 0n, 1n << 27n);
    return Number(new DataView(core.take(address, 8).buffer).getBigInt64(0, true));
  };

  const normals = ({ dtype, shape }: Case, std: number): number => {
    const dst = core.reserve(count(shape) * itemSize(dtype));
    core.exports.random_normal(engine, dst, DTYPES[dtype].code, count(shape), 0, std, 1);
    return dst;
  };

  Deno.test(`init_eye() and init_dirac() write PyTorch's ones (${variant})`, () => {
    const cases = readFixture<Fixture>("init/constants.json").cases.filter(({ op }) => /eye|dirac/.test(op));
    assert(cases.length > 10);
    for (const { op, dtype, shape, args, bits } of cases) {
      const { code, bytes } = DTYPES[dtype];
      const dst = core.reserve(count(shape) * bytes);
      if (op === "eye_") {
        assertEquals(core.exports.init_eye(dst, code, shape[0], shape[1]), 0);
      } else {
        const [out, inp, ...kernel] = shape;
        const [k0, k1 = 0, k2 = 0] = kernel;
        const status = core.exports.init_dirac(dst, code, out, inp, k0, k1, k2, kernel.length, args.groups ?? 1);
        assertEquals(status, 0);
      }
      assertEquals(toHex(core.take(dst, count(shape) * bytes)), bits, `${op} ${dtype} ${shape} ${args.groups}`);
    }
    assertEquals(core.exports.init_dirac(0, 0, 3, 1, 1, 0, 0, 1, 2), 1);
    assertEquals(core.exports.init_eye(0, 99, 0, 0), 1);
  });

  Deno.test(`random_truncated_normal() equals trunc_normal_ and its draws (${variant})`, () => {
    const cases = readFixture<Fixture>("init/truncated.json").cases;
    for (const each of cases) {
      const { dtype, shape, args, pick, bits } = each;
      const { mean = 0, std = 1, a = -2, b = 2 } = args;
      const { code, bytes } = DTYPES[dtype];
      const label = `${dtype} ${shape} ${JSON.stringify(args)}`;
      const dst = core.reserve(count(shape) * bytes);
      seed(each.seed);
      const draws = core.exports.random_truncated_normal(engine, dst, code, count(shape), mean, std, a, b);
      assertEquals(draws, core.exports.random_position(engine), label);
      const got = core.take(dst, count(shape) * bytes);
      const picked = pick ?? Array.from({ length: count(shape) }, (_, i) => i);
      const digits = picked.map((i) => toHex(got.slice(i * bytes, (i + 1) * bytes))).join("");
      // Normal numbers in float64 go through the library: see random_test.ts.
      if (dtype === "float64") assertClose(floats(fromHex(digits), dtype), floats(fromHex(bits), dtype), 1e-14, label);
      else assertEquals(digits, bits, label);
      assertEquals(nextInteger(), each.then, label);
    }
  });

  Deno.test(`init_orthogonal() equals PyTorch's QR within a tolerance (${variant})`, () => {
    for (const each of readFixture<Fixture>("init/orthogonal.json").cases) {
      const { dtype, shape, args, pick, bits } = each;
      assert(dtype === "float32" || dtype === "float64");
      const rows = shape[0];
      const columns = rows === 0 ? 0 : count(shape) / rows;
      seed(each.seed);
      const dst = normals(each, 1);
      assertEquals(core.exports.init_orthogonal(dst, DTYPES[dtype].code, rows, columns, args.gain ?? 1), 0);
      const got = floats(core.take(dst, count(shape) * itemSize(dtype)), dtype);
      const expected = floats(fromHex(bits), dtype);
      const picked = pick === undefined ? got : pick.map((i) => got[i]);
      assertClose(picked, expected, ORTHOGONAL_TOLERANCE[dtype], `${dtype} ${shape}`);
      assertEquals(nextInteger(), each.then);
    }
    assertEquals(core.exports.init_orthogonal(0, DTYPES.float16.code, 1, 1, 1), 1);
  });

  Deno.test(`init_sparse() zeroes PyTorch's rows (${variant})`, () => {
    for (const each of readFixture<Fixture>("init/sparse.json").cases) {
      const { dtype, shape, args, bits } = each;
      const [rows, columns] = shape;
      seed(each.seed);
      const dst = normals(each, args.std ?? 0.01);
      const zeros = Math.ceil(args.sparsity * rows);
      assertEquals(core.exports.init_sparse(engine, dst, DTYPES[dtype].code, rows, columns, zeros), 0);
      const got = core.take(dst, count(shape) * itemSize(dtype));
      const label = `${dtype} ${shape} ${args.sparsity}`;
      if (dtype === "float64") assertClose(floats(got, dtype), floats(fromHex(bits), dtype), 1e-16, label);
      else assertEquals(toHex(got), bits, label);
      assertEquals(nextInteger(), each.then, label);
    }
  });
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function floats(bytes: Uint8Array<ArrayBuffer>, dtype: DType): number[] {
  return Array.from(dtype === "float64" ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer));
}

function assertClose(got: readonly number[], expected: readonly number[], tolerance: number, label: string): void {
  assertEquals(got.length, expected.length, label);
  got.forEach((value, i) => assertAlmostEquals(value, expected[i], tolerance, `${label} at ${i}`));
}
