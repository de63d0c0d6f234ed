import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type DType,
  encodeSafetensors,
  encodeTorch,
  Linear,
  load,
  manualSeed,
  openCheckpoint,
  planLoad,
  randn,
  type Tensor,
} from "../../mod.ts";
import { RecordedFile } from "./sources.ts";

/** Bytes of a part. */
const PART = 8 << 20;

/** Of an element. */
const DTYPE_BYTES: Readonly<Record<string, number>> = { float64: 8, float32: 4, bfloat16: 2 };

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(stream).bytes();
}

/** Values of a little more than two parts, an odd number of them. */
function large(dtype: DType): Tensor {
  const columns = 1001;
  const rows = 2 * Math.ceil(PART / DTYPE_BYTES[dtype] / columns) + 1;
  return dtype === "float64" ? randn([rows, columns], { dtype }) : randn([rows, columns]).to(dtype);
}

for (const encode of [encodeSafetensors, encodeTorch]) {
  for (const [from, to] of [["float64", "float32"], ["bfloat16", "float32"], ["float32", "float16"]] as const) {
    Deno.test(`a large tensor is cast from ${from} to ${to} part by part, as it would be whole: ${encode.name}`, async () => {
      const weight = large(from);
      const source = new RecordedFile(await bytesOf(encode({ weight })));
      const checkpoint = await openCheckpoint(source);
      const [rows, columns] = weight.shape;
      const model = new Linear(columns, rows, { bias: false, dtype: to });
      const plan = planLoad(model, checkpoint.stateDict());
      const bytes = weight.numel * DTYPE_BYTES[from];
      assertEquals([plan.bytesToRead, plan.peakBytes], [bytes, bytes]);
      const progress: number[] = [];
      source.take();
      await plan.apply({ onProgress: ({ done }) => progress.push(done) });
      assertEquals(source.take().largest, PART);
      assertEquals(progress, [PART, 2 * PART, bytes]);
      assert(model.weight.equal(weight.to(to)));
    });
  }
}

Deno.test("a cast that ends in the middle leaves the parameter with the values it would have had", async () => {
  const weight = large("float64");
  const source = new RecordedFile(await bytesOf(encodeSafetensors({ weight })));
  const checkpoint = await openCheckpoint(source);
  const [rows, columns] = weight.shape;
  const seeded = () => {
    manualSeed(7);
    return new Linear(columns, rows, { bias: false });
  };
  const [model, untouched] = [seeded(), seeded()];
  const plan = planLoad(model, checkpoint.stateDict());
  source.failsFrom = 2 * PART;
  await assertRejects(() => plan.apply(), Error, "the disk is gone");
  assert(model.weight.equal(untouched.weight));
  // Nothing was written, so that it may be tried again; the parameter has memory by now, and is written whole.
  source.failsFrom = Infinity;
  await plan.apply();
  assert(model.weight.equal(weight.to("float32")));
});

Deno.test("a cast that is aborted in the middle leaves the parameter as it was, though it was looked at meanwhile", async () => {
  const weight = large("float64");
  const checkpoint = await openCheckpoint(await bytesOf(encodeSafetensors({ weight })));
  const [rows, columns] = weight.shape;
  const model = new Linear(columns, rows, { bias: false });
  const controller = new AbortController();
  const plan = planLoad(model, checkpoint.stateDict());
  let before: Tensor | null = null;
  const onProgress = () => controller.abort(new Error("enough"));
  const running = plan.apply({ signal: controller.signal, onProgress });
  before = model.weight.add(0);
  await assertRejects(() => running, Error, "enough");
  assert(model.weight.equal(before));
});

Deno.test("a cast part by part goes on where the parameter is looked at meanwhile", async () => {
  const weight = large("float64");
  const checkpoint = await openCheckpoint(await bytesOf(encodeSafetensors({ weight })));
  const [rows, columns] = weight.shape;
  const model = new Linear(columns, rows, { bias: false });
  const running = planLoad(model, checkpoint.stateDict()).apply();
  assertEquals(model.weight.data().length, weight.numel);
  await running;
  assert(model.weight.equal(weight.to("float32")));
});

Deno.test("a cast part by part counts what overflows in every part", async () => {
  const weight = large("float64");
  const flat = weight.reshape([-1]);
  const places = [0, PART / 8 - 1, PART / 8, weight.numel - 1];
  for (const place of places) flat.narrow(0, place, 1).fill_(1e300);
  const checkpoint = await openCheckpoint(await bytesOf(encodeSafetensors({ weight })));
  const [rows, columns] = weight.shape;
  const model = new Linear(columns, rows, { bias: false });
  const report = await planLoad(model, checkpoint.stateDict()).apply();
  assertEquals(report.casts.map(({ overflowed }) => overflowed), [places.length]);
});

Deno.test("tensors that are not cast, or share their place, come whole", async () => {
  const weight = large("float32");
  const source = new RecordedFile(await bytesOf(encodeTorch({ a: weight, b: weight })));
  const [rows, columns] = weight.shape;
  const state = await load(source);
  assert(state.get("a") === state.get("b"));
  const model = new Linear(columns, rows, { bias: false });
  const checkpoint = await openCheckpoint(source);
  const progress: number[] = [];
  const plan = planLoad(model, checkpoint.stateDict(), { strict: false, rename: [{ replace: /^a$/, with: "weight" }] });
  await plan.apply({ onProgress: ({ done }) => progress.push(done) });
  assertEquals(progress, [4 * weight.numel]);
  assert(model.weight.equal(weight));
});
