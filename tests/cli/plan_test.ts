import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkpoint, inFolder, model, PRETRAINED, run } from "./screen.ts";
import { save, zeros } from "../../mod.ts";

Deno.test("graft plan exits with 1 where the load is refused, and says which option would help", async () => {
  const { code, out } = await run(["plan", PRETRAINED, "--model", model("added_layer")]);
  assertEquals(code, 1);
  assertEquals(out.split("\n")[0], "Would be refused: 2 missing keys");
  assertEquals(out.split("\n").slice(-2), ["To try it here, add", "  --allow-missing 'linear3.*'"]);
});

Deno.test("graft plan passes with the option that it proposed", async () => {
  const args = ["plan", PRETRAINED, "--model", model("added_layer"), "--allow-missing", "linear3.*"];
  const { code, out } = await run([...args, "--init-missing", "xavierUniform"]);
  assertEquals(code, 0);
  assertEquals(out.split("\n")[0], "Would load 95.7 % of the model: 4 of 6 tensors, 67 of 70 elements");
  assertStringIncludes(out, "initialised by xavierUniform_");
  assertEquals((await run(["plan", PRETRAINED, "--model", model("added_layer"), "--no-strict"])).code, 0);
});

for (const name of ["instance", "factory"]) {
  Deno.test(`graft plan takes a model file whose default export is: ${name}`, async () => {
    const { code, out } = await run(["plan", PRETRAINED, "--model", model(name)]);
    assertEquals([code, out.split("\n")[0]], [0, "Would load all of the model: 4 tensors, 67 elements"]);
  });
}

Deno.test("graft plan waits for an asynchronous factory; --mismatch decides by pattern, the first that matches", async () => {
  const args = ["plan", PRETRAINED, "--model", model("async_factory"), "--json"];
  assertEquals((await run(args)).code, 1);
  const { code, out } = await run([...args, "--mismatch", "*.bias=overlap", "--mismatch", "skip"]);
  assertEquals(code, 0);
  const { mismatched } = JSON.parse(out);
  assertEquals(mismatched.map(({ key, action }: { key: string; action: string }) => [key, action]), [
    ["linear1.weight", "skip"],
    ["linear1.bias", "overlap"],
    ["linear2.weight", "skip"],
  ]);
});

Deno.test("graft plan --json has the documented keys, the flags of suggestions among them", async () => {
  const { code, out } = await run(["plan", PRETRAINED, "--model", model("other_names"), "--json"]);
  assertEquals(code, 1);
  const data = JSON.parse(out);
  assertEquals(Object.keys(data).slice(0, 5), ["ok", "problems", "suggestions", "bytesToRead", "peakBytes"]);
  assertEquals(Object.keys(data.suggestions[0]), ["kind", "message", "option", "flags", "keys"]);
  assertEquals(data.suggestions[0].flags, "--rename linear1.=first.");
});

Deno.test("graft plan applies renames in the order in which they stand", async () => {
  const args = ["plan", PRETRAINED, "--model", model("other_names"), "--json"];
  const right = await run([...args, "--add", "net.", "--rename", "linear1=first", "--strip=net."]);
  assertEquals([right.code, JSON.parse(right.out).renamed[0].to], [0, "first.weight"]);
  const wrong = await run([...args, "--strip=net.", "--rename", "linear1=first", "--add", "net."]);
  assertEquals([wrong.code, JSON.parse(wrong.out).loaded], [1, []]);
  const expression = await run([...args, "--rename", "/^linear1\\b/=first"]);
  assertEquals(expression.code, 0);
});

