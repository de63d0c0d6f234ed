import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  Buffer,
  CheckpointError,
  init,
  isLazyTensor,
  Linear,
  load,
  loadCheckpoint,
  LoadRefusedError,
  LoadStateDictError,
  Module,
  ones,
  openCheckpoint,
  Parameter,
  planLoad,
  ReLU,
  relu,
  Sequential,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import type { LoadOptions, LoadPlan } from "../../mod.ts";
import scenarios from "../fixtures/scenarios/scenarios.json" with { type: "json" };

/** What people suffer from under `load_state_dict`: first what PyTorch did with the very file, then what Graft does.
 * The numbers are those of the list of pains this library began with; 7, `num_batches_tracked`, is in
 * tests/nn/load_state_dict_test.ts. */

const FOLDER = new URL("../fixtures/scenarios/", import.meta.url);

class Net extends Module {
  backbone = new Linear(4, 5);
  head: Linear;
  constructor(classes = 3) {
    super();
    this.head = new Linear(5, classes);
  }
  override forward(x: Tensor): Tensor {
    return this.head.forward(relu(this.backbone.forward(x)));
  }
}

class Inner extends Module {
  module = new Linear(4, 2);
  last = new Linear(2, 2);
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.module.forward(x));
  }
}

class Embeddings extends Module {
  word = new Linear(3, 2);
  position_ids = new Buffer(zeros([1, 4], { dtype: "int64" }), { persistent: false });
  override forward(x: Tensor): Tensor {
    return this.word.forward(x);
  }
}

class TiedModel extends Module {
  embed = new Linear(3, 3, { bias: false });
  lm_head = new Linear(3, 3, { bias: false });
  constructor() {
    super();
    this.lm_head.weight = this.embed.weight;
  }
  override forward(x: Tensor): Tensor {
    return this.lm_head.forward(this.embed.forward(x));
  }
}

class Counter extends Module {
  scale = new Parameter(ones([2]));
  steps = new Buffer(zeros([2], { dtype: "int64" }));
  override forward(x: Tensor): Tensor {
    return x.mul(this.scale);
  }
}

class Block extends Module {
  c_fc = new Linear(3, 6);
  c_proj = new Linear(6, 3);
  override forward(x: Tensor): Tensor {
    return this.c_proj.forward(relu(this.c_fc.forward(x)));
  }
}

class Detector extends Module {
  base = new Linear(3, 4);
  world_classifier = new Sequential(new Linear(4, 4), new ReLU(), new Linear(4, 1));
  override forward(x: Tensor): Tensor {
    return this.world_classifier.forward(this.base.forward(x));
  }
}

Deno.test("1, nothing matched: PyTorch returns, with a random model; Graft refuses, and says what fixes it", async () => {
  assertEquals(scenarios.nothing_matched.lenient.missing.length, 4);
  const model = new Net();
  const before = bytesOf(model);
  const refused = await assertRejects(() => loadCheckpoint(model, file("nothing_matched"), { strict: false }));
  assert(refused instanceof LoadRefusedError && refused.reason === "no-match");
  assertEquals(bytesOf(model), before);
  const [suggestion] = (await planOf(model, "nothing_matched")).suggestions;
  assertEquals(suggestion.option, `rename: [{ strip: "model." }]`);
  await loadCheckpoint(model, file("nothing_matched"), { rename: suggestion.rename });
  assertComputes(model, scenarios.nothing_matched);
});

Deno.test("2, another number of classes: PyTorch raises also with strict=False, half loaded; Graft changes nothing", async () => {
  const { strict, lenient, state } = scenarios.other_classes;
  assertEquals(lenient, strict);
  // PyTorch has copied the backbone by the time it raises.
  const source = await load(file("other_classes"));
  assertEquals(source.get("backbone.weight")?.tolist(), state["backbone.weight"]);
  const model = new Net(7);
  const before = bytesOf(model);
  for (const strictness of [true, false]) {
    const error = await assertRejects(
      () => loadCheckpoint(model, file("other_classes"), { strict: strictness }),
      LoadStateDictError,
    );
    assertEquals(error.message, strict.error);
  }
  assertEquals(bytesOf(model), before);
  const report = await loadCheckpoint(model, file("other_classes"), { mismatch: { "head.*": "overlap" } });
  assertEquals(report.partial, [{ key: "head.weight", elements: 15, of: 35 }, {
    key: "head.bias",
    elements: 3,
    of: 7,
  }]);
  // What was grafted computes what the old classes were.
  assertClose(
    model.forward(tensor(scenarios.other_classes.input)).narrow(1, 0, 3).tolist(),
    scenarios.other_classes.output,
  );
});

