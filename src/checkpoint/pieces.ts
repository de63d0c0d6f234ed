/**
 * A tensor of a file in pieces: its bytes one bounded run after the other, so that a tensor larger than memory can be
 * copied.
 *
 * @module
 */

import { openMemory } from "../bytes/memory.ts";
import { READ_PIECE_BYTES } from "../bytes/source.ts";
import { itemSize } from "../dtype.ts";
import { isContiguous, numelOf } from "../shape.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isScattered } from "./scattered.ts";
import { StoredTensor, type TensorDescription } from "./stored_tensor.ts";

/** A piece that has to be brought together from all over its storage: the larger it is, the fewer times that happens. */
const SCATTERED_PIECE_BYTES = 32 << 20;

/**
 * The same bytes as `read()`, in pieces of whole elements: mostly of {@linkcode READ_PIECE_BYTES}, and of 32 MiB where
 * they lie far apart. What is compressed and has to be gathered as well comes in one piece.
 *
 * @throws {unknown} What `read()` throws; all that can be known without reading, before the first piece.
 */
export async function* piecesOf(tensor: StoredTensor): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  tensor.check();
  const { description, name } = tensor;
  const { dtype, storage, shape, strides } = description;
  const isWhole = storage.inflate !== undefined && !isContiguous(shape, strides);
  if (tensor.byteLength <= READ_PIECE_BYTES || isWhole) {
    yield await tensor.read();
    return;
  }
  // Formats that pack elements below a byte say how long the whole is; what is read has whole bytes.
  const whole = { ...description, byteLength: undefined };
  const parts = storage.inflate === undefined ? cut(whole, itemSize(dtype)) : inflatedParts(whole, storage.inflate());
  for await (const part of parts) {
    // The limits were those of the whole; a part is below every one of them.
    const piece = new StoredTensor(part, { format: "", limits: DEFAULT_LIMITS });
    piece.name = name;
    yield await piece.read();
  }
}

/** Parts of a dense tensor, each with what was inflated for it as its storage; the stream is read to its end. */
async function* inflatedParts(
  whole: TensorDescription,
  inflated: AsyncIterable<Uint8Array>,
): AsyncGenerator<TensorDescription> {
  const item = itemSize(whole.dtype);
  const first = whole.storageOffset * item;
  const end = first + numelOf(whole.shape) * item;
  const buffer = new Uint8Array(READ_PIECE_BYTES);
  let filled = 0;
  let at = 0;
  const part = (): TensorDescription => {
    const bytes = openMemory(buffer.subarray(0, filled));
    const storage = { ...whole.storage, bytes, byteLength: filled, inflate: undefined };
    const shape = [filled / item];
    filled = 0;
    return { ...whole, storage, shape, strides: [1], storageOffset: 0 };
  };
  for await (const piece of inflated) {
    let rest = piece.subarray(Math.max(0, first - at), Math.max(0, end - at));
    at += piece.length;
    while (rest.length > 0) {
      const count = Math.min(rest.length, buffer.length - filled);
      buffer.set(rest.subarray(0, count), filled);
      filled += count;
      rest = rest.subarray(count);
      if (filled === buffer.length) yield part();
    }
  }
  if (filled > 0) yield part();
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
  const isApart = isScattered({
    shape: [Math.min(rowsIn(READ_PIECE_BYTES, rowBytes), shape[0]), ...shape.slice(1)],
    strides,
  });
  const most = isApart ? SCATTERED_PIECE_BYTES : READ_PIECE_BYTES;
  const rows = rowsIn(most, rowBytes);
  for (let row = 0; row < shape[0]; row += rows) {
    const count = Math.min(rows, shape[0] - row);
    const at = { ...description, storageOffset: storageOffset + row * strides[0] };
    if (rowBytes > most) yield* cut({ ...at, shape: shape.slice(1), strides: strides.slice(1) }, item);
    else yield { ...at, shape: [count, ...shape.slice(1)] };
  }
}

/** How many rows are at most so many bytes, and one at least. */
function rowsIn(bytes: number, rowBytes: number): number {
  return Math.max(1, Math.floor(bytes / rowBytes));
}
