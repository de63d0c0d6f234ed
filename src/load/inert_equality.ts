/**
 * Whether two values of checkpoints are the same, as far as that can be known without reading a tensor.
 *
 * @module
 */

import { sameShape } from "../shape.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { Inert, InertObject } from "../state_dict.ts";

/** Two values that are being compared further up. */
type Open = readonly (readonly [Inert, Inert])[];

/** Compares values through and through; tensors by dtype and shape. */
export function sameInert(a: Inert, b: Inert, open: Open = []): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  // In a cycle the two are the same if nothing else tells them apart.
  if (open.some(([x, y]) => x === a && y === b)) return true;
  const within: Open = [...open, [a, b]];
  if (isLazyTensor(a) || isLazyTensor(b)) {
    return isLazyTensor(a) && isLazyTensor(b) && a.dtype === b.dtype && sameShape(a.shape, b.shape);
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameItems([...a], [...b], within);
  if (isList(a)) return isList(b) && sameItems(a, b, within);
  if (a instanceof Map) return b instanceof Map && sameItems([...a].flat(), [...b].flat(), within);
  if (a instanceof Set) return b instanceof Set && sameItems([...a], [...b], within);
  return isObject(a) && isObject(b) && sameObjects(a, b, within);
}

function sameItems(a: readonly Inert[], b: readonly Inert[], open: Open): boolean {
  return a.length === b.length && a.every((item, i) => sameInert(item, b[i], open));
}

function sameObjects(a: InertObject, b: InertObject, open: Open): boolean {
  return a.module === b.module && a.name === b.name &&
    sameInert(a.args ?? null, b.args ?? null, open) &&
    sameInert(a.state ?? null, b.state ?? null, open) &&
    sameInert(a.items ?? null, b.items ?? null, open);
}

function isList(value: Inert): value is readonly Inert[] {
  return Array.isArray(value);
}

function isObject(value: Inert): value is InertObject {
  return typeof value === "object" && value !== null && "module" in value && "name" in value;
}
