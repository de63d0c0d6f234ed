import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Buffer,
  Dropout,
  Identity,
  Linear,
  manualSeed,
  Module,
  ModuleList,
  ones,
  Parameter,
  Sequential,
  Tensor,
  tensor,
  VERSION,
  zeros,
} from "../../mod.ts";
import * as graft from "../../mod.ts";
import fixture from "../fixtures/modules/modules.json" with { type: "json" };
import registration from "../fixtures/registration/registration.json" with { type: "json" };
import { MODELS } from "./fixture_models.ts";
import { tensorOf, textOf } from "./fixture_tensors.ts";

/** A module whose forward is beside the point. */
abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

const facts = new Map(Object.entries(fixture.models));

for (const [name, construct] of Object.entries(MODELS)) {
  Deno.test(`Module lists, prints and saves as PyTorch does: ${name}`, () => {
    const expected = facts.get(name);
    assert(expected !== undefined);
    manualSeed(BigInt(expected.seed));
    const model = construct();
    const state = model.stateDict();
    assertEquals([...state].map(([key, value]) => [key, textOf(value)]), expected.state);
    const metadata = [...state.metadata ?? []].map(([path, entry]) => [path, Object.fromEntries(entry)]);
    assertEquals(metadata, expected.metadata);
    assertEquals(names(model.namedParameters()), expected.parameters);
    assertEquals(names(model.namedParameters({ removeDuplicate: false })), expected.untied_parameters);
    assertEquals(names(model.namedParameters({ recurse: false })), expected.own_parameters);
    assertEquals(names(model.namedBuffers()), expected.buffers);
    assertEquals(names(model.namedModules()), expected.modules);
    assertEquals(names(model.namedModules({ removeDuplicate: false })), expected.untied_modules);
    assertEquals(names(model.namedChildren()), expected.children);
    assertEquals(String(model), expected.repr);
  });

  Deno.test(`Module computes what PyTorch's does: ${name}`, () => {
    const expected = facts.get(name);
    assert(expected !== undefined);
    manualSeed(BigInt(expected.seed));
    const model = construct().eval();
    if (name === "empty") return assertEquals(textOf(run(model, tensorOf(expected.input))), expected.output);
    const y = run(model, tensorOf(expected.input));
    const theirs = tensorOf(expected.output);
    assertEquals([y.dtype, y.shape], [theirs.dtype, theirs.shape]);
    const tolerance = y.dtype === "float32" || y.dtype === "float64" ? 1e-5 : 1e-2;
    assert(y.allclose(theirs, { rtol: tolerance, atol: tolerance }), `${y}\n${theirs}`);
  });
}

Deno.test("Module registers its fields in order, those of a base class first", () => {
  class Base extends Still {
    first = new Linear(1, 1, { bias: false });
    scale = new Parameter(ones([1]));
  }
  class Derived extends Base {
    override first = new Linear(1, 2, { bias: false }); // keeps the place that the base class gave it
    second = new Linear(1, 1, { bias: false });
  }
  const model = new Derived();
  assertEquals([...model.stateDict().keys()], ["scale", "first.weight", "second.weight"]);
  assertEquals(model.first.weight.shape, [2, 1]);
});

Deno.test("Module gives prefixes to names", () => {
  const model = new Sequential(new Linear(1, 1, { bias: false }));
  assertEquals(names(model.namedParameters({ prefix: "net" })), ["net.0.weight"]);
  assertEquals(names(model.namedModules({ prefix: "net" })), ["net", "net.0"]);
});

Deno.test("Module keeps the place of a field that is assigned again", () => {
  class Model extends Still {
    a: Linear | null = new Linear(1, 1, { bias: false });
    b = new Linear(1, 1, { bias: false });
  }
  const model = new Model();
  model.a = new Linear(1, 3, { bias: false });
  assertEquals([...model.stateDict()].map(([key, { shape }]) => [key, shape]), [["a.weight", [3, 1]], ["b.weight", [
    1,
    1,
  ]]]);
  model.a = null;
  assertEquals([...model.stateDict().keys()], ["b.weight"]);
  model.a = new Linear(1, 1, { bias: false });
  assertEquals([...model.stateDict().keys()], ["a.weight", "b.weight"]);
});

