import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  CheckpointError,
  LimitError,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { openMemory } from "../../src/bytes/memory.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/checkpoint/limits.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { readTorchDistributed } from "../../src/checkpoint/torch_distributed.ts";
import type { Inert } from "../../src/state_dict.ts";
import { dict, global, int, pickle, storage, tensor, text, torchZip, tuple } from "./archive.ts";
import { countingFiles, countingFolder } from "./counting.ts";

const FOLDER = new URL("../fixtures/distributed/", import.meta.url);

interface Row {
  readonly path: readonly (string | number)[];
  readonly type?: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

const PATHS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  single: [["model"]],
  mesh: [["model"]],
  flat: [[]],
};

for (const [name, paths] of Object.entries(PATHS)) {
  const folder = new URL(`${name}/`, FOLDER);
  for (const source of [folder.pathname, folder, `${folder.pathname}.metadata`, new URL(".metadata", folder).href]) {
    Deno.test(`openCheckpoint() reads ${name} as dcp_to_torch_save does (${String(source).slice(-15)})`, async () => {
      const { rows, version } = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
      const checkpoint = await openCheckpoint(source);
      assertEquals([checkpoint.format, [...checkpoint.metadata]], ["torch-distributed", [["version", version]]]);
      assertEquals(checkpoint.stateDictPaths, paths);
      const leaves = [...leavesOf(checkpoint.root, [])];
      assertEquals(leaves.map(([path]) => path), rows.map(({ path }: Row) => path));
      for (const [i, [, value]] of leaves.entries()) await compare(value, rows[i]);
      await checkpoint.close();
    });
  }
}

async function compare(value: Inert, row: Row): Promise<void> {
  if (row.type !== undefined) {
    return assertEquals(row.type, value === null ? "NoneType" : typeof value === "number" ? "int" : typeof value);
  }
  assertInstanceOf(value, StoredTensor);
  assertEquals([value.dtype, [...value.shape]], [row.dtype, [...row.shape]]);
  assertEquals((await value.read()).toHex(), row.bytes);
  const target = new Uint8Array(value.byteLength);
  await value.readInto(target);
  assertEquals(target.toHex(), row.bytes);
}

function* leavesOf(value: Inert, path: readonly unknown[]): Iterable<[readonly unknown[], Inert]> {
  if (value instanceof Map) { for (const [key, item] of value) yield* leavesOf(item, [...path, key]); }
  else if (Array.isArray(value)) { for (const [i, item] of value.entries()) yield* leavesOf(item, [...path, i]); }
  else yield [path, value];
}

function tensorAt(root: Inert, ...path: readonly string[]): StoredTensor {
  let value: Inert | undefined = root;
  for (const step of path) value = value instanceof Map ? value.get(step) : undefined;
  assertInstanceOf(value, StoredTensor);
  return value;
}

Deno.test("opening reads no tensor, and a read each of its chunks once", async () => {
  const folder = await countingFolder(new URL("mesh/", FOLDER));
  const { root } = await readTorchDistributed(await folder.open(".metadata"), { folder, limits: DEFAULT_LIMITS });
  assertEquals([...new Set(folder.reads.map(({ file }) => file))], [".metadata"]);
  folder.reads.length = 0;
  await tensorAt(root, "model", "grid").read();
  assertEquals(folder.reads.map(({ file }) => file).sort(), [0, 1, 2, 3].map((rank) => `__${rank}_0.distcp`));
  folder.reads.length = 0;
  await tensorAt(root, "model", "tiny").read();
  assertEquals(folder.reads.length, 1);
});

// --- Metadata written by hand -----------------------------------------------------------------------------------------

const MODULE = "torch.distributed.checkpoint.metadata";

function object(module: string, name: string, state: Uint8Array): Uint8Array {
  return pickle(global(module, name), ")\x81", state, "b");
}

function size(...sizes: readonly number[]): Uint8Array {
  return pickle(global("torch", "Size"), "(", tuple(...sizes.map(int)), "tR");
}

