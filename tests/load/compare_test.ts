import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { compareCheckpoints, encodeSafetensors, Tensor, tensor } from "../../mod.ts";
import type { ComparedValues, DType } from "../../mod.ts";
import { measure } from "../../src/load/differences.ts";
import { safetensors, SlowSource } from "./sources.ts";

async function fileOf(values: Readonly<Record<string, Tensor>>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(encodeSafetensors(values)).bytes();
}

/** What comparing the values of one tensor with another says; `undefined` if they are the same. */
async function differenceOf(a: Tensor, b: Tensor): Promise<ComparedValues | undefined> {
  const { values } = await compareCheckpoints(await fileOf({ w: a }), await fileOf({ w: b }), { values: true });
  return values?.[0];
}

Deno.test("compareCheckpoints() tells missing, extra, shapes and dtypes, whatever the order", async () => {
  const a = await fileOf({ x: tensor([1, 2]), y: tensor([1]), gone: tensor([[1]]), same: tensor([1]) });
  const b = await fileOf({
    same: tensor([2]),
    y: tensor([1], { dtype: "float16" }),
    x: tensor([[1, 2]]),
    more: tensor(1n),
  });
  const comparison = await compareCheckpoints(a, b);
  assertEquals(comparison.toJSON(), {
    equal: false,
    missing: [{ key: "gone", dtype: "float32", shape: [1, 1] }],
    extra: [{ key: "more", dtype: "int64", shape: [] }],
    shapes: [{ key: "x", a: [2], b: [1, 2] }],
    dtypes: [{ key: "y", a: "float32", b: "float16" }],
    others: [],
    compared: 3,
    values: null,
    unreadable: [],
  });
  const text = comparison.toString().split("\n");
  assertEquals(text[0], "Different: 1 missing key, 1 extra key, 1 other shape, 1 other dtype");
  assertEquals(text[2], "Values were not compared");
});

Deno.test("compareCheckpoints() reads no tensor unless values are asked for", async () => {
  const file = safetensors({ a: { shape: [2], values: [1, 2] } });
  const source = new SlowSource(file);
  assert((await compareCheckpoints(source, file)).equal);
  const { bytes } = source;
  assert((await compareCheckpoints(source, file, { values: true })).equal);
  assertEquals(source.bytes, 2 * bytes + 8);
});

Deno.test("compareCheckpoints() finds a file of another format equal", async () => {
  const [a, b] = ["pt", "safetensors"].map((end) => new URL(`../fixtures/writing/shapes.${end}`, import.meta.url));
  const comparison = await compareCheckpoints(a, b, { values: true });
  assertEquals(comparison.toString(), "No difference: 5 keys, same shapes, dtypes and values");
});

Deno.test("compareCheckpoints() measures the largest absolute and relative difference", async () => {
  const difference = await differenceOf(tensor([1, 100, 0, -4]), tensor([1, 101, 0.5, 4]));
  assertEquals(difference, { key: "w", different: 3, of: 4, absolute: 8, relative: 2, nan: 0 });
});

Deno.test("compareCheckpoints() takes NaN for NaN and 0 for -0, and counts NaN on one side", async () => {
  assertEquals(await differenceOf(tensor([NaN, 0, Infinity]), tensor([NaN, -0, Infinity])), undefined);
  const difference = await differenceOf(tensor([NaN, 1, 2, NaN]), tensor([NaN, NaN, 2.5, 3]));
  assertEquals(difference, { key: "w", different: 3, of: 4, absolute: 0.5, relative: 0.2, nan: 2 });
});

Deno.test("compareCheckpoints() says of infinities that they are infinitely far", async () => {
  const difference = await differenceOf(tensor([Infinity, 1, Infinity]), tensor([-Infinity, 1, Infinity]));
  assertEquals(difference, { key: "w", different: 1, of: 3, absolute: Infinity, relative: Infinity, nan: 0 });
  const comparison = await compareCheckpoints(
    await fileOf({ w: tensor([Infinity]) }),
    await fileOf({ w: tensor([0]).float() }),
    { values: true },
  );
  assertStringIncludes(JSON.stringify(comparison), '"absolute":"Infinity","relative":"Infinity"');
  assertStringIncludes(comparison.toString(), "by ∞");
});

Deno.test("compareCheckpoints() tells neighbours of 64 bits apart, which float64 does not", async () => {
  const [a, b] = [2n ** 53n, 2n ** 53n + 1n].map((n) => tensor([n]));
  assertEquals((await differenceOf(a, b))?.different, 1);
  const [c, d] = [0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_fffen].map((n) =>
    Tensor.fromBytes(new Uint8Array(BigUint64Array.of(n).buffer), { dtype: "uint64", shape: [1] })
  );
  assertEquals((await differenceOf(c, d))?.different, 1);
});

