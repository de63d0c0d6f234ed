import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  arange,
  Buffer,
  type KeyEditor,
  Linear,
  LoadRefusedError,
  LoadStateDictError,
  Module,
  ModuleDict,
  ModuleList,
  ones,
  Parameter,
  PartialLoadError,
  Sequential,
  StateDict,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import addLayer from "../../examples/data/add_layer.json" with { type: "json" };
import changeDims from "../../examples/data/change_dims.json" with { type: "json" };
import removeLayer from "../../examples/data/remove_layer.json" with { type: "json" };
import { isDType } from "../../src/dtype.ts";
import { type FixtureCase, type FixtureModel, metadataOf, modelOf } from "../plan/fixture_rows.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** What is not a tensor, by the name of its Python type. */
const VALUES: Readonly<Record<string, unknown>> = {
  int: 1,
  float: 1.5,
  str: "x",
  list: [1],
  tuple: { module: "builtins", name: "tuple", args: [] },
  dict: new Map(),
  NoneType: null,
  "numpy.ndarray": { module: "numpy._core.multiarray", name: "_reconstruct", args: [] },
};

const GROUPS = ["extra_state", "keys", "norm", "random", "tree", "values"] as const;

for (const group of GROUPS) {
  const url = new URL(`../fixtures/load_state_dict/${group}.json`, import.meta.url);
  const file: { readonly models: readonly FixtureModel[]; readonly cases: readonly FixtureCase[] } = JSON.parse(
    Deno.readTextFileSync(url),
  );
  for (const fixture of file.cases) {
    Deno.test(`loadStateDict() does what PyTorch does: ${group}: ${fixture.name}`, () => {
      for (const strict of [true, false]) {
        const model = moduleOf(file.models[fixture.model]);
        const before = bitsOf(model);
        const state = stateOf(fixture);
        const { lenient = fixture.strict } = fixture;
        const expected = strict ? fixture.strict : lenient;
        const load = () => model.loadStateDict(state, { ...fixture.options, strict, allowNoMatch: true });
        if (expected === null) {
          const report = load();
          assertEquals([report.missingKeys, report.unexpectedKeys], [fixture.missing, fixture.unexpected]);
          assertLoaded(model, report.loaded);
        } else {
          const error = assertThrows(load, LoadStateDictError);
          assertEquals(error.message, expected);
          assertEquals([error.plan.missingKeys, error.plan.unexpectedKeys], [fixture.missing, fixture.unexpected]);
          assertEquals(bitsOf(model), before);
        }
      }
    });
  }
}

Deno.test("loadStateDict() refuses what is no dictionary in PyTorch's words", () => {
  class Odd {}
  const cases: readonly (readonly [unknown, string])[] = [
    [[], "list"],
    ["", "str"],
    [2, "int"],
    [2.5, "float"],
    [null, "NoneType"],
    [undefined, "NoneType"],
    [true, "bool"],
    [new Set(), "set"],
    [new Odd(), "Odd"],
    [new Linear(1, 1), "Linear"],
    [ones([1]), "torch.Tensor"],
  ];
  const layer = new Linear(1, 1);
  for (const [value, name] of cases) {
    const error = assertThrows(() => Reflect.apply(layer.loadStateDict, layer, [value]), TypeError);
    assertEquals(error.message, `Expected state_dict to be dict-like, got <class '${name}'>.`);
  }
  const numbers = new Map([[3, ones([1])]]);
  assertThrows(() => Reflect.apply(layer.loadStateDict, layer, [numbers]), TypeError, "to be strings, got int 3");
  // @ts-expect-error an option that does not exist
  assertThrows(() => layer.loadStateDict({}, { strct: true }), TypeError, 'did you mean "strict"?');
});

