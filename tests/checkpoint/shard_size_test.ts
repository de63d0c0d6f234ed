import { assertEquals, assertThrows } from "@std/assert";
import { shardBytesOf } from "../../src/checkpoint/shard_size.ts";

Deno.test("shardBytesOf() takes bytes, and texts of Hugging Face's kind", () => {
  const sizes: readonly (readonly [number | string, number])[] = [
    [1, 1],
    ["300KB", 300_000],
    ["500MB", 500_000_000],
    ["5GB", 5_000_000_000],
    ["1TB", 1e12],
    ["2KiB", 2048],
    ["3MiB", 3 << 20],
    ["2GiB", 2 ** 31],
    ["1TiB", 2 ** 40],
    ["1.5GB", 1_500_000_000],
    [" 10 MB ", 10_000_000],
    ["4096", 4096],
    ["4096B", 4096],
  ];
  for (const [size, bytes] of sizes) assertEquals(shardBytesOf(size), bytes);
});

Deno.test("shardBytesOf() refuses what is no size, or not surely one, and says what is", () => {
  const sizes = [
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    "",
    "GB",
    "5gb",
    "5Gb",
    "5GO",
    "-5GB",
    "5e3",
    "0.0001KB",
    "9999999TB",
  ];
  for (const size of sizes) {
    assertThrows(
      () => shardBytesOf(size),
      TypeError,
      'expected a whole number of bytes, or a text such as "5GB", "500MB" or "2GiB"',
    );
  }
  assertThrows(() => shardBytesOf("5gb"), TypeError, 'Bad shard size "5gb": ');
});
