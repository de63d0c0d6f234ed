import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  encodeTorch,
  isLazyTensor,
  Linear,
  load,
  openCheckpoint,
  Parameter,
  Sequential,
  StateDict,
  type Tensor,
  tensor,
  UnsupportedError,
  zeros,
} from "../../mod.ts";
import type { DType, LazyTensor } from "../../mod.ts";
import { openMemory } from "../../src/bytes/memory.ts";
import { DEFAULT_LIMITS } from "../../src/checkpoint/limits.ts";
import type { Storage } from "../../src/checkpoint/storage.ts";
import { StoredTensor, type TensorDescription } from "../../src/checkpoint/stored_tensor.ts";
import { DTYPE_NAMES } from "../../src/dtype.ts";
import { contiguousStrides } from "../../src/shape.ts";

const ROOT = new URL("../../", import.meta.url);

/** Files that torch 2.15 wrote of an OrderedDict of plain tensors. */
const STATE_DICTS = [
  "examples/data/pretrained.pt",
  "examples/data/pretrained_remove.pt",
  "examples/data/pretrained_dims.pt",
  ...["compiled", "conv1d", "data_parallel", "nothing_matched", "renamed_part", "two_lists", "tied_head"].map((name) =>
    `tests/fixtures/scenarios/${name}.pt`
  ),
];

/** The entry that PyTorch fills with a hash of its own, and reads no more than we do. */
const SERIALIZATION_ID = { name: ".data/serialization_id", byteLength: 40, alignment: 64 };

for (const path of STATE_DICTS) {
  Deno.test(`encodeTorch() writes what torch.save wrote: ${path}`, async () => {
    const expected = Deno.readFileSync(new URL(path, ROOT));
    const checkpoint = await openCheckpoint(expected);
    const folder = path.replace(/^.*\/|\.pt$/g, "");
    const written = await bytesOf(encodeTorch(checkpoint.stateDict(), { folder }));
    assertEquals(withoutId(written), withoutId(expected));
  });

  Deno.test(`encodeTorch() writes tensors in memory the same way: ${path}`, async () => {
    const expected = Deno.readFileSync(new URL(path, ROOT));
    const folder = path.replace(/^.*\/|\.pt$/g, "");
    assertEquals(withoutId(await bytesOf(encodeTorch(await load(expected), { folder }))), withoutId(expected));
  });
}

for (const folder of ["nested", "training"]) {
  Deno.test(`encodeTorch() writes the values of ${folder}.pt as torch.save does, with what they share`, async () => {
    const expected = Deno.readFileSync(new URL(`tests/fixtures/pickles/${folder}.pt`, ROOT));
    const { root } = await openCheckpoint(expected);
    assertEquals(withoutId(await bytesOf(encodeTorch(root, { folder }))), withoutId(expected));
  });
}

Deno.test("encodeTorch() keeps the versions of a state dict that was taken out of a root", async () => {
  const { root } = await openCheckpoint(new URL("tests/fixtures/pickles/training.pt", ROOT));
  assert(root instanceof Map);
  const again = await openCheckpoint(await bytesOf(encodeTorch({ epoch: 4, model: root.get("model") })));
  assertEquals(again.stateDict().metadata?.get("norm"), new Map([["version", 2]]));
});

Deno.test("encodeTorch() keeps every dtype, and asks for the rare ones by PyTorch's other form", async () => {
  const dict = new StateDict<Tensor>(DTYPE_NAMES.map((dtype) => [dtype, oneTwo(dtype)]));
  const checkpoint = await openCheckpoint(await bytesOf(encodeTorch(dict)));
  for (const [dtype, value] of checkpoint.stateDict()) {
    assert(isLazyTensor(value));
    assertEquals([value.dtype, await value.read()], [dtype, dict.get(dtype)?.bytes()]);
  }
});

Deno.test("encodeTorch() keeps strides, offsets, shared memory and the wish for gradients", async () => {
  const base = tensor([[1, 2, 3], [4, 5, 6]]);
  const dict = { base, turned: base.t(), row: base.select(0, 1), own: new Parameter(zeros([2])), empty: zeros([0, 3]) };
  const read = await openCheckpoint(await bytesOf(encodeTorch(dict)));
  const found = new Map([...read.stateDict()].flatMap(([key, value]) => isLazyTensor(value) ? [[key, value]] : []));
  const of = (key: string): LazyTensor => {
    const value = found.get(key);
    assert(value !== undefined);
    return value;
  };
  assertEquals(["base", "turned", "row", "own", "empty"].map((key) => of(key).storage.id), [
    of("base").storage.id,
    of("base").storage.id,
    of("base").storage.id,
    of("own").storage.id,
    of("empty").storage.id,
  ]);
  assertEquals(new Set([...found.values()].map(({ storage }) => storage.id)).size, 3);
  assertEquals([of("turned").shape, of("turned").strides], [[3, 2], [1, 3]]);
  assertEquals(await of("row").read(), tensor([4, 5, 6]).bytes());
  assertEquals([of("own").requiresGrad, of("base").requiresGrad], [true, false]);
});

