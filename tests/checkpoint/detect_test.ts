import { assertEquals, assertRejects } from "@std/assert";
import { CheckpointError, openCheckpoint, UnsupportedError } from "../../src/checkpoint/mod.ts";
import { toBytes } from "./archive.ts";

/** What people have passed to a loader instead of a checkpoint, and what they are told. */
const OTHERS: readonly (readonly [string, string])[] = [
  ["", "an empty file"],
  [
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 440473133\n",
    "a Git LFS pointer for a file of 440473133 bytes",
  ],
  ["<!DOCTYPE html>\n<html>", "an HTML page"],
  ["\n  <HTML lang=en>", "an HTML page"],
  ["<?xml version='1.0'?><Error>AccessDenied</Error>", "XML"],
  ["\x1f\x8b\x08\0\0\0\0\0\0\x03abc", "gzip"],
  ["\x28\xb5\x2f\xfdabc", "Zstandard"],
  ["\xfd7zXZ\0", "xz"],
  ["BZh91AY", "bzip2"],
  ["7z\xbc\xaf\x27\x1c", "7-Zip"],
  ["Rar!\x1a\x07\x00", "RAR"],
  ["\x08\x07\x12\x07pytorch\x1a\x052.1.0", "ONNX"],
  ["GGUF\x03\0\0\0", "GGUF"],
  ["\x89HDF\r\n\x1a\n\0\0\0\0", "HDF5"],
  ["\x93NUMPY\x01\0v\0{'descr'", "an .npy of NumPy"],
  ["\x1c\0\0\0TFL3", "TensorFlow Lite"],
  ["PK\x05\x06" + "\0".repeat(18), "an empty zip"],
  ["\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94\x8c\x01a\x94K\x01s.", "a plain pickle, not made by torch.save"],
  ["\x80\x02}q\0", "a plain pickle that is incomplete"],
  ['{"architectures": ["BertModel"]}', "JSON"],
  ["404: Not Found", 'text that begins with "404: Not Found"'],
  ["\x01\x02\x03", "binary data that begins with 01 02 03"],
  ["\0\0\0\0\0\0\0\0", "binary data that begins with 00 00"],
];

for (const [bytes, looksLike] of OTHERS) {
  Deno.test(`what looks like ${looksLike} is called so`, async () => {
    const file = new File([new Uint8Array(toBytes(bytes))], "model.pt");
    const error = await assertRejects(() => openCheckpoint(file), CheckpointError, looksLike);
    assertEquals(error.message.startsWith('Cannot read "model.pt": it is not a checkpoint, it looks like '), true);
  });
}

/** Files that name others, which bytes alone cannot find. */
const NAMING: readonly (readonly [string, string, string])[] = [
  ["torch-sharded", '{"metadata":{},"weight_map":{"a":"pytorch_model-00001-of-00002.bin"}}', "index of a checkpoint"],
  [
    "safetensors-sharded",
    '\ufeff{\n "weight_map": {"a": "model-00001-of-00002.safetensors"}}',
    "index of a checkpoint",
  ],
];

for (const [format, text, message] of NAMING) {
  Deno.test(`${format} is not read from bytes alone (${JSON.stringify(text.slice(0, 12))})`, async () => {
    for (const source of [new TextEncoder().encode(text), new Blob([text])]) {
      const error = await assertRejects(() => openCheckpoint(source), UnsupportedError, message);
      assertEquals(error.feature, format);
    }
  });
}

Deno.test("the metadata of a distributed checkpoint is not read from bytes alone", async () => {
  const bytes = await Deno.readFile(new URL("../fixtures/distributed/single/.metadata", import.meta.url));
  const error = await assertRejects(() => openCheckpoint(bytes), UnsupportedError, "open it by its path");
  assertEquals(error.feature, "torch-distributed");
});

Deno.test("a part of a distributed checkpoint is known by its name", async () => {
  const error = await assertRejects(
    () => openCheckpoint(new File(["PK\x03\x04" + "x".repeat(99)], "__0_0.distcp")),
    UnsupportedError,
  );
  assertEquals(error.feature, "torch-distributed");
});

Deno.test("a header length may look like another format", async () => {
  for (const [low, high] of [[0x1f, 0x8b], [0x4d, 0x5a], [0x08, 0x07]]) {
    const length = low | high << 8;
    const file = new Uint8Array(8 + length).fill(0x20, 8);
    file.set([low, high]);
    file.set([0x7b, 0x7d], 8);
    assertEquals((await openCheckpoint(file)).format, "safetensors");
  }
});
