/**
 * The values of a state dict on their way into a model: tensors in memory, and tensors that are still to be read.
 *
 * @module
 */

import { isDType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { isLazyTensor } from "../state_dict.ts";
import type { LazyTensor } from "../state_dict.ts";
import { StoredTensor } from "../checkpoint/stored_tensor.ts";
import { Storage } from "../core/memory.ts";
import { Tensor } from "../tensor/tensor.ts";
import { View } from "../tensor/view.ts";

/** What planning needs to know of a tensor, wherever its values are. */
export type TensorLike = Tensor | LazyTensor;

/** Whether a value of a state dict is a tensor. */
export function isTensorLike(value: unknown): value is TensorLike {
  return value instanceof Tensor || isLazyTensor(value);
}

/**
 * Throws what reading would throw, as far as that can be known without reading.
 *
 * @throws {UnsupportedError} The tensor is of a kind that is listed and not read.
 * @throws {CheckpointError} Its bytes are not where the file says.
 */
export function checkReadable(tensor: TensorLike): void {
  if (tensor instanceof StoredTensor) tensor.check();
  else if (!isDType(tensor.dtype)) throw unreadable(tensor.dtype);
}

/** Bytes that have to be read for a tensor. */
export function bytesToRead(tensor: TensorLike): number {
  return tensor instanceof Tensor ? 0 : tensor.byteLength;
}

/** A tensor's values, read if they are not in memory. */
export async function readTensor(tensor: TensorLike): Promise<Tensor> {
  if (tensor instanceof Tensor) return tensor;
  if (!isDType(tensor.dtype)) throw unreadable(tensor.dtype);
  const bytes = tensor instanceof StoredTensor && tensor.isSync ? tensor.readSync() : await tensor.read();
  return new Tensor(new View(Storage.from(bytes), tensor.dtype, tensor.shape));
}

/** Whether its values can be had without waiting. */
export function isImmediate(tensor: TensorLike): boolean {
  return tensor instanceof Tensor || (tensor instanceof StoredTensor && tensor.isSync);
}

function unreadable(dtype: string): UnsupportedError {
  return new UnsupportedError(`Cannot read a ${dtype} tensor: it is listed and not read`, `${dtype} tensor`);
}
