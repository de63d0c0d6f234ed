import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  CheckpointError,
  convertCheckpoint,
  encodeSafetensors,
  inspectCheckpoint,
  isLazyTensor,
  load,
  openCheckpoint,
  Tensor,
  tensor,
  UnsupportedError,
} from "../../mod.ts";
import type { ConvertOptions } from "../../mod.ts";
import { safetensors, SlowSource } from "./sources.ts";

/** Converts in a folder of its own, and gives the path of the result to `use`. */
async function inFolder(use: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(`${folder}/out.safetensors`, folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function fileOf(values: Readonly<Record<string, Tensor>>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(encodeSafetensors(values)).bytes();
}

for (const name of ["bare.pt", "deflated.pt", "views.pt", "parameters.pt", "training.pt", "lightning.pt", "keys.pt"]) {
  Deno.test(`convertCheckpoint() keeps every byte of every tensor: ${name}`, () =>
    inFolder(async (path) => {
      const checkpoint = await openCheckpoint(fixture(name));
      const before = checkpoint.stateDict();
      const { aliases } = await convertCheckpoint(checkpoint, path, { filter: WRITABLE });
      const after = (await openCheckpoint(path)).stateDict();
      const names = new Map(aliases.map(({ key, to }) => [key, to]));
      for (const [key, value] of before) {
        if (!isLazyTensor(value) || !WRITABLE.test(key)) continue;
        const written = after.get(names.get(key) ?? key);
        assert(isLazyTensor(written), key);
        assertEquals([written.dtype, written.shape], [value.dtype, value.shape]);
        assertEquals(await written.read(), await value.read(), key);
      }
    }));
}

Deno.test("convertCheckpoint() writes what save_file writes with format: pt", () =>
  inFolder(async (path) => {
    await convertCheckpoint(new URL("../fixtures/writing/shapes.pt", import.meta.url), path, { metadata: {} });
    const expected = Deno.readFileSync(new URL("../fixtures/writing/shapes.safetensors", import.meta.url));
    assertEquals((await load(path)).size, 5);
    await convertCheckpoint(new URL("../fixtures/writing/shapes.pt", import.meta.url), path, { overwrite: true });
    const file = Deno.readFileSync(path);
    assertStringIncludes(new TextDecoder().decode(file), '{"__metadata__":{"format":"pt"},"empty":');
    assertEquals(file.slice(-37), expected.slice(-37));
  }));

Deno.test("convertCheckpoint() keeps the texts of a safetensors file, and writes none where there were none", () =>
  inFolder(async (path) => {
    const told = new Response(encodeSafetensors({ a: tensor([1]) }, { metadata: { by: "me" } }));
    await convertCheckpoint(await told.bytes(), path);
    assertEquals([...(await openCheckpoint(path)).metadata], [["by", "me"]]);
    const bare = await fileOf({ a: tensor([1]) });
    await convertCheckpoint(bare, path, { overwrite: true });
    assertEquals(Deno.readFileSync(path), bare);
  }));

Deno.test("convertCheckpoint() renames in order, drops, filters, and says which rules met no key", () =>
  inFolder(async (path) => {
    const file = await fileOf({
      "module.gamma": tensor([1]),
      "module.beta": tensor([2]),
      "ema.gamma": tensor([3]),
      "opt.step": tensor([4]),
    });
    const done = await convertCheckpoint(file, path, {
      filter: "{module,ema}.*",
      rename: [{ strip: "module." }, { drop: "ema.*" }, { replace: "gamma", with: "weight" }, { strip: "net." }],
    });
    assertEquals([...(await load(path)).keys()], ["beta", "weight"]);
    assertEquals(done.renamed, [
      { from: "module.beta", to: "beta", rule: 'strip "module."' },
      { from: "module.gamma", to: "weight", rule: 'strip "module.", then replace "gamma" with "weight"' },
    ]);
    assertEquals(done.dropped, [{ key: "ema.gamma", rule: 'drop "ema.*"' }]);
    assertEquals(done.unusedRules, ['strip "net."']);
  }));

Deno.test("convertCheckpoint() casts floating-point tensors only, as half() does", () =>
  inFolder(async (path) => {
    const file = await fileOf({
      f: tensor([1.5, -2]),
      i: tensor([1, 2], { dtype: "int64" }),
      b: tensor([true]),
      h: tensor([3], { dtype: "bfloat16" }),
      c: Tensor.fromBytes(new Uint8Array(8), { dtype: "complex64", shape: [1] }),
    });
    const done = await convertCheckpoint(file, path, { dtype: "float16" });
    const dtypes = Object.fromEntries([...await load(path)].map(([key, { dtype }]) => [key, dtype]));
    assertEquals(dtypes, { f: "float16", i: "int64", b: "bool", h: "float16", c: "complex64" });
    assertEquals(done.casts.map(({ key, from }) => [key, from]).sort(), [["f", "float32"], ["h", "bfloat16"]]);
  }));

Deno.test("convertCheckpoint() counts what became infinite and what became zero", () =>
  inFolder(async (path) => {
    const w = tensor([1, 70000, -1e30, Infinity, NaN, 1e-30, 0, -1e-40]);
    const done = await convertCheckpoint(await fileOf({ w, fine: tensor([1]) }), path, { dtype: "float16" });
    assertEquals([done.overflowed, done.vanished], [2, 2]);
    assertEquals(done.casts, [
      { key: "fine", from: "float32", to: "float16", overflowed: 0, vanished: 0 },
      { key: "w", from: "float32", to: "float16", overflowed: 2, vanished: 2 },
    ]);
    assertStringIncludes(done.toString(), "2 values were too large and became infinite");
    assertStringIncludes(done.text(), "2 values were too small and became 0");
    const finite = await convertCheckpoint(await fileOf({ w: tensor([1, 1e6]) }), path, {
      dtype: "float8_e4m3fn",
      overwrite: true,
    });
    assertEquals(finite.overflowed, 1);
    assertStringIncludes(finite.toString(), "1 value was too large and became 448");
    const wide = await convertCheckpoint(await fileOf({ w }), path, { dtype: "float64", overwrite: true });
    assertEquals([wide.overflowed, wide.vanished], [0, 0]);
  }));

Deno.test("convertCheckpoint() casts what is larger than a step, as to() does", () =>
  inFolder(async (path) => {
    const w = Tensor.fromBytes(Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 7 & 0x3f), {
      dtype: "float32",
      shape: [3 << 18],
    });
    await convertCheckpoint(await fileOf({ w }), path, { dtype: "bfloat16" });
    assertEquals((await load(path)).get("w")?.equal(w.to("bfloat16")), true);
  }));

Deno.test("convertCheckpoint() writes tied tensors once and says so", () =>
  inFolder(async (path) => {
    const done = await convertCheckpoint(new URL("../fixtures/writing/tied.pt", import.meta.url), path, {
      dtype: "float64",
    });
    assertEquals([done.tensors, done.aliases], [1, [{ key: "lm_head.weight", to: "embed.weight" }]]);
    assertEquals((await openCheckpoint(path)).metadata.get("lm_head.weight"), "embed.weight");
  }));

const REFUSALS: readonly (readonly [string, ConvertOptions, string, string])[] = [
  ["extra_state.pt", {}, "TypeError", "which holds tensors only"],
  ["bare.pt", { filter: "nothing" }, "TypeError", 'none of the 4 keys matches "nothing"'],
  ["bare.pt", { rename: [{ replace: /^.*$/, with: "x" }] }, "TypeError", 'would both be called "x"'],
  ["bare.pt", { dtype: "int8" }, "TypeError", 'Bad dtype "int8": expected a floating-point dtype'],
  ["dtypes.pt", {}, "UnsupportedError", 'Cannot write tensor "complex128": safetensors has no dtype complex128'],
  ["gan.pt", {}, "CheckpointError", "there are several"],
];

for (const [name, options, kind, message] of REFUSALS) {
  Deno.test(`convertCheckpoint() refuses before it writes: ${message}`, () =>
    inFolder(async (path, folder) => {
      const error = await assertRejects(() => convertCheckpoint(fixture(name), path, options), Error, message);
      assertEquals(error.name, kind);
      assertEquals([...Deno.readDirSync(folder)], []);
    }));
}

Deno.test("convertCheckpoint() refuses formats that it does not write, and a file that is there", () =>
  inFolder(async (path, folder) => {
    await assertRejects(
      () => convertCheckpoint(fixture("bare.pt"), `${folder}/out.gguf`),
      UnsupportedError,
      ".gguf is not written; name a path that ends with .safetensors, .pt, .pth, .bin, .ckpt",
    );
    Deno.writeTextFileSync(path, "old");
    await assertRejects(() => convertCheckpoint(fixture("bare.pt"), path), CheckpointError, "it is there already");
    assertEquals(Deno.readTextFileSync(path), "old");
  }));

Deno.test("convertCheckpoint() leaves nothing where the medium fails or the signal aborts", () =>
  inFolder(async (path, folder) => {
    const file = safetensors({ a: { shape: [2], values: [1, 2] }, b: { shape: [1], values: [3] } });
    const source = new SlowSource(file);
    const onProgress = () => void (source.failure = new Error("gone"));
    await assertRejects(() => convertCheckpoint(source, path, { onProgress }), CheckpointError, "gone");
    const controller = new AbortController();
    await assertRejects(
      () =>
        convertCheckpoint(file, path, {
          signal: controller.signal,
          onProgress: () => controller.abort(new Error("stop")),
        }),
      Error,
      "stop",
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("convertCheckpoint() tells how far it has come", () =>
  inFolder(async (path) => {
    const steps: number[][] = [];
    await convertCheckpoint(fixture("bare.pt"), path, { onProgress: ({ done, total }) => steps.push([done, total]) });
    const total = (await inspectCheckpoint(path)).byteLength;
    assertEquals(steps.at(-1), [total, total]);
    assertEquals(steps.length, 4);
  }));

/** What of the fixtures can be written: complex128 cannot, nor half of a surrogate pair. */
const WRITABLE = /^(?!wide|both|lone|\udfff)/;

function fixture(name: string): URL {
  return new URL(`../fixtures/checkpoints/${name}`, import.meta.url);
}
