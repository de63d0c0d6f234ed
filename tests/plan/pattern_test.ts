import { assertEquals, assertThrows } from "@std/assert";
import { compilePattern, PatternList, showPattern } from "../../src/plan/pattern.ts";

const CASES: readonly (readonly [pattern: string | RegExp, matches: readonly string[], not: readonly string[]])[] = [
  ["fc.weight", ["fc.weight"], ["fc.weights", "xfc.weight", "fc_weight", ""]],
  ["*", ["", "a", "a.b", "a\nb"], []],
  ["*.bias", ["fc.bias", "a.b.bias", ".bias"], ["bias", "fc.bias.x"]],
  ["layer?.weight", ["layer1.weight", "layer😀.weight", "layer..weight"], ["layer.weight", "layer12.weight"]],
  ["{head,fc}.*", ["head.weight", "fc.0.bias"], ["heads.weight", "head", "{head,fc}.x"]],
  ["a{,.b}.c", ["a.c", "a.b.c"], ["a..c"]],
  ["{a,b{c,d*}}", ["a", "bc", "bdx.y"], ["b", "ad"]],
  ["a,b", ["a,b"], ["a", "b"]],
  ["*a*b*", ["ab", "xaxbx", "aabb", "bab"], ["ba", "a", "b", ""]],
  ["a-b,c_d&&e~!@#%*", ["a-b,c_d&&e~!@#%x"], ["a-b"]],
  ["x^$\\.|+()[]/:=<>\"'` *", ["x^$\\.|+()[]/:=<>\"'` y"], ["x"]],
  ["a*ba", ["aba", "abxba", "ababa"], ["ab", "ba", "abab"]],
  ["**.x**", [".x", "a.b.x.y"], ["x"]],
  ["*.{0,1}*{a,b*c}", ["l.0.a", "l.1bxc", ".0a"], ["l.2.a", "l.0.b"]],
  ["a+(b)[c]|^$\\/", ["a+(b)[c]|^$\\/"], ["aab"]],
  [/bias$/, ["fc.bias", "bias"], ["bias.x"]],
  [/^fc/g, ["fc.bias"], ["x.fc"]],
  [/FC/i, ["a.fc"], ["a"]],
  [/fc/y, ["fc.x"], ["x.fc"]],
];

for (const [pattern, matches, not] of CASES) {
  Deno.test(`compilePattern() reads ${showPattern(pattern)}`, () => {
    const test = compilePattern(pattern);
    // Twice: a sticky or global expression must not remember where it stopped.
    assertEquals([...matches, ...matches].filter((key) => !test(key)), []);
    assertEquals([...not, ...not].filter((key) => test(key)), []);
  });
}

Deno.test("compilePattern() does not backtrack: fifty stars on a long key take no time", () => {
  const test = compilePattern(`${"*a".repeat(50)}*b`);
  const began = performance.now();
  assertEquals(test("a".repeat(5000)), false);
  assertEquals(test(`${"a".repeat(5000)}b`), true);
  assertEquals(performance.now() - began < 1000, true);
});

Deno.test("compilePattern() refuses braces that come to too many globs", () => {
  assertThrows(() => compilePattern("{a,b,c,d}".repeat(6)), TypeError, "its braces come to more than 1000 globs");
});

Deno.test("compilePattern() leaves the caller's RegExp as it was", () => {
  const pattern = /a/g;
  pattern.lastIndex = 5;
  assertEquals(compilePattern(pattern)("a"), true);
  assertEquals(pattern.lastIndex, 5);
});

Deno.test("compilePattern() refuses braces that do not pair", () => {
  assertThrows(() => compilePattern("{a"), TypeError, `Bad pattern "{a": "{" without "}"`);
  assertThrows(() => compilePattern("a}"), TypeError, `Bad pattern "a}": "}" without "{"`);
});

Deno.test("PatternList.first() answers the first of several, and unused() what never matched", () => {
  const list = new PatternList(["a.*", /b$/, "*", "c"]);
  assertEquals(list.first("a.b"), 0);
  assertEquals(list.first("x"), 2);
  assertEquals(list.unused(), ["c"]);
  assertEquals(list.matches("c"), true);
  assertEquals(list.unused(), []);
});