Deno.test("3, what was loaded: PyTorch gives two lists; Graft says all four, and how much that is", async () => {
  assertEquals(Object.keys(scenarios.two_lists.lenient), ["missing", "unexpected"]);
  const report = await loadCheckpoint(new Net(), file("two_lists"), { strict: false });
  assertEquals(report.missingKeys, scenarios.two_lists.lenient.missing);
  assertEquals(report.unexpectedKeys, scenarios.two_lists.lenient.unexpected);
  assertEquals(report.loaded, ["backbone.weight", "backbone.bias"]);
  assertEquals(report.initialised.map(({ by }) => by), ["constructor", "constructor"]);
  assertEquals(report.coverage.model, { tensors: 0.5, elements: 25 / 43 });
  assertStringIncludes(report.toString(), "Loaded 58.1 % of the model: 2 of 4 tensors, 25 of 43 elements");
});

Deno.test(`4, DataParallel: PyTorch matches nothing; Graft strips the prefix, and no "module" further inside`, async () => {
  assertEquals(scenarios.data_parallel.lenient.missing.length, 4);
  const model = new Inner();
  const report = await loadCheckpoint(model, file("data_parallel"), { rename: "auto" });
  assertEquals(report.renamed.map(({ from, to }) => [from, to]), [
    ["module.module.weight", "module.weight"],
    ["module.module.bias", "module.bias"],
    ["module.last.weight", "last.weight"],
    ["module.last.bias", "last.bias"],
  ]);
  const source = await load(file("data_parallel"));
  assertEquals(model.module.weight.tolist(), source.get("module.module.weight")?.tolist());
});

Deno.test("5, torch.compile: PyTorch matches nothing; Graft strips wrappers at any depth, and in one another", async () => {
  assertEquals(scenarios.compiled.lenient.missing.length, 4);
  const model = new Net();
  await loadCheckpoint(model, file("compiled"), { rename: "auto" });
  assertComputes(model, scenarios.compiled);
});

Deno.test("6, a training checkpoint: PyTorch sees three unexpected keys; Graft finds the weights", async () => {
  assertEquals(scenarios.wrapper.lenient.unexpected, ["epoch", "state_dict", "optimizer"]);
  const model = new Net();
  await loadCheckpoint(model, file("wrapper"));
  assertComputes(model, scenarios.wrapper);
});

Deno.test("6, weights and their average: PyTorch sees two unexpected keys; Graft asks which, by name", async () => {
  assertEquals(scenarios.two_candidates.lenient.unexpected, ["model", "model_ema"]);
  const model = new Net();
  const asked = await assertRejects(() => loadCheckpoint(model, file("two_candidates")), CheckpointError);
  assertStringIncludes(asked.message, `["model"]`);
  assertStringIncludes(asked.message, `["model_ema"]`);
  await loadCheckpoint(model, file("two_candidates"), { stateDictPath: ["model"] });
  assertComputes(model, scenarios.two_candidates);
});

Deno.test("8, position_ids: PyTorch is strict about every key or none; Graft lets this one go, and still shows it", async () => {
  assertEquals(scenarios.position_ids.lenient.unexpected, ["position_ids"]);
  const report = await loadCheckpoint(new Embeddings(), file("position_ids"), {
    strict: { allowUnexpected: ["*position_ids", "*.inv_freq"] },
  });
  assertEquals(report.allowed, { missing: [], unexpected: ["position_ids"], unusedPatterns: ["*.inv_freq"] });
  assertStringIncludes(report.toString(), "position_ids");
});

Deno.test("9, a tied weight that the file has once: PyTorch misses it; Graft knows that it is the same one", async () => {
  assertEquals(scenarios.tied_head.strict, {
    error: `Error(s) in loading state_dict for TiedModel:\n\tMissing key(s) in state_dict: "lm_head.weight". `,
  });
  const model = new TiedModel();
  const report = await loadCheckpoint(model, file("tied_head"), { initMissing: init.zeros_ });
  assertEquals(report.missingKeys, []);
  assertEquals(report.tied, [{ key: "lm_head.weight", to: "embed.weight" }]);
  assertEquals(model.lm_head.weight.tolist(), (await load(file("tied_head"))).get("embed.weight")?.tolist());
});

