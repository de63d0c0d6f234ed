import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  Buffer,
  CheckpointError,
  init,
  Linear,
  load,
  loadCheckpoint,
  LoadStateDictError,
  manualSeed,
  Module,
  Parameter,
  PartialLoadError,
  Sequential,
  type SourceLike,
  type Tensor,
  tensor,
  UnsupportedError,
  zeros,
} from "../../mod.ts";
import facts from "../../examples/data/add_layer.json" with { type: "json" };
import { safetensors, SlowSource } from "./sources.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

class Pretrained extends Still {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
}

const PATH = new URL("../../examples/data/pretrained.pt", import.meta.url);
const BYTES = Deno.readFileSync(PATH);

Deno.test("loadCheckpoint() reads paths, URLs, URL texts, Blobs, bytes and sources alike", async () => {
  const { "linear1.bias": first, "linear2.bias": second } = facts.parameters;
  const sources: readonly SourceLike[] = [
    PATH.pathname,
    PATH,
    PATH.href,
    new Blob([BYTES]),
    BYTES,
    new SlowSource(BYTES),
  ];
  for (const source of sources) {
    const model = new Pretrained();
    const report = await loadCheckpoint(model, source);
    assertEquals(report.loaded, ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]);
    assert(model.linear1.bias?.equal(tensor(first)));
    assert(model.linear2.bias?.equal(tensor(second)));
  }
});

Deno.test("loadCheckpoint() leaves the bytes it was given to their owner", async () => {
  const bytes = BYTES.slice();
  const model = new Pretrained();
  await loadCheckpoint(model, bytes);
  model.requiresGrad_(false);
  for (const parameter of model.parameters()) parameter.zero_();
  assertEquals(bytes, BYTES);
  await loadCheckpoint(model, bytes);
  bytes.fill(0);
  assertEquals(model.linear1.bias?.eq(0).any().item(), false);
});

Deno.test("loadCheckpoint() writes through every alias of a parameter, and after the model has run", async () => {
  const model = new Sequential({ linear1: new Linear(10, 5), linear2: new Linear(5, 2) });
  const state = model.stateDict();
  const before = model.forward(zeros([1, 10])); // the parameters are in wasm now
  await loadCheckpoint(model, BYTES);
  const fresh = await load(BYTES);
  for (const [key, value] of state) assertEquals(value.bytes(), fresh.get(key)?.bytes());
  assertEquals(model.forward(zeros([1, 10])).equal(before), false);
});

Deno.test("loadCheckpoint() casts into parameters that were never read, and into those that were", async () => {
  const values = Float64Array.from({ length: 6000 }, (_, i) => i / 7);
  const file = safetensors({ weight: { dtype: "F64", shape: [6000], values: new Uint8Array(values.buffer) } });
  class Model extends Still {
    weight = init.uniform_(new Parameter(zeros([6000])));
  }
  const expected = new Uint8Array(Float32Array.from(values).buffer);
  const fresh = new Model();
  await loadCheckpoint(fresh, file);
  assertEquals(fresh.weight.bytes(), expected);
  const used = new Model();
  used.weight.sum().item();
  await loadCheckpoint(used, new SlowSource(file));
  assertEquals(used.weight.bytes(), expected);
});

Deno.test("loadCheckpoint() finds the state dict in a wrapper, asks where there are several, and takes a path", async () => {
  class Head extends Still {
    model = new Sequential(new Linear(2, 1));
  }
  assertEquals((await loadCheckpoint(new Head(), fixture("lightning.pt"))).loaded, ["model.0.weight", "model.0.bias"]);
  const net = () => new Sequential(new Linear(2, 1));
  assertEquals((await loadCheckpoint(net(), fixture("training.pt"))).loaded, ["0.weight", "0.bias"]);
  await assertRejects(() => loadCheckpoint(net(), fixture("gan.pt")), CheckpointError, "generator");
  const named = await loadCheckpoint(net(), fixture("gan.pt"), { stateDictPath: ["generator"] });
  assertEquals(named.loaded, ["0.weight", "0.bias"]);
  const numbered = await load(fixture("gan.pt"), { stateDictPath: ["nets", 0] });
  assertEquals([...numbered.keys()], ["weight", "bias"]);
});