Deno.test("Module sees a parameter that becomes a buffer, and a field that is deleted", () => {
  class Model extends Still {
    scale?: Parameter | Buffer = new Parameter(ones([1]));
    shift = new Parameter(zeros([1]));
  }
  const model = new Model();
  assertEquals([...model.stateDict().keys()], ["scale", "shift"]);
  model.scale = new Buffer(ones([1]));
  assertEquals([...model.stateDict().keys()], ["shift", "scale"]); // parameters before buffers
  assertEquals(names(model.namedParameters()), ["shift"]);
  delete model.scale;
  assertEquals([...model.stateDict().keys()], ["shift"]);
});

Deno.test("Module registers nothing for null, undefined, numbers, plain tensors and functions", () => {
  class Model extends Still {
    bias: Parameter | null = null;
    later?: Linear;
    size = 3;
    scratch = zeros([2]);
    run = () => this.size;
    names = ["a", "b"];
    table = new Map([["a", 1]]);
    weights = new Float32Array(4);
    weak = new WeakRef(new Linear(1, 1));
  }
  assertEquals([...new Model().registrations()], []);
});

Deno.test("Module neither registers nor asks what accessors, symbols and private fields hold", () => {
  const hidden = Symbol("hidden");
  let asked = 0;
  class Model extends Still {
    #secret = new Linear(1, 1);
    [hidden] = new Linear(1, 1);
    visible = new Linear(1, 1, { bias: false });
    get computed(): Linear {
      asked++;
      return this.#secret;
    }
  }
  const model = new Model();
  Object.defineProperty(model, "own", { enumerable: true, get: () => (asked++, model.visible) });
  Object.defineProperty(model, "config", {
    enumerable: true,
    value: {
      get size(): number {
        return asked++;
      },
    },
  });
  assertEquals([...model.stateDict().keys()], ["visible.weight"]);
  assertEquals(asked, 0);
  assertThrows(() => model.registerModule("own", new Linear(1, 1)), TypeError, "attribute 'own' already exists");
});

Deno.test("Module refuses modules and parameters in plain lists, Maps, Sets and objects", () => {
  const layer = () => new Linear(1, 1);
  const modules = "ModuleList (or ModuleDict, Sequential)";
  const tensors = "registerParameter, or a Module";
  const cases: readonly (readonly [unknown, string])[] = [
    [
      [layer()],
      `Cannot register "field" of Model: an Array holds a Linear that no state dict would have; use ${modules}`,
    ],
    [[1, [2, [layer()]]], `an Array holds a Linear`],
    [new Map([["a", layer()]]), `a Map holds a Linear`],
    [new Set([layer()]), `a Set holds a Linear`],
    [{ a: layer() }, `an Object holds a Linear`],
    [[{ a: new Map([[1, [layer()]]]) }], `an Array holds a Linear`],
    [[new Parameter(ones([1]))], `an Array holds a Parameter that no state dict would have; use ${tensors}`],
    [{ a: new Buffer(ones([1])) }, `an Object holds a Buffer`],
  ];
  for (const [value, message] of cases) {
    class Model extends Still {
      field = value;
    }
    for (const use of [(m: Module) => m.stateDict(), (m: Module) => [...m.parameters()], (m: Module) => m.eval()]) {
      assertThrows(() => use(new Model()), TypeError, message);
    }
  }
});

Deno.test("Module follows a list that contains itself to its end", () => {
  const list: unknown[] = [1];
  list.push(list);
  class Model extends Still {
    list = list;
  }
  assertEquals(new Model().stateDict().size, 0);
});

Deno.test("Module gives tied parameters and tied modules every name in the state dict, and one in the lists", () => {
  class Model extends Still {
    embed = new Linear(2, 3, { bias: false });
    head = new Linear(2, 3);
    again = this.head;
  }
  const model = new Model();
  model.head.weight = model.embed.weight;
  assertEquals([...model.stateDict().keys()], [
    "embed.weight",
    "head.weight",
    "head.bias",
    "again.weight",
    "again.bias",
  ]);
  assertEquals(names(model.namedParameters()), ["embed.weight", "head.bias"]);
  assertEquals(names(model.namedModules()), ["", "embed", "head"]);
  assertEquals(names(model.namedChildren()), ["embed", "head"]);
  const visited: Module[] = [];
  model.apply((module) => visited.push(module));
  assertEquals(visited, [model.embed, model.head, model]);
});

