/**
 * A tensor of a file in pieces: its bytes one bounded run after the other, so that a tensor larger than memory can be
 * copied.
 *
 * @module
 */

import { READ_PIECE_BYTES } from "../bytes/source.ts";
import { itemSize } from "../dtype.ts";
import { isContiguous, numelOf } from "../shape.ts";
import { spanOf } from "./gather.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { StoredTensor, type TensorDescription } from "./stored_tensor.ts";

/**
 * The same bytes as `read()`, in pieces of at most {@linkcode READ_PIECE_BYTES}. Two kinds come in one piece: what is
 * compressed in the file, and what lies so scattered in its storage that pieces would read the same bytes over and over.
 *
 * @throws {unknown} What `read()` throws; all that can be known without reading, before the first piece.
 */
export async function* piecesOf(tensor: StoredTensor): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  tensor.check();
  const { description, dtype, name } = tensor;
  if (tensor.byteLength <= READ_PIECE_BYTES || tensor.storage.offset === null) {
    yield await tensor.read();
    return;
  }
  // Formats that pack elements below a byte say how long the whole is; what is read has whole bytes.
  for (const part of cut({ ...description, byteLength: undefined }, itemSize(dtype))) {
    // The limits were those of the whole; a part is below every one of them.
    const piece = new StoredTensor(part, { format: "", limits: DEFAULT_LIMITS });
    piece.name = name;
    yield await piece.read();
  }
}

/** Parts of a tensor in row-major order, each a view of the same storage. */
function* cut(description: TensorDescription, item: number): Generator<TensorDescription> {
  const { shape, strides, storageOffset } = description;
  if (numelOf(shape) * item <= READ_PIECE_BYTES) {
    yield description;
    return;
  }
  if (isContiguous(shape, strides) && shape.length > 1) {
    yield* cut({ ...description, shape: [numelOf(shape)], strides: [1] }, item);
    return;
  }
  const rowBytes = numelOf(shape.slice(1)) * item;
  const rows = Math.max(1, Math.floor(READ_PIECE_BYTES / rowBytes));
  const first = { ...description, shape: [Math.min(rows, shape[0]), ...shape.slice(1)] };
  if (isScattered(first)) {
    yield description;
    return;
  }
  for (let row = 0; row < shape[0]; row += rows) {
    const count = Math.min(rows, shape[0] - row);
    const at = { ...description, storageOffset: storageOffset + row * strides[0] };
    if (rowBytes > READ_PIECE_BYTES) yield* cut({ ...at, shape: shape.slice(1), strides: strides.slice(1) }, item);
    else yield { ...at, shape: [count, ...shape.slice(1)] };
  }
}

/** Whether reading this part touches far more of the storage than belongs to it, as with a transposed matrix. */
function isScattered({ shape, strides }: TensorDescription): boolean {
  return spanOf({ shape, strides }) > 2 * numelOf(shape);
}
