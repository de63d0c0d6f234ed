import { assert, assertEquals, assertThrows } from "@std/assert";
import { type DType, DTYPE_NAMES, DTYPES, itemSize } from "../../src/dtype.ts";
import { type Item, readElement, writeElement } from "../../src/tensor/elements.ts";
import fixture from "../fixtures/elements/elements.json" with { type: "json" };

const SMALL = ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"] as const;
const SMALL_FLOATS = [...SMALL, "float8_e8m0fnu"] as const;
const SMALL_INTEGERS = ["int8", "uint8", "int16", "uint16"] as const;

for (const dtype of [...SMALL_FLOATS, ...SMALL_INTEGERS]) {
  Deno.test(`readElement() reads every bit pattern of ${dtype} as PyTorch does`, async () => {
    const values = Float64Array.from(everyValue(dtype));
    assertEquals(await sha256(bytesOf(values)), fixture.read[dtype]);
  });

  Deno.test(`writeElement() writes every value of ${dtype} back to its bits`, () => {
    const size = itemSize(dtype);
    everyValue(dtype).forEach((value, bits) => {
      if (Number.isNaN(value)) return;
      const view = write(dtype, value);
      assertEquals(size === 1 ? view.getUint8(0) : view.getUint16(0, true), bits);
    });
  });
}

for (const dtype of SMALL_FLOATS) {
  Deno.test(`writeElement() rounds around every midpoint of ${dtype} as PyTorch does`, async () => {
    const values = midpoints(dtype);
    const size = itemSize(dtype);
    const view = new DataView(new ArrayBuffer(size * values.length));
    values.forEach((value, i) => writeElement(view, size * i, dtype, value));
    assertEquals(await sha256(new Uint8Array(view.buffer)), fixture.round[dtype]);
  });
}

for (const dtype of DTYPE_NAMES) {
  Deno.test(`readElement() reads ${dtype} as PyTorch's tolist() does`, () => {
    const { hex, items } = fixture.items[dtype];
    const view = new DataView(Uint8Array.fromHex(hex).buffer);
    items.forEach((item, i) => {
      assertEquals(readElement(view, i * itemSize(dtype), dtype), itemOf(item, dtype));
    });
  });

  Deno.test(`writeElement() converts to ${dtype} as torch.tensor does`, () => {
    fixture.written[dtype].forEach((expected, i) => {
      const text = fixture.values[i];
      for (const value of spellings(text)) {
        // Python's 3.0 is no integer to uint64; in JavaScript it is 3.
        if (dtype === "uint64" && typeof text === "number" && Number.isInteger(text)) continue;
        if (dtype === "uint64" && text === "-0.0") continue;
        const about = `${text} as ${typeof value} to ${dtype}`;
        if (!expected.endsWith("Error")) {
          assertEquals(new Uint8Array(write(dtype, value).buffer).toHex(), expected, about);
        } else if (expected === "TypeError") {
          assertThrows(() => write(dtype, value), TypeError, `to ${dtype}`, about);
        } else {
          assertThrows(() => write(dtype, value), RangeError, `to ${dtype}`, about);
        }
      }
    });
  });
}

Deno.test("readElement() takes every byte but 0 for true", () => {
  for (let byte = 0; byte < 256; byte++) {
    assertEquals(readElement(new DataView(new Uint8Array([byte]).buffer), 0, "bool"), byte !== 0);
  }
});

Deno.test("writeElement() writes nothing beside its element", () => {
  for (const dtype of DTYPE_NAMES) {
    const size = itemSize(dtype);
    const bytes = new Uint8Array(3 * size).fill(0xaa);
    writeElement(new DataView(bytes.buffer), size, dtype, 1);
    assert(bytes.subarray(0, size).every((byte) => byte === 0xaa), dtype);
    assert(bytes.subarray(2 * size).every((byte) => byte === 0xaa), dtype);
    const ones = { complex: [1, 0], bool: true, float: 1, integer: size === 8 ? 1n : 1 } as const;
    assertEquals(readElement(new DataView(bytes.buffer), size, dtype), ones[DTYPES[dtype].kind]);
  }
});

