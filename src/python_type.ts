/**
 * What Python would call the type of a value: PyTorch's messages name it.
 *
 * @module
 */

import { type DType, isDType, isRareDType } from "./dtype.ts";
import { isLazyTensor } from "./state_dict.ts";
import { brandOf, TENSOR_BRAND } from "./version.ts";

/** The scalar types of NumPy by the codes in which its `dtype` is pickled; PyTorch calls them the same. */
export const NUMPY_SCALARS: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["b1", "bool"],
  ["i1", "int8"],
  ["i2", "int16"],
  ["i4", "int32"],
  ["i8", "int64"],
  ["u1", "uint8"],
  ["u2", "uint16"],
  ["u4", "uint32"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["c8", "complex64"],
  ["c16", "complex128"],
]);

/**
 * What Python calls the type of a value, as PyTorch's messages have it: a number is `int` if it is whole and `float`
 * if not, an array is `list`, a `Map` or plain object is `dict`, `null` is `NoneType`, and an
 * array of NumPy in a file is `numpy.ndarray`.
 *
 * @example Naming what stands where a tensor should be
 * ```ts
 * import { pythonTypeName } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pythonTypeName([1, 2]), "list");
 * assertEquals(pythonTypeName(null), "NoneType");
 * ```
 */
export function pythonTypeName(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "bigint":
      return "int";
    case "string":
      return "str";
    case "undefined":
      return "NoneType";
    case "function":
      return "function";
    case "object":
      return value === null ? "NoneType" : objectTypeName(value);
    default:
      return "object";
  }
}

function objectTypeName(value: object): string {
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof Uint8Array) return "bytes";
  if (isLazyTensor(value) || brandOf(value, TENSOR_BRAND) !== null) return "torch.Tensor";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value.constructor.name;
  return isInertObject(value) ? pickledTypeName(value) : "dict";
}

/** An object of a file as `InertObject` describes it: what it is made of is still of any kind. */
interface NamedObject {
  readonly module: string;
  readonly name: string;
  readonly args?: unknown;
}

function isInertObject(value: unknown): value is NamedObject {
  return typeof value === "object" && value !== null && "module" in value && typeof value.module === "string" &&
    "name" in value && typeof value.name === "string";
}

function pickledTypeName({ module, name, args }: NamedObject): string {
  if (/^numpy\.(_core|core)\.multiarray$/.test(module)) {
    if (name === "_reconstruct") return "numpy.ndarray";
    if (name === "scalar") return numpyScalarName(first(args));
  }
  if (module === "torch" && args === undefined && (isDType(name) || isRareDType(name))) return "torch.dtype";
  if (args === undefined) return "type";
  return module === "builtins" ? name : `${module}.${name}`;
}

function numpyScalarName(dtype: unknown): string {
  const code = isInertObject(dtype) ? first(dtype.args) : undefined;
  const scalar = typeof code === "string" ? NUMPY_SCALARS.get(code) : undefined;
  return scalar === undefined ? "numpy.generic" : `numpy.${scalar}`;
}

function first(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}
