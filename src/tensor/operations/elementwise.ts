/**
 * Element-wise operations of one and of two operands: broadcasting, type promotion, and the layouts the kernels know.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { sameShape } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import { PAIRING } from "../../core/kernels.ts";
import type { BinaryName, Pairing, UnaryName } from "../../core/kernels.ts";
import { Storage } from "../../core/memory.ts";
import { holds, requireHeld, wrapped, writeElement } from "../elements.ts";
import {
  canCast,
  computeType,
  isComplex,
  isComputable,
  isFloat,
  isInteger,
  resultType,
  typeName,
} from "../promotion.ts";
import type { Scalar } from "../promotion.ts";
import { arrange } from "../layout.ts";
import { broadcastShapes, expand, requireBroadcast } from "../shaping.ts";
import { contiguous, memoryOrder, uninitialised, uninitialisedLike, View } from "../view.ts";
import { clone, convert, copyInto, refuseInternalOverlap } from "./copying.ts";
import { notImplemented, requireComputable } from "./refusal.ts";

/** Operations whose result is a floating point number whatever they are given. */
const FLOAT_RESULT: ReadonlySet<UnaryName> = new Set(
  [
    "sigmoid",
    "tanh",
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "erf",
    "reciprocal",
    "rsqrt",
    "log1p",
    "expm1",
    "log2",
    "log10",
  ] as const,
);

/** Operations that PyTorch defines for floating point numbers only. */
const FLOAT_ONLY: ReadonlySet<UnaryName> = new Set(
  ["gelu", "geluTanh", "silu", "leakyRelu", "softplus", "elu"] as const,
);

/** What PyTorch refuses to do with booleans. */
const NOT_BOOL: ReadonlySet<UnaryName | BinaryName> = new Set(
  [
    "neg",
    "abs",
    "relu",
    "floor",
    "ceil",
    "round",
    "trunc",
    "remainder",
    "fmod",
    "floorDivide",
    "pow",
  ] as const,
);

/** Operations whose low bits depend on the low bits of the operands only: a number may wrap before. */
const MODULAR: ReadonlySet<BinaryName> = new Set(
  ["add", "sub", "mul", "bitwiseAnd", "bitwiseOr", "bitwiseXor"] as const,
);

/** The parameters of an operation of one operand, such as a slope or two limits. */
export interface UnaryParameters {
  readonly a?: number;
  readonly b?: number;
}

/** An operation of one operand, into a new tensor with the memory layout of the operand. */
export function unary(name: UnaryName, source: View, parameters: UnaryParameters = {}): View {
  const dtype = unaryType(name, source.dtype);
  const compute = computeType(dtype);
  requireComputable(name, compute);
  const converted = convert(source, compute);
  const isDense = memoryOrder(converted) !== null;
  const arranged = isDense ? null : arrange([converted]);
  const operand = isDense ? converted : contiguous(arranged?.views[0] ?? converted);
  const result = uninitialisedLike(operand);
  kernels.unary(name, result, operand, { count: operand.numel, ...parameters });
  return convert(arranged?.restore(result) ?? result, dtype);
}

/** An operation of one operand, in place. */
export function unaryInPlace(name: UnaryName, target: View, parameters: UnaryParameters = {}): void {
  const dtype = unaryType(name, target.dtype);
  requireCast(dtype, target.dtype);
  refuseInternalOverlap(target);
  const order = memoryOrder(target);
  if (order !== null && dtype === target.dtype && computeType(dtype) === dtype && isComputable(dtype)) {
    kernels.unary(name, target, target, { count: target.numel, ...parameters });
  } else {
    copyInto(target, unary(name, target, parameters));
  }
}

/** An operation of two operands with broadcasting, into a new tensor. */
export function binary(name: BinaryName, left: View | Scalar, right: View | Scalar): View {
  if (name === "sub") refuseBooleanDifference(left, right);
  if (typeof left === "object" && typeof right === "object") requireCommonShape(left, right);
  const dtype = binaryType(name, left, right);
  refuseType(name, dtype);
  return convert(binaryIn(name, [left, right], { dtype }), dtype);
}

/** An operation of two operands, into the first one. */
export function binaryInPlace(name: BinaryName, target: View, right: View | Scalar): void {
  const dtype = targetType(name, target, right);
  refuseType(name, dtype);
  operateInPlace(name, [target, right], { dtype });
}

