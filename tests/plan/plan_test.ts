import { assertEquals, assertThrows } from "@std/assert";
import { LoadRefusedError, LoadStateDictError, UnsupportedError } from "../../src/errors.ts";
import { planError } from "../../src/plan/failure.ts";
import type { LoadOptions } from "../../src/plan/options.ts";
import { LoadOutcome } from "../../src/plan/outcome_record.ts";
import { planRows } from "../../src/plan/plan.ts";
import type { CheckpointRows, ModelRow, PlanRows } from "../../src/plan/rows.ts";
import { rowOf, rowsOf, type Tree, treeOf } from "./fixture_rows.ts";

const LINEAR = { weight: [3, 2], bias: [3] };
const MODEL: Tree = { a: LINEAR, b: LINEAR };
const ROWS = { "a.weight": [3, 2], "a.bias": [3], "b.weight": [3, 2], "b.bias": [3] };

function plan(
  tree: Tree,
  shapes: Readonly<Record<string, readonly number[] | string>>,
  options?: LoadOptions,
): PlanRows {
  return planRows(treeOf(tree), rowsOf(shapes), options);
}

function kindsOf({ problems }: PlanRows): string[] {
  return problems.map(({ kind }) => kind);
}

function errorOf(rows: PlanRows) {
  return planError(rows, new LoadOutcome(rows, "planned"));
}

/** A model whose `tied` names are one tensor. */
function tiedModel(...tied: string[]): ModelRow {
  const identity = {};
  const entries = ["x", "y", "z"].map((name) => [name, { shape: [2], ...(tied.includes(name) ? { identity } : {}) }]);
  return treeOf(Object.fromEntries(entries));
}

// strict

Deno.test("strict: the object form is strict about everything that it does not name", () => {
  const strict = { allowMissing: ["b.*"], allowUnexpected: [/^head/, "old.*"] };
  const lacking = { "a.weight": [3, 2], "head.w": [1] };
  const refused = plan(MODEL, lacking, { strict });
  assertEquals(
    refused.errorText,
    `Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "a.bias". `,
  );
  assertEquals(refused.missingKeys, ["a.bias", "b.weight", "b.bias"]);
  assertEquals(refused.allowed.missing, ["b.weight", "b.bias"]);
  const allowed = plan(MODEL, { ...lacking, "a.bias": [3] }, { strict });
  assertEquals(allowed.ok, true);
  assertEquals(allowed.allowed, { missing: ["b.weight", "b.bias"], unexpected: ["head.w"], unusedPatterns: ["old.*"] });
});

Deno.test("strict: a pattern that names only what is there is unused, and the empty object is strict", () => {
  const { allowed } = plan(MODEL, ROWS, { strict: { allowMissing: ["a.*", /none/] } });
  assertEquals(allowed.unusedPatterns, ["a.*", /none/]);
  assertEquals(kindsOf(plan(MODEL, { ...ROWS, c: [1] }, { strict: {} })), ["unexpected"]);
  assertEquals(kindsOf(plan(MODEL, { ...ROWS, c: [1] })), ["unexpected"]);
});

Deno.test("strict: no allow-list lets a wrong shape pass", () => {
  const { errorText } = plan(MODEL, { ...ROWS, "a.bias": [4] }, {
    strict: { allowMissing: ["*"], allowUnexpected: ["*"] },
  });
  assertEquals(
    errorText,
    "Error(s) in loading state_dict for Net:\n\tsize mismatch for a.bias: copying a param with shape torch.Size([4]) " +
      "from checkpoint, the shape in current model is torch.Size([3]).",
  );
});

Deno.test("strict: extra state may be allowed to be missing", () => {
  const model = { ...treeOf(MODEL), extraState: { get: true, set: true } };
  assertEquals(planRows(model, rowsOf(ROWS), {}).missingKeys, ["_extra_state"]);
  assertEquals(planRows(model, rowsOf(ROWS), { strict: { allowMissing: ["_extra_state"] } }).ok, true);
});

