import { assertEquals, assertRejects } from "@std/assert";
import { Checkpoint, CheckpointError, isLazyTensor, openCheckpoint } from "../../src/checkpoint/mod.ts";
import type { StateDict } from "../../src/state_dict.ts";

const FIXTURE = new URL("../fixtures/checkpoints/training.pt", import.meta.url);
const bytes = await Deno.readFile(FIXTURE);

async function firstTensor(stateDict: StateDict<unknown>): Promise<number> {
  for (const value of stateDict.values()) if (isLazyTensor(value)) return (await value.read()).length;
  return -1;
}

Deno.test({
  name: "openCheckpoint() of bytes needs no permission",
  permissions: "none",
  async fn() {
    const checkpoint = await openCheckpoint(bytes);
    assertEquals(await firstTensor(checkpoint.stateDict()), 8);
    await checkpoint.close();
  },
});

Deno.test({
  name: "openCheckpoint() of a path needs to read that path, and nothing else",
  permissions: { read: [FIXTURE] },
  async fn() {
    const checkpoint = await openCheckpoint(FIXTURE);
    assertEquals(await firstTensor(checkpoint.stateDict()), 8);
    await checkpoint.close();
  },
});

Deno.test({
  name: "openCheckpoint() without the permission says which file",
  permissions: "none",
  async fn() {
    const error = await assertRejects(() => openCheckpoint(FIXTURE), CheckpointError, "training.pt");
    assertEquals(error.cause instanceof Error, true);
  },
});

Deno.test("a checkpoint is closed by close(), by await using, and when opening fails", async () => {
  const checkpoint = await openCheckpoint(FIXTURE);
  const stateDict = checkpoint.stateDict();
  await checkpoint.close();
  await assertRejects(() => firstTensor(stateDict), CheckpointError);
  let later: StateDict<unknown>;
  {
    await using scoped = await openCheckpoint(FIXTURE);
    assertEquals(scoped instanceof Checkpoint, true);
    later = scoped.stateDict();
    assertEquals(await firstTensor(later), 8);
  }
  await assertRejects(() => firstTensor(later), CheckpointError);
  // Deno's own check for files left open covers this one.
  await assertRejects(() => openCheckpoint(new URL("training.pt.json", FIXTURE)), CheckpointError, "JSON");
});

Deno.test("openCheckpoint() refuses limits that are none", async () => {
  // @ts-expect-error: what a caller without types may pass
  await assertRejects(() => openCheckpoint(bytes, { limits: { opcode: 3 } }), TypeError, 'Unknown limit "opcode"');
  await assertRejects(() => openCheckpoint(bytes, { limits: { opcodes: -1 } }), RangeError);
  await assertRejects(() => openCheckpoint(bytes, { limits: { opcodes: NaN } }), RangeError);
});

Deno.test("the entry point imports nothing that starts wasm", async () => {
  const ahead = [new URL("../../src/checkpoint/mod.ts", import.meta.url).href];
  const seen = new Set(ahead);
  for (let file = ahead.pop(); file !== undefined; file = ahead.pop()) {
    const source = await Deno.readTextFile(new URL(file));
    for (const [, specifier] of source.matchAll(/^(?:import|export)[^;]*? from "([^"]+)";/gm)) {
      const imported = new URL(specifier, file).href;
      if (!seen.has(imported)) ahead.push(imported);
      seen.add(imported);
    }
  }
  const folders = new Set([...seen].map((file) => /src\/(.*?)[^/]*$/.exec(file)?.[1]));
  assertEquals(folders, new Set(["checkpoint/", "", "bytes/"]));
});
