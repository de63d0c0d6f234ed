/**
 * Tensors as the fixtures of `modules.py` and `tensor_ops.py` write them: `float32[2,3]:<hex of the bytes>`.
 *
 * @module
 */

import { Tensor } from "../../mod.ts";
import { isDType } from "../../src/dtype.ts";

/** The text of a tensor. */
export function textOf(tensor: Tensor): string {
  const hex = tensor.bytes().toHex();
  return `${tensor.dtype}[${tensor.shape.join(",")}]${hex === "" ? "" : `:${hex}`}`;
}

/** The tensor of a text. */
export function tensorOf(text: string): Tensor {
  const [, dtype, sizes, hex = ""] = /^(\w+)\[([\d,]*)\](?::([0-9a-f]*))?$/.exec(text) ?? [];
  if (dtype === undefined || !isDType(dtype)) throw new TypeError(`Not a tensor of the fixtures: ${text}`);
  const shape = sizes === "" ? [] : sizes.split(",").map(Number);
  return Tensor.fromBytes(Uint8Array.fromHex(hex), { dtype, shape });
}
