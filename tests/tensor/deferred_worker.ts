/**
 * Does, in a program of its own, what must not start wasm, and posts after each step whether it did.
 *
 * @module
 */

import {
  arange,
  empty,
  eye,
  full,
  functional,
  init,
  LeakyReLU,
  Linear,
  manualSeed,
  Module,
  ModuleList,
  ones,
  Parameter,
  planLoad,
  rand,
  randint,
  randn,
  randperm,
  ReLU,
  Sequential,
  StateDict,
  Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { isStarted } from "../../src/core/memory.ts";

class Model extends Module {
  layers = new Sequential(new Linear(4, 3), new ReLU(), new ModuleList([new Linear(3, 2), new LeakyReLU()]));
  scale = new Parameter(ones([2]));
  override forward(x: Tensor): Tensor {
    return functional.linear(x, this.scale);
  }
}

const model = new Model();
const pending = rand([2, 3]);

/** In this order; the last one is what wasm is for. */
const STEPS: Readonly<Record<string, () => unknown>> = {
  "importing, constructing a model and drawing": () => {},
  "manualSeed()": () => manualSeed(7),
  "zeros(), ones(), full(), empty()": () => [zeros([2]), ones([2]), full([2], 3n), empty([2])],
  "arange() and eye()": () => [arange(5), arange(0, 1, 0.25), eye(3)],
  "rand(), randn(), randint(), randperm()": () => [rand([20]), randn([3]), randint(0, 9, [2]), randperm(5)],
  "tensor() and its values": () => [tensor([1, 2]).tolist(), tensor(3).item(), String(tensor([1n, 2n]))],
  "Tensor.fromBytes() and its bytes": () =>
    Tensor.fromBytes(new Uint8Array(8), { dtype: "float32", shape: [2] }).bytes(),
  "initialisers that draw a known number of values": () => {
    init.xavierUniform_(model.scale.view([1, 2]));
    init.kaimingNormal_(zeros([3, 3]));
    init.zeros_(init.constant_(empty([2]), 0.5));
    init.eye_(zeros([3, 3]));
  },
  "another draw into the same tensor": () => pending.normal_().uniform_(-1, 1),
  "clone() of values that were not read": () => pending.clone(),
  "shapes of values that were not read":
    () => [pending.t(), pending.view([6]), pending.at(0), pending.detach().expand([4, 2, 3])],
  "a module's text": () => String(model),
  "stateDict()": () => model.stateDict(),
  "train(), eval() and apply()": () => model.train().eval().apply((module) => module),
  "planLoad()": () => planLoad(model, stateDict()).toString(),
  "loadStateDict() of bytes": () => model.loadStateDict(stateDict()),
  "bytes that were loaded": () => model.scale.tolist(),
  "a value that is drawn": () => pending.tolist(),
};

self.postMessage(
  Object.entries(STEPS).map(([name, step]) => {
    step();
    return { name, started: isStarted() };
  }),
);

function stateDict(): StateDict<Tensor> {
  return new StateDict([...model.stateDict()].map(([key, { shape }]) => {
    return [key, tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)).view(shape)] as const;
  }));
}
