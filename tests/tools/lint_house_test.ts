/// <reference lib="deno.unstable" />

import { assertEquals } from "@std/assert";
import plugin from "../../tools/lint_house.ts";

function rules(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map((diagnostic) => diagnostic.id);
}

/** Rule, file, source, and how often the rule reports it. */
const CASES: readonly (readonly [string, string, string, number])[] = [
  ["no-console", "src/nn/linear.ts", `console.warn("x");`, 1],
  ["no-console", "src/nn/linear.ts", `logger.warn("x");`, 0],
  ["no-console", "src/cli.ts", `console.log("x");`, 0],
  ["no-console", "examples/add_layer.ts", `console.log("x");`, 0],
  ["no-assertion", "src/nn/linear.ts", `const a = b as number;`, 1],
  ["no-assertion", "src/nn/linear.ts", `const a = b as unknown as number;`, 2],
  ["no-assertion", "tests/nn/linear_test.ts", `const a = <number> b;`, 1],
  ["no-assertion", "src/nn/linear.ts", `const a = ["x"] as const;`, 0],
  ["no-assertion", "src/nn/linear.ts", `import { a as b } from "./c.ts";`, 0],
  ["no-assertion", "src/dtype.ts", `const a = b as number;`, 0],
  ["no-assertion", "src/core/wasm.ts", `const a = b as number;`, 0],
  ["no-proxy", "src/nn/linear.ts", `const a = new Proxy({}, {});`, 1],
  ["no-proxy", "src/nn/linear.ts", `const a = Proxy.revocable({}, {});`, 1],
  ["no-proxy", "src/nn/linear.ts", `const a = { Proxy: 1 }; a.Proxy;`, 0],
  ["no-decorator", "src/nn/linear.ts", `class A { @field x = 1; }`, 1],
  ["no-decorator", "src/nn/linear.ts", `class A { x = 1; }`, 0],
  ["no-using", "src/load/load.ts", `using file = open();`, 1],
  ["no-using", "mod.ts", `await using file = open();`, 1],
  ["no-using", "src/load/load.ts", `const file = open();`, 0],
  ["no-using", "tests/load/load_test.ts", `using file = open();`, 0],
  ["no-enum", "src/nn/linear.ts", `enum Kind { A }`, 1],
  ["no-enum", "src/nn/linear.ts", `type Kind = "a" | "b";`, 0],
  ["error-message", "src/load/load.ts", `throw new RangeError("cannot load");`, 1],
  ["error-message", "src/load/load.ts", `throw new RangeError("Cannot load.");`, 1],
  ["error-message", "src/load/load.ts", "throw new TypeError(`Cannot load ${key}.`);", 1],
  ["error-message", "src/load/load.ts", "throw new TypeError(`${key} cannot be loaded`);", 0],
  ["error-message", "src/load/load.ts", `throw new RangeError("Cannot load: 3 bytes", { cause });`, 0],
  ["error-message", "src/tensor/view.ts", `throw new RangeError("shape '[2]' is invalid");`, 0],
  ["error-message", "tests/load/load_test.ts", `throw new Error("broken.");`, 0],
];

for (const [rule, path, source, count] of CASES) {
  Deno.test(`house/${rule} ${count === 0 ? "allows" : "reports"} ${source} in ${path}`, () => {
    assertEquals(rules(path, source), new Array<string>(count).fill(`house/${rule}`));
  });
}