Deno.test("10 and 11, a new head: expected by name, and initialised rather than left; anything else still raises", async () => {
  const model = new Net(7);
  const options = { mismatch: { "head.*": "skip" }, initMissing: init.xavierUniform_ } satisfies LoadOptions<Tensor>;
  const report = await loadCheckpoint(model, file("other_classes"), options);
  assertEquals(report.initialised, [{ key: "head.weight", by: "xavierUniform_" }, { key: "head.bias", by: "zeros_" }]);
  const bound = Math.sqrt(6 / (5 + 7));
  assert(model.head.weight.data().every((value) => Math.abs(Number(value)) <= bound));
  assertEquals(model.head.bias?.tolist(), [0, 0, 0, 0, 0, 0, 0]);
  const error = await assertRejects(
    () => loadCheckpoint(new Net(7), file("other_classes"), { mismatch: { "heads.*": "skip" } }),
    LoadStateDictError,
  );
  assertEquals(error.message, scenarios.other_classes.strict.error);
});

Deno.test("12, a fraction into an integer: PyTorch cuts it off in silence; Graft marks it, or refuses it", async () => {
  assertEquals(scenarios.lossy_cast.strict, { missing: [], unexpected: [] });
  assertEquals(scenarios.lossy_cast.state.steps, [2, -2]); // 2.87 and −2.87 in the file
  const model = new Counter();
  const error = await assertRejects(
    () => loadCheckpoint(model, file("lossy_cast"), { cast: "widen" }),
    LoadRefusedError,
  );
  assertEquals(error.reason, "cast");
  assertStringIncludes(error.message, "steps");
  assertEquals(model.steps.tolist(), [0, 0]);
  const report = await loadCheckpoint(model, file("lossy_cast"));
  assertEquals(report.casts, [{ key: "steps", from: "float32", to: "int64", lossy: true }]);
  assertStringIncludes(report.toString(), "steps  float32 → int64  may change values");
  assertEquals(model.steps.tolist(), scenarios.lossy_cast.state.steps);
});

Deno.test("13, weights the other way round: PyTorch's error does not say so; Graft does, and turns them", async () => {
  const { strict, input, output } = scenarios.conv1d;
  const model = new Block();
  const plan = await planOf(model, "conv1d");
  const error = await assertRejects(() => plan.apply(), LoadStateDictError);
  assertEquals(error.message, strict.error);
  const suggestion = plan.suggestions.find(({ kind }) => kind === "transpose");
  assertEquals(suggestion?.keys.map(({ to }) => to), ["c_fc.weight", "c_proj.weight"]);
  await loadCheckpoint(model, file("conv1d"), { transform: [["*.weight", "transpose"]] });
  assertClose(model.forward(tensor(input)).tolist(), output);
});

Deno.test("14, a renamed part: PyTorch lists both names eight times; Graft proposes one rule, which loads all", async () => {
  const { missing, unexpected } = scenarios.renamed_part.lenient;
  assertEquals([missing.length, unexpected.length], [4, 4]);
  const model = new Detector();
  const { suggestions } = await planOf(model, "renamed_part");
  const [{ option, rename, keys }] = suggestions;
  assertEquals(option, `rename: [{ replace: "map_classifier.", with: "world_classifier." }]`);
  assertEquals(keys.length, 4);
  const report = await loadCheckpoint(model, file("renamed_part"), { rename });
  assertEquals(report.loaded.length, 6);
});

function file(name: string): URL {
  return new URL(`${name}.pt`, FOLDER);
}

/** The plan of a strict load. */
async function planOf(model: Module, name: string): Promise<LoadPlan> {
  const checkpoint = await openCheckpoint(file(name));
  try {
    const state = checkpoint.stateDict();
    assert([...state.values()].every(isLazyTensor));
    return planLoad(model, state);
  } finally {
    await checkpoint.close();
  }
}

function bytesOf(model: Module): readonly (readonly number[])[] {
  return [...model.stateDict().values()].map((value) => [...value.bytes()]);
}

function assertComputes(
  model: Net,
  { input, output }: { readonly input: number[][]; readonly output: readonly (readonly number[])[] },
): void {
  assertClose(model.forward(tensor(input)).tolist(), output);
}

/** Sums of a few products, in another order than PyTorch's. */
function assertClose(actual: unknown, expected: readonly (readonly number[])[]): void {
  assert(Array.isArray(actual));
  assertEquals(actual.length, expected.length);
  for (const [i, value] of actual.flat().entries()) assertAlmostEquals(Number(value), expected.flat()[i], 1e-6);
}