Deno.test("loadStateDict() takes a StateDict, a Map, a record, and a record without a prototype", () => {
  const source = new Linear(2, 1);
  const state = source.stateDict();
  const record = Object.fromEntries(state);
  for (const dict of [state, new Map(state), record, Object.assign(Object.create(null), record)]) {
    const target = new Linear(2, 1);
    assertEquals(target.loadStateDict(dict).loaded, ["weight", "bias"]);
    assertEquals(bitsOf(target), bitsOf(source));
    assertNotStrictEquals(target.weight, source.weight);
  }
});

Deno.test("loadStateDict() says of tensors that are not read yet how to read them", () => {
  const lazy = { [Symbol.for("@graft/graft.LazyTensor")]: true, dtype: "float32", shape: [1, 1] };
  assertThrows(
    () => new Linear(1, 1, { bias: false }).loadStateDict({ weight: lazy }),
    TypeError,
    'Cannot load "weight": its values are not read yet; use await planLoad(model, stateDict).apply()',
  );
});

/** A network as in PyTorch's own `test_load_state_dict`: a layer under two names, a norm, a block, an absent child. */
class Net extends Still {
  linear1 = new Linear(5, 5);
  linear2 = this.linear1;
  bn = new Norm(2);
  block = new Sequential({ conv: new Linear(3, 2, { bias: false }) });
  constructor() {
    super();
    this.registerModule("empty", null);
  }
}

/** A batch norm as far as a state dict knows it. */
class Norm extends Still {
  weight: Parameter;
  bias: Parameter;
  running_mean: Buffer;
  running_var: Buffer;
  num_batches_tracked = new Buffer(tensor(0n));
  constructor(features: number) {
    super();
    this.weight = new Parameter(ones([features]));
    this.bias = new Parameter(zeros([features]));
    this.running_mean = new Buffer(zeros([features]));
    this.running_var = new Buffer(ones([features]));
  }
  override get stateDictVersion(): number {
    return 2;
  }
  override upgradeStateDict(keys: KeyEditor, prefix: string, version: number | null): void {
    const counter = `${prefix}num_batches_tracked`;
    if ((version ?? 1) < 2 && !keys.has(counter)) keys.keep(counter);
  }
}

const NET_KEYS = [
  "linear1.weight",
  "linear1.bias",
  "linear2.weight",
  "linear2.bias",
  "bn.weight",
  "bn.bias",
  "bn.running_mean",
  "bn.running_var",
  "bn.num_batches_tracked",
  "block.conv.weight",
];

Deno.test("test_state_dict: keys, versions and memory of PyTorch's test network", () => {
  const net = new Net();
  const state = net.stateDict();
  assertEquals([...state.keys()], NET_KEYS);
  assertEquals([...state.metadata?.keys() ?? []], ["", "linear1", "linear2", "bn", "block", "block.conv"]);
  for (const [, value] of state) value.zero_();
  assertEquals([...net.parameters()].every((parameter) => parameter.eq(0).all().item() === true), true);
});

Deno.test("test_load_state_dict: a modified state dict of its own loads whole", () => {
  const net = new Net();
  const state = new StateDict(
    [...net.stateDict()].map(([key, value]) => [key, value.add(1)]),
    net.stateDict().metadata,
  );
  const expected = new Map([...state].map(([key, value]) => [key, value.bytes()]));
  const report = net.loadStateDict(state);
  assertEquals([report.missingKeys, report.unexpectedKeys], [[], []]);
  assertEquals(new Map([...net.stateDict()].map(([key, value]) => [key, value.bytes()])), expected);
});