/**
 * `left + alpha·right`, or less it. float32 rounds once, as PyTorch's fused multiplication and addition does; float64
 * rounds the product and the sum, where PyTorch's is fused as well. The 16-bit floats are multiplied and added as
 * float32, where the product is exact, and rounded once: PyTorch's vector code does so, while the scalar code that it
 * has for a few last elements, for strided operands and for numbers rounds the product to 16 bits too.
 */
export function scaledSum(name: "add" | "sub", [left, right]: Operands, alpha: number | bigint): View {
  if (alpha === 1 || alpha === 1n) return binary(name, left, right);
  if (name === "sub") refuseBooleanDifference(left, right);
  if (typeof left === "object" && typeof right === "object") requireCommonShape(left, right);
  const dtype = resultType([left, right]);
  requireAlpha(dtype, alpha);
  if (dtype === "bool") return binary(name, left, alpha === 0 || alpha === 0n ? false : right);
  if (dtype === "float32") return binaryIn("add", [left, right], { dtype, alpha: signed(name, alpha) });
  const factor = operandOf("add", alpha, dtype);
  const compute = computeType(dtype);
  const [a, b, c] = [left, right, factor].map((side) => convert(operandOf("add", side, dtype), compute));
  return convert(binary(name, a, binary("mul", b, c)), dtype);
}

/** The same, into the first one. */
export function scaledSumInPlace(
  name: "add" | "sub",
  [target, right]: readonly [View, View | Scalar],
  alpha: number | bigint,
): void {
  if (alpha === 1 || alpha === 1n) return binaryInPlace(name, target, right);
  const dtype = targetType(name, target, right);
  requireAlpha(dtype, alpha);
  if (dtype === "float32") operateInPlace("add", [target, right], { dtype, alpha: signed(name, alpha) });
  else copyInto(target, scaledSum(name, [target, right], alpha));
}

/**
 * A number as a tensor of one element and no dimensions.
 *
 * @throws {RangeError} The dtype does not hold it.
 */
export function scalarView(value: Scalar, dtype: DType): View {
  const bytes = new Uint8Array(itemSize(dtype));
  writeElement(new DataView(bytes.buffer), 0, dtype, value);
  return new View(Storage.from(bytes), dtype, []);
}

/** An operand as a tensor of `dtype`. */
export function asView(operand: View | Scalar, dtype: DType): View {
  return typeof operand === "object" ? convert(operand, dtype) : scalarView(operand, dtype);
}

/**
 * As {@linkcode asView}, where the number must not change.
 *
 * @throws {RangeError} The dtype does not hold the number.
 */
export function exactView(operand: View | Scalar, dtype: DType): View {
  if (typeof operand !== "object") requireHeld(operand, dtype);
  return asView(operand, dtype);
}

/** What an operation of two operands is given. */
export type Operands = readonly [View | Scalar, View | Scalar];

/** Two operands made one dtype and laid out as a kernel takes them. */
export interface Pair {
  readonly shape: Shape;
  readonly operands: readonly [View, View];
  readonly pairing: Pairing;
}

/** Two operands of one dtype, broadcast as far as the kernels do not do so themselves. */
export function pairOf(a: View, b: View): Pair {
  const shape = sameShape(a.shape, b.shape) ? a.shape : broadcastShapes(a.shape, b.shape);
  if (sameShape(a.shape, b.shape)) {
    return { shape, operands: [contiguous(a), contiguous(b)], pairing: PAIRING.each };
  }
  if (b.numel === 1 && sameShape(a.shape, shape)) {
    return { shape, operands: [contiguous(a), b], pairing: PAIRING.rightOne };
  }
  if (a.numel === 1 && sameShape(b.shape, shape)) {
    return { shape, operands: [a, contiguous(b)], pairing: PAIRING.leftOne };
  }
  return { shape, operands: [contiguous(expand(a, shape)), contiguous(expand(b, shape))], pairing: PAIRING.each };
}

/** The dtype of an operation into `target`, after the checks that PyTorch makes before it looks for a kernel. */
function targetType(name: BinaryName, target: View, right: View | Scalar): DType {
  if (name === "sub") refuseBooleanDifference(target, right);
  refuseInternalOverlap(target);
  if (typeof right === "object") requireBroadcast(target.shape, right.shape);
  const dtype = binaryType(name, target, right);
  requireCast(dtype, target.dtype);
  return dtype;
}

