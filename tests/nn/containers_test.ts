import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  GELU,
  Identity,
  Linear,
  type Module,
  ModuleDict,
  ModuleList,
  ones,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Tanh,
  type Tensor,
} from "../../mod.ts";

Deno.test("Sequential keeps the order of a Map whose names look like integers", () => {
  const layer = () => new Linear(1, 1, { bias: false });
  const model = new Sequential(new Map([["10", layer()], ["b", layer()], ["2", layer()]]));
  assertEquals([...model.stateDict().keys()], ["10.weight", "b.weight", "2.weight"]);
  assertEquals([...model.keys()], ["10", "b", "2"]);
});

Deno.test("Sequential runs in order what it was given, then the fields of a subclass", () => {
  const order: string[] = [];
  class Step extends Identity {
    readonly #name: string;
    constructor(name: string) {
      super();
      this.#name = name;
    }
    override forward(x: Tensor): Tensor {
      order.push(this.#name);
      return x;
    }
  }
  class Transition extends Sequential {
    norm = new Step("norm");
    conv = new Step("conv");
  }
  const x = ones([1]);
  assertStrictEquals(new Transition().forward(x), x);
  assertStrictEquals(new Transition(new Step("first")).forward(x), x);
  assertEquals(order, ["norm", "conv", "first", "norm", "conv"]);
  assertEquals([...new Transition(new Step("first")).namedChildren()].map(([name]) => name), ["0", "norm", "conv"]);
});

Deno.test("Sequential runs a module that took another's place", () => {
  const model = new Sequential(new Linear(2, 3), new Linear(3, 1000));
  assertStrictEquals(model.set(-1, new Linear(3, 10)), model);
  assertEquals(model.forward(ones([2])).shape, [10]);
  model.registerModule("1", new Linear(3, 4));
  assertEquals(model.forward(ones([2])).shape, [4]);
  assertEquals(model.getParameter("1.weight").shape, [4, 3]);
});

Deno.test("Sequential.insert(), append(), extend(), pop() and slice() number as PyTorch does", () => {
  const model = new Sequential(new ReLU(), new Tanh());
  model.insert(-1, new GELU()).insert(3, new SiLU()).extend([new Sigmoid()]).append(new Identity());
  assertEquals(shown(model), ["0 ReLU", "1 GELU", "2 Tanh", "3 SiLU", "4 Sigmoid", "5 Identity"]);
  assertEquals(shown(model.slice(1, 3)), ["1 GELU", "2 Tanh"]);
  assert(model.pop() instanceof Identity);
  assert(model.pop(0) instanceof ReLU);
  assertEquals(shown(model), ["0 GELU", "1 Tanh", "2 SiLU", "3 Sigmoid"]);
  assertThrows(() => model.insert(7, new ReLU()), RangeError, "Index out of range: 7");
  assertThrows(() => model.pop(9), RangeError, "index 9 is out of range: Sequential has 4 modules");
});

Deno.test("Sequential with names keeps them, counts on behind them, and does not insert between them", () => {
  const model = new Sequential({ a: new ReLU(), b: new Tanh() }).append(new Sigmoid()).set(1, new SiLU());
  assertEquals(shown(model), ["a ReLU", "b SiLU", "2 Sigmoid"]);
  assertThrows(() => model.insert(1, new Tanh()), RangeError, 'Cannot insert into Sequential: "a" is a name');
  assert(model.pop(0) instanceof ReLU);
  assertEquals(shown(model), ["0 SiLU", "1 Sigmoid"]); // PyTorch forgets the names too
});

Deno.test("Sequential says what is no module, and which module is absent", () => {
  assertThrows(() => Reflect.construct(Sequential, [1]), TypeError, "is not a Module subclass");
  assertThrows(() => Reflect.construct(Sequential, [new ReLU(), {}]), TypeError, "argument 1 is a collection");
  assertThrows(() => new Sequential({ "a.b": new ReLU() }), TypeError, `module name can't contain ".", got: a.b`);
  assertThrows(() => new Sequential({ "": new ReLU() }), TypeError, `module name can't be empty string ""`);
  const model = new Sequential(new ReLU());
  model.registerModule("0", null);
  assertEquals([String(model), model.length, [...model].length], ["Sequential(\n  (0): None\n)", 1, 0]);
  assertThrows(() => model.forward(ones([1])), TypeError, 'Cannot run Sequential: module "0" is absent');
  assertThrows(() => model.get(0), RangeError, 'Sequential has no module "0"');
  model.registerModule("0", new Tanh());
  assertEquals(shown(model), ["0 Tanh"]);
});

Deno.test("ModuleList grows, shrinks and replaces as PyTorch's does", () => {
  const list = new ModuleList<Module>([new ReLU(), new Tanh()]);
  list.insert(1, new Sigmoid()).set(-1, new GELU()).append(new SiLU()).extend([new SiLU(), new SiLU()]);
  assertEquals(shown(list), ["0 ReLU", "1 Sigmoid", "2 GELU", "3 SiLU", "4 SiLU", "5 SiLU"]);
  assertEquals(String(list.slice(3)), "ModuleList(\n  (0-2): 3 x SiLU()\n)");
  assert(list.pop(0) instanceof ReLU);
  assert(list.pop() instanceof SiLU);
  assertEquals([list.length, list.get(-4) instanceof Sigmoid], [4, true]);
  assertThrows(() => list.get(9), RangeError, "index 9 is out of range: ModuleList has 4 modules");
  assertThrows(() => list.get(0.5), RangeError, "index 0.5 is out of range");
  assertThrows(() => list.forward(), TypeError, 'Module [ModuleList] is missing the required "forward" function');
  assertThrows(() => Reflect.construct(ModuleList, [[1]]), TypeError, "is not a Module subclass");
});

Deno.test("ModuleList holds ten thousand modules in linear time", () => {
  const layer = new Identity();
  const list = new ModuleList(Array.from({ length: 10_000 }, () => layer));
  assertEquals([list.length, list.get(-1) === layer, list.registered("9999") === layer], [10_000, true, true]);
});

Deno.test("ModuleDict keeps order, takes the names of methods, and replaces in place", () => {
  const dict = new ModuleDict<Module>({ keys: new ReLU(), forward: new Tanh() });
  dict.update(new Map<string, Module>([["7", new GELU()], ["keys", new SiLU()]])).set("last", new Sigmoid());
  assertEquals(shown(dict), ["keys SiLU", "forward Tanh", "7 GELU", "last Sigmoid"]);
  assertEquals([...dict.keys()], ["keys", "forward", "7", "last"]);
  assertEquals([...dict.values()].map((module) => module.constructor.name), ["SiLU", "Tanh", "GELU", "Sigmoid"]);
  assertEquals([dict.has("7"), dict.has("8"), dict.length], [true, false, 4]);
  assert(dict.pop("7") instanceof GELU);
  assertEquals([dict.delete("keys"), dict.delete("keys")], [true, false]);
  assertEquals([...dict.entries()].map(([name]) => name), ["forward", "last"]);
  assertThrows(() => dict.get("q"), RangeError, 'ModuleDict has no module "q": it has forward, last');
  assertThrows(() => dict.forward(ones([1])), TypeError, "Module [ModuleDict] is missing");
});

Deno.test("Containers keep what the fields of a subclass hold behind their own children", () => {
  class Blocks extends ModuleList {
    scale = new Linear(1, 1, { bias: false });
  }
  const model = new Blocks([new Linear(1, 1, { bias: false })]);
  assertEquals([...model.stateDict().keys()], ["0.weight", "scale.weight"]);
  const other = new Linear(2, 2);
  model.registerModule("scale", other);
  assertStrictEquals(model.scale, other);
  assertEquals(model.length, 1);
});

function shown(container: Iterable<Module> & { keys(): Iterable<string> }): string[] {
  const names = [...container.keys()];
  return [...container].map((module, i) => `${names[i]} ${module.constructor.name}`);
}
