import { assertEquals, assertRejects } from "@std/assert";
import { isLazyTensor, LimitError, openCheckpoint } from "../../src/checkpoint/mod.ts";

const FILE = new URL("../fixtures/checkpoints/scripted.pt", import.meta.url);

Deno.test("a TorchScript archive has the keys of its state_dict(): buffers, not plain tensors; parameters, not numbers", async () => {
  const checkpoint = await openCheckpoint(FILE);
  assertEquals([...checkpoint.stateDict().keys()], [
    "steps",
    "hidden",
    "first.weight",
    "first.bias",
    "rest.0.weight",
    "rest.0.bias",
    "twin.weight",
    "twin.bias",
  ]);
  const [one, other] = ["first.weight", "twin.weight"].map((key) => checkpoint.stateDict().get(key));
  assertEquals(isLazyTensor(one) && isLazyTensor(other) && one.storage.id === other.storage.id, true);
  await checkpoint.close();
});

Deno.test("a TorchScript archive's code is read within the limits", async () => {
  // data.pkl has some hundred bytes, the code of the classes more.
  await assertRejects(() => openCheckpoint(FILE, { limits: { metadataBytes: 1100 } }), LimitError, "metadataBytes");
});
