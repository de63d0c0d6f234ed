import { assertEquals, assertThrows } from "@std/assert";
import { type DType, isDType, itemSize } from "../../src/dtype.ts";
import { type Printable, type PrintOptions, printTensor } from "../../src/tensor/print.ts";
import bits from "../fixtures/print/bits.json" with { type: "json" };
import floats from "../fixtures/print/floats.json" with { type: "json" };
import layout from "../fixtures/print/layout.json" with { type: "json" };
import options from "../fixtures/print/options.json" with { type: "json" };
import suffixes from "../fixtures/print/suffixes.json" with { type: "json" };

/** What a case may hold besides dtype, shape, bytes and text. */
interface Extra {
  readonly requires_grad?: boolean;
  readonly grad_fn?: string;
  readonly parameter?: boolean;
  readonly options?: TorchOptions;
}

/** The arguments of `torch.set_printoptions`. */
interface TorchOptions {
  readonly precision?: number;
  readonly threshold?: number;
  readonly edgeitems?: number;
  readonly linewidth?: number;
  readonly sci_mode?: boolean;
  readonly profile?: string;
}

const PROFILES: Readonly<Record<string, PrintOptions>> = {
  short: { precision: 2, edgeitems: 2 },
  full: { threshold: Infinity },
};

for (const [name, fixture] of Object.entries({ bits, floats, layout, options, suffixes })) {
  Deno.test(`printTensor() writes the ${fixture.cases.length} texts of ${name}.json as PyTorch does`, () => {
    const cases: readonly (readonly unknown[])[] = fixture.cases;
    for (const [dtype, shape, hex, text, extra] of cases) {
      assertDType(dtype);
      assertShape(shape);
      const about = isExtra(extra) ? extra : {};
      const printed = printTensor(printable(dtype, shape, { hex: String(hex), extra: about }), optionsOf(about));
      assertEquals(printed, text, `${dtype} [${shape}] ${String(hex).slice(0, 64)} ${JSON.stringify(about)}`);
    }
  });
}

Deno.test("printTensor() reads only the elements it shows, each once", () => {
  const asked: number[] = [];
  const at = (index: number) => (asked.push(index), index / 2);
  printTensor({ dtype: "float32", shape: [1000, 1000, 2], requiresGrad: false, at });
  assertEquals(asked.length, 6 * 6 * 2);
  assertEquals(new Set(asked).size, asked.length);
  assertEquals(asked.slice(0, 3), [0, 1, 2]);
  assertEquals(asked.at(-1), 1_999_999);
});

Deno.test("printTensor() indents by the last line of the prefix", () => {
  const tensor = { dtype: "int64", shape: [2, 1], requiresGrad: false, at: (index: number) => index } as const;
  assertEquals(printTensor({ ...tensor, prefix: "Masked:\nmask(" }), "Masked:\nmask([[0],\n      [1]])");
});

Deno.test("printTensor() prints integers of any size", () => {
  const at = () => 2n ** 64n - 1n;
  const text = printTensor({ dtype: "uint64", shape: [], requiresGrad: false, at });
  assertEquals(text, "tensor(18446744073709551615, dtype=torch.uint64)");
});

Deno.test("printTensor() refuses options that are not counts", () => {
  const tensor: Printable = { dtype: "float32", shape: [], requiresGrad: false, at: () => 1 };
  for (const wrong of [{ precision: -1 }, { precision: 1.5 }, { precision: Infinity }, { edgeitems: NaN }]) {
    assertThrows(() => printTensor(tensor, wrong), RangeError, `with ${Object.keys(wrong)[0]}`);
  }
  assertEquals(printTensor(tensor, { linewidth: Infinity, threshold: Infinity, edgeitems: Infinity }), "tensor(1.)");
});

function printable(
  dtype: DType,
  shape: readonly number[],
  of: { readonly hex: string; readonly extra: Extra },
): Printable {
  const view = new DataView(Uint8Array.fromHex(of.hex).buffer);
  const count = view.byteLength / itemSize(dtype);
  return {
    dtype,
    shape,
    requiresGrad: of.extra.requires_grad === true,
    ...(of.extra.grad_fn === undefined ? {} : { gradFn: of.extra.grad_fn }),
    ...(of.extra.parameter ? { prefix: "Parameter containing:\ntensor(" } : {}),
    at: (index) => decode(view, (index % count) * itemSize(dtype), dtype),
  };
}

function optionsOf({ options: chosen }: Extra): PrintOptions {
  if (chosen === undefined) return {};
  const { profile, sci_mode, ...rest } = chosen;
  return { ...(profile === undefined ? {} : PROFILES[profile]), ...rest, sciMode: sci_mode ?? null };
}

/** A decoder of the test's own, from the tables of the formats, so that the printer is judged alone. */
function decode(view: DataView, at: number, dtype: DType): number | bigint | boolean | readonly [number, number] {
  switch (dtype) {
    case "bool":
      return view.getUint8(at) !== 0;
    case "int64":
      return view.getBigInt64(at, true);
    case "uint64":
      return view.getBigUint64(at, true);
    case "int32":
      return view.getInt32(at, true);
    case "int16":
      return view.getInt16(at, true);
    case "int8":
      return view.getInt8(at);
    case "uint32":
      return view.getUint32(at, true);
    case "uint16":
      return view.getUint16(at, true);
    case "uint8":
      return view.getUint8(at);
    case "float32":
      return view.getFloat32(at, true);
    case "float64":
      return view.getFloat64(at, true);
    case "complex64":
      return [view.getFloat32(at, true), view.getFloat32(at + 4, true)];
    case "complex128":
      return [view.getFloat64(at, true), view.getFloat64(at + 8, true)];
    case "float16":
      return view.getFloat16(at, true);
    case "complex32":
      return [view.getFloat16(at, true), view.getFloat16(at + 2, true)];
    case "bfloat16":
      return upperHalf(view.getUint16(at, true));
    case "bcomplex32":
      return [upperHalf(view.getUint16(at, true)), upperHalf(view.getUint16(at + 2, true))];
    default:
      return decodeFloat8(view.getUint8(at), dtype);
  }
}

function upperHalf(bits: number): number {
  return new Float32Array(new Uint32Array([bits << 16]).buffer)[0];
}

function decodeFloat8(byte: number, dtype: string): number {
  if (dtype === "float8_e8m0fnu") return byte === 255 ? NaN : 2 ** (byte - 127);
  const [, exponentBits, mantissaBits] = (dtype.match(/e(\d)m(\d)/) ?? []).map(Number);
  const unsigned = dtype.endsWith("fnuz");
  const low = byte & 127;
  if (unsigned ? byte === 128 : exponentBits === 4 ? low === 127 : low > 0x7c) return NaN;
  const sign = byte < 128 ? 1 : -1;
  if (dtype === "float8_e5m2" && low === 0x7c) return sign * Infinity;
  const bias = 2 ** (exponentBits - 1) - (unsigned ? 0 : 1);
  const field = low >> mantissaBits;
  const fraction = (low % 2 ** mantissaBits) / 2 ** mantissaBits;
  return sign * (field === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (field - bias));
}

function assertDType(value: unknown): asserts value is DType {
  if (typeof value !== "string" || !isDType(value)) throw new TypeError(`Not a dtype: ${value}`);
}

function assertShape(value: unknown): asserts value is readonly number[] {
  if (!Array.isArray(value) || !value.every(Number.isInteger)) throw new TypeError(`Not a shape: ${value}`);
}

function isExtra(value: unknown): value is Extra {
  return typeof value === "object" && value !== null;
}
