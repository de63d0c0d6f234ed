import { assertEquals } from "@std/assert";
import type { LoadOptions, RenameRule } from "../../src/plan/options.ts";
import { planRows } from "../../src/plan/plan.ts";
import { rowsOf, type Tree, treeOf } from "./fixture_rows.ts";

type Shapes = Record<string, readonly number[]>;

const NORM = { weight: [8], bias: [8] };
const LINEAR = { weight: [4, 8], bias: [4] };

function shapesOf(tree: Tree, prefix = ""): Shapes {
  const shapes: Shapes = {};
  for (const [name, value] of Object.entries(tree)) {
    if (Array.isArray(value)) shapes[prefix + name] = value;
    else if (value !== null && !("shape" in value && Array.isArray(value.shape))) {
      Object.assign(shapes, shapesOf(treeIn(value), `${prefix}${name}.`));
    }
  }
  return shapes;
}

function treeIn(value: Tree[string]): Tree {
  return Object.fromEntries(Object.entries(value ?? {}));
}

/** The checkpoint of a model whose keys were once called otherwise. */
function renamedBy(tree: Tree, rename: (key: string) => string): Shapes {
  return Object.fromEntries(Object.entries(shapesOf(tree)).map(([key, shape]) => [rename(key), shape]));
}

const LAYERS: Tree = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [i, { attn: { q: LINEAR, k: LINEAR, v: LINEAR }, norm: NORM }]),
);

/** A model, what its keys were called, and the rules that bring all of them back. */
const RENAMES: readonly {
  readonly name: string;
  readonly tree: Tree;
  readonly old: (key: string) => string;
  readonly rules: readonly RenameRule[];
}[] = [
  {
    name: "a wrapper in front of every key",
    tree: { layers: LAYERS, head: LINEAR },
    old: (key) => `module.${key}`,
    rules: [{ strip: "module." }],
  },
  {
    name: "two wrappers",
    tree: { layers: LAYERS },
    old: (key) => `model._orig_mod.${key}`,
    rules: [{ strip: "model._orig_mod." }],
  },
  {
    name: "a prefix that the model has",
    tree: { base: { layers: LAYERS } },
    old: (key) => key.slice("base.".length),
    rules: [{ add: "base." }],
  },
  {
    name: "a prefix that only a part of the model has",
    tree: { bb: { layer1: LINEAR, layer2: NORM }, head: LINEAR },
    old: (key) => key.replace("bb.", ""),
    rules: [{ replace: /^(?=(?:layer1|layer2)(?:\.|$))/, with: "bb." }],
  },
  {
    name: "a renamed head",
    tree: { base: NORM, world_classifier: { 0: LINEAR, 2: NORM } },
    old: (key) => key.replace("world_", "map_"),
    rules: [{ replace: "map_classifier.", with: "world_classifier." }],
  },
  {
    name: "TensorFlow's norms",
    tree: { layers: LAYERS },
    old: (key) => key.replace("norm.weight", "norm.gamma").replace("norm.bias", "norm.beta"),
    rules: [{ replace: ".gamma", with: ".weight" }, { replace: ".beta", with: ".bias" }],
  },
  {
    name: "weight norm's old names",
    tree: { fc: { bias: [3], parametrizations: { weight: { original0: [3, 1], original1: [3, 2] } } } },
    old: (key) =>
      key.replace("parametrizations.weight.original0", "weight_g").replace(
        "parametrizations.weight.original1",
        "weight_v",
      ),
    rules: [
      { replace: ".weight_g", with: ".parametrizations.weight.original0" },
      { replace: ".weight_v", with: ".parametrizations.weight.original1" },
    ],
  },
  {
    name: "weight norm's new names",
    tree: { fc: { bias: [3], weight_g: [3, 1], weight_v: [3, 2] } },
    old: (key) =>
      key.replace("weight_g", "parametrizations.weight.original0").replace(
        "weight_v",
        "parametrizations.weight.original1",
      ),
    rules: [
      { replace: ".parametrizations.weight.original0", with: ".weight_g" },
      { replace: ".parametrizations.weight.original1", with: ".weight_v" },
    ],
  },
  {
    name: "one layer renamed everywhere",
    tree: { layers: LAYERS },
    old: (key) => key.replace("attn.q", "attn.query"),
    rules: [{ replace: "query.", with: "q." }],
  },
  {
    name: "numbers written otherwise",
    tree: { layers: LAYERS },
    old: (key) => key.replace(/layers\.(\d+)/, "block$1"),
    rules: [{ replace: "block", with: "layers." }],
  },
  {
    name: "a shifted numbering",
    tree: { fc: { 0: LINEAR, 1: NORM, 2: { weight: [2, 2] } } },
    old: (key) => key.replace(/^fc\.([12])/, (_, i) => `fc.${Number(i) + 2}`),
    rules: [{ replace: "fc.3.", with: "fc.1." }, { replace: "fc.4.", with: "fc.2." }],
  },
  {
    name: "a wrapper and new names behind it",
    tree: { layers: LAYERS, fc: NORM },
    old: (key) => `bert.${key.replace("norm.weight", "norm.gamma")}`,
    rules: [{ strip: "bert." }, { replace: ".gamma", with: ".weight" }],
  },
];