interface ChunkSpec {
  readonly at: readonly number[];
  readonly sizes: readonly number[];
  readonly file?: string;
  readonly offset?: number;
  readonly length?: number;
  readonly transforms?: Uint8Array;
  readonly nowhere?: true;
}

interface TensorSpec {
  readonly shape: readonly number[];
  readonly chunks: readonly ChunkSpec[];
  readonly dtype?: string;
  readonly layout?: string;
}

interface ValueSpec {
  readonly file?: string;
  readonly offset?: number;
  readonly length: number;
}

type Spec = TensorSpec | ValueSpec;

interface Options {
  readonly planner?: Readonly<Record<string, Uint8Array>>;
  readonly extra?: Uint8Array;
}

/** A `.metadata` that says this. */
function metadata(specs: Readonly<Record<string, Spec>>, { planner, extra = pickle() }: Options = {}): Uint8Array {
  const described: [string, Uint8Array][] = [];
  const stored: Uint8Array[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    if (!("chunks" in spec)) {
      described.push([name, object(MODULE, "BytesStorageMetadata", pickle("}"))]);
      stored.push(index(name, null), place(spec));
      continue;
    }
    const { dtype = "float32", layout = "torch.strided" } = spec;
    const layoutValue = pickle(global("torch.serialization", "_get_layout"), tuple(text(layout)), "R");
    const properties = tuple(global("torch", dtype), layoutValue, pickle(0x89), pickle("N"), pickle(0x89));
    const chunks = spec.chunks.map(({ at, sizes }) => {
      return object(MODULE, "ChunkStorageMetadata", dict({ offsets: size(...at), sizes: size(...sizes) }));
    });
    const fields = {
      properties: object(MODULE, "TensorProperties", properties),
      size: size(...spec.shape),
      chunks: pickle("](", ...chunks, "e"),
    };
    described.push([name, object(MODULE, "TensorStorageMetadata", dict(fields))]);
    for (const chunk of spec.chunks) if (!chunk.nowhere) stored.push(index(name, chunk.at), place(chunk));
  }
  const fields = {
    state_dict_metadata: dict(Object.fromEntries(described)),
    planner_data: planner === undefined ? pickle("N") : dict(planner),
    storage_data: pickle("}(", ...stored, extra, "u"),
  };
  return pickle("\x80\x04", object(MODULE, "Metadata", dict(fields)), ".");
}

function index(name: string, at: readonly number[] | null): Uint8Array {
  const offset = at === null ? pickle("N") : size(...at);
  return object(MODULE, "MetadataIndex", dict({ fqn: text(name), offset }));
}

function place(
  { file = "__0_0.distcp", offset = 0, length = ITEM.length, transforms }: Partial<ChunkSpec>,
): Uint8Array {
  const fields = { relative_path: text(file), offset: int(offset), length: int(length) };
  const descriptors: Record<string, Uint8Array> = transforms === undefined ? {} : { transform_descriptors: transforms };
  return object("torch.distributed.checkpoint.filesystem", "_StorageInfo", dict({ ...fields, ...descriptors }));
}

function floats(first: number, count: number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, i) => first + i).buffer);
}

/** What `torch.save` writes of a tensor with these values. */
function itemOf(first: number, shape: readonly number[], strides: readonly number[]): Uint8Array {
  const numel = shape.reduce((product, size) => product * size, 1);
  return torchZip(pickle(tensor({ from: storage({ numel }), shape, strides }), "."), { 0: floats(first, numel) });
}

/** Four floats: 0, 1, 2, 3. */
const ITEM = itemOf(0, [4], [1]);

const WHOLE: TensorSpec = { shape: [4], chunks: [{ at: [0], sizes: [4] }] };

async function open(
  bytes: Uint8Array,
  files: Readonly<Record<string, Uint8Array>> = { "__0_0.distcp": ITEM },
  limits: Partial<Limits> = {},
) {
  const folder = countingFiles(new Map(Object.entries(files)));
  const options = { folder, limits: { ...DEFAULT_LIMITS, ...limits } };
  const content = await readTorchDistributed(openMemory(bytes, ".metadata"), options);
  return { ...content, reads: folder.reads };
}

