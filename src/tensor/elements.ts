/**
 * One element of a tensor's bytes, as a JavaScript value: what `item()`, printing and building a tensor from
 * JavaScript values need.
 *
 * Loops over the elements of whole tensors do not belong here: arithmetic, casts and fills are the Rust core's. Bytes
 * are little-endian, as in memory and in every format that Graft writes.
 *
 * @module
 */

import { type DType, DTYPES } from "../dtype.ts";
import { decodeSmallFloat, encodeSmallFloat } from "./small_float.ts";

/** What `item()` gives: a number, a bigint (`int64`, `uint64`), a boolean, or the real and imaginary part of a complex one. */
export type Item = number | bigint | boolean | readonly [re: number, im: number];

/** The dtypes whose elements are whole numbers. */
type IntegerDType = "int64" | "int32" | "int16" | "int8" | "uint8" | "uint16" | "uint32" | "uint64";

/** The dtypes whose elements are two numbers. */
type ComplexDType = "complex32" | "bcomplex32" | "complex64" | "complex128";

/** The dtypes of one real number that a JavaScript number holds exactly. */
type NumberDType = Exclude<DType, "bool" | "int64" | "uint64" | ComplexDType>;

/** The dtypes of one real number with a fraction. */
type FloatDType = Exclude<NumberDType, IntegerDType>;

/** The largest finite value of each float dtype. */
const LARGEST_FINITE: Readonly<Record<FloatDType, number>> = {
  float64: Number.MAX_VALUE,
  float32: (2 - 2 ** -23) * 2 ** 127,
  float16: 65504,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float8_e4m3fn: 448,
  float8_e5m2: 57344,
  float8_e4m3fnuz: 240,
  float8_e5m2fnuz: 57344,
  float8_e8m0fnu: 2 ** 127,
};

/** What each integer dtype holds, from the first to the last. */
const INTEGER_RANGES: Readonly<Record<IntegerDType, readonly [bigint, bigint]>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * The element of `dtype` at `byteOffset`, exactly: `int64` and `uint64` always as bigint, `bool` as boolean (any byte
 * but 0 is true), complex as a pair, the rest as number. Throws a RangeError outside the view.
 */
export function readElement(view: DataView, byteOffset: number, dtype: DType): Item {
  switch (dtype) {
    case "bool":
      return view.getUint8(byteOffset) !== 0;
    case "int64":
      return view.getBigInt64(byteOffset, true);
    case "uint64":
      return view.getBigUint64(byteOffset, true);
    case "complex32":
      return readPair(view, byteOffset, "float16");
    case "bcomplex32":
      return readPair(view, byteOffset, "bfloat16");
    case "complex64":
      return readPair(view, byteOffset, "float32");
    case "complex128":
      return readPair(view, byteOffset, "float64");
    default:
      return readNumber(view, byteOffset, dtype);
  }
}

/**
 * Writes `value` as an element of `dtype` at `byteOffset`, as `torch.tensor(value, dtype=dtype)` does: floats round to
 * nearest even (those below 32 bits by way of float32), a fraction loses its decimals in an integer dtype, anything
 * but 0 is `true`, and a negative whole number wraps in `uint8`, `uint16` and `uint32`.
 *
 * Throws a RangeError where the dtype does not hold the value, and a TypeError for a complex value in a real dtype and
 * for what is not whole in `uint64`.
 */
export function writeElement(view: DataView, byteOffset: number, dtype: DType, value: Item): void {
  switch (dtype) {
    case "bool":
      return view.setUint8(byteOffset, isTruthy(value) ? 1 : 0);
    case "complex32":
      return writePair(view, byteOffset, "float16", pairOf(value, dtype));
    case "bcomplex32":
      return writePair(view, byteOffset, "bfloat16", pairOf(value, dtype));
    case "complex64":
      return writePair(view, byteOffset, "float32", pairOf(value, dtype));
    case "complex128":
      return writePair(view, byteOffset, "float64", pairOf(value, dtype));
    default:
      return isInteger(dtype)
        ? writeInteger(view, byteOffset, dtype, integerOf(value, dtype))
        : writeFloat(view, byteOffset, dtype, realOf(value, dtype));
  }
}

