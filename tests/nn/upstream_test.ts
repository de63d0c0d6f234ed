/**
 * PyTorch's own tests of loading (`test/nn/test_load_state_dict.py`, `test/test_nn.py`) by their names: those that need
 * more than the cases in `load_state_dict_test.ts`.
 *
 * @module
 */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Buffer,
  Linear,
  LoadRefusedError,
  LoadStateDictError,
  manualSeed,
  Module,
  ones,
  Parameter,
  PartialLoadError,
  randn,
  relu,
  Sequential,
  StateDict,
  Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

class MyModule extends Module {
  fc1 = new Linear(3, 5);
  bn = new Buffer(zeros([2]));
  fc2 = new Linear(5, 2, { bias: false });
  override forward(x: Tensor): Tensor {
    return this.fc2.forward(relu(this.fc1.forward(x))).add(this.bn);
  }
}

Deno.test("test_load_state_dict: a wrapper's prefix is stripped, and two keys that become one are refused", () => {
  const net = new MyModule();
  const source = new MyModule().stateDict();
  const wrapped = new StateDict(
    [...source].map(([key, value]) => [`module.${key}`, value]),
    new Map([...source.metadata ?? []].map(([path, about]) => [path === "" ? "module" : `module.${path}`, about])),
  );
  const report = net.loadStateDict(wrapped, { rename: [{ strip: "module." }] });
  assertEquals([report.missingKeys, report.unexpectedKeys, report.renamed.length], [[], [], source.size]);
  assertEquals(bytesOf(net.stateDict()), bytesOf(source));
  // PyTorch's consume_prefix_in_state_dict_if_present lets the later one win, in silence.
  const both = new Map([...source, ["module.fc1.bias", ones([5])]]);
  const error = assertThrows(() => net.loadStateDict(both, { rename: [{ strip: "module." }] }), LoadRefusedError);
  assertEquals(error.reason, "collision");
  assertEquals(bytesOf(net.stateDict()), bytesOf(source));
});

Deno.test("test_load_state_dict: a report of a whole load speaks of nothing missing", () => {
  const net = new MyModule();
  const whole = String(net.loadStateDict(net.stateDict()));
  assertEquals(/missing|unexpected|not in the model/i.test(whole), false, whole);
  const state = net.stateDict();
  state.delete("fc1.weight");
  const part = String(net.loadStateDict(new Map([...state, ["extra", ones([1])]]), { strict: false }));
  assert(part.includes("Missing from the checkpoint (1)\n  fc1.weight"), part);
  assert(part.includes("Not in the model (1)\n  extra"), part);
});

Deno.test("test_load_state_dict_custom: what a class saves in its own way it gets back, and so do its children", () => {
  class Custom extends Still {
    param = new Buffer(tensor([10]), { persistent: false });
    sub = new Linear(5, 5);
    override getExtraState(): unknown {
      return this.param.add(1);
    }
    override setExtraState(state: unknown): void {
      assert(state instanceof Tensor);
      this.param.copy_(state.sub(1));
    }
  }
  const custom = new Custom();
  const model = new Sequential(custom);
  const state = model.stateDict();
  assertEquals([...state.keys()], ["0._extra_state", "0.sub.weight", "0.sub.bias"]);
  assertEquals(state.get("0._extra_state")?.item(), 11);
  const saved = new StateDict([...state].map(([key, value]) => [key, value.clone()]), state.metadata);
  custom.param.zero_();
  custom.sub.weight.zero_();
  model.loadStateDict(saved);
  assertEquals(custom.param.item(), 10);
  assertEquals(custom.sub.weight.bytes(), saved.get("0.sub.weight")?.bytes());
});

Deno.test("test_load_state_dict_assign_meta: parameters are the given ones, and wish for gradients as the model's did", () => {
  const source = new MyModule();
  const model = new MyModule();
  model.fc2.weight.requiresGrad_(false);
  const order = [...model.namedParameters(), ...model.namedBuffers()].map(([key]) => key);
  const given = new Map<string, Tensor>([...source.namedParameters(), ...source.namedBuffers()]);
  const x = randn([4, 3]);
  const expected = source.forward(x).bytes();
  model.loadStateDict(given, { assign: true });
  for (const [key, parameter] of model.namedParameters()) assertStrictEquals(parameter, given.get(key));
  assertEquals([...model.parameters()].map((parameter) => parameter.requiresGrad), [true, true, false]);
  assertEquals([...model.namedParameters(), ...model.namedBuffers()].map(([key]) => key), order);
  given.get("bn")?.fill_(0);
  assertEquals(model.forward(x).bytes(), expected);
  given.get("bn")?.fill_(1);
  assertEquals(model.bn.tolist(), [1, 1]); // one memory
});

