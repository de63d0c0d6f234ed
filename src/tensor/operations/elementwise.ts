/**
 * Element-wise operations of one and of two operands: broadcasting, type promotion, and the layouts the kernels know.
 *
 * @module
 */

import { itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { UnsupportedError } from "../../errors.ts";
import { sameShape } from "../../shape.ts";
import type { Shape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import { PAIRING } from "../../core/kernels.ts";
import type { BinaryName, CompareName, Pairing, UnaryName } from "../../core/kernels.ts";
import { Storage } from "../../core/memory.ts";
import { writeElement } from "../elements.ts";
import { computeType, isComputable, isFloat, promoteTypes, resultType, typeName } from "../promotion.ts";
import type { Scalar } from "../promotion.ts";
import { broadcastShapes, expand } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { convert, copyInto } from "./copying.ts";

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

/** Operations whose result is a boolean. */
const BOOL_RESULT: ReadonlySet<UnaryName> = new Set(["logicalNot", "isnan", "isinf", "isfinite"] as const);

/** What PyTorch refuses to do with booleans. */
const NOT_BOOL: ReadonlySet<string> = new Set(["neg", "sub", "abs", "sign", "remainder", "fmod", "floorDivide", "pow"]);

/** The parameters of an operation of one operand, such as a slope or two limits. */
export interface UnaryParameters {
  readonly a?: number;
  readonly b?: number;
}

/** An operation of one operand, into a new tensor. */
export function unary(name: UnaryName, source: View, parameters: UnaryParameters = {}): View {
  const dtype = unaryType(name, source.dtype);
  if (BOOL_RESULT.has(name)) return unaryInto(uninitialised("bool", source.shape), name, source, parameters);
  const compute = computeType(dtype);
  const operand = convert(source, compute);
  const result = unaryInto(uninitialised(compute, source.shape), name, operand, parameters);
  return convert(result, dtype);
}

/** An operation of one operand, in place. */
export function unaryInPlace(name: UnaryName, target: View, parameters: UnaryParameters = {}): void {
  const dtype = unaryType(name, target.dtype);
  requireCast(dtype, target.dtype);
  if (target.isContiguous && computeType(target.dtype) === target.dtype && dtype === target.dtype) {
    kernels.unary(name, target, target, { count: target.numel, ...parameters });
  } else {
    copyInto(target, unary(name, target, parameters));
  }
}

/** An operation of two operands with broadcasting, into a new tensor. */
export function binary(name: BinaryName, left: View | Scalar, right: View | Scalar): View {
  const dtype = binaryType(name, left, right);
  return convert(binaryIn(name, [left, right], computeType(dtype)), dtype);
}

/** An operation of two operands, into the first one. */
export function binaryInPlace(name: BinaryName, target: View, right: View | Scalar): void {
  const dtype = binaryType(name, target, right);
  requireCast(dtype, target.dtype);
  if (typeof right === "object") requireShape(target, right);
  const compute = computeType(dtype);
  const result = binaryIn(name, [target, right], compute, target.dtype === compute ? target : undefined);
  if (result !== target) copyInto(target, result);
}

/** A comparison with broadcasting; the result is boolean. */
export function compare(name: CompareName, left: View | Scalar, right: View | Scalar): View {
  const dtype = computeType(resultType([left, right]));
  requireKernel(name, dtype);
  const pair = pairOf(left, right, dtype);
  const result = uninitialised("bool", pair.shape);
  kernels.compare(name, result, pair.operands, { count: result.numel, pairing: pair.pairing });
  return result;
}

/** `left` where `condition` holds, else `right`, all three broadcast. */
export function where(condition: View, left: View | Scalar, right: View | Scalar): View {
  if (condition.dtype !== "bool") {
    throw new TypeError(
      `where expected condition to be a boolean tensor, but got a tensor with dtype ${typeName(condition.dtype)}`,
    );
  }
  const dtype = resultType([left, right]);
  const views = [left, right].map((operand) => asView(operand, dtype));
  const shape = broadcastShapes(condition.shape, broadcastShapes(views[0].shape, views[1].shape));
  const [mask, a, b] = [condition, ...views].map((operand) => contiguous(expand(operand, shape)));
  const result = uninitialised(dtype, shape);
  const item = itemSize(dtype);
  kernels.choose(result, [mask, a, b], { count: result.numel, item, pairing: PAIRING.each });
  return result;
}

/** A number as a tensor of one element and no dimensions. */
export function scalarView(value: Scalar, dtype: DType): View {
  const bytes = new Uint8Array(itemSize(dtype));
  writeElement(new DataView(bytes.buffer), 0, dtype, value);
  return new View(Storage.from(bytes), dtype, []);
}

/** Refuses to write a result where its dtype is of a higher category than the target's. */
export function requireCast(from: DType, to: DType): void {
  if (from === to || promoteTypes(from, to) === to || (isFloat(from) && isFloat(to))) return;
  const widths = !isFloat(from) && from !== "bool" && to !== "bool";
  if (widths) return;
  throw new TypeError(`result type ${typeName(from)} can't be cast to the desired output type ${typeName(to)}`);
}

function unaryInto(target: View, name: UnaryName, source: View, parameters: UnaryParameters): View {
  requireKernel(name, source.dtype);
  kernels.unary(name, target, contiguous(source), { count: source.numel, ...parameters });
  return target;
}

function unaryType(name: UnaryName, dtype: DType): DType {
  if (BOOL_RESULT.has(name)) return dtype;
  if (FLOAT_ONLY.has(name) && !isFloat(dtype)) {
    throw new TypeError(`"${name}" not implemented for '${typeName(dtype)}'`);
  }
  if (dtype === "bool" && NOT_BOOL.has(name)) throw new TypeError(`"${name}" not implemented for 'Bool'`);
  return FLOAT_RESULT.has(name) && !isFloat(dtype) ? "float32" : dtype;
}

function binaryType(name: BinaryName, left: View | Scalar, right: View | Scalar): DType {
  const dtype = resultType([left, right]);
  if (name === "div" || name === "atan2") {
    if (!isFloat(dtype)) return isComputable(dtype) ? "float32" : dtype;
  } else if (dtype === "bool" && NOT_BOOL.has(name)) {
    throw new TypeError(
      name === "sub"
        ? "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
        : `"${name}" not implemented for 'Bool'`,
    );
  }
  if (name.startsWith("bitwise") && isFloat(dtype)) {
    throw new TypeError(`"${name}" not implemented for '${typeName(dtype)}'`);
  }
  return dtype;
}

/** Two operands made one dtype and laid out as a kernel takes them. */
interface Pair {
  readonly shape: Shape;
  readonly operands: readonly [View, View];
  readonly pairing: Pairing;
}

function pairOf(left: View | Scalar, right: View | Scalar, dtype: DType): Pair {
  const a = asView(left, dtype);
  const b = asView(right, dtype);
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

function binaryIn(
  name: BinaryName,
  [left, right]: readonly [View | Scalar, View | Scalar],
  dtype: DType,
  into?: View,
): View {
  requireKernel(name, dtype);
  const a = asView(left, dtype);
  const b = asView(right, dtype);
  const row = into === undefined ? repeatedRow(a, b) : null;
  if (row !== null) {
    const result = uninitialised(dtype, row.swap ? b.shape : a.shape);
    kernels.binaryRows(name, result, row.operands, row);
    return result;
  }
  const pair = pairOf(a, b, dtype);
  const fits = into !== undefined && into.isContiguous && sameShape(into.shape, pair.shape);
  const result = fits ? into : uninitialised(dtype, pair.shape);
  kernels.binary(name, result, pair.operands, { count: result.numel, pairing: pair.pairing });
  return result;
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

function asView(operand: View | Scalar, dtype: DType): View {
  return typeof operand === "object" ? convert(operand, dtype) : scalarView(operand, dtype);
}

function requireShape(target: View, other: View): void {
  const shape = broadcastShapes(target.shape, other.shape);
  if (!sameShape(shape, target.shape)) {
    throw new RangeError(
      `output with shape [${target.shape.join(", ")}] doesn't match the broadcast shape [${shape.join(", ")}]`,
    );
  }
}

function requireKernel(name: string, dtype: DType): void {
  if (!isComputable(dtype)) {
    throw new UnsupportedError(`Cannot compute "${name}" in ${dtype}: convert to float32 first`, `${name} in ${dtype}`);
  }
}
