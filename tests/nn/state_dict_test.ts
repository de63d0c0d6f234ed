import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  Buffer,
  Linear,
  Module,
  ones,
  Parameter,
  Sequential,
  StateDict,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

Deno.test("stateDict() lists parameters, persistent buffers, extra state, then children, whatever the fields' order", () => {
  class Model extends Still {
    layer = new Linear(1, 1);
    mean = new Buffer(zeros([2]));
    hidden = new Buffer(zeros([2]), { persistent: false });
    weight = new Parameter(ones([2]));
    override getExtraState(): unknown {
      return { steps: 3 };
    }
  }
  const state: StateDict<unknown> = new Model().stateDict();
  assertEquals([...state.keys()], ["weight", "mean", "_extra_state", "layer.weight", "layer.bias"]);
  assertEquals(state.get("_extra_state"), { steps: 3 });
});

Deno.test("stateDict() gives tensors of the model's own memory, without gradients", () => {
  const layer = new Linear(2, 1);
  const state = layer.stateDict();
  assert(state instanceof StateDict);
  const weight = state.get("weight");
  assertEquals([weight?.requiresGrad, weight instanceof Parameter], [false, false]);
  weight?.fill_(4);
  assertEquals(layer.weight.tolist(), [[4, 4]]);
  layer.weight.zero_();
  assertEquals(weight?.tolist(), [[0, 0]]);
  layer.loadStateDict({ weight: tensor([[1, 2]]), bias: tensor([3]) });
  assertEquals([weight?.tolist(), state.get("bias")?.tolist()], [[[1, 2]], [3]]);
});

Deno.test("stateDict() is a new Map every time: deleting from it leaves the model alone", () => {
  const layer = new Linear(2, 1);
  const state = layer.stateDict();
  state.delete("bias");
  assertEquals([...layer.stateDict().keys()], ["weight", "bias"]);
});

Deno.test("stateDict() records a version for every path, also of modules without tensors", () => {
  class Norm extends Still {
    override get stateDictVersion(): number {
      return 2;
    }
  }
  class Model extends Still {
    norm = new Norm();
    again = this.norm;
    body = new Sequential(new Linear(1, 1));
  }
  const model = new Model();
  model.registerModule("absent", null);
  const { metadata } = model.stateDict();
  assertEquals([...metadata ?? []].map(([path, entry]) => [path, entry.get("version")]), [
    ["", 1],
    ["norm", 2],
    ["again", 2],
    ["body", 1],
    ["body.0", 1],
  ]);
});

Deno.test("stateDict() passes on any extra state, and loadStateDict() hands it back after the module's own tensors", () => {
  const seen: unknown[] = [];
  class Stateful extends Still {
    weight = new Parameter(zeros([1]));
    layer = new Linear(1, 1, { bias: false });
    #state: unknown;
    constructor(state: unknown) {
      super();
      this.#state = state;
    }
    override getExtraState(): unknown {
      return this.#state;
    }
    override setExtraState(state: unknown): void {
      seen.push(state, this.weight.item(), this.layer.weight.item());
    }
  }
  for (const state of ["text", 7, null, ones([2]), new Linear(1, 1), new Map([["a", 1]])]) {
    const source = new Stateful(state);
    source.weight.fill_(1);
    source.layer.weight.fill_(1);
    const target = new Stateful(undefined);
    target.layer.weight.zero_();
    const report = target.loadStateDict(source.stateDict());
    assertEquals([report.missingKeys, report.unexpectedKeys], [[], []]);
    assertStrictEquals(seen.shift(), state);
    assertEquals(seen.splice(0), [1, 0]); // its own weight is there, its children's are not yet
  }
});