Deno.test("a .metadata written by hand is read as PyTorch's own is", async () => {
  const { root, metadata: texts } = await open(metadata({ w: WHOLE }));
  assertEquals(await tensorAt(root, "w").read(), floats(0, 4));
  assertEquals([...texts], []);
});

Deno.test("a part of a large tensor reads its own range of each chunk", async () => {
  const rows = 300;
  const [left, right] = [itemOf(0, [rows, 100], [100, 1]), itemOf(1e6, [rows, 60], [60, 1])];
  const spec = {
    shape: [rows, 160],
    chunks: [{ at: [0, 0], sizes: [rows, 100], length: left.length }, {
      at: [0, 100],
      sizes: [rows, 60],
      file: "__1_0.distcp",
      offset: 7,
      length: right.length,
    }],
  };
  const files = { "__0_0.distcp": left, "__1_0.distcp": Uint8Array.of(1, 2, 3, 4, 5, 6, 7, ...right) };
  const { root, reads } = await open(metadata({ w: spec }), files);
  assertEquals(reads.length, 0);
  const w = tensorAt(root, "w");
  const { location } = w;
  assert(location !== null);
  await location.source.read(0, 160 * 4);
  const opening = reads.reduce((sum, { length }) => sum + length, 0);
  assert(opening < left.length, `${opening} bytes`);
  reads.length = 0;
  // Rows 10 and 11: the zips were looked into before.
  const bytes = await location.source.read(10 * 160 * 4, 2 * 160 * 4);
  const found = new Float32Array(bytes.slice().buffer);
  assertEquals([found[0], found[99], found[100], found[159], found[160], found[319]], [
    1000,
    1099,
    1e6 + 600,
    1e6 + 659,
    1100,
    1e6 + 719,
  ]);
  const data = reads.filter(({ length }) => length === 2 * 100 * 4 || length === 2 * 60 * 4);
  assertEquals(data.map(({ file }) => file), ["__0_0.distcp", "__1_0.distcp"]);
  assertEquals(reads.filter(({ file }) => file === "__0_0.distcp").length, 1);
  assertEquals((await w.read()).length, w.byteLength);
});

Deno.test("nothing in a checkpoint is called", async () => {
  const call = pickle(global("os", "system"), "(", text("true"), "tR");
  const value = torchZip(pickle(call, "."));
  const { root } = await open(metadata({ w: WHOLE, v: { file: "v", length: value.length } }), {
    "__0_0.distcp": ITEM,
    v: value,
  });
  assert(root instanceof Map);
  assertEquals(root.get("v"), { module: "os", name: "system", args: ["true"] });
  await assertRejects(() => open(pickle(call, ".")), CheckpointError, "where a Metadata must be");
});

Deno.test("paths of planner_data make dicts and lists, filled with None", async () => {
  const planner = { w: tuple(text("a"), int(2), text("b")) };
  const { root } = await open(metadata({ w: WHOLE }, { planner }));
  assert(root instanceof Map);
  const list = root.get("a");
  assert(Array.isArray(list));
  assertEquals([list.length, list[0], list[1]], [3, null, null]);
  assertInstanceOf(list[2].get("b"), StoredTensor);
});

Deno.test("what is listed and not read says why when it is read", async () => {
  const transforms = pickle("](", text("stream.zstd"), "e");
  const compressed = metadata({ w: { shape: [4], chunks: [{ at: [0], sizes: [4], transforms }] } });
  const error = await assertRejects(
    async () => await tensorAt((await open(compressed)).root, "w").read(),
    UnsupportedError,
    "written through the transform stream.zstd",
  );
  assertEquals(error.feature, "DCP transform stream.zstd");
  const sparse = metadata({ w: { ...WHOLE, layout: "torch.sparse_coo" } });
  await assertRejects(
    async () => await tensorAt((await open(sparse)).root, "w").read(),
    UnsupportedError,
    "sparse_coo",
  );
});

const TWO: readonly ChunkSpec[] = [{ at: [0], sizes: [2] }, { at: [2], sizes: [2], offset: ITEM.length }];

