import { assert, assertEquals } from "@std/assert";
import { type Box, type Chunk, ChunkedSource, tilingFault } from "../../src/checkpoint/chunks.ts";
import { DEFAULT_LIMITS } from "../../src/checkpoint/limits.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { contiguousStrides, numelOf, type Shape } from "../../src/shape.ts";

function box(offsets: readonly number[], sizes: readonly number[]): Box {
  return { offsets, sizes };
}

const PINWHEEL = [
  box([0, 0], [1, 2]),
  box([0, 2], [2, 1]),
  box([1, 0], [2, 1]),
  box([2, 1], [1, 2]),
  box([1, 1], [1, 1]),
];

const TILINGS: readonly (readonly [string, Shape, readonly Box[]])[] = [
  ["whole", [2, 3], [box([0, 0], [2, 3])]],
  ["scalar", [], [box([], [])]],
  ["rows and an empty chunk", [5], [box([0], [3]), box([5], [0]), box([3], [2])]],
  ["nothing", [0, 4], [box([0, 0], [0, 4])]],
  ["a grid", [3, 4], [box([0, 0], [2, 3]), box([2, 3], [1, 1]), box([2, 0], [1, 3]), box([0, 3], [2, 1])]],
  ["a pinwheel", [3, 3], PINWHEEL],
  ["slabs of a cube", [2, 3, 4], [box([0, 0, 0], [2, 1, 4]), box([0, 1, 0], [2, 2, 1]), box([0, 1, 1], [2, 2, 3])]],
];

for (const [name, shape, boxes] of TILINGS) {
  Deno.test(`tilingFault() accepts ${name}`, () => assertEquals(tilingFault(shape, boxes), null));

  Deno.test(`a ChunkedSource of ${name} reads every range of its bytes`, async () => {
    const elements = Uint16Array.from({ length: numelOf(shape) }, (_, i) => 257 * (i + 1));
    const bytes = new Uint8Array(elements.buffer);
    for (const order of ["rows", "columns"] as const) {
      const chunks = boxes.map((part) => chunkOf(elements, { shape, part, order }));
      const source = new ChunkedSource(chunks, { shape, itemBytes: 2 });
      assertEquals(source.size, bytes.length);
      for (let offset = 0; offset < bytes.length; offset++) {
        for (let length = 1; offset + length <= bytes.length; length++) {
          assertEquals(await source.read(offset, length), bytes.slice(offset, offset + length));
        }
      }
    }
  });
}

/** A chunk of a tensor, its own elements stored row by row or the other way round. */
function chunkOf(
  elements: Uint16Array,
  { shape, part, order }: { readonly shape: Shape; readonly part: Box; readonly order: "rows" | "columns" },
): Chunk {
  const { offsets, sizes } = part;
  const whole = contiguousStrides(shape);
  const rows = contiguousStrides(sizes);
  const strides = order === "rows" ? rows : contiguousStrides([...sizes].reverse()).reverse();
  const own = new Uint16Array(numelOf(sizes));
  for (let i = 0; i < own.length; i++) {
    const index = sizes.map((size, d) => Math.floor(i / rows[d]) % size);
    const from = index.reduce((sum, at, d) => sum + (at + offsets[d]) * whole[d], 0);
    own[index.reduce((sum, at, d) => sum + at * strides[d], 0)] = elements[from];
  }
  const bytes = new Uint8Array(own.buffer);
  const source = { size: bytes.length, read: (at: number, n: number) => Promise.resolve(bytes.slice(at, at + n)) };
  const storage = {
    id: "0",
    byteLength: bytes.length,
    bytes: source,
    offset: 0,
    source,
    bigEndian: false,
    fault: null,
  };
  const description = {
    dtype: "uint16",
    shape: sizes,
    strides,
    storageOffset: 0,
    storage,
    requiresGrad: false,
  } as const;
  const tensor = new StoredTensor(description, { format: "test", limits: DEFAULT_LIMITS });
  return { ...part, open: () => Promise.resolve(tensor) };
}

const FAULTS: readonly (readonly [string, Shape, readonly Box[], string])[] = [
  ["a gap", [4], [box([0], [1]), box([2], [2])], "leave a gap"],
  ["no chunk", [4], [], "leave a gap"],
  ["an overlap", [4], [box([0], [3]), box([2], [2])], "they overlap"],
  ["the same chunk twice", [4], [box([0], [4]), box([0], [4])], "they overlap"],
  ["an overlap that makes up for a gap", [4], [box([0], [2]), box([1], [2])], "overlap, and leave a gap"],
  ["the same in two dimensions", [2, 2], [box([0, 0], [1, 2]), box([0, 0], [1, 2])], "overlap, and leave a gap"],
  ["corners that would do", [2, 2], [box([0, 0], [1, 1]), box([1, 1], [1, 1]), box([0, 0], [1, 2])], "overlap"],
  ["a chunk outside", [4], [box([2], [4])], "is not inside"],
  ["a chunk of another rank", [4], [box([0, 0], [4, 1])], "is not inside"],
  ["an empty chunk outside", [4], [box([0], [4]), box([5], [0])], "is not inside"],
  ["too many cuts", Array(9).fill(2), cuts(9), "more than 8 dimensions"],
];

for (const [name, shape, boxes, message] of FAULTS) {
  Deno.test(`tilingFault() refuses ${name}`, () => {
    const fault = tilingFault(shape, boxes);
    assert(fault?.includes(message), String(fault));
  });
}

/** A cube of ones at every corner of a cube of twos. */
function cuts(rank: number): Box[] {
  return Array.from({ length: 2 ** rank }, (_, corner) => {
    return box(Array.from({ length: rank }, (_, d) => corner >> d & 1), Array(rank).fill(1));
  });
}

Deno.test("a chunk that has to be gathered is read once by reads that follow each other", async () => {
  const elements = Uint16Array.from({ length: 12 }, (_, i) => i);
  const chunk = chunkOf(elements, { shape: [3, 4], part: box([0, 0], [3, 4]), order: "columns" });
  const tensor = await chunk.open();
  let reads = 0;
  const { bytes } = tensor.storage;
  assert(bytes !== null);
  const counting = { size: bytes.size, read: (at: number, n: number) => (reads++, bytes.read(at, n)) };
  tensor.become({ ...tensor.description, storage: { ...tensor.storage, bytes: counting } });
  const source = new ChunkedSource([chunk], { shape: [3, 4], itemBytes: 2 });
  const parts = [await source.read(0, 10), await source.read(10, 10), await source.read(20, 4)];
  assertEquals(parts.flatMap((part) => [...part]), [...new Uint8Array(elements.buffer)]);
  assertEquals(reads, 1);
});