// mismatch

Deno.test("mismatch: skip keeps the model's values, and the parameter counts as uninitialised", () => {
  const { ok, mismatched, loaded, initialised, transfers } = plan(MODEL, { ...ROWS, "a.weight": [3, 4] }, {
    mismatch: "skip",
  });
  assertEquals(ok, true);
  assertEquals(mismatched, [{ key: "a.weight", checkpointShape: [3, 4], modelShape: [3, 2], action: "skip" }]);
  assertEquals(loaded, ["a.bias", "b.weight", "b.bias"]);
  assertEquals(initialised, [{ key: "a.weight", by: "constructor" }]);
  assertEquals(transfers.length, 3);
});

Deno.test("mismatch: overlap copies the common leading region in any rank", () => {
  const tree = { v: [6], m: [6, 12], t: [2, 3, 4, 5], small: [2, 2] };
  const rows = { v: [5], m: [5, 10], t: [3, 2, 4, 9], small: [9, 9] };
  const { ok, partial, loaded, transfers, coverage, initialised } = plan(tree, rows, { mismatch: "overlap" });
  assertEquals(ok, true);
  assertEquals(partial, [
    { key: "v", elements: 5, of: 6 },
    { key: "m", elements: 50, of: 72 },
    { key: "t", elements: 80, of: 120 },
  ]);
  assertEquals(loaded, ["v", "m", "t", "small"]);
  assertEquals(transfers.map((t) => "region" in t ? t.region : null), [[5], [5, 10], [2, 2, 4, 5], [2, 2]]);
  assertEquals(coverage.model, { tensors: 1, elements: (5 + 50 + 80 + 4) / (6 + 72 + 120 + 4) });
  assertEquals(coverage.checkpoint, { tensors: 1, elements: (5 + 50 + 80 + 4) / (5 + 50 + 216 + 81) });
  assertEquals(initialised, []);
});

Deno.test("mismatch: overlap of other ranks stays PyTorch's error, and an empty region is no load", () => {
  const { mismatched, errorText } = plan({ a: [2, 2], b: [1] }, { a: [4], b: [1] }, { mismatch: "overlap" });
  assertEquals(mismatched.map(({ action }) => action), ["error"]);
  assertEquals(errorText?.includes("size mismatch for a: "), true);
  const empty = plan({ a: [2, 2], b: [1] }, { a: [0, 2], b: [1] }, { mismatch: "overlap" });
  assertEquals(empty.loaded, ["b"]);
  assertEquals(empty.initialised, [{ key: "a", by: "constructor" }]);
});

Deno.test("mismatch: the mixed rule of the design grafts biases and leaves weights", () => {
  const tree = { linear1: { weight: [6, 12], bias: [6] } };
  const options = { strict: false, mismatch: { "*.bias": "overlap", "*.weight": "skip" } } as const;
  const rows = plan(tree, { "linear1.weight": [5, 10], "linear1.bias": [5] }, options);
  assertEquals(rows.partial, [{ key: "linear1.bias", elements: 5, of: 6 }]);
  assertEquals(rows.initialised, [{ key: "linear1.weight", by: "constructor" }]);
  assertEquals(rows.unusedRules, []);
});

Deno.test("mismatch: a function sees key and shapes; a rule that meets nothing is said", () => {
  const seen: unknown[] = [];
  plan(MODEL, { ...ROWS, "b.bias": [1] }, {
    mismatch: (at) => {
      seen.push(at);
      return "skip";
    },
  });
  assertEquals(seen, [{ key: "b.bias", checkpointShape: [1], modelShape: [3] }]);
  const { unusedRules } = plan(MODEL, { ...ROWS, "b.bias": [1] }, {
    mismatch: [["*.bias", "skip"], [/^head/, "skip"]],
  });
  assertEquals(unusedRules, [{ option: "mismatch", rule: "/^head/" }]);
});

