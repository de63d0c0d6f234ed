import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  arange,
  CheckpointError,
  encodeTorch,
  init,
  Linear,
  load,
  LoadRefusedError,
  LoadStateDictError,
  Module,
  ones,
  openCheckpoint,
  Parameter,
  PartialLoadError,
  planLoad,
  Sequential,
  type Tensor,
  TruncatedError,
  UnsupportedError,
  zeros,
} from "../../mod.ts";
import { isStarted } from "../../src/core/memory.ts";
import { safetensors, SlowSource } from "./sources.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Two layers without bias, filled with zeros: keys `a.weight` [2, 2] and `b.weight` [2, 2]. */
class Two extends Still {
  a = new Linear(2, 2, { bias: false });
  b = new Linear(2, 2, { bias: false });
}

const FILE = safetensors({
  "a.weight": { shape: [2, 2], values: [1, 2, 3, 4] },
  "b.weight": { shape: [2, 2], values: [5, 6, 7, 8] },
});

/** The same, so far apart that each is read by itself. */
const APART = safetensors({
  "a.weight": { shape: [2, 2], values: [1, 2, 3, 4] },
  "between": { shape: [1000], values: new Array(1000).fill(0) },
  "b.weight": { shape: [2, 2], values: [5, 6, 7, 8] },
});

// First in this file: the others start wasm.
Deno.test("planLoad() reads no byte of a tensor, starts no wasm, and changes nothing", async () => {
  const source = new SlowSource(FILE);
  const checkpoint = await openCheckpoint(source);
  const { reads } = source;
  const model = new Two();
  const { weight } = model.a;
  const plan = planLoad(model, checkpoint.stateDict());
  assertEquals([plan.ok, plan.loaded, plan.bytesToRead, plan.peakBytes], [true, ["a.weight", "b.weight"], 32, 32]);
  assert(String(plan).startsWith("Would load all of the model"));
  assertEquals([source.reads, isStarted()], [reads, false]);
  assertStrictEquals(model.a.weight, weight);
});

Deno.test("apply() reads what is loaded and nothing else", async () => {
  const file = safetensors({
    "a.weight": { shape: [2, 2], values: [1, 2, 3, 4] },
    "unused": { shape: [1000], values: new Array(1000).fill(1) },
    "b.weight": { shape: [3, 2], values: [5, 6, 7, 8, 9, 10] },
  });
  const source = new SlowSource(file);
  const checkpoint = await openCheckpoint(source);
  const before = source.bytes;
  const plan = planLoad(new Two(), checkpoint.stateDict(), { strict: false, mismatch: "skip" });
  const report = await plan.apply();
  assertEquals([source.bytes - before, plan.bytesToRead], [16, 16]);
  assertEquals([report.loaded, report.unexpectedKeys], [["a.weight"], ["unused"]]);
});

Deno.test("apply() reads transposed weights as they lie, with their neighbours, and turns them", async () => {
  for (const dtype of ["float32", "bfloat16", "float64", "uint8"] as const) {
    const weights = [[5, 3], [64, 40], [1, 7]].map(([n, k], i) =>
      arange(i, i + n * k).remainder(200).to(dtype).view([k, n])
    );
    const file = new Uint8Array(
      await new Response(encodeTorch(Object.fromEntries(weights.map((w, i) => [`${i}.weight`, w.t()])))).arrayBuffer(),
    );
    const source = new SlowSource(file);
    const checkpoint = await openCheckpoint(source);
    const [before, bytes] = [source.reads, source.bytes];
    const model = new Sequential(
      ...weights.map((w) =>
        new Linear(w.shape[0], w.shape[1], { bias: false, dtype: dtype === "uint8" ? "float32" : dtype })
      ),
    );
    await planLoad(model, checkpoint.stateDict()).apply();
    for (const [i, parameter] of [...model.parameters()].entries()) {
      assertEquals(parameter.to("float32").tolist(), weights[i].t().to("float32").tolist());
      assertEquals(parameter.isContiguous(), true);
    }
    assertEquals(source.reads - before <= weights.length, true);
    assertEquals(source.bytes - bytes < weights.reduce((sum, { numel }) => sum + numel, 0) * 8 + 600, true);
    await checkpoint.close();
    const loaded = await load(file);
    for (const [i, w] of weights.entries()) {
      assertEquals(loaded.get(`${i}.weight`)?.to("float32").tolist(), w.t().to("float32").tolist());
      assertEquals(loaded.get(`${i}.weight`)?.isContiguous(), true);
    }
  }
});

