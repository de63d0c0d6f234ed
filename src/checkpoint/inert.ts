/**
 * Inert values: what a pickle says, without behaviour. How their kinds are told apart.
 *
 * @module
 */

import { type Inert, type InertObject, isLazyTensor } from "../state_dict.ts";

/** A `collections.OrderedDict`: the one dict of Python's own that has attributes, as a state dict has `_metadata`. */
export class OrderedDict extends Map<Inert, Inert> {
  /** What `BUILD` handed to it: its attributes, in a dict. Not there where it has none. */
  declare state?: Inert;
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
export function isObject(value: Inert | undefined): value is InertObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map) &&
    !(value instanceof Set) && !(value instanceof Uint8Array) && !isLazyTensor(value);
}

/** Whether a value is a number of things: whole, exact and not negative. */
export function isCount(value: Inert | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