Deno.test("mismatch: a buffer that is skipped is never initialised", () => {
  const tree = { mean: { shape: [3], kind: "buffer" as const }, w: [1] };
  assertEquals(plan(tree, { mean: [2], w: [1] }, { mismatch: "skip" }).initialised, []);
});

// rename

Deno.test("rename: keys are looked up under their new names, and transfers name the old ones", () => {
  const keys = Object.fromEntries(Object.entries(ROWS).map(([key, shape]) => [`module.${key}`, shape]));
  for (const rename of [[{ strip: "module." }], "auto"] as const) {
    const rows = plan(MODEL, keys, { rename });
    assertEquals(rows.ok, true);
    assertEquals(
      rows.renamed.map(({ from, to }) => [from, to]),
      Object.keys(ROWS).map((key) => [`module.${key}`, key]),
    );
    assertEquals(rows.transfers.map(({ source }) => source), Object.keys(keys));
    assertEquals(rows.loaded, Object.keys(ROWS));
  }
});

Deno.test("rename: two keys of one name are refused under every strict, dropping one is the way out", () => {
  const shapes = { ...ROWS, "module.a.bias": [3] };
  const rename = [{ strip: "module." }];
  const refused = plan(MODEL, shapes, { rename, strict: false });
  assertEquals(refused.refusal, {
    reason: "collision",
    message: `Refused to load: keys "a.bias", "module.a.bias" of the checkpoint are all called "a.bias" after the ` +
      "renames; drop all but one of them",
  });
  assertEquals(refused.ok, false);
  const way = plan(MODEL, shapes, { rename: [{ drop: "module.*" }, ...rename] });
  assertEquals(way.ok, true);
  assertEquals(way.dropped, [{ key: "module.a.bias", rule: `drop "module.*"` }]);
  assertEquals(way.unusedRules, [{ option: "rename", rule: `strip "module."` }]);
});

Deno.test("rename: mismatch, transform and allow-lists go by the new names", () => {
  const rows = plan({ fc: [2, 3], g: [1] }, { "x.fc": [3, 2], "x.g": [5], "x.old": [1] }, {
    rename: [{ strip: "x." }],
    transform: [["fc", "transpose"]],
    mismatch: { g: "skip" },
    strict: { allowUnexpected: ["old"] },
  });
  assertEquals(rows.ok, true);
  assertEquals(rows.loaded, ["fc"]);
  assertEquals(rows.allowed.unexpected, ["old"]);
});

Deno.test("rename: the versions of batch norms follow their modules", () => {
  const seen: (number | null)[] = [];
  const model = treeOf({ bn: { weight: [1] } });
  const child = {
    ...treeOf({ weight: [1] }, { path: "bn" }),
    upgrade: (_: unknown, __: string, version: number | null) => void seen.push(version),
  };
  const checkpoint: CheckpointRows = {
    ...rowsOf({ "module.bn.weight": [1] }),
    metadata: new Map([["module.bn", new Map([["version", 2]])]]),
  };
  planRows({ ...model, children: [{ name: "bn", module: child }] }, checkpoint, { rename: "auto" });
  assertEquals(seen, [2]);
});

// transform

Deno.test("transform: the last two dimensions are swapped before shapes are compared", () => {
  const tree = { w: [2, 3], experts: [4, 2, 3], norm: [3], scalar: [] };
  const rows = { w: [3, 2], experts: [4, 3, 2], norm: [3], scalar: [] };
  const { ok, transfers } = plan(tree, rows, { transform: [["*", "transpose"]] });
  assertEquals(ok, true);
  assertEquals(transfers.map((t) => "transpose" in t && t.transpose), [true, true, false, false]);
  assertEquals(transfers.map((t) => "from" in t ? t.from.shape : null), [[3, 2], [4, 3, 2], [3], []]);
});

