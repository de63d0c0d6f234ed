import { assert, assertEquals, assertRejects } from "@std/assert";
import { BlockCache, Blocks, EDGE_BYTES } from "../../src/bytes/blocks.ts";

const MEBIBYTE = 1 << 20;

/** Blocks of a source of `size` zeros that notes what is fetched. */
function blocksOf(size: number, cache = new BlockCache()): { blocks: Blocks; fetched: (readonly [number, number])[] } {
  const fetched: (readonly [number, number])[] = [];
  const fetchRange = (offset: number, end: number) => {
    fetched.push([offset, end]);
    return Promise.resolve(new Uint8Array(end - offset));
  };
  return { blocks: new Blocks({ size, fetchRange, cache }), fetched };
}

Deno.test("a block that was read ahead is forgotten when it is used up, the ends are not", async () => {
  const { blocks, fetched } = blocksOf(100 * MEBIBYTE);
  blocks.put(0, new Uint8Array(EDGE_BYTES));
  await blocks.read(0, EDGE_BYTES);
  await blocks.read(0, 10);
  await blocks.read(EDGE_BYTES, 10);
  assertEquals(fetched, [[EDGE_BYTES, 3 * EDGE_BYTES]]);
  await blocks.read(EDGE_BYTES, 2 * EDGE_BYTES);
  assertEquals(fetched.length, 1);
  await blocks.read(EDGE_BYTES, 10);
  assertEquals(fetched.length, 2);
});

Deno.test("reading ahead stops at 4 MiB, and before what is there already", async () => {
  const { blocks, fetched } = blocksOf(100 * MEBIBYTE);
  blocks.put(0, new Uint8Array(EDGE_BYTES));
  blocks.put(20 * MEBIBYTE, new Uint8Array(MEBIBYTE));
  for (let at = 0; at < 20 * MEBIBYTE; at += 64 << 10) await blocks.read(at, 64 << 10);
  assertEquals(Math.max(...fetched.map(([from, to]) => to - from)), 4 * MEBIBYTE);
  assertEquals(fetched.at(-1)?.[1], 20 * MEBIBYTE);
  assert(fetched.length < 12);
});

Deno.test("all files together keep 16 MiB, of which the longest unused goes first", async () => {
  const cache = new BlockCache();
  const a = blocksOf(100 * MEBIBYTE, cache);
  const b = blocksOf(100 * MEBIBYTE, cache);
  a.blocks.put(0, new Uint8Array(6 * MEBIBYTE));
  b.blocks.put(0, new Uint8Array(6 * MEBIBYTE));
  await a.blocks.read(0, 10); // used after b's
  b.blocks.put(50 * MEBIBYTE, new Uint8Array(6 * MEBIBYTE));
  await a.blocks.read(5 * MEBIBYTE, 10);
  await b.blocks.read(51 * MEBIBYTE, 10);
  assertEquals([a.fetched.length, b.fetched.length], [0, 0]);
  await b.blocks.read(3 * MEBIBYTE, 10);
  assertEquals(b.fetched.length, 1);
  a.blocks.clear();
  await a.blocks.read(0, 10);
  assertEquals(a.fetched.length, 1);
});

Deno.test("a read across blocks is put together, and one of more than all blocks is not kept", async () => {
  const size = 30 * MEBIBYTE;
  const file = new Uint8Array(size).map((_, i) => i % 251);
  let fetches = 0;
  const fetchRange = (offset: number, end: number) => {
    fetches++;
    return Promise.resolve(file.slice(offset, end));
  };
  const blocks = new Blocks({ size, fetchRange, cache: new BlockCache() });
  blocks.put(0, file.slice(0, 1000));
  blocks.put(1000, file.slice(1000, 2000));
  const read = await blocks.read(500, 2000);
  assertEquals(read, file.slice(500, 2500));
  const long = await blocks.read(5 * MEBIBYTE, 20 * MEBIBYTE);
  assert(long.every((byte, i) => byte === (5 * MEBIBYTE + i) % 251));
  assertEquals(fetches, 2);
  assertEquals(await blocks.read(size - 3, 10), file.slice(size - 3));
});

Deno.test("a fetch that fails is told to everyone who waits for it, and to nobody afterwards", async () => {
  let isDown = true;
  const fetchRange = (offset: number, end: number) =>
    isDown ? Promise.reject(new Error("down")) : Promise.resolve(new Uint8Array(end - offset));
  const blocks = new Blocks({ size: 10 * MEBIBYTE, fetchRange, cache: new BlockCache() });
  const first = [blocks.read(MEBIBYTE, 10), blocks.read(MEBIBYTE + 20, 10)];
  for (const read of first) await assertRejects(() => read, Error, "down");
  isDown = false;
  assertEquals((await blocks.read(MEBIBYTE, 10)).length, 10);
});
