import { assertEquals, assertThrows } from "@std/assert";
import { moduleListRepr, moduleRepr, pythonFloat, pythonInt, pythonRepr, pythonTuple } from "../../src/nn/repr.ts";
import fixture from "../fixtures/repr/repr.json" with { type: "json" };

/** A module of the fixture: its class, its settings (`null`: it folds its children), its children by name. */
type Tree = readonly [className: string, extraRepr: string | null, children: readonly (readonly [string, Tree])[]];

Deno.test("moduleRepr() and moduleListRepr() write whole models as PyTorch does", () => {
  assertEquals(fixture.modules.length > 40, true);
  for (const [tree, text] of fixture.modules) {
    assertTree(tree);
    assertEquals(textOf(tree), text);
  }
});

Deno.test("moduleListRepr() folds neighbours only", () => {
  assertEquals(
    moduleListRepr("ModuleList", ["A()", "A()", "B()", "A()"]),
    "ModuleList(\n  (0-1): 2 x A()\n  (2): B()\n  (3): A()\n)",
  );
});

Deno.test("pythonFloat() writes Python's shortest digits", () => {
  for (const [hex, text] of fixture.floats) assertEquals(pythonFloat(floatOf(hex)), text);
});

Deno.test("pythonInt() writes every digit, and refuses a fraction", () => {
  assertEquals([1, -0, 1e21, 2n ** 64n].map(pythonInt), ["1", "0", "1000000000000000000000", "18446744073709551616"]);
  for (const wrong of [0.5, NaN, Infinity]) assertThrows(() => pythonInt(wrong), RangeError);
});

Deno.test("pythonTuple() writes tuples of integers", () => {
  for (const [values, text] of fixture.tuples) {
    if (!Array.isArray(values)) throw new TypeError("A tuple of the fixture is a list");
    assertEquals(pythonTuple(values), text);
  }
});

Deno.test("pythonRepr() writes strings as Python does", () => {
  for (const [value, text] of fixture.strings) assertEquals(pythonRepr(value), text);
});

Deno.test("pythonRepr() writes the settings of layers", () => {
  const cases = [[0.5, "0.5"], [1e-5, "1e-05"], [3, "3"], [-1, "-1"], [7n, "7"], [Infinity, "inf"], [
    true,
    "True",
  ]] as const;
  for (const [value, text] of [...cases, [false, "False"], [null, "None"], ["none", "'none'"]] as const) {
    assertEquals(pythonRepr(value), text);
  }
});

function textOf([className, extraRepr, children]: Tree): string {
  const texts = children.map(([name, tree]) => [name, textOf(tree)] as const);
  if (extraRepr === null) return moduleListRepr(className, texts.map(([, text]) => text));
  return moduleRepr({ className, extraRepr, children: texts });
}

function floatOf(hex: unknown): number {
  return new DataView(Uint8Array.fromHex(String(hex)).buffer).getFloat64(0);
}

function assertTree(value: unknown): asserts value is Tree {
  if (!Array.isArray(value) || value.length !== 3 || !Array.isArray(value[2])) throw new TypeError("Not a tree");
  for (const [, child] of value[2]) assertTree(child);
}