for (const { name, tree, old, rules } of RENAMES) {
  Deno.test(`suggestions: ${name}`, () => {
    const shapes = renamedBy(tree, old);
    const plan = planRows(treeOf(tree), rowsOf(shapes), { strict: false, allowNoMatch: true });
    const [first, ...more] = plan.suggestions;
    assertEquals(first.rename, rules);
    assertEquals(more, []);
    assertEquals(planRows(treeOf(tree), rowsOf(shapes), { rename: first.rename }).ok, true);
    assertEquals(first.keys.map(({ to }) => to).toSorted(), [...plan.missingKeys].toSorted());
  });
}

function suggestionsFor(
  tree: Tree,
  shapes: Shapes | Readonly<Record<string, readonly number[] | string>>,
  options?: LoadOptions,
) {
  return planRows(treeOf(tree), rowsOf(shapes), options).suggestions;
}

Deno.test("suggestions: all names of a vision transformer of another library", () => {
  const ours = {
    norm1: NORM,
    attn: { q: LINEAR, k: LINEAR, v: LINEAR, proj: { weight: [8, 4], bias: [8] } },
    mlp: { fc1: { weight: [32, 8], bias: [32] } },
  };
  const tree = { layers: { 0: ours, 1: ours }, head: { weight: [10, 8], bias: [10] } };
  const theirs = (key: string) =>
    key.replace(/^layers/, "encoder.layers").replace("norm1", "layernorm_before").replace("attn.q", "attention.query")
      .replace("attn.k", "attention.key").replace("attn.v", "attention.value").replace("attn.proj", "attention.output")
      .replace("mlp.fc1", "intermediate.dense").replace("head", "classifier");
  const shapes = renamedBy(tree, theirs);
  const [{ rename, message }] = suggestionsFor(tree, shapes, { strict: false });
  assertEquals(planRows(treeOf(tree), rowsOf(shapes), { rename }).ok, true);
  assertEquals(message.startsWith("26 keys would match, all of the right shape: "), true);
});

Deno.test("suggestions: none leads to an architecture that has nothing to do with it", () => {
  const block = { conv1: { weight: [8, 8, 3, 3] }, bn1: NORM };
  const resnet = { conv1: { weight: [8, 3, 7, 7] }, layer1: { 0: block, 1: block }, fc: { weight: [9, 8], bias: [9] } };
  const bert = shapesOf({
    encoder: { layer: { 0: { attention: { self: { query: LINEAR }, output: { LayerNorm: NORM } } } } },
  });
  const plan = planRows(treeOf(resnet), rowsOf(bert), { strict: false });
  assertEquals(plan.suggestions, []);
  assertEquals(plan.refusal?.message.includes("it is probably of another architecture"), true);
});

Deno.test("suggestions: a rule that would touch a key which already matches is not offered", () => {
  const tree = { a: { gamma: [2] }, b: { weight: [2] } };
  assertEquals(suggestionsFor(tree, { "a.gamma": [2], "b.gamma": [2] }, { strict: false }), []);
  const beside = { abc: { w: [2] }, b: { x: { w: [3] } } };
  const [{ rename }] = suggestionsFor(beside, { "abc.w": [2], "c.x.w": [3] }, { strict: false });
  assertEquals(rename, [{ replace: /^c(?=\.)/, with: "b" }]);
});

Deno.test("suggestions: rules that are given already stay in front", () => {
  const options = { strict: false, allowNoMatch: true, rename: [{ drop: "ema.*" }] };
  const [{ option }] = suggestionsFor(
    { fc: LINEAR },
    { "m.fc.weight": [4, 8], "m.fc.bias": [4], "ema.x": [1] },
    options,
  );
  assertEquals(option, `rename: [{ drop: "ema.*" }, { strip: "m." }]`);
});

