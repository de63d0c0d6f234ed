import { assertEquals, assertRejects } from "@std/assert";
import { Linear, load, save, Sequential, tensor, UnsupportedError } from "../../mod.ts";

Deno.test("save() writes a model or a state dict over a file that is there", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/model.safetensors`;
  const model = new Sequential(new Linear(2, 3));
  await save(model, path);
  assertEquals([...(await load(path)).keys()], ["0.bias", "0.weight"]);
  await save({ only: tensor([1, 2]) }, new URL(`file://${path}`));
  assertEquals((await load(path)).get("only")?.tolist(), [1, 2]);
  await save({ only: tensor([3]) }, `${folder}/model.bin`, { format: "safetensors" });
  assertEquals((await load(`${folder}/model.bin`)).get("only")?.tolist(), [3]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("save() refuses what it cannot write and leaves the file as it was", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/model.safetensors`;
  Deno.writeTextFileSync(path, "old");
  await assertRejects(() => save({ epoch: 3 }, path), TypeError, '"epoch" is of type int');
  await assertRejects(() => save({}, `${folder}/model.gguf`), UnsupportedError, ".gguf is not written;");
  await assertRejects(() => save({}, `${folder}/model`), UnsupportedError, "a path without an ending");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["model.safetensors"]);
  assertEquals(Deno.readTextFileSync(path), "old");
  Deno.removeSync(folder, { recursive: true });
});