Deno.test("Module.apply() visits children before parents, a module under two parents once for each, as PyTorch does", () => {
  const shared = new Identity();
  const model = new Sequential(new Sequential(shared, shared), new Sequential(shared));
  const visited: Module[] = [];
  assertStrictEquals(model.apply((module) => visited.push(module)), model);
  assertEquals(visited.map((module) => module === shared), [true, false, true, false, false]);
});

Deno.test("Module.registerModule() takes names that are numbers, methods and fields of JavaScript's own", () => {
  class Model extends Still {
    declare extra: Linear;
  }
  const model = new Model();
  const layer = new Linear(1, 1, { bias: false });
  for (const name of ["10", "2", "apply", "train", "constructor", "__proto__", "extra"]) {
    model.registerModule(name, layer);
  }
  assertEquals(names(model.namedModules({ removeDuplicate: false })), [
    "",
    "extra",
    "10",
    "2",
    "apply",
    "train",
    "constructor",
    "__proto__",
  ]);
  assertStrictEquals(model.extra, layer);
  assertStrictEquals(model.getSubmodule("__proto__"), layer);
  assertStrictEquals(model.getParameter("apply.weight"), layer.weight);
  model.train(false); // still the method
  assertEquals(layer.training, false);
});

Deno.test("Module.registerModule() keeps a field's place, and lets a later field take a name", () => {
  class Model extends Still {
    first = new Linear(1, 1, { bias: false });
    second = new Linear(1, 1, { bias: false });
  }
  const model = new Model();
  const layer = new Linear(1, 4, { bias: false });
  model.registerModule("first", layer);
  assertStrictEquals(model.first, layer);
  assertEquals([...model.stateDict().keys()], ["first.weight", "second.weight"]);
  model.registerModule("7", layer);
  Reflect.set(model, "7", new Linear(1, 5, { bias: false }));
  const keys = [...model.stateDict()].map(([key, { shape }]) => `${key} ${shape}`);
  assertEquals(keys, ["7.weight 5,1", "first.weight 4,1", "second.weight 1,1"]);
});

Deno.test("Module registers something absent under null, which a null field does not", () => {
  class Model extends Still {
    field: Linear | null = null;
  }
  const model = new Model();
  model.registerModule("gone", null);
  model.registerModule("3", null);
  model.registerParameter("weight", null);
  model.registerBuffer("4", null);
  assertEquals([...model.registrations()], [["gone", null], ["3", null]]);
  assertEquals(String(model), "Model(\n  (gone): None\n  (3): None\n)");
  assertEquals(model.stateDict().size, 0);
  assertEquals(model.registered("gone"), undefined);
  model.registerBuffer("4", zeros([1]));
  model.registerModule("3", new Identity());
  assertEquals([...model.registrations()].map(([name]) => name), ["gone", "3", "4"]);
});

/** The values of the fixture, by their kind. */
const VALUES: Readonly<Record<string, unknown>> = {
  None: null,
  int: 3,
  float: 1.5,
  bool: true,
  str: "x",
  list: [1],
  float32: ones([1]),
  int64: tensor([1n]),
  bfloat16: ones([1], { dtype: "bfloat16" }),
  "bool tensor": tensor([true]),
  complex64: ones([1], { dtype: "complex64" }),
};

Deno.test("Module.registerParameter() and its like refuse in PyTorch's words", () => {
  class Model extends Still {
    size = 3;
    weight = new Parameter(ones([1]));
  }
  const model = new Model();
  for (const [method, name, kind, text] of registration.cases) {
    const { registerParameter, registerBuffer, registerModule } = model;
    const register = { parameter: registerParameter, buffer: registerBuffer, module: registerModule }[String(method)];
    assert(register !== undefined && Object.hasOwn(VALUES, String(kind)));
    const error = assertThrows(() => Reflect.apply(register, model, [name, VALUES[String(kind)]]), TypeError);
    assertEquals(error.message, text);
  }
  // PyTorch's text has the whole path of a class of its own.
  const layer = new Linear(1, 1);
  // @ts-expect-error a module is no parameter
  assertThrows(() => model.registerParameter("p", layer), TypeError, "cannot assign 'Linear' object to parameter 'p'");
  // @ts-expect-error a class is no module
  assertThrows(() => model.registerModule("m", Linear), TypeError, "Linear is not a Module subclass");
  assertEquals([...model.stateDict().keys()], ["weight"]);
  assertEquals([model.size, model.training], [3, true]);
});