Deno.test("loadCheckpoint() loads a module that was pickled whole", async () => {
  class Net extends Still {
    scale = new Parameter(zeros([]));
    kept = new Buffer(tensor([0n, 0n, 0n]));
  }
  const model = new Net();
  const report = await loadCheckpoint(model, fixture("module.pt"), { strict: false, stateDictPath: ["net"] });
  assertEquals(report.loaded, ["scale", "kept"]);
  assertEquals([model.scale.item(), model.kept.tolist()], [2, [0, 1, 2]]);
});

Deno.test("loadCheckpoint() says what is wrong about the call before it opens the file", async () => {
  const model = new Pretrained();
  // @ts-expect-error a path is a list
  const path = () => loadCheckpoint(model, "absent.pt", { stateDictPath: "model" });
  await assertRejects(path, TypeError, 'write ["model"]');
  // @ts-expect-error an option that does not exist
  await assertRejects(() => loadCheckpoint(model, "absent.pt", { stirct: true }), TypeError, "stirct");
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => loadCheckpoint(model, "absent.pt", { signal }), Error, "enough");
  // @ts-expect-error an option of another function
  await assertRejects(() => load("absent.pt", { strict: false }), TypeError, 'Unknown option "strict"');
  // @ts-expect-error a path is a list
  await assertRejects(() => load("absent.pt", { stateDictPath: "model" }), TypeError, 'write ["model"]');
});

Deno.test("loadCheckpoint() says what it was given where that is no checkpoint", async () => {
  const model = new Pretrained();
  await assertRejects(() => loadCheckpoint(model, "absent.pt"), CheckpointError, 'Cannot open "absent.pt"');
  await assertRejects(() => loadCheckpoint(model, new URL("./", PATH)), UnsupportedError, "it is a folder");
  await assertRejects(() => loadCheckpoint(model, new URL(import.meta.url)), CheckpointError, "it is not a checkpoint");
  await assertRejects(
    () => loadCheckpoint(model, new URL("ftp://example.org/x.pt")),
    UnsupportedError,
    "ftp URLs are not read",
  );
});

Deno.test({
  name: "loadCheckpoint() without permission to read says which permission is missing",
  permissions: "none",
  fn: async () => {
    const error = await assertRejects(() => loadCheckpoint(new Pretrained(), PATH.pathname), CheckpointError);
    assert(error.message.startsWith(`Cannot open "${PATH.pathname}": Requires read access to`), error.message);
    assertInstanceOf(error.cause, Error);
    assertEquals((await loadCheckpoint(new Pretrained(), BYTES)).loaded.length, 4); // bytes need none
  },
});

Deno.test("loadCheckpoint() that is refused leaves the model as it was, and does for a model in use", async () => {
  manualSeed(1);
  class Wide extends Still {
    linear1 = new Linear(12, 6);
    linear2 = new Linear(5, 2);
  }
  const model = new Wide();
  const before = [...model.parameters()].map((parameter) => parameter.bytes());
  await assertRejects(() => loadCheckpoint(model, BYTES, { strict: false }), LoadStateDictError, "size mismatch");
  await assertRejects(() => loadCheckpoint(model, BYTES, { mismatch: "skip", cast: "error", minCoverage: 0.9 }), Error);
  assertEquals([...model.parameters()].map((parameter) => parameter.bytes()), before);
});

function fixture(name: string): URL {
  return new URL(`../fixtures/checkpoints/${name}`, import.meta.url);
}

Deno.test("a damaged chunk of a distributed checkpoint is found before anything is written", async () => {
  const folder = Deno.makeTempDirSync();
  const fixture = new URL("../fixtures/distributed/mesh/", import.meta.url);
  for (const { name } of Deno.readDirSync(fixture)) Deno.copyFileSync(new URL(name, fixture), `${folder}/${name}`);
  class Grid extends Still {
    grid = new Parameter(zeros([5, 7]));
  }
  const whole = new Grid();
  await loadCheckpoint(whole, folder, { strict: false });
  assertEquals(whole.grid.select(0, 4).tolist(), [28, 29, 30, 31, 32, 33, 34]);

  const last = `${folder}/__3_0.distcp`;
  Deno.writeFileSync(last, Deno.readFileSync(last).map((byte, i) => i < 4 ? 0 : byte ^ 0x55));
  const untouched = new Grid();
  const error = await assertRejects(() => loadCheckpoint(untouched, folder, { strict: false }), CheckpointError);
  assert(!(error instanceof PartialLoadError) && error.message.includes("__3_0.distcp"), error.message);
  assert(untouched.grid.equal(zeros([5, 7])));
  Deno.removeSync(folder, { recursive: true });
});