Deno.test("transform: what still does not fit is a mismatch of the turned shape, and overlap works on it", () => {
  const options = { transform: [["w", "transpose"]], mismatch: "overlap" } as const;
  const { mismatched, partial } = plan({ w: [2, 4] }, { w: [3, 2] }, options);
  assertEquals(mismatched, [{ key: "w", checkpointShape: [2, 3], modelShape: [2, 4], action: "overlap" }]);
  assertEquals(partial, [{ key: "w", elements: 6, of: 8 }]);
});

Deno.test("transform: a pattern that meets no key is said", () => {
  const { unusedRules } = plan(MODEL, ROWS, { transform: [["head.*", "transpose"]] });
  assertEquals(unusedRules, [{ option: "transform", rule: `"head.*"` }]);
});

// initMissing

/** Fills nothing: a planner never calls it. */
function twoDimensional(): void {
  throw new Error("The planner must not initialise");
}
const INIT = Object.assign(twoDimensional, { minDimensions: 2 });

Deno.test("initMissing: parameters that receive nothing, each with what will be done", () => {
  const tree = { w: [2, 2], bias: [2], gain: [2], mean: { shape: [2], kind: "buffer" as const }, there: [1] };
  const { initialisations, initialised } = plan(tree, { there: [1] }, { strict: false, initMissing: INIT });
  assertEquals(initialisations.map(({ key, action, by }) => [key, action, by]), [
    ["w", "call", "twoDimensional"],
    ["bias", "zero", "zeros_"],
    ["gain", "keep", "constructor"],
  ]);
  assertEquals(initialised, initialisations.map(({ key, by }) => ({ key, by })));
});

Deno.test("initMissing: a plain function is called for every one, and needs no name", () => {
  const named = plan({ w: [2], bias: [] }, {}, { strict: false, initMissing: () => {} });
  assertEquals(named.initialised, [{ key: "w", by: "initMissing" }, { key: "bias", by: "initMissing" }]);
  const [nameless] = [() => {}];
  const plans = plan({ w: [2] }, {}, { strict: false, initMissing: nameless });
  assertEquals(plans.initialised, [{ key: "w", by: "initMissing" }]);
});

Deno.test("initMissing: what is loaded in part, failed, or kept by an upgrade is not initialised", () => {
  const model = {
    ...treeOf({ part: [4], failed: [4], kept: [4] }),
    upgrade: (keys: { keep(key: string): void }) => keys.keep("kept"),
  };
  const rows = planRows(model, rowsOf({ part: [2], failed: "int" }), { mismatch: "overlap", initMissing: INIT });
  assertEquals(rows.initialised, []);
});

// cast

Deno.test("cast: every cast is listed, and whether it may change a value", () => {
  const tree = {
    a: { shape: [1] },
    b: { shape: [1], dtype: "bfloat16" as const },
    n: { shape: [], dtype: "int64" as const, kind: "buffer" as const },
  };
  const { casts, ok } = planRows(treeOf(tree), {
    rows: [
      rowOf("a", { type: "float16", shape: [1] }),
      rowOf("b", { type: "float32", shape: [1] }),
      rowOf("n", { type: "float32", shape: [] }),
    ],
    metadata: null,
  });
  assertEquals(ok, true);
  assertEquals(casts, [
    { key: "a", from: "float16", to: "float32", lossy: false },
    { key: "b", from: "float32", to: "bfloat16", lossy: true },
    { key: "n", from: "float32", to: "int64", lossy: true },
  ]);
});

Deno.test("cast: widen permits what keeps every value, error nothing, each with a message", () => {
  const half = rowsOf(ROWS, { dtype: "float16" });
  const double = rowsOf(ROWS, { dtype: "float64" });
  const model = treeOf(MODEL);
  assertEquals(planRows(model, half, { cast: "widen" }).ok, true);
  assertEquals(planRows(model, double, { cast: "widen" }).refusal, {
    reason: "cast",
    message: `Refused to cast "a.weight", "a.bias", "b.weight" and 1 more (from float64 to float32): cast: "widen" ` +
      `permits only casts that keep every value, cast: "allow" permits all`,
  });
  assertEquals(planRows(model, half, { cast: "error", strict: false }).refusal?.reason, "cast");
  assertEquals(planRows(model, rowsOf(ROWS), { cast: "error" }).ok, true);
});

