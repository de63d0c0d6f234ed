import { assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "../../mod.ts";
import { Interruption } from "../../src/cli/terminal.ts";
import { checkpoint, inFolder, PRETRAINED, run } from "./screen.ts";

Deno.test("graft convert writes safetensors and says what it wrote", () =>
  inFolder(async (folder) => {
    const path = `${folder}/out.safetensors`;
    const { code, out } = await run(["convert", PRETRAINED, path, "--dtype", "torch.half", "--strip", "linear1."]);
    assertEquals(code, 0);
    assertEquals(out.split("\n")[0], `Wrote ${path}: 4 tensors, 438 bytes`);
    assertEquals([...await load(path)].map(([key, { dtype }]) => [key, dtype]), [
      ["bias", "float16"],
      ["linear2.bias", "float16"],
      ["linear2.weight", "float16"],
      ["weight", "float16"],
    ]);
  }));

Deno.test("graft convert --json has the documented keys", () =>
  inFolder(async (folder) => {
    const { out } = await run(["convert", PRETRAINED, `${folder}/out.safetensors`, "--json", "--drop", "*.bias"]);
    const data = JSON.parse(out);
    assertEquals(Object.keys(data), [
      "from",
      "path",
      "files",
      "tensors",
      "byteLength",
      "aliases",
      "renamed",
      "dropped",
      "unusedRules",
      "casts",
      "overflowed",
      "vanished",
    ]);
    assertEquals([data.from, data.tensors], ["torch-zip", 2]);
  }));

Deno.test("graft convert replaces a file only with --force", () =>
  inFolder(async (folder) => {
    const path = `${folder}/out.safetensors`;
    Deno.writeTextFileSync(path, "old");
    const { code, err } = await run(["convert", PRETRAINED, path]);
    assertEquals([code, err], [1, `Cannot write "${path}": it is there already\nAdd --force to replace it`]);
    assertEquals(Deno.readTextFileSync(path), "old");
    assertEquals((await run(["convert", PRETRAINED, path, "--force"])).code, 0);
    assertEquals((await load(path)).size, 4);
  }));

Deno.test("graft convert --shard-size writes several files and says where to open them", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    const { code, out } = await run(["convert", PRETRAINED, path, "--shard-size", "0.21KB"]);
    const sizes = [...Deno.readDirSync(folder)].map(({ name }) => Deno.statSync(`${folder}/${name}`).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assertEquals([code, sizes.length], [0, 3]);
    assertEquals(out.replace(/\s+/g, " "), `Wrote ${path}.index.json: 4 tensors, ${showKilobytes(total)} in 2 shards`);
    assertEquals((await load(`${path}.index.json`)).size, 4);
    const again = await run(["convert", `${path}.index.json`, path, "--shard-size=1MB"]);
    assertEquals(again.code, 1);
    assertStringIncludes(
      again.err,
      'model-00001-of-00002.safetensors": it is there already\nAdd --force to replace it',
    );
    const { out: json } = await run(["convert", `${path}.index.json`, path, "--shard-size=1MB", "--force", "--json"]);
    assertEquals([JSON.parse(json).path, JSON.parse(json).files], [path, ["model.safetensors"]]);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["model.safetensors"]);
  }));

Deno.test("graft convert refuses a shard size that is none, with the exit code of wrong usage", () =>
  inFolder(async (folder) => {
    const { code, err } = await run(["convert", PRETRAINED, `${folder}/out.pt`, "--shard-size", "5gb"]);
    assertEquals(code, 2);
    assertStringIncludes(err, 'Bad shard size "5gb": expected a whole number of bytes, or a text such as "5GB"');
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("graft convert says what it cannot write, and writes nothing then", () =>
  inFolder(async (folder) => {
    const path = `${folder}/out.safetensors`;
    for (
      const [args, message] of [
        [[PRETRAINED, `${folder}/out.onnx`], ".onnx is not written; name a path that ends with .safetensors"],
        [[checkpoint("extra_state.pt"), path], "which holds tensors only"],
        [[PRETRAINED, path, "--filter", "x"], "none of the 4 keys matches"],
        [[PRETRAINED, path, "--rename", "linear1=linear2"], 'would both be called "linear2.weight"'],
        [[PRETRAINED, `${folder}/no/out.safetensors`], "there is no such file or folder"],
      ] as const
    ) {
      const { code, err } = await run(["convert", ...args]);
      assertEquals(code, 1);
      assertStringIncludes(err, message);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("graft convert is quiet when interrupted, exits with 130 and leaves nothing", () =>
  inFolder(async (folder) => {
    const interruption = () => AbortSignal.abort(new Interruption());
    const result = await run(["convert", PRETRAINED, `${folder}/out.safetensors`], { interruption });
    assertEquals(result, { code: 130, out: "", err: "", progress: [] });
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("graft shows no progress for what takes but a moment", () =>
  inFolder(async (folder) => {
    const { progress } = await run(["convert", PRETRAINED, `${folder}/out.safetensors`], { isWatched: true });
    assertEquals(progress, []);
  }));

function showKilobytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`;
}
