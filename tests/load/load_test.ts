import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  CheckpointError,
  load,
  LoadStateDictError,
  Module,
  openCheckpoint,
  Parameter,
  StateDict,
  Tensor,
  UnsupportedError,
  zeros,
} from "../../mod.ts";
import { safetensors, SlowSource } from "./sources.ts";

abstract class Still extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** A checkpoint of the fixtures as its JSON describes it. */
interface Facts {
  readonly stateDicts: readonly { readonly path: readonly (string | number)[]; readonly entries: readonly Entry[] }[];
}

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

for (const name of ["dtypes.pt", "dtypes.safetensors", "views.pt", "big_endian.pt", "parameters.pt", "deflated.pt"]) {
  Deno.test(`load() gives the values that PyTorch wrote: ${name}`, async () => {
    const facts: Facts = JSON.parse(Deno.readTextFileSync(fixture(`${name}.json`)));
    for (const { path, entries } of facts.stateDicts) {
      const state = await load(fixture(name), { stateDictPath: path });
      for (const { name: key, dtype, shape, bytes } of entries) {
        if (bytes === undefined) continue;
        const value = state.get(key);
        assert(value instanceof Tensor, key);
        assertEquals([value.dtype, value.shape, value.bytes().toHex()], [dtype, shape, bytes], key);
      }
    }
  });
}

Deno.test("load() keeps the versions, and gives a StateDict that loadStateDict() takes", async () => {
  const state = await load(fixture("training.pt"));
  assert(state instanceof StateDict);
  assertEquals(state.metadata?.get("0")?.get("version"), 1);
});

Deno.test("load() makes names that are one tensor in the file one tensor in memory, and reads it once", async () => {
  const source = new SlowSource(Deno.readFileSync(fixture("views.pt")));
  const before = (await openCheckpoint(source)).stateDict().size;
  const state = await load(source);
  assertEquals(state.size, before);
  assertStrictEquals(state.get("base"), state.get("tied"));
  state.get("base")?.fill_(1);
  assertEquals(state.get("tied")?.sum().item(), 24);
});

Deno.test("load() reads what the filter matches and nothing else", async () => {
  const file = safetensors({
    "a.weight": { shape: [1000], values: new Array(1000).fill(1) },
    "a.bias": { shape: [1], values: [2] },
  });
  const source = new SlowSource(file);
  await (await openCheckpoint(source)).close();
  const { bytes } = source;
  const state = await load(source, { filter: /bias$/ });
  assertEquals([[...state.keys()], source.bytes - 2 * bytes], [["a.bias"], 4]);
  assertEquals([...(await load(file, { filter: "*.{weight,gain}" })).keys()], ["a.weight"]);
});

Deno.test("load() refuses what it lists and does not read, before it reads anything, unless it is left out", async () => {
  await assertRejects(() => load(fixture("listed.pt")), UnsupportedError, 'tensor "coo"');
  assertEquals((await load(fixture("listed.pt"), { filter: "nothing" })).size, 0);
});

/** Two numbers that are not read together. */
const APART = safetensors({
  a: { shape: [1], values: [1] },
  between: { shape: [1000], values: new Array(1000).fill(0) },
  b: { shape: [1], values: [2] },
});

Deno.test("load() is aborted between reads and during one", async () => {
  const source = new SlowSource(APART);
  const controller = new AbortController();
  const read = source.read.bind(source);
  source.read = (offset, length) => {
    if (length === 4) {
      source.hangs = true;
      queueMicrotask(() => controller.abort(new Error("enough")));
    }
    return read(offset, length);
  };
  await assertRejects(() => load(source, { filter: "?", signal: controller.signal }), Error, "enough");
});

Deno.test("load() passes a medium's failure on", async () => {
  const source = new SlowSource(APART);
  const read = source.read.bind(source);
  source.read = (offset, length) => {
    if (offset === APART.length - 4) source.failure = new Error("the cable is out");
    return read(offset, length);
  };
  await assertRejects(() => load(source, { filter: "?" }), CheckpointError, "the cable is out");
});

Deno.test("load() keeps values that are no tensors, which loadStateDict() calls by their Python names", async () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [{ module: "numpy._core.multiarray", name: "_reconstruct", args: [] }, "numpy.ndarray"],
    [
      { module: "numpy.core.multiarray", name: "scalar", args: [{ module: "numpy", name: "dtype", args: ["f8"] }] },
      "numpy.float64",
    ],
    [{ module: "my.models", name: "Config", args: [] }, "my.models.Config"],
    [{ module: "torch", name: "float16" }, "torch.dtype"],
    [new Map(), "dict"],
    [[1], "list"],
    [new Uint8Array(2), "bytes"],
    [null, "NoneType"],
    [10n ** 20n, "int"],
    [0.5, "float"],
  ];
  class Model extends Still {
    weight = new Parameter(zeros([1]));
  }
  for (const [weight, name] of cases) {
    const error = assertThrows(() => new Model().loadStateDict({ weight }), LoadStateDictError);
    assertEquals(
      error.message,
      'Error(s) in loading state_dict for Model:\n\tWhile copying the parameter named "weight", expected torch.Tensor or ' +
        `Tensor-like object from checkpoint but received <class '${name}'>`,
    );
  }
  const config: ReadonlyMap<string, unknown> = await load(fixture("values.pt"), { stateDictPath: ["config"] });
  assertEquals([typeof config.get("a"), config.get("w") instanceof Tensor], ["number", true]);
  const root: ReadonlyMap<string, unknown> = await load(fixture("values.pt"), { stateDictPath: [] });
  const array = { weight: root.get("array") };
  assertThrows(() => new Model().loadStateDict(array), LoadStateDictError, "received <class 'numpy.ndarray'>");
});

function fixture(name: string): URL {
  return new URL(`../fixtures/checkpoints/${name}`, import.meta.url);
}
