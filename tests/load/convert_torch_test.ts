import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  convertCheckpoint,
  isLazyTensor,
  Linear,
  load,
  openCheckpoint,
  save,
  StateDict,
  type Tensor,
} from "../../mod.ts";

const CHECKPOINTS = new URL("../fixtures/checkpoints/", import.meta.url);

/** Files whose every entry can be written in PyTorch's format. */
const FILES = ["dtypes.pt", "views.pt", "legacy.pt", "big_endian.pt", "deflated.pt", "dtypes.safetensors", "keys.pt"];

/** The views in views.pt that PyTorch conjugates or negates when they are read. */
const LAZY_BITS = ["conjugate", "negative", "both"];

for (const name of FILES) {
  Deno.test(`convertCheckpoint() writes ${name} as .pt with every value, stride and shared storage`, async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/out.v2.pt`;
      const from = await openCheckpoint(new URL(name, CHECKPOINTS));
      const done = await convertCheckpoint(from, path);
      assertEquals([done.from, done.byteLength], [from.format, Deno.statSync(path).size]);
      const to = await openCheckpoint(path);
      const [expected, found] = [from.stateDict(), to.stateDict()];
      assertEquals([...found.keys()], [...expected.keys()]);
      assertEquals(found.metadata, expected.metadata);
      for (const [key, value] of expected) {
        const written = found.get(key);
        if (!isLazyTensor(value)) assertEquals(written, value);
        else {
          assert(isLazyTensor(written));
          assertEquals([written.dtype, written.shape], [value.dtype, value.shape]);
          assertEquals(await written.read(), await value.read());
        }
      }
      if (name === "views.pt") assertEquals(sharing(found), sharing(expected));
      await to.close();
      await from.close();
    });
  });
}

Deno.test("convertCheckpoint() casts on the way to .pt, and counts what was lost", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/half.pt`;
    const done = await convertCheckpoint("examples/data/pretrained.pt", path, { dtype: "float16", filter: "*.weight" });
    assertEquals([done.tensors, done.casts.length, done.overflowed], [2, 2, 0]);
    const [half, whole] = [await load(path), await load("examples/data/pretrained.pt")];
    assertEquals([...half.keys()], ["linear1.weight", "linear2.weight"]);
    for (const [key, value] of half) assertEquals(value.tolist(), whole.get(key)?.to("float16").tolist());
  });
});

Deno.test("convertCheckpoint() says how far it has come, whatever shares a storage", async () => {
  await inFolder(async (folder) => {
    const seen: [number, number][] = [];
    const onProgress = ({ done, total }: { readonly done: number; readonly total: number }) =>
      void seen.push([done, total]);
    await convertCheckpoint(new URL("views.pt", CHECKPOINTS), `${folder}/out.pt`, { onProgress });
    const [done, total] = seen[seen.length - 1];
    assertEquals(done, total);
  });
});

Deno.test("save() writes .pt by its ending, and values beside the model", async () => {
  await inFolder(async (folder) => {
    const model = new Linear(3, 2);
    await save({ epoch: 7, model: model.stateDict() }, `${folder}/run.ckpt`);
    const checkpoint = await openCheckpoint(`${folder}/run.ckpt`);
    assertEquals(checkpoint.stateDictPaths, [["model"]]);
    assertEquals(checkpoint.root instanceof Map && checkpoint.root.get("epoch"), 7);
    await checkpoint.close();
    await save(model, `${folder}/run`, { format: "torch" });
    assertEquals((await load(`${folder}/run`)).get("weight")?.tolist(), model.weight.tolist());
  });
});

Deno.test("save() refuses metadata where there is no place for it, before it writes", async () => {
  await inFolder(async (folder) => {
    const state = new StateDict<Tensor>();
    await assertRejects(() => save(state, `${folder}/x.pt`, { metadata: { a: "b" } }), TypeError, "no place for it");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

/** Who shares with whom; what is a conjugate or a negative is written as it comes out, and so by itself. */
function sharing(state: StateDict<unknown>): unknown {
  const views = [...state].flatMap(([key, value]) => isLazyTensor(value) && !LAZY_BITS.includes(key) ? [value] : []);
  const ids = views.map(({ storage }) => storage.id);
  const strides = views.map((view) => view.strides);
  return { storages: ids.map((id) => ids.indexOf(id)), strides };
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
