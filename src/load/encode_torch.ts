/**
 * Values as a file that `torch.load` opens: tensors in memory and tensors that are still to be read, with what they
 * share.
 *
 * @module
 */

import { READ_PIECE_BYTES, readInto } from "../bytes/source.ts";
import { swapBytes } from "../checkpoint/gather.ts";
import type { Storage as StoredStorage } from "../checkpoint/storage.ts";
import type { StoredTensor } from "../checkpoint/stored_tensor.ts";
import type { WritableTensor } from "../checkpoint/safetensors_writer.ts";
import { layOutTorch, type WritableStorage, type WritableView, writeTorch } from "../checkpoint/torch_writer.ts";
import type { Storage } from "../core/memory.ts";
import { type DType, DTYPES, isDType, itemSize } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { Module } from "../nn/module.ts";
import { contiguousStrides, numelOf } from "../shape.ts";
import { Tensor, viewOf } from "../tensor/tensor.ts";
import { View } from "../tensor/view.ts";
import { piecesOfAny } from "./safetensors_layout.ts";
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
 * Tensors that share memory go on sharing it, and a view takes its whole storage along, as in PyTorch; only the
 * conjugate or the negative of a storage's numbers is written apart from it. Values out of a checkpoint's `root` may be
 * among those to write: its dicts keep their `_metadata`. Tensors of a checkpoint are read when their turn comes, in pieces of 8 MiB, so that memory does not grow with the file; the
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

/** The name of the folder in an archive at `path`: its file name without the last ending, as in `torch.save`. */
export function stemOf(path: string | URL): string {
  const file = String(path).replace(/[/\\]+$/, "").split(/[/\\]/).at(-1) ?? "";
  const name = path instanceof URL ? decodeURIComponent(file) : file;
  return name.replace(/(?<=.)\.[^.]*$/, "") || "archive";
}

/** The storages of tensors, each once, whoever looks into it. */
export class Storages {
  readonly #known = new Map<unknown, WritableStorage>();
  /** How many bytes are swapped together in storages of the other byte order: what the first tensor needs. */
  readonly #widths = new Map<StoredStorage, number>();

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
    if (isStored(tensor)) {
      const { storage, strides, description } = tensor;
      const written = isWhole(tensor, dtype) ? this.#whole(storage, DTYPES[dtype].swap) : null;
      if (written !== null) return { ...about, strides, storageOffset: description.storageOffset, storage: written };
    }
    return this.dense(tensor, { dtype, shape, pieces: () => piecesOfAny(tensor) });
  }

  /** A tensor whose values are written as `values` has them, in a storage of its own. */
  dense(tensor: TensorLike, { dtype, shape, pieces }: WritableTensor): WritableView {
    if (!isDType(dtype)) throw new UnsupportedError(`Cannot write a ${dtype} tensor`, `${dtype} tensor`);
    const storage = this.#once(tensor, () => ({ byteLength: numelOf(shape) * itemSize(dtype), pieces }));
    const { requiresGrad } = tensor;
    return { dtype, shape, requiresGrad, strides: contiguousStrides(shape), storageOffset: 0, storage };
  }

  /** A storage of a file, whose numbers have `width` bytes; `null` if it is written with those of another width swapped. */
  #whole(storage: StoredStorage, width: number): WritableStorage | null {
    if (storage.bigEndian) {
      const first = this.#widths.get(storage) ?? width;
      this.#widths.set(storage, first);
      if (first !== width) return null;
    }
    return this.#once(storage, () => fileStorage(storage, width));
  }

  #once(key: unknown, make: () => WritableStorage): WritableStorage {
    const known = this.#known.get(key) ?? make();
    this.#known.set(key, known);
    return known;
  }
}

/** Whether a tensor is what its storage says: no bits are to be flipped, and the storage is some number of elements. */
function isWhole({ description: { pending }, storage }: StoredTensor, dtype: DType): boolean {
  return !pending?.conjugate && !pending?.negative && storage.bytes !== null &&
    storage.byteLength % itemSize(dtype) === 0;
}

function memoryStorage(storage: Storage, dtype: DType): WritableStorage {
  const whole = new Tensor(new View(storage, dtype, [storage.byteLength / itemSize(dtype)]));
  return { byteLength: storage.byteLength, pieces: () => piecesOfAny(whole) };
}

function fileStorage(storage: StoredStorage, width: number): WritableStorage {
  const { byteLength, bigEndian } = storage;
  const pieces = () => piecesOfStorage(storage);
  return { byteLength, pieces: bigEndian ? () => swapped(pieces(), width) : pieces };
}

/** All bytes of a storage, in pieces that are the caller's own. */
async function* piecesOfStorage({ bytes, byteLength, id, inflate }: StoredStorage): AsyncGenerator<Uint8Array> {
  if (inflate !== undefined) return yield* inflate();
  if (bytes === null) return;
  for (let offset = 0; offset < byteLength; offset += READ_PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(READ_PIECE_BYTES, byteLength - offset));
    await readInto(bytes, piece, { offset, what: `storage "${id}"` });
    yield piece;
  }
}

/** Numbers of `width` bytes, which are a whole number of them, with their bytes reversed; wherever the pieces are cut. */
async function* swapped(pieces: AsyncIterable<Uint8Array>, width: number): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const piece of pieces) {
    const numbers = new Uint8Array(rest.length + piece.length);
    numbers.set(rest);
    numbers.set(piece, rest.length);
    const end = numbers.length - numbers.length % width;
    swapBytes(numbers.subarray(0, end), width);
    rest = numbers.slice(end);
    yield numbers.subarray(0, end);
  }
}
