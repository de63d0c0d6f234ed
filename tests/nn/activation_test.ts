import { assertEquals, assertThrows } from "@std/assert";
import {
  Dropout,
  Flatten,
  GELU,
  Identity,
  LeakyReLU,
  manualSeed,
  type Module,
  ones,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  Tensor,
  tensor,
} from "../../mod.ts";
import fixture from "../fixtures/modules/activations.json" with { type: "json" };
import { assertTensor, tensorOf } from "../tensor/torch_text.ts";
import type { Tolerance } from "../tensor/torch_text.ts";

/** Where PyTorch calls a vector library for a transcendental function, ours differs in the last places. */
const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  Sigmoid: { ulps: 2 },
  Tanh: { ulps: 2 },
  GELU: { ulps: 4, absolute: 1e-7 },
  SiLU: { ulps: 3 },
  Softmax: { ulps: 3 },
};

const LAYERS: readonly Module[] = [
  new Identity(),
  new ReLU(),
  new Sigmoid(),
  new Tanh(),
  new GELU(),
  new GELU("tanh"),
  new SiLU(),
  new Softmax(0),
  new Softmax({ dim: 1 }),
  new Softmax(-1),
  new Softmax(),
  new LeakyReLU(),
  new LeakyReLU(0.2),
  new Dropout(0.7).eval(),
  new Flatten(),
  new Flatten(0),
  new Flatten({ startDim: -1 }),
];

Deno.test("every layer of the fixture has its counterpart here", () => {
  assertEquals(LAYERS.map(String), fixture.layers.map(([text]) => text));
});

for (const [i, [text, output]] of fixture.layers.entries()) {
  Deno.test(`${text} gives PyTorch's values`, () => {
    const tolerance = TOLERANCES[text.slice(0, text.indexOf("("))];
    assertTensor(LAYERS[i].forward(tensorOf(fixture.input)), output, text, tolerance);
  });
}

Deno.test("activations take their options by position and by name", () => {
  const twins: readonly (readonly [Module, Module])[] = [
    [new LeakyReLU(0.2, { inplace: true }), new LeakyReLU({ negativeSlope: 0.2, inplace: true })],
    [new ReLU(true), new ReLU({ inplace: true })],
    [new SiLU(true), new SiLU({ inplace: true })],
    [new GELU("tanh"), new GELU({ approximate: "tanh" })],
    [new Softmax(2), new Softmax({ dim: 2 })],
    [new Dropout(0.1, { inplace: true }), new Dropout({ p: 0.1, inplace: true })],
    [new Flatten(1, 2), new Flatten({ startDim: 1, endDim: 2 })],
  ];
  for (const [byPosition, byName] of twins) assertEquals(String(byPosition), String(byName));
});

Deno.test("activations in place write into their input and return it", () => {
  for (const layer of [new ReLU(true), new SiLU(true), new LeakyReLU(0.5, { inplace: true })]) {
    const x = tensor([-2, 4]);
    const expected = tensor([-2, 4]);
    const y = layer.forward(x);
    assertEquals(y === x, true);
    assertEquals(x.select(0, 0).item() !== expected.select(0, 0).item(), true, String(layer));
  }
});

Deno.test("Softmax without a dimension guesses it as PyTorch does", () => {
  // torch.nn.functional._get_softmax_dim: 0 for 0, 1 and 3 dimensions, else 1.
  for (const [rank, dim] of [[0, 0], [1, 0], [2, 1], [3, 0], [4, 1]] as const) {
    const x = ones(Array(rank).fill(2));
    assertEquals(new Softmax().forward(x).equal(x.softmax(dim)), true, `${rank}`);
  }
});

Deno.test("Dropout drops what PyTorch drops", () => {
  // torch.manual_seed(0); torch.nn.functional.dropout(torch.ones(3, 4), 0.5)
  manualSeed(0);
  assertEquals(new Dropout(0.5).forward(ones([3, 4])).tolist(), [[0, 0, 2, 0], [0, 0, 2, 2], [0, 2, 2, 2]]);
  // … of torch.ones(3, 4).t(), which is laid out by columns
  manualSeed(0);
  assertEquals(new Dropout(0.5).forward(ones([3, 4]).t()).tolist(), [[0, 0, 0], [0, 0, 2], [2, 2, 2], [0, 2, 2]]);
  // … of torch.ones(1, 4).expand(3, 4)
  manualSeed(0);
  assertEquals(new Dropout(0.5).forward(ones([1, 4]).expand([3, 4])).tolist(), [[0, 0, 2, 0], [0, 0, 2, 2], [
    0,
    2,
    2,
    2,
  ]]);
});

Deno.test("Dropout passes through in evaluation, and zeroes everything at 1", () => {
  const x = tensor([1, 2]);
  assertEquals(new Dropout(0.9).eval().forward(x) === x, true);
  assertEquals(new Dropout(0).forward(x) === x, true);
  assertEquals(new Dropout(1).forward(x).tolist(), [0, 0]);
  const written = new Dropout(1, { inplace: true }).forward(x);
  assertEquals([written === x, x.tolist()], [true, [0, 0]]);
});

Deno.test("Dropout refuses what is no probability", () => {
  for (const p of [-0.1, 1.1, NaN]) {
    assertThrows(() => new Dropout(p), RangeError, `dropout probability has to be between 0 and 1, but got ${p}`);
  }
});

Deno.test("a layer returns a Tensor", () => {
  assertEquals(LAYERS.every((layer) => layer.forward(ones([2, 2])) instanceof Tensor), true);
});
