import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  CheckpointError,
  LimitError,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { DEFAULT_LIMITS } from "../../src/checkpoint/limits.ts";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import { readSharded } from "../../src/checkpoint/sharded.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { dict, global, int, pickle, tensor, text, torchZip } from "./archive.ts";
import { countingFolder } from "./counting.ts";

const FOLDER = new URL("../fixtures/sharded/", import.meta.url);

interface Expected {
  readonly format: string;
  readonly entries: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly storage: number;
    readonly bytes: string;
  }[];
}

const INDEXES = [
  ["safetensors", "model.safetensors.index.json", "58"],
  ["torch", "pytorch_model.bin.index.json", "124"],
] as const;

for (const [name, index, totalSize] of INDEXES) {
  const folder = new URL(`${name}/`, FOLDER);
  const sources = [
    new URL(index, folder),
    new URL(index, folder).href,
    new URL(index, folder).pathname,
    folder.pathname,
  ];
  for (const source of [...sources, folder.pathname.slice(0, -1), folder, folder.href]) {
    Deno.test(`openCheckpoint() reads the index in ${name} and its files (${String(source).slice(-15)})`, async () => {
      const expected: Expected = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
      const checkpoint = await openCheckpoint(source);
      assertEquals([checkpoint.format, checkpoint.stateDictPaths], [expected.format, [[]]]);
      assertEquals([...checkpoint.metadata], [["total_size", totalSize]]);
      const stateDict = checkpoint.stateDict();
      assertEquals([...stateDict.keys()], expected.entries.map((entry) => entry.name));
      const storages = new Map<string, number>();
      for (const entry of expected.entries) {
        const found = stateDict.get(entry.name);
        assertInstanceOf(found, StoredTensor);
        assertEquals([found.dtype, [...found.shape]], [entry.dtype, [...entry.shape]]);
        assertEquals((await found.read()).toHex(), entry.bytes);
        assertEquals(storages.get(found.storage.id) ?? entry.storage, entry.storage);
        storages.set(found.storage.id, entry.storage);
      }
      assertEquals(storages.size, new Set(expected.entries.map((entry) => entry.storage)).size);
      await checkpoint.close();
      const [first] = stateDict.values();
      assertInstanceOf(first, StoredTensor);
      await assertRejects(() => first.read(), CheckpointError);
    });
  }
}

Deno.test("_metadata of files is joined, and what the index does not name comes last", async () => {
  const checkpoint = await openCheckpoint(new URL("torch/pytorch_model.bin.index.json", FOLDER));
  const { metadata, ...stateDict } = Object.assign(checkpoint.stateDict());
  assertEquals(Object.keys(stateDict), []);
  const versions = [...metadata].map(([path, facts]: [string, Map<string, unknown>]) => [path, facts.get("version")]);
  assertEquals(versions, [["", 1], ["head", 2], ["norm", 3]]);
  assertEquals([...checkpoint.stateDict().keys()].at(-1), "norm.count");
  await checkpoint.close();
});

Deno.test("opening reads headers, and a read the bytes of one tensor in one file", async () => {
  const folder = new URL("safetensors/", FOLDER);
  const counting = await countingFolder(folder);
  const index = await counting.open("model.safetensors.index.json");
  const { root } = await readSharded(index, {
    folder: counting,
    limits: DEFAULT_LIMITS,
    readShard: async (shard) => {
      const { tensors, metadata } = await readSafetensors(shard, DEFAULT_LIMITS);
      return { format: "safetensors", root: tensors, metadata };
    },
  });
  assert(root instanceof Map);
  const tensors = [...root.values()].map((value) => {
    assertInstanceOf(value, StoredTensor);
    return value;
  });
  for (const { location } of tensors) {
    assert(location !== null);
    const { source, offset } = location;
    for (const read of counting.reads.filter(({ file }) => file === source.name)) {
      assert(read.offset + read.length <= offset);
    }
  }
  counting.reads.length = 0;
  await tensors[1].read();
  assertEquals(counting.reads.map(({ file, length }) => [file, length]), [["model-00001-of-00002.safetensors", 6]]);
});

/** A safetensors file of one-byte tensors. */
function safetensors(...names: readonly string[]): Uint8Array<ArrayBuffer> {
  const rows = names.map((name, i) => [name, { dtype: "U8", shape: [1], data_offsets: [i, i + 1] }]);
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(rows)));
  return Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...header, ...names.keys());
}

function torch(...names: readonly string[]): Uint8Array<ArrayBuffer> {
  const entries = Object.fromEntries(names.map((name) => [name, tensor()]));
  return torchZip(pickle(dict(entries), "."), { 0: new Uint8Array(16) });
}

type Files = Readonly<Record<string, Uint8Array | string>>;

async function inFolder(files: Files, work: (folder: string) => Promise<unknown>): Promise<void> {
  const folder = await Deno.makeTempDir();
  for (const [name, data] of Object.entries(files)) {
    await Deno.writeFile(`${folder}/${name}`, typeof data === "string" ? new TextEncoder().encode(data) : data);
  }
  await work(folder);
  await Deno.remove(folder, { recursive: true });
}