Deno.test("suggestions: a shape that is the transpose is said to be", () => {
  const tree = { h: { 0: LINEAR, 1: LINEAR } };
  const shapes = { "h.0.weight": [8, 4], "h.0.bias": [4], "h.1.weight": [8, 4], "h.1.bias": [4] };
  const [{ kind, option }, ...more] = suggestionsFor(tree, shapes);
  assertEquals([kind, option, more], ["transpose", `transform: [["h.*.weight", "transpose"]]`, []]);
  assertEquals(planRows(treeOf(tree), rowsOf(shapes), { transform: [["h.*.weight", "transpose"]] }).ok, true);
});

Deno.test("suggestions: other shapes may be skipped, what is meant may be allowed", () => {
  const tree = { base: NORM, head: LINEAR, deep: { x: LINEAR, y: LINEAR } };
  const shapes = {
    "base.weight": [8],
    "base.bias": [8],
    "head.weight": [10, 8],
    "head.bias": [10],
    "deep.x.weight": [4, 8],
    "old.w": [1],
  };
  const options = suggestionsFor(tree, shapes).map(({ option }) => option);
  assertEquals(options, [
    `mismatch: { "head.weight": "skip", "head.bias": "skip" }`,
    `strict: { allowMissing: ["deep.x.bias", "deep.y.*"], allowUnexpected: ["old.*"] }`,
  ]);
});

Deno.test("suggestions: a dictionary in place of a state dict is pointed into", () => {
  const wrapped = { optimizer: "dict", model: "dict", state_dict: "collections.OrderedDict", epoch: "int" };
  const [first] = suggestionsFor({ fc: LINEAR }, wrapped, { strict: false });
  assertEquals([first.kind, first.option], ["wrapper", `stateDictPath: ["state_dict"]`]);
});

Deno.test("suggestions: there are none where nothing is wrong", () => {
  assertEquals(suggestionsFor({ fc: LINEAR }, shapesOf({ fc: LINEAR })), []);
  assertEquals(suggestionsFor({ fc: LINEAR, x: NORM }, shapesOf({ fc: LINEAR }), { strict: false }), []);
});

Deno.test("suggestions: what may be allowed is called what the proposed renames would make of it", () => {
  const tree = { body: { weight: [4, 4], bias: [4] }, tail: { weight: [7, 4] } };
  const shapes = { "model.body.weight": [4, 4], "model.body.bias": [4], "model.old.weight": [3, 3] };
  const { suggestions } = planRows(treeOf(tree), rowsOf(shapes));
  assertEquals(suggestions.map(({ option }) => option), [
    `rename: [{ strip: "model." }]`,
    `strict: { allowMissing: ["tail.*"], allowUnexpected: ["old.*"] }`,
  ]);
});

Deno.test("suggestions: a checkpoint of another architecture is not to be allowed key by key", () => {
  const plan = planRows(treeOf({ a: { weight: [4, 4] } }), rowsOf({ "blocks.0.conv.kernel": [3, 3, 9, 2] }));
  assertEquals(plan.suggestions, []);
  assertEquals(plan.refusal?.message.includes("it is probably of another architecture"), true);
});

Deno.test("suggestions: their options are what their text says, and do what they promise", () => {
  const cases: readonly [Tree, Readonly<Record<string, readonly number[]>>, string][] = [
    [{ a: { weight: [3, 2] } }, { "a.weight": [2, 3] }, "transpose"],
    [{ a: { weight: [3, 2], bias: [3] } }, { "a.weight": [5, 5], "a.bias": [3] }, "mismatch"],
    [{ a: { bias: [3] }, b: { bias: [1] } }, { "a.bias": [3], "c.bias": [9] }, "allow"],
    [{ a: { weight: [3, 2] } }, { "module.a.weight": [3, 2] }, "rename"],
  ];
  for (const [tree, shapes, kind] of cases) {
    const [model, checkpoint] = [treeOf(tree), rowsOf(shapes)];
    const found = planRows(model, checkpoint).suggestions.find((suggestion) => suggestion.kind === kind);
    assertEquals(planRows(model, checkpoint, found?.options).ok, true);
    const [name] = Object.keys(found?.options ?? {});
    assertEquals(found?.option.startsWith(`${name}: `), true);
  }
});
