import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  CheckpointError,
  LimitError,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { READ_PIECE_BYTES } from "../../src/bytes/source.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { dict, pickle, storage, tensor, torchZip, zip } from "./archive.ts";

const DATA = Uint8Array.from({ length: 16 }, (_, i) => i);
const STATE = pickle(dict({ w: tensor() }), ".");

async function tensorOf(file: Uint8Array, key = "w"): Promise<StoredTensor> {
  const value = (await openCheckpoint(file)).stateDict().get(key);
  assertInstanceOf(value, StoredTensor);
  return value;
}

Deno.test("a checkpoint by hand is read", async () => {
  assertEquals(await (await tensorOf(torchZip(STATE, { 0: DATA }))).read(), DATA);
});

Deno.test("the checkpoint may be in any folder, or in none", async () => {
  for (const folder of ["", "a b/", "deep/er/", "ü/", "../", "archive/archive/"]) {
    const entries = [{ name: `${folder}data.pkl`, data: STATE }, { name: `${folder}data/0`, data: DATA }];
    assertEquals(await (await tensorOf(zip(entries))).read(), DATA);
    const beside = { name: "__MACOSX/._data.pkl", data: "" };
    assertEquals(await (await tensorOf(zip([beside, ...entries]))).read(), DATA);
  }
});

/** Bad tensors do not keep the others from being read: they say what is wrong before anything is read. */
const BAD_TENSORS: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "a view beyond its storage",
    torchZip(pickle(dict({ "fc1.weight": tensor({ offset: 2 }), ok: tensor() }), "."), { 0: DATA }),
    'Cannot read tensor "fc1.weight" from "data/0": needs 16 bytes at 8, storage has 16',
  ],
  [
    "strides beyond its storage",
    torchZip(pickle(dict({ "fc1.weight": tensor({ shape: [2, 2], strides: [3, 1] }), ok: tensor() }), "."), {
      0: DATA,
    }),
    "needs 20 bytes at 0, storage has 16",
  ],
  [
    "a storage that is not in the zip",
    torchZip(pickle(dict({ "fc1.weight": tensor({ from: storage({ key: "7" }) }), ok: tensor() }), "."), { 0: DATA }),
    'Cannot read tensor "fc1.weight" from "data/7": the storage is not in the zip',
  ],
  [
    "a storage of another size",
    torchZip(pickle(dict({ "fc1.weight": tensor({ from: storage({ key: "1", numel: 5 }) }), ok: tensor() }), "."), {
      0: DATA,
      1: DATA,
    }),
    "the storage has 16 bytes, the pickle says 20",
  ],
];

for (const [what, file, message] of BAD_TENSORS) {
  Deno.test(`a tensor with ${what} is listed, and check() and read() say so`, async () => {
    const bad = await tensorOf(file, "fc1.weight");
    assertThrows(() => bad.check(), CheckpointError, message);
    await assertRejects(() => bad.read(), CheckpointError, message);
    await assertRejects(() => bad.readInto(new Uint8Array(bad.byteLength)), CheckpointError, message);
    assertEquals([bad.location, bad.span], [null, null]);
    assertEquals(await (await tensorOf(file, "ok")).read(), DATA);
  });
}

Deno.test("the last view that fits is read", async () => {
  const file = torchZip(pickle(dict({ w: tensor({ offset: 1, shape: [2, 2], strides: [1, 1] }) }), "."), { 0: DATA });
  assertEquals(await (await tensorOf(file)).read(), Uint8Array.of(...DATA.slice(4, 12), ...DATA.slice(8, 16)));
});

Deno.test("a tensor that repeats its elements beyond the limit is refused", async () => {
  const file = torchZip(pickle(dict({ w: tensor({ shape: [1 << 20, 1 << 10], strides: [0, 0] }) }), "."), { 0: DATA });
  const huge = await tensorOf(file);
  assertEquals(huge.byteLength, 2 ** 32);
  const error = assertThrows(() => huge.check(), LimitError);
  assertEquals([error.limit, error.found], ["expandedBytes", 2 ** 32]);
  await assertRejects(() => huge.read(), LimitError);
});

Deno.test("a storage by two types must have the size that both say", async () => {
  const halves = tensor({ from: storage({ type: "HalfStorage", numel: 8 }), shape: [8] });
  const wrong = tensor({ from: storage({ type: "HalfStorage", numel: 4 }) });
  const file = torchZip(pickle(dict({ w: tensor(), halves, wrong }), "."), { 0: DATA });
  assertEquals(await (await tensorOf(file, "halves")).read(), DATA);
  assertEquals((await tensorOf(file, "halves")).dtype, "float16");
  await assertRejects(async () => (await tensorOf(file, "wrong")).read(), CheckpointError, "the pickle says 8");
});

Deno.test("data of the meta device is listed and not read", async () => {
  const file = torchZip(pickle(dict({ w: tensor({ from: storage({ location: "meta" }) }) }), "."));
  await assertRejects(async () => (await tensorOf(file)).read(), UnsupportedError, "meta device");
});

Deno.test("storages on other devices are read as what they are", async () => {
  for (const location of ["cuda:1", "mps", "xla:0"]) {
    const file = torchZip(pickle(dict({ w: tensor({ from: storage({ location }) }) }), "."), { 0: DATA });
    assertEquals(await (await tensorOf(file)).read(), DATA);
  }
});

