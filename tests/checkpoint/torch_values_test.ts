import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import {
  CheckpointError,
  type Inert,
  LimitError,
  type Limits,
  openCheckpoint,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { isDict } from "../../src/checkpoint/inert.ts";
import { type InertObject, isLazyTensor } from "../../src/state_dict.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { dict, global, int, pickle, storage, tensor, text, torchZip, tuple } from "./archive.ts";

const DATA = new Uint8Array(16);

async function rootOf(program: Uint8Array, limits: Partial<Limits> = {}): Promise<Inert> {
  return (await openCheckpoint(torchZip(pickle(program, "."), { 0: DATA }), { limits })).root;
}

const call = (module: string, name: string, ...args: Uint8Array[]) => pickle(global(module, name), tuple(...args), "R");
const list = (...items: Uint8Array[]) => pickle("](", ...items, "e");

Deno.test("every value of values.pt is what design §2 says", async () => {
  const file = new URL("../fixtures/checkpoints/values.pt", import.meta.url);
  const { root } = await openCheckpoint(await Deno.readFile(file));
  const value = (key: string): Inert => (isDict(root) ? root.get(key) : undefined) ?? null;
  assertEquals(value("ints"), [
    ...[0, -1, 255, 65535, -(2 ** 31), 2 ** 31, 2 ** 53 - 1],
    ...[-(2n ** 53n), 2n ** 53n, 2n ** 200n, -(2n ** 63n)],
  ]);
  assertEquals(value("floats"), [0.5, -0, Infinity, 1e300]);
  assertEquals(value("bools"), [true, false, null]);
  assertEquals([value("bytes"), value("no_bytes")], [Uint8Array.of(0, 0x7f, 0xff), new Uint8Array(0)]);
  assertEquals(value("bytearray"), Uint8Array.of(97, 98));
  assertEquals([value("set"), value("frozenset")], [new Set([1]), new Set([2])]);
  assertEquals(value("complex"), { module: "builtins", name: "complex", args: [1, 2] });
  assertEquals(value("dtype"), { module: "torch", name: "float16" });
  assertEquals(value("device"), { module: "torch", name: "device", args: ["cuda", 1] });
  assertEquals(value("size"), [2, 3]);
  const cycle = value("cycle");
  assertStrictEquals(Array.isArray(cycle) && cycle[1], cycle);
  assertEquals([value("counter"), value("default")], [new Map([["x", 2]]), new Map([["k", [1]]])]);
  const deque: InertObject = { module: "collections", name: "deque", args: [[], 3], items: [1, 2] };
  assertEquals(value("deque"), deque);
  assertEquals(value("path"), { module: "pathlib", name: "PurePosixPath", args: ["a", "b"] });
  assertEquals(value("enum"), { module: "generators.checkpoints", name: "Colour", args: [1] });
  const namespace = { module: "argparse", name: "Namespace", args: [], state: new Map([["lr", 0.1]]) };
  assertEquals(value("namespace"), namespace);
  assertEquals(value("class"), { module: "generators.checkpoints", name: "Net" });
  assertEquals(value("int_keys"), new Map<Inert, Inert>([[1, "a"], [[1, 2], "b"]]));
  assertEquals(value("storage"), { module: "torch.storage", name: "UntypedStorage", args: ["1", "cpu", 2] });
});

Deno.test("names outside of the allow-list are records, and nothing is called", async () => {
  assertEquals(await rootOf(call("os", "system", text("touch owned"))), {
    module: "os",
    name: "system",
    args: ["touch owned"],
  });
  assertEquals(await rootOf(call("builtins", "eval", text("1"))), { module: "builtins", name: "eval", args: ["1"] });
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    assertEquals(await rootOf(call("Object", name)), { module: "Object", name, args: [] });
    assertEquals(await rootOf(call("", name)), { module: "", name, args: [] });
  }
  // The result of one call called again, as getattr(x, "y")() is.
  const twice = pickle(call("builtins", "getattr", text("x"), text("y")), ")R");
  const inner = { module: "builtins", name: "getattr", args: ["x", "y"] };
  assertEquals(await rootOf(twice), { module: "operator", name: "call", args: [inner] });
});

