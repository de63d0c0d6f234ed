import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import facts from "../../examples/data/add_layer.json" with { type: "json" };
import { main } from "../../examples/add_layer.ts";
import { tensor } from "../../mod.ts";
import { printed } from "./printed.ts";

// The file is part of the program, so that whoever tries the example is asked for nothing.
Deno.test({
  name: "examples/add_layer.ts loads what torch.save wrote and computes what PyTorch does, without any permission",
  permissions: "none",
  fn: async () => {
    const { result: model, text } = await printed(() => main());

    const state = model.stateDict();
    assertEquals([...state.keys()], Object.keys(facts.parameters));
    for (const [key, value] of state) {
      const rows = value.tolist();
      const ends = value.ndim === 2 && Array.isArray(rows) ? [rows.at(0), rows.at(-1)] : rows;
      assertEquals(ends, Object.entries(facts.parameters).find(([name]) => name === key)?.[1], key);
    }
    const y = model.forward(tensor(facts.input));
    assert(y.allclose(tensor(facts.output), { rtol: 1e-6, atol: 0 }), `${y}`);

    assertStringIncludes(text, "Would load 95.7 % of the model: 4 of 6 tensors, 67 of 70 elements");
    assertStringIncludes(text, "Loaded 95.7 % of the model: 4 of 6 tensors, 67 of 70 elements");
    assertStringIncludes(text, "linear3.weight  [1, 2]  initialised by xavierUniform_");
    assertStringIncludes(text, "Parameter containing:\ntensor([[-1.0898, -0.5183]], requires_grad=True)");
    assertEquals(text.split("tensor([[-3.6163],\n        [-4.6134]])").length, 3, "our output and PyTorch's");
    assertStringIncludes(text, "Close to one another: true");
  },
});

Deno.test("examples/add_layer.ts takes a path", async () => {
  const { result: model, text } = await printed(() => main("examples/data/pretrained.pt"));
  assertEquals(model.linear2.bias?.tolist(), facts.parameters["linear2.bias"]);
  assert(!text.includes("Close to one another"), "of another file nobody knows PyTorch's answer");
});
