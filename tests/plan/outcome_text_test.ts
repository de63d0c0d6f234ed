import { assertEquals } from "@std/assert";
import type { LoadOptions } from "../../src/plan/options.ts";
import { LoadOutcome } from "../../src/plan/outcome_record.ts";
import { outcomeText } from "../../src/plan/outcome_text.ts";
import { planRows } from "../../src/plan/plan.ts";
import { LoadReport } from "../../src/plan/report.ts";
import { rowsOf, type Tree, treeOf } from "./fixture_rows.ts";

const PRETRAINED = {
  "linear1.weight": [5, 10],
  "linear1.bias": [5],
  "linear2.weight": [2, 5],
  "linear2.bias": [2],
};

function linear(output: number, input: number): Tree {
  return { weight: [output, input], bias: [output] };
}

function xavierUniform_(): void {}
const INIT = Object.assign(xavierUniform_, { minDimensions: 2 });

function textOf(
  tree: Tree,
  { tense = "done", ...options }: LoadOptions & { readonly tense?: "planned" | "done" },
): string {
  return outcomeText(planRows(treeOf(tree), rowsOf(PRETRAINED), options), { tense });
}

Deno.test("outcomeText() of a layer more", () => {
  const tree = { linear1: linear(5, 10), linear2: linear(2, 5), linear3: linear(1, 2) };
  assertEquals(
    textOf(tree, { strict: false, initMissing: INIT }),
    `Loaded 95.7 % of the model: 4 of 6 tensors, 67 of 70 elements
Used all of the checkpoint: 4 tensors, 67 elements

Missing from the checkpoint (2)
  linear3.weight  [1, 2]  initialised by xavierUniform_
  linear3.bias    [1]     initialised by zeros_

Loaded (4)
  linear1.weight  [5, 10]
  linear1.bias    [5]
  linear2.weight  [2, 5]
  linear2.bias    [2]`,
  );
});

Deno.test("outcomeText() of a layer less", () => {
  assertEquals(
    textOf({ linear1: linear(5, 10) }, { strict: false }),
    `Loaded all of the model: 2 tensors, 55 elements
Used 82.0 % of the checkpoint: 2 of 4 tensors, 55 of 67 elements

Not in the model (2)
  linear2.weight  [2, 5]  ignored
  linear2.bias    [2]     ignored

Loaded (2)
  linear1.weight  [5, 10]
  linear1.bias    [5]`,
  );
});

Deno.test("outcomeText() of other sizes, refused and grafted", () => {
  const tree = { linear1: linear(6, 12), linear2: linear(2, 6) };
  assertEquals(
    textOf(tree, { strict: false, tense: "planned" }),
    `Would be refused: 3 other shapes
Matches 2.1 % of the model: 1 of 4 tensors, 2 of 92 elements
Matches 2.9 % of the checkpoint: 1 of 4 tensors, 2 of 67 elements

Try mismatch: { "linear1.weight": "skip", "linear1.bias": "skip", "linear2.weight": "skip" }
    keeps the model's own values where the shape differs; "overlap" in place of
    "skip" copies the common region

Other shapes (3)
  linear1.weight  [5, 10] → [6, 12]  error
  linear1.bias    [5] → [6]          error
  linear2.weight  [2, 5] → [2, 6]    error

To load (1)
  linear2.bias  [2]`,
  );
  assertEquals(
    textOf(tree, { mismatch: { "*.bias": "overlap", "linear1.weight": "skip", "*": "overlap" }, initMissing: INIT }),
    `Loaded 18.4 % of the model: 3 of 4 tensors, 17 of 92 elements
Used 25.3 % of the checkpoint: 3 of 4 tensors, 17 of 67 elements

Other shapes (3)
  linear1.weight  [5, 10] → [6, 12]  skipped, initialised by xavierUniform_
  linear1.bias    [5] → [6]          5 of 6 elements
  linear2.weight  [2, 5] → [2, 6]    10 of 12 elements

Loaded (3)
  linear1.bias    [6]     in part
  linear2.weight  [2, 6]  in part
  linear2.bias    [2]`,
  );
});

