/**
 * Arrays and scalars of NumPy in a pickle: how its records describe them. Their bytes are in the pickle itself.
 *
 * Source: `array_reduce`, `array_setstate`, `arraydescr_reduce` and `scalar` of `numpy/_core/src/multiarray/` and
 * `_frombuffer` of `numpy/_core/numeric.py`; NumPy 1 calls the module `numpy.core`.
 *
 * @module
 */

import { type DType, DTYPES, itemSize } from "../dtype.ts";
import { NUMPY_SCALARS } from "../python_type.ts";
import type { Inert } from "../state_dict.ts";
import { swapBytes } from "./gather.ts";
import { isObject, isSequence } from "./inert.ts";
import { decodeLong } from "./pickle_text.ts";

/** What the elements of an array are. */
export interface NumpyElements {
  /** The element type. */
  readonly dtype: DType;
  /** Whether their most significant byte comes first. */
  readonly bigEndian: boolean;
}

/** An array: elements that lie one after the other. */
export interface NumpyArray {
  /** The sizes, as the pickle has them. */
  readonly shape: Inert;
  /** Whether the first dimension varies fastest, and not the last. */
  readonly isFortran: boolean;
  /** What the elements are; `null` where PyTorch has none like them: texts, dates, objects. */
  readonly elements: NumpyElements | null;
  /** The elements; `null` where they are no bytes. */
  readonly bytes: Uint8Array | null;
}

/** What a record says of an array; `undefined` where it is no record of one. */
export function numpyArray(value: Inert | undefined): NumpyArray | undefined {
  if (!isObject(value)) return undefined;
  const { state, args = [] } = value;
  if (
    isNumpy(value.module, "multiarray") && value.name === "_reconstruct" && state !== undefined && isSequence(state)
  ) {
    const [, shape, dtype, isFortran, data] = state;
    return arrayOf({ shape, dtype, data, isFortran: isFortran === true });
  }
  // Protocol 5: `(buffer, dtype, shape, order)`.
  if (isNumpy(value.module, "numeric") && value.name === "_frombuffer" && (args[3] === "C" || args[3] === "F")) {
    const [data, dtype, shape, order] = args;
    return arrayOf({ shape, dtype, data, isFortran: order === "F" });
  }
  return undefined;
}

/** The number that `scalar(dtype, bytes)` makes; `undefined` for what is no number, and for complex ones. */
export function numpyScalar([type, data]: readonly Inert[]): number | bigint | boolean | undefined {
  const elements = elementsOf(type);
  // The bytes of Python 2 are text where they can be.
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : bytesOf(data)?.slice();
  if (elements === null || bytes?.length !== itemSize(elements.dtype)) return undefined;
  const { kind, swap } = DTYPES[elements.dtype];
  if (elements.bigEndian) swapBytes(bytes, swap);
  if (kind === "bool") return bytes[0] !== 0;
  if (kind === "integer") return decodeLong(elements.dtype.startsWith("u") ? Uint8Array.of(...bytes, 0) : bytes);
  return kind === "float" ? decodeFloat(bytes) : undefined;
}

function arrayOf(
  { shape = null, dtype, data, isFortran }: {
    readonly shape: Inert | undefined;
    readonly dtype: Inert | undefined;
    readonly data: Inert | undefined;
    readonly isFortran: boolean;
  },
): NumpyArray {
  return { shape, isFortran, elements: elementsOf(dtype), bytes: bytesOf(data) ?? null };
}

/** `numpy.dtype("f4", …)`, whose state is `(version, byte order, …)`. */
function elementsOf(value: Inert | undefined): NumpyElements | null {
  if (!isObject(value) || value.module !== "numpy" || value.name !== "dtype") return null;
  const code = value.args?.[0];
  const dtype = typeof code === "string" ? NUMPY_SCALARS.get(code) : undefined;
  const { state = null } = value;
  return dtype === undefined ? null : { dtype, bigEndian: isSequence(state) && state[1] === ">" };
}

/** Whether a module is one of NumPy's core, by either of its names. */
function isNumpy(module: string, name: string): boolean {
  return module === `numpy.core.${name}` || module === `numpy._core.${name}`;
}

function bytesOf(value: Inert | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function decodeFloat(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 8) return view.getFloat64(0, true);
  return bytes.length === 4 ? view.getFloat32(0, true) : decodeHalf(view.getUint16(0, true));
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. Not every engine has `getFloat16`. */
function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = bits >> 10 & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