Deno.test("Module.registerParameter() and its like take the place of what has the name already", () => {
  const model = new Sequential();
  const registered = [new Parameter(zeros([1])), new Parameter(zeros([2])), new Buffer(zeros([3])), new Identity()];
  model.registerParameter("x", registered[0] instanceof Parameter ? registered[0] : null);
  for (const value of registered) {
    if (value instanceof Parameter) model.registerParameter("x", value);
    else if (value instanceof Buffer) model.registerBuffer("x", value);
    else model.registerModule("x", value);
    assertEquals([...model.registrations()], [["x", value]]);
  }
});

Deno.test("Module refuses fields whose names would not be one part of a key", () => {
  const cases: readonly (readonly [string, Module | Parameter | Buffer, string])[] = [
    ["a.b", new Linear(1, 1), `module name can't contain ".", got: a.b`],
    ["", new Linear(1, 1), `module name can't be empty string ""`],
    ["a.b", new Parameter(ones([1])), `parameter name can't contain "."`],
    ["", new Parameter(ones([1])), `parameter name can't be empty string ""`],
    ["a.b", new Buffer(ones([1])), `buffer name can't contain "."`],
  ];
  for (const [name, value, message] of cases) {
    class Model extends Still {
      [name] = value;
    }
    assertThrows(() => new Model().stateDict(), TypeError, message);
  }
});

Deno.test("Module.registerBuffer() makes tensors buffers, persistent unless it is told otherwise", () => {
  class Model extends Still {
    scale = new Parameter(ones([1]));
  }
  const model = new Model();
  const values = tensor([1, 2]);
  model.registerBuffer("seen", values);
  model.registerBuffer("hidden", values, { persistent: false });
  model.registerBuffer("also_hidden", values, false);
  model.registerBuffer("scale", values); // a parameter until now
  assertEquals(names(model.namedBuffers()), ["scale", "seen", "hidden", "also_hidden"]);
  assertEquals([...model.stateDict().keys()], ["scale", "seen"]);
  values.fill_(5);
  assertEquals(model.getBuffer("hidden").tolist(), [5, 5]); // the same memory
});

Deno.test("Module finds its parts by their keys, and says what is not there", () => {
  const model = new Sequential({ body: new Sequential(new Linear(1, 1)) });
  assertStrictEquals(model.getSubmodule(""), model);
  assertEquals(model.getSubmodule("body.0") instanceof Linear, true);
  assertEquals(model.getParameter("body.0.bias").shape, [1]);
  assertThrows(
    () => model.getSubmodule("body.1"),
    RangeError,
    'Cannot get module "body.1": Sequential has no attribute `1`',
  );
  assertThrows(() => model.getSubmodule("body.0.bias"), RangeError, "no nn.Module is `bias`");
  assertThrows(() => model.getParameter("body.0.gain"), RangeError, 'no parameter "body.0.gain"');
  assertThrows(() => model.getBuffer("body.0.bias"), RangeError, 'no buffer "body.0.bias"');
});

Deno.test("Module refuses to contain itself, naming the place", () => {
  class Node extends Still {
    body = new Sequential(new Identity());
    up: Module | null = null;
  }
  const node = new Node();
  node.body.append(node);
  const message = 'Module Node contains itself: it is there again at "body.1"';
  for (
    const use of [
      () => node.stateDict(),
      () => node.loadStateDict({}),
      () => node.train(),
      () => node.apply(() => {}),
      () => String(node),
      () => [...node.namedModules({ removeDuplicate: false })],
    ]
  ) assertThrows(use, TypeError, message);
  assertThrows(() => String(node.body), TypeError, "Module Sequential contains itself");
  // As PyTorch: every module once ends by itself.
  assertEquals(names(node.namedModules()), ["", "body", "body.0"]);
});