Deno.test("test_load_state_dict: keys that are too many or too few", () => {
  for (const extra of ["extra", "extra.param", "block.conv.bad_suffix", "block.conv.weight.bad_suffix"]) {
    const net = new Net();
    const state = new Map([...net.stateDict(), [extra, ones([5])]]);
    const error = assertThrows(() => net.loadStateDict(state), LoadStateDictError);
    assertEquals(
      error.message,
      `Error(s) in loading state_dict for Net:\n\tUnexpected key(s) in state_dict: "${extra}". `,
    );
    const report = net.loadStateDict(state, { strict: false });
    assertEquals([report.missingKeys, report.unexpectedKeys], [[], [extra]]);
  }
  const net = new Net();
  const state = net.stateDict();
  state.delete("block.conv.weight");
  assertThrows(
    () => net.loadStateDict(state),
    LoadStateDictError,
    'Missing key(s) in state_dict: "block.conv.weight". ',
  );
  const report = net.loadStateDict(new Map([...state, ["extra", ones([1])]]), { strict: false });
  assertEquals([report.missingKeys, report.unexpectedKeys], [["block.conv.weight"], ["extra"]]);
});

Deno.test("test_load_state_dict: a buffer of another size raises under either strict", () => {
  const net = new Net();
  const state = new Map([...net.stateDict(), ["bn.running_mean", ones([3])]]);
  for (const strict of [true, false]) {
    const error = assertThrows(() => net.loadStateDict(state, { strict }), LoadStateDictError);
    assertEquals(
      error.message,
      "Error(s) in loading state_dict for Net:\n\tsize mismatch for bn.running_mean: copying a param with shape " +
        "torch.Size([3]) from checkpoint, the shape in current model is torch.Size([2]).",
    );
  }
});

Deno.test("test_load_state_dict: a part is copied, the rest is left alone", () => {
  const net = new Net();
  const before = new Map([...net.stateDict()].map(([key, value]) => [key, value.bytes()]));
  const part = { "linear1.weight": ones([5, 5]), "block.conv.weight": arange(6).float().view([2, 3]), zz: ones([1]) };
  const report = net.loadStateDict(part, { strict: false });
  assertEquals(report.unexpectedKeys, ["zz"]);
  assertEquals(net.block.get("conv").getParameter("weight").tolist(), [[0, 1, 2], [3, 4, 5]]);
  assertEquals(net.linear2.weight.eq(1).all().item(), true); // the other name of linear1
  assertEquals(report.tied[0], { key: "linear2.weight", to: "linear1.weight" });
  for (const key of ["linear1.bias", "bn.weight", "bn.running_mean", "bn.num_batches_tracked"]) {
    assertEquals(net.stateDict().get(key)?.bytes(), before.get(key));
  }
});

Deno.test("test_load_state_dict_BC: a norm of an old file keeps its counter", () => {
  for (const metadata of [null, metadataOf({ "": 1 })]) {
    const norm = new Norm(3);
    norm.num_batches_tracked.fill_(5n);
    const old = norm.stateDict();
    old.delete("num_batches_tracked");
    const report = norm.loadStateDict(new StateDict(old, metadata));
    assertEquals([report.missingKeys, norm.num_batches_tracked.item()], [[], 5]);
  }
  const norm = new Norm(3);
  const state = norm.stateDict();
  state.delete("num_batches_tracked");
  assertThrows(
    () => norm.loadStateDict(state),
    LoadStateDictError,
    'Missing key(s) in state_dict: "num_batches_tracked"',
  );
});

Deno.test("test_load_state_dict_child: a module sees exactly the keys below it", () => {
  const seen: string[][] = [];
  class Watching extends Sequential {
    override upgradeStateDict(keys: KeyEditor): void {
      seen.push([...keys]);
    }
  }
  const chain = () => new Sequential(new Linear(1, 1), new Linear(1, 1), new Linear(1, 1));
  const watching = new Watching(chain(), chain());
  const model = new Sequential(new Sequential(watching, chain()), chain());
  model.loadStateDict(model.stateDict());
  assertEquals(seen, [[...watching.stateDict().keys()].map((key) => `0.0.${key}`)]);
});