function index(weightMap: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ metadata: { total_size: 2 }, weight_map: weightMap });
}

const NAME = "model.safetensors.index.json";

type Refusal = readonly [
  name: string,
  Files,
  message: string,
  error?: typeof CheckpointError | typeof UnsupportedError,
];

const REFUSALS: readonly Refusal[] = [
  ["a missing file", { [NAME]: index({ a: "1.safetensors" }) }, 'its file "1.safetensors" is missing'],
  [
    "a missing file beside one that is there",
    { [NAME]: index({ a: "1.safetensors", b: "2.safetensors" }), "1.safetensors": safetensors("a") },
    'its file "2.safetensors" is missing',
  ],
  [
    "a tensor that is not in its file",
    { [NAME]: index({ a: "1.safetensors", b: "1.safetensors" }), "1.safetensors": safetensors("a") },
    'tensor "b" is not in "1.safetensors"',
  ],
  [
    "a tensor that is in another file",
    {
      [NAME]: index({ a: "1.safetensors", b: "1.safetensors", c: "2.safetensors" }),
      "1.safetensors": safetensors("a"),
      "2.safetensors": safetensors("b", "c"),
    },
    'tensor "b" is not in "1.safetensors"',
  ],
  [
    "a tensor that is in two files",
    {
      [NAME]: index({ a: "1.safetensors", b: "2.safetensors" }),
      "1.safetensors": safetensors("a"),
      "2.safetensors": safetensors("a", "b"),
    },
    'tensor "a" is in "1.safetensors" and in "2.safetensors"',
  ],
  ["a path upwards", { [NAME]: index({ a: "../1.safetensors" }) }, "it leads through another folder"],
  ["an absolute path", { [NAME]: index({ a: "/etc/passwd" }) }, "it is absolute"],
  ["a URL", { [NAME]: index({ a: "http://localhost/1.safetensors" }) }, "it has a colon"],
  ["a backslash", { [NAME]: index({ a: "..\\1.safetensors" }) }, "it has a backslash"],
  ["a NUL", { [NAME]: index({ a: "1.safetensors\0" }) }, "it has a character that no name has"],
  ["a file without a name", { [NAME]: index({ a: 3 }) }, 'tensor "a" is in a file that has no name'],
  ["a name that is there twice", { [NAME]: '{"weight_map":{"a":"1","a":"2"}}' }, 'the name "a" for the second time'],
  ["no weight_map", { [NAME]: '{"metadata":{}}' }, "it has no weight_map"],
  ["a weight_map that is a list", { [NAME]: '{"weight_map":[]}' }, "it has no weight_map"],
  ["half an index", { [NAME]: '{"weight_map":{"a":"1.safe' }, "it is not JSON"],
  [
    "an index in an index",
    { [NAME]: index({ a: "b.index.json" }), "b.index.json": index({ a: "c" }) },
    "was named by one itself",
    CheckpointError,
  ],
  [
    "a Git LFS pointer instead of a file",
    { [NAME]: index({ a: "1.safetensors" }), "1.safetensors": "version https://git-lfs.github.com/spec/v1\nsize 9\n" },
    'in its file "1.safetensors": Cannot read',
  ],
  [
    "a damaged file",
    { [NAME]: index({ a: "1.safetensors" }), "1.safetensors": safetensors("a").slice(0, -1) },
    'in its file "1.safetensors": Cannot read the safetensors file: the tensors need 1 bytes',
  ],
  [
    "a truncated file",
    { [NAME]: index({ a: "1.pt" }), "1.pt": torch("a").slice(0, 12) },
    'in its file "1.pt": ',
  ],
  [
    "files of two formats",
    { [NAME]: index({ a: "1.safetensors", b: "2.bin" }), "1.safetensors": safetensors("a"), "2.bin": torch("b") },
    '"1.safetensors" is safetensors and "2.bin" is torch-zip',
  ],
  [
    "a file with something else than a dict",
    { [NAME]: index({ a: "1.bin" }), "1.bin": torchZip(pickle(int(3), ".")) },
    'its file "1.bin" holds no dict',
  ],
  [
    "a part of a distributed checkpoint",
    { [NAME]: index({ a: "1.distcp" }), "1.distcp": torch("a") },
    "one of several files",
    UnsupportedError,
  ],
];

for (const [name, files, message, type = CheckpointError] of REFUSALS) {
  Deno.test(`an index is refused for ${name}`, async () => {
    await inFolder(files, async (folder) => {
      const error = await assertRejects(() => openCheckpoint(`${folder}/${NAME}`), Error, message);
      assertEquals(error.constructor, type);
      assert(error.message.includes(NAME), error.message);
    });
  });
}

