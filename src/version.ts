/**
 * The version of the package, and the brands by which its objects are known across copies of it.
 *
 * @module
 */

/** The version in `deno.json`; a test holds the two together. */
export const VERSION = "0.1.0";

/** On every tensor: the version of the copy that made it. */
export const TENSOR_BRAND: unique symbol = Symbol.for("@graft/graft.Tensor");

/** On every module: the version of the copy that made it. */
export const MODULE_BRAND: unique symbol = Symbol.for("@graft/graft.Module");

/** The version in the brand of a value, or `null` where it has none. */
export function brandOf(value: unknown, brand: symbol): string | null {
  if (typeof value !== "object" || value === null) return null;
  const version: unknown = Reflect.get(value, brand);
  return typeof version === "string" ? version : null;
}
