/**
 * The element types, in one table: every other file asks this one how wide an element is, what each
 * format calls it, and which code the Rust core knows it by.
 *
 * Source of the names: PyTorch's `torch.dtype`, `torch/storage.py` and the safetensors format text.
 *
 * @module
 */

/** What the elements of a dtype are, for the rules of promotion and casting. */
export type DTypeKind = "float" | "integer" | "bool" | "complex";

/** One row of {@linkcode DTYPES}. */
export interface DTypeInfo {
  /** The number the Rust core knows this dtype by (`rust/src/dtype.rs` holds the same list). */
  readonly code: number;
  /** Bytes of one element. */
  readonly bytes: number;
  /** What the elements are. */
  readonly kind: DTypeKind;
  /** The storage class in a PyTorch pickle; `null`: saved through `UntypedStorage`. */
  readonly storage: string | null;
  /** The name in a safetensors header; `null`: the format has none. */
  readonly safetensors: string | null;
  /** Bytes that swap together when the file's byte order is the other one: a complex element is two numbers. */
  readonly swap: number;
}

/** The dtypes that Graft stores, casts, reads and writes. The keys are PyTorch's own names. */
export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  float32: { code: 0, bytes: 4, kind: "float", storage: "FloatStorage", safetensors: "F32", swap: 4 },
  float64: { code: 1, bytes: 8, kind: "float", storage: "DoubleStorage", safetensors: "F64", swap: 8 },
  float16: { code: 2, bytes: 2, kind: "float", storage: "HalfStorage", safetensors: "F16", swap: 2 },
  bfloat16: { code: 3, bytes: 2, kind: "float", storage: "BFloat16Storage", safetensors: "BF16", swap: 2 },
  int64: { code: 4, bytes: 8, kind: "integer", storage: "LongStorage", safetensors: "I64", swap: 8 },
  int32: { code: 5, bytes: 4, kind: "integer", storage: "IntStorage", safetensors: "I32", swap: 4 },
  int16: { code: 6, bytes: 2, kind: "integer", storage: "ShortStorage", safetensors: "I16", swap: 2 },
  int8: { code: 7, bytes: 1, kind: "integer", storage: "CharStorage", safetensors: "I8", swap: 1 },
  uint8: { code: 8, bytes: 1, kind: "integer", storage: "ByteStorage", safetensors: "U8", swap: 1 },
  bool: { code: 9, bytes: 1, kind: "bool", storage: "BoolStorage", safetensors: "BOOL", swap: 1 },
  uint16: { code: 10, bytes: 2, kind: "integer", storage: null, safetensors: "U16", swap: 2 },
  uint32: { code: 11, bytes: 4, kind: "integer", storage: null, safetensors: "U32", swap: 4 },
  uint64: { code: 12, bytes: 8, kind: "integer", storage: null, safetensors: "U64", swap: 8 },
  complex64: { code: 13, bytes: 8, kind: "complex", storage: "ComplexFloatStorage", safetensors: "C64", swap: 4 },
  complex128: { code: 14, bytes: 16, kind: "complex", storage: "ComplexDoubleStorage", safetensors: null, swap: 8 },
  complex32: { code: 15, bytes: 4, kind: "complex", storage: null, safetensors: null, swap: 2 },
  float8_e4m3fn: { code: 16, bytes: 1, kind: "float", storage: null, safetensors: "F8_E4M3", swap: 1 },
  float8_e5m2: { code: 17, bytes: 1, kind: "float", storage: null, safetensors: "F8_E5M2", swap: 1 },
  float8_e4m3fnuz: { code: 18, bytes: 1, kind: "float", storage: null, safetensors: "F8_E4M3FNUZ", swap: 1 },
  float8_e5m2fnuz: { code: 19, bytes: 1, kind: "float", storage: null, safetensors: "F8_E5M2FNUZ", swap: 1 },
  float8_e8m0fnu: { code: 20, bytes: 1, kind: "float", storage: null, safetensors: "F8_E8M0", swap: 1 },
  bcomplex32: { code: 21, bytes: 4, kind: "complex", storage: null, safetensors: null, swap: 2 },
};

/**
 * The name of an element type, as PyTorch spells it.
 *
 * @example Naming a dtype
 * ```ts
 * import { zeros } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(zeros([2], { dtype: "bfloat16" }).dtype, "bfloat16");
 * ```
 */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool"
  | "uint16"
  | "uint32"
  | "uint64"
  | "complex64"
  | "complex128"
  | "complex32"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "float8_e4m3fnuz"
  | "float8_e5m2fnuz"
  | "float8_e8m0fnu"
  | "bcomplex32";

/**
 * Dtypes that a checkpoint may name and Graft does not read: quantised, packed below a byte, or without arithmetic
 * in PyTorch itself (the two 6-bit floats are safetensors' own). Their tensors are listed with name and shape; only reading one throws.
 */
export const RARE_DTYPES: Readonly<Record<RareDType, number>> = {
  qint8: 1,
  quint8: 1,
  qint32: 4,
  quint4x2: 1,
  quint2x4: 1,
  float4_e2m1fn_x2: 1,
  float6_e2m3fn: 1,
  float6_e3m2fn: 1,
  bits8: 1,
  bits16: 2,
  bits1x8: 1,
  bits2x4: 1,
  bits4x2: 1,
  int1: 1,
  int2: 1,
  int3: 1,
  int4: 1,
  int5: 1,
  int6: 1,
  int7: 1,
  uint1: 1,
  uint2: 1,
  uint3: 1,
  uint4: 1,
  uint5: 1,
  uint6: 1,
  uint7: 1,
};

/** The name of a dtype that Graft lists and does not read. */
export type RareDType =
  | "qint8"
  | "quint8"
  | "qint32"
  | "quint4x2"
  | "quint2x4"
  | "float4_e2m1fn_x2"
  | "float6_e2m3fn"
  | "float6_e3m2fn"
  | "bits8"
  | "bits16"
  | "bits1x8"
  | "bits2x4"
  | "bits4x2"
  | "int1"
  | "int2"
  | "int3"
  | "int4"
  | "int5"
  | "int6"
  | "int7"
  | "uint1"
  | "uint2"
  | "uint3"
  | "uint4"
  | "uint5"
  | "uint6"
  | "uint7";

/** Whether `name` is a dtype that Graft stores and casts. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPES, name);
}

/** Whether `name` is a dtype that Graft lists and does not read. */
export function isRareDType(name: string): name is RareDType {
  return Object.hasOwn(RARE_DTYPES, name);
}

/** Bytes of one element of `dtype`. */
export function itemSize(dtype: DType | RareDType): number {
  return isDType(dtype) ? DTYPES[dtype].bytes : RARE_DTYPES[dtype];
}

/** The dtypes in the order of their codes. */
export const DTYPE_NAMES: readonly DType[] = Object.keys(DTYPES) as DType[];
