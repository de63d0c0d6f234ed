import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  convertCheckpoint,
  encodeSafetensors,
  isLazyTensor,
  Linear,
  load,
  Module,
  openCheckpoint,
  save,
  Sequential,
  StateDict,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { filesIn, inFolder, namesIn, valued } from "./saved.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

async function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined): Promise<Uint8Array> {
  assert(stream !== undefined);
  return await new Response(stream).bytes();
}

async function jsonOf(stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await bytesOf(stream)));
}

Deno.test("encodeSafetensors() with a shard size gives every file as it writes those tensors alone, and the index", async () => {
  const { a, b, c } = valued(1);
  const metadata = { format: "pt" };
  const files = encodeSafetensors(new Map([["c", c], ["a", a], ["b", b]]), { maxShardSize: 40, metadata });
  const names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  assertEquals([...files.keys()], [...names, "model.safetensors.index.json"]);
  // In any order.
  assertEquals(await jsonOf(files.get("model.safetensors.index.json")), {
    metadata: { total_size: 60, format: "pt" },
    weight_map: { c: names[0], a: names[0], b: names[1] },
  });
  assertEquals(await bytesOf(files.get(names[1])), await bytesOf(encodeSafetensors({ b }, { metadata })));
  assertEquals(await bytesOf(files.get(names[0])), await bytesOf(encodeSafetensors({ a, c }, { metadata })));
});

Deno.test("encodeSafetensors() with a shard size that all fits into gives the one file, named as is asked", async () => {
  const files = encodeSafetensors(valued(1), { maxShardSize: "1KB", name: "encoder" });
  assertEquals([...files.keys()], ["encoder.safetensors"]);
  assertEquals(await bytesOf(files.get("encoder.safetensors")), await bytesOf(encodeSafetensors(valued(1))));
  assertEquals([...encodeSafetensors({}, { maxShardSize: 1 }).keys()], ["model.safetensors"]);
});

Deno.test("encodeSafetensors() with a shard size says in its shard and in the index what is written once", async () => {
  const shared = zeros([4]);
  const files = encodeSafetensors({ z: shared, m: zeros([4]), a: shared }, { maxShardSize: 16 });
  const [first, second] = await Promise.all([...files.values()].slice(0, 2).map((stream) => bytesOf(stream)));
  const checkpoints = [await openCheckpoint(first), await openCheckpoint(second)];
  assertEquals(checkpoints.map(({ metadata }) => [...metadata]), [[], [["z", "a"]]]);
  assertEquals(checkpoints.map((checkpoint) => [...checkpoint.stateDict().keys()]), [["m"], ["a"]]);
  assertEquals(await jsonOf(files.get("model.safetensors.index.json")), {
    metadata: { total_size: 32, z: "a" },
    weight_map: { m: "model-00001-of-00002.safetensors", a: "model-00002-of-00002.safetensors" },
  });
});

Deno.test("encodeSafetensors() refuses a shard size that is none, before anything else", () => {
  assertThrows(() => encodeSafetensors({}, { maxShardSize: "5gb" }), TypeError, 'Bad shard size "5gb"');
});

Deno.test("save() divides a model, and reading the index gives it back in its own order", () =>
  inFolder(async (folder) => {
    const model = new Sequential(new Linear(4, 4), new Linear(4, 2));
    await save(model, new URL(`file://${folder}/a b.safetensors`), { maxShardSize: 70 });
    assertEquals(namesIn(folder), [
      "a b-00001-of-00002.safetensors",
      "a b-00002-of-00002.safetensors",
      "a b.safetensors.index.json",
    ]);
    const back = await load(`${folder}/a b.safetensors.index.json`);
    assertEquals([...back.keys()], [...model.stateDict().keys()]);
    for (const [key, value] of model.stateDict()) assertEquals(back.get(key)?.tolist(), value.tolist());
    assertEquals((await load(folder)).size, 4);
  }));

