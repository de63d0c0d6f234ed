import { assert, assertEquals } from "@std/assert";
import { DTYPES, isDType, itemSize } from "../../src/dtype.ts";
import type { DType } from "../../src/dtype.ts";
import { fromHex, KernelMemory, readFixture, toHex, VARIANTS } from "./kernel_memory.ts";

/** One fill, as the generator of the fixtures describes it. */
interface Step {
  readonly op: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly args: Readonly<Record<string, string | number | null>>;
  readonly pick?: readonly number[];
  readonly bits: string;
}

type Case = { readonly seed: number; readonly then: number } & (Step | { readonly steps: readonly Step[] });

interface Fixture {
  readonly cases: readonly Case[];
}

const FILES = ["uniform", "normal", "exponential", "integers", "bernoulli", "randperm", "sequences"];

/** From this many contiguous elements on, normals are made in blocks. */
const BLOCK = 16;

/**
 * Functions that take float64 logarithms, sines and cosines from the library: PyTorch's glibc and the core's musl
 * differ in the last places.
 */
const LIBRARY = ["normal_", "exponential_"];

/** How far apart they may be, in units in the last place; 3 was the most in a million. Smaller types never differed. */
const FLOAT64_ULPS = 4n;

for (const variant of VARIANTS) {
  const core = new KernelMemory(variant);
  const engine = core.exports.allocate(core.exports.random_engine_bytes());

  for (const file of FILES) {
    Deno.test(`${file}.json is reproduced, with the draws it takes (${variant})`, () => {
      for (const each of readFixture<Fixture>(`random/${file}.json`).cases) {
        core.exports.random_seed(engine, Number(BigInt.asUintN(32, BigInt(each.seed))));
        let cached = false;
        for (const step of "steps" in each ? each.steps : [each]) {
          const label = `${JSON.stringify({ ...step, bits: undefined, seed: each.seed })} (${variant})`;
          const before = core.exports.random_position(engine);
          const expected = draws(step, cached);
          assertSame(run(step), step, label);
          assertEquals(core.exports.random_position(engine) - before, expected.draws, label);
          cached = expected.cached;
        }
        assertEquals(nextInteger(), each.then);
      }
    });
  }
  const nextInteger = (): number => {
    const address = core.reserve(8);
    assertEquals(core.exports.random_integers(engine, address, DTYPES.int64.code, 1, 0n, 1n << 27n), 0);
    return Number(new DataView(core.take(address, 8).buffer).getBigInt64(0, true));
  };

  const run = (step: Step): Uint8Array => {
    const count = step.shape.reduce((product, size) => product * size, 1);
    const { code, bytes } = DTYPES[step.dtype];
    const dst = core.reserve(count * bytes);
    assertEquals(call(step, dst, code, count), 0, step.op);
    return core.take(dst, count * bytes);
  };

  const call = ({ op, dtype, args }: Step, dst: number, code: number, count: number): number => {
    const { exports } = core;
    switch (op) {
      case "uniform_":
        return exports.random_uniform(engine, dst, code, count, Number(args.from), Number(args.to));
      case "normal_": {
        const contiguous = args.layout === "strided" ? 0 : 1;
        return exports.random_normal(engine, dst, code, count, Number(args.mean), Number(args.std), contiguous);
      }
      case "exponential_":
        return exports.random_exponential(engine, dst, code, count, Number(args.lambd));
      case "random_": {
        if (args.from === undefined) return exports.random_full(engine, dst, code, count);
        const from = BigInt(args.from ?? 0);
        return exports.random_integers(engine, dst, code, count, from, args.to === null ? 0n : BigInt(args.to) - from);
      }
      case "bernoulli_":
        return exports.random_bernoulli(engine, dst, code, count, Number(args.p));
      case "bernoulli": {
        const p = core.put(fromHex(String(args.probabilities)));
        const from = String(args.probabilities_dtype);
        assert(isDType(from));
        return exports.random_bernoulli_each(engine, dst, code, p, DTYPES[from].code, count);
      }
      case "randperm":
        return exports.random_permutation(engine, dst, code, count);
      default:
        throw new Error(`No kernel for ${op} (${dtype})`);
    }
  };

  Deno.test(`random_skip() is drawing (${variant})`, () => {
    for (const draws of [0, 1, 623, 624, 625, 1248, 100_000]) {
      core.exports.random_seed(engine, 7);
      const words = core.reserve(4 * draws);
      core.exports.random_full(engine, words, DTYPES.int32.code, draws);
      const drawn = nextInteger();
      core.exports.random_seed(engine, 7);
      core.exports.random_skip(engine, draws);
      assertEquals(nextInteger(), drawn);
      assertEquals(core.exports.random_position(engine), draws + 1);
    }
  });

  Deno.test(`random_forget_normal() and random_seed() clear the cached normal (${variant})`, () => {
    const pair = (clear: () => void): string[] => {
      core.exports.random_seed(engine, 3);
      const at = core.reserve(8);
      core.exports.random_normal(engine, at, DTYPES.float64.code, 1, 0, 1, 1);
      const first = toHex(core.take(at, 8));
      clear();
      core.exports.random_normal(engine, at, DTYPES.float64.code, 1, 0, 1, 1);
      return [first, toHex(core.take(at, 8))];
    };
    const kept = pair(() => {});
    const forgotten = pair(() => core.exports.random_forget_normal(engine));
    const seeded = pair(() => core.exports.random_seed(engine, 3));
    assertEquals(kept[0], forgotten[0]);
    assert(kept[1] !== forgotten[1]);
    assertEquals(seeded[1], kept[0]);
  });

  Deno.test(`what PyTorch does not draw is refused (${variant})`, () => {
    const { exports } = core;
    for (const name of ["complex64", "float8_e5m2"] as const) {
      const { code } = DTYPES[name];
      assertEquals(exports.random_uniform(engine, 0, code, 0, 0, 1), 1);
      assertEquals(exports.random_normal(engine, 0, code, 0, 0, 1, 1), 1);
      assertEquals(exports.random_exponential(engine, 0, code, 0, 1), 1);
      assertEquals(exports.random_integers(engine, 0, code, 0, 0n, 5n), 1);
      assertEquals(exports.random_full(engine, 0, code, 0), 1);
      assertEquals(exports.random_bernoulli(engine, 0, code, 0, 0.5), 1);
      assertEquals(exports.random_bernoulli_each(engine, 0, code, 0, 0, 0), 1);
      assertEquals(exports.random_permutation(engine, 0, code, 0), 1);
      assertEquals(exports.random_truncated_normal(engine, 0, code, 0, 0, 1, -2, 2), -1);
    }
    for (const name of ["int64", "bool"] as const) {
      assertEquals(exports.random_uniform(engine, 0, DTYPES[name].code, 0, 0, 1), 1);
    }
    assertEquals(exports.random_bernoulli_each(engine, 0, 0, 0, DTYPES.int64.code, 0), 1);
    assertEquals(exports.random_integers(engine, 0, DTYPES.int32.code, 0, 0n, 0n), 1);
    assertEquals(exports.random_truncated_normal(engine, 0, 0, 1, 0, 1, 2, -2), -1);
  });
}

