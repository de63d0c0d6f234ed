import { assertEquals, assertThrows } from "@std/assert";
import { functional, Generator, ones, tensor, zeros } from "../../mod.ts";

const x = tensor([-2, 0.5]);

Deno.test("functions take their options by position and by name", () => {
  assertEquals(functional.leakyRelu(x, 0.5).tolist(), functional.leakyRelu(x, { negativeSlope: 0.5 }).tolist());
  assertEquals(functional.elu(x, 2).tolist(), functional.elu(x, { alpha: 2 }).tolist());
  assertEquals(functional.softplus(x, 2, 0.5).tolist(), functional.softplus(x, { beta: 2, threshold: 0.5 }).tolist());
  assertEquals(functional.softmax(x, 0).tolist(), functional.softmax(x, { dim: 0 }).tolist());
  const draws = [
    functional.dropout(ones([9]), 0.5, { generator: new Generator().manualSeed(1) }),
    functional.dropout(ones([9]), { p: 0.5, generator: new Generator().manualSeed(1) }),
  ];
  assertEquals(draws[0].tolist(), draws[1].tolist());
  assertEquals(functional.dropout(x, 0.5, { training: false }) === x, true);
});

Deno.test("functions in place write into their input and return it", () => {
  const calls = [
    (t: typeof x) => functional.leakyRelu(t, 0.5, { inplace: true }),
    (t: typeof x) => functional.elu(t, 1, { inplace: true }),
    (t: typeof x) => functional.silu(t, { inplace: true }),
    (t: typeof x) => functional.dropout(t, 1, { inplace: true }),
  ];
  for (const call of calls) {
    const t = x.clone();
    const apart = x.clone();
    assertEquals(call(t) === t, true);
    assertEquals(t.equal(apart), false);
  }
});

Deno.test("gelu() refuses an approximation that does not exist, in PyTorch's words", () => {
  const wrong = JSON.parse('{"approximate":"x"}');
  assertThrows(() => functional.gelu(x, wrong), RangeError, "approximate argument must be either none or tanh.");
});

Deno.test("dropout() of integers is refused, as in PyTorch", () => {
  assertThrows(
    () => functional.dropout(zeros([3], { dtype: "int64" }), 0.5),
    TypeError,
    "result type Float can't be cast to the desired output type Long",
  );
});

Deno.test("softplus() is x itself above the threshold", () => {
  assertEquals([...functional.softplus(tensor([30, 1e30])).data()], [30, Math.fround(1e30)]);
});