/** `count` layers whose weights lie in the file in another order than in the model, and what is between them. */
function shuffled(count: number, { size, between }: { size: number; between: number }) {
  const order = Array.from({ length: count }, (_, i) => (i * 5) % count);
  const tensors = order.flatMap((i) => [
    [`${i}.weight`, { shape: [1, size], values: new Array<number>(size).fill(i) }],
    [`between.${i}`, { shape: [between], values: new Array<number>(between).fill(0) }],
  ]);
  return safetensors(Object.fromEntries(tensors));
}

for (
  const [name, layers, reads, most] of [
    ["neighbours together, in the order of the file", { size: 3, between: 2 }, 1, 1],
    ["six tensors ahead and not more", { size: 3, between: 300 }, 8, 6],
    ["large tensors by themselves", { size: 300_000, between: 0 }, 8, 6],
  ] as const
) {
  Deno.test(`apply() reads ${name}`, async () => {
    const source = new SlowSource(shuffled(8, layers));
    const checkpoint = await openCheckpoint(source);
    const before = source.reads;
    const model = new Sequential(...Array.from({ length: 8 }, () => new Linear(layers.size, 1, { bias: false })));
    await planLoad(model, checkpoint.stateDict(), { strict: { allowUnexpected: ["between.*"] } }).apply();
    const found = [...model.parameters()].map((parameter) => [parameter.min().item(), parameter.max().item()]);
    assertEquals(found, Array.from({ length: 8 }, (_, i) => [i, i]));
    assertEquals([source.reads - before, source.most], [reads, most]);
  });
}

Deno.test("of two names of one parameter the last wins, wherever they lie in the file", async () => {
  for (const names of [["a.weight", "b.weight"], ["b.weight", "a.weight"]]) {
    const file = safetensors(Object.fromEntries(names.map((name) => {
      return [name, { shape: [2, 2], values: new Array(4).fill(name === "a.weight" ? 1 : 2) }];
    })));
    const model = new Two();
    model.b.weight = model.a.weight;
    const report = await planLoad(model, (await openCheckpoint(file)).stateDict()).apply();
    assertEquals(model.a.weight.tolist(), [[2, 2], [2, 2]]);
    assertEquals([report.loaded, model.b.weight === model.a.weight], [["a.weight", "b.weight"], true]);
  }
});

Deno.test("apply() says how far it has come", async () => {
  const checkpoint = await openCheckpoint(new SlowSource(FILE));
  const seen: unknown[] = [];
  const onProgress = (progress: unknown) => seen.push(progress);
  await planLoad(new Two(), checkpoint.stateDict(), { onProgress }).apply();
  assertEquals(seen.splice(0), [{ done: 16, total: 32 }, { done: 32, total: 32 }]);
  const other: unknown[] = [];
  await planLoad(new Two(), checkpoint.stateDict(), { onProgress }).apply({ onProgress: (at) => other.push(at.done) });
  assertEquals([seen, other], [[], [16, 32]]);
});

Deno.test("apply() of a plan with problems rejects with what PyTorch raises, and changes nothing", async () => {
  const model = new Two();
  const before = bitsOf(model);
  const checkpoint = await openCheckpoint(safetensors({ "a.weight": { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] } }));
  const plan = planLoad(model, checkpoint.stateDict());
  assertEquals([plan.ok, plan.problems.map(({ kind }) => kind)], [false, ["missing", "mismatch"]]);
  const error = await assertRejects(() => plan.apply(), LoadStateDictError);
  assertEquals(
    error.message,
    'Error(s) in loading state_dict for Two:\n\tMissing key(s) in state_dict: "b.weight". \n\tsize mismatch for ' +
      "a.weight: copying a param with shape torch.Size([3, 2]) from checkpoint, the shape in current model is " +
      "torch.Size([2, 2]).",
  );
  assertStrictEquals(error.plan, plan);
  const strangers = planLoad(model, { x: ones([1]) }, { strict: false });
  const refusal = await assertRejects(() => strangers.apply(), LoadRefusedError);
  assertEquals([refusal.reason, bitsOf(model)], ["no-match", before]);
  await planLoad(model, { x: ones([1]) }, { strict: false, allowNoMatch: true }).apply();
  assertEquals(bitsOf(model), before);
});

