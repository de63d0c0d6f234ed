/** Where PyTorch puts the elements of a result, for operands that do not lie in memory in the order of their dimensions. */

import { assert, assertEquals } from "@std/assert";
import { Tensor } from "../../mod.ts";
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

function operandOf(operand: unknown): unknown {
  if (!Array.isArray(operand)) {
    assert(typeof operand === "object" && operand !== null && "scalar" in operand);
    return numberOf(operand.scalar);
  }
  const [text, step, order, size] = operand;
  const tensor = tensorOf(String(text)).at("...", { step: Number(step) }).permute(order);
  return size === null ? tensor : tensor.expand(size);
}
