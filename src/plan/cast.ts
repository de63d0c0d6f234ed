/**
 * Which changes of element type keep every value, from the formats' own numbers.
 *
 * @module
 */

import { type DType, DTYPES, isDType, type RareDType } from "../dtype.ts";

/** The values of a binary floating-point format: ±m·2ᵉ with m below 2^`digits` and the exponents given. */
interface FloatFormat {
  /** Binary digits of a significand, the hidden one included. */
  readonly digits: number;
  /** The exponent of the smallest value above zero. */
  readonly least: number;
  /** The exponent of the largest value's leading digit. */
  readonly most: number;
  /** Whether it has zero, negative zero and infinities, which NaN-only formats lack. */
  readonly zero: boolean;
  readonly negativeZero: boolean;
  readonly infinity: boolean;
}

const IEEE = { zero: true, negativeZero: true, infinity: true } as const;

/**
 * Sources: IEEE 754-2019 table 3.5 for binary16/32/64; `torch/headeronly/util/{BFloat16,Float8_*}.h` for the rest.
 * A complex dtype has the format of its two parts.
 */
const FLOATS: Partial<Record<DType, FloatFormat>> = {
  float64: { digits: 53, least: -1074, most: 1023, ...IEEE },
  float32: { digits: 24, least: -149, most: 127, ...IEEE },
  float16: { digits: 11, least: -24, most: 15, ...IEEE },
  bfloat16: { digits: 8, least: -133, most: 127, ...IEEE },
  float8_e5m2: { digits: 3, least: -16, most: 15, ...IEEE },
  float8_e4m3fn: { digits: 4, least: -9, most: 8, ...IEEE, infinity: false },
  float8_e5m2fnuz: { digits: 3, least: -17, most: 15, zero: true, negativeZero: false, infinity: false },
  float8_e4m3fnuz: { digits: 4, least: -10, most: 7, zero: true, negativeZero: false, infinity: false },
  float8_e8m0fnu: { digits: 1, least: -127, most: 127, zero: false, negativeZero: false, infinity: false },
  complex128: { digits: 53, least: -1074, most: 1023, ...IEEE },
  complex64: { digits: 24, least: -149, most: 127, ...IEEE },
  complex32: { digits: 11, least: -24, most: 15, ...IEEE },
  bcomplex32: { digits: 8, least: -133, most: 127, ...IEEE },
};

/** Whether a cast may change a value: NaN payloads aside, a widening cast never does. */
export function isLossy(from: DType | RareDType, to: DType): boolean {
  if (from === to) return false;
  if (!isDType(from)) return true;
  const source = DTYPES[from].kind;
  const target = DTYPES[to].kind;
  if (source === "bool") return target !== "bool" && FLOATS[to]?.zero === false;
  if (target === "bool") return true;
  if (source === "complex" && target !== "complex") return true;
  if (source === "integer") return target === "integer" ? !integerFits(from, to) : !integerIsExact(from, to);
  return target === "integer" || !floatFits(from, to);
}

function integerFits(from: DType, to: DType): boolean {
  const source = integerRange(from);
  const target = integerRange(to);
  return source.digits <= target.digits && (!source.signed || target.signed);
}

function integerIsExact(from: DType, to: DType): boolean {
  const format = FLOATS[to];
  if (format === undefined) return false;
  const { digits } = integerRange(from);
  // The most negative value is a power of two, so that the digits of the others decide; zero has to exist.
  return format.zero && digits <= format.digits && digits <= format.most;
}

function floatFits(from: DType, to: DType): boolean {
  const source = FLOATS[from];
  const target = FLOATS[to];
  if (source === undefined || target === undefined) return false;
  return source.digits <= target.digits && source.least >= target.least && source.most <= target.most &&
    covers(target.zero, source.zero) && covers(target.negativeZero, source.negativeZero) &&
    covers(target.infinity, source.infinity);
}

function covers(target: boolean, source: boolean): boolean {
  return target || !source;
}

/** Binary digits of the largest value, and whether there are negative ones. */
function integerRange(dtype: DType): { readonly digits: number; readonly signed: boolean } {
  const signed = !dtype.startsWith("uint");
  return { digits: DTYPES[dtype].bytes * 8 - (signed ? 1 : 0), signed };
}