Deno.test("planLoad() throws for options that are none", () => {
  const model = new Two();
  const state = model.stateDict();
  for (const options of [{ strickt: false }, { mismatch: "skipp" }, { strict: 1 }, { onProgress: 1 }, { signal: {} }]) {
    assertThrows(() => Reflect.apply(planLoad, null, [model, state, options]), TypeError);
  }
  assertThrows(() => Reflect.apply(planLoad, null, [model, [1]]), TypeError, "got <class 'list'>");
});

Deno.test("strict names what may be missing or unexpected, and says which pattern named nothing", async () => {
  const checkpoint = await openCheckpoint(safetensors({
    "a.weight": { shape: [2, 2], values: [1, 2, 3, 4] },
    "head.weight": { shape: [1], values: [1] },
  }));
  const state = () => checkpoint.stateDict();
  const strict = { allowMissing: ["b.*"], allowUnexpected: [/^head\./, "tail.*"] };
  const plan = planLoad(new Two(), state(), { strict });
  assertEquals([plan.ok, plan.missingKeys, plan.unexpectedKeys], [true, ["b.weight"], ["head.weight"]]);
  assertEquals(plan.allowed, { missing: ["b.weight"], unexpected: ["head.weight"], unusedPatterns: ["tail.*"] });
  assertEquals((await plan.apply()).loaded, ["a.weight"]);
  const half = planLoad(new Two(), state(), { strict: { allowMissing: ["b.*"] } });
  await assertRejects(() => half.apply(), LoadStateDictError, 'Unexpected key(s) in state_dict: "head.weight". ');
});

Deno.test("mismatch grafts, skips or refuses in each of its forms", async () => {
  const checkpoint = await openCheckpoint(safetensors({
    weight: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
    bias: { shape: [2], values: [7, 8] },
  }));
  const load = async (mismatch: Parameters<typeof planLoad>[2]) => {
    const model = new Linear(2, 3);
    model.weight.zero_();
    model.bias?.zero_();
    await planLoad(model, checkpoint.stateDict(), mismatch).apply();
    return [model.weight.tolist(), model.bias?.tolist()];
  };
  const none = [[0, 0], [0, 0], [0, 0]];
  const grafted = [[1, 2], [4, 5], [0, 0]];
  assertEquals(await load({ mismatch: "overlap" }), [grafted, [7, 8, 0]]);
  assertEquals(await load({ mismatch: { "*eight": "overlap", bias: "skip" } }), [grafted, [0, 0, 0]]);
  assertEquals(await load({ mismatch: [[/^w/, "skip"], ["*", "overlap"]] }), [none, [7, 8, 0]]);
  assertEquals(
    await load({ mismatch: ({ checkpointShape }) => checkpointShape.length === 2 ? "overlap" : "skip" }),
    [grafted, [0, 0, 0]],
  );
  await assertRejects(() => load({ mismatch: { bias: "skip" } }), LoadStateDictError, "size mismatch for weight");
  const plan = planLoad(new Linear(2, 3), checkpoint.stateDict(), { mismatch: "overlap" });
  assertEquals(plan.partial, [{ key: "weight", elements: 4, of: 6 }, { key: "bias", elements: 2, of: 3 }]);
});

Deno.test("overlap of a larger checkpoint fills the model whole", async () => {
  const model = new Linear(1, 2, { bias: false });
  const state = { weight: ones([3, 4]).mul(5) };
  const report = await planLoad(model, state, { mismatch: "overlap" }).apply();
  assertEquals([report.partial, model.weight.tolist()], [[], [[5], [5]]]);
  assertEquals(state.weight.sum().item(), 60);
});

