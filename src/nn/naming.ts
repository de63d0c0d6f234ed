/**
 * Names under which a module registers something, and the words in which PyTorch refuses them.
 *
 * @module
 */

import { pythonTypeName } from "../python_type.ts";
import { typeName } from "../tensor/promotion.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What a name is for. */
export type Kind = "parameter" | "buffer" | "module";

/**
 * Checks that a name can be one part of a key.
 *
 * @throws {TypeError} It is no string, is empty, or has a dot.
 */
export function requireName(kind: Kind, name: unknown): void {
  if (typeof name !== "string") throw new TypeError(`${kind} name should be a string. Got ${torchTypeName(name)}`);
  if (name.includes(".")) {
    throw new TypeError(`${kind} name can't contain "."${kind === "module" ? `, got: ${name}` : ""}`);
  }
  if (name === "") throw new TypeError(`${kind} name can't be empty string ""`);
}

/** `torch.typename`, by which PyTorch's messages name a value: `torch.FloatTensor`, `int`. */
export function torchTypeName(value: unknown): string {
  if (value instanceof Tensor) return `torch.${typeName(value.dtype)}Tensor`;
  return typeof value === "function" ? value.name : pythonTypeName(value);
}

/** `an Array`, `a Linear`: an object by its class. */
export function article(value: object): string {
  const name = value.constructor?.name ?? "Object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
