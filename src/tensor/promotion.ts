/**
 * Which dtype an operation computes in when its operands differ: PyTorch's type promotion (c10/core/ScalarType.h and
 * the "Tensor Attributes" page of its documentation).
 *
 * @module
 */

import { DTYPES } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import type { View } from "./view.ts";

/** A number where a tensor could stand. It never widens a tensor of its own category. */
export type Scalar = number | bigint | boolean;

/** How PyTorch's messages spell the dtypes. */
const TYPE_NAMES: Readonly<Record<DType, string>> = {
  float32: "Float",
  float64: "Double",
  float16: "Half",
  bfloat16: "BFloat16",
  int64: "Long",
  int32: "Int",
  int16: "Short",
  int8: "Char",
  uint8: "Byte",
  bool: "Bool",
  uint16: "UInt16",
  uint32: "UInt32",
  uint64: "UInt64",
  complex64: "ComplexFloat",
  complex128: "ComplexDouble",
  complex32: "ComplexHalf",
  float8_e4m3fn: "Float8_e4m3fn",
  float8_e5m2: "Float8_e5m2",
  float8_e4m3fnuz: "Float8_e4m3fnuz",
  float8_e5m2fnuz: "Float8_e5m2fnuz",
  float8_e8m0fnu: "Float8_e8m0fnu",
  bcomplex32: "BComplex32",
};

/** How the messages spell them that print C++'s `caffe2::TypeMeta` instead. */
const CPP_NAMES: Readonly<Partial<Record<DType, string>>> = {
  float32: "float",
  float64: "double",
  int64: "long int",
  int32: "int",
  int16: "short int",
  int8: "signed char",
  uint8: "unsigned char",
  bool: "bool",
  uint16: "short unsigned int",
  uint32: "unsigned int",
  uint64: "long unsigned int",
};

/** Signed integers by width: the smallest that holds both of two operands is the wider one. */
const SIGNED: readonly DType[] = ["int8", "int16", "int32", "int64"];

/** Unsigned integers beyond a byte, which promote with hardly anything. */
const WIDE_UNSIGNED: readonly DType[] = ["uint16", "uint32", "uint64"];

/** The complex dtype whose parts have a float dtype. */
const COMPLEX_OF: Readonly<Partial<Record<DType, DType>>> = {
  float16: "complex32",
  bfloat16: "bcomplex32",
  float32: "complex64",
  float64: "complex128",
};

/** The float dtype of a complex dtype's parts. */
const PART_OF: Readonly<Partial<Record<DType, DType>>> = {
  complex32: "float16",
  complex64: "float32",
  complex128: "float64",
  bcomplex32: "bfloat16",
};

/** `Float`, `Long`, … : a dtype in the words of PyTorch's messages. */
export function typeName(dtype: DType): string {
  return TYPE_NAMES[dtype];
}

/** `float`, `long int`, `c10::Half`, … : a dtype where PyTorch's message prints the C++ type. */
export function cppName(dtype: DType): string {
  return CPP_NAMES[dtype] ?? `c10::${typeName(dtype)}`;
}

/** Whether elements are floating point numbers, complex ones not included. */
export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].kind === "float";
}

/** Whether elements are complex numbers. */
export function isComplex(dtype: DType): boolean {
  return DTYPES[dtype].kind === "complex";
}

/** Whether elements are integers; booleans are not. */
export function isInteger(dtype: DType): boolean {
  return DTYPES[dtype].kind === "integer";
}

/**
 * The dtype that two dtypes have in common: `torch.promote_types`.
 *
 * @throws {TypeError} PyTorch does not promote them.
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  refuseRare(a, b);
  if (a === "bool") return b;
  if (b === "bool") return a;
  if (isComplex(a) || isComplex(b)) return promoteComplex(a, b);
  if (isFloat(a)) return isFloat(b) ? promoteFloats(a, b) : a;
  if (isFloat(b)) return b;
  return promoteIntegers(a, b);
}

/**
 * The dtype of an operation on tensors and numbers: tensors with dimensions decide first, then those without, then
 * numbers, each only where its category is higher. A JavaScript number that is an integer counts as Python's `int`.
 */
