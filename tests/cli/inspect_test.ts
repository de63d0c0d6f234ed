import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkpoint, PRETRAINED, run } from "./screen.ts";

Deno.test("graft inspect prints the tensors", async () => {
  const { code, out } = await run(["inspect", PRETRAINED, "--filter", "*.weight"]);
  assertEquals([code, out], [
    0,
    [
      "torch-zip, the file is the state dict",
      "2 tensors, 60 parameters, 240 bytes: all float32",
      "",
      "Tensors (2)",
      "  linear1.weight  [5, 10]  float32  200 bytes",
      "  linear2.weight  [2, 5]   float32  40 bytes",
    ].join("\n"),
  ]);
});

Deno.test("graft inspect --json has the documented keys", async () => {
  const { out } = await run(["inspect", PRETRAINED, "--json"]);
  const data = JSON.parse(out);
  assertEquals(Object.keys(data), ["format", "path", "tensors", "parameters", "byteLength"]);
  assertEquals(Object.keys(data.tensors[0]), ["name", "dtype", "shape", "strides", "byteLength", "storage"]);
});

Deno.test("graft inspect fits a terminal of 60 columns, and colours where the terminal does", async () => {
  const { out } = await run(["inspect", checkpoint("module.pt")], { width: 60, color: true });
  // deno-lint-ignore no-control-regex -- the colours are control characters
  const plain = out.replaceAll(/\x1b\[\d+m/g, "");
  assertEquals(plain.split("\n").filter((line) => line.length > 60), []);
  assertEquals(out === plain, false);
  assertEquals((await run(["inspect", checkpoint("module.pt")], { width: 60 })).out, plain);
});

Deno.test("graft inspect lists the state dicts of a file that has several, and takes one of them", async () => {
  const several = await run(["inspect", checkpoint("gan.pt")]);
  assertEquals([several.code, several.err.split("\n")], [2, [
    "There are several state dicts in the file; add one of",
    "  --state-dict generator  2 tensors, 12 bytes, all float32",
    "  --state-dict nets.0     2 tensors, 8 bytes, all float32",
  ]]);
  const mixed = await run(["inspect", checkpoint("timm_ema.pt"), "--json"]);
  assertEquals([mixed.out, mixed.err.split("\n").slice(1)], ["", [
    "  --state-dict state_dict      9 tensors, 108 bytes",
    "  --state-dict state_dict_ema  9 tensors, 108 bytes",
  ]]);
  const nets = await run(["inspect", checkpoint("gan.pt"), "--state-dict", "nets.0", "--json"]);
  assertEquals([nets.code, JSON.parse(nets.out).path], [0, ["nets", 0]]);
  const generator = await run(["inspect", checkpoint("gan.pt"), "--state-dict", "generator"]);
  assertStringIncludes(generator.out, "the state dict is at generator");
  const none = await run(["inspect", checkpoint("gan.pt"), "--state-dict", "generato"]);
  assertEquals(none.code, 1);
});

Deno.test("graft says in one line what is wrong with a file", async () => {
  for (
    const [path, message] of [
      [checkpoint("nowhere.pt"), "there is no such file or folder"],
      [checkpoint(""), "it is a folder"],
      [checkpoint("bare.pt.json"), "it is not a checkpoint"],
    ]
  ) {
    const { code, out, err } = await run(["inspect", path]);
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, message);
    assertEquals(err.includes("\n"), false, err);
  }
});

Deno.test({
  name: "graft prints the one flag to add where a permission is missing",
  permissions: "none",
  async fn() {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["inspect", "model.pt"], "Add --allow-read=model.pt"],
      [["diff", "a.pt", "b c.pt"], "Add '--allow-read=a.pt,b c.pt'"],
      [["plan", "model.pt", "--model", "model.ts"], "Add --allow-read=model.pt,model.ts"],
      [
        ["convert", "in.pt", "out.safetensors"],
        "Add --allow-read=in.pt,out.safetensors,out.safetensors.part --allow-write=out.safetensors,out.safetensors.part",
      ],
    ];
    for (const [args, flag] of cases) {
      const { code, err } = await run(args);
      assertEquals([code, err.split("\n")[1]], [1, flag]);
    }
  },
});
