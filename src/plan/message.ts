/**
 * PyTorch's own sentences, byte for byte. Source: `torch/nn/modules/module.py` of PyTorch 2.15,
 * `_load_from_state_dict` and `load_state_dict`. Names are quoted without escaping, as there.
 *
 * @module
 */

import { type Shape, torchSize } from "../shape.ts";

/** A key whose value is no tensor; `typeName` is the Python type, such as `int`. */
export function notATensorLine(key: string, typeName: string): string {
  return `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but ` +
    `received <class '${typeName}'>`;
}

/** A key with one shape in the checkpoint and another in the model. */
export function sizeMismatchLine(
  key: string,
  { checkpointShape, modelShape }: { readonly checkpointShape: Shape; readonly modelShape: Shape },
): string {
  return `size mismatch for ${key}: copying a param with shape ${torchSize(checkpointShape)} from checkpoint, ` +
    `the shape in current model is ${torchSize(modelShape)}.`;
}

/** `assign` of a tensor without gradients to a parameter that requires them. */
export function assignLine(key: string, shape: Shape): string {
  const size = torchSize(shape);
  return `While copying the parameter named "${key}", whose dimensions in the model are ${size} and ` +
    `whose dimensions in the checkpoint are ${size}, an exception occurred : ` +
    `('Only Tensors of floating point and complex dtype can require gradients',).`;
}

/** The line about missing keys, with PyTorch's trailing space. */
export function missingLine(keys: readonly string[]): string {
  return `Missing key(s) in state_dict: ${quoted(keys)}. `;
}

/** The line about unexpected keys, with PyTorch's trailing space. */
export function unexpectedLine(keys: readonly string[]): string {
  return `Unexpected key(s) in state_dict: ${quoted(keys)}. `;
}

/** The whole text of PyTorch's error for lines in their order, or `null` where there are none. */
export function loadErrorText(className: string, lines: readonly string[]): string | null {
  if (lines.length === 0) return null;
  return `Error(s) in loading state_dict for ${className}:\n\t${lines.join("\n\t")}`;
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(", ");
}