Deno.test("upgradeStateDict() renames, drops and keeps keys, and its lines are errors under either strict", () => {
  class Renaming extends Still {
    weight = new Parameter(zeros([1]));
    kept = new Parameter(ones([1]));
    readonly #lines: readonly string[];
    constructor(lines: readonly string[] = []) {
      super();
      this.#lines = lines;
    }
    override upgradeStateDict(keys: KeyEditor, prefix: string, version: number | null): readonly string[] {
      assertEquals(version, null);
      if (keys.has(`${prefix}gamma`)) keys.rename(`${prefix}gamma`, `${prefix}weight`);
      if (keys.has(`${prefix}old`)) keys.drop(`${prefix}old`);
      keys.keep(`${prefix}kept`);
      return this.#lines;
    }
  }
  const model = new Sequential(new Renaming());
  const old = { "0.gamma": ones([1]), "0.old": ones([1]) };
  const report = model.loadStateDict(old);
  assertEquals(report.renamed.map(({ from, to }) => [from, to]), [["0.gamma", "0.weight"]]);
  assertEquals(model.getParameter("0.weight").item(), 1);
  const failing = new Sequential(new Renaming(["the file is too old"]));
  for (const strict of [true, false]) {
    const error = assertThrows(() => failing.loadStateDict(old, { strict }), LoadStateDictError);
    assertEquals(error.message, "Error(s) in loading state_dict for Sequential:\n\tthe file is too old");
    assertEquals(failing.getParameter("0.weight").item(), 0);
  }
});

Deno.test("test_buffer_not_persistent: such buffers are neither saved nor loaded, whatever takes their place", () => {
  class Model extends Still {
    buf: Tensor | null = new Buffer(ones([5]), { persistent: false });
  }
  const model = new Model();
  assertEquals([[...model.buffers()].length, model.stateDict().size], [1, 0]);
  assertEquals(model.loadStateDict({}).loaded, []);
  assertThrows(
    () => model.loadStateDict({ buf: ones([5]) }),
    LoadStateDictError,
    'Unexpected key(s) in state_dict: "buf"',
  );
  model.buf = null;
  assertEquals([[...model.buffers()].length, model.stateDict().size], [0, 0]);
  model.buf = new Parameter(ones([5]));
  assertEquals([[...model.parameters()].length, [...model.stateDict().keys()]], [1, ["buf"]]);
  model.registerBuffer("buf", ones([5]), { persistent: false });
  assertEquals([[...model.parameters()].length, model.stateDict().size], [0, 0]);
  model.registerBuffer("buf", ones([5]));
  assertEquals([...model.stateDict().keys()], ["buf"]);
});

Deno.test("test_extra_state_missing_*: half of the pair cannot load its own state dict", () => {
  class GetOnly extends Still {
    override getExtraState(): unknown {
      return 1;
    }
  }
  class SetOnly extends Still {
    override setExtraState(): void {}
  }
  const getOnly = new GetOnly();
  assertThrows(
    () => getOnly.loadStateDict(getOnly.stateDict()),
    LoadStateDictError,
    'Unexpected key(s) in state_dict: "_extra_state". ',
  );
  const setOnly = new SetOnly();
  assertThrows(
    () => setOnly.loadStateDict(setOnly.stateDict()),
    LoadStateDictError,
    'Missing key(s) in state_dict: "_extra',
  );
});

Deno.test("setExtraState() or initMissing that throws after a write is a PartialLoadError, before one its own error", () => {
  class Stateful extends Still {
    layer?: Linear;
    weight?: Parameter;
    override setExtraState(): void {
      throw new RangeError("no such state");
    }
  }
  const model = new Stateful();
  assertThrows(() => model.loadStateDict({ _extra_state: 1 }), RangeError, "no such state");
  model.weight = new Parameter(zeros([1]));
  const error = assertThrows(
    () => model.loadStateDict({ weight: ones([1]), _extra_state: 1 }),
    PartialLoadError,
    'Cannot finish the load at "_extra_state", after 1 entry was written: no such state',
  );
  assertEquals([error.written, error.cause instanceof RangeError], [["weight"], true]);
  const initMissing = () => {
    throw new RangeError("cannot");
  };
  assertThrows(
    () => new Linear(1, 1).loadStateDict({ weight: ones([1, 1]) }, { strict: false, initMissing }),
    PartialLoadError,
    'Cannot finish the load at "bias", after 1 entry was written: cannot',
  );
});

