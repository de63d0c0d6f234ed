import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CheckpointError,
  type Inert,
  isLazyTensor,
  LimitError,
  openCheckpoint,
  pythonTypeName,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { dict, global, int, pickle, storage, tensor, text, torchZip, tuple } from "./archive.ts";

const T = tensor();
const SD = dict({ w: T });
const list = (...items: Uint8Array[]) => pickle("](", ...items, "e");
const object = (state: Uint8Array) => pickle(global("m", "Net"), ")", 0x81, state, "b");

async function opened(root: Uint8Array, limits = {}) {
  return await openCheckpoint(torchZip(pickle(root, "."), { 0: new Uint8Array(16) }), { limits });
}

/** A module with these dicts, as pickles have it. */
function module(
  { parameters = {}, buffers = {}, children = {}, transient = [] }: {
    readonly parameters?: Readonly<Record<string, Uint8Array>>;
    readonly buffers?: Readonly<Record<string, Uint8Array>>;
    readonly children?: Readonly<Record<string, Uint8Array>>;
    readonly transient?: readonly string[];
  },
): Uint8Array {
  const set = pickle(global("__builtin__", "set"), tuple(list(...transient.map(text))), "R");
  return object(dict({
    training: pickle(0x88),
    _parameters: dict(parameters),
    _buffers: dict(buffers),
    _non_persistent_buffers_set: set,
    _modules: dict(children),
  }));
}

const FOUND: readonly (readonly [string, Uint8Array, readonly (readonly (string | number)[])[]])[] = [
  ["the root", SD, [[]]],
  ["a wrapper", dict({ epoch: int(1), state_dict: SD }), [["state_dict"]]],
  ["a wrapper in a wrapper", dict({ checkpoint: dict({ model: SD }) }), [["checkpoint", "model"]]],
  ["lists", list(SD, list(SD)), [[0], [1, 0]]],
  ["several, in the order of the file", dict({ net_b: SD, net_a: SD }), [["net_b"], ["net_a"]]],
  ["a wrapper with a tensor beside", dict({ model: SD, best_acc1: T }), [["model"]]],
  ["an unknown dict with a tensor beside", dict({ extras: SD, w: T }), [[], ["extras"]]],
  ["an optimizer beside", dict({ model: SD, optimizer: dict({ state: dict({ a: dict({ m: T }) }) }) }), [["model"]]],
  [
    "an optimizer by another name",
    dict({ model: SD, adam: dict({ state: dict({ a: dict({ m: T }) }), param_groups: list() }) }),
    [["model"]],
  ],
  ["only an optimizer", dict({ optimizer: dict({ m: T }) }), [["optimizer"]]],
  ["callbacks beside", dict({ state_dict: SD, callbacks: dict({ x: dict({ best: T }) }) }), [["state_dict"]]],
  ["an extra state", dict({ w: T, "a._extra_state": SD }), [[]]],
  ["the same dict twice", dict({ a: pickle(SD, "q", 9), b: pickle("h", 9) }), [["a"]]],
  ["an argument of a call", pickle(global("m", "frozendict"), tuple(SD), "R"), [[0]]],
  ["an attribute of an object", object(dict({ ema: SD })), [["ema"]]],
  ["a module", dict({ net: module({ parameters: { w: T } }) }), [["net"]]],
  ["a module with a tensor further down", module({ children: { a: module({ buffers: { b: T } }) } }), [[]]],
  ["a module without any", dict({ net: module({ children: { relu: module({}) } }), w: SD }), [["w"]]],
  ["no tensor", dict({ a: int(1) }), [[]]],
  ["no dict", list(int(1)), []],
  ["keys that are numbers", pickle("}", int(1), T, "s"), []],
  ["below a number", pickle("}", int(3), SD, "s"), [[3]]],
];