Deno.test("Python 2's names are Python 3's", async () => {
  assertEquals(await rootOf(call("__builtin__", "set", list(int(1)))), new Set([1]));
  assertEquals(await rootOf(global("__builtin__", "unicode")), { module: "builtins", name: "str" });
  const reconstructed = call(
    "copy_reg",
    "_reconstructor",
    global("m", "C"),
    global("__builtin__", "object"),
    pickle("N"),
  );
  assertEquals(await rootOf(pickle(reconstructed, dict({ a: int(1) }), "b")), {
    module: "m",
    name: "C",
    args: [],
    state: new Map([["a", 1]]),
  });
  const dictLike = call(
    "copy_reg",
    "_reconstructor",
    global("m", "D"),
    global("__builtin__", "dict"),
    dict({ a: int(1) }),
  );
  const items: InertObject = { module: "m", name: "D", args: [], items: new Map([["a", 1], ["b", 2]]) };
  assertEquals(await rootOf(pickle(dictLike, text("b"), int(2), "s")), items);
});

const TENSORS: readonly (readonly [string, Uint8Array, Partial<StoredTensor>])[] = [
  [
    "torch._utils._rebuild_tensor",
    call("torch._utils", "_rebuild_tensor", storage(), int(1), tuple(int(3)), tuple(int(1))),
    {
      shape: [3],
      byteLength: 12,
    },
  ],
  ["a parameter without flag", call("torch.nn.parameter", "Parameter", tensor()), { requiresGrad: true }],
  [
    "_rebuild_from_type_v2",
    call(
      "torch._tensor",
      "_rebuild_from_type_v2",
      global("torch._utils", "_rebuild_tensor_v2"),
      global("m", "Sub"),
      tuple(storage(), int(0), tuple(int(2), int(2)), tuple(int(2), int(1)), pickle(0x88), pickle("N")),
      dict({ note: int(1) }),
    ),
    { shape: [2, 2], requiresGrad: true },
  ],
  [
    "an old tensor: a class without arguments, then BUILD",
    pickle(global("torch", "FloatTensor"), ")R", tuple(storage(), int(0), tuple(int(4)), tuple(int(1))), "b"),
    { shape: [4], dtype: "float32" },
  ],
  [
    "an old parameter: BUILD with 5 values",
    pickle(
      global("torch.nn.parameter", "Parameter"),
      ")",
      0x81,
      tuple(tensor(), pickle("N"), pickle("N"), pickle(0x88), pickle("N")),
      "b",
    ),
    { shape: [4], requiresGrad: true },
  ],
];

for (const [what, program, expected] of TENSORS) {
  Deno.test(`a tensor is rebuilt from ${what}`, async () => {
    const value = await rootOf(program);
    assertInstanceOf(value, StoredTensor);
    const { shape, dtype, requiresGrad, byteLength } = value;
    assertEquals({ shape, dtype, requiresGrad, byteLength, ...expected }, { shape, dtype, requiresGrad, byteLength });
    assertEquals(await value.read(), DATA.slice(0, value.byteLength));
  });
}

Deno.test("what refers to an old tensor before its BUILD sees it filled", async () => {
  const state = tuple(storage(), int(0), tuple(int(4)), tuple(int(1)));
  const root = await rootOf(pickle("](", global("torch", "FloatTensor"), ")Rq", 1, state, "bh", 1, "e"));
  assertInstanceOf(root, Array);
  const [first, second]: readonly unknown[] = root;
  assertStrictEquals(first, second);
  assertInstanceOf(second, StoredTensor);
  assertEquals(second.shape, [4]);
});

