/**
 * Remove a layer: a checkpoint of three layers, a model of two.
 *
 *     deno run examples/remove_layer.ts
 */

import { Linear, loadCheckpoint, LoadStateDictError, Module, relu, type Tensor, tensor } from "../mod.ts";
import facts from "./data/remove_layer.json" with { type: "json" };
import pretrained from "./data/pretrained_remove.pt" with { type: "bytes" };

class ModifiedModel extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);

  override forward(x: Tensor): Tensor {
    return this.linear2.forward(relu(this.linear1.forward(x)));
  }
}

/** Loads twice: strictly, which PyTorch's error refuses, and without what was removed. Returns the model. */
export async function main(): Promise<ModifiedModel> {
  const model = new ModifiedModel();
  try {
    await loadCheckpoint(model, pretrained);
  } catch (error) {
    if (!(error instanceof LoadStateDictError)) throw error;
    console.log("strict: true is PyTorch's, and so is its error:\n");
    console.log(error.message);
  }

  console.log('\nstrict: { allowUnexpected: ["linear3.*"] } is strict about everything else:\n');
  console.log(await loadCheckpoint(model, pretrained, { strict: { allowUnexpected: ["linear3.*"] } }));

  const y = model.forward(tensor(facts.input));
  console.log("\nThe forward pass, and PyTorch's:\n");
  console.log(y);
  console.log(tensor(facts.output));
  console.log(`\nClose to one another: ${y.allclose(tensor(facts.output))}`);
  return model;
}

if (import.meta.main) await main();