for (const [what, root, paths] of FOUND) {
  Deno.test(`stateDictPaths finds ${what}`, async () => {
    const checkpoint = await opened(root);
    assertEquals(checkpoint.stateDictPaths, paths);
    for (const path of paths) checkpoint.stateDict(path);
    if (paths.length === 1) assertEquals(checkpoint.stateDict(), checkpoint.stateDict(paths[0]));
    else assertThrows(() => checkpoint.stateDict(), CheckpointError, "Cannot choose a state dict");
  });
}

Deno.test("stateDict() names what there is, where the choice is open or wrong", async () => {
  const several = await opened(dict({ a: SD, b: SD }));
  const listing =
    'the state dicts in the file are at ["a"] (1 tensor, 16 bytes, float32), ["b"] (1 tensor, 16 bytes, float32)';
  assertThrows(() => several.stateDict(), CheckpointError, `there are several, and none was chosen; ${listing}`);
  assertThrows(() => several.stateDict(["c"]), CheckpointError, `[] (dict) has no "c"; ${listing}`);
  assertThrows(() => several.stateDict(["a", "w"]), CheckpointError, `["a","w"] is of type torch.Tensor; ${listing}`);
  assertThrows(() => several.stateDict(["a", 0]), CheckpointError, '["a"] (dict) has no 0');
  const none = await opened(list(int(1)));
  assertThrows(() => none.stateDict(), CheckpointError, "the file holds a value of type list; the file has none");
  const numbers = await opened(pickle("}", int(1), T, "s"));
  assertThrows(() => numbers.stateDict([]), CheckpointError, "a dict with keys that are not strings");
});

Deno.test("stateDict() says what is at each path, so that somebody can choose", async () => {
  const file = new URL("../fixtures/checkpoints/timm_ema.pt", import.meta.url);
  const ema = await openCheckpoint(await Deno.readFile(file));
  const [weights, average] = ['["state_dict"] (9 tensors, 108 bytes)', '["state_dict_ema"] (9 tensors, 108 bytes)'];
  assertThrows(() => ema.stateDict(), CheckpointError, `the state dicts in the file are at ${weights}, ${average}`);

  // Two names for the same elements; one of other elements; one that keeps its parameters elsewhere.
  const other = tensor({ from: storage({ type: "HalfStorage", key: "1", numel: 3 }), shape: [3] });
  const compiled = pickle(global("torch.jit", "Compiled"), ")R");
  const opaque = module({ parameters: { w: T }, children: { fast: compiled } });
  const several = await opened(dict({ tied: dict({ a: T, b: tensor() }), other: dict({ c: other, d: T }), opaque }));
  assertThrows(
    () => several.stateDict(),
    CheckpointError,
    'at ["tied"] (2 tensors, 16 bytes, float32), ["other"] (2 tensors, 22 bytes), ["opaque"] (cannot be read)',
  );
});

Deno.test("an explicit path may name any dict with string keys, and any module", async () => {
  const root = dict({
    model: SD,
    config: dict({ lr: int(1) }),
    net: module({ parameters: { w: T }, children: { head: module({ parameters: { v: T } }) } }),
  });
  const checkpoint = await opened(root);
  assertEquals([...checkpoint.stateDict(["config"])], [["lr", 1]]);
  assertEquals([...checkpoint.stateDict(["net"]).keys()], ["w", "head.v"]);
  assertEquals([...checkpoint.stateDict(["net", "head"]).keys()], ["v"]);
  assertEquals([...checkpoint.stateDict([]).keys()], ["model", "config", "net"]);
});

Deno.test("a module gives parameters, persistent buffers and then its children's", async () => {
  const none = pickle("N");
  const root = module({
    buffers: { mean: T, mask: T, nothing: none },
    transient: ["mask"],
    children: { b: module({ parameters: { w: T } }), gone: none, a: module({ buffers: { w: T } }) },
    parameters: { weight: T, bias: none },
  });
  assertEquals([...(await opened(root)).stateDict().keys()], ["weight", "mean", "b.w", "a.w"]);
});

