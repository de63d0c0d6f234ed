import { assertEquals, assertStringIncludes } from "@std/assert";
import { type DType, Linear, planLoad, tensor, type TensorValues } from "../../mod.ts";

/** Casts and what they lose; `undefined`: nothing. */
const CASES: readonly {
  readonly from: DType;
  readonly to: DType;
  readonly values: TensorValues;
  readonly overflowed: number | undefined;
}[] = [
  { from: "float32", to: "float16", values: [65504, 65520, -1e38], overflowed: 2 },
  { from: "float32", to: "float16", values: [Infinity, NaN, 1], overflowed: undefined },
  { from: "float64", to: "float32", values: [1e300, -1e300, 1e38], overflowed: 2 },
  { from: "bfloat16", to: "float16", values: [3e38, 1, 2], overflowed: 1 },
  { from: "int64", to: "float16", values: [100000n, 1n, 2n], overflowed: 1 },
  { from: "float32", to: "bfloat16", values: [3.4e38, 1, 2], overflowed: 1 },
  { from: "float16", to: "float32", values: [65504, 1, 2], overflowed: undefined },
];

for (const { from, to, values, overflowed } of CASES) {
  Deno.test(`A report counts what overflowed from ${from} to ${to}: ${values}`, async () => {
    const model = new Linear(3, 1, { bias: false }).to(to);
    const state = { weight: tensor(values, { dtype: from }).reshape([1, 3]) };
    const counted = model.loadStateDict(state);
    assertEquals(counted.casts.map((cast) => cast.overflowed), [overflowed]);
    const again = await planLoad(model, state).apply();
    assertEquals(again.casts, counted.casts);
    if (overflowed !== undefined) assertStringIncludes(counted.toString(), `${overflowed} finite values overflowed`);
  });
}

Deno.test("A report counts what overflowed in the region that was loaded", () => {
  const model = new Linear(2, 1, { bias: false }).to("float16");
  const report = model.loadStateDict({ weight: tensor([[1e6, 1, 1e6]]) }, { mismatch: "overlap" });
  assertEquals(report.casts[0].overflowed, 1);
});
