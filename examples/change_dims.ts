/**
 * Change dimensions: a checkpoint of a layer 10→5, a model with 12→6.
 *
 *     deno run examples/change_dims.ts
 */

import {
  Linear,
  loadCheckpoint,
  type LoadOptions,
  LoadStateDictError,
  manualSeed,
  Module,
  type Tensor,
  tensor,
} from "../mod.ts";
import facts from "./data/change_dims.json" with { type: "json" };
import pretrained from "./data/pretrained_dims.pt" with { type: "bytes" };

class ModifiedModel extends Module {
  linear1 = new Linear(12, 6);

  override forward(x: Tensor): Tensor {
    return this.linear1.forward(x);
  }
}

/** Three ways out of PyTorch's error, by name. */
const WAYS: Readonly<Record<"skip" | "overlap" | "mixed", LoadOptions<Tensor>>> = {
  skip: { strict: false, mismatch: "skip" },
  overlap: { strict: false, mismatch: "overlap" },
  mixed: { strict: false, mismatch: { "*.bias": "overlap", "*.weight": "skip" } },
};

/** Shows the error, then each way. Returns the outputs. */
export async function main(): Promise<Record<string, Tensor>> {
  try {
    await loadCheckpoint(new ModifiedModel(), pretrained, { strict: false });
  } catch (error) {
    if (!(error instanceof LoadStateDictError)) throw error;
    console.log("A size mismatch raises even with strict: false, as in PyTorch, in its words:\n");
    console.log(error.message);
  }

  const outputs: Record<string, Tensor> = {};
  for (const [way, options] of Object.entries(WAYS)) {
    manualSeed(facts.seed);
    const model = new ModifiedModel();
    console.log(`\nmismatch: ${JSON.stringify(options.mismatch)}\n`);
    console.log(await loadCheckpoint(model, pretrained, options));
    console.log("\nThe bias: five values from the checkpoint or none, the rest as constructed:\n");
    console.log(model.linear1.bias);
    outputs[way] = model.forward(tensor(facts.single.input));
  }
  console.log("\nThe same grafts done by hand in PyTorch give the same outputs:\n");
  for (const [way, y] of Object.entries(outputs)) {
    const theirs = Object.entries(facts.single).find(([name]) => name === way)?.[1];
    const isClose = typeof theirs === "object" && "output" in theirs && y.allclose(tensor(theirs.output));
    console.log(`${way}: ${isClose ? "close" : "DIFFERENT"}`);
  }
  return outputs;
}

if (import.meta.main) await main();