const F16 = global("torch", "float16");
const SIZE = tuple(int(2), int(3));
const NUMPY = pickle(call("numpy.core.multiarray", "_reconstruct"), tuple(int(1), SIZE), "b");

/** What is listed with its shape, and refused by read(). */
const LISTED: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "an old CSR tensor",
    call("torch._utils", "_rebuild_sparse_csr_tensor", pickle("N"), tuple(tensor(), tensor(), tensor(), SIZE)),
    "sparse tensor",
  ],
  [
    "a meta tensor",
    call("torch._utils", "_rebuild_meta_tensor_no_storage", F16, SIZE, SIZE, pickle(0x89)),
    "meta tensor",
  ],
  [
    "a subclass without data",
    call("torch._utils", "_rebuild_wrapper_subclass", pickle("N"), F16, SIZE, SIZE, int(0), pickle("NNN")),
    "tensor subclass without data",
  ],
  [
    "an XLA tensor",
    call("torch._utils", "_rebuild_device_tensor_from_numpy", NUMPY, F16, text("xla:0"), pickle(0x89)),
    "tensor saved through NumPy",
  ],
];

for (const [what, program, feature] of LISTED) {
  Deno.test(`${what} is listed and not read`, async () => {
    const value = await rootOf(program);
    assertInstanceOf(value, StoredTensor);
    assertEquals(value.shape, [2, 3]);
    const error = await assertRejects(() => value.read(), UnsupportedError);
    assertEquals(error.feature, feature);
  });
}

Deno.test("quantised elements that share a byte take the bytes that they take", async () => {
  const checkpoint = await openCheckpoint(new URL("../fixtures/checkpoints/packed.pt", import.meta.url));
  const lengths = [...checkpoint.stateDict()].map(([key, value]) => [key, isLazyTensor(value) && value.byteLength]);
  const quantised = { qint8: 4, quint8: 4, qint32: 16, quint2x4: 1, quint4x2: 2 };
  assertEquals(Object.fromEntries(lengths.slice(0, 5)), quantised);
  await checkpoint.close();
});

Deno.test("more values than a byte numbers, and more items than Python writes at once, are all there", async () => {
  const { root } = await openCheckpoint(
    await Deno.readFile(new URL("../fixtures/checkpoints/many.pt", import.meta.url)),
  );
  assert(isDict(root));
  assertEquals(root.get("history"), Array.from({ length: 1002 }, (_, i) => i));
  assertEquals(root.get("seen"), new Map(Array.from({ length: 1001 }, (_, i) => [i, null])));
});

Deno.test("a tensor of another device is its copy on the CPU", async () => {
  const rebuild = (dtype: string) =>
    call(
      "torch._utils",
      "_rebuild_device_tensor_from_cpu_tensor",
      tensor(),
      global("torch", dtype),
      text("hpu"),
      pickle(0x88),
    );
  const same = await rootOf(rebuild("float32"));
  assertInstanceOf(same, StoredTensor);
  assertEquals([await same.read(), same.requiresGrad], [DATA, true]);
  const cast = await rootOf(rebuild("float16"));
  assertInstanceOf(cast, StoredTensor);
  await assertRejects(() => cast.read(), UnsupportedError, "cast to float16");
});

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ["a negative offset", tensor({ offset: -1 }), "a storage offset holds -1"],
  ["a negative size", tensor({ shape: [-4] }), "a size holds -4"],
  ["a negative stride", tensor({ strides: [-1] }), "a stride holds -1"],
  ["more sizes than strides", tensor({ shape: [2, 2] }), "2 sizes and 1 strides"],
  ["more elements than any file", tensor({ shape: Array(40).fill(4), strides: Array(40).fill(0) }), "larger than any"],
  ["as many, times 0", tensor({ shape: [0, ...Array(40).fill(4)], strides: Array(41).fill(0) }), "larger than any"],
  [
    "a size that is a float",
    call("torch._utils", "_rebuild_tensor", storage(), int(0), tuple(pickle("F1.5\n")), tuple(int(1))),
    "a size holds 1.5",
  ],
  [
    "a storage with the id of one that is in the pickle",
    storage({ key: "pickle/0" }),
    'a storage has the key "pickle/0"',
  ],
  ["a persistent id of numbers", pickle(int(1), "Q"), "not a tuple"],
  ["a persistent id of another kind", pickle(tuple(text("x"), text("y")), "Q"), "does not name a storage"],
  ["a negative count", storage({ numel: -1 }), "said to have -1"],
  ["BUILD on a number", pickle("NNb"), "BUILD"],
  ["BUILD on a plain dict", pickle("}}b"), "BUILD"],
  ["BUILD on a class", pickle(global("m", "C"), "Nb"), "BUILD"],
  ["items on a list that is a dict", pickle(call("m", "C"), "Na", "NNs"), "list and a dict"],
  ["bytes beyond Latin-1", call("_codecs", "encode", text("Ā"), text("latin1")), "not Latin-1"],
  ["calls nested in calls", nested(9), "nested more than 8"],
  ["calls nested in themselves", selfNested(), "nested more than 8"],
];