Deno.test("lists and dictionaries of modules load by number and name", () => {
  class Model extends Still {
    heads = new ModuleDict(
      new Map([["2", new Linear(1, 1, { bias: false })], ["10", new Linear(1, 2, { bias: false })]]),
    );
    layers = new ModuleList(Array.from({ length: 11 }, () => new Linear(1, 1, { bias: false })));
  }
  const model = new Model();
  const report = model.loadStateDict(new Model().stateDict());
  assertEquals(report.loaded.slice(0, 4), ["heads.2.weight", "heads.10.weight", "layers.0.weight", "layers.1.weight"]);
  assertEquals(report.loaded.at(-1), "layers.10.weight");
});

Deno.test("loadStateDict() casts to the model's dtype as copy_ does", () => {
  class Model extends Still {
    counts = new Buffer(tensor([0n, 0n]));
    weight = new Parameter(zeros([1]));
    narrow = new Parameter(zeros([1], { dtype: "bfloat16" }));
    mask = new Buffer(tensor([false, false]));
  }
  const model = new Model();
  const { counts, weight } = model;
  const report = model.loadStateDict({
    counts: tensor([2.87, -1.9]),
    weight: tensor([16777217n]),
    narrow: tensor([1.00390625000001], { dtype: "float64" }),
    mask: tensor([0, 256]),
  });
  assertEquals([...model.stateDict().values()].map((value) => value.tolist()), [[16777216], [1], [2, -1], [
    false,
    true,
  ]]);
  assertStrictEquals(model.counts, counts);
  assertStrictEquals(model.weight, weight);
  assertEquals(report.casts, [
    { key: "weight", from: "int64", to: "float32", lossy: true },
    { key: "narrow", from: "float64", to: "bfloat16", lossy: true },
    { key: "counts", from: "float32", to: "int64", lossy: true },
    { key: "mask", from: "float32", to: "bool", lossy: true },
  ]);
  assertEquals([...model.parameters()].map((p) => p.requiresGrad), [true, true]);
});

Deno.test("loadStateDict() keeps the strides of what it writes into, and reads through those of what it reads", () => {
  const base = zeros([3, 2]);
  class Model extends Still {
    weight = new Parameter(base.t());
  }
  const model = new Model();
  model.loadStateDict({ weight: arange(6).float().view([3, 2]).t() });
  assertEquals([model.weight.strides, model.weight.tolist()], [[1, 2], [[0, 2, 4], [1, 3, 5]]]);
  assertEquals(base.tolist(), [[0, 1], [2, 3], [4, 5]]);
  model.loadStateDict({ weight: ones([1, 1]).expand([2, 3]) });
  assertEquals(base.sum().item(), 6);
});

Deno.test("loadStateDict() refuses to write into an expanded parameter in PyTorch's words, changing nothing", () => {
  class Model extends Still {
    weight = new Parameter(zeros([2, 1]).expand([2, 2]));
    bias = new Parameter(zeros([2]));
  }
  const line =
    'While copying the parameter named "weight", whose dimensions in the model are torch.Size([2, 2]) and whose ' +
    "dimensions in the checkpoint are torch.Size([2, 2]), an exception occurred : ('unsupported operation: more than " +
    "one element of the written-to tensor refers to a single memory location. Please clone() the tensor before " +
    "performing the operation.',).";
  const model = new Model();
  const state = { weight: ones([2, 2]), bias: ones([2]) };
  for (const strict of [true, false]) {
    const error = assertThrows(() => model.loadStateDict(state, { strict }), LoadStateDictError);
    assertEquals(error.message, `Error(s) in loading state_dict for Model:\n\t${line}`);
    assertEquals(error.plan.loaded, ["bias"]);
  }
  assertEquals(model.bias.tolist(), [0, 0]);
  model.loadStateDict(state, { assign: true });
  assertEquals(model.weight.tolist(), [[1, 1], [1, 1]]);
});

