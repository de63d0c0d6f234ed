/** Where PyTorch puts the elements of a result, for operands that do not lie in memory in the order of their dimensions. */

import { assert, assertEquals } from "@std/assert";
import { functional, init, manualSeed, randLike, randnLike, Tensor, zeros, zerosLike } from "../../mod.ts";
import layouts from "../fixtures/tensor_layouts/layouts.json" with { type: "json" };
import { Call, CALLS, numberOf } from "./torch_calls.ts";
import { assertTensor, tensorOf } from "./torch_text.ts";

for (const [op, operands, args, text, strides] of layouts.cases) {
  Deno.test(`layout: ${JSON.stringify([op, operands, args])}`, () => {
    assert(Array.isArray(operands) && Array.isArray(strides));
    const named = args === null ? {} : JSON.parse(JSON.stringify(args));
    const result = CALLS[String(op)](new Call(operands.map(operandOf), named));
    assertTensor(result, String(text), String(op));
    assert(result instanceof Tensor);
    assertEquals(result.strides, strides.map(Number));
  });
}

Deno.test("at() with positions in the second dimension gives what view() takes", () => {
  const x = tensorOf("int16[2,3]:000001000200030004000500");
  const y = x.at({}, tensorOf("int64[2]:00000000000000000100000000000000"));
  assertEquals(y.view([4]).tolist(), [0, 1, 3, 4]);
});

Deno.test("randLike(), randnLike() and dropout() draw in the order of a memory that has gaps", () => {
  const x = zeros([2, 3, 4]).permute([2, 1, 0]).narrow(1, 1, 2);
  // PyTorch 2.15, each after manual_seed(0).
  const cases = [
    [randLike, [0.49625658988952637, 0.455627977848053, 0.30742281675338745, 0.022325754165649414, 0.7682217955589294]],
    [randnLike, [
      1.5409960746765137,
      -0.7192575931549072,
      -1.0845223665237427,
      -0.8566746115684509,
      -0.293428897857666,
    ]],
    [(x: Tensor) => functional.dropout(x.add(1)), [0, 0, 0, 2, 0]],
    [zerosLike, [0, 0, 0, 0, 0]],
  ] as const;
  for (const [draw, first] of cases) {
    manualSeed(0);
    const drawn = draw(x);
    assertEquals(drawn.strides, [1, 4, 8], draw.name);
    assertEquals(drawn.flatten().narrow(0, 0, 5).tolist(), [...first], draw.name);
  }
});

Deno.test("draws into a permuted part of a tensor go through it in the order of memory", () => {
  const fifteenths = Float32Array.from({ length: 16 }, (_, i) => i / 15);
  const chances = Tensor.fromBytes(new Uint8Array(fifteenths.buffer), { dtype: "float32", shape: [4, 2, 2] });
  // PyTorch 2.15, each after manual_seed(0).
  const cases: readonly (readonly [(x: Tensor) => Tensor, readonly number[]])[] = [
    [(x) => x.uniform_(), [0.49625658988952637, 0.455627977848053, 0.30742281675338745, 0.022325754165649414]],
    [(x) => x.normal_(), [1.5409960746765137, -0.7192575931549072, -1.0845223665237427, -0.8566746115684509]],
    [(x) => x.exponential_(), [3.508326292037964, 0.8706983327865601, 1.0357054471969604, 0.4389186203479767]],
    [(x) => x.bernoulli_(chances), [0, 0, 0, 1]],
    [
      (x) => init.truncNormal_(x, 0, 1, -1, 1),
      [-0.5663174986839294, -0.7192575931549072, 0.3703935444355011, -0.8566746115684509],
    ],
    [
      (x) => init.truncNormal_(x, 0, 1, 0.5, 1),
      [0.7481282949447632, 0.7278139591217041, 0.6537114381790161, 0.5111628770828247],
    ],
  ];
  for (const [draw, first] of cases) {
    manualSeed(0);
    const drawn = draw(zeros([2, 3, 4]).permute([2, 1, 0]).narrow(1, 1, 2));
    assertEquals(drawn.flatten().narrow(0, 0, 4).tolist(), [...first], String(draw));
  }
});

Deno.test("maskedFill() and scatter() give row-major copies", () => {
  const x = zeros([2, 3, 4]).permute([2, 1, 0]);
  const index = zeros([1, 1, 1], { dtype: "int64" });
  for (const copy of [x.maskedFill(x.eq(0), 1), x.scatter(0, index, 5)]) {
    assertEquals(copy.strides, [6, 2, 1]);
  }
});

function operandOf(operand: unknown): unknown {
  if (!Array.isArray(operand)) {
    assert(typeof operand === "object" && operand !== null && "scalar" in operand);
    return numberOf(operand.scalar);
  }
  const [text, step, order, size] = operand;
  const tensor = tensorOf(String(text)).at("...", { step: Number(step) }).permute(order);
  return size === null ? tensor : tensor.expand(size);
}
