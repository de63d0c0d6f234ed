import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type ByteSource, openCheckpoint } from "../../src/checkpoint/mod.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import type { LazyTensor } from "../../src/state_dict.ts";
import { dict, pickle, storage, tensor, torchZip } from "./archive.ts";

/** Counts what is read. */
class CountingSource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;
  reads: (readonly [offset: number, length: number])[] = [];

  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    this.reads.push([offset, length]);
    return Promise.resolve(this.#bytes.subarray(offset, offset + length));
  }
}

/** The same for a file, which can be read without waiting. */
class CountingFile extends CountingSource {
  readonly #file: Uint8Array;

  constructor(bytes: Uint8Array) {
    super(bytes);
    this.#file = bytes;
  }

  readSync(offset: number, into: Uint8Array): number {
    this.reads.push([offset, into.length]);
    into.set(this.#file.subarray(offset, offset + into.length));
    return into.length;
  }
}

const ELEMENTS = 100_000;
const DATA = new Uint8Array(Float32Array.from({ length: ELEMENTS }, (_, i) => i).buffer);
const from = storage({ numel: ELEMENTS });
const FILE = torchZip(
  pickle(
    dict({
      whole: tensor({ from, shape: [ELEMENTS] }),
      rows: tensor({ from, offset: 1000, shape: [10, 100], strides: [100, 1] }),
      columns: tensor({ from, offset: 1000, shape: [10, 50], strides: [100, 1] }),
      transposed: tensor({ from, offset: 1000, shape: [100, 10], strides: [1, 100] }),
      repeated: tensor({ from, offset: 77, shape: [5, 5], strides: [0, 0] }),
      other: tensor({ from: storage({ key: "1" }) }),
    }),
    ".",
  ),
  { 0: DATA, 1: new Uint8Array(16) },
);

async function opened(source: ByteSource | Uint8Array) {
  const stateDict = (await openCheckpoint(source)).stateDict();
  return (name: string): StoredTensor => {
    const value = stateDict.get(name);
    assertInstanceOf(value, StoredTensor);
    return value;
  };
}

function floats(bytes: Uint8Array<ArrayBuffer>): number[] {
  return [...new Float32Array(bytes.buffer)];
}

Deno.test("opening reads no byte of any tensor", async () => {
  const source = new CountingFile(FILE);
  const get = await opened(source);
  const start = get("whole").location?.offset ?? 0;
  for (const [offset, length] of source.reads) {
    assert(offset + length <= start || offset >= start + DATA.length, `read ${length} at ${offset}`);
  }
  const bytesRead = source.reads.reduce((sum, [, length]) => sum + length, 0);
  assert(bytesRead < FILE.length - DATA.length + 1000, `${bytesRead} bytes`);
});

Deno.test("opening a file of many small tensors takes few reads, and one of large ones no byte of theirs", async () => {
  for (
    const { count, size, reads, more } of [
      { count: 2000, size: 16, reads: 12, more: 200_000 }, // all headers in a block or two
      { count: 30, size: 20_000, reads: 42, more: 3000 }, // a read for each
    ]
  ) {
    const storages = Object.fromEntries(Array.from({ length: count }, (_, i) => [i, new Uint8Array(size)]));
    const file = torchZip(
      pickle(dict({ w: tensor({ from: storage({ numel: size / 4 }), shape: [size / 4] }) }), "."),
      storages,
    );
    const source = new CountingFile(file);
    await opened(source);
    const bytesRead = source.reads.reduce((sum, [, length]) => sum + length, 0);
    assert(source.reads.length <= reads, `${source.reads.length} reads of ${count} storages`);
    assert(bytesRead < file.length - count * size + more, `${bytesRead} bytes of ${file.length}`);
  }
});

Deno.test("the place of a transposed tensor is known where it is all of a range, and of no other", async () => {
  const get = await opened(new CountingFile(FILE));
  const base = get("whole").location?.offset ?? 0;
  const { location, turned } = get("transposed");
  assertEquals([location, turned?.offset, turned?.byteLength], [null, base + 4000, 4000]);
  for (const name of ["whole", "rows", "columns", "repeated"]) assertEquals(get(name).turned, null, name);
});

Deno.test("opening a safetensors file reads no byte of any tensor", async () => {
  const header = new TextEncoder().encode('{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}');
  const source = new CountingSource(Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...header, 1, 2, 3, 4));
  const get = await opened(source);
  assert(source.reads.every(([offset, length]) => offset + length <= 8 + header.length));
  source.reads = [];
  assertEquals(await get("w").read(), Uint8Array.of(1, 2, 3, 4));
  assertEquals(source.reads, [[8 + header.length, 4]]);
});