Deno.test("initMissing is called once for each parameter that received nothing, never for a buffer", async () => {
  class Model extends Still {
    base = new Linear(2, 2);
    head = new Linear(2, 3);
    tied = this.head;
    wide = new Linear(2, 4);
    norm = new Norm();
  }
  class Norm extends Still {
    weight = new Parameter(ones([2]));
  }
  const state = {
    "base.weight": zeros([2, 2]),
    "base.bias": zeros([2]),
    "wide.weight": ones([3, 2]),
    "wide.bias": ones([3]),
  };
  const called: [string, readonly number[]][] = [];
  const initMissing = (tensor: Tensor, key: string) => called.push([key, tensor.fill_(9).shape]);
  const mismatch = { "wide.weight": "skip", "wide.bias": "overlap" } as const;
  const model = new Model();
  const report = await planLoad(model, state, { strict: false, mismatch, initMissing }).apply();
  assertEquals(called, [["head.weight", [3, 2]], ["head.bias", [3]], ["wide.weight", [4, 2]], ["norm.weight", [2]]]);
  assertEquals(report.initialised.map(({ by }) => by), new Array(4).fill("initMissing"));
  assertEquals([model.norm.weight.tolist(), model.wide.bias?.tolist().toString().slice(0, 6)], [[9, 9], "1,1,1,"]);
  assertEquals(model.base.weight.sum().item(), 0);
});

Deno.test("initMissing of Graft's own zeroes a bias and keeps a norm's weight where it needs two dimensions", async () => {
  class Norm extends Still {
    weight = new Parameter(ones([2]));
    bias = new Parameter(ones([2]));
  }
  class Model extends Still {
    base = new Linear(2, 2);
    head = new Linear(2, 3);
    norm = new Norm();
  }
  const model = new Model();
  const state = new Model().base.stateDict();
  const prefixed = new Map([...state].map(([key, value]) => [`base.${key}`, value]));
  const report = await planLoad(model, prefixed, { strict: false, initMissing: init.xavierUniform_ }).apply();
  assertEquals(report.initialised, [
    { key: "head.weight", by: "xavierUniform_" },
    { key: "head.bias", by: "zeros_" },
    { key: "norm.weight", by: "constructor" },
    { key: "norm.bias", by: "zeros_" },
  ]);
  assertEquals([model.head.bias?.tolist(), model.norm.weight.tolist(), model.norm.bias.tolist()], [[0, 0, 0], [1, 1], [
    0,
    0,
  ]]);
  assertEquals(model.head.weight.eq(0).all().item(), false);
});

Deno.test("initMissing that throws after the load is a PartialLoadError", async () => {
  const initMissing = (tensor: Tensor) => init.xavierUniform_(tensor); // needs two dimensions, and does not say so
  const model = new Linear(2, 2);
  const plan = planLoad(model, { weight: ones([2, 2]) }, { strict: false, initMissing });
  const error = await assertRejects(() => plan.apply(), PartialLoadError, 'Cannot finish the load at "bias"');
  assertEquals([error.written, model.weight.sum().item()], [["weight"], 4]);
});

Deno.test("assign takes the checkpoint's dtype, and its ties as memory", async () => {
  const checkpoint = await openCheckpoint(
    safetensors({
      "a.weight": { dtype: "BF16", shape: [2, 2], values: new Uint8Array(8) },
      "b.weight": {
        dtype: "F64",
        shape: [2, 2],
        values: new Uint8Array(32),
      },
    }),
  );
  const model = new Two();
  const report = await planLoad(model, checkpoint.stateDict(), { assign: true }).apply();
  assertEquals([report.casts, model.a.weight.dtype, model.b.weight.dtype], [[], "bfloat16", "float64"]);
  assertEquals([model.a.weight.requiresGrad, model.a.weight instanceof Parameter], [true, true]);
  const views = await openCheckpoint(await Deno.readFile(fixture("checkpoints/views.pt")));
  class Tied extends Still {
    base = new Parameter(zeros([4, 6]));
    tied = new Parameter(zeros([4, 6]));
  }
  const tied = new Tied();
  await planLoad(tied, views.stateDict(), { assign: true, strict: false }).apply();
  tied.base.fill_(3);
  assertEquals(tied.tied.sum().item(), 72); // two parameters, one memory, as after torch.load
});

