import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  describe,
  embed,
  embedded,
  extract,
  gzipSize,
  sha256,
  sharedFiles,
  sizes,
  sourceHash,
  unembedded,
} from "../../tools/wasm_record.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => (i * i) % 251);

Deno.test("extract() returns what embed() was given", () => {
  assertEquals(extract(embed("simd", BYTES)), BYTES);
});

Deno.test("extract() refuses a file without a module", () => {
  assertThrows(() => extract(`export const BASE64: string = "";\n`), Error, "found none");
});

Deno.test("sha256() is SHA-256", async () => {
  // FIPS 180-4's own example.
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assertEquals(await sha256(new TextEncoder().encode("abc")), expected);
});

Deno.test("gzipSize() is smaller where bytes repeat", async () => {
  assert(await gzipSize(new Uint8Array(1000)) < 100);
});

Deno.test("unembedded() returns what embedded() was given, and equal modules are embedded once", () => {
  const modules = { simd: BYTES, relaxed: BYTES.toReversed() };
  assertEquals(unembedded(embedded(modules)), modules);
  assert(embedded({ simd: BYTES, relaxed: BYTES }).relaxed.length < 10);
});

Deno.test("sizes() adds up and knows the limit", async () => {
  const { simd: record } = await describe({ simd: BYTES, relaxed: BYTES });
  const fits = sizes({ simd: record, relaxed: { ...record, gzip: 60_000 - record.gzip } });
  assert(fits.fits);
  assert(fits.text.includes("together 60000 bytes gzipped"));
  assertFalse(sizes({ simd: record, relaxed: { ...record, gzip: 60_001 - record.gzip } }).fits);
});

Deno.test("sharedFiles() refuses variants with different exports", () => {
  const built = { wasm: BYTES, glue: "a", types: "b" };
  assertEquals([...sharedFiles({ simd: built, relaxed: built }).values()], ["a", "b"]);
  assertThrows(() => sharedFiles({ simd: built, relaxed: { ...built, types: "c" } }), Error, "the same functions");
});

Deno.test("sourceHash() is the hash of this tree's sources, twice the same", async () => {
  const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  const hash = await sourceHash(root);
  assertEquals(hash.length, 64);
  assertEquals(await sourceHash(root), hash);
});
