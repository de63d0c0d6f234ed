/**
 * What `console.log` shows of the library's values: PyTorch's own text, in Deno and, by the same symbol, in Node and Bun.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { inspect } from "node:util";
import { Buffer, Linear, ModuleList, Parameter, planLoad, Sequential, tensor } from "../mod.ts";

const layer = new Linear(2, 1);

/** Values, and what PyTorch 2.15 prints for them. */
const TEXTS: readonly (readonly [object, string])[] = [
  [tensor([[1, 2.5], [3, -4]]), "tensor([[ 1.0000,  2.5000],\n        [ 3.0000, -4.0000]])"],
  [tensor([1n, 2n]), "tensor([1, 2])"],
  [tensor(true), "tensor(True)"],
  [tensor([1.5], { dtype: "bfloat16" }), "tensor([1.5000], dtype=torch.bfloat16)"],
  [new Parameter(tensor([1, 2])), "Parameter containing:\ntensor([1., 2.], requires_grad=True)"],
  [new Buffer(tensor([1, 2])), "tensor([1., 2.])"],
  [layer, "Linear(in_features=2, out_features=1, bias=True)"],
  [new Sequential(layer), "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True)\n)"],
  [new ModuleList([layer, layer]), "ModuleList(\n  (0-1): 2 x Linear(in_features=2, out_features=1, bias=True)\n)"],
];

for (const [value, text] of TEXTS) {
  const title = text.replaceAll("\n", " ");
  Deno.test(`${title} is what Deno and Node show`, () => {
    assertEquals(String(value), text);
    assertEquals(Deno.inspect(value), text);
    assertEquals(inspect(value), text);
  });
}

Deno.test("values inside others are shown by the same text", () => {
  const [first] = String(tensor([1, 2])).split("\n");
  for (const show of [Deno.inspect, inspect]) {
    assertStringIncludes(show({ x: tensor([1, 2]) }), first);
    assertStringIncludes(show([layer]), String(layer));
    assertStringIncludes(show(new Map([["x", new Parameter(tensor([1, 2]))]])), "Parameter containing:");
  }
});

Deno.test("plans and reports are shown by their text", () => {
  const plan = planLoad(layer, layer.stateDict());
  const report = layer.loadStateDict(layer.stateDict());
  for (const show of [Deno.inspect, inspect]) {
    assertEquals(show(plan), plan.toString());
    assertEquals(show(report), report.toString());
  }
});