Deno.test("loadStateDict() takes one element of one dimension for none, and nothing else", () => {
  class Model extends Still {
    scale = new Parameter(zeros([]));
  }
  const model = new Model();
  model.loadStateDict({ scale: tensor([3]) });
  assertEquals([model.scale.shape, model.scale.item()], [[], 3]);
  model.loadStateDict({ scale: tensor([4]) }, { assign: true });
  assertEquals([model.scale.shape, model.scale.item()], [[], 4]);
  for (const value of [tensor([[3]]), tensor([1, 2]), zeros([0])]) {
    assertThrows(() => model.loadStateDict({ scale: value }), LoadStateDictError, "size mismatch for scale");
  }
});

Deno.test("assign replaces tensors, keeping order and each parameter's wish for gradients", () => {
  const model = new Sequential(new Linear(2, 1), new Norm(2));
  model.getParameter("0.bias").requiresGrad_(false);
  const before = new Map(model.namedParameters());
  const source = new Sequential(new Linear(2, 1), new Norm(2)).to("float64");
  const state = source.stateDict();
  const given = new Parameter(zeros([1]), false);
  state.set("0.bias", given);
  state.set("1.weight", tensor([[1, 2], [3, 4]], { dtype: "float64" }).t().select(0, 0));
  model.loadStateDict(state, { assign: true });
  assertEquals([...model.namedParameters()].map(([key]) => key), [...before.keys()]);
  for (const [key, parameter] of model.namedParameters()) {
    assertNotStrictEquals(parameter, before.get(key));
    assertEquals(parameter.requiresGrad, before.get(key)?.requiresGrad);
  }
  assertStrictEquals(model.getParameter("0.bias"), given); // a Parameter is taken as it is
  assertEquals(model.getParameter("1.weight").strides, [2]); // and strides with it
  assertEquals(model.getBuffer("1.running_mean").dtype, "float64");
  state.get("0.weight")?.fill_(7); // the same memory
  assertEquals(model.getParameter("0.weight").tolist(), [[7, 7]]);
  assertEquals([...model.stateDict().keys()], [...state.keys()]);
});

Deno.test("assign does not stick to the state dict", () => {
  const source = new Linear(2, 1).to("float64");
  const state = source.stateDict();
  const model = new Linear(2, 1);
  model.loadStateDict(state, { assign: true });
  assertEquals(model.weight.dtype, "float64");
  const other = new Linear(2, 1);
  const { weight } = other;
  other.loadStateDict(state);
  assertStrictEquals(other.weight, weight);
  assertEquals(weight.dtype, "float32");
});

Deno.test("assign unties, refuses other shapes, and refuses integers where gradients are wanted", () => {
  class Model extends Still {
    a = new Parameter(zeros([2]));
    b = this.a;
  }
  const model = new Model();
  model.loadStateDict({ a: tensor([1, 1]), b: tensor([2, 2]) });
  assertStrictEquals(model.a, model.b);
  assertEquals(model.a.tolist(), [2, 2]); // the last name wins
  model.loadStateDict({ a: tensor([1, 1]), b: tensor([2, 2]) }, { assign: true });
  assertNotStrictEquals(model.a, model.b);
  assertEquals([model.a.tolist(), model.b.tolist()], [[1, 1], [2, 2]]);
  const options = { assign: true, strict: false };
  assertThrows(() => model.loadStateDict({ a: ones([3]), b: ones([2]) }, options), LoadStateDictError, "size mismatch");
  const error = assertThrows(() => model.loadStateDict({ a: tensor([5n, 6n]) }, options), LoadStateDictError);
  assertEquals(
    error.message,
    'Error(s) in loading state_dict for Model:\n\tWhile copying the parameter named "a", whose dimensions in the model ' +
      "are torch.Size([2]) and whose dimensions in the checkpoint are torch.Size([2]), an exception occurred : ('Only " +
      "Tensors of floating point and complex dtype can require gradients',).",
  );
  assertEquals(model.a.tolist(), [1, 1]);
  model.a.requiresGrad_(false);
  model.loadStateDict({ a: tensor([5n, 6n]) }, options);
  assertEquals([model.a.dtype, model.a.requiresGrad], ["int64", false]);
});