Deno.test("writeElement() names the value, the dtype and what it holds", () => {
  const cases = [
    ["uint8", 300, "Cannot convert 300 to uint8 without overflow: it holds 0 to 255"],
    ["int8", -129n, "Cannot convert -129 to int8 without overflow: it holds -128 to 127"],
    ["int32", NaN, "Cannot convert NaN to int32 without overflow: it holds -2147483648 to 2147483647"],
    ["float32", [1, 2], "Cannot convert [1, 2] to float32: expected a real number"],
    ["int16", [1, 2], "Cannot convert [1, 2] to int16: expected a real number"],
    ["uint64", 1.5, "Cannot convert 1.5 to uint64: expected a whole number"],
    ["float64", 10n ** 400n, "Cannot convert an integer of 401 digits to float64: too large"],
  ] as const;
  for (const [dtype, value, message] of cases) {
    const error = assertThrows(() => write(dtype, value));
    assert(error instanceof Error && error.message === message, String(error));
  }
});

function write(dtype: DType, value: Item): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(itemSize(dtype)));
  writeElement(view, 0, dtype, value);
  return view;
}

function everyValue(dtype: DType): number[] {
  const view = new DataView(new ArrayBuffer(2));
  return Array.from({ length: 256 ** itemSize(dtype) }, (_, bits) => {
    view.setUint16(0, bits, true);
    return Number(readElement(view, 0, dtype));
  });
}

/** The inputs that the generator describes under `round`. */
function midpoints(dtype: DType): number[] {
  // -0 and 0 are one value.
  const finite = [...new Set(everyValue(dtype).filter(Number.isFinite).map((value) => value + 0))].sort((a, b) =>
    a - b
  );
  const middle = finite.slice(1).map((value, i) => Math.fround((value + finite[i]) / 2));
  const values = [
    ...finite,
    ...middle.map((x) => nextFloat32(x, -1)),
    ...middle,
    ...middle.map((x) => nextFloat32(x, 1)),
  ];
  return [...values, ...values.map((value) => -value)];
}

/** The float32 beside `value`, above (`towards` 1) or below (-1). */
function nextFloat32(value: number, towards: 1 | -1): number {
  const bits = new Int32Array(new Float32Array([value]).buffer);
  if (value === 0) return towards * 2 ** -149;
  bits[0] += value > 0 ? towards : -towards;
  return new Float32Array(bits.buffer)[0];
}

function bytesOf(values: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setBigUint64(8 * i, Number.isNaN(value) ? 0x7ff8n << 48n : bitsOf(value), true));
  return new Uint8Array(view.buffer);
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0];
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function itemOf(item: unknown, dtype: DType): Item {
  if (typeof item === "boolean") return item;
  if (Array.isArray(item)) return [floatOf(item[0]), floatOf(item[1])];
  if (DTYPES[dtype].kind === "float") return floatOf(item);
  return itemSize(dtype) === 8 ? BigInt(String(item)) : Number(item);
}

function floatOf(hex: unknown): number {
  return new DataView(Uint8Array.fromHex(String(hex)).buffer).getFloat64(0);
}

/** A value of the fixture as JavaScript has it: an integer that a number holds is tried as number and as bigint. */
function spellings(text: unknown): readonly Item[] {
  if (typeof text === "boolean") return [text];
  if (Array.isArray(text)) return [[numberOf(text[0]), numberOf(text[1])]];
  if (typeof text !== "string" || !text.endsWith("n") || text === "nan") return [numberOf(text)];
  const whole = BigInt(text.slice(0, -1));
  return Number.isFinite(Number(whole)) && BigInt(Number(whole)) === whole ? [whole, Number(whole)] : [whole];
}

function numberOf(text: unknown): number {
  const named: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  return named[String(text)] ?? Number(text);
}