/** Everything at once: folded indices, ties, casts, renames, drops, absent modules, patterns that met nothing. */
function everything() {
  const identity = {};
  const block = { attn: linear(8, 8), norm: { weight: [8] } };
  const layers = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [i, block]));
  const model = treeOf({
    layers,
    head: linear(2, 8),
    wte: { weight: { shape: [50000, 8], identity } },
    lm_head: { weight: { shape: [50000, 8], identity } },
    gone: null,
  });
  const shapes: Record<string, readonly number[] | string> = {
    "m.wte.weight": [50000, 8],
    "m.gone.x": [1],
    "m.ema": [1],
    step: "int",
  };
  for (let i = 0; i < 12; i++) {
    shapes[`m.layers.${i}.attn.weight`] = [8, 8];
    shapes[`m.layers.${i}.attn.bias`] = [8];
    shapes[`m.layers.${i}.norm.weight`] = [8];
  }
  return planRows(model, rowsOf(shapes, { dtype: "float64" }), {
    strict: { allowMissing: ["head.*"], allowUnexpected: ["step", "never"] },
    rename: [{ strip: "m." }, { drop: "ema" }],
  });
}

Deno.test("outcomeText() folds, and shows every part of a load", () => {
  assertEquals(
    outcomeText(everything(), { tense: "planned", width: 78 }),
    `Would load 99.9 % of the model: 37 of 39 tensors, 400,960 of 400,978
  elements
Would use 99.9 % of the checkpoint: 37 of 39 tensors, 400,960 of 400,962
  elements

Missing from the checkpoint (2)
  head.weight  [2, 8]  keeps its constructor's values, allowed
  head.bias    [2]     keeps its constructor's values, allowed

Not in the model (1)
  step  no tensor  allowed

Casts (37)
  layers.{0..11}.attn.weight  float64 → float32  may change values
  layers.{0..11}.attn.bias    float64 → float32  may change values
  layers.{0..11}.norm.weight  float64 → float32  may change values
  wte.weight                  float64 → float32  may change values

Tied (1)
  lm_head.weight  is wte.weight

Renamed (38)
  m.wte.weight                  → wte.weight                  strip "m."
  m.gone.x                      → gone.x                      strip "m."
  m.layers.{0..11}.attn.weight  → layers.{0..11}.attn.weight  strip "m."
  m.layers.{0..11}.attn.bias    → layers.{0..11}.attn.bias    strip "m."
  m.layers.{0..11}.norm.weight  → layers.{0..11}.norm.weight  strip "m."

Dropped (1)
  m.ema  drop "ema"

Below absent modules, passed over (1)
  gone.x

Patterns and rules that met no key (1)
  "never"  strict

To load (37)
  layers.{0..11}.attn.weight  [8, 8]
  layers.{0..11}.attn.bias    [8]
  layers.{0..11}.norm.weight  [8]
  wte.weight                  [50000, 8]`,
  );
});

Deno.test("outcomeText() keeps to its width, but for what is to be pasted", () => {
  for (const width of [40, 60, 80, 100]) {
    for (const line of outcomeText(everything(), { tense: "planned", width }).split("\n")) {
      assertEquals([...line].length <= width, true, line);
    }
  }
});

Deno.test("outcomeText() shows ten rows of a section and counts the rest", () => {
  const shapes = Object.fromEntries(Array.from({ length: 1234 }, (_, i) => [`k${i}`, [1]]));
  const text = outcomeText(planRows(treeOf({ k0: [1] }), rowsOf(shapes), { strict: false }), { tense: "done" });
  assertEquals(text.includes("Not in the model (1,233)\n"), true);
  assertEquals(text.includes("  k10  [1]  ignored\n  … and 1,223 more\n"), true);
  assertEquals(text.includes("k11 "), false);
});

Deno.test("outcomeText() of a refusal says why first, and what to try", () => {
  const plan = planRows(treeOf({ a: [1] }), rowsOf({ "module.a": [1] }), { strict: false });
  assertEquals(
    outcomeText(plan, { tense: "done" }),
    `Would be refused: no key in common
Matches nothing of the model: 0 of 1 tensor, 1 element
Matches nothing of the checkpoint: 0 of 1 tensor, 1 element

! Refused to load: none of the checkpoint's 1 keys ("module.a") is one of the
  model's 1 ("a"): 1 would with rename: [{ strip: "module." }]; allowNoMatch:
  true lets it pass

Try rename: [{ strip: "module." }]
    1 key would match, of the right shape: "module.a" is probably "a"

Missing from the checkpoint (1)
  a  [1]  keeps its constructor's values

Not in the model (1)
  module.a  [1]  ignored`,
  );
});

