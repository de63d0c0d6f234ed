import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openSource } from "../../src/bytes/open_source.ts";
import {
  type ByteSource,
  part,
  READ_PIECE_BYTES,
  readExactly,
  readInto,
  readIntoSync,
} from "../../src/bytes/source.ts";
import { CheckpointError, TruncatedError, UnsupportedError } from "../../src/errors.ts";

const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i % 251);

async function withFile(bytes: Uint8Array, test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("openSource() reads the same bytes from memory, a Blob, a path and a URL", async () => {
  await withFile(BYTES, async (path) => {
    const url = new URL(`file://${path}`);
    for (const from of [BYTES, new Blob([BYTES]), path, url, url.href, await openSource(BYTES)]) {
      const source = await openSource(from);
      assertEquals(source.size, 300);
      assertEquals(await readExactly(source, { offset: 7, length: 20, what: "x" }), BYTES.slice(7, 27));
      assertEquals(await source.read(290, 50), BYTES.slice(290));
      await source.close();
    }
  });
});

Deno.test("a file answers 64 reads at once, each with its own bytes", async () => {
  const block = 4096;
  const file = new Uint8Array(64 * block).map((_, i) => i / block);
  await withFile(file, async (path) => {
    const source = await openSource(path);
    const reads = Array.from({ length: 64 }, async (_, i) => {
      const into = new Uint8Array(block);
      await readInto(source, into, { offset: i * block, what: "block" });
      assertEquals(into.every((byte) => byte === i), true);
    });
    await Promise.all(reads);
    const into = new Uint8Array(block);
    readIntoSync(source, into, { offset: 9 * block, what: "block" });
    assertEquals(into.every((byte) => byte === 9), true);
    await source.close();
  });
});

Deno.test("readInto() reads in pieces", async () => {
  const size = READ_PIECE_BYTES + 5;
  const lengths: number[] = [];
  const source: ByteSource = {
    size,
    read(offset, length) {
      lengths.push(length);
      return Promise.resolve(new Uint8Array(length).fill(offset === 0 ? 1 : 2));
    },
  };
  const into = new Uint8Array(size);
  await readInto(source, into, { offset: 0, what: "x" });
  assertEquals(lengths, [READ_PIECE_BYTES, 5]);
  assertEquals([into[READ_PIECE_BYTES - 1], into[READ_PIECE_BYTES], into[size - 1]], [1, 2, 2]);
});

Deno.test("a short read is a TruncatedError that says where", async () => {
  const short: ByteSource = { size: 100, name: "x.pt", read: () => Promise.resolve(new Uint8Array(3)) };
  const error = await assertRejects(
    () => readExactly(short, { offset: 10, length: 8, what: '"data/3"' }),
    TruncatedError,
    'Cannot read "data/3" from "x.pt": needs 8 bytes at 10, there are 3',
  );
  assertEquals([error.offset, error.wanted, error.got, error.name], [10, 8, 3, "TruncatedError"]);
  const memory = await openSource(BYTES);
  await assertRejects(() => readExactly(memory, { offset: 299, length: 2, what: "x" }), TruncatedError);
  await assertRejects(() => readExactly(memory, { offset: 400, length: 1, what: "x" }), TruncatedError);
  assertThrows(() => readIntoSync(memory, new Uint8Array(2), { offset: 299, what: "x" }), TruncatedError);
});

Deno.test("a file that shrinks after it was opened is a TruncatedError", async () => {
  await withFile(BYTES, async (path) => {
    const source = await openSource(path);
    await Deno.truncate(path, 10);
    await assertRejects(() => readExactly(source, { offset: 5, length: 20, what: "x" }), TruncatedError);
    assertThrows(() => readIntoSync(source, new Uint8Array(20), { offset: 5, what: "x" }), TruncatedError);
    await source.close();
  });
});

Deno.test("errors of the medium are wrapped, with their cause", async () => {
  const cause = new Error("disk on fire");
  const source: ByteSource = { size: 9, read: () => Promise.reject(cause) };
  const error = await assertRejects(
    () => readExactly(source, { offset: 0, length: 1, what: "x" }),
    CheckpointError,
    "disk on fire",
  );
  assertEquals(error.cause, cause);
  await assertRejects(() => openSource("/does/not/exist.pt"), CheckpointError, 'Cannot open "/does/not/exist.pt"');
});

Deno.test("a closed file is not read", async () => {
  await withFile(BYTES, async (path) => {
    const source = await openSource(path);
    await source.close();
    await assertRejects(() => readExactly(source, { offset: 0, length: 1, what: "x" }), CheckpointError);
  });
});

Deno.test("openSource() says what it does not open", async () => {
  const ftp = await assertRejects(() => openSource(new URL("ftp://example.com/x.pt")), UnsupportedError, "ftp URLs");
  assertEquals(ftp.feature, "ftp source");
  await assertRejects(() => openSource(Deno.cwd()), UnsupportedError, "it is a folder");
  await assertRejects(() => openSource("/dev/null"), CheckpointError, "not a regular file");
  for (const wrong of [null, undefined, 3, {}, [1], { size: -1, read: () => null }, { size: 1.5, read: () => null }]) {
    // @ts-expect-error: what a caller without types may pass
    await assertRejects(() => openSource(wrong), TypeError);
  }
});

Deno.test("hundreds of reads of a file at once are right, also where its path has become another's", async () => {
  const path = await Deno.makeTempFile();
  const [old, other] = [1, 2].map((step) => Uint8Array.from({ length: 3_000_000 }, (_, i) => step * (i >> 8)));
  await Deno.writeFile(path, old);
  const source = await openSource(path);
  await Deno.writeFile(`${path}.new`, other);
  await Deno.rename(`${path}.new`, path);
  const offsets = Array.from({ length: 300 }, (_, i) => i * 9600);
  await Promise.all(offsets.map(async (offset) => {
    const into = new Uint8Array(100_000);
    await readInto(source, into, { offset, what: "it" });
    assert(into.every((byte, i) => byte === old[offset + i]), `at ${offset}`);
  }));
  await source.close();
  await Deno.remove(path);
});

Deno.test("part() reads in every way that its source does, and in no other", async () => {
  const fill = (offset: number, into: Uint8Array) => {
    const found = BYTES.subarray(offset, offset + into.length);
    into.set(found);
    return found.length;
  };
  const read = (offset: number, length: number) => Promise.resolve(BYTES.subarray(offset, offset + length));
  const readInto = (offset: number, into: Uint8Array) => Promise.resolve(fill(offset, into));
  const plain: ByteSource = { size: BYTES.length, name: "b", read };
  for (
    const source of [plain, { ...plain, readInto }, { ...plain, readSync: fill }, {
      ...plain,
      readInto,
      readSync: fill,
    }]
  ) {
    const found: ByteSource = part(part(source, { offset: 20, size: 200 }), { offset: 10, size: 100 });
    assertEquals([found.size, found.name], [100, "b"]);
    assertEquals(await found.read(5, 10), BYTES.slice(35, 45));
    assertEquals([found.readInto === undefined, found.readSync === undefined], [
      !("readInto" in source),
      !("readSync" in source),
    ]);
    const into = new Uint8Array(10);
    assertEquals([await found.readInto?.(5, into) ?? 10, into], [
      10,
      "readInto" in source ? BYTES.slice(35, 45) : new Uint8Array(10),
    ]);
    const now = new Uint8Array(10);
    assertEquals([found.readSync?.(6, now) ?? 10, now], [
      10,
      "readSync" in source ? BYTES.slice(36, 46) : new Uint8Array(10),
    ]);
  }
});