/** The table of `rust/src/random.rs`, and whether a normal is left over. */
function draws({ op, dtype, shape, args }: Step, cached: boolean): { draws: number; cached: boolean } {
  const n = shape.reduce((product, size) => product * size, 1);
  const wide = dtype === "float64" ? 2 : 1;
  switch (op) {
    case "uniform_":
      return { draws: n * wide, cached };
    case "normal_": {
      if (n < BLOCK || args.layout === "strided") {
        const fresh = n - (cached && n > 0 ? 1 : 0);
        return { draws: 4 * Math.ceil(fresh / 2), cached: n > 0 ? fresh % 2 === 1 : cached };
      }
      const tail = n % BLOCK === 0 ? 0 : BLOCK;
      if (dtype === "float16" || dtype === "bfloat16") return { draws: n - n % BLOCK + tail, cached };
      return { draws: (n + tail) * wide, cached };
    }
    case "random_": {
      if (args.from === undefined) return { draws: n * (dtype === "int64" ? 2 : wide), cached };
      const range = args.to === null ? 0n : BigInt(args.to) - BigInt(args.from ?? 0);
      return { draws: n * (range === 0n || range >= 1n << 28n ? 2 : 1), cached };
    }
    case "bernoulli":
      return { draws: n * (args.probabilities_dtype === "float64" ? 2 : 1), cached };
    case "randperm":
      return { draws: Math.max(n - 1, 0), cached };
    default:
      return { draws: 2 * n, cached };
  }
}

function assertSame(got: Uint8Array, { op, dtype, pick, bits }: Step, label: string): void {
  const width = itemSize(dtype);
  const picked = pick ?? Array.from({ length: got.length / width }, (_, i) => i);
  const digits = picked.map((i) => toHex(got.slice(i * width, (i + 1) * width)));
  if (!LIBRARY.includes(op) || dtype !== "float64") return assertEquals(digits.join(""), bits, label);
  assertEquals(digits.length * 16, bits.length, label);
  digits.forEach((hex, i) => {
    const [ours, theirs] = [hex, bits.slice(16 * i, 16 * i + 16)].map(ordered);
    const apart = ours > theirs ? ours - theirs : theirs - ours;
    assert(apart <= FLOAT64_ULPS, `${label}: element ${i} is ${apart} units in the last place away`);
  });
}

/** A float64's bits, as an integer that grows with the number. */
function ordered(hex: string): bigint {
  const bits = new DataView(fromHex(hex).buffer).getBigInt64(0, true);
  return bits < 0n ? -(bits & 0x7fff_ffff_ffff_ffffn) : bits;
}