Deno.test("the byte order is a word, and only two are known", async () => {
  const order = (data: string) => torchZip(STATE, { 0: DATA }, [{ name: "archive/byteorder", data }]);
  assertEquals(await (await tensorOf(order("little"))).read(), DATA);
  const swapped = Uint8Array.of(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  assertEquals(await (await tensorOf(order("big"))).read(), swapped);
  await assertRejects(() => openCheckpoint(order("middle")), CheckpointError, '"middle"');
  await assertRejects(() => openCheckpoint(order("x".repeat(2000))), CheckpointError, "more than a word");
});

Deno.test("a newer version of the format is refused", async () => {
  const version = (data: string) => torchZip(STATE, { 0: DATA }, [{ name: "archive/version", data }]);
  assertEquals((await openCheckpoint(version("10\n"))).metadata.get("version"), "10");
  await assertRejects(() => openCheckpoint(version("11\n")), UnsupportedError, "version 11");
});

const OTHER_ZIPS: readonly (readonly [string, readonly string[]])[] = [
  ["an .npz of NumPy", ["a.npy", "b.npy"]],
  ["a .keras model", ["config.json", "model.weights.h5"]],
  ["a zip of other files (README, x/y)", ["README", "x/y"]],
  ["lost its data.pkl", ["archive/data/0", "archive/version"]],
];

for (const [looksLike, names] of OTHER_ZIPS) {
  Deno.test(`a zip that is no checkpoint: ${looksLike}`, async () => {
    const file = zip(names.map((name) => ({ name, data: "" })));
    await assertRejects(() => openCheckpoint(file), CheckpointError, looksLike);
  });
}

Deno.test("zips of other programs, and several checkpoints in one, are called by name", async () => {
  const exported = zip([{ name: "p/archive_format", data: "pt2" }, { name: "p/models/model.json", data: "{}" }]);
  assertEquals((await assertRejects(() => openCheckpoint(exported), UnsupportedError)).feature, "torch.export archive");
  const several = zip([{ name: "a/data.pkl", data: STATE }, { name: "b/data.pkl", data: STATE }]);
  await assertRejects(() => openCheckpoint(several), CheckpointError, "several checkpoints: a/data.pkl, b/data.pkl");
});

Deno.test("encrypted entries and other compressions are named when they are needed", async () => {
  const make = (fields: { flags?: number; method?: number }) =>
    zip([{ name: "archive/data.pkl", data: STATE }, { name: "archive/data/0", data: DATA, ...fields }]);
  for (
    const [fields, feature] of [[{ flags: 1 }, "encrypted entry"], [
      { method: 12 },
      "zip compression method 12",
    ]] as const
  ) {
    const listed = await tensorOf(make(fields));
    const error = await assertRejects(() => listed.read(), UnsupportedError);
    assertEquals(error.feature, feature);
  }
  const pickleToo = zip([{ name: "archive/data.pkl", data: STATE, flags: 1 }]);
  await assertRejects(() => openCheckpoint(pickleToo), UnsupportedError, "encrypted");
});

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("a deflated storage is inflated, and any lie about it is refused", async () => {
  const data = await deflate(DATA);
  const make = (fields: { data?: Uint8Array; size?: number; crc32?: number }) =>
    zip([{ name: "archive/data.pkl", data: STATE }, {
      ...{ name: "archive/data/0", method: 8, data, size: 16, crc32: crc32(DATA) },
      ...fields,
    }]);
  const good = await tensorOf(make({}));
  assertEquals(await good.read(), DATA);
  assertEquals([good.location, good.span, good.isSync], [null, null, false]);
  await assertRejects(async () => (await tensorOf(make({ crc32: 1 }))).read(), CheckpointError, "CRC-32");
  const invalid = data.slice();
  invalid[0] = 0xff;
  await assertRejects(async () => (await tensorOf(make({ data: invalid }))).read(), CheckpointError);
  await assertRejects(async () => (await tensorOf(make({ data: data.slice(0, 12) }))).read(), CheckpointError);
  const longer = await deflate(new Uint8Array(1 << 20));
  await assertRejects(async () => (await tensorOf(make({ data: longer }))).read(), CheckpointError, "more than 16");
  const shorter = await deflate(DATA.slice(0, 8));
  await assertRejects(
    async () => (await tensorOf(make({ data: shorter }))).read(),
    CheckpointError,
    "inflates to 8 bytes",
  );
  await assertRejects(() => openCheckpoint(make({ size: 2 ** 31 - 1 })), CheckpointError, "cannot inflate to");
});

Deno.test("a large deflated storage is inflated once for a tensor", async () => {
  const zeros = new Uint8Array(READ_PIECE_BYTES + 4);
  const data = await deflate(zeros);
  const program = pickle(
    dict({ w: tensor({ from: storage({ numel: zeros.length / 4 }), shape: [zeros.length / 4] }) }),
    ".",
  );
  const deflated = { name: "archive/data/0", method: 8, data, size: zeros.length, crc32: crc32(zeros) };
  const file = zip([{ name: "archive/data.pkl", data: program }, deflated]);
  let reads = 0;
  const source = {
    size: file.length,
    read(offset: number, length: number) {
      reads++;
      return Promise.resolve(file.subarray(offset, offset + length));
    },
  };
  const value = (await openCheckpoint(source)).stateDict().get("w");
  assertInstanceOf(value, StoredTensor);
  reads = 0;
  assertEquals((await value.read()).length, zeros.length);
  assertEquals(reads, 1);
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

Deno.test("a pickle larger than the limit is refused before it is read", async () => {
  const file = torchZip(pickle("N".repeat(1000), "."));
  const error = await assertRejects(() => openCheckpoint(file, { limits: { metadataBytes: 1000 } }), LimitError);
  assertEquals([error.limit, error.allowed, error.found], ["metadataBytes", 1000, 1001]);
  await openCheckpoint(file, { limits: { metadataBytes: 1001 } });
  await assertRejects(() => openCheckpoint(torchZip("N")), TruncatedError);
});
