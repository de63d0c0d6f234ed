import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CheckpointError, isLazyTensor, openCheckpoint } from "../../mod.ts";
import type { ByteSource } from "../../mod.ts";
import { READ_PIECE_BYTES } from "../../src/bytes/source.ts";
import { DEFAULT_LIMITS } from "../../src/checkpoint/limits.ts";
import { piecesOf } from "../../src/checkpoint/pieces.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";

const MEBI = 1 << 20;

/** No two runs of it that begin at other places are the same for long. */
const PATTERN = new Uint8Array(48 * MEBI);
for (let i = 0; i < PATTERN.length; i++) PATTERN[i] = i * 31 + (i >> 12);

/** Bytes that tell where they are; read in pieces they count the largest read. */
class Pattern implements ByteSource {
  readonly size: number;
  largest = 0;
  total = 0;

  constructor(size: number) {
    this.size = size;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    this.largest = Math.max(this.largest, length);
    this.total += length;
    return Promise.resolve(PATTERN.subarray(offset, offset + length));
  }
}

function tensorOn(
  source: Pattern,
  view: { shape: readonly number[]; strides: readonly number[]; offset?: number },
  { bigEndian = false, compressed = false } = {},
): StoredTensor {
  const storage = {
    id: "0",
    byteLength: source.size,
    bytes: source,
    offset: compressed ? null : 0,
    source,
    bigEndian,
    fault: null,
    ...compressed ? { inflate: () => inflate(source) } : {},
  };
  const description = {
    ...view,
    dtype: "int16",
    storageOffset: view.offset ?? 0,
    storage,
    requiresGrad: false,
  } as const;
  return new StoredTensor(description, { format: "test", limits: DEFAULT_LIMITS });
}

/** All of a source in pieces of an odd length, which no element is a divisor of. */
async function* inflate(source: Pattern): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += 99_991) {
    yield await source.read(at, Math.min(99_991, source.size - at));
  }
}

async function together(tensor: StoredTensor): Promise<{ bytes: Uint8Array; lengths: number[] }> {
  const lengths: number[] = [];
  const bytes = new Uint8Array(tensor.byteLength);
  let done = 0;
  for await (const piece of piecesOf(tensor)) {
    bytes.set(piece, done);
    done += piece.length;
    lengths.push(piece.length);
  }
  assertEquals(done, tensor.byteLength);
  return { bytes, lengths };
}

for (
  const [name, view] of [
    ["dense", { shape: [3, 3 * MEBI], strides: [3 * MEBI, 1] }],
    ["one dimension", { shape: [9 * MEBI + 5], strides: [1], offset: 3 }],
    ["rows with gaps", { shape: [9000, 1000], strides: [1100, 1] }],
    ["rows larger than a piece, every other element", { shape: [2, 5 * MEBI], strides: [0, 1] }],
    ["channels last", { shape: [16, 1000, 600], strides: [600000, 1, 1000] }],
  ] as const
) {
  for (const bigEndian of [false, true]) {
    Deno.test(`piecesOf() gives the bytes of read(): ${name}${bigEndian ? ", big-endian" : ""}`, async () => {
      const source = new Pattern(24 * MEBI);
      const tensor = tensorOn(source, view, { bigEndian });
      const { bytes, lengths } = await together(tensor);
      assert(lengths.length > 1, "comes in pieces");
      assert(Math.max(...lengths) <= READ_PIECE_BYTES);
      assert(source.largest <= 2 * READ_PIECE_BYTES, `reads ${source.largest} bytes at once`);
      // assertEquals would print megabytes.
      assertEquals(Buffer.compare(bytes, await tensor.read()), 0);
    });
  }
}

for (
  const [name, view, most] of [
    // 16 MiB are 2796 rows; what lies between the parts of them is read along where it is short.
    ["transposed", { shape: [6000, 3000], strides: [1, 6000] }, 3],
    ["a part of a transposed matrix", { shape: [20, 300, 1000], strides: [1, 40_000, 40], offset: 7 }, 2],
  ] as const
) {
  for (const bigEndian of [false, true]) {
    Deno.test(`piecesOf() gives the bytes of read(): ${name}${bigEndian ? ", big-endian" : ""}`, async () => {
      const source = new Pattern(48 * MEBI);
      const tensor = tensorOn(source, view, { bigEndian });
      const { bytes, lengths } = await together(tensor);
      assert(Math.max(...lengths) <= READ_PIECE_BYTES, lengths.join());
      assert(source.largest <= READ_PIECE_BYTES, `reads ${source.largest} bytes at once`);
      assert(source.total <= most * source.size, `reads ${source.total} bytes in all`);
      assertEquals(Buffer.compare(bytes, await tensor.read()), 0);
    });
  }
}

Deno.test("piecesOf() inflates what is compressed as it goes by, to its end", async () => {
  for (const [offset, bigEndian] of [[0, false], [12_345, false], [3 * MEBI, true]] as const) {
    const source = new Pattern(24 * MEBI);
    const tensor = tensorOn(source, { shape: [3, 3 * MEBI - 1], strides: [3 * MEBI - 1, 1], offset }, {
      compressed: true,
      bigEndian,
    });
    const { bytes, lengths } = await together(tensor);
    assertEquals(source.total, source.size);
    assertEquals(lengths, [8 * MEBI, 8 * MEBI, 2 * MEBI - 6]);
    assertEquals(Buffer.compare(bytes, await tensor.read()), 0);
  }
});

Deno.test("piecesOf() inflates what has to be gathered as a whole", async () => {
  const source = new Pattern(18 * MEBI);
  const { lengths } = await together(
    tensorOn(source, { shape: [3000, 3000], strides: [1, 3000] }, { compressed: true }),
  );
  assertEquals(lengths, [18_000_000]);
});

Deno.test("piecesOf() checks the whole before the first piece", async () => {
  const tensor = tensorOn(new Pattern(10 * MEBI), { shape: [6 * MEBI], strides: [1] });
  await assertRejects(
    () => piecesOf(tensor).next(),
    CheckpointError,
    "needs 12582912 bytes at 0, storage has 10485760",
  );
});

Deno.test("piecesOf() gives a small tensor in one piece, and an empty one as an empty piece", async () => {
  const checkpoint = await openCheckpoint(new URL("../fixtures/checkpoints/views.pt", import.meta.url));
  for (const value of checkpoint.stateDict().values()) {
    if (!(value instanceof StoredTensor) || !isLazyTensor(value)) continue;
    const pieces = await Array.fromAsync(piecesOf(value));
    assertEquals(pieces.length, 1);
    assertEquals(pieces[0], await value.read());
  }
  await checkpoint.close();
});