Deno.test("apply() fails before the first write where bytes are missing, and the plan may be applied again", async () => {
  const source = new SlowSource(FILE);
  const checkpoint = await openCheckpoint(source);
  const model = new Two();
  const before = bitsOf(model);
  const plan = planLoad(model, checkpoint.stateDict());
  source.failure = new Error("the cable is out");
  const error = await assertRejects(() => plan.apply(), CheckpointError, "the cable is out");
  assertStrictEquals(error.cause, source.failure);
  assertEquals(bitsOf(model), before);
  source.failure = null;
  await plan.apply();
  assertEquals(model.b.weight.tolist(), [[5, 6], [7, 8]]);
});

Deno.test("apply() that fails half-way says what the model has", async () => {
  const source = new SlowSource(APART);
  const checkpoint = await openCheckpoint(source);
  const read = source.read.bind(source);
  source.read = (offset, length) => {
    return offset === APART.length - 16 ? Promise.reject(new Error("the cable is out")) : read(offset, length);
  };
  const model = new Two();
  const plan = planLoad(model, checkpoint.stateDict(), { strict: false });
  const error = await assertRejects(() => plan.apply(), PartialLoadError);
  assertInstanceOf(error.cause, CheckpointError);
  assertEquals(
    [error.message, error.written],
    [
      'Cannot finish the load at "b.weight", after 1 entry was written: Cannot read tensor "b.weight" from "b.weight" ' +
      'from "slow": the cable is out',
      ["a.weight"],
    ],
  );
  assertEquals(model.a.weight.tolist(), [[1, 2], [3, 4]]);
  await assertRejects(() => plan.apply(), TypeError, "Cannot apply a plan twice");
});