Deno.test("test_load_state_dict_assign_shape_stride: other strides are taken, other shapes are not", () => {
  manualSeed(0);
  const model = new MyModule();
  const state = new Map<string, Tensor>(model.stateDict());
  const turned = zeros([3, 5]).uniform_().t();
  state.set("fc1.weight", turned);
  model.loadStateDict(state, { assign: true });
  assertEquals([model.fc1.weight.shape, model.fc1.weight.strides], [[5, 3], turned.strides]);
  const x = randn([2, 3]);
  assert(model.fc1.forward(x).allclose(x.matmul(turned.t()).add(model.fc1.bias ?? 0)));
  state.set("fc1.weight", zeros([3, 5]));
  assertThrows(
    () => model.loadStateDict(state, { strict: false, assign: true }),
    LoadStateDictError,
    "\tsize mismatch for fc1.weight: copying a param with shape torch.Size([3, 5]) from checkpoint, the shape in " +
      "current model is torch.Size([5, 3]).",
  );
});

Deno.test("test_buffer_not_persistent_del: a buffer that is deleted is gone, and its key unexpected", () => {
  class Model extends Still {
    buf?: Buffer = new Buffer(ones([5]));
    hidden?: Buffer = new Buffer(ones([5]), { persistent: false });
  }
  const model = new Model();
  const state = model.stateDict();
  delete model.hidden;
  assertEquals([[...model.buffers()].length, [...state.keys()]], [1, ["buf"]]);
  delete model.buf;
  assertEquals([[...model.buffers()].length, model.stateDict().size], [0, 0]);
  assertThrows(() => model.loadStateDict(state), LoadStateDictError, 'Unexpected key(s) in state_dict: "buf"');
});

Deno.test("test_buffer_not_persistent_assign: the compiler refuses a plain tensor for a parameter and for a buffer", () => {
  const model = new MyModule();
  // PyTorch refuses the first as it is assigned, and wraps the second; here only a Buffer or Parameter is registered.
  // @ts-expect-error a tensor is no parameter
  model.fc1.weight = zeros([5, 3]);
  // @ts-expect-error a tensor is no buffer
  model.bn = zeros([2]);
  assertEquals([...model.stateDict().keys()], ["fc1.bias", "fc2.weight"]);
  model.bn = new Buffer(zeros([2]));
  model.fc1.weight = new Parameter(zeros([5, 3]));
  assertEquals([...model.stateDict().keys()], ["bn", "fc1.weight", "fc1.bias", "fc2.weight"]);
});

Deno.test("test_state_dict: values are the model's memory, under other objects", () => {
  const net = new MyModule();
  for (const [key, value] of net.stateDict()) {
    const own = key === "bn" ? net.bn : net.getParameter(key);
    assertNotStrictEquals(value, own);
    value.fill_(3);
    assert(own.eq(3).all().item(), key);
  }
});

Deno.test("a load that fails while it initialises says what was initialised before", () => {
  manualSeed(0);
  const net = new MyModule();
  const initMissing = (parameter: Tensor, key: string) => {
    if (key === "fc2.weight") throw new RangeError("no values for this one");
    parameter.fill_(7);
  };
  const error = assertThrows(
    () => net.loadStateDict({}, { strict: false, initMissing }),
    PartialLoadError,
    'Cannot finish the load at "fc2.weight", after 2 entries were written: no values for this one',
  );
  assertEquals(error.written, ["fc1.weight", "fc1.bias"]);
  assertEquals([net.fc1.weight.sum().item(), net.fc1.bias?.sum().item()], [105, 35]);
});

function bytesOf(state: ReadonlyMap<string, Tensor>): Map<string, Uint8Array> {
  return new Map([...state].map(([key, value]) => [key, value.bytes()]));
}