/** Whether an integer dtype holds `value` exactly; the other dtypes take everything. */
export function holds(dtype: DType, value: number | bigint | boolean): boolean {
  if (!isIntegerDType(dtype)) return true;
  const [first, last] = INTEGER_RANGES[dtype];
  const number = typeof value === "boolean" ? Number(value) : value;
  return number >= first && number <= last;
}

/**
 * The number with the same low bits that an integer dtype holds.
 *
 * @throws {RangeError} `value` is no integer, or has more than 64 bits.
 */
export function wrapped(value: number | bigint | boolean, dtype: DType): bigint {
  const whole = BigInt(value);
  if (whole < INTEGER_RANGES.int64[0] || whole > INTEGER_RANGES.uint64[1]) {
    throw new RangeError("int too big to convert");
  }
  const bits = 8 * DTYPES[dtype].bytes;
  return dtype.startsWith("u") ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole);
}

/**
 * Refuses a number that `dtype` does not hold, as an operand that must not change.
 *
 * @throws {RangeError} It is beyond an integer dtype.
 */
export function requireHeld(value: number | bigint | boolean, dtype: DType): void {
  if (!isIntegerDType(dtype)) return;
  const whole = typeof value === "number" ? Math.trunc(value) : value;
  if (!holds(dtype, whole)) throw overflow(typeof value === "boolean" ? Number(value) : value, dtype);
}

/** The largest finite number of a float dtype, or of the parts of a complex one; Infinity for the others. */
export function largestOf(dtype: DType): number {
  switch (dtype) {
    case "complex32":
      return LARGEST_FINITE.float16;
    case "bcomplex32":
      return LARGEST_FINITE.bfloat16;
    case "complex64":
      return LARGEST_FINITE.float32;
    case "complex128":
      return LARGEST_FINITE.float64;
    case "bool":
      return Infinity;
    default:
      return isIntegerDType(dtype) ? Infinity : LARGEST_FINITE[dtype];
  }
}

/**
 * Refuses a finite number that a float dtype does not hold, as `fill_` does: it would become infinite.
 *
 * @throws {RangeError} It is larger than the largest one of the dtype, or of its parts where it is complex.
 */
export function requireFinite(value: number | bigint | boolean, dtype: DType): void {
  const largest = largestOf(dtype);
  const size = Math.abs(Number(value));
  if (size > largest && (size < Infinity || typeof value === "bigint")) {
    throw new RangeError(`Cannot convert ${value} to ${dtype} without overflow: the largest number is ${largest}`);
  }
}

function readNumber(view: DataView, byteOffset: number, dtype: NumberDType): number {
  switch (dtype) {
    case "float32":
      return view.getFloat32(byteOffset, true);
    case "float64":
      return view.getFloat64(byteOffset, true);
    case "int32":
      return view.getInt32(byteOffset, true);
    case "int16":
      return view.getInt16(byteOffset, true);
    case "int8":
      return view.getInt8(byteOffset);
    case "uint8":
      return view.getUint8(byteOffset);
    case "uint16":
      return view.getUint16(byteOffset, true);
    case "uint32":
      return view.getUint32(byteOffset, true);
    case "float16":
    case "bfloat16":
      return decodeSmallFloat(view.getUint16(byteOffset, true), dtype);
    default:
      return decodeSmallFloat(view.getUint8(byteOffset), dtype);
  }
}

function readPair(view: DataView, byteOffset: number, part: FloatDType): readonly [number, number] {
  return [readNumber(view, byteOffset, part), readNumber(view, byteOffset + DTYPES[part].bytes, part)];
}

