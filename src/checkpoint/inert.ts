/**
 * Inert values: what a pickle says, without behaviour. How their kinds are told apart, and what Python calls them.
 *
 * @module
 */

import { isDType, isRareDType } from "../dtype.ts";
import { type Inert, type InertObject, isLazyTensor } from "../state_dict.ts";

/** The scalar types of NumPy by the codes in which its `dtype` is pickled. */
const NUMPY_SCALARS: ReadonlyMap<string, string> = new Map([
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
 * An {@linkcode InertObject} as the reader makes it. An object of a class that extends `list` or `dict` has `items`
 * beside its state.
 */
export interface PickledObject extends InertObject {
  /** What was appended to it, or the keys and values that were set in it. */
  readonly items?: readonly Inert[] | ReadonlyMap<Inert, Inert>;
}

/** Whether a value is a list that a pickle may still append to; tuples are frozen. */
export function isList(value: Inert): value is Inert[] {
  return Array.isArray(value) && !Object.isFrozen(value);
}

/** Whether a value is a list or a tuple. */
export function isSequence(value: Inert): value is readonly Inert[] {
  return Array.isArray(value);
}

/** Whether a value is a dict. */
export function isDict(value: Inert): value is Map<Inert, Inert> {
  return value instanceof Map;
}

/** Whether a value is a set. */
export function isSet(value: Inert): value is Set<Inert> {
  return value instanceof Set;
}

/** Whether a value is an object of a class that Graft does not know, or the bare name of one. */
export function isObject(value: Inert | undefined): value is PickledObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map) &&
    !(value instanceof Set) && !(value instanceof Uint8Array) && !isLazyTensor(value);
}

/**
 * What Python calls the type of a value, as PyTorch's messages have it: a number is `int` if it is whole and `float`
 * if not, an array is `list`, a `Map` is `dict`, `null` is `NoneType`, and an array of NumPy is `numpy.ndarray`.
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
export function pythonTypeName(value: Inert): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return "int";
  if (typeof value === "number") return "float";
  if (typeof value === "string") return "str";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof Uint8Array) return "bytes";
  if (isLazyTensor(value)) return "torch.Tensor";
  return isObject(value) ? objectTypeName(value) : "object";
}

function objectTypeName({ module, name, args }: PickledObject): string {
  if (/^numpy\.(_core|core)\.multiarray$/.test(module)) {
    if (name === "_reconstruct") return "numpy.ndarray";
    if (name === "scalar") return numpyScalarName(args?.[0]);
  }
  if (module === "torch" && args === undefined && (isDType(name) || isRareDType(name))) return "torch.dtype";
  if (args === undefined) return "type";
  return module === "builtins" ? name : `${module}.${name}`;
}

function numpyScalarName(dtype: Inert | undefined): string {
  const code = isObject(dtype) ? dtype.args?.[0] : undefined;
  const scalar = typeof code === "string" ? NUMPY_SCALARS.get(code) : undefined;
  return scalar === undefined ? "numpy.generic" : `numpy.${scalar}`;
}