type Refusal = readonly [name: string, bytes: Uint8Array, message: string];

const REFUSALS: readonly Refusal[] = [
  ["a gap", metadata({ w: { shape: [5], chunks: TWO } }), 'tensor "w": its 2 chunks have 4 elements, [5] has 5'],
  ["an overlap", metadata({ w: { shape: [3], chunks: [TWO[0], { ...TWO[1], at: [1] }] } }), "they overlap"],
  [
    "an overlap beside a gap",
    metadata({ w: { shape: [4], chunks: [TWO[0], { ...TWO[1], at: [1] }] } }),
    "they overlap, and leave a gap",
  ],
  ["a chunk outside", metadata({ w: { shape: [3], chunks: TWO } }), "[2] of [2] is not inside of [3]"],
  [
    "a chunk that is stored nowhere",
    metadata({ w: { shape: [4], chunks: [{ at: [0], sizes: [4], nowhere: true }] } }),
    'the chunk [0] of [4] of "w" is stored nowhere',
  ],
  [
    "a chunk that its item cannot hold",
    metadata({ w: { shape: [4000], chunks: [{ at: [0], sizes: [4000] }] } }),
    "needs 16000 bytes",
  ],
  [
    "two items that overlap",
    metadata({ w: { shape: [4], chunks: [TWO[0], { ...TWO[1], offset: ITEM.length - 1 }] } }),
    "two items overlap",
  ],
  [
    "a place that is said twice",
    metadata({ w: WHOLE }, { extra: pickle(index("w", [0]), place({ offset: 9999 })) }),
    'the place of "w" is said twice',
  ],
  ["a value that is stored nowhere", pickleWithoutPlace(), '"v" is stored nowhere'],
  [
    "a missing file",
    metadata({ w: { shape: [4], chunks: [{ at: [0], sizes: [4], file: "x" }] } }),
    'its file "x" is missing',
  ],
  [
    "a path out of the folder",
    metadata({ w: { shape: [4], chunks: [{ at: [0], sizes: [4], file: "../x" }] } }),
    "it leads through another folder",
  ],
  ["an unknown dtype", metadata({ w: { ...WHOLE, dtype: "float99" } }), "no dtype that is known"],
  [
    "a tensor larger than any file",
    metadata({ w: { shape: Array(4).fill(2 ** 30), chunks: [] } }),
    "larger than any file",
  ],
  [
    "a path through a value",
    metadata({ w: WHOLE, e: emptyTensor(), f: emptyTensor() }, { planner: { e: tuple(text("w"), text("x")) } }),
    'the path of "e" leads to, or through, another value',
  ],
  [
    "two values at one path",
    metadata({ w: WHOLE, e: emptyTensor() }, { planner: { e: tuple(text("w")) } }),
    'the path of "e" leads to',
  ],
  [
    "a value where others are nested",
    metadata({ e: emptyTensor(), w: WHOLE }, { planner: { e: tuple(text("w"), text("x")) } }),
    'the path of "w" leads to',
  ],
  [
    "text as a step in a list",
    metadata({ e: emptyTensor(), w: WHOLE }, {
      planner: { e: tuple(text("l"), int(0)), w: tuple(text("l"), text("a")) },
    }),
    'the path of "w" leads to',
  ],
  ["a path that is none", metadata({ w: WHOLE }, { planner: { w: int(3) } }), 'the path of "w" is not a tuple'],
  ["a pickle of another class", pickle(object("torch", "Metadata", dict({})), "."), "where a Metadata must be"],
  ["a storage", pickle(tensor(), "."), "it refers to a storage"],
  ["no storage_data", pickle(object(MODULE, "Metadata", dict({})), "."), "it has no storage_data"],
];

function emptyTensor(): TensorSpec {
  return { shape: [0], chunks: [] };
}

function pickleWithoutPlace(): Uint8Array {
  const described = dict({ v: object(MODULE, "BytesStorageMetadata", pickle("}")) });
  const fields = { state_dict_metadata: described, storage_data: pickle("}") };
  return pickle(object(MODULE, "Metadata", dict(fields)), ".");
}

