/**
 * Values as a file that `torch.load` opens: tensors in memory and tensors that are still to be read, with what they
 * share.
 *
 * @module
 */

import { READ_PIECE_BYTES, readExactly } from "../bytes/source.ts";
import type { Storage as StoredStorage } from "../checkpoint/storage.ts";
import type { WritableTensor } from "../checkpoint/safetensors_writer.ts";
import { layOutTorch, type WritableStorage, type WritableView, writeTorch } from "../checkpoint/torch_writer.ts";
import type { Storage } from "../core/memory.ts";
import { type DType, isDType, itemSize } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { Module } from "../nn/module.ts";
import { contiguousStrides, numelOf } from "../shape.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { View } from "../tensor/view.ts";
import { piecesOfAny } from "./encode_safetensors.ts";
import { checkReadable, isStored, isTensorLike, type TensorLike } from "./values.ts";

/**
 * What {@linkcode encodeTorch} takes.
 *
 * @example
 * ```ts
 * import { encodeTorch, type TorchOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: TorchOptions = { folder: "model" };
 * const file = await new Response(encodeTorch({ epoch: 3 }, options)).bytes();
 * assertEquals(new TextDecoder().decode(file.subarray(30, 44)), "model/data.pkl");
 * ```
 */
export interface TorchOptions {
  /** The folder inside the archive; `torch.save` takes the file's name without its ending. `archive` by default. */
  readonly folder?: string;
}

/**
 * Writes values as `torch.save` does, for `torch.load` with `weights_only=True` of torch 1.13 and later: a module's
 * state dict, a state dict, or values of any nesting that Python has (numbers, texts, arrays as lists, Maps and plain
 * records as dicts, Sets, bytes) with tensors in them. The pickle of a `StateDict` of tensors is byte for byte PyTorch's
 * own, `_metadata` included.
 *
 * Tensors that share memory go on sharing it, and a view takes its whole storage along, as in PyTorch. Tensors of a
 * checkpoint are read when their turn comes, in pieces of 8 MiB, so that memory does not grow with the file; the
 * checkpoint has to stay open until the stream ends. Everything is checked before the first byte.
 *
 * @throws {TypeError} There is a value that Python has no form for.
 * @throws {UnsupportedError} A tensor is of a kind that is listed and not read.
 * @throws {CheckpointError} A tensor's bytes are not where its file says.
 *
 * @example A model with what else belongs to it
 * ```ts
 * import { encodeTorch, Linear, openCheckpoint } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const model = new Linear(3, 2);
 * const file = await new Response(encodeTorch({ epoch: 3, model: model.stateDict() })).bytes();
 * const checkpoint = await openCheckpoint(file);
 * assertEquals(checkpoint.stateDictPaths, [["model"]]);
 * assertEquals(checkpoint.root instanceof Map && checkpoint.root.get("epoch"), 3);
 * ```
 */
export function encodeTorch(value: unknown, { folder }: TorchOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
  const storages = new Storages();
  const layout = layOutTorch(value instanceof Module ? value.stateDict() : value, (object) => {
    return isTensorLike(object) ? storages.view(object) : null;
  });
  return writeTorch(layout, folder);
}

/** The storages of tensors, each once, whoever looks into it. */
export class Storages {
  readonly #known = new Map<unknown, WritableStorage>();

  /** A tensor as a view of one of them. */
  view(tensor: TensorLike): WritableView {
    checkReadable(tensor);
    const { dtype, shape, requiresGrad } = tensor;
    if (!isDType(dtype)) throw new UnsupportedError(`Cannot write a ${dtype} tensor`, `${dtype} tensor`);
    const about = { dtype, shape, requiresGrad };
    if (tensor instanceof Tensor) {
      const { storage, strides, byteOffset } = viewOf(tensor);
      const written = this.#once(storage, () => memoryStorage(storage, dtype));
      return { ...about, strides, storageOffset: byteOffset / itemSize(dtype), storage: written };
    }
    if (isStored(tensor) && isRaw(tensor.storage) && tensor.description.pending === undefined) {
      const { storage, strides, description } = tensor;
      const written = this.#once(storage, () => fileStorage(storage));
      return { ...about, strides, storageOffset: description.storageOffset, storage: written };
    }
    // What has to be swapped, turned or inflated is written as it comes out, in a storage of its own.
    return this.dense(tensor, { dtype, shape, pieces: () => piecesOfAny(tensor) });
  }

  /** A tensor whose values are written as `values` has them, in a storage of its own. */
  dense(tensor: TensorLike, { dtype, shape, pieces }: WritableTensor): WritableView {
    if (!isDType(dtype)) throw new UnsupportedError(`Cannot write a ${dtype} tensor`, `${dtype} tensor`);
    const storage = this.#once(tensor, () => ({ byteLength: numelOf(shape) * itemSize(dtype), pieces }));
    const { requiresGrad } = tensor;
    return { dtype, shape, requiresGrad, strides: contiguousStrides(shape), storageOffset: 0, storage };
  }

  #once(key: unknown, make: () => WritableStorage): WritableStorage {
    const known = this.#known.get(key) ?? make();
    this.#known.set(key, known);
    return known;
  }
}

/** Whether the bytes in the file are those to write. */
function isRaw({ bytes, inflate, bigEndian }: StoredStorage): boolean {
  return bytes !== null && inflate === undefined && !bigEndian;
}

function memoryStorage(storage: Storage, dtype: DType): WritableStorage {
  const whole = new Tensor(new View(storage, dtype, [storage.byteLength / itemSize(dtype)]));
  return { byteLength: storage.byteLength, pieces: () => piecesOfAny(whole) };
}

function fileStorage({ bytes, byteLength, id }: StoredStorage): WritableStorage {
  return {
    byteLength,
    async *pieces() {
      if (bytes === null) return;
      for (let offset = 0; offset < byteLength; offset += READ_PIECE_BYTES) {
        const length = Math.min(READ_PIECE_BYTES, byteLength - offset);
        yield await readExactly(bytes, { offset, length, what: `storage "${id}"` });
      }
    },
  };
}