Deno.test("encodeTorch() swaps the bytes of a compressed storage wherever its pieces end, and writes it once", async () => {
  const storage = bigEndian(Uint8Array.from({ length: 32 }, (_, i) => i), 3);
  const all = stored(storage, { dtype: "int32", shape: [8] });
  const steps = stored(storage, { dtype: "int32", shape: [2, 2], strides: [1, 4], storageOffset: 2 });
  const read = (await openCheckpoint(await bytesOf(encodeTorch({ all, steps })))).stateDict();
  const found = ["all", "steps"].map((key) => read.get(key) ?? null).filter(isLazyTensor);
  assertEquals(found.map(({ storage, strides }) => [storage.id, strides]), [["data/0", [1]], ["data/0", [1, 4]]]);
  for (const [i, tensor] of [all, steps].entries()) assertEquals(await found[i].read(), await tensor.read());
});

Deno.test("encodeTorch() writes apart what wants other bytes of a storage swapped", async () => {
  const storage = bigEndian(Uint8Array.from({ length: 8 }, (_, i) => i), 8);
  const dict = {
    wide: stored(storage, { dtype: "uint32", shape: [2] }),
    narrow: stored(storage, { dtype: "uint16", shape: [2], storageOffset: 1 }),
    again: stored(storage, { dtype: "uint32", shape: [1], storageOffset: 1 }),
  };
  const read = (await openCheckpoint(await bytesOf(encodeTorch(dict)))).stateDict();
  const ids: string[] = [];
  for (const [key, tensor] of Object.entries(dict)) {
    const found = read.get(key) ?? null;
    assert(isLazyTensor(found));
    assertEquals(await found.read(), await tensor.read(), key);
    ids.push(found.storage.id);
  }
  assertEquals(ids, ["data/0", "data/1", "data/0"]);
});

Deno.test("encodeTorch() takes a module, whose versions it keeps", async () => {
  const model = new Sequential(new Linear(3, 2), new Linear(2, 1));
  const read = (await openCheckpoint(await bytesOf(encodeTorch(model)))).stateDict();
  assertEquals([...read.keys()], ["0.weight", "0.bias", "1.weight", "1.bias"]);
  assertEquals(read.metadata, model.stateDict().metadata);
});

Deno.test("encodeTorch() refuses before the first byte what it cannot write", async () => {
  assertThrows(() => encodeTorch({ f: () => 1 }), TypeError, "Cannot write a function into a pickle");
  const listed = await openCheckpoint(new URL("tests/fixtures/checkpoints/listed.pt", ROOT));
  assertThrows(() => encodeTorch(listed.stateDict()), UnsupportedError, "is listed and not read");
  await listed.close();
  const unknown = { module: "argparse", name: "Namespace", args: [], state: new Map([["lr", 1]]) };
  assertThrows(() => encodeTorch({ args: unknown }), TypeError, "Cannot write argparse.Namespace");
});

Deno.test("encodeTorch() says what is wrong with a medium that fails when it is read", async () => {
  const file = Deno.readFileSync(new URL("examples/data/pretrained.pt", ROOT));
  let fails = false;
  const checkpoint = await openCheckpoint({
    size: file.length,
    read: (offset, length) =>
      fails ? Promise.reject(new Error("unplugged")) : Promise.resolve(file.subarray(offset, offset + length)),
  });
  const stream = encodeTorch(checkpoint.stateDict());
  fails = true;
  await assertRejects(() => bytesOf(stream), Error, "unplugged");
});

async function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A storage of a file whose numbers have their first byte first, compressed so that so many bytes come out at once. */
function bigEndian(bytes: Uint8Array, pieceBytes: number): Storage {
  const source = openMemory(bytes);
  async function* inflate(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield await source.read(at, pieceBytes);
  }
  const about = { id: "data/0", byteLength: bytes.length, offset: null, source: null, fault: null };
  return { ...about, bytes: source, inflate, bigEndian: true };
}

function stored(
  storage: Storage,
  about: Pick<TensorDescription, "dtype" | "shape"> & Partial<TensorDescription>,
): StoredTensor {
  const plain = { strides: contiguousStrides(about.shape), storageOffset: 0, requiresGrad: false };
  return new StoredTensor({ ...plain, ...about, storage }, { format: "torch-zip", limits: DEFAULT_LIMITS });
}

function oneTwo(dtype: DType): Tensor {
  return tensor([1, 2]).to(dtype);
}

/** The file with zeros for the id and its two checksums. */
function withoutId(file: Uint8Array<ArrayBuffer>): string {
  const bytes = file.slice();
  const text = new TextDecoder("latin1").decode(bytes);
  const [local, central] = [text.indexOf(SERIALIZATION_ID.name), text.lastIndexOf(SERIALIZATION_ID.name)];
  const { byteLength, alignment } = SERIALIZATION_ID;
  const start = Math.ceil((local + SERIALIZATION_ID.name.length + 4) / alignment) * alignment;
  bytes.fill(0, start, start + byteLength);
  bytes.fill(0, start + byteLength + 4, start + byteLength + 8);
  const entry = text.lastIndexOf("PK\x01\x02", central);
  bytes.fill(0, entry + 16, entry + 20);
  return bytes.toHex();
}
