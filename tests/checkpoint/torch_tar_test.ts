import { assertEquals, assertRejects } from "@std/assert";
import { CheckpointError, isLazyTensor, LimitError, openCheckpoint, TruncatedError } from "../../src/checkpoint/mod.ts";

const FILE = Deno.readFileSync(new URL("../fixtures/checkpoints/first.tar.pt", import.meta.url));

/** Bytes of a header, and what members are padded to. */
const BLOCK = 512;

/** The members by name, each with its header. */
function members(): Map<string, Uint8Array<ArrayBuffer>> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let at = 0; FILE[at] !== 0;) {
    const text = new TextDecoder().decode(FILE.subarray(at, at + BLOCK));
    const end = at + BLOCK + Math.ceil(parseInt(text.slice(124, 135), 8) / BLOCK) * BLOCK;
    found.set(text.slice(0, text.indexOf("\0")), FILE.slice(at, end));
    at = end;
  }
  return found;
}

function tarOf(parts: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...parts.flatMap((part) => [...part ?? []]), ...new Uint8Array(2 * BLOCK)]);
}

Deno.test("a tar of something else is called what it is", async () => {
  const sysInfo = members().get("sys_info");
  await assertRejects(() => openCheckpoint(tarOf([sysInfo])), CheckpointError, "it looks like an archive of sys_info");
});

Deno.test("a tar with a member twice, or one longer than the file, is refused", async () => {
  const all = members();
  await assertRejects(
    () => openCheckpoint(tarOf([...all.values(), all.get("tensors")])),
    CheckpointError,
    `it has two members "tensors"`,
  );
  await assertRejects(() => openCheckpoint(FILE.slice(0, 1400)), CheckpointError, "it ends within a header");
  await assertRejects(() => openCheckpoint(FILE.slice(0, 1540)), CheckpointError, "a member is longer than the file");
});

Deno.test("a tar whose storage is longer than its member is refused", async () => {
  const all = members();
  const storages = all.get("storages")?.slice() ?? new Uint8Array(0);
  const view = new DataView(storages.buffer);
  const at = Array.from({ length: storages.length - 7 }, (_, i) => i).find((i) => view.getBigInt64(i, true) === 12n);
  view.setBigInt64(at ?? 0, 2n ** 40n, true);
  all.set("storages", storages);
  await assertRejects(() => openCheckpoint(tarOf([...all.values()])), TruncatedError, "the member of the tar has");
});

Deno.test("a tar keeps to the limits", async () => {
  await assertRejects(() => openCheckpoint(FILE, { limits: { entries: 3 } }), LimitError, "entries");
  await assertRejects(() => openCheckpoint(FILE, { limits: { rank: 1 } }), LimitError, "rank");
});

Deno.test("tensors of a tar share what they shared, a view of a storage among them", async () => {
  const state = (await openCheckpoint(FILE)).stateDict();
  const [a, turned, tail] = ["a", "turned", "tail"].map((key) => state.get(key));
  if (!isLazyTensor(a) || !isLazyTensor(turned) || !isLazyTensor(tail)) throw new TypeError("tensors are expected");
  assertEquals(a.storage.id, turned.storage.id);
  assertEquals(tail.storage.byteLength, 40);
});
