/**
 * A tensor of a file in pieces: its bytes one bounded run after the other, so that a tensor larger than memory can be
 * copied.
 *
 * @module
 */

import { free } from "../bytes/allocation.ts";
import { openMemory } from "../bytes/memory.ts";
import { READ_PIECE_BYTES, readInto } from "../bytes/source.ts";
import { itemSize } from "../dtype.ts";
import { isContiguous, numelOf } from "../shape.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isScattered, scattered, scatteredReads } from "./scattered.ts";
import { changed } from "./storage.ts";
import { StoredTensor, type TensorDescription } from "./stored_tensor.ts";

/** What is brought together at once of a tensor that lies all over its storage: the more, the fewer times that happens. */
const TOGETHER_BYTES = 16 << 20;

/**
 * The same bytes as `read()`, in pieces of whole elements, of at most {@linkcode READ_PIECE_BYTES}. What is compressed
 * and has to be gathered as well comes in one piece.
 *
 * @throws {unknown} What `read()` throws; all that can be known without reading, before the first piece.
 */
export async function* piecesOf(tensor: StoredTensor): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  tensor.check();
  const { description, name } = tensor;
  const { storage, shape, strides } = description;
  const isWhole = storage.inflate !== undefined && !isContiguous(shape, strides);
  if (tensor.byteLength <= READ_PIECE_BYTES || isWhole) {
    yield await tensor.read();
    return;
  }
  // Formats that pack elements below a byte say how long the whole is; what is read has whole bytes.
  const whole = { ...description, byteLength: undefined };
  for await (const part of partsOf(whole, `tensor "${name}"`)) {
    // The limits were those of the whole; a part is below every one of them.
    const piece = new StoredTensor(part, { format: "", limits: DEFAULT_LIMITS });
    piece.name = name;
    yield await piece.read();
  }
}

/** Parts of at most a piece; each is read before the next is asked for. */
async function* partsOf(whole: TensorDescription, what: string): AsyncGenerator<TensorDescription> {
  const { inflate } = whole.storage;
  if (inflate !== undefined) return yield* inflatedParts(whole, inflate());
  const [first] = cut(whole, READ_PIECE_BYTES);
  if (!isScattered(first)) return yield* cut(whole, READ_PIECE_BYTES);
  const scratch = new Uint8Array(TOGETHER_BYTES);
  for (const part of cut(whole, TOGETHER_BYTES)) {
    yield* cut(await broughtTogether(part, { scratch, what }), READ_PIECE_BYTES);
  }
}

/** A part with its elements, and no others, in `scratch` as its storage. */
async function broughtTogether(
  part: TensorDescription,
  { scratch, what }: { readonly scratch: Uint8Array; readonly what: string },
): Promise<TensorDescription> {
  const { dtype, storage, storageOffset } = part;
  const source = storage.bytes ?? openMemory(scratch.subarray(0, 0));
  const itemBytes = itemSize(dtype);
  const plan = scattered(part, { itemBytes, source });
  const together = scratch.subarray(0, plan.elements * itemBytes);
  for (const { into, offset } of scatteredReads(plan, together, { first: storageOffset * itemBytes, itemBytes })) {
    await readInto(source, into, { offset, what });
  }
  const memory = changed(storage, { bytes: openMemory(together), byteLength: together.length });
  return { ...part, storage: memory, storageOffset: 0, strides: plan.strides };
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
    free(piece);
  }
  if (filled > 0) yield part();
}

/** Parts of a tensor in row-major order, each a view of the same storage and of at most so many bytes. */
function* cut(description: TensorDescription, most: number): Generator<TensorDescription> {
  const { dtype, shape, strides, storageOffset } = description;
  const item = itemSize(dtype);
  if (numelOf(shape) * item <= most) {
    yield description;
    return;
  }
  if (isContiguous(shape, strides) && shape.length > 1) {
    yield* cut({ ...description, shape: [numelOf(shape)], strides: [1] }, most);
    return;
  }
  const rowBytes = numelOf(shape.slice(1)) * item;
  const rows = Math.max(1, Math.floor(most / rowBytes));
  for (let row = 0; row < shape[0]; row += rows) {
    const count = Math.min(rows, shape[0] - row);
    const at = { ...description, storageOffset: storageOffset + row * strides[0] };
    if (rowBytes > most) yield* cut({ ...at, shape: shape.slice(1), strides: strides.slice(1) }, most);
    else yield { ...at, shape: [count, ...shape.slice(1)] };
  }
}
