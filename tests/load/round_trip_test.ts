/** File, state dict, file again: for every fixture, what comes out is what went in, byte for byte. */

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  type Checkpoint,
  encodeSafetensors,
  encodeTorch,
  type LazyTensor,
  load,
  openCheckpoint,
  StateDict,
  type StateDictPath,
  Tensor,
  UnsupportedError,
} from "../../mod.ts";
import { DTYPES, isDType } from "../../src/dtype.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { dict, pickle, storage, tensor, torchZip } from "../checkpoint/archive.ts";
import { plain } from "../checkpoint/plain.ts";
import { type Inert, isLazyTensor } from "../../src/state_dict.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** A lone tensor, and a program without parameters. */
const WITHOUT_STATE_DICT = ["tensor.pt", "torchscript.pt"];

/** Whole objects with nothing in them of somebody else's class: optimisers, schedulers, the state of a loop. */
const WHOLE = [
  "averaged",
  "deepspeed",
  "gan",
  "lightning",
  "lightning_full",
  "many",
  "no_tensors",
  "params_ema",
  "zero3",
];

for (const folder of ["checkpoints", "scenarios", "writing"]) {
  for (
    const { name } of [...Deno.readDirSync(new URL(`${folder}/`, FIXTURES))].sort((a, b) => a.name < b.name ? -1 : 1)
  ) {
    if (!/\.(pt|safetensors)$/.test(name) || WITHOUT_STATE_DICT.includes(name)) continue;
    const url = new URL(`${folder}/${name}`, FIXTURES);
    Deno.test(`encodeTorch() gives back all of ${folder}/${name}`, () => eachStateDict(url, throughTorch));
    Deno.test(`encodeSafetensors() gives back all of ${folder}/${name}`, () => eachStateDict(url, throughSafetensors));
    Deno.test(`load() gives all of ${folder}/${name} to both formats`, () => eachStateDict(url, throughMemory));
  }
}

for (const name of WHOLE) {
  Deno.test(`encodeTorch() gives back the whole object of ${name}.pt`, async () => {
    const checkpoint = await openCheckpoint(new URL(`checkpoints/${name}.pt`, FIXTURES));
    const again = await reopened(encodeTorch(checkpoint.root));
    assertEquals(await plain(again.root), await plain(checkpoint.root));
    assertEquals(again.stateDictPaths, checkpoint.stateDictPaths);
    await checkpoint.close();
  });
}

Deno.test("encodeTorch() writes one storage for several dtypes where PyTorch does, and refuses where it refuses", async () => {
  const checkpoint = await openCheckpoint(new URL("checkpoints/untyped_views.pt", FIXTURES));
  const again = await reopened(encodeTorch(checkpoint.stateDict()));
  const ids = [...again.stateDict()].map(([key, value]) => [key, isLazyTensor(value) && value.storage.id]);
  // The conjugate is written as it comes out.
  const shared = { bytes: "data/0", uint16: "data/0", uint32: "data/0", float8: "data/0", complex32: "data/1" };
  assertEquals(Object.fromEntries(ids), { ...shared, tied: "data/0" });
  await checkpoint.close();

  const halves = tensor({ from: storage({ type: "HalfStorage", numel: 8 }), shape: [8] });
  const mixed = await openCheckpoint(torchZip(pickle(dict({ w: tensor(), halves }), "."), { 0: new Uint8Array(16) }));
  assertThrows(() => encodeTorch(mixed.stateDict()), UnsupportedError, "as different types: float32 and float16");
});

/** A state dict of a fixture. */
interface Found {
  readonly url: URL;
  readonly path: StateDictPath;
  readonly stateDict: StateDict<Inert>;
}

async function eachStateDict(url: URL, use: (found: Found) => Promise<void>): Promise<void> {
  const checkpoint = await openCheckpoint(url);
  try {
    assert(checkpoint.stateDictPaths.length > 0);
    for (const path of checkpoint.stateDictPaths) await use({ url, path, stateDict: checkpoint.stateDict(path) });
  } finally {
    await checkpoint.close();
  }
}

async function throughTorch({ stateDict }: Found): Promise<void> {
  const entries = [...stateDict].filter(([, value]) => isWritable(value));
  const written = new StateDict(entries, stateDict.metadata);
  const again = (await reopened(encodeTorch(written))).stateDict([]);
  assertEquals([...again.keys()], [...written.keys()]);
  assertEquals(again.metadata, written.metadata);
  for (const [key, value] of written) {
    const found = again.get(key);
    if (!isLazyTensor(value)) assertEquals(await plain(found ?? null), await plain(value), key);
    else {
      await assertSameTensor(found, value, key);
      assertEquals(isLazyTensor(found) && found.requiresGrad, value.requiresGrad, key);
    }
  }
  assertEquals(sharing(again, written), sharing(written, written));
}