Deno.test("a child that keeps its parameters elsewhere is named, not left out", async () => {
  const compiled = pickle(global("torch.jit", "Compiled"), ")R");
  const checkpoint = await opened(module({ parameters: { w: T }, children: { fast: compiled } }));
  assertThrows(() => checkpoint.stateDict(), UnsupportedError, 'the module at "fast": torch.jit.Compiled keeps');
});

Deno.test("a module that torch.fx traced is read from what it is made of", async () => {
  const made = dict({ _parameters: dict({ w: T }), _buffers: dict({}), _modules: dict({}) });
  const traced = pickle(global("torch.fx.graph_module", "reduce_graph_module"), tuple(made, text("import torch")), "R");
  assertEquals([...(await opened(traced)).stateDict().keys()], ["w"]);
});

Deno.test("modules that share or contain each other cannot multiply without end", async () => {
  let shared = module({ parameters: { w: T } });
  for (let i = 0; i < 40; i++) {
    shared = pickle(shared, "q", i, "0", module({ children: { a: pickle("h", i), b: pickle("h", i) } }));
  }
  const doubling = await opened(shared, { entries: 10_000 });
  const error = assertThrows(() => doubling.stateDict(), LimitError);
  assertEquals(error.limit, "entries");

  const state = dict({ _parameters: dict({ w: T }), _buffers: dict({}), _modules: dict({ self: pickle("h", 200) }) });
  const cyclic = await opened(pickle(global("m", "Net"), ")", 0x81, "q", 200, state, "b"));
  assertThrows(() => cyclic.stateDict(), CheckpointError, "contains itself");
});

Deno.test("the depth of what is in a file is limited", async () => {
  const deep = pickle("]".repeat(2000), "a".repeat(1999));
  const error = await assertRejects(() => opened(deep), LimitError);
  assertEquals(error.limit, "depth");
  await opened(pickle("]".repeat(900), "a".repeat(899)));
});

Deno.test("every stateDict() is a new one", async () => {
  const checkpoint = await opened(SD);
  checkpoint.stateDict().clear();
  assertEquals([...checkpoint.stateDict().keys()], ["w"]);
});

Deno.test("a state dict of a class that extends dict keeps its items and its metadata", async () => {
  const versions = dict({ _metadata: dict({ "": dict({ version: int(2) }), broken: int(1) }) });
  const custom = pickle(global("m", "StateDict"), ")", 0x81, "(", text("w"), T, "u", versions, "b");
  const stateDict = (await opened(custom)).stateDict();
  assertEquals([...stateDict.keys()], ["w"]);
  assertEquals(stateDict.metadata, new Map([["", new Map([["version", 2]])]]));
});

Deno.test("pythonTypeName() is what PyTorch would print", async () => {
  const numpy = await openCheckpoint(
    await Deno.readFile(new URL("../fixtures/checkpoints/values.pt", import.meta.url)),
  );
  const values = numpy.stateDict([]);
  const named: readonly (readonly [Inert, string])[] = [
    [null, "NoneType"],
    [true, "bool"],
    [1, "int"],
    [2n ** 60n, "int"],
    [0.5, "float"],
    [NaN, "float"],
    ["", "str"],
    [new Uint8Array(), "bytes"],
    [[], "list"],
    [new Map(), "dict"],
    [new Set(), "set"],
    [values.get("array") ?? null, "numpy.ndarray"],
    [values.get("scalar") ?? null, "float"],
    [values.get("complex") ?? null, "complex"],
    [values.get("dtype") ?? null, "torch.dtype"],
    [values.get("device") ?? null, "torch.device"],
    [values.get("namespace") ?? null, "argparse.Namespace"],
    [values.get("path") ?? null, "pathlib.PurePosixPath"],
    [values.get("class") ?? null, "type"],
  ];
  for (const [value, name] of named) assertEquals(pythonTypeName(value), name);
  const tensorValue = [...(await opened(SD)).stateDict().values()][0];
  assertEquals([isLazyTensor(tensorValue), pythonTypeName(tensorValue)], [true, "torch.Tensor"]);
});
