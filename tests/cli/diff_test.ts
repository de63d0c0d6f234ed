import { assertEquals, assertStringIncludes } from "@std/assert";
import { load, save } from "../../mod.ts";
import { checkpoint, inFolder, PRETRAINED, run } from "./screen.ts";

Deno.test("graft diff exits with 0 where nothing is different, across formats", () =>
  inFolder(async (folder) => {
    const path = `${folder}/same.safetensors`;
    await save(await load(PRETRAINED), path);
    const names = await run(["diff", PRETRAINED, path]);
    assertEquals([names.code, names.out.split("\n")], [0, [
      "No difference: 4 keys, same shapes and dtypes",
      "Values were not compared",
      "To compare them too, add --values",
    ]]);
    const values = await run(["diff", PRETRAINED, path, "--values"]);
    assertEquals([values.code, values.out], [0, "No difference: 4 keys, same shapes, dtypes and values"]);
  }));

Deno.test("graft diff exits with 1 where something is, and names the files", () =>
  inFolder(async (folder) => {
    const path = `${folder}/other.safetensors`;
    const weights = await load(PRETRAINED);
    weights.get("linear2.bias")?.add_(1);
    weights.delete("linear1.bias");
    await save(weights, path);
    const { code, out } = await run(["diff", PRETRAINED, path, "--values"]);
    assertEquals(code, 1);
    assertEquals(out.split("\n"), [
      "Different: 1 missing key, 1 tensor with other values",
      "In both: 3 keys",
      "",
      "Only in pretrained.pt (1)",
      "  linear1.bias  [5]  float32",
      "",
      "Other values, and by how much at most (1)",
      `  linear2.bias  by 1  ${/relative \S+/.exec(out)?.[0]}  all 2`,
    ]);
    const json = JSON.parse((await run(["diff", PRETRAINED, path, "--values", "--json"])).out);
    assertEquals(Object.keys(json), [
      "equal",
      "missing",
      "extra",
      "shapes",
      "dtypes",
      "others",
      "compared",
      "values",
      "unreadable",
    ]);
    const { key, different, of, nan } = json.values[0];
    assertEquals([key, different, of, nan], ["linear2.bias", 2, 2, 0]);
  }));

Deno.test("graft diff chooses, renames, and takes a state dict of each file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/wrapped.safetensors`;
    const weights = await load(PRETRAINED);
    await save(new Map([...weights].map(([key, value]) => [`module.${key}`, value])), path);
    const apart = await run(["diff", PRETRAINED, path]);
    assertStringIncludes(apart.out, 'Without "module." in front, 4 keys would be in both');
    assertEquals((await run(["diff", PRETRAINED, path, "--strip", "module.", "--values"])).code, 0);
    assertEquals((await run(["diff", PRETRAINED, path, "--filter", "*nothing*"])).code, 0);
    const gan = checkpoint("gan.pt");
    assertEquals((await run(["diff", gan, gan, "--state-dict", "generator"])).code, 0);
    assertEquals((await run(["diff", gan, gan, "--state-dict", "generator", "--state-dict", "nets.0"])).code, 1);
  }));