// assign

Deno.test("assign: the checkpoint's dtype is taken, so that nothing is cast", () => {
  const rows = planRows(treeOf(MODEL), rowsOf(ROWS, { dtype: "bfloat16" }), { assign: true, cast: "error" });
  assertEquals(rows.ok, true);
  assertEquals(rows.casts, []);
  assertEquals(rows.transfers.map((t) => "to" in t ? [t.assign, t.to.dtype] : null), Array(4).fill([true, "bfloat16"]));
});

Deno.test("assign: what is loaded in part keeps the model's dtype", () => {
  const rows = planRows(treeOf({ w: [3] }), rowsOf({ w: [2] }, { dtype: "float64" }), {
    assign: true,
    mismatch: "overlap",
  });
  assertEquals(rows.transfers.map((t) => "to" in t ? [t.assign, t.to.dtype] : null), [[false, "float32"]]);
  assertEquals(rows.casts, [{ key: "w", from: "float64", to: "float32", lossy: true }]);
});

Deno.test("assign: integers are refused for a parameter that requires gradients only", () => {
  const tree = { free: { shape: [1], requiresGrad: false }, held: { shape: [1] } };
  const rows = planRows(treeOf(tree), rowsOf({ free: [1], held: [1] }, { dtype: "int32" }), {
    assign: true,
    strict: false,
  });
  assertEquals(kindsOf(rows), ["assign"]);
  assertEquals(rows.loaded, ["free"]);
});

// minCoverage, allowNoMatch

Deno.test("minCoverage: refuses below the fraction of the model's elements", () => {
  const shapes = { "a.weight": [3, 2], "a.bias": [3] };
  assertEquals(plan(MODEL, shapes, { strict: false, minCoverage: 0.5 }).ok, true);
  const { refusal, coverage } = plan(MODEL, shapes, { strict: false, minCoverage: 0.51 });
  assertEquals(coverage.model, { tensors: 0.5, elements: 0.5 });
  assertEquals(refusal, {
    reason: "coverage",
    message: "Refused to load: 50 % of the model's elements would be loaded, minCoverage asks for 51 %",
  });
  assertEquals(plan(MODEL, ROWS, { minCoverage: 1 }).ok, true);
});

Deno.test("minCoverage: a counter that an upgrade keeps does not count against the load", () => {
  const model = {
    ...treeOf({ w: [1], n: { shape: [], kind: "buffer" } }),
    upgrade: (keys: { keep(key: string): void }) => keys.keep("n"),
  };
  assertEquals(planRows(model, rowsOf({ w: [1] }), { minCoverage: 1 }).ok, true);
});

Deno.test("no key in common is refused where PyTorch returns quietly", () => {
  const shapes = Object.fromEntries(Object.entries(ROWS).map(([key, shape]) => [`model.${key}`, shape]));
  const rows = plan(MODEL, shapes, { strict: false });
  assertEquals(rows.errorText, null);
  assertEquals(rows.refusal, {
    reason: "no-match",
    message:
      `Refused to load: none of the checkpoint's 4 keys ("model.a.weight", "model.a.bias", "model.b.weight" and ` +
      `1 more) is one of the model's 4 ("a.weight", "a.bias", "b.weight" and 1 more): 4 would with ` +
      `rename: [{ strip: "model." }]; allowNoMatch: true lets it pass`,
  });
  assertEquals(plan(MODEL, shapes, { strict: false, allowNoMatch: true }).ok, true);
  const allowed = { strict: { allowMissing: ["*"], allowUnexpected: ["*"] } };
  assertEquals(plan(MODEL, shapes, allowed).refusal?.reason, "no-match");
});

