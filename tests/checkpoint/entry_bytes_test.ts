import { assertEquals, assertRejects } from "@std/assert";
import type { ByteSource } from "../../src/bytes/source.ts";
import { CheckpointError } from "../../src/errors.ts";
import { entryBytes } from "../../src/checkpoint/entry_bytes.ts";
import { openCheckpoint, TruncatedError } from "../../src/checkpoint/mod.ts";
import { DEFAULT_LIMITS } from "../../src/checkpoint/limits.ts";
import { readDirectory } from "../../src/checkpoint/zip.ts";
import { isLazyTensor } from "../../src/state_dict.ts";
import { dict, type Entry, pickle, storage, tensor, torchZip, zip } from "./archive.ts";

const NUMBERS = Uint8Array.from({ length: 200_000 }, (_, i) => i * 7 + (i >> 8));

/** A source that waits, and its reads; `failing` of them fail first. */
function waiting(bytes: Uint8Array, failing = 0): ByteSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    size: bytes.length,
    reads,
    read(offset, length) {
      reads.push([offset, length]);
      if (failing-- > 0) return Promise.reject(new Error("the line is down"));
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

async function entryOf(file: Uint8Array, name: string) {
  const entry = (await readDirectory(waiting(file), DEFAULT_LIMITS)).get(name);
  if (entry === undefined) throw new Error(`no ${name}`);
  return entry;
}

/** An entry between two others, written as `torch.save` does (with a descriptor), or as other tools do. */
function fileWith(wrong: Partial<Entry> = {}): Uint8Array {
  return zip([{ name: "x/a", data: "before" }, { name: "x/b", data: NUMBERS, ...wrong }, {
    name: "x/c",
    data: "after",
  }]);
}

Deno.test("the header of an entry is read with the first of its bytes, and once", async () => {
  const file = fileWith();
  const source = waiting(file);
  const entry = await entryOf(file, "x/b");
  const bytes = entryBytes(source, entry);
  assertEquals(await bytes.read(5, 10), NUMBERS.subarray(5, 15));
  assertEquals(source.reads, [[entry.headerOffset, 30 + 3 + 15]]);
  assertEquals(await bytes.read(199_990, 10), NUMBERS.subarray(199_990));
  assertEquals(source.reads.slice(1), [[entry.headerOffset + 33 + 199_990, 10]]);
});

Deno.test("a first read far behind the header does not read what is between", async () => {
  const file = fileWith();
  const source = waiting(file);
  const bytes = entryBytes(source, await entryOf(file, "x/b"));
  assertEquals(await bytes.read(150_000, 4), NUMBERS.subarray(150_000, 150_004));
  assertEquals(source.reads.map(([, length]) => length), [33, 4]);
});

Deno.test("many first reads at once are all right", async () => {
  const file = fileWith();
  const source = waiting(file);
  const bytes = entryBytes(source, await entryOf(file, "x/b"));
  const offsets = Array.from({ length: 100 }, (_, i) => i * 1999);
  const found = await Promise.all(offsets.map((offset) => bytes.read(offset, 3)));
  assertEquals(found, offsets.map((offset) => NUMBERS.subarray(offset, offset + 3)));
  assertEquals(source.reads.length, 100);
});

Deno.test("an entry that does not end where most do is found by its header", async () => {
  // A descriptor that is announced and not there: the bytes begin behind where they are expected.
  const file = fileWith({ flags: 0x808 });
  const source = waiting(file);
  const bytes = entryBytes(source, await entryOf(file, "x/b"));
  assertEquals(await bytes.read(0, 8), NUMBERS.subarray(0, 8));
  assertEquals(await bytes.read(199_999, 1), NUMBERS.subarray(199_999));
});

Deno.test("a header that says something else than the directory is refused by every read", async () => {
  for (const [wrong, problem] of [[{ localName: "x/d" }, "another name"], [{ localSize: 4 }, "the size 4"]] as const) {
    const file = fileWith(wrong);
    const bytes = entryBytes(waiting(file), await entryOf(file, "x/b"));
    for (const offset of [0, 150_000, 3]) {
      await assertRejects(() => bytes.read(offset, 2), CheckpointError, problem);
    }
  }
});

Deno.test("a medium that failed once is asked again", async () => {
  const file = fileWith();
  const entry = await entryOf(file, "x/b");
  const bytes = entryBytes(waiting(file, 1), entry);
  await assertRejects(() => bytes.read(0, 2), Error, "the line is down");
  assertEquals(await bytes.read(0, 2), NUMBERS.subarray(0, 2));
  const short = entryBytes(waiting(file.subarray(0, entry.headerOffset + 20)), entry);
  await assertRejects(() => short.read(0, 2), TruncatedError, 'the header of "x/b"');
});

Deno.test("a checkpoint from a source that waits is opened by its ends, and a tensor is one read", async () => {
  const from = storage({ numel: 50_000 });
  const weights = { w: tensor({ from, shape: [50_000] }), v: tensor({ from, offset: 10, shape: [5] }) };
  const file = torchZip(pickle(dict(weights), "."), { 0: NUMBERS, 1: new Uint8Array(70_000) });
  const source = waiting(file);
  const stateDict = (await openCheckpoint(source)).stateDict();
  const [w, v] = [stateDict.get("w"), stateDict.get("v")];
  if (!isLazyTensor(w) || !isLazyTensor(v)) throw new Error("no tensors");
  source.reads.length = 0;
  const read = await Promise.all([w.read(), v.read()]);
  assertEquals(read, [NUMBERS, NUMBERS.slice(40, 60)]);
  assertEquals(source.reads.length, 2);
});
