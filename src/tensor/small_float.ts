/**
 * The floating-point formats of one and two bytes: one element's bits to a number, and back.
 *
 * Layouts: IEEE 754 binary16, bfloat16, "FP8 formats for deep learning" (arXiv:2209.05433), its `fnuz` variants
 * (arXiv:2206.02915) and the OCP MX scale E8M0. Rounding and overflow are those of PyTorch 2.15 on the CPU, which goes
 * through float32.
 *
 * @module
 */

/** The formats of a sign, an exponent and a mantissa. */
export type ScaledFloat =
  | "float16"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "float8_e4m3fnuz"
  | "float8_e5m2fnuz";

/** How the bits of one format are laid out below its sign bit. */
interface Layout {
  /** The bit of the sign; the magnitude is everything below it. */
  readonly sign: number;
  /** Bits behind the binary point. */
  readonly mantissa: number;
  /** What the exponent field is reduced by. */
  readonly bias: number;
  /** The largest magnitude that is not NaN: infinity where the format has one. Overflow ends here. */
  readonly largest: number;
  /** Whether `largest` is infinity. */
  readonly infinite: boolean;
  /** The pattern written for NaN. Where it is the sign bit alone, there is no negative zero and overflow is NaN. */
  readonly nan: number;
}

const LAYOUTS: Readonly<Record<ScaledFloat, Layout>> = {
  float16: { sign: 0x8000, mantissa: 10, bias: 15, largest: 0x7c00, infinite: true, nan: 0x7e00 },
  bfloat16: { sign: 0x8000, mantissa: 7, bias: 127, largest: 0x7f80, infinite: true, nan: 0x7fc0 },
  float8_e4m3fn: { sign: 0x80, mantissa: 3, bias: 7, largest: 0x7e, infinite: false, nan: 0x7f },
  float8_e5m2: { sign: 0x80, mantissa: 2, bias: 15, largest: 0x7c, infinite: true, nan: 0x7f },
  float8_e4m3fnuz: { sign: 0x80, mantissa: 3, bias: 8, largest: 0x7f, infinite: false, nan: 0x80 },
  float8_e5m2fnuz: { sign: 0x80, mantissa: 2, bias: 16, largest: 0x7f, infinite: false, nan: 0x80 },
};

/** `float8_e8m0fnu` is an exponent alone: 2^(bits − 127), and this pattern for NaN. */
const E8M0 = { bias: 127, nan: 0xff } as const;

/** A format of one or two bytes. */
export type SmallFloat = ScaledFloat | "float8_e8m0fnu";

/** The number that the bits of one element of `dtype` stand for; exact. */
export function decodeSmallFloat(bits: number, dtype: SmallFloat): number {
  if (dtype === "float8_e8m0fnu") return bits === E8M0.nan ? NaN : 2 ** (bits - E8M0.bias);
  const layout = LAYOUTS[dtype];
  const magnitude = bits & (layout.sign - 1);
  if (magnitude > layout.largest || bits === layout.nan) return NaN;
  const size = layout.infinite && magnitude === layout.largest ? Infinity : sizeOf(magnitude, layout);
  return bits & layout.sign ? -size : size;
}

/** The bits of the element of `dtype` nearest to `value` as float32: a half to even, overflow as PyTorch does it. */
export function encodeSmallFloat(value: number, dtype: SmallFloat): number {
  const single = Math.fround(value);
  if (dtype === "float8_e8m0fnu") return encodeScale(Math.abs(single));
  const layout = LAYOUTS[dtype];
  if (Number.isNaN(single)) return layout.nan;
  const magnitude = magnitudeOf(Math.abs(single), layout);
  const negative = single < 0 || Object.is(single, -0);
  if (layout.nan !== layout.sign) return Math.min(magnitude, layout.largest) | (negative ? layout.sign : 0);
  if (magnitude > layout.largest) return layout.nan;
  return magnitude | (negative && magnitude > 0 ? layout.sign : 0);
}

function sizeOf(magnitude: number, { mantissa, bias }: Layout): number {
  const hidden = 1 << mantissa;
  const field = magnitude >> mantissa;
  const fraction = magnitude & (hidden - 1);
  if (field === 0) return fraction * 2 ** (1 - bias - mantissa);
  return (fraction + hidden) * 2 ** (field - bias - mantissa);
}

/** The magnitude bits nearest to `size`; beyond `largest` where it is too large. */
function magnitudeOf(size: number, { mantissa, bias }: Layout): number {
  if (size === Infinity) return Infinity;
  const exponent = Math.max(floorLog2(size), 1 - bias);
  // Dividing by a power of two is exact, and a carry out of the mantissa raises the exponent field by itself.
  return (exponent + bias - 1) * 2 ** mantissa + halfToEven(size / 2 ** (exponent - mantissa));
}

/** PyTorch's rule for a scale: the sign is dropped, a half rounds up, and zero becomes the smallest power. */
function encodeScale(size: number): number {
  if (!(size < Infinity)) return E8M0.nan;
  const exponent = floorLog2(size);
  // Below the normal float32 the half itself stays: 2^-127 is pattern 0.
  if (exponent < 1 - E8M0.bias) return size > 2 ** -E8M0.bias ? 1 : 0;
  return exponent + E8M0.bias + (size >= 1.5 * 2 ** exponent ? 1 : 0);
}

function floorLog2(size: number): number {
  const estimate = Math.floor(Math.log2(size));
  // log2 may round across a power of two.
  if (2 ** estimate > size) return estimate - 1;
  return 2 ** (estimate + 1) <= size ? estimate + 1 : estimate;
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