Deno.test("no key in common under strict stays PyTorch's error, with the reason beside it", () => {
  const rows = plan(MODEL, { z: [1] });
  assertEquals(kindsOf(rows), ["no-match", "missing", "unexpected"]);
  const error = errorOf(rows);
  assertEquals(error instanceof LoadStateDictError && error.message, rows.errorText);
});

Deno.test("no key in common needs two sides, and a key to be compared by its name only", () => {
  assertEquals(plan(MODEL, {}, { strict: false }).ok, true);
  assertEquals(plan({}, ROWS, { strict: false }).ok, true);
  assertEquals(plan(MODEL, { "a.bias": [9] }, { strict: false, mismatch: "skip" }).ok, true);
  const wrapped = plan(MODEL, { epoch: "int", state_dict: "collections.OrderedDict" }, { strict: false });
  assertEquals(wrapped.refusal?.message.includes(`try stateDictPath: ["state_dict"]`), true);
  assertEquals(plan(MODEL, { epoch: "int" }, { strict: false }).refusal?.message.includes("holds no tensor"), true);
  const kept = {
    ...treeOf({ n: { shape: [], kind: "buffer" } }),
    upgrade: (keys: { keep(key: string): void }) => keys.keep("n"),
  };
  assertEquals(planRows(kept, rowsOf({ x: [1] }), { strict: false }).refusal?.reason, "no-match");
  const dropped = plan(MODEL, ROWS, { strict: false, rename: [{ drop: "*" }] });
  assertEquals(dropped.refusal?.reason, "no-match");
});

// tied names

Deno.test("tied: a name that the file left out is tied, not missing", () => {
  const rows = planRows(tiedModel("x", "z"), rowsOf({ x: [2], y: [2] }));
  assertEquals(rows.ok, true);
  assertEquals(rows.missingKeys, []);
  assertEquals(rows.tied, [{ key: "z", to: "x" }]);
  assertEquals(rows.loaded, ["x", "y"]);
  assertEquals(rows.coverage.model, { tensors: 1, elements: 1 });
  assertEquals(rows.counts.model.whole, { tensors: 2, elements: 4 });
});

Deno.test("tied: of two names in the file the last wins, and both are copied in order", () => {
  const rows = planRows(tiedModel("x", "z"), rowsOf({ z: [2], y: [2], x: [2] }));
  assertEquals(rows.tied, [{ key: "x", to: "z" }]);
  assertEquals(rows.transfers.map(({ key }) => key), ["x", "y", "z"]);
  assertEquals(rows.coverage.checkpoint, { tensors: 1, elements: 1 });
});

Deno.test("tied: without any of the names all are missing, and the parameter is initialised once", () => {
  const rows = planRows(tiedModel("x", "y", "z"), rowsOf({ q: [1] }), { strict: false, allowNoMatch: true });
  assertEquals(rows.missingKeys, ["x", "y", "z"]);
  assertEquals(rows.initialisations.map(({ key, keys }) => [key, keys]), [["x", ["x", "y", "z"]]]);
  assertEquals(rows.tied, [{ key: "y", to: "x" }, { key: "z", to: "x" }]);
});

Deno.test("tied: one name skipped and the other loaded is loaded", () => {
  const rows = planRows(tiedModel("x", "z"), rowsOf({ z: [3], y: [2], x: [2] }), { mismatch: "skip" });
  assertEquals(rows.tied, [{ key: "z", to: "x" }]);
  assertEquals(rows.initialised, []);
});

Deno.test("tied: a shared module under two names needs one of them", () => {
  const identity = {};
  const shared = { w: { shape: [2], identity } };
  const rows = planRows(treeOf({ enc: shared, dec: shared }), rowsOf({ "dec.w": [2] }));
  assertEquals([rows.ok, rows.missingKeys, rows.tied], [true, [], [{ key: "enc.w", to: "dec.w" }]]);
});

// the rest

