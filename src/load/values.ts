/**
 * The values of a state dict on their way into a model: tensors in memory, and tensors that are still to be read.
 *
 * @module
 */

import { isDType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { isLazyTensor, LAZY_TENSOR } from "../state_dict.ts";
import type { LazyTensor } from "../state_dict.ts";
import { VERSION } from "../version.ts";
import type { StoredTensor } from "../checkpoint/stored_tensor.ts";
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
  if (isStored(tensor)) tensor.check();
  else if (!isDType(tensor.dtype)) throw unreadable(tensor.dtype);
}

/** What {@linkcode checkReadable} throws, in words; `null` where nothing is wrong. */
export function faultOf(tensor: TensorLike): string | null {
  try {
    checkReadable(tensor);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Bytes that have to be read for a tensor. */
export function bytesToRead(tensor: TensorLike): number {
  return tensor instanceof Tensor ? 0 : tensor.byteLength;
}

/** Whether only reading it tells that its bytes are good: they are compressed in the file. */
export function isCompressed(tensor: TensorLike): boolean {
  return isStored(tensor) && tensor.storage.inflate !== undefined && tensor.byteLength > 0;
}

/** Whether more can be known of it before it is read than its file's metadata said. */
export function needsPreparing(tensor: TensorLike): tensor is StoredTensor {
  return isStored(tensor) && (isCompressed(tensor) || tensor.storage.prepare !== undefined);
}

/**
 * What two tensors of one file have in common exactly when they are the same elements seen the same way; the tensor
 * itself where that cannot be known.
 */
export function placeOf(tensor: TensorLike): unknown {
  if (!isStored(tensor)) return tensor;
  const { storage, dtype, shape, strides, description } = tensor;
  return JSON.stringify([storage.id, description.storageOffset, dtype, shape, strides, description.pending ?? null]);
}

/** A tensor's values, read if they are not in memory, and without waiting where that can be. */
export async function readTensor(tensor: TensorLike): Promise<Tensor> {
  if (tensor instanceof Tensor) return tensor;
  return tensorOf(tensor, isStored(tensor) && tensor.isSync ? tensor.readSync() : await tensor.read());
}

/** Whether it has more to say than its interface. Told by its brand: the class itself comes with the first file. */
export function isStored(tensor: TensorLike): tensor is StoredTensor {
  return LAZY_TENSOR in tensor && tensor[LAZY_TENSOR] === VERSION;
}

/** A tensor with these bytes, which are its own from now on; in row-major order unless `strides` are given. */
export function tensorOf(
  { dtype, shape }: Pick<TensorLike, "dtype" | "shape">,
  bytes: Uint8Array,
  strides?: readonly number[],
): Tensor {
  if (!isDType(dtype)) throw unreadable(dtype);
  return new Tensor(new View(Storage.from(bytes), dtype, shape, strides));
}

function unreadable(dtype: string): UnsupportedError {
  return new UnsupportedError(`Cannot read a ${dtype} tensor: it is listed and not read`, `${dtype} tensor`);
}