export function resultType(operands: readonly (View | Scalar)[]): DType {
  let dimensioned: DType | null = null;
  let zeroDim: DType | null = null;
  let scalar: DType | null = null;
  for (const operand of operands) {
    if (typeof operand !== "object") scalar = join(scalar, scalarType(operand));
    else if (operand.shape.length > 0) dimensioned = join(dimensioned, operand.dtype);
    else zeroDim = join(zeroDim, operand.dtype);
  }
  return raise(dimensioned, raise(zeroDim, scalar)) ?? "float32";
}

/** The dtype a number has on its own, as in `tensor(2)` of Python. */
export function scalarType(value: Scalar): DType {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint" || Number.isInteger(value)) return "int64";
  return "float32";
}

/** The dtype in which the core computes values of `dtype`: 16-bit floats in float32, rounded afterwards. */
export function computeType(dtype: DType): DType {
  return dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
}

/** Whether PyTorch's in-place operations may write a result of one dtype to a tensor of another (`canCast`). */
export function canCast(from: DType, to: DType): boolean {
  if (isComplex(from) && !isComplex(to)) return false;
  if (isFloat(from) && !isFloat(to) && !isComplex(to)) return false;
  return from === "bool" || to !== "bool";
}

/** Whether there are kernels for `dtype`. */
export function isComputable(dtype: DType): boolean {
  return !isComplex(dtype) && !dtype.startsWith("float8") && !WIDE_UNSIGNED.includes(dtype);
}

function join(a: DType | null, b: DType): DType {
  return a === null ? b : promoteTypes(a, b);
}

/** `higher` decides unless `lower` is of a higher category: bool, integer, float, complex (`combine_categories`). */
function raise(higher: DType | null, lower: DType | null): DType | null {
  if (higher === null || lower === null) return higher ?? lower;
  if (category(lower) <= category(higher)) return higher;
  if (isFloat(higher)) return complexOf(higher);
  return isComplex(lower) ? lower : promoteTypes(higher, lower);
}

function complexOf(part: DType): DType {
  const dtype = COMPLEX_OF[part];
  if (dtype === undefined) throw new TypeError(`Unknown Complex ScalarType for ${typeName(part)}`);
  return dtype;
}

function category(dtype: DType): number {
  return ["bool", "integer", "float", "complex"].indexOf(DTYPES[dtype].kind);
}

function refuseRare(a: DType, b: DType): void {
  const pair = `attempted to promote ${typeName(a)} and ${typeName(b)}`;
  if (a.startsWith("float8") || b.startsWith("float8")) {
    throw new TypeError(`Promotion for Float8 Types is not supported, ${pair}`);
  }
  for (const [wide, other] of [[a, b], [b, a]] as const) {
    if (WIDE_UNSIGNED.includes(wide) && !isFloat(other)) {
      throw new TypeError(`Promotion for uint16, uint32, uint64 types is not supported, ${pair}`);
    }
  }
}

function promoteFloats(a: DType, b: DType): DType {
  if (a === "float64" || b === "float64") return "float64";
  // float32 with anything narrower, or the two 16-bit formats, neither of which holds the other.
  return "float32";
}

function promoteIntegers(a: DType, b: DType): DType {
  // A byte fits every signed integer but the narrowest, which it lifts by one step.
  const [low, high] = [a, b].map((dtype) =>
    dtype === "uint8" ? (a === "int8" || b === "int8" ? 1 : 0) : SIGNED.indexOf(dtype)
  );
  return SIGNED[Math.max(low, high)];
}

function promoteComplex(a: DType, b: DType): DType {
  const [left, right] = [a, b].map((dtype) => PART_OF[dtype] ?? (isFloat(dtype) ? dtype : null));
  if (left === null) return b;
  return right === null ? a : complexOf(promoteTypes(left, right));
}
