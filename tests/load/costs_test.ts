/**
 * What opening, loading and running cost in reads and in bytes. Nothing here depends on how fast a machine is.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type DType,
  encodeSafetensors,
  encodeTorch,
  Linear,
  load,
  openCheckpoint,
  planLoad,
  randn,
  relu,
  Sequential,
} from "../../mod.ts";
import { itemSize } from "../../src/dtype.ts";
import { isStarted, Memory, memory, replaceMemory } from "../../src/core/memory.ts";
import { chosenVariant, instantiate } from "../../src/core/wasm.ts";
import { RecordedFile, safetensors } from "./sources.ts";

/** What the zip reader reads with headers at a time, and how near they must lie for that. */
const HEADERS_BLOCK = 256 * 1024;
const NEAR = 8 * 1024;

/** What wasm may have beside the parameters while values are cast: a group of small tensors, and the allocator's slack. */
const STAGING = 6 * 1024 * 1024;

/** The ring's budget before a result has come back. */
const RESULTS = 1024 * 1024;

function layers(count: number, size: number, dtype: DType = "float32"): Sequential {
  return new Sequential(...Array.from({ length: count }, () => new Linear(size, size, { dtype })));
}

function tensorBytes(model: Sequential): number {
  return [...model.parameters()].reduce((sum, { numel, dtype }) => sum + numel * itemSize(dtype), 0);
}

async function fileOf(model: Sequential, encode: typeof encodeTorch | typeof encodeSafetensors): Promise<RecordedFile> {
  return new RecordedFile(await new Response(encode(model.stateDict())).bytes());
}

// First in this file: the others start wasm.
Deno.test("loading floats into a model that was not used yet starts no wasm", async () => {
  const values = Array.from({ length: 64 }, (_, i) => i);
  const tensors = Object.fromEntries([0, 1, 2].flatMap((i) => [
    [`${i}.weight`, { shape: [8, 8], values }],
    [`${i}.bias`, { shape: [8], values: values.slice(0, 8) }],
  ]));
  const checkpoint = await openCheckpoint(new RecordedFile(safetensors(tensors)));
  await planLoad(layers(3, 8), checkpoint.stateDict()).apply();
  assertEquals(isStarted(), false);
});

Deno.test("openCheckpoint() reads of a safetensors file its header, in three reads", async () => {
  for (const [count, size] of [[1, 4], [500, 4], [3, 300]]) {
    const file = await fileOf(layers(count, size), encodeSafetensors);
    const total = tensorBytes(layers(count, size));
    await openCheckpoint(file);
    const { reads, bytes } = file.take();
    // The first bytes tell the format, then come the length of the header and the header.
    assertEquals([reads, bytes], [3, 16 + file.size - total]);
  }
});

Deno.test("openCheckpoint() reads of a zip by torch.save its metadata, and what is between its headers", async () => {
  for (const [count, size] of [[1, 4], [500, 4], [3, 300], [20, 250]]) {
    const file = await fileOf(layers(count, size), encodeTorch);
    await openCheckpoint(file);
    const { reads, bytes, allocated } = file.take();
    const small = [...layers(count, size).parameters()].filter(({ numel }) => 4 * numel <= NEAR);
    const large = 2 * count - small.length;
    assert(reads <= 12 + large + Math.ceil(file.size / HEADERS_BLOCK), `${reads} reads`);
    // Of each entry a header, its name in the directory, and what the pickle says of it; of small ones the bytes too.
    const passed = small.reduce((sum, { numel }) => sum + 4 * numel, 0);
    assert(bytes <= 4096 + passed + 2 * count * 700, `${bytes} bytes`);
    const block = Math.min(HEADERS_BLOCK, file.size);
    assert(allocated <= bytes + block, `${allocated} bytes of memory for ${bytes} that were read`);
  }
});

for (const encode of [encodeSafetensors, encodeTorch]) {
  Deno.test(`a load reads each byte once, into the memory where it stays: ${encode.name}`, async () => {
    for (const [count, size, most] of [[400, 8, 2], [20, 250, 2], [6, 700, 12]]) {
      const original = layers(count, size);
      const file = await fileOf(original, encode);
      const total = tensorBytes(original);
      const checkpoint = await openCheckpoint(file);
      file.take();
      const model = layers(count, size);
      const [before, resident] = [memory().byteLength, memory().residentBytes];
      await planLoad(model, checkpoint.stateDict()).apply();
      assertEquals([memory().byteLength, memory().residentBytes], [before, resident]);
      const { reads, bytes, allocated } = file.take();
      assert(reads <= most, `${reads} reads of ${count} layers of ${size}`);
      // In a zip each entry has a header before it.
      const between = encode === encodeTorch ? 2 * count * 192 : 0;
      assert(bytes >= total && bytes <= total + between, `${bytes} bytes read for ${total}`);
      assertEquals(allocated, bytes);
      const expected = original.stateDict();
      for (const [key, tensor] of model.stateDict()) assert(expected.get(key)?.equal(tensor), key);
    }
  });
}

for (const dtype of ["bfloat16", "float64"] as const) {
  Deno.test(`a load that casts from ${dtype} takes wasm memory for the parameters and a bounded part of the file`, async () => {
    const [count, size] = [16, 512];
    const checkpoint = await openCheckpoint(await fileOf(layers(count, size, dtype), encodeSafetensors));
    const model = layers(count, size);
    const total = tensorBytes(model);
    replaceMemory(new Memory(instantiate(chosenVariant())));
    const { byteLength } = memory();
    await planLoad(model, checkpoint.stateDict()).apply();
    const grown = memory().byteLength - byteLength;
    assert(grown <= total + STAGING, `${grown} bytes more for ${total}`);
    assert(memory().residentBytes <= total + RESULTS, `${memory().residentBytes} bytes for ${total}`);
  });
}

Deno.test("load() of one tensor reads that tensor", async () => {
  const file = await fileOf(layers(6, 300), encodeTorch);
  await openCheckpoint(file);
  const opening = file.take();
  await load(file, { filter: "3.weight" });
  const { reads, bytes } = file.take();
  assertEquals([reads - opening.reads, bytes - opening.bytes], [1, 300 * 300 * 4]);
});

for (const [rows, size] of [[1, 10], [64, 64], [512, 256]]) {
  Deno.test(`forwards of ${rows} rows through Linear(${size}, ${size}) take no more memory with time`, () => {
    const model = new Linear(size, size);
    const x = randn([rows, size]);
    const turn = () => {
      for (let i = 0; i < Math.ceil(64 * 2 ** 20 / (4 * rows * size)) && i < 20_000; i++) relu(model.forward(x));
      return [memory().byteLength, memory().residentBytes];
    };
    turn();
    const [byteLength, resident] = turn();
    for (let i = 0; i < 3; i++) {
      const [bytesNow, residentNow] = turn();
      assertEquals(bytesNow, byteLength);
      // Where in a chunk the last turn ended makes a difference of a result.
      assert(residentNow <= resident + Math.max(4096, 4 * rows * size), `${residentNow} bytes after ${resident}`);
    }
  });
}