async function throughSafetensors({ stateDict }: Found): Promise<void> {
  const tensors = readable(stateDict);
  for (const [key, tensor] of tensors.filter(([key, tensor]) => !hasPlace(key, tensor))) {
    const refusal = key.isWellFormed() ? UnsupportedError : TypeError;
    assertThrows(() => encodeSafetensors(new Map([[key, tensor]])), refusal);
  }
  const named = tensors.filter(([key, tensor]) => hasPlace(key, tensor));
  await assertHolds(await reopened(encodeSafetensors(new Map(named))), named);
}

async function throughMemory({ url, path, stateDict }: Found): Promise<void> {
  const tensors = readable(stateDict);
  const filter = new RegExp(`^(${tensors.map(([key]) => RegExp.escape(key)).join("|")})$`);
  if (tensors.length === 0) return;
  const loaded = await load(url, { stateDictPath: path, filter });
  const both = await reopened(encodeTorch(loaded));
  assertEquals([...both.stateDict([]).keys()], tensors.map(([key]) => key));
  assertEquals(both.stateDict([]).metadata, stateDict.metadata);
  for (const [key, tensor] of tensors) await assertSameTensor(both.stateDict([]).get(key), tensor, key);
  const named = tensors.filter(([key, tensor]) => hasPlace(key, tensor));
  const kept = new Map([...loaded].filter(([key]) => named.some(([name]) => name === key)));
  assert([...kept.values()].every((value) => value instanceof Tensor));
  await assertHolds(await reopened(encodeSafetensors(kept)), named);
}

/** A safetensors file with these tensors, of which those that are one are written once. */
async function assertHolds(checkpoint: Checkpoint, tensors: readonly (readonly [string, LazyTensor])[]): Promise<void> {
  const found = checkpoint.stateDict();
  for (const [key, tensor] of tensors) {
    await assertSameTensor(found.get(key) ?? found.get(checkpoint.metadata.get(key) ?? ""), tensor, key);
  }
  assertEquals(found.size, tensors.length - [...checkpoint.metadata.keys()].filter((key) => !found.has(key)).length);
}

async function assertSameTensor(found: Inert | undefined, expected: LazyTensor, key: string): Promise<void> {
  assertInstanceOf(found, StoredTensor, key);
  assertEquals([found.dtype, [...found.shape]], [expected.dtype, [...expected.shape]], key);
  assertEquals(await found.read(), await expected.read(), key);
}

async function reopened(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Checkpoint> {
  return await openCheckpoint(await new Response(stream).bytes());
}

/** Whether PyTorch's format has a place for it; what is listed and not read is refused by name, as is what is a record. */
function isWritable(value: Inert): boolean {
  try {
    encodeTorch(value);
    return true;
  } catch (error) {
    assert(error instanceof UnsupportedError || (error instanceof TypeError && !isLazyTensor(value)), String(error));
    return false;
  }
}

function readable(stateDict: StateDict<Inert>): [string, StoredTensor][] {
  const found: [string, StoredTensor][] = [];
  for (const [key, value] of stateDict) {
    if (value instanceof StoredTensor && isWritable(value)) found.push([key, value]);
  }
  return found;
}

/** Whether safetensors has a name for its dtype, and JSON one for its key. */
function hasPlace(key: string, { dtype }: LazyTensor): boolean {
  return key.isWellFormed() && isDType(dtype) && DTYPES[dtype].safetensors !== null;
}

/** Who shares with whom, and the strides; but for the conjugate and the negative, which are written as they come out. */
function sharing(state: StateDict<Inert>, original: StateDict<Inert>): unknown {
  const rows: { key: string; id: string; strides: readonly number[] }[] = [];
  for (const [key, value] of state) {
    const was = original.get(key);
    if (!(value instanceof StoredTensor) || !(was instanceof StoredTensor) || isTurned(was)) continue;
    rows.push({ key, id: value.storage.id, strides: value.strides });
  }
  return rows.map(({ key, id, strides }) => [key, rows.findIndex((row) => row.id === id), strides]);
}

function isTurned({ description: { pending } }: StoredTensor): boolean {
  return pending?.conjugate === true || pending?.negative === true;
}