Deno.test("loadStateDict() reports a tied name as tied, and needs one of the names only", () => {
  class Model extends Still {
    embed = new Linear(2, 2, { bias: false });
    head = new Linear(2, 2, { bias: false });
    constructor() {
      super();
      this.head.weight = this.embed.weight;
    }
  }
  const model = new Model();
  const report = model.loadStateDict({ "embed.weight": ones([2, 2]) });
  assertEquals(report.missingKeys, []);
  assertEquals(report.tied, [{ key: "head.weight", to: "embed.weight" }]);
  assertEquals(model.head.weight.sum().item(), 4);
  assertThrows(() => model.loadStateDict({}), LoadStateDictError, '"embed.weight", "head.weight"');
});

Deno.test("loadStateDict() takes the model's own state dict, also with its values exchanged", () => {
  const model = new Sequential(new Linear(2, 2, { bias: false }), new Linear(2, 2, { bias: false }));
  const before = bitsOf(model);
  model.loadStateDict(model.stateDict());
  assertEquals(bitsOf(model), before);
  const { "0.weight": first, "1.weight": second } = Object.fromEntries(model.stateDict());
  // One is copied after the other, as in PyTorch: what the first key got, the second then gets too.
  const expected = second.tolist();
  model.loadStateDict({ "0.weight": second, "1.weight": first });
  assertEquals([first.tolist(), second.tolist()], [expected, expected]);
  const square = model.getParameter("0.weight");
  square.copy_(tensor([[1, 2], [3, 4]]));
  model.loadStateDict({ "0.weight": square.t(), "1.weight": square.detach() });
  assertEquals(square.tolist(), [[1, 3], [2, 4]]);
});

Deno.test("loadStateDict() that is refused changes no bit, whatever refuses it", () => {
  const make = () => new Sequential(new Linear(3, 2), new Norm(2), new Linear(2, 2));
  const good = make().stateDict();
  const cases: readonly ((state: Map<string, unknown>) => void)[] = [
    (state) => state.delete("2.bias"),
    (state) => state.set("zz", ones([1])),
    (state) => state.set("2.bias", ones([3])),
    (state) => state.set("2.bias", [1, 2]),
    (state) => state.set("1.num_batches_tracked", "many"),
  ];
  for (const spoil of cases) {
    const model = make();
    const before = bitsOf(model);
    const state = new Map<string, unknown>([...good].map(([key, value]) => [key, value.add(1)]));
    spoil(state);
    assertThrows(() => model.loadStateDict(state), LoadStateDictError);
    assertEquals(bitsOf(model), before);
  }
  const model = make();
  const before = bitsOf(model);
  const strangers = { "module.0.weight": ones([2, 3]) };
  const error = assertThrows(() => model.loadStateDict(strangers, { strict: false }), LoadRefusedError);
  assertEquals([error.reason, bitsOf(model)], ["no-match", before]);
  assertThrows(() => model.loadStateDict(good, { strict: false, cast: "error", minCoverage: 2 }), TypeError);
  assertEquals(bitsOf(model), before);
});