/** What `alpha` is as the factor of an addition. */
function signed(name: "add" | "sub", alpha: number | bigint): number {
  return name === "add" ? Number(alpha) : -Number(alpha);
}

function requireAlpha(dtype: DType, alpha: number | bigint): void {
  if (isFloat(dtype) || isComplex(dtype) || typeof alpha === "bigint" || Number.isInteger(alpha)) return;
  throw new TypeError("For integral input tensors, argument alpha must not be a floating point number.");
}

function requireCommonShape(a: View, b: View): void {
  if (!sameShape(a.shape, b.shape)) broadcastShapes(a.shape, b.shape);
}

/** Refuses to write a result where its dtype is of a higher category than the target's. */
function requireCast(from: DType, to: DType): void {
  if (canCast(from, to)) return;
  throw new TypeError(`result type ${typeName(from)} can't be cast to the desired output type ${typeName(to)}`);
}

function unaryType(name: UnaryName, dtype: DType): DType {
  if (FLOAT_ONLY.has(name) && !isFloat(dtype)) throw notImplemented(name, dtype);
  if (dtype === "bool") {
    if (NOT_BOOL.has(name)) throw notImplemented(name, dtype);
    if (name === "square") return "int64";
  }
  if (name === "bitwiseNot" && isFloat(dtype)) throw notImplemented(name, dtype);
  const rounds = FLOAT_RESULT.has(name) && (isInteger(dtype) || dtype === "bool");
  return rounds ? "float32" : dtype;
}

function binaryType(name: BinaryName, left: View | Scalar, right: View | Scalar): DType {
  const dtype = resultType([left, right]);
  const divides = name === "div" || name === "atan2";
  return divides && (isInteger(dtype) || dtype === "bool") ? "float32" : dtype;
}

function refuseType(name: BinaryName, dtype: DType): void {
  if (dtype === "bool" && NOT_BOOL.has(name)) throw notImplemented(name, dtype);
  if (name.startsWith("bitwise") && isFloat(dtype)) throw notImplemented(name, dtype);
  requireComputable(name, computeType(dtype));
}

/** `sub_check` of ATen/native/BinaryOps.h. */
function refuseBooleanDifference(left: View | Scalar, right: View | Scalar): void {
  const [a, b] = [left, right].map((side) =>
    typeof side === "object" ? side.dtype === "bool" : typeof side === "boolean"
  );
  if (a && b) {
    throw new TypeError(
      "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator " +
        "instead.",
    );
  }
  if (a || b) {
    throw new TypeError(
      "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use " +
        "the `~` or `logical_not()` operator instead.",
    );
  }
}

/** How an operation of two operands is done. */
interface Computation {
  /** The dtype of the operands, once they are promoted. */
  readonly dtype: DType;
  /** Where the result goes, if its layout fits. */
  readonly into?: View;
  /** The factor of the right operand of a float32 sum. */
  readonly alpha?: number;
}

function operateInPlace(name: BinaryName, [target, right]: readonly [View, View | Scalar], how: Computation): void {
  const into = target.dtype === computeType(how.dtype) && memoryOrder(target) !== null ? target : undefined;
  const result = binaryIn(name, [target, apart(right, target)], { ...how, into });
  if (result !== target) copyInto(target, result);
}

function binaryIn(name: BinaryName, [left, right]: Operands, { dtype, into, alpha }: Computation): View {
  const compute = computeType(dtype);
  const a = convert(operandOf(name, left, dtype), compute);
  const b = keepsDivisor(name, right)
    ? operandOf(name, right, compute)
    : convert(name === "pow" ? exponentOf(right, a, dtype) : operandOf(name, right, dtype), compute);
  const alike = sameLayout(a, b);
  if (alike !== null && (into === undefined || sameStrides(into, alike.like))) {
    const result = into ?? uninitialisedLike(alike.like);
    flat(name, result, { operands: [a, b], pairing: alike.pairing }, alpha);
    return result;
  }
  const arranged = into === undefined ? arrange([a, b]) : null;
  if (arranged === null) return rowMajor(name, [a, b], { dtype, into, alpha });
  const [x, y] = arranged.views;
  return arranged.restore(rowMajor(name, [x, y], { dtype, alpha }));
}