Deno.test("save() divides PyTorch's format too: what shares memory goes on sharing it, versions stay", () =>
  inFolder(async (folder) => {
    class Tied extends Module {
      embed = new Linear(4, 4, { bias: false });
      body = new Linear(4, 4, { bias: false });
      head = new Linear(4, 4, { bias: false });
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const model = new Tied();
    model.head.weight = model.embed.weight;
    await save(model, `${folder}/pytorch_model.bin`, { maxShardSize: "64B" });
    const names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    const index = "pytorch_model.bin.index.json";
    assertEquals(namesIn(folder), [...names, index]);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder}/${index}`)), {
      metadata: { total_size: 128 },
      weight_map: { "embed.weight": names[0], "body.weight": names[1], "head.weight": names[0] },
    });
    const checkpoint = await openCheckpoint(`${folder}/${index}`);
    const state = checkpoint.stateDict();
    assertEquals(checkpoint.format, "torch-sharded");
    assertEquals([...state.keys()], ["embed.weight", "body.weight", "head.weight"]);
    assertEquals(state.metadata, model.stateDict().metadata);
    const ids = [...state.values()].map((value) => isLazyTensor(value) ? value.storage.id : null);
    assertEquals(ids.map((id) => ids.indexOf(id)), [0, 1, 0]);
    await checkpoint.close();
    const shard = Deno.readFileSync(`${folder}/${names[0]}`);
    assertEquals(new TextDecoder().decode(shard.subarray(30, 68)), "pytorch_model-00001-of-00002/data.pkl\x46");
  }));

Deno.test("save() counts what a view takes along as PyTorch writes it", () =>
  inFolder(async (folder) => {
    const base = zeros([10, 10]);
    await save({ row: base.select(0, 0), other: zeros([10]) }, `${folder}/m.pt`, { maxShardSize: 200 });
    const [first] = await Promise.all(namesIn(folder).slice(0, 2).map((name) => load(`${folder}/${name}`)));
    assertEquals([...first.keys()], ["row"]);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder}/m.pt.index.json`)).metadata, { total_size: 440 });
  }));

Deno.test("save() with a shard size replaces what had the name before, in however many files", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    Deno.writeTextFileSync(`${folder}/model-ema.safetensors`, "other");
    await save(valued(1), path);
    await save(valued(1), path, { maxShardSize: 20 });
    assertEquals(namesIn(folder).length, 5);
    assert(!namesIn(folder).includes("model.safetensors"));
    await save(valued(2), path, { maxShardSize: 40 });
    assertEquals(namesIn(folder), [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model-ema.safetensors",
      "model.safetensors.index.json",
    ]);
    await save(valued(3), path, { maxShardSize: "1GB" });
    assertEquals(namesIn(folder), ["model-ema.safetensors", "model.safetensors"]);
  }));

/** What no file can hold, by format; each beside a tensor that it could. */
const REFUSED: readonly (readonly [string, "safetensors" | "torch" | "both", unknown, string])[] = [
  ["a function", "both", () => 1, "function"],
  ["a symbol", "both", Symbol("s"), "Cannot write "],
  ["a dict that holds itself", "safetensors", cyclic(), "is of type dict"],
  ["a number", "safetensors", 3, "is of type int"],
  ["an object of a class", "both", new Date(0), "Date"],
  ["complex128", "safetensors", tensor([1]).to("complex128"), "safetensors has no dtype complex128"],
];

for (const [what, format, value, message] of REFUSED) {
  Deno.test(`save() refuses ${what} before it writes anything`, async () => {
    for (const ending of format === "both" ? ["safetensors", "pt"] : [format === "torch" ? "pt" : "safetensors"]) {
      await refuses({ fine: zeros([3]), value }, ending, message);
    }
  });
}

Deno.test("save() refuses keys that are no names before it writes anything", async () => {
  for (const key of [NaN, 1, null]) {
    await refuses(new Map<unknown, unknown>([["fine", zeros([1])], [key, zeros([1])]]), "safetensors", "to be strings");
  }
  await refuses({ "\udfff": zeros([1]) }, "safetensors", "not valid Unicode");
  await refuses({ __metadata__: zeros([1]) }, "safetensors", "is that of the texts");
});