Deno.test("Module refuses modules and tensors of another copy of the package, naming both versions", async () => {
  const again = "../../src/nn/module.ts?copy"; // not checked by the compiler, to which it would be of other types
  const copy: { readonly Module: typeof Module } = await import(again);
  assertNotStrictEquals(copy.Module, Module);
  class Foreign extends copy.Module {
    override forward(): void {}
  }
  const old: unknown = { [Symbol.for("@graft/graft.Module")]: "0.0.1" };
  const oldTensor: unknown = { [Symbol.for("@graft/graft.Tensor")]: "0.0.1" };
  const ofOld = `it is of version 0.0.1, this is ${VERSION}`;
  const cases: readonly (readonly [unknown, string])[] = [
    [new Foreign(), `a module of another copy of @graft/graft: it is of version ${VERSION}, this is ${VERSION}`],
    [old, `a module of another copy of @graft/graft: ${ofOld}`],
    [[old], `a module of another copy of @graft/graft: ${ofOld}`],
    [oldTensor, `a tensor of another copy of @graft/graft: ${ofOld}`],
    [{ a: oldTensor }, `a tensor of another copy of @graft/graft: ${ofOld}`],
  ];
  for (const [value, message] of cases) {
    class Model extends Still {
      layer = value;
    }
    assertThrows(() => new Model().stateDict(), TypeError, message);
  }
  const model: Module = new Identity();
  assertThrows(() => Reflect.apply(model.registerModule, model, ["layer", old]), TypeError, ofOld);
  assertThrows(() => Reflect.apply(model.registerBuffer, model, ["b", oldTensor]), TypeError, ofOld);
  assertThrows(() => Reflect.construct(Sequential, [new Foreign()]), TypeError, "another copy");
  assertThrows(
    () => new Linear(1, 1).loadStateDict({ weight: oldTensor }),
    TypeError,
    `Cannot load "weight": its tensor is of another copy of @graft/graft, of version 0.0.1; this is ${VERSION}`,
  );
});

Deno.test("Module does not compile without forward, and does with one that is asynchronous", async () => {
  // @ts-expect-error forward is missing
  class Lacking extends Module {}
  assertEquals(Reflect.has(Lacking.prototype, "forward"), false);
  class Slow extends Module {
    layer = new Linear(1, 1, { bias: false });
    override async forward(x: Tensor): Promise<Tensor> {
      return await Promise.resolve(this.layer.forward(x));
    }
  }
  const model = new Slow();
  assertEquals((await model.forward(ones([1]))).shape, [1]);
  assertThrows(
    () => new Sequential(model).forward(ones([1])),
    TypeError,
    "Sequential expects its last module to return a Tensor, got a Promise",
  );
});

Deno.test("Module that is frozen is read, loaded and converted, and refuses what would change its fields", () => {
  const layer = Object.freeze(new Linear(1, 1));
  assertEquals(layer.loadStateDict({ weight: tensor([[2]]), bias: tensor([3]) }).loaded, ["weight", "bias"]);
  assertEquals([layer.weight.item(), layer.bias?.item()], [2, 3]);
  assertEquals(layer.to("float64").weight.dtype, "float64");
  const message = 'Cannot assign "weight": the field of Linear is read-only';
  const other = { weight: tensor([[7]]), bias: tensor([7]) };
  assertThrows(() => layer.loadStateDict(other, { assign: true }), TypeError, message);
  assertEquals([layer.weight.item(), layer.bias?.item()], [2, 3]);
  const read = 'Cannot register "gain" of Linear: the field is read-only';
  assertThrows(() => layer.registerParameter("gain", new Parameter(ones([1]))), TypeError, read);
  assertThrows(() => layer.train(), TypeError);
});

Deno.test("Module.train() and eval() reach every module, also through an override", () => {
  class Fixed extends Sequential {
    override train(): this {
      return super.train(false); // as a frozen batch norm does
    }
  }
  const model = new Sequential(new Dropout(), new Fixed(new Dropout()));
  assertStrictEquals(model.eval(), model);
  assertEquals([...model.modules()].map(({ training }) => training), [false, false, false, false]);
  model.train();
  assertEquals([...model.modules()].map(({ training }) => training), [true, true, false, false]);
});