for (const [name, bytes, message] of REFUSALS) {
  Deno.test(`a distributed checkpoint is refused for ${name}`, async () => {
    const files = { "__0_0.distcp": new Uint8Array([...ITEM, ...ITEM]) };
    const error = await assertRejects(() => open(bytes, files), CheckpointError, message);
    assertEquals(error.format, "torch-distributed");
  });
}

Deno.test("a file that is too short is refused at opening", async () => {
  const files = { "__0_0.distcp": ITEM.slice(0, -1) };
  const error = await assertRejects(
    () => open(metadata({ w: WHOLE }), files),
    TruncatedError,
    '"__0_0.distcp" is incomplete',
  );
  assertEquals([error.offset, error.wanted, error.got], [0, ITEM.length, ITEM.length - 1]);
});

Deno.test("an item that is not the chunk is refused when it is prepared or read", async () => {
  const wrong: readonly (readonly [Uint8Array, string])[] = [
    [itemOf(0, [2, 2], [2, 1]), "is float32 [2, 2], expected float32"],
    [torchZip(pickle(tuple(int(1)), "."), { 0: new Uint8Array(99) }), "is no tensor"],
    [new Uint8Array(ITEM.length), 'in its file "__0_0.distcp": '],
    [torchZip(pickle(tensor(), "."), { 0: new Uint8Array(8) }), "the storage has 8 bytes, the pickle says 16"],
  ];
  for (const [item, message] of wrong) {
    const bytes = metadata({ w: { shape: [4], chunks: [{ at: [0], sizes: [4], length: item.length }] } });
    const { root } = await open(bytes, { "__0_0.distcp": item });
    await assertRejects(() => tensorAt(root, "w").prepare(), CheckpointError, message);
    await assertRejects(() => tensorAt(root, "w").read(), CheckpointError, message);
  }
  const doubles = metadata({ w: { ...WHOLE, dtype: "float64" } });
  await assertRejects(
    async () => await tensorAt((await open(doubles)).root, "w").read(),
    CheckpointError,
    "is float32 [4], expected float64",
  );
});

Deno.test("preparing looks into every chunk and reads no elements", async () => {
  const files = ["__0_0.distcp", "__1_0.distcp"];
  const item = itemOf(0, [2, 50_000], [50_000, 1]);
  const chunks = files.map((file, i) => ({ at: [2 * i, 0], sizes: [2, 50_000], file, length: item.length }));
  const { root, reads } = await open(
    metadata({ w: { shape: [4, 50_000], chunks } }),
    Object.fromEntries(files.map((file) => [file, item])),
  );
  await tensorAt(root, "w").prepare();
  assertEquals([...new Set(reads.map(({ file }) => file))].sort(), files);
  assert(reads.reduce((sum, { length }) => sum + length, 0) < item.length / 10);
});

Deno.test("limits: the bytes of .metadata, its entries, files, lists and paths", async () => {
  const bytes = metadata({ w: WHOLE, e: emptyTensor() }, { planner: { w: tuple(text("l"), int(1000)) } });
  const exceeded: Partial<Limits>[] = [{ metadataBytes: 9 }, { entries: 1 }, { entries: 999 }, { shards: 0 }, {
    depth: 1,
  }];
  for (const limits of exceeded) {
    await assertRejects(() => open(bytes, undefined, limits), LimitError, Object.keys(limits)[0]);
  }
  await open(bytes, undefined, { entries: 1000, shards: 1 });
  const deep = metadata({ w: WHOLE }, { planner: { w: tuple(...Array(20).fill(text("a"))) } });
  await assertRejects(() => open(deep, undefined, { depth: 19 }), LimitError, 'the path of "w"');
  await open(deep, undefined, { depth: 20 });
});

Deno.test("one file of a distributed checkpoint says that it is one", async () => {
  const error = await assertRejects(
    () => openCheckpoint(new URL("mesh/__0_0.distcp", FOLDER)),
    UnsupportedError,
    "open the folder they are in",
  );
  assertEquals(error.feature, "torch-distributed");
});
