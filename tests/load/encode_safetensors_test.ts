import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CheckpointError,
  encodeSafetensors,
  Linear,
  load,
  Module,
  openCheckpoint,
  Sequential,
  type Tensor,
  tensor,
  UnsupportedError,
  zeros,
} from "../../mod.ts";
import { safetensors, SlowSource } from "./sources.ts";

/** `writing.json`: the pairs of files, and the metadata of each. */
interface Facts {
  readonly pairs: Readonly<Record<string, { readonly metadata: Readonly<Record<string, string>> | null }>>;
}

const FACTS: Facts = JSON.parse(Deno.readTextFileSync(fixture("writing.json")));

for (const [name, { metadata }] of Object.entries(FACTS.pairs)) {
  const options = metadata === null ? {} : { metadata };

  Deno.test(`encodeSafetensors() writes what the safetensors library does, from a file: ${name}`, async () => {
    const checkpoint = await openCheckpoint(fixture(`${name}.pt`));
    const file = await bytesOf(encodeSafetensors(checkpoint.stateDict([]), options));
    assertEquals(file.toHex(), Deno.readFileSync(fixture(`${name}.safetensors`)).toHex());
    await checkpoint.close();
  });

  Deno.test(`encodeSafetensors() writes what the safetensors library does, from memory: ${name}`, async () => {
    const tensors = await load(fixture(`${name}.pt`), { stateDictPath: [] });
    const file = await bytesOf(encodeSafetensors(tensors, options));
    assertEquals(file.toHex(), Deno.readFileSync(fixture(`${name}.safetensors`)).toHex());
  });
}

Deno.test("encodeSafetensors() writes tied parameters of a model once, under the name that sorts first", async () => {
  class Tied extends Module {
    z = new Linear(3, 3, { bias: false });
    a = new Linear(3, 3, { bias: false });
    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  const model = new Tied();
  model.z.weight = model.a.weight;
  const checkpoint = await openCheckpoint(await bytesOf(encodeSafetensors(model.stateDict())));
  assertEquals([...checkpoint.stateDict().keys()], ["a.weight"]);
  assertEquals([...checkpoint.metadata], [["z.weight", "a.weight"]]);
});

Deno.test("encodeSafetensors() leaves a text alone that the caller wrote under the name of an alias", async () => {
  const shared = zeros([2]);
  const file = await bytesOf(encodeSafetensors({ a: shared, b: shared }, { metadata: { b: "mine" } }));
  assertEquals([...(await openCheckpoint(file)).metadata], [["b", "mine"]]);
});

Deno.test("encodeSafetensors() writes views that only overlap in full, and views of other shapes too", async () => {
  const base = tensor([[1, 2], [3, 4]]);
  const file = await bytesOf(
    encodeSafetensors({ base, flat: base.view([4]), row: base.select(0, 1), turned: base.t() }),
  );
  const back = await load(file);
  assertEquals([...back].map(([key, value]) => [key, value.tolist()]), [
    ["base", [[1, 2], [3, 4]]],
    ["flat", [1, 2, 3, 4]],
    ["row", [3, 4]],
    ["turned", [[1, 3], [2, 4]]],
  ]);
});

Deno.test("encodeSafetensors() takes empty tensors apart, though they share a storage", async () => {
  const empty = zeros([0]);
  const back = await load(await bytesOf(encodeSafetensors({ a: empty, b: empty })));
  assertEquals([...back.keys()], ["a", "b"]);
});

Deno.test("encodeSafetensors() refuses values that are no tensors, named with their Python types", () => {
  const values = new Map<string, unknown>([["w", zeros([1])], ["epoch", 3], ["lr", 0.5], ["opt", new Map()], [
    "n",
    null,
  ]]);
  assertThrows(
    () => encodeSafetensors(values),
    TypeError,
    'Cannot write to safetensors, which holds tensors only: "epoch" is of type int, "lr" is of type float, ' +
      '"opt" is of type dict, "n" is of type NoneType',
  );
  const many = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`e${i}`, i]));
  assertThrows(() => encodeSafetensors(many), TypeError, '"e4" is of type int, and 3 more');
});

Deno.test("encodeSafetensors() refuses what cannot be written before it reads anything", async () => {
  const source = new SlowSource(Deno.readFileSync(new URL("../fixtures/checkpoints/listed.pt", import.meta.url)));
  const checkpoint = await openCheckpoint(source);
  const { reads } = source;
  assertThrows(() => encodeSafetensors(checkpoint.stateDict()), UnsupportedError);
  assertThrows(
    () => encodeSafetensors({ fine: zeros([1]), z: zeros([1], { dtype: "complex128" }) }),
    UnsupportedError,
    'Cannot write tensor "z": safetensors has no dtype complex128',
  );
  assertEquals(source.reads, reads);
});

Deno.test("encodeSafetensors() passes on that the medium failed", async () => {
  const source = new SlowSource(safetensors({ a: { shape: [2], values: [1, 2] } }));
  const stream = encodeSafetensors((await openCheckpoint(source)).stateDict());
  source.failure = new Error("gone");
  await assertRejects(() => bytesOf(stream), CheckpointError, "gone");
});

Deno.test("encodeSafetensors() refuses metadata that is no text", () => {
  assertThrows(
    () => encodeSafetensors({}, { metadata: new Map(Object.entries(JSON.parse('{"epoch": 3}'))) }),
    TypeError,
    'expected texts, got int under "epoch"',
  );
});

Deno.test("encodeSafetensors() writes a parameter that requires gradients, and a large one in pieces", async () => {
  const model = new Sequential(new Linear(1500, 1500));
  const lengths: number[] = [];
  for await (const chunk of encodeSafetensors(model.stateDict())) lengths.push(chunk.length);
  assertEquals(lengths.slice(1), [6000, 8 << 20, 9_000_000 - (8 << 20)]);
});

async function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(stream).bytes();
}

function fixture(name: string): URL {
  return new URL(`../fixtures/writing/${name}`, import.meta.url);
}