for (const name of ["listed.pt", "sparse.pt", "legacy_listed.pt"]) {
  Deno.test(`save() refuses the tensors of ${name} that are listed and not read before it writes anything`, async () => {
    const checkpoint = await openCheckpoint(new URL(`checkpoints/${name}`, FIXTURES));
    let refusals = 0;
    for (const [key, value] of checkpoint.stateDict()) {
      if (!isLazyTensor(value) || await value.read().then(() => true, () => false)) continue;
      refusals++;
      for (const ending of ["safetensors", "pt"]) await refuses({ fine: zeros([1]), [key]: value }, ending, "");
    }
    assert(refusals > 0);
    await checkpoint.close();
  });
}

Deno.test("save() refuses to divide what is more than tensors", async () => {
  await inFolder(async (folder) => {
    const values = { epoch: 3, model: new StateDict([["w", zeros([1])]], null) };
    await assertRejects(
      () => save(values, `${folder}/run.pt`, { maxShardSize: "5GB" }),
      TypeError,
      'Cannot write to several files, which hold tensors only: "epoch" is of type int, "model" is of type',
    );
    await assertRejects(
      () => save(valued(1), `${folder}/m.pt`, { maxShardSize: "5" + "gb" }),
      TypeError,
      "Bad shard size",
    );
    assertEquals(namesIn(folder), []);
  });
});

/** Saves over an old file, whole and in shards, and finds the folder as it was. */
async function refuses(value: unknown, ending: string, message: string): Promise<void> {
  await inFolder(async (folder) => {
    const path = `${folder}/model.${ending}`;
    Deno.writeTextFileSync(path, "old");
    for (const maxShardSize of [undefined, 4]) {
      await assertRejects(() => save(value, path, { maxShardSize }), Error, message);
      assertEquals([...filesIn(folder)], [[`model.${ending}`, new TextEncoder().encode("old")]]);
    }
  });
}

function cyclic(): Map<string, unknown> {
  const map = new Map<string, unknown>();
  return map.set("self", map);
}

/** One of every format, each with a state dict whose tensors every format can hold. */
const SOURCES: readonly string[] = [
  "checkpoints/bare.pt",
  "checkpoints/legacy.pt",
  "checkpoints/first.tar.pt",
  "checkpoints/scripted.pt",
  "checkpoints/deflated.pt",
  "checkpoints/dtypes.safetensors",
  "sharded/safetensors/model.safetensors.index.json",
  "sharded/torch/pytorch_model.bin.index.json",
  "distributed/single/.metadata",
];

const TARGETS: readonly (readonly [string, number | undefined])[] = [
  ["out.safetensors", undefined],
  ["out.pt", undefined],
  ["out.safetensors", 24],
  ["out.bin", 24],
];

for (const name of SOURCES) {
  for (const [file, maxShardSize] of TARGETS) {
    Deno.test(`convertCheckpoint() writes ${name} as ${file}${maxShardSize === undefined ? "" : ", divided"}`, () =>
      inFolder(async (folder) => {
        const from = await openCheckpoint(new URL(name, FIXTURES));
        const before = from.stateDict();
        const { path, files, aliases, byteLength } = await convertCheckpoint(from, `${folder}/${file}`, {
          maxShardSize,
          filter: HELD,
        });
        assertEquals(namesIn(folder), [...files].sort());
        assertEquals(byteLength, [...filesIn(folder).values()].reduce((sum, { length }) => sum + length, 0));
        const index = `${folder}/${file}.index.json`;
        assertEquals(path, maxShardSize === undefined ? `${folder}/${file}` : index);
        const to = await openCheckpoint(path);
        const after = to.stateDict();
        const names = new Map(aliases.map(({ key, to }) => [key, to]));
        for (const [key, value] of before) {
          if (!isLazyTensor(value) || !HELD.test(key)) continue;
          const written = after.get(names.get(key) ?? key);
          assert(isLazyTensor(written), key);
          assertEquals([written.dtype, written.shape], [value.dtype, value.shape]);
          assertEquals(await written.read(), await value.read(), key);
        }
        await Promise.all([from.close(), to.close()]);
      }));
  }
}