Deno.test("apply() is aborted before, between and during reads", async () => {
  const source = new SlowSource(FILE);
  const checkpoint = await openCheckpoint(source);
  const model = new Two();
  const before = bitsOf(model);
  const reason = new Error("enough");
  await assertRejects(
    () => planLoad(model, checkpoint.stateDict()).apply({ signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  assertEquals(bitsOf(model), before);
  source.hangs = true;
  const hanging = new AbortController();
  const waiting = planLoad(model, checkpoint.stateDict(), { signal: hanging.signal }).apply();
  hanging.abort(reason);
  await assertRejects(() => waiting, Error, "enough");
  assertEquals(bitsOf(model), before);
  for (const file of [new SlowSource(FILE), FILE]) {
    const controller = new AbortController();
    const opened = await openCheckpoint(file);
    const onProgress = () => controller.abort(reason);
    const plan = planLoad(model, opened.stateDict(), { signal: controller.signal, onProgress });
    const error = await assertRejects(() => plan.apply(), PartialLoadError);
    assertEquals([error.written, error.cause], [["a.weight"], reason]);
  }
});

Deno.test("apply() happens once", async () => {
  const plan = planLoad(new Linear(1, 1), new Linear(1, 1).stateDict());
  const running = plan.apply();
  await assertRejects(() => plan.apply(), TypeError, "Cannot apply a plan twice: plan the load anew");
  await running;
  await assertRejects(() => plan.apply(), TypeError, "Cannot apply a plan twice: plan the load anew");
});

Deno.test("apply() refuses a model that changed since, saying how, and changes nothing", async () => {
  const changes: readonly (readonly [(model: Two) => void, string])[] = [
    [(model) => model.a = new Linear(2, 3, { bias: false }), '"a.weight" is [3, 2] and was [2, 2]'],
    [(model) => model.a = new Linear(2, 2, { bias: false }), '"a.weight" is another tensor'],
    [(model) => model.to("float64"), '"a.weight" is float64 and was float32'],
    [(model) => model.registerModule("c", new Linear(2, 1)), 'it has "c.weight", which it had not'],
    [
      (model) => model.a.registerParameter("bias", new Parameter(zeros([2]))),
      'it has "a.bias" where it had "b.weight"',
    ],
    [(model) => Reflect.deleteProperty(model, "b"), 'it has no "b.weight" any more'],
  ];
  for (const [change, how] of changes) {
    const model = new Two();
    const plan = planLoad(model, (await openCheckpoint(FILE)).stateDict());
    change(model);
    if (how.includes("another")) model.a.weight.zero_();
    const before = bitsOf(model);
    await assertRejects(() => plan.apply(), TypeError, "Cannot apply the plan: the model changed since, ");
    await assertRejects(() => plan.apply(), TypeError, how);
    assertEquals(bitsOf(model), before);
  }
});

Deno.test("planLoad() finds bytes that are not there before anything is written", async () => {
  const file = await Deno.readFile(fixture("checkpoints/deflated.pt"));
  const opened = await openCheckpoint(file);
  class Model extends Still {
    first = new Parameter(zeros([1]));
    weight = new Parameter(zeros([8, 8]));
  }
  const state = () => new Map<string, unknown>([["first", ones([1])], ...opened.stateDict()]);
  const model = new Model();
  await planLoad(model, state(), { strict: false }).apply();
  assertEquals([model.first.item(), model.weight.sum().item()], [1, 2016]);
  // Where the deflated bytes of the weights are spoilt, only inflating them tells: that is done first.
  const spoilt = file.slice();
  const at = indexOf(spoilt, new TextEncoder().encode("data/0")) + 6;
  spoilt.fill(0xff, at, at + 12);
  const damaged = await openCheckpoint(spoilt);
  const fresh = new Model();
  const values = new Map<string, unknown>([["first", ones([1])], ...damaged.stateDict()]);
  await assertRejects(() => planLoad(fresh, values, { strict: false }).apply(), Error, "data/0");
  assertEquals(fresh.first.item(), 0);
});

Deno.test("planLoad() lists what cannot be read, after what PyTorch says", async () => {
  const opened = await openCheckpoint(await Deno.readFile(fixture("checkpoints/listed.pt")));
  class Model extends Still {
    coo = new Parameter(zeros([2, 2]));
  }
  const model = new Model();
  const lenient = planLoad(model, opened.stateDict(), { strict: false });
  assertEquals([lenient.ok, lenient.problems.map(({ kind }) => kind)], [false, ["unreadable"]]);
  await assertRejects(() => lenient.apply(), UnsupportedError, 'tensor "coo"');
  await assertRejects(() => planLoad(model, opened.stateDict()).apply(), LoadStateDictError, "Unexpected key(s)");
});

Deno.test("planLoad() of a file that was cut short says so when it is applied", async () => {
  const source = new SlowSource(FILE);
  const checkpoint = await openCheckpoint(source);
  const model = new Two();
  const plan = planLoad(model, checkpoint.stateDict());
  source.read = () => Promise.resolve(new Uint8Array(3));
  await assertRejects(() => plan.apply(), TruncatedError, "there are 3");
});

function bitsOf(model: Module): string[] {
  return [...model.parameters()].map((value) => `${value.dtype} ${value.bytes().toHex()}`);
}

function fixture(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}

function indexOf(bytes: Uint8Array, word: Uint8Array): number {
  for (let i = 0; i + word.length <= bytes.length; i++) if (word.every((byte, k) => bytes[i + k] === byte)) return i;
  return -1;
}

Deno.test("A plan is data too: what a report has, and whether, why not, and what it would read", async () => {
  const checkpoint = await openCheckpoint("examples/data/pretrained.pt");
  const plan = planLoad(new Linear(10, 5), checkpoint.stateDict(), { rename: [{ strip: "linear1." }] });
  const { ok, problems, suggestions, bytesToRead, peakBytes, ...outcome } = JSON.parse(JSON.stringify(plan));
  assertEquals([ok, bytesToRead, peakBytes], [false, plan.bytesToRead, plan.peakBytes]);
  assertEquals(problems.map(({ kind }: { readonly kind: string }) => kind), ["unexpected"]);
  assertEquals(suggestions.length, plan.suggestions.length);
  assertEquals(
    Object.keys(outcome),
    Object.keys(new Linear(1, 1).loadStateDict(new Linear(1, 1).stateDict()).toJSON()),
  );
  await checkpoint.close();
});

Deno.test("A plan says what it would read, and a plan in memory does not", async () => {
  const checkpoint = await openCheckpoint("examples/data/pretrained.pt");
  const options = { strict: false, rename: [{ strip: "linear1." }] };
  assertStringIncludes(
    planLoad(new Linear(10, 5), checkpoint.stateDict(), options).toString(),
    "Would read 220 bytes, with 220 bytes of memory beside the model's own",
  );
  await checkpoint.close();
  assertEquals(planLoad(new Linear(1, 1), new Linear(1, 1).stateDict()).toString().includes("Would read"), false);
});