Deno.test("upgrade: edits reach the module and its children, not its siblings, and are in the report", () => {
  const child = treeOf({ new: [1] }, { path: "m" });
  const model: ModelRow = {
    ...treeOf({ m: null, s: { old: [1] } }),
    children: [{
      name: "m",
      module: { ...child, upgrade: (keys, prefix) => keys.rename(`${prefix}old`, `${prefix}new`) },
    }, {
      name: "s",
      module: treeOf({ old: [1] }, { path: "s" }),
    }],
  };
  const rows = planRows(model, rowsOf({ "m.old": [1], "s.old": [1] }));
  assertEquals(rows.ok, true);
  assertEquals(rows.renamed, [{ from: "m.old", to: "m.new", rule: `upgrade of Net "m"` }]);
  assertEquals(rows.transfers.map(({ key, source }) => [key, source]), [["m.new", "m.old"], ["s.old", "s.old"]]);
});

Deno.test("upgrade: what misuses the editor is a TypeError", () => {
  const model = { ...treeOf(MODEL), upgrade: (keys: { drop(key: string): void }) => keys.drop("nothing") };
  assertThrows(() => planRows(model, rowsOf(ROWS)), TypeError, `Cannot drop key "nothing"`);
});

Deno.test("extra state is transferred where the class can take it", () => {
  const model = { ...treeOf({ w: [1] }), extraState: { get: true, set: true } };
  const { transfers, ok } = planRows(model, rowsOf({ _extra_state: "dict", w: [1] }));
  assertEquals(ok, true);
  assertEquals(transfers[1], {
    action: "extra-state",
    key: "_extra_state",
    source: "_extra_state",
    modulePath: "",
    name: "_extra_state",
  });
});

Deno.test("keys below an absent child are passed over, and said", () => {
  const rows = plan({ ...MODEL, gone: null }, { ...ROWS, "gone.w": [1] });
  assertEquals([rows.ok, rows.unexpectedKeys, rows.passedOver], [true, [], ["gone.w"]]);
});

Deno.test("a dtype that is not read is found before anything is loaded", () => {
  const rows = planRows(treeOf({ w: [1] }), { rows: [rowOf("w", { type: "qint8", shape: [1] })], metadata: null });
  assertEquals([rows.ok, rows.errorText, rows.refusal], [false, null, null]);
  const error = errorOf(rows);
  assertEquals(error instanceof UnsupportedError, true);
  assertEquals(error?.message, `Cannot load tensor "w": dtype qint8 is listed and not read`);
});

Deno.test("planError() throws nothing for a good plan, PyTorch's error first, refusals with their reason", () => {
  assertEquals(errorOf(plan(MODEL, ROWS)), null);
  const refused = errorOf(plan(MODEL, { z: [1] }, { strict: false }));
  assertEquals(refused instanceof LoadRefusedError && refused.reason, "no-match");
  assertEquals(errorOf(plan(MODEL, { ...ROWS, z: [1] }, { minCoverage: 1 }))?.name, "LoadStateDictError");
});

Deno.test("every option at once", () => {
  const rows = planRows(
    treeOf({ base: { w: [4, 2], bias: [4] }, head: LINEAR, extra: [1] }),
    rowsOf({
      "module.base.kernel": [2, 4],
      "module.base.bias": [4],
      "module.head.weight": [9, 2],
      "module.ema.w": [1],
      "module.old": [1],
    }, { dtype: "float16" }),
    {
      strict: { allowMissing: ["extra", "head.bias"], allowUnexpected: ["old"] },
      mismatch: [["head.*", "overlap"]],
      rename: [{ strip: "module." }, { replace: /kernel$/, with: "w" }, { drop: "ema.*" }],
      transform: [["base.w", "transpose"]],
      initMissing: INIT,
      cast: "widen",
      minCoverage: 0.5,
    },
  );
  assertEquals(rows.ok, true);
  assertEquals(rows.loaded, ["base.w", "base.bias", "head.weight"]);
  assertEquals(rows.initialised, [{ key: "extra", by: "constructor" }, { key: "head.bias", by: "zeros_" }]);
  assertEquals(rows.coverage.model.elements, 18 / 22);
});