Deno.test("loadStateDict() speaks PyTorch's words in the three classic cases", () => {
  class ModifiedModel extends Still {
    linear1: Linear;
    linear2?: Linear;
    linear3?: Linear;
    constructor(...sizes: readonly number[]) {
      super();
      this.linear1 = new Linear(sizes[0], sizes[1]);
      delete this.linear2;
      delete this.linear3;
      if (sizes.length > 2) this.linear2 = new Linear(sizes[1], sizes[2]);
      if (sizes.length > 3) this.linear3 = new Linear(sizes[2], sizes[3]);
    }
  }
  const two = new ModifiedModel(10, 5, 2).stateDict();
  const three = new ModifiedModel(10, 5, 2, 1).stateDict();
  const one = new ModifiedModel(10, 5).stateDict();
  const cases = [
    [new ModifiedModel(10, 5, 2, 1), two, true, addLayer.strict_error],
    [new ModifiedModel(10, 5, 2), three, true, removeLayer.strict_error],
    [new ModifiedModel(12, 6), one, false, changeDims.single.error],
    [new ModifiedModel(12, 6), one, true, changeDims.single.strict_error],
    [new ModifiedModel(12, 6, 2), two, false, changeDims.whole.error],
    [new ModifiedModel(12, 6, 2), two, true, changeDims.whole.strict_error],
  ] as const;
  for (const [model, state, strict, text] of cases) {
    const error = assertThrows(() => model.loadStateDict(state, { strict }), LoadStateDictError);
    assertEquals(error.message, text);
  }
});

/** Every parameter and buffer, bit by bit. */
function bitsOf(model: Module): Map<string, string> {
  const tensors = [...model.namedParameters(), ...model.namedBuffers()];
  return new Map(tensors.map(([key, value]) => [key, `${value.dtype} ${value.bytes().toHex()}`]));
}

/** A model of a fixture: its tensors are 1 everywhere. */
function moduleOf(fixture: FixtureModel, identities: Map<number, Parameter | Buffer> = new Map()): Module {
  const { upgrade } = modelOf(fixture);
  const { entries = [], children = [], extraState = [] } = fixture;
  const classes: Record<string, new () => Module> = {
    [fixture.class]: class extends Still {
      override upgradeStateDict(keys: KeyEditor, prefix: string, version: number | null) {
        return upgrade?.(keys, prefix, version);
      }
    },
  };
  const model = new classes[fixture.class]();
  if (extraState.includes("get")) model.getExtraState = () => 1;
  if (extraState.includes("set")) model.setExtraState = () => {};
  for (const [name, kind, dtype, shape, requiresGrad, number] of entries) {
    const values = ones(shape, { dtype });
    const made = identities.get(number) ??
      (kind === "parameter" ? new Parameter(values, requiresGrad) : new Buffer(values));
    identities.set(number, made);
    if (made instanceof Parameter) model.registerParameter(name, made);
    else model.registerBuffer(name, made);
  }
  for (const [name, child] of children) {
    model.registerModule(name, child === null ? null : moduleOf(child, identities));
  }
  return model;
}

/** A state dict of a fixture: its tensors are 0 everywhere. */
function stateOf({ rows, metadata }: FixtureCase): StateDict<unknown> {
  const entries = rows.map(([key, type, shape]): [string, unknown] => {
    if (shape === undefined) return [key, VALUES[type]];
    assert(isDType(type));
    return [key, zeros(shape, { dtype: type })];
  });
  return new StateDict(entries, metadata === undefined ? null : metadataOf(metadata));
}

/** What was loaded is 0, everything else is still 1. */
function assertLoaded(model: Module, loaded: readonly string[]): void {
  const keys = new Set(loaded);
  const state: ReadonlyMap<string, unknown> = model.stateDict();
  const byMemory = [
    ...model.namedParameters({ removeDuplicate: false }),
    ...model.namedBuffers({ removeDuplicate: false }),
  ];
  const written = new Set(byMemory.filter(([key]) => keys.has(key)).map(([, value]) => value));
  for (const [key, value] of byMemory) {
    if (!state.has(key)) continue;
    const expected = written.has(value) ? 0 : 1;
    assertEquals(value.to("float32").eq(expected).all().item(), true, `${key}: ${value}`);
  }
}