Deno.test("errors in a file keep their class and fields, and the file is their entry", async () => {
  await inFolder({ [NAME]: index({ a: "1.pt" }), "1.pt": torch("a") }, async (folder) => {
    const limits = { metadataBytes: 5 };
    const error = await assertRejects(() => openCheckpoint(`${folder}/${NAME}`, { limits }), LimitError, "1.pt");
    assertEquals([error.limit, error.allowed, error.cause instanceof LimitError], ["metadataBytes", 5, true]);
  });
  const files = { [NAME]: index({ a: "1.safetensors" }), "1.safetensors": '{"a":1}' };
  await inFolder(files, async (folder) => {
    const error = await assertRejects(() => openCheckpoint(`${folder}/${NAME}`), CheckpointError);
    assertEquals(error.entry, "1.safetensors");
  });
  const short = Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b);
  await inFolder({ [NAME]: index({ a: "1.safetensors" }), "1.safetensors": short }, async (folder) => {
    await assertRejects(() => openCheckpoint(`${folder}/${NAME}`), CheckpointError, "incomplete");
  });
  await inFolder({ [NAME]: index({ a: "1.pt" }), "1.pt": torch("a").slice(0, 30) }, async (folder) => {
    const error = await assertRejects(() => openCheckpoint(`${folder}/${NAME}`), Error, "1.pt");
    assert(error instanceof CheckpointError || error instanceof TruncatedError);
  });
});

Deno.test("limits: files, names, bytes of the index", async () => {
  const files = {
    [NAME]: index({ a: "1.safetensors", b: "2.safetensors" }),
    "1.safetensors": safetensors("a"),
    "2.safetensors": safetensors("b"),
  };
  await inFolder(files, async (folder) => {
    for (const limits of [{ shards: 1 }, { entries: 1 }, { headerBytes: 60 }]) {
      await assertRejects(() => openCheckpoint(`${folder}/${NAME}`, { limits }), LimitError, Object.keys(limits)[0]);
    }
    const checkpoint = await openCheckpoint(`${folder}/${NAME}`, { limits: { shards: 2, entries: 2 } });
    assertEquals([...checkpoint.stateDict().keys()], ["a", "b"]);
    await checkpoint.close();
  });
});

Deno.test("an index is known by its name where much comes before its weight_map, and keeps what that was", async () => {
  const metadata = { note: "x".repeat(600), total_size: 1, more: [1.5, true, null, { a: "b" }] };
  const text = JSON.stringify({ metadata, weight_map: { a: "below/1.bin" } });
  await inFolder({ "model.safetensors.index.fp16.json": text }, async (folder) => {
    await Deno.mkdir(`${folder}/below`);
    await Deno.writeFile(`${folder}/below/1.bin`, safetensors("a"));
    const checkpoint = await openCheckpoint(folder);
    assertEquals(checkpoint.format, "safetensors-sharded");
    assertEquals(checkpoint.metadata.get("total_size"), "1");
    assertEquals(checkpoint.metadata.get("note"), metadata.note);
    assertEquals(checkpoint.metadata.get("more"), '[1.5,true,null,{"a":"b"}]');
    await checkpoint.close();
  });
});

Deno.test("nothing in a file of an index is called, and storages inside of values have names of their own", async () => {
  const value = pickle(global("os", "system"), "(", text("true"), "tR");
  const state = (name: string) =>
    torchZip(
      pickle(dict({ [name]: tensor(), [`${name}._extra_state`]: pickle("]", tensor(), "a", value, "a") }), "."),
      { 0: new Uint8Array(16) },
    );
  const files = { [NAME]: index({ a: "1.bin", b: "2.bin" }), "1.bin": state("a"), "2.bin": state("b") };
  await inFolder(files, async (folder) => {
    const checkpoint = await openCheckpoint(`${folder}/${NAME}`);
    const ids = ["a", "b"].map((name) => {
      const extra = checkpoint.stateDict().get(`${name}._extra_state`);
      assert(Array.isArray(extra));
      assertInstanceOf(extra[0], StoredTensor);
      assertEquals([extra[1].module, extra[1].name], ["os", "system"]);
      return extra[0].storage.id;
    });
    assertEquals(ids, ["1.bin/data/0", "2.bin/data/0"]);
    await checkpoint.close();
  });
});

Deno.test("a folder is opened where it has one checkpoint, and not guessed about", async () => {
  await inFolder({ "README.md": "x" }, async (folder) => {
    const error = await assertRejects(() => openCheckpoint(folder), UnsupportedError, "without a checkpoint");
    assertEquals(error.feature, "folder");
  });
  await inFolder({ "a.safetensors": safetensors("a"), "README.md": "x" }, async (folder) => {
    const checkpoint = await openCheckpoint(folder);
    assertEquals(checkpoint.format, "safetensors");
    await checkpoint.close();
  });
  await inFolder({ "a.safetensors": safetensors("a"), "b.bin": torch("b") }, async (folder) => {
    await assertRejects(() => openCheckpoint(folder), UnsupportedError, "with 2 checkpoints (a.safetensors, b.bin)");
  });
  const both = { [NAME]: index({}), "pytorch_model.bin.index.json": index({}) };
  await inFolder(both, async (folder) => {
    await assertRejects(() => openCheckpoint(`file://${folder}`), UnsupportedError, "with 2 checkpoints");
    const empty = await openCheckpoint(`${folder}/${NAME}`);
    assertEquals([empty.format, empty.stateDict().size], ["safetensors-sharded", 0]);
    await empty.close();
  });
});
