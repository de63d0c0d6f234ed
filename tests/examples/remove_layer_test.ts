import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import facts from "../../examples/data/remove_layer.json" with { type: "json" };
import { main } from "../../examples/remove_layer.ts";
import { tensor } from "../../mod.ts";
import { printed } from "./printed.ts";

Deno.test({
  name: "examples/remove_layer.ts prints PyTorch's error, loads the rest, and computes what PyTorch does",
  permissions: "none",
  fn: async () => {
    const { result: model, text } = await printed(() => main());

    assertStringIncludes(text, `${facts.strict_error}\n`);
    assertStringIncludes(text, "Loaded all of the model: 4 tensors, 67 elements");
    for (const key of facts.unexpected_keys) assertStringIncludes(text, key);

    const state = model.stateDict();
    assertEquals([...state.keys()], Object.keys(facts.parameters));
    assertEquals(state.get("linear1.bias")?.tolist(), facts.parameters["linear1.bias"]);
    assertEquals(state.get("linear2.weight")?.tolist(), facts.parameters["linear2.weight"]);
    assertEquals(state.get("linear2.bias")?.tolist(), facts.parameters["linear2.bias"]);
    const y = model.forward(tensor(facts.input));
    assert(y.allclose(tensor(facts.output), { rtol: 1e-6, atol: 1e-7 }), `${y}`);
    assertStringIncludes(text, "Close to one another: true");
  },
});