const SPANS: readonly (readonly [string, number, number])[] = [
  ["whole", 0, ELEMENTS],
  ["rows", 1000, 1000],
  ["columns", 1000, 950],
  ["transposed", 1000, 1000],
  ["repeated", 77, 1],
];

for (const [name, first, length] of SPANS) {
  Deno.test(`read() of ${name} reads ${length} elements and no more`, async () => {
    const source = new CountingFile(FILE);
    const get = await opened(source);
    const base = get("whole").location?.offset ?? 0;
    source.reads = [];
    await get(name).read();
    assertEquals(source.reads, [[base + first * 4, length * 4]]);
    const { span } = get(name);
    assertEquals([span?.offset, span?.byteLength], [base + first * 4, length * 4]);
    assertEquals(await span?.source.read(base, 4), DATA.slice(0, 4));
  });
}

Deno.test("read() gives the elements in logical order", async () => {
  const get = await opened(FILE);
  assertEquals(floats(await get("rows").read()), Array.from({ length: 1000 }, (_, i) => 1000 + i));
  const transposed = Array.from({ length: 1000 }, (_, i) => 1000 + Math.floor(i / 10) + (i % 10) * 100);
  assertEquals(floats(await get("transposed").read()), transposed);
  assertEquals(floats(await get("repeated").read()), Array(25).fill(77));
});

Deno.test("location is where the bytes of read() lie, where they lie together", async () => {
  const get = await opened(FILE);
  for (const name of ["whole", "rows", "other"]) {
    const { location } = get(name);
    assert(location !== null);
    assertEquals(FILE.slice(location.offset, location.offset + location.byteLength), await get(name).read());
  }
  for (const name of ["columns", "transposed", "repeated"]) assertEquals(get(name).location, null);
});

Deno.test("what read() gives is the caller's own", async () => {
  const get = await opened(FILE);
  const [one, two] = [await get("whole").read(), await get("whole").read()];
  one.fill(255);
  assertEquals(two, DATA);
  assertEquals(await get("whole").read(), DATA);
});

Deno.test("memory is read without waiting, and other sources are not", async () => {
  const get = await opened(FILE);
  for (const name of ["whole", "columns", "transposed", "repeated"]) {
    assertEquals(get(name).isSync, true);
    const expected = await get(name).read();
    assertEquals(get(name).readSync(), expected);
    const target = new Uint8Array(expected.length + 3);
    get(name).readIntoSync(target.subarray(3));
    assertEquals(target.slice(3), expected);
  }
  const waiting = (await opened(new CountingSource(FILE)))("whole");
  assertEquals(waiting.isSync, false);
  assertThrows(() => waiting.readSync(), TypeError);
});

Deno.test("readInto() takes a target of exactly the right length", async () => {
  const get = await opened(FILE);
  for (const length of [0, 15, 17]) {
    const wrong = new Uint8Array(length);
    await assertRejects(() => get("other").readInto(wrong), RangeError, `it has 16 bytes, the target ${length}`);
    assertThrows(() => get("other").readIntoSync(wrong), RangeError);
  }
});

Deno.test("64 reads at once from a file are all right", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, FILE);
  const checkpoint = await openCheckpoint(path);
  const tensors = [...checkpoint.stateDict().values()].filter((value) => value instanceof StoredTensor);
  const expected = await Promise.all(tensors.map((value) => value.read()));
  const reads = Array.from({ length: 64 }, async (_, i) => {
    assertEquals(await tensors[i % tensors.length].read(), expected[i % tensors.length]);
  });
  await Promise.all(reads);
  await checkpoint.close();
  await Deno.remove(path);
});

Deno.test("a source that ends early is an error, and no zeros", async () => {
  let size = FILE.length;
  const source: ByteSource = {
    size,
    read: (offset, length) => Promise.resolve(FILE.subarray(offset, Math.min(offset + length, size))),
  };
  const whole: LazyTensor = (await opened(source))("whole");
  size = 200_000;
  await assertRejects(() => whole.read(), Error, 'Cannot read tensor "whole" from "data/0"');
});

Deno.test("a lazy tensor prints what it is", async () => {
  const get = await opened(FILE);
  assertEquals(String(get("rows")), "LazyTensor(float32, [10, 100])");
  assertEquals(Deno.inspect(get("rows")), "LazyTensor(float32, [10, 100])");
});