/** What every format can hold of them: complex128 is not for safetensors, and extra state no tensor. */
const HELD = /^(?!complex128|extra|.*_extra_state)/;

Deno.test("convertCheckpoint() divides by the size that tensors have after a cast, and counts each cast once", () =>
  inFolder(async (folder) => {
    const source = await bytesOf(encodeSafetensors({ a: tensor([1e6, 1]), b: tensor([2, 3]), c: tensor([4, 5]) }));
    for (const file of ["out.safetensors", "out.bin"]) {
      const seen: number[][] = [];
      const done = await convertCheckpoint(source, `${folder}/${file}`, {
        dtype: "float16",
        maxShardSize: 8,
        onProgress: ({ done, total }) => seen.push([done, total]),
      });
      assertEquals(done.files.length, 3);
      assertEquals(done.casts.map(({ key, overflowed }) => [key, overflowed]), [["a", 1], ["b", 0], ["c", 0]]);
      const [last, total] = seen[seen.length - 1];
      assertEquals(last, total);
      assertEquals((await load(done.path)).get("b")?.tolist(), [2, 3]);
      // The path of the folder is more or less long, and the text is wrapped.
      assert(done.toString().replace(/\s+/g, " ").includes("in 2 shards"));
      assertEquals(done.toJSON().files, done.files);
    }
  }));

Deno.test("convertCheckpoint() makes one file of several without the totals of the index, and several of it again", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    const index = `${path}.index.json`;
    await save(valued(1), path, { maxShardSize: 40, metadata: { format: "pt", by: "me" } });
    const before = filesIn(folder);
    await convertCheckpoint(index, `${folder}/one.safetensors`);
    const one = await openCheckpoint(`${folder}/one.safetensors`);
    assertEquals([...one.metadata].sort(), [["by", "me"], ["format", "pt"]]);
    await one.close();
    Deno.mkdirSync(`${folder}/again`);
    await convertCheckpoint(`${folder}/one.safetensors`, `${folder}/again/model.safetensors`, { maxShardSize: 40 });
    assertEquals([...filesIn(`${folder}/again`)], [...before]);
  }));

Deno.test("convertCheckpoint() divides anew the files that it reads", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    await save(valued(1), path, { maxShardSize: 40 });
    for (const [maxShardSize, count] of [[20, 4], [40, 3], [40, 3], [1000, 1]]) {
      const [source] = [`${path}.index.json`, path].filter((name) =>
        namesIn(folder).includes(name.slice(folder.length + 1))
      );
      await convertCheckpoint(source, path, { maxShardSize, overwrite: true });
      assertEquals(namesIn(folder).length, count);
    }
    assertEquals((await load(path)).get("c")?.tolist(), [1, 1, 1, 1, 1, 1, 1]);
  }));

Deno.test("convertCheckpoint() with a shard size refuses whatever is there of the checkpoint, unless it may go", () =>
  inFolder(async (folder) => {
    const source = await bytesOf(encodeSafetensors(valued(1)));
    const path = `${folder}/model.safetensors`;
    for (const name of ["model.safetensors", "model.safetensors.index.json", "model-00001-of-00009.safetensors"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, "old");
      await assertRejects(
        () => convertCheckpoint(source, path, { maxShardSize: 40 }),
        Error,
        `Cannot write "${folder}/${name}": it is there already`,
      );
      assertEquals(namesIn(folder), [name]);
      await convertCheckpoint(source, path, { maxShardSize: 40, overwrite: true });
      assertEquals(namesIn(folder).length, 3);
      for (const name of namesIn(folder)) Deno.removeSync(`${folder}/${name}`);
    }
  }));