Deno.test("graft plan proposes flags for wrappers, transposes, shapes and unexpected keys", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    const cases: readonly (readonly [Record<string, readonly number[]>, string])[] = [
      [{
        "module.linear1.weight": [5, 10],
        "module.linear1.bias": [5],
        "module.linear2.weight": [2, 5],
        "module.linear2.bias": [2],
      }, "--strip module."],
      [
        { "linear1.weight": [10, 5], "linear1.bias": [5], "linear2.weight": [2, 5], "linear2.bias": [2] },
        "--transpose linear1.weight",
      ],
      [
        { "linear1.weight": [5, 11], "linear1.bias": [5], "linear2.weight": [2, 5], "linear2.bias": [2] },
        "--mismatch linear1.weight=skip",
      ],
      [{
        "linear1.weight": [5, 10],
        "linear1.bias": [5],
        "linear2.weight": [2, 5],
        "linear2.bias": [2],
        "head.w": [1],
        "head.b": [1],
      }, "--allow-unexpected 'head.*'"],
    ];
    for (const [shapes, flag] of cases) {
      await save(Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, zeros([...shape])])), path);
      const { code, out } = await run(["plan", path, "--model", model("instance")]);
      assertEquals([code, out.split("\n").at(-1)], [1, `  ${flag}`]);
      const words = flag.split(" ").map((word) => word.replaceAll("'", ""));
      assertEquals((await run(["plan", path, "--model", model("instance"), ...words])).code, 0, flag);
    }
    assertEquals((await run(["plan", path, "--model", model("instance"), "--rename", "auto", "--no-strict"])).code, 0);
  });
});

Deno.test("graft plan takes the policies: cast, coverage, no match, state dict", async () => {
  const args = ["plan", PRETRAINED, "--model", model("added_layer"), "--no-strict"];
  assertEquals((await run([...args, "--min-coverage", "0.99"])).code, 1);
  assertEquals((await run([...args, "--min-coverage", "95%", "--cast", "error", "--assign"])).code, 0);
  const strange = [
    "plan",
    checkpoint("gan.pt"),
    "--state-dict",
    "nets.0",
    "--model",
    model("added_layer"),
    "--no-strict",
  ];
  assertEquals((await run(strange)).code, 1);
  assertEquals((await run([...strange, "--allow-no-match"])).code, 0);
});

const NO_MODELS: readonly (readonly [string, number, string])[] = [
  ["named", 2, "it exports Net, size and no default; write: export default Net"],
  ["nothing", 2, "it exports nothing; expected a Module class"],
  ["number", 2, "it is the number 42; expected a Module class, a Module, or a function that makes one"],
  ["other_class", 2, "it is a class Net that does not extend Module"],
  ["returns_list", 2, "it is a function make that returned an object of Array"],
  ["throws", 1, "make() threw RangeError: no such size"],
  [
    "needs_arguments",
    1,
    "new Net() threw TypeError: size is missing; it takes arguments: export default () => new Net(…)",
  ],
  ["broken", 1, "at import"],
  ["nowhere", 2, "there is no such file"],
];

for (const [name, code, message] of NO_MODELS) {
  Deno.test(`graft plan explains a file without a model: ${name}`, async () => {
    const result = await run(["plan", PRETRAINED, "--model", model(name)]);
    assertEquals(result.code, code, result.err);
    assertStringIncludes(result.err, message);
    assertStringIncludes(result.err, `models/${name}.ts"`);
    assertEquals(result.err.includes("\n"), false);
  });
}

Deno.test("graft plan says where a model file is wrong", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/syntax.ts`, "\nexport default class {");
    const syntax = await run(["plan", PRETRAINED, "--model", `${folder}/syntax.ts`]);
    assertEquals(syntax.code, 1);
    assertStringIncludes(syntax.err, "syntax.ts:2:23");
    Deno.writeTextFileSync(`${folder}/lost.ts`, `import "./gone.ts";\nexport default 1;`);
    const lost = await run(["plan", PRETRAINED, "--model", `${folder}/lost.ts`]);
    assertStringIncludes(lost.err, "gone.ts");
    assertStringIncludes(lost.err, "lost.ts:1:8");
    assertEquals([syntax.err, lost.err].some((text) => text.includes("\n") || text.includes("\x1b")), false);
  }));
