/// <reference lib="deno.unstable" />

import { assertEquals } from "@std/assert";
import plugin, { repositoryPath } from "../../tools/lint_layers.ts";

function messages(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map((diagnostic) => diagnostic.message);
}

/** File, source, and what `layers/imports` says about it; `null`: nothing. */
const IMPORTS: readonly (readonly [string, string, string | null])[] = [
  ["src/shape.ts", `import { itemSize } from "./dtype.ts";`, null],
  ["src/shape.ts", `import { open } from "./bytes/file.ts";`, `Layer "vocabulary" must not import "bytes"`],
  ["src/bytes/file.ts", `import { TruncatedError } from "../errors.ts";`, null],
  ["src/bytes/file.ts", `const fs = await import("node:fs");`, null],
  ["src/bytes/file.ts", `export { zip } from "../checkpoint/zip.ts";`, `Layer "bytes" must not import "checkpoint"`],
  ["src/checkpoint/zip.ts", `import { cursor } from "../bytes/cursor.ts";`, null],
  ["src/checkpoint/zip.ts", `import { cast } from "../core/cast.ts";`, `Layer "checkpoint" must not import "core"`],
  ["src/core/wasm.ts", `import { BASE64 } from "../../wasm/graft_core_simd.ts";`, null],
  ["src/core/wasm.ts", `import type { Tensor } from "../tensor/tensor.ts";`, `Layer "core" must not import "tensor"`],
  ["src/tensor/tensor.ts", `import { linear } from "../core/linear.ts";`, null],
  ["src/tensor/ops/add.ts", `import { Tensor } from "../tensor.ts";`, null],
  [
    "src/tensor/tensor.ts",
    `import * as glue from "../../wasm/graft_core.js";`,
    `Layer "tensor" must not import "wasm"`,
  ],
  ["src/plan/plan.ts", `import type { Outcome } from "../outcome.ts";`, null],
  ["src/plan/plan.ts", `export * from "../tensor/tensor.ts";`, `Layer "plan" must not import "tensor"`],
  ["src/nn/module.ts", `import { planLoad } from "../plan/plan.ts";`, null],
  ["src/nn/module.ts", `import { open } from "../checkpoint/open.ts";`, `Layer "nn" must not import "checkpoint"`],
  ["src/nn/module.ts", `type C = import("../checkpoint/open.ts").C;`, `Layer "nn" must not import "checkpoint"`],
  ["src/nn/linear.ts", `import { cast } from "../core/cast.ts";`, `Layer "nn" must not import "core"`],
  ["src/optim/sgd.ts", `import { Parameter } from "../nn/parameter.ts";`, null],
  ["src/optim/sgd.ts", `import { planLoad } from "../plan/plan.ts";`, `Layer "optim" must not import "plan"`],
  ["src/load/load.ts", `import { SGD } from "../optim/sgd.ts";`, null],
  ["src/load/load.ts", `import { run } from "../cli.ts";`, `Layer "load" must not import "cli"`],
  ["mod.ts", `export { load } from "./src/load/load.ts";`, null],
  ["mod.ts", `export { run } from "./src/cli.ts";`, `Layer "mod" must not import "cli"`],
  ["src/cli.ts", `import { parseArgs } from "@std/cli";`, null],
  ["src/cli.ts", `import { openCheckpoint } from "./checkpoint/mod.ts";`, null],
  ["src/cli/command.ts", `import { nearestWord } from "../plan/nearest.ts";`, null],
  ["src/cli/command.ts", `import { planRows } from "../plan/plan.ts";`, `Layer "cli" must not import "plan"`],
  ["src/cli.ts", `const model = await import(path);`, null],
  ["src/cli.ts", `import { zip } from "./checkpoint/zip.ts";`, `Layer "cli" must not import "checkpoint"`],
  ["examples/add_layer.ts", `import { Linear } from "@graft/graft";`, null],
  ["examples/add_layer.ts", `import { Linear } from "../src/nn/linear.ts";`, `Layer "examples" must not import "nn"`],
  ["bench/linear.bench.ts", `import ort from "onnxruntime-web";`, null],
  ["bench/linear.bench.ts", `import { memory } from "../src/core/memory.ts";`, `Layer "bench" must not import "core"`],
  ["src/nn/linear.ts", `import { parseArgs } from "@std/cli";`, `Layer "nn" must not import "@std/cli"`],
  ["src/nn/linear.ts", `import { x } from "../../tests/assert.ts";`, `Layer "nn" must not import "tests/assert.ts"`],
  ["src/nn/linear.ts", `const x = await import(name);`, `Layer "nn" must not import a name that is computed`],
  ["src/http/get.ts", ``, `"src/http/get.ts" is in no layer: add its folder to the table`],
  ["tests/nn/linear_test.ts", `import { memory } from "../../src/core/memory.ts";`, null],
];

for (const [path, source, expected] of IMPORTS) {
  const verdict = expected === null ? "allows" : "reports";
  Deno.test(`layers/imports ${verdict} ${source} in ${path}`, () => {
    assertEquals(messages(path, source), expected === null ? [] : [expected]);
  });
}

Deno.test("layers/file-name reports a name that says nothing", () => {
  for (const name of ["util", "utils", "helper", "helpers", "common", "misc", "types"]) {
    const expected = [`No file is called "${name}": name the thing that is in it`];
    assertEquals(messages(`src/nn/${name}.ts`, ""), expected);
    assertEquals(messages(`tests/_${name}.d.ts`, ""), expected);
  }
});

Deno.test("layers/file-name allows a name that contains such a word", () => {
  assertEquals(messages("src/nn/typed_array.ts", ""), []);
  assertEquals(messages("src/nn/common_prefix.ts", ""), []);
});

Deno.test("repositoryPath() makes an absolute file name relative to the repository", () => {
  const absolute = decodeURIComponent(new URL("../../src/nn/linear.ts", import.meta.url).pathname);
  assertEquals(repositoryPath(absolute), "src/nn/linear.ts");
  assertEquals(repositoryPath("src\\nn\\linear.ts"), "src/nn/linear.ts");
});
