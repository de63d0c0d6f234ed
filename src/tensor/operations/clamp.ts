/**
 * Values limited to a range.
 *
 * @module
 */

import { canCast, computeType, cppName, isFloat, isInteger, resultType, typeName } from "../promotion.ts";
import type { Scalar } from "../promotion.ts";
import { holds } from "../elements.ts";
import type { View } from "../view.ts";
import { clone, convert, copyInto } from "./copying.ts";
import { binary, unary, unaryInPlace } from "./elementwise.ts";
import { notImplemented } from "./refusal.ts";

/** The smallest and the largest value let through; `null`: no limit. */
export interface Limits {
  readonly min: View | Scalar | null;
  readonly max: View | Scalar | null;
}

/** The values limited to [min, max], into a new tensor; NaN stays, and `max` wins. */
export function clamp(source: View, limits: Limits): View {
  const dtype = clampedType(source, limits);
  const bounds = numericBounds(limits);
  if (isFloat(dtype) && bounds !== null) {
    return convert(unary("clamp", convert(source, computeType(dtype)), bounds), dtype);
  }
  const { min, max } = limits;
  let result = convert(source, dtype);
  if (min !== null && !isIdle(min, dtype, "below")) result = binary("maximum", result, inType(min, dtype));
  if (max !== null && !isIdle(max, dtype, "above")) result = binary("minimum", result, inType(max, dtype));
  return result === source ? clone(source) : result;
}

/** The same, in place. */
export function clampInPlace(target: View, limits: Limits): void {
  const dtype = clampedType(target, limits);
  if (!canCast(dtype, target.dtype)) {
    throw new TypeError(
      `result type ${typeName(dtype)} can't be cast to the desired output type ${cppName(target.dtype)}`,
    );
  }
  const bounds = numericBounds(limits);
  if (isFloat(dtype) && bounds !== null) unaryInPlace("clamp", target, bounds);
  else copyInto(target, clamp(target, limits));
}

function clampedType(source: View, { min, max }: Limits) {
  const bounds = [min, max].filter((bound) => bound !== null);
  if (bounds.length === 0) throw new TypeError("torch.clamp: At least one of 'min' or 'max' must not be None");
  const dtype = resultType([source, ...bounds]);
  if (dtype === "bool") throw notImplemented("clamp", dtype);
  return dtype;
}

/** Both limits as numbers, where they are: one pass then does both. */
function numericBounds({ min, max }: Limits): { readonly a: number; readonly b: number } | null {
  if (typeof min === "object" && min !== null || typeof max === "object" && max !== null) return null;
  return { a: min === null ? -Infinity : Number(min), b: max === null ? Infinity : Number(max) };
}

/** Whether a limit is beyond what an integer dtype holds, on the side where it limits nothing. */
function isIdle(limit: View | Scalar, dtype: View["dtype"], side: "below" | "above"): boolean {
  if (typeof limit === "object" || !isInteger(dtype) || holds(dtype, limit)) return false;
  return side === "below" ? Number(limit) < 0 : Number(limit) > 0;
}

/** A tensor of limits in the dtype of the result, so that one with dimensions does not raise it again. */
function inType(limit: View | Scalar, dtype: View["dtype"]): View | Scalar {
  return typeof limit === "object" ? convert(limit, dtype) : limit;
}
