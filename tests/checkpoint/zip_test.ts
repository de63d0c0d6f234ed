import { assertEquals, assertRejects } from "@std/assert";
import { openSource } from "../../src/bytes/open_source.ts";
import { DEFAULT_LIMITS, LimitError, openCheckpoint, TruncatedError } from "../../src/checkpoint/mod.ts";
import { locate, readDirectory } from "../../src/checkpoint/zip.ts";
import { CheckpointError } from "../../src/errors.ts";
import { zip } from "./archive.ts";

const AB = [{ name: "x/a", data: "first" }, { name: "x/b", data: "second" }];

async function directoryOf(bytes: Uint8Array) {
  return await readDirectory(await openSource(bytes), DEFAULT_LIMITS);
}

async function locateAll(bytes: Uint8Array): Promise<Map<string, string>> {
  const source = await openSource(bytes);
  const found = new Map<string, string>();
  const entries = [...(await readDirectory(source, DEFAULT_LIMITS)).values()];
  for (const [i, start] of locate(source, entries).entries()) {
    const { name, compressedSize } = entries[i];
    found.set(name, new TextDecoder().decode(bytes.subarray(start, start + compressedSize)));
  }
  return found;
}

Deno.test("readDirectory() and locate() find the bytes of every entry", async () => {
  const expected = new Map([["x/a", "first"], ["x/b", "second"]]);
  assertEquals(await locateAll(zip(AB)), expected);
  assertEquals(await locateAll(zip(AB, { comment: "c".repeat(3000) })), expected);
  // A comment that contains an end record of its own.
  assertEquals(await locateAll(zip(AB, { comment: "PK\x05\x06" + "\0".repeat(18) + "!" })), expected);
  // Bytes behind the end, with and without a comment, and such that look like an end.
  for (const behind of ["x", "\0".repeat(60_000), "PK\x05\x06", "PK\x05\x06" + "\xff".repeat(18)]) {
    const after = Uint8Array.from(behind, (character) => character.charCodeAt(0));
    assertEquals(await locateAll(Uint8Array.of(...zip(AB), ...after)), expected);
    assertEquals(await locateAll(Uint8Array.of(...zip(AB, { comment: "c" }), ...after)), expected);
  }
  assertEquals(await locateAll(zip([])), new Map());
});

Deno.test("a directory finds entries whose names end with numbers, whatever their stems and zeros", async () => {
  const names = ["x/data/1", "x/data/01", "x/data/10", "y/1", "x/data/2", "1", "x/data/1234567890", "x/data/", "x/a"];
  const directory = await directoryOf(zip(names.map((name) => ({ name, data: name }))));
  assertEquals(directory.values().map(({ name }) => name), names);
  for (const [i, name] of names.entries()) assertEquals(directory.get(name)?.index, i, name);
  for (const name of ["x/data/3", "x/data/001", "y/2", "2", "", "x/data/12345678901"]) {
    assertEquals(directory.has(name), false, name);
  }
  assertEquals(directory.below("x/data/").map(({ name }) => name), names.filter((name) => name.startsWith("x/data/")));
  assertEquals(directory.below("").length, names.length);
});

Deno.test("a tensor that looks like the end of a zip changes nothing", async () => {
  const fake = "PK\x05\x06" + "\0".repeat(18);
  assertEquals(await locateAll(zip([{ name: "x/data", data: fake }])), new Map([["x/data", fake]]));
});

Deno.test("every beginning of a zip is refused as incomplete", async () => {
  const whole = zip(AB);
  for (let length = 4; length < whole.length; length++) {
    await assertRejects(() => directoryOf(whole.slice(0, length)), CheckpointError, "no end record");
  }
});

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ["two entries with one name", zip([...AB, { name: "x/a", data: "again" }]), "the directory has it twice"],
  ["two entries with one name and number", zip([{ name: "x/1", data: "" }, ...AB, { name: "x/1", data: "" }]), "twice"],
  ["two entries over each other", zip([AB[0], { ...AB[1], offset: 0 }]), "reach beyond byte 0"],
  ["an entry inside of another", zip([{ name: "x/a", data: "PK\x03\x04 first" }, { ...AB[1], offset: 40 }]), "reach"],
  ["another local name", zip([{ ...AB[0], localName: "x/c" }]), "another name"],
  ["a longer local name", zip([{ ...AB[0], localName: "x/abc" }]), "another name"],
  ["another local method", zip([{ ...AB[0], localMethod: 8 }]), "another compression"],
  ["another local size", zip([{ ...AB[0], localSize: 4 }]), "has the size 4"],
  ["no local header at all", zip([{ ...AB[0], data: "longer than it", offset: 1 }]), "reach"],
  ["bytes in front", Uint8Array.of(...new TextEncoder().encode("junk"), ...zip(AB)), "4 bytes were put before"],
  ["bytes missing", Uint8Array.of(...zip(AB).slice(5)), "5 bytes are missing"],
  ["a count that is too large", zip(AB, { entries: 3 }), "cannot hold 3"],
  ["a count that is too small", zip(AB, { entries: 1 }), "bytes too many"],
  ["a directory that is too large", zip(AB, { directorySize: 200 }), "bytes are missing"],
  ["an offset behind the end", zip(AB, { directoryOffset: 0xffff }), "bytes are missing"],
];

for (const [what, bytes, message] of REFUSED) {
  Deno.test(`a zip with ${what} is refused`, async () => {
    const error = await assertRejects(() => locateAll(bytes), CheckpointError, message);
    assertEquals(error.format, "zip");
  });
}

Deno.test("a local header that is none is refused", async () => {
  const bytes = zip(AB);
  bytes[0] = 0;
  await assertRejects(() => locateAll(bytes), CheckpointError, "no local header");
});

Deno.test("zip64 fields that disagree with the others, or are cut off, are refused", async () => {
  const good = await Deno.readFile(new URL("../fixtures/checkpoints/zip64.pt", import.meta.url));
  await openCheckpoint(good);
  const end = good.length - 22;
  const disagree = good.slice();
  disagree[end + 10] = 1; // the number of entries in the classic record, which was 65535
  disagree[end + 11] = 0;
  await assertRejects(() => openCheckpoint(disagree), CheckpointError, "disagree");
  const lost = good.slice();
  lost[end - 20 + 8]++; // the place of the zip64 record
  await assertRejects(() => openCheckpoint(lost), CheckpointError, "zip64");
  const short = good.slice();
  const at = findLast(short, [1, 0, 24, 0]); // the extra field of the last entry: id 1, 24 bytes
  short[at + 2] = 8;
  await assertRejects(() => openCheckpoint(short), TruncatedError);
});

Deno.test("a zip of more entries than allowed is refused before they are read", async () => {
  const source = await openSource(zip(AB));
  const error = await assertRejects(() => readDirectory(source, { ...DEFAULT_LIMITS, entries: 1 }), LimitError);
  assertEquals([error.limit, error.allowed, error.found], ["entries", 1, 2]);
});

function findLast(bytes: Uint8Array, pattern: readonly number[]): number {
  for (let at = bytes.length - pattern.length; at >= 0; at--) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error("the pattern is not in the file");
}
