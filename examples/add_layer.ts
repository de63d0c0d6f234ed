/**
 * Add a layer: a checkpoint of two layers, a model of three.
 *
 *     deno run examples/add_layer.ts              the checkpoint in examples/data, which needs no permission
 *     deno run -R examples/add_layer.ts FILE.pt   a file of yours with linear1 10→5 and linear2 5→2
 */

import { init, Linear, manualSeed, Module, openCheckpoint, planLoad, relu, type Tensor, tensor } from "../mod.ts";
import facts from "./data/add_layer.json" with { type: "json" };
import pretrained from "./data/pretrained.pt" with { type: "bytes" };

export default class ModifiedModel extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
  linear3 = new Linear(2, 1); // not in the checkpoint

  override forward(x: Tensor): Tensor {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}

/** Loads a checkpoint into the modified model and says what happened. Returns the model. */
export async function main(source: string | Uint8Array = pretrained): Promise<ModifiedModel> {
  manualSeed(facts.seed); // PyTorch's random stream: the new layer starts with PyTorch's own numbers
  const model = new ModifiedModel();
  const checkpoint = await openCheckpoint(source);
  const plan = planLoad(model, checkpoint.stateDict(), { strict: false, initMissing: init.xavierUniform_ });

  console.log("Before anything is touched:\n");
  console.log(plan);
  const report = await plan.apply();
  await checkpoint.close();
  console.log("\nAfterwards:\n");
  console.log(report);

  console.log("\nThe new layer, Xavier uniform under manualSeed(0):\n");
  console.log(model.linear3.weight);
  console.log(model.linear3.bias);

  const y = model.forward(tensor(facts.input));
  console.log("\nThe forward pass:\n");
  console.log(y);
  if (source === pretrained) {
    console.log(`\nPyTorch ${facts.torch} computes, from the same checkpoint and seed:\n`);
    console.log(tensor(facts.output));
    console.log(`\nClose to one another: ${y.allclose(tensor(facts.output))}`);
  }
  return model;
}

if (import.meta.main) await main(Deno.args[0]);
