import { assert, assertEquals, assertThrows } from "@std/assert";
import { functional, Linear, manualSeed, ones, randn, tensor, zeros } from "../../mod.ts";
import fixture from "../fixtures/modules/modules.json" with { type: "json" };
import { assertTensor, tensorOf } from "../tensor/torch_text.ts";
import type { Tolerance } from "../tensor/torch_text.ts";

/** Products are summed in an order of their own, by fused multiply-add where the engine has it. */
const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  float32: { ulps: 4, absolute: 2e-7 },
  float64: { ulps: 4 },
  float16: { ulps: 1 },
  bfloat16: { ulps: 1 },
};

const LAYERS: Readonly<Record<string, () => Linear>> = {
  linear: () => new Linear(10, 5),
  linear_without_bias: () => new Linear(3, 4, { bias: false }),
  linear_of_one: () => new Linear(1, 1),
  linear_of_none: () => new Linear(0, 2),
  linear_float64: () => new Linear(3, 2, { dtype: "float64" }),
  linear_float16: () => new Linear(3, 2, { dtype: "float16" }),
  linear_bfloat16: () => new Linear(3, 2, { dtype: "bfloat16" }),
};

for (const [name, facts] of Object.entries(fixture.models)) {
  if (!Object.hasOwn(LAYERS, name)) continue;
  Deno.test(`${name} starts with PyTorch's numbers and gives its results`, () => {
    manualSeed(facts.seed);
    const layer = LAYERS[name]();
    const state = [["weight", layer.weight], ["bias", layer.bias]] as const;
    for (const [key, text] of facts.state) {
      assertTensor(state.find(([own]) => own === key)?.[1], String(text), key);
    }
    const y = layer.eval().forward(tensorOf(facts.input));
    assertTensor(y, facts.output, name, TOLERANCES[y.dtype]);
    assertEquals(String(layer), facts.repr);
  });
}

Deno.test("Linear takes its options by position and by name", () => {
  assertEquals(new Linear(2, 3, false).bias, null);
  assertEquals(new Linear(2, 3, { bias: false }).bias, null);
  assertEquals(new Linear(2, 3, { dtype: "bfloat16" }).weight.dtype, "bfloat16");
  assertEquals(String(new Linear(2, 3, false)), "Linear(in_features=2, out_features=3, bias=False)");
});

Deno.test("Linear refuses sizes that are none", () => {
  for (const size of [-1, 1.5, NaN, Infinity]) {
    assertThrows(() => new Linear(size, 2), RangeError, "inFeatures is an integer from 0 on");
    assertThrows(() => new Linear(2, size), RangeError, "outFeatures is an integer from 0 on");
  }
});

Deno.test("Linear gives the same for every layout of its input", () => {
  manualSeed(3);
  const layer = new Linear(5, 3);
  const x = randn([4, 5]);
  const expected = layer.forward(x);
  const turned = x.t().clone().t();
  const wide = zeros([4, 10]).slice(1, 0, Infinity, 2).copy_(x);
  for (const input of [turned, wide, x.view([2, 2, 5]).transpose(0, 1).transpose(0, 1).reshape([4, 5])]) {
    assert(layer.forward(input).equal(expected));
  }
  assert(layer.forward(x.view([2, 2, 5])).equal(expected.view([2, 2, 3])));
});

Deno.test("linear() broadcasts a bias as addmm does", () => {
  const x = tensor([[1, 2], [3, 4]]);
  const w = tensor([[1, 0], [0, 1], [1, 1]]);
  assertEquals(functional.linear(x, w, tensor([0.5])).tolist(), [[1.5, 2.5, 3.5], [3.5, 4.5, 7.5]]);
  assertEquals(functional.linear(x, w, tensor([[1], [2]])).tolist(), [[2, 3, 4], [5, 6, 9]]);
  assertEquals(functional.linear(tensor([1, 2]), tensor([3, 4])).tolist(), 11);
  // Fused, the rows of all batches are those of one matrix; not fused, the bias is added to the result as it is.
  const batch = x.reshape([2, 1, 2]);
  assertEquals(functional.linear(batch, w, tensor([[1], [2]])).tolist(), [[[2, 3, 4]], [[5, 6, 9]]]);
  assertEquals(functional.linear(batch, w, tensor([[1]])).tolist(), [[[2, 3, 4]], [[4, 5, 8]]]);
});

Deno.test("linear() computes integers exactly", () => {
  const big = tensor([[2n ** 53n + 1n, 1n]]);
  assertEquals(functional.linear(big, tensor([[1n, 1n], [3n, 0n]])).tolist({ bigint: true }), [[
    2n ** 53n + 2n,
    3n * 2n ** 53n + 3n,
  ]]);
  assertEquals(functional.linear(ones([1, 2], { dtype: "int8" }).mul(100), ones([1, 2], { dtype: "int8" })).tolist(), [[
    -56,
  ]]);
});

Deno.test("linear() without rows, columns or inner size is empty or the bias", () => {
  assertEquals(functional.linear(zeros([0, 3]), zeros([4, 3]), ones([4])).shape, [0, 4]);
  assertEquals(functional.linear(zeros([2, 3]), zeros([0, 3])).shape, [2, 0]);
  assertEquals(functional.linear(zeros([2, 0]), zeros([3, 0]), tensor([1, 2, 3])).tolist(), [[1, 2, 3], [1, 2, 3]]);
  assertEquals(functional.linear(zeros([2, 0]), zeros([3, 0])).tolist(), [[0, 0, 0], [0, 0, 0]]);
});