Deno.test("Module.requiresGrad_() sets every parameter and no buffer", () => {
  class Model extends Still {
    layer = new Linear(1, 1);
    mean = new Buffer(zeros([1]));
  }
  const model = new Model();
  model.requiresGrad_(false);
  assertEquals([...model.parameters()].map((p) => p.requiresGrad), [false, false]);
  model.requiresGrad_();
  assertEquals([...model.parameters()].map((p) => p.requiresGrad), [true, true]);
  assertEquals(model.mean.requiresGrad, false);
});

Deno.test("Module.to() converts floating point tensors in place, tied ones once, and nothing else", () => {
  class Model extends Still {
    layer = new Linear(2, 2);
    tied = new Linear(2, 2, { bias: false });
    mean = new Buffer(tensor([0.1, 0.2]));
    hidden = new Buffer(tensor([0.1]), { persistent: false });
    steps = new Buffer(tensor(7n));
    mask = new Buffer(tensor([true]));
  }
  const model = new Model();
  model.tied.weight = model.layer.weight;
  const { weight } = model.layer;
  const before = weight.bytes();
  const alias = model.stateDict().get("layer.weight");
  weight.grad = ones([2, 2]);
  assertStrictEquals(model.to("float64"), model);
  assertStrictEquals(model.layer.weight, weight);
  assertStrictEquals(model.tied.weight, weight);
  assertEquals([weight.dtype, weight.grad.dtype, weight.requiresGrad], ["float64", "float64", true]);
  assertEquals([...model.namedBuffers()].map(([, buffer]) => buffer.dtype), ["float64", "float64", "int64", "bool"]);
  assertEquals(model.steps.item(), 7);
  // What shared the memory keeps what it had, and is no longer the model's.
  assertEquals([alias?.dtype, alias?.bytes()], ["float32", before]);
  weight.fill_(3);
  assertEquals(alias?.bytes(), before);
  assertEquals(model.float().layer.weight.tolist(), [[3, 3], [3, 3]]);
  assertThrows(() => model.to("int64"), TypeError, "only accepts floating point or complex dtypes");
  assertEquals([model.half(), model.bfloat16(), model.double()].length, 3);
});

Deno.test("Parameter of integers is refused unless it wants no gradients", () => {
  const message = "Only Tensors of floating point and complex dtype can require gradients";
  assertThrows(() => new Parameter(tensor([1n])), TypeError, message);
  assertEquals(new Parameter(tensor([1n]), { requiresGrad: false }).requiresGrad, false);
  assertEquals(new Parameter(tensor([1n]), false).dtype, "int64");
});

Deno.test("Module prints settings of several lines and children as PyTorch does", () => {
  class Model extends Still {
    list = new ModuleList([new Linear(1, 1), new Linear(1, 1)]);
    override extraRepr(): string {
      return "a=1\nb=2";
    }
  }
  assertEquals(
    String(new Model()),
    "Model(\n  a=1\n  b=2\n  (list): ModuleList(\n    (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n  )\n)",
  );
  assertEquals(Deno.inspect(new Linear(2, 1)), "Linear(in_features=2, out_features=1, bias=True)");
});

Deno.test("classes keep their names where a bundler shortens those of variables", () => {
  const classes: readonly (readonly [string, unknown])[] = Object.entries(graft).filter(([, value]) =>
    value === Module || value === Tensor ||
    typeof value === "function" && (value.prototype instanceof Module || value.prototype instanceof Tensor)
  );
  assert(classes.length > 15);
  for (const [name, value] of classes) {
    // What the language gives a class is not enumerable, what the class says itself is.
    const own = typeof value === "function" ? Object.getOwnPropertyDescriptor(value, "name") : undefined;
    assertEquals([own?.value, own?.enumerable], [name, true]);
  }
  const [minified] = [
    class extends Linear {
      static override readonly name: string = "Projection";
    },
  ];
  assertEquals(String(new minified(2, 1)), "Projection(in_features=2, out_features=1, bias=True)");
});

function names(pairs: Iterable<readonly [string, unknown]>): string[] {
  return [...pairs].map(([name]) => name);
}

function run(model: Module, x: Tensor): Tensor {
  const y: unknown = model.forward(x);
  assert(y instanceof Tensor);
  return y;
}
