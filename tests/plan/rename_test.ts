import { assertEquals, assertThrows } from "@std/assert";
import type { RenameRule } from "../../src/plan/options.ts";
import { renameRows, ruleSource } from "../../src/plan/rename.ts";
import { metadataOf, rowsOf } from "./fixture_rows.ts";

interface Renaming {
  readonly keys: readonly string[];
  readonly rename: readonly RenameRule[] | "auto";
  readonly model?: readonly string[];
  readonly versions?: Readonly<Record<string, number>>;
}

function renameKeys({ keys, rename, model = [], versions }: Renaming) {
  const { rows } = rowsOf(Object.fromEntries(keys.map((key) => [key, [1]])));
  const metadata = versions === undefined ? null : metadataOf(versions);
  const renamed = renameRows({ rows, metadata }, { rename, modelKeys: () => new Set(model) });
  return { ...renamed, keys: renamed.entries.map(({ key }) => key) };
}

const RULES: readonly (readonly [rule: RenameRule, keys: Readonly<Record<string, string | null>>])[] = [
  [{ strip: "module." }, {
    "module.a": "a",
    "module.module.a": "module.a",
    "a.module.b": "a.module.b",
    "modules.a": "modules.a",
  }],
  [{ add: "base." }, { a: "base.a", "base.a": "base.base.a" }],
  [{ replace: "gamma", with: "$1&" }, { "a.gamma": "a.$1&", "gamma.gamma": "$1&.$1&", b: "b" }],
  [{ replace: /layer(\d)/, with: "blocks.$1" }, { "layer1.layer2": "blocks.1.layer2" }],
  [{ replace: /l/g, with: "L" }, { "l.l": "L.L", lll: "LLL" }],
  [{ replace: /a/y, with: "b" }, { aa: "ba", ca: "ca" }],
  [{ drop: "head.*" }, { "head.a": null, head: "head" }],
  [{ drop: /bias/ }, { "a.bias": null, a: "a" }],
  [(key) => key.startsWith("x") ? null : key.toUpperCase(), { xa: null, a: "A" }],
];

for (const [rule, keys] of RULES) {
  Deno.test(`renameRows() applies ${ruleSource(rule)}`, () => {
    for (const [from, to] of Object.entries(keys)) {
      assertEquals(renameKeys({ keys: [from], rename: [rule] }).keys, to === null ? [] : [to]);
    }
  });
}

Deno.test("renameRows() applies rules in order and records each that did something", () => {
  const rename: RenameRule[] = [{ strip: "module." }, { replace: "gamma", with: "weight" }, { drop: "*.tmp" }, {
    strip: "x.",
  }];
  const { keys, journal, unused } = renameKeys({ keys: ["module.n.gamma", "n.bias", "module.n.tmp"], rename });
  assertEquals(keys, ["n.weight", "n.bias"]);
  assertEquals(journal.renamed(), [
    { from: "module.n.gamma", to: "n.weight", rule: `strip "module.", then replace "gamma" with "weight"` },
  ]);
  assertEquals(journal.dropped(), [{ key: "module.n.tmp", rule: `drop "*.tmp"` }]);
  assertEquals(unused, [`strip "x."`]);
});

Deno.test("renameRows() records keys that end up with one name", () => {
  const { journal } = renameKeys({ keys: ["a", "x.a", "b", "x.b", "y.a"], rename: [{ strip: "x." }, { strip: "y." }] });
  assertEquals(journal.collisions(), [{ to: "a", from: ["a", "x.a", "y.a"] }, { to: "b", from: ["b", "x.b"] }]);
});

Deno.test("renameRows() refuses a function that answers nothing", () => {
  const rename = [(key: string) => JSON.parse(key)];
  const message = `A rename function must answer a string or null, got number for "3"`;
  assertThrows(() => renameKeys({ keys: ["3"], rename }), TypeError, message);
});

Deno.test("renameRows() takes the versions of modules along", () => {
  const versions = { "": 1, module: 7, "module.bn": 2, "module.empty": 1 };
  const { metadata } = renameKeys({ keys: ["module.bn.weight"], rename: [{ strip: "module." }], versions });
  // As consume_prefix_in_state_dict_if_present: the wrapper's own record gives way to that of what it wrapped.
  assertEquals(metadata, new Map([...metadataOf({ "": 7, "module.empty": 1, bn: 2 })]));
  const added = renameKeys({ keys: ["bn.weight"], rename: [{ add: "base.enc." }], versions: { "": 1, bn: 2 } });
  assertEquals(added.metadata, metadataOf({ "base.enc": 1, "base.enc.bn": 2 }));
});

const WRAPPED: readonly (readonly [key: string, to: string])[] = [
  ["module.fc.weight", "fc.weight"],
  ["_orig_mod.fc.weight", "fc.weight"],
  ["_orig_mod.module.fc.weight", "fc.weight"],
  ["model._orig_mod.fc.weight", "fc.weight"],
  ["net.fc.weight", "fc.weight"],
  ["enc._orig_mod.layers.0.weight", "enc.layers.0.weight"],
  ["model.enc._orig_mod.layers._checkpoint_wrapped_module.0.weight", "enc.layers.0.weight"],
  ["module.module.own.weight", "module.own.weight"],
  ["module.own.weight", "module.own.weight"],
  ["module.other.weight", "module.other.weight"],
  ["backbone.fc.weight", "backbone.fc.weight"],
];

for (const [key, to] of WRAPPED) {
  Deno.test(`renameRows() "auto" makes ${to} of ${key}`, () => {
    const model = ["fc.weight", "enc.layers.0.weight", "module.own.weight"];
    const { keys } = renameKeys({ keys: [key], rename: "auto", model });
    assertEquals(keys, [to]);
  });
}

Deno.test(`renameRows() "auto" says what it did, and leaves what is there alone`, () => {
  const keys = ["module.a.w", "b._orig_mod.w", "module.c.w", "c.w"];
  const { journal, keys: now } = renameKeys({ keys, rename: "auto", model: ["a.w", "b.w", "c.w"] });
  assertEquals(now, ["a.w", "b.w", "module.c.w", "c.w"]);
  assertEquals(journal.renamed(), [
    { from: "module.a.w", to: "a.w", rule: `auto: strip "module."` },
    { from: "b._orig_mod.w", to: "b.w", rule: `auto: take out "_orig_mod."` },
  ]);
  assertEquals(journal.collisions(), []);
});

Deno.test(`renameRows() "auto" lets two wrapped copies of one key collide`, () => {
  const { journal } = renameKeys({ keys: ["module.a", "_orig_mod.a"], rename: "auto", model: ["a"] });
  assertEquals(journal.collisions(), [{ to: "a", from: ["module.a", "_orig_mod.a"] }]);
});