Deno.test("measure() knows every dtype: other values differ, the same do not", () => {
  const dtypes: readonly DType[] = [
    "float64",
    "float16",
    "bfloat16",
    "int32",
    "int16",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "bool",
  ];
  for (const dtype of dtypes) {
    const [a, b] = [tensor([1, 1]).to(dtype), tensor([1, 0]).to(dtype)].map((t) => ({ dtype, bytes: t.bytes() }));
    assertEquals(measure(a, b), { different: 1, of: 2, absolute: 1, relative: 1, nan: 0 }, dtype);
    assertEquals(measure(a, a).different, 0, dtype);
  }
});

Deno.test("measure() compares complex elements by their parts, and with real ones", () => {
  const complex = (...parts: number[]) =>
    ({ dtype: "complex64", bytes: new Uint8Array(Float32Array.from(parts).buffer) }) as const;
  assertEquals(measure(complex(1, 2, 3, 4), complex(1, 2.5, 7, 4)), {
    different: 2,
    of: 2,
    absolute: 4,
    relative: 4 / 7,
    nan: 0,
  });
  assertEquals(measure(complex(1, 1, 1, 2), complex(2, 2, 1, 2)).different, 1);
  const real = { dtype: "float32", bytes: new Uint8Array(Float32Array.of(1, 3).buffer) } as const;
  assertEquals(measure(complex(1, 0, 3, 4), real), { different: 1, of: 2, absolute: 4, relative: 1, nan: 0 });
});

Deno.test("compareCheckpoints() compares what is larger than a step", async () => {
  const values = new Float32Array(600_000);
  const bytes = () => new Uint8Array(values.slice().buffer);
  const a = Tensor.fromBytes(bytes(), { dtype: "float32", shape: [600, 1000] });
  values[300_000] = 0.25;
  values[599_999] = -2;
  const b = Tensor.fromBytes(bytes(), { dtype: "float32", shape: [600, 1000] });
  assertEquals(await differenceOf(a, b), { key: "w", different: 2, of: 600_000, absolute: 2, relative: 1, nan: 0 });
});

Deno.test("compareCheckpoints() folds indices, and shows the largest difference of each line", async () => {
  const layers = (value: number) =>
    Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`layers.${i}.weight`, tensor([1, value + i])]));
  const comparison = await compareCheckpoints(await fileOf(layers(1.5)), await fileOf(layers(2)), { values: true });
  assertStringIncludes(
    comparison.toString(),
    "Other values, and by how much at most (12)\n  layers.{0..11}.weight  by 0.5",
  );
});

Deno.test("compareCheckpoints() compares values that are no tensors, and says which tensors it cannot read", async () => {
  const path = (name: string) => new URL(`../fixtures/checkpoints/${name}`, import.meta.url);
  const extra = await compareCheckpoints(path("extra_state.pt"), path("extra_state.pt"), { values: true });
  assert(extra.equal);
  const listed = await compareCheckpoints(path("listed.pt"), path("listed.pt"), { values: true });
  assert(!listed.equal);
  assert(listed.unreadable.length > 0);
  assertStringIncludes(listed.toString(), "Cannot be compared");
});

Deno.test("compareCheckpoints() chooses and renames keys, and takes a state dict of each file", async () => {
  const a = await fileOf({ "module.w": tensor([1]), "module.b": tensor([1]) });
  const b = await fileOf({ w: tensor([1]) });
  const apart = await compareCheckpoints(a, b);
  assertStringIncludes(apart.toString(), 'Without "module." in front, 1 key would be in both');
  assert((await compareCheckpoints(a, b, { filter: "*w", rename: [{ strip: "module." }], values: true })).equal);
  const gan = new URL("../fixtures/checkpoints/gan.pt", import.meta.url);
  const both = await compareCheckpoints(gan, gan, { stateDictPath: { a: ["generator"], b: ["nets", 0] } });
  assertEquals(both.compared + both.missing.length, 2);
  await assertRejects(
    () => compareCheckpoints(a, b, { rename: [{ replace: /.*/, with: "x" }] }),
    TypeError,
    'Cannot compare "A": two of its keys would be called "x"',
  );
});

Deno.test("compareCheckpoints() tells how far it has come, and stops", async () => {
  const file = await fileOf({ a: tensor([1]), b: tensor([2]) });
  const steps: number[][] = [];
  await compareCheckpoints(file, file, { values: true, onProgress: ({ done, total }) => steps.push([done, total]) });
  assertEquals(steps, [[8, 16], [16, 16]]);
  const signal = AbortSignal.abort(new Error("stop"));
  await assertRejects(() => compareCheckpoints(file, file, { values: true, signal }), Error, "stop");
});
