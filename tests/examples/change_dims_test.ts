import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import facts from "../../examples/data/change_dims.json" with { type: "json" };
import { main } from "../../examples/change_dims.ts";
import { tensor } from "../../mod.ts";
import { printed } from "./printed.ts";

Deno.test({
  name: "examples/change_dims.ts prints PyTorch's error, then grafts in three ways as PyTorch does by hand",
  permissions: "none",
  fn: async () => {
    const { result: outputs, text } = await printed(() => main());

    assertStringIncludes(text, `${facts.single.error}\n`);
    const { skip, overlap, mixed } = facts.single;
    assertEquals(Object.keys(outputs), ["skip", "overlap", "mixed"]);
    for (const [way, { output, parameters }] of Object.entries({ skip, overlap, mixed })) {
      assert(outputs[way].allclose(tensor(output), { rtol: 1e-5, atol: 1e-6 }), `${way}: ${outputs[way]}`);
      assertStringIncludes(text, String(tensor(parameters["linear1.bias"])).slice(0, -1));
      assertStringIncludes(text, `${way}: close`);
    }
    assertStringIncludes(text, "linear1.bias    [5] → [6]          5 of 6 elements");
    assert(!text.includes("DIFFERENT"), text);
  },
});