/** An operation on two operands of one dtype, into a row-major result. */
function rowMajor(name: BinaryName, [a, b]: readonly [View, View], { into, alpha }: Computation): View {
  const row = into === undefined ? repeatedRow(a, b) : null;
  if (row !== null) {
    const result = uninitialised(a.dtype, row.swap ? b.shape : a.shape);
    if (alpha === undefined) kernels.binaryRows(name, result, row.operands, row);
    else kernels.scaledSumRows(result, row.operands, { ...row, alpha });
    return result;
  }
  const pair = pairOf(a, b);
  const fits = into !== undefined && into.isContiguous && sameShape(into.shape, pair.shape);
  const result = fits ? into : uninitialised(a.dtype, pair.shape);
  flat(name, result, pair, alpha);
  return result;
}

function flat(name: BinaryName, result: View, { operands, pairing }: Omit<Pair, "shape">, alpha?: number): void {
  const layout = { count: result.numel, pairing };
  if (alpha === undefined) kernels.binary(name, result, operands, layout);
  else kernels.scaledSum(result, operands, { ...layout, alpha });
}

/** Whether PyTorch multiplies or divides 16-bit floats by a single element as it is, not rounded to 16 bits before. */
function keepsDivisor(name: BinaryName, right: View | Scalar): boolean {
  if (name !== "mul" && name !== "div" && name !== "floorDivide") return false;
  return typeof right !== "object" || right.numel === 1;
}

/** A number that the dtype does not hold wraps where that changes no bit of the result, and is refused elsewhere. */
function operandOf(name: BinaryName, operand: View | Scalar, dtype: DType): View {
  if (typeof operand === "object" || !MODULAR.has(name) || holds(dtype, operand)) return exactView(operand, dtype);
  return scalarView(wrapped(operand, dtype), dtype);
}

/** The exponents of `base`. PyTorch refuses a negative number where both are integers, and computes with a tensor. */
function exponentOf(exponent: View | Scalar, base: View, dtype: DType): View {
  const isInteger = !isFloat(base.dtype);
  if (isInteger && typeof exponent !== "object" && typeof exponent !== "boolean" && exponent < 0) {
    throw new RangeError("Integers to negative integer powers are not allowed.");
  }
  const view = exactView(exponent, dtype);
  // The kernel takes a single element for a number, and refuses a negative one.
  const isSingle = isInteger && typeof exponent === "object" && view.numel === 1;
  return isSingle ? contiguous(expand(view, broadcastShapes(base.shape, view.shape))) : view;
}

/** Where both operands, or the one that is not a single element, lie in memory as the result will. */
function sameLayout(a: View, b: View): { readonly like: View; readonly pairing: Pairing } | null {
  if (b.numel === 1 && b.shape.length <= a.shape.length && memoryOrder(a) !== null) {
    return { like: a, pairing: a.numel === 1 ? PAIRING.each : PAIRING.rightOne };
  }
  if (a.numel === 1 && a.shape.length <= b.shape.length && memoryOrder(b) !== null) {
    return { like: b, pairing: PAIRING.leftOne };
  }
  const alike = sameShape(a.shape, b.shape) && sameStrides(a, b) && memoryOrder(a) !== null;
  return alike ? { like: a, pairing: PAIRING.each } : null;
}

function sameStrides(a: View, b: View): boolean {
  return a.shape.length === b.shape.length && a.strides.every((stride, i) => stride === b.strides[i]);
}

/** An operand that shares memory with what is written, but is not laid out as it, as a copy. */
function apart(operand: View | Scalar, target: View): View | Scalar {
  if (typeof operand !== "object" || operand.storage !== target.storage) return operand;
  const same = operand.byteOffset === target.byteOffset && sameShape(operand.shape, target.shape) &&
    sameStrides(operand, target);
  return same ? operand : clone(operand);
}

/** Where one operand is a row that the other repeats: biases, normalisation weights. */
function repeatedRow(a: View, b: View) {
  for (const [whole, row, swap] of [[a, b, false], [b, a, true]] as const) {
    const leading = whole.shape.length - row.shape.length;
    if (leading <= 0 || row.numel < 2 || !whole.isContiguous || !row.isContiguous) continue;
    if (!row.shape.every((size, i) => size === whole.shape[leading + i])) continue;
    return { operands: [whole, row] as const, rows: whole.numel / row.numel, cols: row.numel, swap };
  }
  return null;
}