function writeFloat(view: DataView, byteOffset: number, dtype: FloatDType, value: number): void {
  switch (dtype) {
    case "float32":
      return view.setFloat32(byteOffset, value, true);
    case "float64":
      return view.setFloat64(byteOffset, value, true);
    case "float16":
    case "bfloat16":
      return view.setUint16(byteOffset, encodeSmallFloat(value, dtype), true);
    default:
      return view.setUint8(byteOffset, encodeSmallFloat(value, dtype));
  }
}

function writePair(
  view: DataView,
  byteOffset: number,
  part: FloatDType,
  [re, im]: readonly [number, number],
): void {
  writeFloat(view, byteOffset, part, re);
  writeFloat(view, byteOffset + DTYPES[part].bytes, part, im);
}

/** Writes the low bits, which are the two's complement that signed and unsigned dtypes share. */
function writeInteger(view: DataView, byteOffset: number, dtype: IntegerDType, value: bigint): void {
  const bytes = DTYPES[dtype].bytes;
  if (bytes === 8) return view.setBigInt64(byteOffset, BigInt.asIntN(64, value), true);
  const bits = Number(BigInt.asUintN(8 * bytes, value));
  if (bytes === 4) return view.setUint32(byteOffset, bits, true);
  if (bytes === 2) return view.setUint16(byteOffset, bits, true);
  return view.setUint8(byteOffset, bits);
}

function integerOf(value: Item, dtype: IntegerDType): bigint {
  if (isPair(value)) throw new TypeError(`Cannot convert ${nameOf(value)} to ${dtype}: expected a real number`);
  if (typeof value === "number" && !Number.isInteger(value)) return truncated(value, dtype);
  const [first, last] = INTEGER_RANGES[dtype];
  const whole = BigInt(value);
  // c10::overflows lets -1 … -max wrap in an unsigned dtype; uint64 is read by another path, which does not.
  const lowest = first === 0n && dtype !== "uint64" ? -last : first;
  if (whole < lowest || whole > last) throw overflow(value, dtype);
  return whole;
}

function truncated(value: number, dtype: IntegerDType): bigint {
  const [first, last] = INTEGER_RANGES[dtype];
  if (dtype === "uint64") throw new TypeError(`Cannot convert ${value} to uint64: expected a whole number`);
  if (!Number.isFinite(value) || value < first || Math.trunc(value) > last) throw overflow(value, dtype);
  return BigInt(Math.trunc(value));
}

function pairOf(value: Item, dtype: ComplexDType): readonly [number, number] {
  return isPair(value) ? value : [realOf(value, dtype), 0];
}

function realOf(value: Item, dtype: DType): number {
  if (isPair(value)) throw new TypeError(`Cannot convert ${nameOf(value)} to ${dtype}: expected a real number`);
  const real = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(real)) {
    throw new RangeError(`Cannot convert an integer of ${value.toString().length} digits to ${dtype}: too large`);
  }
  return real;
}

function overflow(value: Item, dtype: IntegerDType): RangeError {
  const [first, last] = INTEGER_RANGES[dtype];
  return new RangeError(`Cannot convert ${nameOf(value)} to ${dtype} without overflow: it holds ${first} to ${last}`);
}

function nameOf(value: Item): string {
  return isPair(value) ? `[${value[0]}, ${value[1]}]` : String(value);
}

function isTruthy(value: Item): boolean {
  if (isPair(value)) return value[0] !== 0 || value[1] !== 0;
  // NaN is not zero, and so it is true.
  return typeof value === "number" ? value !== 0 : Boolean(value);
}

function isIntegerDType(dtype: DType): dtype is IntegerDType {
  return DTYPES[dtype].kind === "integer";
}

function isPair(value: Item): value is readonly [number, number] {
  return typeof value === "object";
}

function isInteger(dtype: IntegerDType | FloatDType): dtype is IntegerDType {
  return DTYPES[dtype].kind === "integer";
}