for (const [what, program, message] of REFUSED) {
  Deno.test(`a pickle with ${what} is refused`, async () => {
    const error = await assertRejects(() => rootOf(program), CheckpointError, message);
    assertEquals(error.format, "torch-zip");
  });
}

Deno.test("a tensor on what is not a storage stays a record", async () => {
  const root = await rootOf(tensor({ from: int(3) }));
  assertEquals(typeof root === "object" && root !== null && "name" in root && root.name, "_rebuild_tensor_v2");
});

Deno.test("calls that copy what they get cannot multiply it", async () => {
  const big = pickle("](", "N".repeat(1000), "eq", 1, "0");
  for (
    const [module, name] of [["builtins", "set"], ["builtins", "tuple"], ["torch", "Size"], ["builtins", "frozenset"]]
  ) {
    const copies = Array.from({ length: 200 }, () => pickle(global(module, name), "h", 1, 0x85, "R0"));
    const error = await assertRejects(() => rootOf(pickle(big, ...copies, "N"), { opcodes: 50_000 }), LimitError);
    assertEquals(error.limit, "opcodes");
  }
  // The same text as bytes is one array.
  const same = pickle(text("x".repeat(1000)), "q", 1, "0](", encoded(), encoded(), "e");
  const root = await rootOf(same);
  assertStrictEquals(Array.isArray(root) && root[0], Array.isArray(root) && root[1]);
});

Deno.test("names and ranks of unlikely size are refused", async () => {
  await assertRejects(() => rootOf(global("m", "n".repeat(5000))), CheckpointError, "unlikely length");
  await assertRejects(() => rootOf(storage({ key: "k".repeat(5000) })), CheckpointError, "unlikely length");
  const flat = tensor({ shape: Array(65).fill(1), strides: Array(65).fill(1) });
  const error = await assertRejects(() => rootOf(flat), LimitError);
  assertEquals(error.limit, "rank");
});

function encoded(): Uint8Array {
  return pickle(global("_codecs", "encode"), "h", 1, text("latin1"), 0x86, "R");
}

function nested(depth: number): Uint8Array {
  let inner = tuple();
  for (let i = 0; i < depth; i++) {
    inner = tuple(global("torch._tensor", "_rebuild_from_type"), pickle("N"), inner, pickle("N"));
  }
  return pickle(global("torch._tensor", "_rebuild_from_type"), inner, "R");
}

/** `L = [_rebuild_from_type, None, L, None]`, called with itself. */
function selfNested(): Uint8Array {
  const rebuild = global("torch._tensor", "_rebuild_from_type");
  return pickle(rebuild, "]q", 1, "(", rebuild, "N", "h", 1, "NeR");
}
