/**
 * Comparisons, tests and choices: what gives booleans, and what takes them.
 *
 * Equality is defined for every dtype, order for those that compute.
 *
 * @module
 */

import { DTYPES, itemSize } from "../../dtype.ts";
import type { DType } from "../../dtype.ts";
import { sameShape } from "../../shape.ts";
import * as kernels from "../../core/kernels.ts";
import { PAIRING } from "../../core/kernels.ts";
import type { CompareName } from "../../core/kernels.ts";
import { computeType, isComplex, isComputable, isFloat, resultType, typeName } from "../promotion.ts";
import type { Scalar } from "../promotion.ts";
import { arrange } from "../layout.ts";
import { broadcastShapes, expand } from "../shaping.ts";
import { contiguous, uninitialised, View } from "../view.ts";
import { convert } from "./copying.ts";
import { asView, exactView, pairOf } from "./elementwise.ts";
import { reduce } from "./reduction.ts";
import { notImplemented } from "./refusal.ts";

/** A property of one element. */
export type TestName = "logicalNot" | "isnan" | "isinf" | "isfinite";

/** The floats of a complex dtype, that a kernel knows. */
const COMPONENT: Readonly<Partial<Record<DType, DType>>> = {
  complex32: "float16",
  bcomplex32: "bfloat16",
  complex64: "float32",
  complex128: "float64",
};

/** A comparison with broadcasting; the result is boolean. */
export function compare(name: CompareName, left: View | Scalar, right: View | Scalar): View {
  const dtype = resultType([left, right]);
  const operands = [exactView(left, dtype), exactView(right, dtype)] as const;
  if (isComplex(dtype) && (name === "eq" || name === "ne")) return compareComponents(name, ...operands);
  if (!isComputable(dtype) && name !== "eq" && name !== "ne") throw notImplemented(name, dtype);
  const views = operands.map(comparable);
  const arranged = arrange(views);
  const [a, b] = arranged?.views ?? views;
  const pair = pairOf(a, b);
  const result = uninitialised("bool", pair.shape);
  kernels.compare(name, result, pair.operands, { count: result.numel, pairing: pair.pairing });
  return arranged?.restore(result) ?? result;
}

/** A property of every element; the result is boolean. */
export function test(name: TestName, source: View): View {
  if (name === "logicalNot") return tested(name, convert(source, "bool"));
  if (!isComplex(source.dtype)) return tested(name, comparable(source));
  const parts = tested(name, comparable(components(source)));
  return reduce(name === "isfinite" ? "all" : "any", parts, { dims: [-1], keepdim: false });
}

/** Whether shape and values are the same, in the dtype that both have in common. */
export function equal(left: View, right: View): boolean {
  if (!sameShape(left.shape, right.shape)) return false;
  if (left.dtype === right.dtype && !isFloat(left.dtype) && !isComplex(left.dtype)) {
    return kernels.equalBytes(contiguous(left), contiguous(right), left.numel * itemSize(left.dtype));
  }
  const differing = compare("ne", left, right);
  return kernels.nonzeroCount(differing, differing.numel) === 0;
}

/** `left` where `condition` holds, else `right`, all three broadcast. */
export function where(condition: View, left: View | Scalar, right: View | Scalar): View {
  if (condition.dtype !== "bool" && condition.dtype !== "uint8") {
    throw new TypeError(
      `where expected condition to be a boolean tensor, but got a tensor with dtype ${typeName(condition.dtype)}`,
    );
  }
  const dtype = resultType([left, right]);
  const views = [left, right].map((operand) => asView(operand, dtype));
  const shape = broadcastShapes(broadcastShapes(condition.shape, views[0].shape), views[1].shape);
  const operands = [convert(condition, "bool"), ...views];
  const arranged = arrange(operands);
  const wide = arranged === null ? shape : arranged.views.map((view) => view.shape).reduce(broadcastShapes);
  const [mask, a, b] = (arranged?.views ?? operands).map((operand) => contiguous(expand(operand, wide)));
  const result = uninitialised(dtype, wide);
  kernels.choose(result, [mask, a, b], { count: result.numel, item: itemSize(dtype), pairing: PAIRING.each });
  return arranged?.restore(result) ?? result;
}

function tested(name: TestName, operand: View): View {
  const arranged = arrange([operand]);
  const dense = contiguous(arranged?.views[0] ?? operand);
  const result = uninitialised("bool", dense.shape);
  kernels.unary(name, result, dense, { count: dense.numel });
  return arranged?.restore(result) ?? result;
}

function compareComponents(name: "eq" | "ne", a: View, b: View): View {
  const parts = compare(name, components(a), components(b));
  return reduce(name === "eq" ? "all" : "any", parts, { dims: [-1], keepdim: false });
}

/** Complex numbers as pairs of floats, in a dimension of their own. */
function components(source: View): View {
  const dense = contiguous(source);
  return new View(
    dense.storage,
    COMPONENT[dense.dtype] ?? dense.dtype,
    [...dense.shape, 2],
    undefined,
    dense.byteOffset,
  );
}

/** The same values in a dtype that the kernels compare: exact, and NaN stays NaN. */
function comparable(source: View): View {
  const { dtype } = source;
  if (isComputable(dtype)) return convert(source, computeType(dtype));
  if (DTYPES[dtype].kind === "float") return convert(source, "float32");
  // Equal bits are equal numbers, whichever sign the highest one stands for.
  if (dtype === "uint64") return new View(source.storage, "int64", source.shape, source.strides, source.byteOffset);
  return convert(source, "int64");
}
