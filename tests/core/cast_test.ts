import { assert, assertEquals } from "@std/assert";
import { DTYPE_NAMES, DTYPES, itemSize } from "../../src/dtype.ts";
import type { DType } from "../../src/dtype.ts";
import { fromHex, KernelMemory, readFixture, toHex, VARIANTS } from "./kernel_memory.ts";

interface Conversions {
  readonly from: DType;
  readonly count: number;
  readonly values: string;
  readonly to: Readonly<Record<DType, { readonly bits: string; readonly skip?: readonly number[] }>>;
}

interface Fills {
  readonly values: readonly string[];
  readonly bits: Readonly<Record<DType, readonly (string | null)[]>>;
}

/** What stands for NaN: any of them will do. */
const NAN = "nan";

/** Of a complex dtype, the dtype of its parts. */
const PARTS: Readonly<Partial<Record<DType, DType>>> = {
  complex64: "float32",
  complex128: "float64",
  complex32: "float16",
  bcomplex32: "bfloat16",
};

/** How to recognise NaN: bits below the sign beyond those of infinity; for some 8-bit floats one pattern. */
const IS_NAN: Readonly<Partial<Record<DType, (bits: bigint) => boolean>>> = {
  float32: (bits) => (bits & 0x7fff_ffffn) > 0x7f80_0000n,
  float64: (bits) => (bits & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n,
  float16: (bits) => (bits & 0x7fffn) > 0x7c00n,
  bfloat16: (bits) => (bits & 0x7fffn) > 0x7f80n,
  float8_e4m3fn: (bits) => (bits & 0x7fn) === 0x7fn,
  float8_e5m2: (bits) => (bits & 0x7fn) > 0x7cn,
  float8_e4m3fnuz: (bits) => bits === 0x80n,
  float8_e5m2fnuz: (bits) => bits === 0x80n,
  float8_e8m0fnu: (bits) => bits === 0xffn,
};

/** Elements as text: their digits, the two parts of a complex one joined. */
function elements(bytes: Uint8Array, dtype: DType): string[] {
  const part = PARTS[dtype] ?? dtype;
  const width = itemSize(part);
  const numbers: string[] = [];
  for (let at = 0; at < bytes.length; at += width) {
    const digits = toHex(bytes.slice(at, at + width).reverse());
    numbers.push(IS_NAN[part]?.(BigInt(`0x${digits}`)) ? NAN : digits);
  }
  if (part === dtype) return numbers;
  return numbers.flatMap((number, i) => i % 2 === 0 ? [`${number} ${numbers[i + 1]}`] : []);
}

for (const variant of VARIANTS) {
  const core = new KernelMemory(variant);

  const cast = (bytes: Uint8Array, from: DType, to: DType): Uint8Array => {
    const count = bytes.length / itemSize(from);
    const src = core.put(bytes);
    const dst = core.reserve(count * itemSize(to));
    assertEquals(core.exports.cast(dst, DTYPES[to].code, src, DTYPES[from].code, count), 0);
    return core.take(dst, count * itemSize(to));
  };

  for (const from of DTYPE_NAMES) {
    Deno.test(`cast() converts ${from} as PyTorch does (${variant})`, () => {
      const fixture = readFixture<Conversions>(`casts/${from}.json`);
      for (const to of DTYPE_NAMES) {
        const { bits, skip = [] } = fixture.to[to];
        const got = elements(cast(fromHex(fixture.values), from, to), to);
        const expected = elements(fromHex(bits), to);
        assertEquals(expected.length, fixture.count);
        for (const i of skip) got[i] = expected[i];
        assertEquals(got, expected, `${from} to ${to}`);
      }
    });
  }

  Deno.test(`cast() gives the same for every count and place (${variant})`, () => {
    for (const from of DTYPE_NAMES) {
      const fixture = readFixture<Conversions>(`casts/${from}.json`);
      const values = fromHex(fixture.values);
      // More than two blocks of the kernel, beginning at every element of the fixture.
      const many = new Uint8Array(itemSize(from) * 300);
      for (let i = 0; i < many.length; i++) many[i] = values[i % values.length];
      for (const to of DTYPE_NAMES) {
        const whole = toHex(cast(many, from, to));
        for (const count of [0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 39, 127, 128, 129, 257]) {
          for (const start of [0, 1, 3]) {
            const part = many.slice(start * itemSize(from), (start + count) * itemSize(from));
            const digits = 2 * itemSize(to);
            assertEquals(toHex(cast(part, from, to)), whole.slice(start * digits, (start + count) * digits));
          }
        }
      }
    }
  });

  Deno.test(`fill_float() and fill_int() follow PyTorch's fill_ (${variant})`, () => {
    const fixture = readFixture<Fills>("casts/fills.json");
    for (const dtype of DTYPE_NAMES) {
      const { code, bytes } = DTYPES[dtype];
      fixture.values.forEach((text, i) => {
        const dst = core.reserve(3 * bytes);
        const status = /[.ena]/.test(text)
          ? core.exports.fill_float(dst, code, 3, toNumber(text))
          : core.exports.fill_int(dst, code, 3, BigInt(text));
        const expected = fixture.bits[dtype][i];
        assertEquals(status, expected === null ? 2 : 0, `${dtype} ${text}`);
        if (expected === null) return;
        assertEquals(
          elements(core.take(dst, 3 * bytes), dtype),
          elements(fromHex(expected.repeat(3)), dtype),
          `${dtype} ${text}`,
        );
      });
    }
  });

  Deno.test(`cast() and fills refuse a code that no dtype has (${variant})`, () => {
    assertEquals(core.exports.cast(0, 22, 0, 0, 0), 1);
    assertEquals(core.exports.cast(0, 0, 0, 99, 0), 1);
    assertEquals(core.exports.fill_float(0, 22, 0, 0), 1);
    assertEquals(core.exports.fill_int(0, 22, 0, 0n), 1);
  });
}

Deno.test("every pair of dtypes is in the fixtures", () => {
  for (const from of DTYPE_NAMES) {
    const fixture = readFixture<Conversions>(`casts/${from}.json`);
    assertEquals(Object.keys(fixture.to).sort(), [...DTYPE_NAMES].sort());
    assert(fixture.count > 1);
  }
});

function toNumber(text: string): number {
  if (text === "inf") return Infinity;
  return text === "nan" ? NaN : Number(text);
}