Deno.test("outcomeText() says which of two tied names wins", () => {
  const identity = {};
  const model = treeOf({ a: { shape: [1], identity }, b: { shape: [1], identity } });
  const text = outcomeText(planRows(model, rowsOf({ a: [1], b: [1] })), { tense: "done" });
  assertEquals(text.includes("  a  is b  both in the checkpoint, the last wins\n"), true);
});

Deno.test("outcomeText() of nothing and of very little", () => {
  const empty = outcomeText(planRows(treeOf({}), rowsOf({})), { tense: "done" });
  assertEquals(
    empty,
    "Loaded all of the model: 0 tensors, 0 elements\nUsed all of the checkpoint: 0 tensors, 0 elements",
  );
  const little = planRows(treeOf({ a: [1], b: [9999] }), rowsOf({ a: [1] }), { strict: false });
  const [line] = outcomeText(little, { tense: "done" }).split("\n");
  assertEquals(line, "Loaded less than 0.1 % of the model: 1 of 2 tensors, 1 of 10,000 elements");
});

Deno.test("outcomeText() prints no control character of a key", () => {
  const text = outcomeText(planRows(treeOf({ a: [1] }), rowsOf({ a: [1], "\x1b[2Jb": [1] }), { strict: false }), {
    tense: "done",
  });
  assertEquals(text.includes("\x1b"), false);
  assertEquals(text.includes("\\u001b[2Jb"), true);
});

Deno.test("outcomeText() colours the verdict only when asked: green, yellow, red", () => {
  const trees: readonly Tree[] = [{ a: [1] }, { a: [1], b: [1] }];
  const colors = trees.map((tree) => {
    const plan = planRows(treeOf(tree), rowsOf({ a: [1] }), { strict: false });
    return outcomeText(plan, { tense: "done", color: true }).slice(0, 5);
  });
  assertEquals(colors, ["\x1b[32m", "\x1b[33m"]);
  const refused = planRows(treeOf({ b: [1] }), rowsOf({ a: [1] }));
  assertEquals(outcomeText(refused, { tense: "planned", color: true }).startsWith("\x1b[31mWould be refused"), true);
});

Deno.test("LoadOutcome is data, JSON, and what consoles show", () => {
  const plan = planRows(treeOf({ a: [2], b: [2] }), rowsOf({ a: [2] }), { strict: { allowMissing: ["b", /x/] } });
  const report = new LoadReport(plan);
  assertEquals(report instanceof LoadOutcome, true);
  assertEquals(Deno.inspect(report), report.toString());
  assertEquals(Deno.inspect({ report }).includes("Loaded 50.0 % of the model"), true);
  assertEquals(`${report}`, report.text({ width: 80, color: false }));
  assertEquals(JSON.parse(JSON.stringify(report)), {
    missingKeys: ["b"],
    unexpectedKeys: [],
    allowed: { missing: ["b"], unexpected: [], unusedPatterns: ["/x/"] },
    loaded: ["a"],
    mismatched: [],
    partial: [],
    renamed: [],
    casts: [],
    tied: [],
    initialised: [{ key: "b", by: "constructor" }],
    coverage: { model: { tensors: 0.5, elements: 0.5 }, checkpoint: { tensors: 1, elements: 1 } },
  });
});

Deno.test("outcomeText() says which weights are turned", () => {
  const text = textOf({ linear1: linear(10, 5), linear2: { weight: [5, 2] } }, {
    strict: { allowUnexpected: ["linear2.bias"] },
    transform: [["*.weight", "transpose"]],
    mismatch: { "linear1.bias": "overlap" },
    tense: "planned",
  });
  assertEquals(text.split("\n").slice(-4), [
    "To load (3)",
    "  linear1.weight  [10, 5]  transposed",
    "  linear1.bias    [10]     in part",
    "  linear2.weight  [5, 2]   transposed",
  ]);
});
